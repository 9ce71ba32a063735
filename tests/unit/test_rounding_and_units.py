"""What is equal is equal to rounding, and no conclusion hangs on units: ten times .1 has no spread, pounds and pence give
one ratio.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.balance import omnibus_balance
from hhp_stats.design.balance_table import balance_table
from hhp_stats.design.detectable_effect import clusters_needed
from hhp_stats.errors import EstimationError, InvalidInput, NonConvergence
from hhp_stats.estimate.bounds import lee_bounds
from hhp_stats.estimate.complier import ComplierEffect, complier_effect
from hhp_stats.estimate.cost_benefit import net_turnover_cost, programme_days
from hhp_stats.estimate.effect_size import hedges_g, hedges_g_adjusted
from hhp_stats.estimate.firth import firth_average_change, firth_change_at_means, firth_log_odds, firth_logit
from hhp_stats.estimate.icc import icc_anova, icc_reml
from hhp_stats.estimate.penalised_profile import Coefficient, Profile
from hhp_stats.estimate.ratio import fieller
from hhp_stats.estimate.two_sample import welch
from hhp_stats.infer.multiplicity import westfall_young
from hhp_stats.infer.pooled_ratios import pool_likelihood_ratios
from hhp_stats.infer.pooling import pool_joint
from hhp_stats.infer.wald import wald_test
from hhp_stats.library.example import example_trial
from hhp_stats.measures.reliability import cronbach_alpha
from hhp_stats.measures.scales import standardise
from hhp_stats.regression.cluster_robust import (
    ClusterKind,
    HeteroskedasticKind,
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
)
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Array, ModelMatrix
from hhp_stats.regression.spread import is_dust, spread
from hhp_stats.results.frame import Estimate

SAME = 1e-12  # the same sums after division by a power of ten
ARM = np.array([0.0] * 10 + [1.0] * 7)
ALL_ALIKE = np.full(17, 0.1)  # whose mean over seven is not .1 in the last bit


@pytest.mark.parametrize("values", [ALL_ALIKE, ALL_ALIKE[:7], np.array([0.1 + 0.2, 0.3, 0.3]), np.zeros(3)])
def test_equal_numbers_have_no_spread(values: Array) -> None:
    assert spread(values) == 0
    assert spread(values * 1e100) == 0 and spread(values * 1e-100) == 0


def test_a_small_spread_around_a_large_mean_is_one() -> None:
    assert spread(1e6 + np.array([0.0, 1e-6, 2e-6])) == pytest.approx(1e-6, rel=1e-3)  # four digits are left of it
    assert math.isnan(spread([1.0]))
    assert not is_dust(math.inf, of=[1.0]) and is_dust(0.0, of=[])


def test_arms_that_do_not_vary_have_no_test_and_no_effect_size() -> None:
    with pytest.raises(InvalidInput, match="neither arm varies"):
        welch(outcome=ALL_ALIKE, treatment=ARM)
    with pytest.raises(InvalidInput, match="does not vary"):
        hedges_g(outcome=ALL_ALIKE, treatment=ARM)
    with pytest.raises(InvalidInput, match="does not vary"):
        hedges_g_adjusted(_estimate(), outcome=ALL_ALIKE, treatment=ARM)


def test_a_covariate_that_is_the_same_for_everybody_is_in_balance() -> None:
    frame = pd.DataFrame({"treatment": ARM, "same": ALL_ALIKE, "told_apart": np.where(ARM == 1, 0.3, 0.1)})
    table = balance_table(frame, continuous=["same", "told_apart"]).set_index("covariate")
    assert math.isnan(table.loc["same", "std_difference"]) and table.loc["same", "sd_treatment"] == 0
    assert table.loc["told_apart", "std_difference"] == math.inf


def test_items_that_add_up_to_one_number_have_no_alpha() -> None:
    answers = np.random.default_rng(1).integers(1, 6, 50) / 10
    with pytest.raises(InvalidInput, match="turned the wrong way"):
        cronbach_alpha(pd.DataFrame({"first": answers, "second": 1.1 - answers}))


def test_scores_in_small_units_are_standardised() -> None:
    scores = pd.Series([1.0, 2.0, 4.0])
    found = standardise(scores * 1e-14, reference=pd.Series([True] * 3), sample="everybody")
    expected = standardise(scores, reference=pd.Series([True] * 3), sample="everybody")
    assert np.allclose(found.values, expected.values, rtol=SAME)


@pytest.mark.parametrize(("top", "bottom"), [(1e-150, 1e-150), (1e150, 1e150), (1e-90, 1e90), (1e150, 1.0)])
def test_a_ratio_has_the_same_set_in_any_units(top: float, bottom: float) -> None:
    def found(a: float, b: float) -> tuple[float, float]:
        got = fieller(
            numerator=1.0 * a,
            denominator=2.0 * b,
            numerator_variance=0.3 * a * a,
            denominator_variance=0.2 * b * b,
            covariance=0.05 * a * b,
        )
        return got.set.hull

    low, high = found(top, bottom)
    assert (low * bottom / top, high * bottom / top) == pytest.approx(found(1.0, 1.0), rel=SAME)


@pytest.mark.parametrize(
    ("numerator", "denominator", "share"), [(3.0, 0.7, 0.04), (0.3, 0.1, 0.09), (1.0, 3.0, 0.01), (0.3, 0.1, 0.0)]
)
def test_sides_that_move_together_leave_the_ratio_itself(numerator: float, denominator: float, share: float) -> None:
    found = fieller(
        numerator=numerator,
        denominator=denominator,
        numerator_variance=numerator**2 * share,
        denominator_variance=denominator**2 * share,
        covariance=numerator * denominator * share,
    )
    assert found.set.hull == pytest.approx((found.estimate, found.estimate), rel=1e-6)  # the root of rounding
    assert found.denominator_significant


def _compliers(*, unit_of_outcome: float = 1.0, unit_of_takeup: float = 1.0, shift: float = 0.0) -> ComplierEffect:
    rng = np.random.default_rng(5)
    clusters = np.arange(60) // 3
    offered = (clusters % 2).astype(np.float64)
    taken = offered * (rng.random(60) < 0.6)
    before = rng.normal(size=60)
    outcome = before + taken + rng.normal(size=60)
    matrix = ModelMatrix(
        values=np.column_stack([np.ones(60), offered, before + shift]), names=("intercept", "treatment", "before")
    )
    return complier_effect(
        outcome=outcome * unit_of_outcome, takeup=taken * unit_of_takeup, matrix=matrix, clusters=clusters
    )


@pytest.mark.parametrize("unit", [1e-100, 1e-13, 1e13, 1e100])
def test_the_complier_effect_knows_no_units(unit: float) -> None:
    plain, taken, outcome = _compliers(), _compliers(unit_of_takeup=unit), _compliers(unit_of_outcome=unit)
    for found, factor in ((taken, unit), (outcome, 1 / unit)):
        assert found.effect.estimate * factor == pytest.approx(plain.effect.estimate, rel=SAME)
        assert found.effect.std_error * factor == pytest.approx(plain.effect.std_error, rel=SAME)
        assert found.anderson_rubin.hull[0] * factor == pytest.approx(plain.anderson_rubin.hull[0], rel=1e-10)
        assert found.first_stage_f == pytest.approx(plain.first_stage_f, rel=SAME)
        assert found.effective_f_critical == pytest.approx(plain.effective_f_critical, rel=SAME)


def test_a_covariate_of_a_large_mean_costs_the_complier_effect_no_digits() -> None:
    plain, far = _compliers(), _compliers(shift=1e6)
    # The covariate itself keeps ten digits beside its mean.
    assert far.effect.estimate == pytest.approx(plain.effect.estimate, rel=1e-9)
    assert far.effect.std_error == pytest.approx(plain.effect.std_error, rel=1e-9)


def test_an_outcome_that_is_take_up_has_no_standard_error() -> None:
    clusters = np.arange(40) // 2
    offered = (clusters % 2).astype(np.float64)
    taken = offered * (np.random.default_rng(1).random(40) < 0.6)
    matrix = ModelMatrix(values=np.column_stack([np.ones(40), offered]), names=("intercept", "treatment"))
    with pytest.raises(EstimationError, match="explain the outcome exactly"):
        complier_effect(outcome=3 * taken + 1, takeup=taken, matrix=matrix, clusters=clusters)


@pytest.mark.parametrize("kind", ["CR1", "CR2"])
@pytest.mark.parametrize("terms", [["treatment", "before"], ["beside"]])
def test_a_perfect_fit_leaves_nothing_to_test_jointly(kind: ClusterKind, terms: list[str]) -> None:
    rng = np.random.default_rng(1)
    clusters, before, beside = np.arange(60) // 5, rng.normal(size=60), rng.normal(size=60)
    offered = (clusters % 2).astype(np.float64)
    matrix = ModelMatrix(
        values=np.column_stack([np.ones(60), offered, before, beside]),
        names=("intercept", "treatment", "before", "beside"),
    )
    fit = ols(outcome=0.3 * offered + 0.7 * before + 0.1, matrix=matrix)
    covariance = cluster_covariance(fit, clusters=clusters, kind=kind)
    with pytest.raises(EstimationError, match="explain the outcome exactly"):
        wald_test(fit, covariance, terms=terms)


@pytest.mark.parametrize("kind", ["HC2", "HC3"])
def test_leverages_keep_their_digits_beside_a_large_mean(kind: HeteroskedasticKind) -> None:
    rng = np.random.default_rng(2)
    before, treated = rng.integers(0, 50, 80) / 4, rng.integers(0, 2, 80).astype(np.float64)
    outcome = before + rng.normal(size=80)

    def std_error(shift: float) -> float:
        values = np.column_stack([np.ones(80), treated, before + shift])
        fit = ols(outcome=outcome, matrix=ModelMatrix(values=values, names=("intercept", "treatment", "before")))
        return coefficient(fit, heteroskedastic_covariance(fit, kind=kind), df="residual").std_error

    # Quarters are exact beside a million: only the computation can lose digits.
    assert std_error(1e6) == pytest.approx(std_error(0.0), rel=1e-9)


def _leaving(shift: float) -> list[Estimate]:
    trial = example_trial().dropna()
    values = np.column_stack([np.ones(len(trial)), trial["treatment"], trial["baseline"] + shift])
    matrix = ModelMatrix(values=values, names=("intercept", "treatment", "baseline"))
    fit = firth_logit(outcome=trial["left"].to_numpy(dtype=np.float64), matrix=matrix)
    teams = trial["team"].to_numpy()
    return [
        firth_average_change(fit, clusters=teams).change,
        firth_change_at_means(fit, clusters=teams).treated,
        firth_log_odds(fit, term="baseline", clusters=teams),
    ]


@pytest.mark.parametrize("shift", [2019.0, 1e6])
def test_a_penalised_profile_keeps_its_digits_beside_a_large_mean(shift: float) -> None:
    for near, far in zip(_leaving(0.0), _leaving(shift), strict=True):
        # Ends of a profile are good to six digits, and a million leaves the covariate ten.
        assert (far.estimate, far.std_error) == pytest.approx((near.estimate, near.std_error), rel=1e-7)
        assert (far.conf_low, far.conf_high) == pytest.approx((near.conf_low, near.conf_high), rel=1e-6)


def test_a_profile_that_changes_its_mind_is_no_convergence(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = example_trial().dropna()
    values = np.column_stack([np.ones(len(trial)), trial["treatment"]])
    outcome = trial["left"].to_numpy(dtype=np.float64)
    fit = firth_logit(outcome=outcome, matrix=ModelMatrix(values=values, names=("intercept", "treatment")))
    asked: list[float] = []

    def drop(self: Profile, value: float) -> float:
        asked.append(value)
        return 5.0 if len(asked) == 1 else 0.0  # outside when first climbed to, inside afterwards

    monkeypatch.setattr(Profile, "drop", drop)
    with pytest.raises(NonConvergence, match="does not reach"):
        Profile(fit, Coefficient(place=1)).interval(stride=1.0, critical=4.0)


def test_one_cluster_an_arm_is_never_enough() -> None:
    assert clusters_needed(effect=3.0, mean_size=50.0, icc=0.0, lost_clusters=0) == 2


def test_a_joint_test_where_nothing_is_missing_is_chi_squared() -> None:
    estimates = np.array([[1.0, 2.0]] * 3)
    found = pool_joint(estimates=estimates, covariances=np.stack([np.eye(2)] * 3))
    assert found.df_denominator == math.inf and found.p_value == pytest.approx(math.exp(-2.5), rel=SAME)
    same = pool_likelihood_ratios(statistics=np.full(3, 5.0), at_pooled=np.full(3, 5.0), parameters=2)
    assert same.p_value == pytest.approx(found.p_value, rel=SAME)
    lopsided = np.stack([np.array([[1.0, 5.0], [0.0, 1.0]])] * 3)
    with pytest.raises(EstimationError, match="symmetric"):
        pool_joint(estimates=estimates, covariances=lopsided)


def test_draws_that_weigh_nothing_are_refused() -> None:
    with pytest.raises(InvalidInput, match="above zero"):
        westfall_young(statistics=np.ones(2), drawn=np.ones((3, 2)), weights=np.zeros(3))


def _leavers(teams: list[object], index: list[int] | None = None) -> Estimate:
    cost, days = pd.Series([100.0, 50.0, 100.0, 40.0]), pd.Series([0.0, 0.0, 0.0, 1.0])
    clusters = pd.Series(teams, index=index)
    return net_turnover_cost(replacement_cost=cost, absence_after_leaving=days, daily_rate=10.0, clusters=clusters)


def test_leavers_are_of_known_teams_in_their_own_order() -> None:
    assert _leavers(["a", "a", "b", "c"]).n_clusters == 3
    with pytest.raises(InvalidInput, match="no cluster"):
        _leavers(["a", None, "b", "c"])
    with pytest.raises(InvalidInput, match="row 1 is 0 in one and 3 in the other"):
        _leavers(["a", "a", "b", "c"], [3, 2, 1, 0])


@pytest.mark.parametrize("minutes", [math.nan, math.inf, 0.0])
def test_a_programme_takes_a_number_of_minutes(minutes: float) -> None:
    with pytest.raises(InvalidInput, match="positive"):
        programme_days(minutes_a_week=minutes, weeks=6)


@pytest.mark.parametrize("factor", [0.0, math.nan, math.inf])
def test_no_unit_is_nothing_or_everything(factor: float) -> None:
    with pytest.raises(InvalidInput, match="other units"):
        _estimate().scaled(factor)


def _estimate() -> Estimate:
    return Estimate(estimate=1.0, std_error=0.1, df=20.0, n=17, n_clusters=None, method="made up")


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_outcomes_whose_squares_are_no_numbers_are_refused(unit: float) -> None:
    rng = np.random.default_rng(4)
    y, clusters = rng.normal(size=40) * unit, np.arange(40) // 4
    treated = (clusters % 2).astype(np.float64)
    matrix = ModelMatrix(values=np.column_stack([np.ones(40), treated]), names=("intercept", "treatment"))
    asks: list[Callable[[], object]] = [
        lambda: ols(outcome=y, matrix=matrix),
        lambda: icc_anova(outcome=y, clusters=clusters),
        lambda: icc_reml(outcome=y, clusters=clusters, treatment=treated),
        lambda: hedges_g(outcome=y, treatment=treated),
        lambda: welch(outcome=y, treatment=treated),
        lambda: lee_bounds(outcome=y, treatment=treated, clusters=clusters, draws=100, seed=1),
        lambda: balance_table(pd.DataFrame({"treatment": treated, "y": y}), continuous=["y"]),
        lambda: omnibus_balance(covariates=pd.DataFrame({"y": y}), treatment=treated, clusters=clusters),
    ]
    for ask in asks:
        with pytest.raises(InvalidInput, match=r"to be squared: give it in (smaller|larger) units"):
            ask()


@pytest.mark.parametrize("unit", [1e-100, 1e-8, 1e8, 1e100])
def test_a_penalised_profile_knows_no_units(unit: float) -> None:
    trial = example_trial().dropna()

    def found(factor: float) -> Estimate:
        values = np.column_stack([np.ones(len(trial)), trial["treatment"], trial["baseline"] * factor])
        matrix = ModelMatrix(values=values, names=("intercept", "treatment", "baseline"))
        fit = firth_logit(outcome=trial["left"].to_numpy(dtype=np.float64), matrix=matrix)
        return firth_log_odds(fit, term="baseline")

    plain, other = found(1.0), found(unit)
    # Ends of a profile are good to six digits.
    assert (other.conf_low * unit, other.conf_high * unit) == pytest.approx((plain.conf_low, plain.conf_high), rel=1e-6)
    assert other.p_value == pytest.approx(plain.p_value, rel=1e-9)


@pytest.mark.parametrize("kind", [np.int8, np.float32, object, bool, "list"])
def test_a_model_matrix_of_any_type_of_numbers_is_that_of_doubles(kind: Any) -> None:
    rng = np.random.default_rng(6)
    values = np.column_stack([np.ones(60), np.arange(60) % 2, rng.integers(0, 2 if kind is bool else 100, 60)])
    outcome = values[:, 2] + rng.normal(size=60)
    names = ("intercept", "treatment", "age")
    plain = ols(outcome=outcome, matrix=ModelMatrix(values=values.astype(np.float64), names=names))
    given: Any = values.tolist() if kind == "list" else values.astype(kind)
    found = ols(outcome=outcome, matrix=ModelMatrix(values=given, names=names))
    assert np.array_equal(found.coefficients, plain.coefficients)  # a hundred squared is no int8
    with pytest.raises(InvalidInput, match="must be numbers"):
        ModelMatrix(values=np.full((60, 3), "1"), names=names)  # type: ignore[arg-type]
