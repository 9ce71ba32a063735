"""What must not matter, does not: order, labels, units, the direction of the contrast."""

import numpy as np
import pytest

from hhp_stats.estimate.firth import firth_log_odds, firth_logit
from hhp_stats.estimate.logistic import average_change, change_at_means, clustered_logit_covariance, logit
from hhp_stats.infer.wald import wald_test
from hhp_stats.regression.cluster_robust import (
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
    two_way_covariance,
)
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix

NAMES = ("intercept", "treatment", "x", "authority")
KINDS = ("CR0", "CR1", "CR2", "CR3")
NUMBERS = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")
# Every quantity is a smooth function computed in double precision by another order of operations.
ROUNDING = 1e-9


@pytest.fixture(params=range(3))
def trial(request):
    rng = np.random.default_rng(request.param)
    team = np.repeat(np.arange(16), rng.integers(1, 9, 16))
    n = len(team)
    # Authority 1 holds a single team: its dummy makes I - H singular for that team.
    values = np.column_stack([np.ones(n), team % 2, rng.normal(size=n), team == 15])
    absence = values @ [5, -1, 0.5, 1] + rng.normal(size=16)[team] + rng.exponential(size=n)
    left = (rng.random(n) < 0.4 + 0.1 * np.tanh(values[:, 2])).astype(float)
    left[:2], left[-2:] = (0, 1), (0, 1)
    return values, absence, left, team


def linear(values, absence, team, kind="CR2"):
    fit = ols(outcome=absence, matrix=ModelMatrix(values=values, names=NAMES))
    return coefficient(fit, cluster_covariance(fit, clusters=team, kind=kind), df="satterthwaite")


def turnover(values, left, team):
    # Without the authority of one team, in which all may have left.
    fit = logit(outcome=left, matrix=ModelMatrix(values=values[:, :3], names=NAMES[:3]))
    return fit, clustered_logit_covariance(fit, clusters=team)


def same(first, second, fields=NUMBERS, rel=ROUNDING):
    for field in fields:
        assert getattr(first, field) == pytest.approx(getattr(second, field), rel=rel), field


@pytest.mark.parametrize("kind", KINDS)
def test_row_order_and_labels_do_not_matter(trial, kind):
    values, absence, left, team = trial
    order = np.random.default_rng(0).permutation(len(team))
    names = np.array([f"team {(7 * t + 3) % 16}" for t in team])
    same(linear(values, absence, team, kind), linear(values[order], absence[order], names[order], kind))
    first = change_at_means(*turnover(values, left, team)).change
    same(first, change_at_means(*turnover(values[order], left[order], names[order])).change)


@pytest.mark.parametrize("kind", KINDS)
def test_swapping_the_arms_flips_the_sign(trial, kind):
    values, absence, left, team = trial
    swapped = values.copy()
    swapped[:, 1] = 1 - values[:, 1]
    first, second = linear(values, absence, team, kind), linear(swapped, absence, team, kind)
    assert second.estimate == pytest.approx(-first.estimate, rel=ROUNDING)
    assert (second.conf_low, second.conf_high) == pytest.approx((-first.conf_high, -first.conf_low), rel=ROUNDING)
    same(first, second, ("std_error", "df", "p_value"))
    for effect in (change_at_means, average_change):
        was, now = effect(*turnover(values, left, team)), effect(*turnover(swapped, left, team))
        assert now.change.estimate == pytest.approx(-was.change.estimate, rel=ROUNDING)
        same(was.change, now.change, ("std_error", "p_value"))
        same(was.treated, now.untreated)


@pytest.mark.parametrize("kind", KINDS)
def test_units_of_covariates_do_not_matter(trial, kind):
    values, absence, left, team = trial
    moved = values.copy()
    moved[:, 2] = 365 * values[:, 2] + 20
    same(linear(values, absence, team, kind), linear(moved, absence, team, kind))
    for effect in (change_at_means, average_change):
        first, second = effect(*turnover(values, left, team)), effect(*turnover(moved, left, team))
        same(first.change, second.change)


def test_units_of_the_outcome_scale_the_estimate(trial):
    values, absence, _, team = trial
    same(linear(values, absence, team).scaled(7.5), linear(values, 7.5 * absence, team))
    same(linear(values, absence, team), linear(values, absence + 100, team))


def test_order_of_terms_does_not_matter(trial):
    values, absence, _, team = trial
    turned = ModelMatrix(values=np.ascontiguousarray(values[:, ::-1]), names=NAMES[::-1])
    fit = ols(outcome=absence, matrix=turned)
    found = coefficient(fit, cluster_covariance(fit, clusters=team, kind="CR2"), df="satterthwaite")
    same(found, linear(values, absence, team))


def test_corrections_are_ordered(trial):
    """A_g has eigenvalues of one or more where I - H is regular, so CR0 <= CR2 <= CR3 as matrices there."""
    values, absence, _, team = trial
    regular = ModelMatrix(values=values[:, :3], names=NAMES[:3])
    fit = ols(outcome=absence, matrix=regular)
    variance = {kind: np.diag(cluster_covariance(fit, clusters=team, kind=kind).matrix) for kind in KINDS}
    assert (variance["CR0"] < variance["CR1"]).all()
    assert variance["CR0"][1] <= variance["CR2"][1] <= variance["CR3"][1]


@pytest.mark.parametrize(("clustered", "plain"), [("CR0", "HC0"), ("CR2", "HC2"), ("CR3", "HC3")])
def test_clusters_of_one_person_give_the_heteroskedastic_kind(trial, clustered, plain):
    values, absence, _, _ = trial
    fit = ols(outcome=absence, matrix=ModelMatrix(values=values, names=NAMES))
    people = np.arange(len(absence))
    first = cluster_covariance(fit, clusters=people, kind=clustered)
    second = heteroskedastic_covariance(fit, kind=plain)
    assert first.matrix == pytest.approx(second.matrix, rel=1e-9, abs=1e-14)
    same(coefficient(fit, first, df="satterthwaite"), coefficient(fit, second, df="satterthwaite"))


def test_covariances_are_symmetric_and_not_negative(trial):
    values, absence, _, team = trial
    fit = ols(outcome=absence, matrix=ModelMatrix(values=values, names=NAMES))
    for kind in KINDS:
        matrix = cluster_covariance(fit, clusters=team, kind=kind).matrix
        assert np.array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix).min() > -1e-12 * np.linalg.eigvalsh(matrix).max()  # rounding


def test_two_way_does_not_depend_on_the_order_of_groupings(trial):
    values, absence, _, team = trial
    year = np.arange(len(team)) % 4
    fit = ols(outcome=absence, matrix=ModelMatrix(values=values, names=NAMES))
    first = two_way_covariance(fit, clusters=team, second=year)
    second = two_way_covariance(fit, clusters=year, second=team)
    assert first.matrix == pytest.approx(second.matrix, rel=1e-9, abs=1e-14)
    assert first.n_clusters == second.n_clusters == 4


def test_a_term_of_nothing_but_zeros_elsewhere_leaves_the_effect(trial):
    """Adding a person-level dummy of one person removes exactly that person."""
    values, absence, _, team = trial
    fit = ols(
        outcome=absence,
        matrix=ModelMatrix(values=np.column_stack([values, np.arange(len(team)) == 0]), names=(*NAMES, "first")),
    )
    alone = ols(outcome=absence[1:], matrix=ModelMatrix(values=values[1:], names=NAMES))
    assert fit.coefficients[:4] == pytest.approx(alone.coefficients, rel=ROUNDING)
    cr2 = [
        coefficient(f, cluster_covariance(f, clusters=g, kind="CR2"), df="satterthwaite")
        for f, g in ((fit, team), (alone, team[1:]))
    ]
    same(cr2[0], cr2[1])


def test_htz_does_not_depend_on_units(trial):
    values, absence, _, team = trial
    moved = values * [1, 1, 1000, 1]
    tests = []
    for x in (values, moved):
        fit = ols(outcome=absence, matrix=ModelMatrix(values=x, names=NAMES))
        covariance = cluster_covariance(fit, clusters=team, kind="CR2")
        tests.append(wald_test(fit, covariance, terms=["treatment", "x"], reference="htz"))
    assert tests[0].statistic == pytest.approx(tests[1].statistic, rel=ROUNDING)
    assert tests[0].df_denominator == pytest.approx(tests[1].df_denominator, rel=ROUNDING)


def test_firth_does_not_depend_on_units_or_labels_of_the_outcome(trial):
    values, _, left, _ = trial
    first = firth_logit(outcome=left, matrix=ModelMatrix(values=values, names=NAMES))
    moved = firth_logit(outcome=left, matrix=ModelMatrix(values=values * [1, 1, 50, 1], names=NAMES))
    turned = firth_logit(outcome=1 - left, matrix=ModelMatrix(values=values, names=NAMES))
    # Two runs of a scoring that stops at 1e-9 standard errors, and the bisection of their profiles.
    same(firth_log_odds(first), firth_log_odds(moved), rel=1e-6)
    other = firth_log_odds(turned)
    assert other.estimate == pytest.approx(-first.coefficients[1], abs=1e-7)
    assert other.conf_low == pytest.approx(-firth_log_odds(first).conf_high, abs=1e-6)
