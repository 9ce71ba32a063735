"""The stratified draw, its acceptance rule, its log, and replaying it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hhp_stats.design.enumeration import count_allocations, enumerate_allocations
from hhp_stats.design.randomisation import (
    AllocationRule,
    Redraws,
    _chosen,
    assignment_probabilities,
    randomise,
)
from hhp_stats.design.replay import balance_of_draws, drawn_arms, log_differences
from hhp_stats.errors import ConstantTreatment, EstimationError, InvalidInput

RULE = AllocationRule()


def trial(teams=60, *, strata=9, seed=11, roles=4):
    rng = np.random.default_rng(seed)
    team = np.r_[np.arange(teams), rng.integers(0, teams, 6 * teams)]
    people = pd.DataFrame(
        {
            "staff_id": [f"s{i:04d}" for i in range(len(team))],
            "team_id": [f"t{i:03d}" for i in team],
            "local_authority": [f"LA{i % 3}" for i in team],
            "role": rng.choice([f"role {i}" for i in range(roles)], len(team)),
            "service_years": rng.gamma(2, 3, len(team)),
        }
    )
    labels = pd.DataFrame(
        {"team_id": [f"t{i:03d}" for i in range(teams)], "stratum": [f"s{i % strata}" for i in range(teams)]}
    )
    return people, labels


def test_half_of_each_stratum_and_an_even_chance_for_the_extra_team():
    people, strata = trial(teams=61, strata=9)
    redraws = Redraws.of(people=people, strata=strata, rule=RULE)
    drawn = redraws(np.random.default_rng(1), 2_000)
    assert drawn.shape == (2_000, 61)
    for label in set(redraws.stratum):
        inside = np.array(redraws.stratum) == label
        size, treated = inside.sum(), drawn[:, inside].sum(axis=1)
        assert set(treated.tolist()) <= {size // 2, (size + 1) // 2}
        if size % 2:
            extra = (treated > size // 2).mean()
            assert extra == pytest.approx(0.5, abs=0.056)  # five standard errors of 2,000 coin tosses


def test_every_allocation_of_a_small_trial_has_its_exact_chance():
    """Redraws against enumeration, for a rule so strict that the last draw is often a rejected one."""
    people, strata = trial(teams=9, strata=2, seed=3)
    rule = AllocationRule(max_redraws=1, alpha=0.5)
    every, probability, ids = enumerate_allocations(people=people, strata=strata, rule=rule)
    assert len(every) == count_allocations(strata["stratum"]) == 6 * 20
    assert probability.sum() == pytest.approx(1)
    assert len(np.unique(probability.round(12))) == 2  # accepted and not
    redraws = Redraws.of(people=people, strata=strata, rule=rule)
    assert ids == redraws.team_ids
    power = 2 ** np.arange(9)
    place = {int(code): i for i, code in enumerate(every @ power)}
    drawn = redraws(np.random.default_rng(5), 30_000)
    counts = np.bincount([place[int(code)] for code in drawn @ power], minlength=len(every))
    # Chi-squared on 119 df; a wrong rule gives p below 1e-6, a right one above .001 but once in 1,000 seeds.
    assert stats.chisquare(counts, probability * 30_000).pvalue > 0.001


@pytest.mark.parametrize("limit", [1, 2, 3, 101])
def test_runs_of_the_rule_are_found_in_a_stream_of_candidates(limit):
    """Against following the rule one candidate at a time, across a batch boundary."""
    accepted = np.random.default_rng(2).random(600) < 0.15
    slow, run = [], 0
    for position, good in enumerate(accepted):
        run += 1
        if good or run == limit:
            slow.append(position)
            run = 0
    first, still_open = _chosen(accepted[:250], 0, limit)
    second, last = _chosen(accepted[250:], still_open, limit)
    assert [*first, *(second + 250)] == slow
    assert last == run


def test_the_log_holds_every_draw_with_the_tests_of_scipy():
    people, strata = trial()
    rule = AllocationRule(alpha=0.6, max_redraws=30)
    allocation = randomise(people=people, strata=strata, rule=rule, seed=8)
    log = allocation.log
    assert list(log.columns) == ["draw", "p_role", "p_service_years", "accepted"]
    assert len(log) > 1
    assert log["draw"].tolist() == list(range(1, len(log) + 1))
    assert not log["accepted"].iloc[:-1].any()
    assert (log["accepted"] == ((log["p_role"] > 0.6) & (log["p_service_years"] > 0.6))).all()
    both = people.merge(allocation.teams[["team_id", "treatment"]], on="team_id")
    table = pd.crosstab(both["role"], both["treatment"])
    t = stats.ttest_ind(*(both.loc[both["treatment"] == arm, "service_years"] for arm in (0, 1)))
    last = log.iloc[-1]
    # The same closed formulas summed in another order.
    assert last["p_role"] == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-9)
    assert last["p_service_years"] == pytest.approx(t.pvalue, rel=1e-9)


def test_an_unreachable_rule_stops_after_101_draws_and_keeps_the_last():
    people, strata = trial()
    allocation = randomise(people=people, strata=strata, rule=AllocationRule(alpha=0.999), seed=1)
    assert len(allocation.log) == 101  # the first draw and 100 redraws
    assert not allocation.log["accepted"].any()


def test_same_seed_same_bytes_whatever_the_order_of_rows():
    people, strata = trial()
    first = randomise(people=people, strata=strata, rule=RULE, seed=2019)
    other = randomise(
        people=people.sample(frac=1, random_state=1), strata=strata.sample(frac=1, random_state=2), rule=RULE, seed=2019
    )
    assert first.digest == other.digest
    pd.testing.assert_frame_equal(first.teams, other.teams)
    pd.testing.assert_frame_equal(first.log, other.log)
    assert randomise(people=people, strata=strata, rule=RULE, seed=2020).digest != first.digest


def test_the_stream_of_random_bytes_has_not_changed():
    """Stability across numpy versions, not correctness: a change here orphans allocations on file."""
    people = pd.DataFrame(
        {
            "staff_id": [f"s{i}" for i in range(24)],
            "team_id": [f"t{i // 3}" for i in range(24)],
            "local_authority": "A",
            "role": ["x", "y", "z"] * 8,
            "service_years": [float(i % 7) for i in range(24)],
        }
    )
    strata = pd.DataFrame({"team_id": [f"t{i}" for i in range(8)], "stratum": ["a", "a", "a", "b", "b", "b", "b", "a"]})
    allocation = randomise(people=people, strata=strata, rule=RULE, seed=20190503)
    assert allocation.teams["treatment"].tolist() == [1, 0, 1, 0, 1, 1, 0, 0]


def test_replay_confirms_and_finds_tampering():
    people, strata = trial()
    allocation = randomise(people=people, strata=strata, rule=RULE, seed=5)
    teams, draws = allocation.teams, len(allocation.log)

    def gaps(people, log):
        again = balance_of_draws(people, teams, rule=RULE, seed=5, draws=draws)
        return [column for _, column, _ in log_differences(log, again, rule=RULE)]

    assert drawn_arms(teams.sample(frac=1, random_state=1), seed=5, draw=draws).sort_index().equals(teams["treatment"])
    assert gaps(people, allocation.log) == []

    swapped = teams.copy()
    rows = [swapped.index[swapped["treatment"] == arm][0] for arm in (0, 1)]
    swapped.loc[rows, "treatment"] = swapped.loc[rows[::-1], "treatment"].to_numpy()
    differs = drawn_arms(swapped, seed=5, draw=draws) != swapped["treatment"]
    assert set(differs.index[differs]) == set(rows)
    assert (drawn_arms(teams, seed=6, draw=draws) != teams["treatment"]).any()
    assert gaps(people, allocation.log.assign(p_role=0.5)) == ["p_role"] * draws
    moved = people.assign(service_years=people["service_years"] * np.linspace(1, 2, len(people)))
    assert "p_service_years" in gaps(moved, allocation.log)


def test_probabilities_are_even_and_pairs_of_extremes_are_ordered():
    people, strata = trial(teams=24, strata=4)
    got = assignment_probabilities(
        people=people, strata=strata, rule=RULE, rng=np.random.default_rng(0), draws=4_000, pairs=5
    )
    # Exactly one half by symmetry of the rule; five simulation standard errors of .0079.
    assert got.teams["probability"].between(0.46, 0.54).all()
    assert got.accepted == 1.0  # with 101 draws at about nine in ten, never exhausted
    assert len(got.pairs) == 10
    assert got.pairs["same_arm"].is_monotonic_increasing
    assert (got.pairs["z"].iloc[:5] < 0).all()


def test_a_rule_on_a_planted_covariate_separates_its_carriers():
    """Four teams hold all of a rare role: acceptance forces two of them into each arm."""
    _, strata = trial(teams=8, strata=2)
    team = np.repeat([f"t{i:03d}" for i in range(8)], 10)
    people = pd.DataFrame({"staff_id": np.arange(80), "team_id": team, "local_authority": "A"})
    people["role"] = np.where(people["team_id"].isin(["t000", "t001", "t002", "t003"]), "rare", "common")
    strict = AllocationRule(alpha=0.3, categorical=("role",), continuous=())
    drawn = Redraws.of(people=people, strata=strata, rule=strict)(np.random.default_rng(1), 500)
    assert (drawn[:, :4].sum(axis=1) == 2).all()  # 30 against 10 carriers has p below .001


def test_one_role_and_equal_service_are_balanced():
    people, strata = trial(roles=1)
    allocation = randomise(people=people.assign(service_years=3.0), strata=strata, rule=RULE, seed=1)
    assert allocation.log[["p_role", "p_service_years"]].to_numpy().tolist() == [[1.0, 1.0]]


def test_bad_input_is_refused():
    people, strata = trial()
    with pytest.raises(EstimationError, match="different teams: t000"):
        randomise(people=people, strata=strata.iloc[1:], rule=RULE, seed=1)
    with pytest.raises(EstimationError, match="two strata"):
        randomise(people=people, strata=pd.concat([strata, strata.iloc[:1]]), rule=RULE, seed=1)
    with pytest.raises(EstimationError, match="at least two"):
        one = people.loc[people["team_id"] == "t000"]
        randomise(people=one, strata=strata.iloc[:1], rule=RULE, seed=1)
    with pytest.raises(EstimationError, match="role is missing for everybody"):
        randomise(people=people.assign(role=None), strata=strata, rule=RULE, seed=1)
    with pytest.raises(InvalidInput):
        AllocationRule(alpha=1.0)
    with pytest.raises(InvalidInput, match="use random redraws"):
        enumerate_allocations(people=people, strata=strata, rule=RULE)


def test_an_empty_arm_is_refused():
    people, strata = trial(teams=2, strata=2)
    rule = AllocationRule(max_redraws=0)
    outcomes = set()
    for seed in range(20):
        try:
            teams = randomise(people=people, strata=strata, rule=rule, seed=seed).teams
            outcomes.add(int(teams["treatment"].sum()))
        except ConstantTreatment:
            outcomes.add("refused")
    assert outcomes == {1, "refused"}
