"""Detectable effects: inverses, directions, curves and refusals (numbers: tests/reference/mdes)."""

import pytest

from hhp_stats.design.detectable_effect import (
    Clustering,
    ErrorRates,
    cluster_detectable_effect,
    clusters_needed,
    detectable_proportion,
    individual_detectable_effect,
    people_needed,
    power_of,
)
from hhp_stats.errors import EstimationError, InvalidInput, UnknownName

TEAMS = Clustering(mean_size=7, clusters_per_arm=119, icc=0.1, size_cv=0.5)


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_power_at_the_detectable_effect_is_the_power_asked_for(power):
    effect = cluster_detectable_effect(clustering=TEAMS, rates=ErrorRates(power=power), baseline_correlation=0.6)
    got = power_of(effect=effect, effective_per_arm=TEAMS.effective_per_arm, baseline_correlation=0.6)
    assert got == pytest.approx(power, abs=1e-12)  # one normal quantile inverts the other


@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("k", [8, 20, 119])
def test_clusters_needed_inverts_the_detectable_effect(k, lost):
    design = Clustering(mean_size=7, clusters_per_arm=k, icc=0.1, size_cv=0.5, lost_clusters=lost)
    effect = cluster_detectable_effect(clustering=design, std_dev=8.0)
    common = {"mean_size": 7, "icc": 0.1, "size_cv": 0.5, "std_dev": 8.0, "lost_clusters": lost}
    assert clusters_needed(effect=effect, **common) == k
    assert clusters_needed(effect=-effect * 0.9999, **common) == k + 1


def test_people_needed_inverts_the_detectable_effect():
    effect = individual_detectable_effect(people=419, baseline_correlation=0.3)
    assert people_needed(effect=effect, baseline_correlation=0.3) == pytest.approx(419)


def test_without_correlation_within_teams_only_the_lost_team_differs():
    design = Clustering(mean_size=10, clusters_per_arm=21, icc=0.0, size_cv=0.9)
    assert cluster_detectable_effect(clustering=design) == pytest.approx(individual_detectable_effect(people=400))


def test_a_whole_team_counts_as_one_person_when_members_are_identical():
    design = Clustering(mean_size=10, clusters_per_arm=50, icc=1.0, lost_clusters=0)
    assert design.effective_per_arm == pytest.approx(50)


def test_proportions_lie_on_their_side_and_a_rise_is_harder_from_a_rare_outcome():
    rise = detectable_proportion(control=0.076, direction="increase", effective_per_arm=400)
    fall = detectable_proportion(control=0.076, direction="decrease", effective_per_arm=400)
    assert fall < 0.076 < rise
    assert rise - 0.076 > 0.076 - fall
    mirrored = detectable_proportion(control=0.924, direction="decrease", effective_per_arm=400)
    assert 1 - mirrored == pytest.approx(rise)


def test_a_trial_too_small_for_any_fall_says_so():
    with pytest.raises(EstimationError, match="even a change"):
        detectable_proportion(control=0.02, direction="decrease", effective_per_arm=30)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ErrorRates(alpha=0),
        lambda: ErrorRates(power=1),
        lambda: Clustering(mean_size=0, clusters_per_arm=9, icc=0.1),
        lambda: Clustering(mean_size=7, clusters_per_arm=9, icc=1.1),
        lambda: Clustering(mean_size=7, clusters_per_arm=9, icc=0.1, size_cv=-1),
        lambda: Clustering(mean_size=7, clusters_per_arm=1, icc=0.1),
        lambda: individual_detectable_effect(people=1),
        lambda: individual_detectable_effect(people=10, std_dev=0),
        lambda: individual_detectable_effect(people=10, baseline_correlation=1),
        lambda: detectable_proportion(control=0, direction="increase", effective_per_arm=9),
        lambda: clusters_needed(effect=0, mean_size=7, icc=0.1),
        lambda: people_needed(effect=0),
    ],
)
def test_impossible_designs_are_refused(call):
    with pytest.raises(InvalidInput):
        call()


def test_unknown_direction_is_refused():
    with pytest.raises(UnknownName):
        detectable_proportion(control=0.1, direction="sideways", effective_per_arm=100)
