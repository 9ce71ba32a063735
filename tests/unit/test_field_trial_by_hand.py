"""Three people with every score of a field trial worked out on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hhp_stats.intake.participants import load_participants, opened
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.studies.field_trial.sample import build_sample

PLEASANT, UNPLEASANT = ("affect_1", "affect_3", "affect_5"), ("affect_2", "affect_4", "affect_6")
# At baseline: happiness and ladder, pleasant and unpleasant feelings. A fourth person answers the first two alone.
BEFORE = {0: (2, 4, 2, 4), 1: (4, 6, 3, 3), 2: (6, 8, 4, 2), 3: (10, 10, None, None)}
# Of the unpleasant feelings 4, 3 and 2 count as 2, 3 and 4: affect is 2, 3, 4; evaluation 3, 5, 7.


@pytest.fixture(scope="module")
def made(root):
    plan = load_individual_plan(root, "beneficiaries")
    participants = load_participants(root, plan)
    people = participants.people.copy()
    items = [name for name in people if name.endswith(("_t1", "_t2")) and not name.startswith(("opened", "recorded"))]
    people[items] = np.nan
    at = people.columns.get_loc
    for place, (happiness, ladder, pleasant, unpleasant) in BEFORE.items():
        people.iloc[place, [at("happiness_t1"), at("ladder_t1")]] = happiness, ladder
        if pleasant is not None:
            people.iloc[place, [at(f"{item}_t1") for item in PLEASANT]] = pleasant
            people.iloc[place, [at(f"{item}_t1") for item in UNPLEASANT]] = unpleasant
    first = people.index[0]
    people.loc[first, ["happiness_t2", "ladder_t2"]] = 7, 8
    people.loc[first, [f"{item}_t2" for item in (*PLEASANT, *UNPLEASANT)]] = 3, 4, 5, 1, 2, 3
    people.loc[first, [f"burnout_{n}_t2" for n in range(1, 9)]] = 1, 2, 3, 4, 5, 6, 1, 6
    people.loc[first, [f"motive_{n}_t2" for n in range(1, 9)]] = 1, 2, 3, 4, 5, 6, 7, 4
    people.loc[first, ["worth_1_t2", "worth_2_t2"]] = 2, 7
    second = people.index[1]
    people.loc[second, [f"burnout_{n}_t2" for n in range(1, 8)]] = 3  # the eighth is missing
    people["recorded_t2"] = opened(people, plan) + pd.Timedelta(days=plan.periods.days) - pd.Timedelta(minutes=1)
    people.loc[second, "recorded_t2"] += pd.Timedelta(minutes=1)
    keep = people["person"].iloc[:4].tolist()
    frame = build_sample(replace(participants, people=people), plan).people.set_index("person")
    return [frame.loc[person] for person in keep], frame


def test_scores_are_means_of_their_items(made):
    (one, two, *_), _ = made
    assert one["burnout"] == 3.5 and one["motivation"] == 4 and one["social_worth"] == 4.5
    assert np.isnan(two["burnout"])  # an item is missing


def test_wellbeing_counts_in_deviations_of_those_who_answered_all_parts_before(made):
    """Deviations at baseline: 2 of evaluation (3, 5, 7) and 1 of affect (2, 3, 4); whoever gave no affect is no part
    of them.
    """
    (one, two, three, four), _ = made
    assert two["subjective_wellbeing_t1"] - one["subjective_wellbeing_t1"] == pytest.approx(2 / 2 + 1 / 1)
    assert three["subjective_wellbeing_t1"] - one["subjective_wellbeing_t1"] == pytest.approx(4 / 2 + 2 / 1)
    assert np.isnan(four["subjective_wellbeing_t1"])
    # At the endline evaluation is 7.5; affect (3 + 4 + 5 + 5 + 4 + 3)/6 = 4, the unpleasant ones turned round.
    assert one["subjective_wellbeing"] - one["subjective_wellbeing_t1"] == pytest.approx((7.5 - 3) / 2 + (4 - 2) / 1)


def test_who_responded_and_in_which_week(made):
    (one, two, *_), frame = made
    assert one["responded"] == 1 and two["responded"] == 0
    assert frame["responded"].sum() == 1
    assert (one["week"], two["week"]) == (0, 1)
