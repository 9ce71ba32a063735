"""Detectable effects against clustersampsi's numbers, plain arithmetic in R and the printed protocol."""

from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.design.detectable_effect import (
    Clustering,
    ErrorRates,
    cluster_detectable_effect,
    detectable_proportion,
    individual_detectable_effect,
)

EXPECTED = pd.read_csv(Path(__file__).parent / "expected.csv", skipinitialspace=True)


def clustering(row):
    return Clustering(mean_size=row.m, clusters_per_arm=row.k, icc=row.rho, size_cv=row.cv, lost_clusters=row.lost)


@pytest.mark.parametrize("row", list(EXPECTED.itertuples()), ids=lambda row: row.id)
def test_formula_agrees_with_r(row):
    rates = ErrorRates(alpha=row.alpha, power=row.power)
    design = clustering(row)
    assert design.variance_inflation == pytest.approx(row.vif, rel=1e-12)  # closed formulas
    effect = cluster_detectable_effect(clustering=design, rates=rates, baseline_correlation=row.r)
    assert effect == pytest.approx(row.effect, rel=1e-12)
    if pd.notna(row.p1):
        for direction, p2 in (("increase", row.p2_high), ("decrease", row.p2_low)):
            found = detectable_proportion(
                control=row.p1,
                direction=direction,
                effective_per_arm=design.effective_per_arm,
                rates=rates,
                baseline_correlation=row.r,
            )
            assert found == pytest.approx(p2, abs=1e-10)  # the root search stops at 1e-14


@pytest.mark.parametrize(
    ("clusters", "correlation", "printed"),
    [
        ({"mean_size": 10, "clusters_per_arm": 20}, 0, 0.346119),
        ({"mean_size": 8, "clusters_per_arm": 50}, 0, 0.232511),
        ({"mean_size": 8, "clusters_per_arm": 50, "size_cv": 0.5}, 0, 0.240968),
        ({"mean_size": 8, "clusters_per_arm": 50, "size_cv": 0.5}, 0.6, 0.192775),
    ],
)
def test_numbers_of_clustersampsi(clusters, correlation, printed):
    found = cluster_detectable_effect(clustering=Clustering(icc=0.05, **clusters), baseline_correlation=correlation)
    assert found == pytest.approx(printed, abs=1e-6)  # recorded to six decimals


def test_one_cluster_an_arm_is_given_up_for_means_but_not_for_individuals():
    """The trap: 10 people in each of 20 teams an arm are 190, not 200, for clustersampsi."""
    with_loss = Clustering(mean_size=10, clusters_per_arm=20, icc=0)
    assert with_loss.effective_per_arm == 190
    assert individual_detectable_effect(people=400) == pytest.approx(0.280159, abs=1e-6)


@pytest.mark.parametrize(
    ("found", "printed", "half_unit"),
    [
        (individual_detectable_effect(people=419), 0.27, 0.005),
        (individual_detectable_effect(people=944), 0.18, 0.005),
        (individual_detectable_effect(people=267), 0.34, 0.005),
        (individual_detectable_effect(people=98), 0.57, 0.005),
    ],
)
def test_printed_values_of_the_field_trials(found, printed, half_unit):
    assert abs(found - printed) <= half_unit


def goal_setting(people, *, correlation=0.6, cv=0.5, mean_size=7.0):
    design = Clustering.of_total(people=people, mean_size=mean_size, icc=0.1, size_cv=cv, lost_clusters=0)
    return cluster_detectable_effect(clustering=design, baseline_correlation=correlation)


@pytest.mark.parametrize(
    ("found", "recorded"),
    [
        (goal_setting(1665), 0.1464),  # printed as 0.15 in standard deviations
        (goal_setting(1665, correlation=0), 0.1829),
        (goal_setting(1665, cv=0), 0.1390),
        (goal_setting(1665, mean_size=6.3), 0.1427),
        (goal_setting(1170), 0.1746),
        (goal_setting(1315), 0.1647),
        (goal_setting(1183.5), 0.1736),
    ],
)
def test_goal_setting_absence(found, recorded):
    assert found == pytest.approx(recorded, abs=5e-5)  # recorded to four decimals


@pytest.mark.parametrize(
    ("direction", "correlation", "variance", "points"),
    [
        ("decrease", 0.4, "each", 3.86),
        ("increase", 0.4, "each", 5.04),
        ("decrease", 0.0, "each", 4.16),
        ("decrease", 0.4, "control", 4.44),
    ],
)
def test_goal_setting_turnover(direction, correlation, variance, points):
    people = Clustering.of_total(people=1665, mean_size=7, icc=0.1, size_cv=0.5, lost_clusters=0).effective_per_arm
    p2 = detectable_proportion(
        control=0.076,
        direction=direction,
        effective_per_arm=people,
        baseline_correlation=correlation,
        variance=variance,
    )
    assert 100 * abs(p2 - 0.076) == pytest.approx(points, abs=0.005)  # recorded to two decimals


def test_hard_cases_are_still_in_the_file():
    assert EXPECTED["rho"].isin([0, 1]).sum() >= 2
    assert (EXPECTED["cv"] > 0).any()
    assert (EXPECTED["r"] > 0).any()
    assert set(EXPECTED["lost"]) == {0, 1}
    assert EXPECTED["p1"].notna().sum() >= 4
    assert (EXPECTED["k"] % 1 != 0).any()
