"""From draw to raw files to intake: what was drawn is what the analysis gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.intake.load import load_trial
from hhp_stats.intake.pseudonym import load_pseudonyms
from hhp_stats.intake.trial import Trial
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.goal_setting import TrialDraw, draw_trial
from hhp_stats.synthetic.simulate import simulate_trial


@pytest.fixture(scope="module")
def loaded(synthetic_project: Path) -> tuple[Path, Trial]:
    return synthetic_project, load_trial(synthetic_project)  # raises DataError if any rule of severity error is broken


@pytest.fixture(scope="module")
def draw() -> TrialDraw:
    a = load_assumptions()
    return draw_trial(
        assumptions=a,
        seed=a.release.seed,
        allocation_seed=a.release.allocation_seed,
        n_people=a.plan.design.recruited,
        exact=True,
        contaminated=a.programme.contaminated,
    )


@pytest.fixture(scope="module")
def pairs(loaded: tuple[Path, Trial], draw: TrialDraw) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The randomised people as drawn and as loaded, in the same order."""
    root, trial = loaded
    hidden = load_pseudonyms(root, status="synthetic")
    names = zip(draw.people["local_authority"], draw.people["staff_id"], strict=True)
    person = [hidden.of(*each) for each in names]
    read = trial.people[trial.people["randomised"]].set_index("person").loc[person].reset_index()
    assert len(read) == len(draw.people)
    return draw.people, read


def test_everybody_on_the_baseline_lists_is_randomised(loaded: tuple[Path, Trial]) -> None:
    people = loaded[1].people
    assert people["randomised"].sum() == load_assumptions().plan.design.recruited
    assert people["joined"].sum() == round(0.07 * 1315)
    assert not (people["randomised"] & people["joined"]).any()


@pytest.mark.parametrize(
    "name",
    [
        "service_months",
        "part_time",
        "agency",
        "coffee",
        "treatment",
        "baseline_overall_days",
        "baseline_illness_days",
        "baseline_illness_spells",
        "interim_illness_days",
        "interim_illness_spells",
        "endline_illness_days",
        "endline_illness_spells",
        "replacement_cost",
        "left",
        "enrolled",
        "modules_completed",
    ],
)
def test_numbers_arrive_unchanged(pairs: tuple[pd.DataFrame, pd.DataFrame], name: str) -> None:
    drawn, read = pairs
    np.testing.assert_array_equal(read[name].to_numpy(dtype=float), drawn[name].to_numpy(dtype=float))


@pytest.mark.parametrize("name", ["role", "gender", "team_id", "stratum", "local_authority"])
def test_texts_arrive_unchanged_whatever_the_typing_habits(pairs: tuple[pd.DataFrame, pd.DataFrame], name: str) -> None:
    drawn, read = pairs
    assert (read[name].to_numpy(dtype=str) == drawn[name].to_numpy(dtype=str)).all()


def test_leaving_dates_arrive_unchanged(pairs: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    drawn, read = pairs
    assert drawn["leaving_date"].notna().sum() == read["leaving_date"].notna().sum() == 92
    gone = drawn["leaving_date"].notna().to_numpy()
    assert (read.loc[gone, "leaving_date"].to_numpy() == drawn.loc[gone, "leaving_date"].to_numpy()).all()


@pytest.mark.parametrize("wave", ["t1", "t2"])
def test_answers_arrive_for_those_who_responded(
    pairs: tuple[pd.DataFrame, pd.DataFrame], draw: TrialDraw, wave: str
) -> None:
    drawn, read = pairs
    assert (read[f"responded_{wave}"].to_numpy() == drawn[f"responds_{wave}"].to_numpy()).all()
    items = [name for name in draw.answers if name.endswith(wave) and draw.answers[name].dtype == "float64"]
    given = read[items].to_numpy(dtype=float)
    expected = draw.answers[items].to_numpy(dtype=float)
    known = ~np.isnan(given)
    assert (given[known] == expected[known]).all()
    answered = read[f"responded_{wave}"].to_numpy()
    assert not known[~answered].any()
    # About 1% skipped, and half of the answers of the 5% who broke off.
    assert 0.93 < known[answered].mean() < 0.99


def test_intake_resolves_what_the_exports_hold(loaded: tuple[Path, Trial]) -> None:
    link = loaded[1].linkage.groupby("wave")[["responses", "consented", "duplicates", "unmatched"]].sum()
    survey = load_assumptions().survey
    assert link["duplicates"].tolist() == list(survey.duplicates)
    assert link["unmatched"].tolist() == list(survey.unmatched)
    assert (link["responses"] - link["consented"]).tolist() == list(survey.declined)


def test_simulated_people_have_the_columns_of_intake(loaded: tuple[Path, Trial]) -> None:
    people = loaded[1].people
    simulated = simulate_trial(1, n_people=300).people
    lacking = [name for name in people if name not in simulated and not name.startswith(("consent", "comments"))]
    assert lacking == []
    for name in simulated:
        if name in people:
            assert simulated[name].dtype.kind == people[name].dtype.kind, name
