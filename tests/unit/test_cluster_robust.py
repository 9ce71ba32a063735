"""Clustered covariances: small cases by hand, degrees of freedom, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hhp_stats.errors import EstimationError, InvalidInput, NoObservations, SingleClusterArm, UnknownName
from hhp_stats.infer.wald import wald_test
from hhp_stats.regression.cluster_robust import (
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
    linear_contrast,
    two_way_covariance,
)
from hhp_stats.regression.clusters import cluster_codes, cluster_sums, refuse_thin_arms
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix


def fit_of(outcome, **columns):
    values = np.column_stack([np.ones(len(outcome)), *(np.asarray(c, dtype=float) for c in columns.values())])
    return ols(
        outcome=np.asarray(outcome, dtype=float), matrix=ModelMatrix(values=values, names=("intercept", *columns))
    )


@pytest.fixture
def trial():
    rng = np.random.default_rng(5)
    team = np.repeat(np.arange(12), rng.integers(2, 8, 12))
    x, z = rng.normal(size=len(team)), rng.normal(size=len(team))
    outcome = 0.5 * (team % 2) + x + rng.normal(size=12)[team] + rng.normal(size=len(team))
    return fit_of(outcome, treatment=team % 2, x=x, z=z), pd.Series(team, name="team_id")


def test_cr0_and_cr1_by_hand():
    """Difference in means of two arms of two clusters: residual sums per cluster are plain arithmetic."""
    fit = fit_of([1, 3, 5, 7, 2, 4, 9, 9], treatment=[0, 0, 0, 0, 1, 1, 1, 1])
    teams = [1, 1, 2, 2, 3, 3, 4, 4]
    # Arm means 4 and 6; cluster sums of residuals -4, 4, -6, 6; each divided by the arm's four people.
    cr0 = (16 + 16) / 16 + (36 + 36) / 16
    found = cluster_covariance(fit, clusters=teams, kind="CR0").matrix[1, 1]
    assert found == pytest.approx(cr0, rel=1e-13)  # exact but for rounding
    found = coefficient(fit, cluster_covariance(fit, clusters=teams))
    assert found.estimate == pytest.approx(2, rel=1e-13)
    assert found.std_error == pytest.approx(math.sqrt(cr0 * 4 / 3 * 7 / 6), rel=1e-13)
    assert found.df == 3 and found.n == 8 and found.n_clusters == 4


def test_cr2_of_balanced_arms_is_welch_on_cluster_means():
    """With equal cluster sizes CR2 is the unequal-variance t test of cluster means (Bell and McCaffrey 2002)."""
    rng = np.random.default_rng(6)
    team = np.repeat(np.arange(14), 5)
    treated = team >= 9
    outcome = rng.normal(size=14)[team] + rng.normal(size=70)
    fit = fit_of(outcome, treatment=treated)
    means = np.array([outcome[team == g].mean() for g in range(14)])
    found = coefficient(fit, cluster_covariance(fit, clusters=team, kind="CR2"), df="satterthwaite")
    welch = math.sqrt(means[9:].var(ddof=1) / 5 + means[:9].var(ddof=1) / 9)
    assert found.std_error == pytest.approx(welch, rel=1e-12)  # an identity
    # Satterthwaite's df under equal variances: (1/9 + 1/5)^2 / (1/(81*8) + 1/(25*4)).
    assert found.df == pytest.approx((1 / 9 + 1 / 5) ** 2 / (1 / (81 * 8) + 1 / (25 * 4)), rel=1e-11)


def test_hc2_is_the_unequal_variance_t_test():
    y0, y1 = [1.0, 4, 2, 8, 5], [3.0, 9, 7]
    fit = fit_of([*y0, *y1], treatment=[0] * 5 + [1] * 3)
    found = coefficient(fit, heteroskedastic_covariance(fit, kind="HC2"), df="residual")
    assert found.statistic == pytest.approx(stats.ttest_ind(y1, y0, equal_var=False).statistic, rel=1e-12)
    assert found.n_clusters is None and found.df == 6


def test_hc1_and_cr1_of_single_person_clusters_differ_only_by_their_factor(trial):
    fit, _ = trial
    people = np.arange(len(fit.outcome))
    cr1 = cluster_covariance(fit, clusters=people).matrix
    # n/(n-1) (n-1)/(n-k) is HC1's n/(n-k).
    assert cr1 == pytest.approx(heteroskedastic_covariance(fit, kind="HC1").matrix, rel=1e-12)


def test_reference_distributions(trial):
    fit, team = trial
    covariance = cluster_covariance(fit, clusters=team)
    n, k = fit.matrix.values.shape
    assert coefficient(fit, covariance).df == 11
    assert coefficient(fit, covariance, df="residual").df == n - k
    normal = coefficient(fit, covariance, df="normal")
    assert math.isinf(normal.df)
    assert normal.p_value == pytest.approx(2 * stats.norm.sf(abs(normal.statistic)), rel=1e-10)
    narrow = coefficient(fit, covariance, conf_level=0.9)
    assert narrow.conf_high - narrow.estimate == pytest.approx(stats.t.ppf(0.95, 11) * narrow.std_error, rel=1e-10)
    assert coefficient(fit, covariance).method == "OLS, CR1 by team, t(G-1)"


def test_contrast_of_two_terms(trial):
    fit, team = trial
    covariance = cluster_covariance(fit, clusters=team, kind="CR2")
    found = linear_contrast(fit, covariance, weights={"x": 1, "z": -1}, df="satterthwaite")
    # The same contrast as a coefficient of the model written in x - z and x + z.
    x, z = fit.matrix.values[:, 2], fit.matrix.values[:, 3]
    other = fit_of(fit.outcome, treatment=fit.matrix.values[:, 1], difference=(x - z) / 2, total=(x + z) / 2)
    same = coefficient(
        other, cluster_covariance(other, clusters=team, kind="CR2"), term="difference", df="satterthwaite"
    )
    for field in ("estimate", "std_error", "df"):
        assert getattr(found, field) == pytest.approx(getattr(same, field), rel=1e-9)  # rounding of two routes


def test_wald_tests(trial):
    fit, team = trial
    covariance = cluster_covariance(fit, clusters=team)
    single = coefficient(fit, covariance, term="x")
    joint = wald_test(fit, covariance, terms=["x"])
    assert joint.statistic == pytest.approx(single.statistic**2, rel=1e-12)
    assert joint.p_value == pytest.approx(single.p_value, rel=1e-9)
    both = wald_test(fit, covariance, terms=["x", "z"], reference="chi2")
    b, v = fit.coefficients[2:], covariance.matrix[2:, 2:]
    assert both.p_value == pytest.approx(stats.chi2.sf(b @ np.linalg.solve(v, b), 2), rel=1e-9)
    assert both.null == "x = z = 0"
    assert wald_test(fit, covariance, terms=["x", "z"], reference="residual").df_denominator == len(fit.outcome) - 4


def test_wald_refuses(trial):
    fit, team = trial
    covariance = cluster_covariance(fit, clusters=team)
    with pytest.raises(EstimationError, match="singular"):
        wald_test(fit, covariance, terms=["x", "x"])
    with pytest.raises(UnknownName, match="no term"):
        wald_test(fit, covariance, terms=["x", "dose"])
    with pytest.raises(UnknownName, match="at least one"):
        wald_test(fit, covariance, terms=[])
    with pytest.raises(UnknownName, match="no reference"):
        wald_test(fit, covariance, terms=["x"], reference="bootstrap")
    with pytest.raises(EstimationError, match="no clusters to count"):
        wald_test(fit, heteroskedastic_covariance(fit), terms=["x"])
    two_way = two_way_covariance(fit, clusters=team, second=np.arange(len(team)) % 5)
    with pytest.raises(EstimationError, match="HTZ"):
        wald_test(fit, two_way, terms=["x"], reference="htz")


def test_wald_refuses_more_terms_than_clusters():
    rng = np.random.default_rng(7)
    fit = fit_of(rng.normal(size=40), **{f"x{j}": rng.normal(size=40) for j in range(6)})
    covariance = cluster_covariance(fit, clusters=np.repeat(range(4), 10))
    with pytest.raises(EstimationError, match="singular"):
        wald_test(fit, covariance, terms=[f"x{j}" for j in range(6)])


def test_cluster_codes():
    codes, count = cluster_codes(["b", "a", "b", "c"])
    assert codes.tolist() == [0, 1, 0, 2] and count == 3
    with pytest.raises(InvalidInput, match="1 people have no cluster"):
        cluster_codes(pd.Series(["a", None]))
    with pytest.raises(NoObservations):
        cluster_codes([])


def test_cluster_sums():
    sums = cluster_sums(np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([1, 0, 1]), 2, np.array([1.0, 1, 10]))
    assert sums.tolist() == [[3, 4], [51, 62]]


def test_one_cluster_or_a_thin_arm_is_refused():
    fit = fit_of([1, 2, 4, 3, 5, 7.0], treatment=[0, 0, 0, 0, 1, 1])
    with pytest.raises(SingleClusterArm, match="one cluster"):
        cluster_covariance(fit, clusters=[1] * 6)
    with pytest.raises(SingleClusterArm, match="treatment = 1 holds 1 cluster"):
        cluster_covariance(fit, clusters=[1, 1, 2, 2, 3, 3])
    with pytest.raises(SingleClusterArm, match="treatment = 0 holds 1 cluster"):
        refuse_thin_arms(treatment=np.array([0, 0, 1, 1]), clusters=[1, 1, 2, 3])


def test_treatment_within_clusters_is_no_thin_arm():
    refuse_thin_arms(treatment=np.array([0, 1, 0, 1]), clusters=[1, 1, 2, 2])
    fit = fit_of([1, 2, 4, 3, 5, 7.0], treatment=[0, 1, 0, 1, 0, 1])
    assert cluster_covariance(fit, clusters=[1, 1, 2, 2, 3, 3]).n_clusters == 3


def test_more_than_two_values_of_treatment_are_left_alone():
    refuse_thin_arms(treatment=np.array([0.0, 1, 2, 3]), clusters=[1, 2, 3, 4])


def test_refusals_of_covariances(trial):
    fit, team = trial
    with pytest.raises(InvalidInput, match="cluster names for"):
        cluster_covariance(fit, clusters=team[:-1])
    with pytest.raises(UnknownName, match="CR9"):
        cluster_covariance(fit, clusters=team, kind="CR9")
    with pytest.raises(UnknownName, match="HC9"):
        heteroskedastic_covariance(fit, kind="HC9")
    full = fit_of([1.0, 2], treatment=[0, 1])
    with pytest.raises(EstimationError, match="no residual"):
        heteroskedastic_covariance(full)
    with pytest.raises(EstimationError, match="no residual"):
        cluster_covariance(full, clusters=[1, 2])


def test_refusals_of_coefficients(trial):
    fit, team = trial
    with pytest.raises(EstimationError, match="no clusters to count"):
        coefficient(fit, heteroskedastic_covariance(fit))
    with pytest.raises(UnknownName, match="no degrees of freedom"):
        coefficient(fit, cluster_covariance(fit, clusters=team), df="bootstrap")
    with pytest.raises(UnknownName, match="no term"):
        coefficient(fit, cluster_covariance(fit, clusters=team), term="dose")
    with pytest.raises(EstimationError, match="Satterthwaite"):
        coefficient(fit, two_way_covariance(fit, clusters=team, second=np.arange(len(team)) % 5), df="satterthwaite")


def test_a_perfect_fit_has_no_variance():
    treatment = np.array([0, 0, 0, 1, 1, 1, 0, 1])
    fit = fit_of(3.7 + 0.1 * treatment, treatment=treatment)
    with pytest.raises(EstimationError, match="not positive"):
        coefficient(fit, cluster_covariance(fit, clusters=np.arange(8)))


def test_nested_groupings_give_the_coarser_one(trial):
    fit, team = trial
    authority = team // 4
    two_way = two_way_covariance(fit, clusters=team, second=authority)
    assert two_way.matrix == pytest.approx(cluster_covariance(fit, clusters=authority).matrix, rel=1e-12)
    assert two_way.n_clusters == 3
    same = two_way_covariance(fit, clusters=team, second=team)
    assert same.matrix == pytest.approx(cluster_covariance(fit, clusters=team).matrix, rel=1e-12)
    assert same.n_clusters == 12


def test_a_negative_two_way_variance_is_refused():
    """Scores x times residual are a chessboard: they cancel within rows and columns but not in cells."""
    size = 6
    row, column = np.repeat(np.arange(size), size), np.tile(np.arange(size), size)
    x = (-1.0) ** row
    outcome = 0.3 * x + (-1.0) ** column
    fit = fit_of(outcome, x=x)
    covariance = two_way_covariance(fit, clusters=row, second=column)
    position = fit.matrix.position("x")
    assert covariance.matrix[position, position] < 0
    with pytest.raises(EstimationError, match=r"two-way CR1 variance of x is not positive"):
        coefficient(fit, covariance, term="x")
