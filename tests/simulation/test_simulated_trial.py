"""Simulated trials: what is planted comes back on average, and the figures hold in expectation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import InvalidInput, PlanError
from hhp_stats.synthetic.simulate import SimulatedTrial, simulate_trial
from hhp_stats.synthetic.survey_answers import composite


def absence_effect(trial: SimulatedTrial) -> tuple[float, float]:
    """Difference of means with authority effects, leavers at their own rate, and its CR1 standard error.

    Written out here, so that the generator is checked without the package's estimators.
    """
    p = trial.people
    leave = p["leaving_date"].fillna(p["endline_date"])
    exposure = np.busday_count(p["launch"].to_numpy("datetime64[D]"), leave.to_numpy("datetime64[D]"))
    days = p["endline_illness_days"].fillna(p["interim_illness_days"]).to_numpy()
    days = np.where(exposure >= 10, days / np.maximum(exposure, 1) * 120, np.nan)
    known = ~np.isnan(days)
    y, d = days[known], p["treatment"].to_numpy()[known]
    team = pd.factorize(p["team_id"][known])[0]
    x = np.column_stack([d, pd.get_dummies(p["local_authority"][known]).to_numpy(dtype=float)])
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    scores = np.zeros((team.max() + 1, x.shape[1]))
    np.add.at(scores, team, x * (y - x @ beta)[:, None])
    cov = bread @ scores.T @ scores @ bread * len(scores) / (len(scores) - 1)
    return float(beta[0]), float(np.sqrt(cov[0, 0]))


def check_unbiased(trials: int, n_people: int, effect: float, changes: dict[str, object] | None = None) -> None:
    found = [
        absence_effect(simulate_trial(seed, n_people=n_people, effect=effect, changes=changes))
        for seed in range(trials)
    ]
    estimate, std_error = np.array(found).T
    spread = estimate.std(ddof=1)
    assert abs(estimate.mean() - effect) < 3.5 * spread / np.sqrt(trials)  # Monte Carlo error alone
    # The spread of a standard deviation over `trials` draws is about 1 / sqrt(2 trials) of it.
    assert abs(std_error.mean() / spread - 1) < 0.12 + 3 / np.sqrt(2 * trials)
    covered = np.abs(estimate - effect) < 1.98 * std_error
    assert covered.mean() > 0.95 - 4 * np.sqrt(0.95 * 0.05 / trials)


@pytest.mark.parametrize(("effect", "changes"), [(0.0, None), (-1.5, {"programme.uptake": 1.0})])
def test_planted_absence_effect_comes_back(effect: float, changes: dict[str, object] | None) -> None:
    check_unbiased(20, 400, effect, changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("effect", "changes"),
    [(0.0, None), (-0.4, None), (-1.5, {"programme.uptake": 1.0}), (1.0, None)],
)
def test_planted_absence_effect_comes_back_over_many_trials(effect: float, changes: dict[str, object] | None) -> None:
    check_unbiased(300, 1315, effect, changes)


def check_wellbeing(trials: int, effect: float, uptake: float) -> None:
    changes = {"effects.wellbeing_sd": effect, "programme.uptake": uptake, "wellbeing.team_icc": 0.0}
    gaps = []
    for seed in range(trials):
        people = simulate_trial(seed, nonresponse=False, changes=changes).people
        score = composite(people, "t2")
        treated = people["treatment"].to_numpy() == 1
        # In SD of the control arm: the programme itself spreads the treated.
        gaps.append((score[treated].mean() - score[~treated].mean()) / score[~treated].std())
    # The standard error of one gap is about .056; ceilings of the scales take a few per cent of the shift.
    assert abs(np.mean(gaps) - effect) < 4 * 0.056 / np.sqrt(trials) + 0.05 * effect


@pytest.mark.parametrize(("effect", "uptake"), [(0.3, 1.0), (0.1, 0.2)])
def test_planted_wellbeing_effect_comes_back_if_everybody_answers(effect: float, uptake: float) -> None:
    check_wellbeing(8, effect, uptake)


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "uptake"), [(0.3, 1.0), (0.1, 0.2)])
def test_planted_wellbeing_effect_comes_back_over_many_trials(effect: float, uptake: float) -> None:
    check_wellbeing(200, effect, uptake)


def test_figures_hold_in_expectation() -> None:
    rows = []
    for seed in range(8):
        p = simulate_trial(seed).people
        treated = p["treatment"] == 1
        rows.append(
            {
                "left": p["left"].mean(),
                "enrolled": p.loc[treated, "enrolled"].mean(),
                "contaminated": p.loc[~treated, "enrolled"].sum(),
                "t1": p["responded_t1"].mean(),
                "t2": p.loc[p["left"] == 0, "responded_t2"].mean(),
                "agency": p["agency"].mean(),
                "treated": treated.mean(),
            }
        )
    mean = pd.DataFrame(rows).mean()
    assert abs(mean["left"] - 0.076 * 24 / 26) < 0.012  # four standard errors, teams included
    assert abs(mean["enrolled"] - 0.20) < 0.03
    assert mean["contaminated"] == 0
    assert abs(mean["t1"] - 0.55) < 0.015
    assert abs(mean["t2"] - 0.40) < 0.025
    assert abs(mean["agency"] - 0.12) < 0.01
    assert abs(mean["treated"] - 0.5) < 0.02


def test_nonresponse_can_be_switched_off() -> None:
    p = simulate_trial(3, n_people=300, nonresponse=False).people
    assert p["responded_t1"].all() and p["responded_t2"].all()
    assert (
        p.filter(regex=r"_(?:t1|t2)$")
        .drop(columns=["recall_t2", "time_protected_t2", "modules_reported_t2"])
        .notna()
        .all(axis=None)
    )
    q = simulate_trial(3, n_people=300).people
    assert q["happiness_t2"].notna().equals(q["responded_t2"])
    assert not q.loc[q["left"] == 1, "responded_t2"].any()
    same = q["responded_t2"]
    assert q.loc[same, "happiness_t2"].equals(p.loc[same, "happiness_t2"])  # the same people, the same answers


def test_the_same_seed_is_the_same_trial() -> None:
    one, again, other = (simulate_trial(seed, n_people=300) for seed in (8, 8, 9))
    pd.testing.assert_frame_equal(one.people, again.people)
    pd.testing.assert_frame_equal(one.teams, again.teams)
    assert not one.people["service_months"].equals(other.people["service_months"])


def test_allocations_differ_between_seeds_and_follow_the_strata() -> None:
    shares = []
    for seed in range(5):
        teams = simulate_trial(seed, n_people=500).teams
        by = teams.groupby("stratum")["treatment"].agg(["sum", "size"])
        assert ((by["sum"] - by["size"] / 2).abs() <= 0.5).all()
        shares.append(tuple(teams["treatment"]))
    assert len(set(shares)) == 5


def test_people_are_sorted_and_counted_by_team() -> None:
    trial = simulate_trial(2, n_people=400)
    keys = trial.people[["local_authority", "team_id", "person"]]
    assert keys.equals(keys.sort_values(list(keys), ignore_index=True))
    assert trial.people["person"].is_unique and len(trial.people) == 400
    counted = trial.people.groupby("team_id").size()
    assert trial.teams.set_index("team_id")["staff"].equals(counted.reindex(trial.teams["team_id"]).rename("staff"))


def test_truth_names_what_was_planted() -> None:
    trial = simulate_trial(1, n_people=300, effect=-0.3, changes={"programme.uptake": 0.5, "effects.efficacy_sd": 0.2})
    assert trial.truth["sickness_absence"] == -0.3
    assert trial.truth["sickness_absence_complier"] == pytest.approx(-0.6)
    assert trial.truth["efficacy"] == 0.2 and trial.truth["uptake"] == 0.5


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least"):
        simulate_trial(1, n_people=40)
    with pytest.raises(InvalidInput, match="starters"):
        simulate_trial(1, n_people=300, effect=-5.0)
    with pytest.raises(PlanError, match=r"absence\.luck"):
        simulate_trial(1, changes={"absence.luck": 1.0})
