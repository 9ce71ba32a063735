"""Identities that hold for any data: swapping arms, changing units, special cases that two methods share."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hhp_stats.estimate.complier import complier_effect
from hhp_stats.estimate.effect_size import hedges_g, hedges_g_clustered
from hhp_stats.estimate.icc import icc_anova, icc_reml
from hhp_stats.estimate.ratio import fieller
from hhp_stats.estimate.two_sample import ArmSummary, welch, welch_from_summary
from hhp_stats.measures.reliability import cronbach_alpha, mcdonald_omega, spearman_brown
from hhp_stats.measures.scales import composite, reverse_scored
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Term, model_matrix

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=25, deadline=None)


def trial(seed, teams=14, size=6):
    rng = np.random.default_rng(seed)
    team = np.repeat(np.arange(teams), size)
    frame = pd.DataFrame({"team_id": team, "treatment": (team % 2).astype(float), "x": rng.normal(size=len(team))})
    frame["takeup"] = ((rng.random(len(team)) < 0.5) & (frame["treatment"] == 1)).astype(float)
    frame["y"] = frame["takeup"] + frame["x"] + 0.7 * rng.normal(size=teams)[team] + rng.normal(size=len(team))
    return frame


def complier(frame, covariates=True):
    terms = [Term(column="x", kind="continuous")] if covariates else []
    return complier_effect(
        outcome=frame["y"].to_numpy(),
        takeup=frame["takeup"].to_numpy(),
        matrix=model_matrix(frame, terms),
        clusters=frame["team_id"],
    )


@FEW
@given(SEEDS)
def test_complier_effect_is_the_ratio_of_the_two_effects_of_assignment(seed):
    frame = trial(seed)
    got = complier(frame, covariates=False)
    arms = frame.groupby("treatment")[["y", "takeup"]].mean().diff().loc[1.0]
    assert got.effect.estimate == pytest.approx(arms["y"] / arms["takeup"], rel=1e-9)  # two routes, double precision
    assert got.takeup_treatment - got.takeup_control == pytest.approx(got.first_stage.estimate, rel=1e-9)


@FEW
@given(SEEDS)
def test_anderson_rubin_holds_the_estimate_and_tests_zero_like_intention_to_treat(seed):
    got = complier(trial(seed))
    assert got.anderson_rubin.contains(got.effect.estimate)
    assert got.effective_f == pytest.approx(got.first_stage_f, rel=1e-9)  # one instrument
    # With one instrument the hypothesis of no complier effect is the one of no effect of assignment.
    assert got.anderson_rubin_p == pytest.approx(got.intention_to_treat.p_value, rel=1e-7, abs=1e-14)
    assert got.anderson_rubin.contains(0) == (got.intention_to_treat.p_value >= 0.05)
    assert got.anderson_rubin.bounded == (got.first_stage.p_value < 0.05)


@FEW
@given(SEEDS)
def test_intention_to_treat_inside_is_the_one_outside(seed):
    frame = trial(seed)
    matrix = model_matrix(frame, [Term(column="x", kind="continuous")])
    fit = ols(outcome=frame["y"].to_numpy(), matrix=matrix)
    outside = coefficient(fit, cluster_covariance(fit, clusters=frame["team_id"]))
    inside = complier(frame).intention_to_treat
    assert inside.estimate == pytest.approx(outside.estimate, rel=1e-9, abs=1e-12)
    assert inside.std_error == pytest.approx(outside.std_error, rel=1e-9)
    assert inside.df == outside.df


@FEW
@given(SEEDS)
def test_if_everyone_complies_the_complier_effect_is_intention_to_treat(seed):
    frame = trial(seed).assign(takeup=lambda d: d["treatment"])
    got = complier_effect(
        outcome=frame["y"].to_numpy(),
        takeup=frame["takeup"].to_numpy(),
        matrix=model_matrix(frame, []),
        clusters=frame["team_id"],
    )
    assert got.effect.estimate == pytest.approx(got.intention_to_treat.estimate, rel=1e-9, abs=1e-12)
    assert got.effect.std_error == pytest.approx(got.intention_to_treat.std_error, rel=1e-9)


@FEW
@given(SEEDS, st.floats(0.01, 100), st.floats(-50, 50))
def test_effect_sizes_change_sign_with_the_arms_and_ignore_units(seed, scale, shift):
    frame = trial(seed)
    y, z = frame["y"].to_numpy(), frame["treatment"].to_numpy()
    plain, swapped = hedges_g(outcome=y, treatment=z), hedges_g(outcome=y, treatment=1 - z)
    assert swapped.g.estimate == pytest.approx(-plain.g.estimate, rel=1e-12)
    assert swapped.g.conf_low == pytest.approx(-plain.g.conf_high, rel=1e-9, abs=1e-12)
    units = hedges_g(outcome=scale * y + shift, treatment=z)
    # A shift of 50 costs a few of the sixteen digits.
    assert units.g.estimate == pytest.approx(plain.g.estimate, rel=1e-8, abs=1e-10)
    first, second = welch(outcome=y, treatment=z), welch(outcome=y, treatment=1 - z)
    assert first.estimate == pytest.approx(-second.estimate) and first.p_value == pytest.approx(second.p_value)


def test_clustered_g_without_clustering_is_close_to_g():
    frame = trial(3)
    y, z, team = (frame[c].to_numpy() for c in ("y", "treatment", "team_id"))
    plain = welch(outcome=y, treatment=z)
    got = hedges_g_clustered(plain, outcome=y, treatment=z, clusters=team, icc=0.0)
    same = hedges_g(outcome=y, treatment=z)
    assert got.g.estimate == pytest.approx(same.g.estimate, rel=1e-12) and got.df == same.df
    # More likeness within teams: fewer degrees of freedom for the spread, a slightly smaller effect.
    more = hedges_g_clustered(plain, outcome=y, treatment=z, clusters=team, icc=0.4)
    assert more.df < got.df and abs(more.g.estimate) < abs(got.g.estimate)


@FEW
@given(SEEDS, st.floats(0.01, 100))
def test_icc_ignores_units_labels_and_order(seed, scale):
    frame = trial(seed)
    y, team = frame["y"].to_numpy(), frame["team_id"].to_numpy()
    plain = icc_anova(outcome=y, clusters=team)
    order = np.random.default_rng(seed).permutation(len(y))
    moved = icc_anova(outcome=scale * y[order] - 7, clusters=np.array([f"team {t}" for t in team[order]]))
    assert moved.estimate == pytest.approx(plain.estimate, rel=1e-7, abs=1e-9)  # a shift costs some digits
    assert plain.conf_low <= plain.estimate <= plain.conf_high
    reml = icc_reml(outcome=y, clusters=team)
    # Equal sizes: restricted maximum likelihood is ANOVA, cut at zero.
    assert reml.estimate == pytest.approx(max(plain.estimate, 0.0), abs=1e-5)
    assert reml.conf_low <= reml.estimate <= reml.conf_high


@FEW
@given(SEEDS)
def test_two_items_alpha_standardised_is_spearman_brown(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(2 * rng.normal(size=(60, 1)) + rng.normal(size=(60, 2)) * [1, 3], columns=["a", "b"])
    assert cronbach_alpha(frame, standardised=True).estimate == pytest.approx(spearman_brown(frame).estimate, rel=1e-10)
    # With a positive correlation, as here, unequal variances can only lower alpha.
    assert cronbach_alpha(frame).estimate <= spearman_brown(frame).estimate + 1e-12


def test_equal_loadings_make_omega_alpha():
    """Covariances built to be exactly equal: both coefficients are k r / (1 + (k-1) r)."""
    rng = np.random.default_rng(4)
    r, k = 0.4, 5
    x = rng.normal(size=(200, k))
    x = (x - x.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    frame = pd.DataFrame(x @ np.linalg.cholesky(np.full((k, k), r) + (1 - r) * np.eye(k)).T)
    exact = k * r / (1 + (k - 1) * r)
    assert cronbach_alpha(frame).estimate == pytest.approx(exact, rel=1e-10)
    for method in ("ml", "minres"):
        assert mcdonald_omega(frame, method=method).estimate == pytest.approx(exact, rel=1e-6)  # an optimiser


@FEW
@given(SEEDS)
def test_reversing_every_item_reverses_the_score(seed):
    answers = pd.DataFrame(np.random.default_rng(seed).integers(1, 8, size=(15, 3)), columns=list("abc"), dtype=float)
    plain = composite(answers, items=list("abc"), rule="mean", low=1, high=7)
    turned = composite(answers, items=list("abc"), rule="mean", low=1, high=7, reverse=list("abc"))
    assert (plain + turned).tolist() == pytest.approx([8.0] * 15)
    twice = reverse_scored(reverse_scored(answers["a"], low=1, high=7), low=1, high=7)
    pd.testing.assert_series_equal(twice, answers["a"])


@FEW
@given(st.floats(-5, 5), st.floats(0.2, 5), st.floats(0.01, 4), st.floats(0.01, 4), st.floats(-0.9, 0.9))
def test_fieller_of_the_inverse_ratio_is_the_inverse_set(n, d, vn, vd, r):
    if abs(n) < 0.05:
        return
    cov = r * np.sqrt(vn * vd)
    ratio = fieller(numerator=n, denominator=d, numerator_variance=vn, denominator_variance=vd, covariance=cov)
    inverse = fieller(numerator=d, denominator=n, numerator_variance=vd, denominator_variance=vn, covariance=cov)
    assert ratio.set.contains(ratio.estimate)
    for value in np.linspace(-6.05, 6.05, 23):  # no end of a set falls on these to twelve digits
        assert ratio.set.contains(value) == inverse.set.contains(1 / value)


def test_known_denominator_divides_the_ordinary_interval():
    got = fieller(numerator=6, denominator=4, numerator_variance=1, denominator_variance=0)
    assert got.set.parts[0] == pytest.approx((1.5 - 1.959964 / 4, 1.5 + 1.959964 / 4), abs=1e-6)  # printed quantile


@FEW
@given(st.floats(-3, 3), st.floats(0.1, 2), st.floats(0.1, 2), st.integers(2, 500), st.integers(2, 500))
def test_welch_df_lies_between_its_bounds(gap, se1, se2, n1, n2):
    got = welch_from_summary(ArmSummary(mean=gap, std_error=se1, n=n1), ArmSummary(mean=0, std_error=se2, n=n2))
    assert min(n1, n2) - 1 - 1e-9 <= got.df <= n1 + n2 - 2 + 1e-6
