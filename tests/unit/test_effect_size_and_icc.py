"""Refusals and small cases of standardised effects and intracluster correlations."""

import math

import numpy as np
import pytest

from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, SingleClusterArm
from hhp_stats.estimate.effect_size import hedges_g, hedges_g_clustered, hedges_g_from_summary, small_sample_factor
from hhp_stats.estimate.icc import average_cluster_size, icc_anova, icc_reml
from hhp_stats.results.frame import Estimate

Y = np.array([1.0, 2, 3, 4, 6, 8, 9, 11])
Z = np.array([0.0, 0, 0, 0, 1, 1, 1, 1])
TEAM = np.array([0, 0, 1, 1, 2, 2, 3, 3])
EFFECT = Estimate(estimate=6.0, std_error=1.0, df=2, n=8, n_clusters=4, method="given")


def test_from_people_and_from_summaries_agree():
    people = hedges_g(outcome=Y, treatment=Z)
    summary = hedges_g_from_summary(
        mean_treatment=8.5,
        mean_control=2.5,
        sd_treatment=float(Y[4:].std(ddof=1)),
        sd_control=float(Y[:4].std(ddof=1)),
        n_treatment=4,
        n_control=4,
    )
    assert people.g.estimate == pytest.approx(summary.g.estimate, rel=1e-14)  # the same sums
    assert people.g.std_error == pytest.approx(summary.g.std_error, rel=1e-14)


def test_cohens_d_is_g_without_the_factor():
    d = hedges_g(outcome=Y, treatment=Z, correction="none")
    assert d.g.estimate == d.d and "Cohen" in d.g.method
    g = hedges_g(outcome=Y, treatment=Z)
    assert g.g.estimate == pytest.approx(small_sample_factor(6) * d.d) and "Hedges" in g.g.method


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"outcome": np.where(Y > 10, np.nan, Y)}, InvalidInput),
        ({"treatment": Z * 2}, InvalidInput),
        ({"treatment": Z * 0}, ConstantTreatment),
        ({"treatment": np.array([1.0] + [0] * 7)}, NoObservations),
        ({"outcome": Z.copy()}, InvalidInput),
        ({"outcome": Y[:3]}, InvalidInput),
        ({"outcome": Y[:0], "treatment": Z[:0]}, NoObservations),
    ],
)
def test_hedges_g_refuses(change, error):
    with pytest.raises(error):
        hedges_g(**{"outcome": Y, "treatment": Z} | change)


@pytest.mark.parametrize(
    ("change", "error"),
    [({"icc": 1.0}, InvalidInput), ({"clusters": np.array([0, 0, 1, 1, 2, 2, 2, 2])}, SingleClusterArm)],
)
def test_clustered_g_refuses(change, error):
    with pytest.raises(error):
        hedges_g_clustered(EFFECT, **{"outcome": Y, "treatment": Z, "clusters": TEAM, "icc": 0.1} | change)


def test_factor_refuses_one_degree_of_freedom():
    with pytest.raises(InvalidInput):
        small_sample_factor(1)


def test_average_cluster_size_by_hand():
    assert average_cluster_size(TEAM) == 2
    # (10 - (16 + 9 + 9)/10) / 2
    assert average_cluster_size([0, 0, 0, 0, 1, 1, 1, 2, 2, 2]) == pytest.approx(3.3)
    with pytest.raises(SingleClusterArm):
        average_cluster_size(TEAM, arms=TEAM)


@pytest.mark.parametrize("function", [icc_anova, icc_reml])
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"outcome": np.where(Y > 10, np.nan, Y)}, InvalidInput),
        ({"outcome": Y[:5]}, InvalidInput),
        ({"outcome": np.ones(8)}, InvalidInput),
        ({"clusters": np.arange(8)}, InvalidInput),
        ({"treatment": [0, 1] * 4}, InvalidInput),
        ({"outcome": Y[:0], "clusters": TEAM[:0]}, NoObservations),
    ],
)
def test_icc_refuses(function, change, error):
    with pytest.raises(error):
        function(**{"outcome": Y, "clusters": TEAM} | change)


def test_icc_of_one_cluster_an_arm():
    with pytest.raises(SingleClusterArm):
        icc_anova(outcome=Y, clusters=Z, treatment=Z)


def test_identical_people_within_teams():
    got = icc_anova(outcome=TEAM.astype(float), clusters=TEAM)
    assert (got.estimate, got.conf_low, got.conf_high) == (1, 1, 1) and math.isclose(got.within_variance, 0)
