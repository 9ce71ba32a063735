"""Descriptive tables of the studies, each worked out on paper from a few people whose every answer is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hhp_stats.intake.trial import Trial
from hhp_stats.plan.experiments import load_experiment_plan
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.load import load_plan
from hhp_stats.studies.field_trial import descriptives as of_trials
from hhp_stats.studies.goal_setting import arm_balance
from hhp_stats.studies.goal_setting import descriptives as of_teams
from hhp_stats.studies.goal_setting.flow import participant_flow
from hhp_stats.studies.goal_setting.sample import Sample
from hhp_stats.studies.hiring import tables as of_hiring
from hhp_stats.studies.hiring.counts import count_rows

NAN = np.nan


@pytest.fixture(scope="module")
def plan(root):
    return load_plan(root, "goal_setting")


# ---------------------------------------------------------------- goal-setting
# Six people of the goal-setting arm, four controls; a column a line, and no two columns of one arm add up alike.
TEAMS = pd.DataFrame(
    {
        "person": list("abcdefghij"),
        "treatment": [1.0] * 6 + [0.0] * 4,
        "team_id": ["T1", "T1", "T2", "T2", "T3", "T3", "C1", "C1", "C2", "C2"],
        "local_authority": ["Kent"] * 4 + ["Bromley"] * 2 + ["Kent"] * 3 + ["Bromley"],
        "enrolled": [1, 1, 1, 1, 0, 0, 1, 0, 0, 0],
        "modules_completed": [6, 5, 6, 0, NAN, NAN, 6, NAN, NAN, NAN],
        "recall_t2": ["yes", "no", "not sure", "yes", None, None, "yes", "no", None, None],
        "time_protected_t2": ["yes", "no", None, None, None, None, "yes", None, None, None],
        "interim_illness_days": [1.0, 2.0, 0.0, NAN, 5.0, 0.0, 4.0, 0.0, NAN, NAN],
        "endline_illness_days": [9.0] * 10,
        "baseline_absence": [1.0, NAN, 3.0, NAN, 5.0, 6.0, 7.0, NAN, NAN, NAN],
        "absence_days": [0.0, 2.0, 2.5, 5.0, NAN, 20.0, 5.5, 10.0, 10.5, 20.5],
        "left": [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        "in_endline": [True, False, True, True, False, True, True, True, True, False],
        "responded_t1": [True, True, False, False, False, False, True, True, True, False],
        "responded_t2": [True, True, True, True, True, False, True, False, False, False],
        "wellbeing_t1": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, NAN],
        "wellbeing_t2": [1.0, 2.0, 3.0, NAN, NAN, NAN, 4.0, NAN, NAN, NAN],
        "bradford": [0.0, 0.0, 10.0, 100.0, NAN, 40.0, 0.0, 50.0, 100.0, 999.0],
        "records_spells": [True] * 9 + [False],
        "agency": [1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0],
    }
)


def test_who_took_part_by_the_log_and_by_the_survey(plan):
    """Started: four of six treated; completed: two, five modules being too few; the control who started is counted
    apart.
    """
    table = of_teams.uptake(TEAMS, plan).set_index("key")
    assert {key: (row["people"], row["of"]) for key, row in table.iterrows()} == {
        "started": (4, 6),
        "completed": (2, 6),
        "crossed": (1, 4),
        "no_recall": (2, 4),
        "protected": (1, 2),
    }
    np.testing.assert_array_equal(table["share"], table["people"] / table["of"])


def test_modules_of_those_who_started(plan):
    table = of_teams.modules(TEAMS, plan).set_index("modules")
    assert table["people"].to_dict() == {0: 1, 1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 2}
    assert table["share"].to_dict() == {n: people / 4 for n, people in table["people"].items()}


def test_the_interim_return_is_described_by_arm(plan):
    table = of_teams.interim(TEAMS, plan).set_index("arm")
    assert table.loc["treatment", ["people", "mean", "none"]].tolist() == [5, 8 / 5, 2 / 5]
    assert table.loc["control", ["people", "mean", "none"]].tolist() == [2, 2, 1 / 2]
    assert table.loc["control", "sd"] == pytest.approx(np.sqrt(8))


def test_response_by_arm_and_authority(plan):
    table = of_teams.attrition(TEAMS, plan).set_index(["kind", "label"])
    labels = plan.design.arm_labels
    columns = ["people", "teams", "baseline_absence", "outcome", "left", "baseline_survey", "endline_survey"]
    assert table.loc[("arm", labels["treatment"]), columns].tolist() == pytest.approx(
        [6, 3, 4 / 6, 5 / 6, 2 / 6, 2 / 6, 5 / 6]
    )
    assert table.loc[("arm", labels["control"]), columns].tolist() == pytest.approx(
        [4, 2, 1 / 4, 1, 1 / 4, 3 / 4, 1 / 4]
    )
    assert table.loc[("authority", "Kent"), columns].tolist() == pytest.approx([7, 4, 3 / 7, 1, 1 / 7, 5 / 7, 5 / 7])
    assert table.loc[("authority", "Bromley"), ["people", "teams"]].tolist() == [3, 2]


def test_answering_by_third_of_wellbeing(plan):
    """Nine baselines of 1 to 9: thirds end at 11/3 and 19/3."""
    table = of_teams.attrition_by_wellbeing(TEAMS, plan).set_index(["level", "arm"])
    assert table["people"].to_dict() == {
        ("Lowest third", "treatment"): 3,
        ("Middle third", "treatment"): 3,
        ("Highest third", "treatment"): 0,
        ("Not known", "treatment"): 0,
        ("Lowest third", "control"): 0,
        ("Middle third", "control"): 0,
        ("Highest third", "control"): 3,
        ("Not known", "control"): 1,
    }
    assert table.loc[("Middle third", "treatment"), "answered"] == pytest.approx(2 / 3)
    assert table.loc[("Highest third", "control"), "answered"] == pytest.approx(1 / 3)


def test_a_value_on_the_limit_of_a_third_belongs_below_it():
    people = pd.DataFrame({"wellbeing_t1": [1.0, 2.0, 3.0, 4.0]})  # limits 2 and 3
    assert of_teams.wellbeing_level(people, pd.Series([True] * 4)).tolist() == [
        "Lowest third",
        "Lowest third",
        "Middle third",
        "Highest third",
    ]


@pytest.mark.parametrize(
    ("days", "label"),
    [
        (0, "0"),
        (0.2, "up to 2"),
        (0.5, "up to 2"),
        (2, "up to 2"),
        (2.01, "3 to 5"),
        (2.5, "3 to 5"),
        (5, "3 to 5"),
        (5.01, "6 to 10"),
        (10, "6 to 10"),
        (10.5, "11 to 20"),
        (20, "11 to 20"),
        (20.01, "over 20"),
        (20.5, "over 20"),
        (400, "over 20"),
    ],
)
def test_every_number_of_days_has_one_class(days, label):
    """Half days, and fractions that count as the half day they reach."""
    found = [
        name for low, high, name in of_teams.DAYS if of_teams.absence_class(pd.Series([float(days)]), low, high).iloc[0]
    ]
    assert found == [label]


def test_absence_by_class_and_arm(plan):
    table = of_teams.absence_distribution(TEAMS, plan)
    by_arm = {arm: part.set_index("bin")["people"].to_dict() for arm, part in table.groupby("arm")}
    assert by_arm["treatment"] == {"0": 1, "up to 2": 1, "3 to 5": 2, "6 to 10": 0, "11 to 20": 1, "over 20": 0}
    assert by_arm["control"] == {"0": 0, "up to 2": 0, "3 to 5": 0, "6 to 10": 2, "11 to 20": 1, "over 20": 1}
    assert table.groupby("arm")["share"].sum().tolist() == pytest.approx([1, 1])


def test_the_largest_scores_lie_above_their_quantile(plan):
    """A hundred scores of 1 to 100 in one arm: above the 99th per cent (99.01) lies the last alone."""
    scores = np.arange(1.0, 101.0)
    people = pd.DataFrame({"treatment": [1.0] * 100 + [0.0], "bradford": [*scores, 1.0], "records_spells": True})
    table = of_teams.largest_scores(people, plan).set_index("arm")
    assert table.loc["treatment", "share_of_points"] == pytest.approx(100 / scores.sum())
    assert (table.loc["treatment", "median"], table.loc["treatment", "zero"], table.loc["treatment", "scores"]) == (
        50.5,
        0,
        100,
    )
    alike = pd.DataFrame({"treatment": [1.0, 0.0], "bradford": [8.0, 8.0], "records_spells": True})
    assert of_teams.largest_scores(alike, plan)["share_of_points"].tolist() == [0, 0]  # none is above the limit itself
    nobody = of_teams.largest_scores(alike.assign(bradford=[0.0, 8.0]), plan).set_index("arm")["share_of_points"]
    assert math.isnan(nobody["treatment"]) and nobody["control"] == 1  # of no points there is no share


def test_scores_of_authorities_without_spells_are_left_out(plan):
    table = of_teams.largest_scores(TEAMS, plan).set_index("arm")
    assert (table.loc["control", "scores"], table.loc["control", "median"], table.loc["control", "zero"]) == (
        3,
        50,
        1 / 3,
    )
    assert (table.loc["treatment", "scores"], table.loc["treatment", "median"]) == (5, 10)


def test_teams_by_arm(plan):
    table = arm_balance.team_balance(TEAMS, plan).set_index(["arm", "characteristic"])
    assert table.loc[("treatment", "size"), ["teams", "mean", "sd"]].tolist() == [3, 2, 0]
    assert table.loc[("treatment", "absence"), ["teams", "mean"]].tolist() == [3, (1 + 3 + 5.5) / 3]
    assert table.loc[("control", "absence"), ["teams", "mean"]].tolist() == [1, 7]
    assert table.loc[("control", "agency"), "mean"] == 0.25


def test_the_flow_of_people_and_teams(plan):
    everyone = pd.concat(
        [
            TEAMS.assign(in_baseline=True, randomised=True, joined=False),
            pd.DataFrame(
                {
                    "person": ["x", "y", "z"],
                    "team_id": ["X1", "X1", "T1"],
                    "in_baseline": [True, True, False],
                    "randomised": [False, False, False],
                    "joined": [False, False, True],
                }
            ),
        ]
    )
    nothing = pd.DataFrame()
    trial = Trial(
        study="goal_setting",
        people=everyone.astype({"in_baseline": bool, "randomised": bool, "joined": bool}),
        teams=nothing,
        inputs=nothing,
        problems=nothing,
        corrections=nothing,
        tolerances=nothing,
        linkage=nothing,
    )
    sample = replace(_sample(), people=TEAMS)
    flow = participant_flow(trial, sample, plan).set_index(["arm", "label"])
    counts = {
        arm: {label: tuple(row) for label, row in flow.loc[arm][["teams", "people"]].iterrows()}
        for arm in ("all", "treatment", "control")
    }
    assert counts["all"] == {
        "Staff on the baseline returns": (6, 12),
        "In teams that were not randomised": (1, 2),
        "Randomised": (5, 10),
        "Joined after the launch: not part of the trial": (1, 1),
    }
    common = [
        "Started the course",
        "Left the authority, counted at their own rate",
        "No endline record",
        "Followed to 24 weeks or leaving",
        "No absence record",
        "Analysed: absence",
        "Analysed: turnover",
        "Answered the endline survey",
        "Analysed: wellbeing, complete cases",
    ]
    assert [counts["treatment"][label] for label in (plan.design.arm_labels["treatment"], *common)] == [
        (3, 6),
        (2, 4),
        (2, 2),
        (0, 0),
        (3, 6),
        (1, 1),
        (3, 5),
        (3, 6),
        (3, 5),
        (2, 3),
    ]
    assert [counts["control"][label] for label in (plan.design.arm_labels["control"], *common)] == [
        (2, 4),
        (1, 1),
        (1, 1),
        (0, 0),
        (2, 4),
        (0, 0),
        (2, 4),
        (2, 4),
        (1, 1),
        (1, 1),
    ]


def _sample() -> Sample:
    """A sample of which the flow reads the people alone."""
    return Sample(**dict.fromkeys(Sample.__dataclass_fields__))


# ---------------------------------------------------------------- field trials
PEOPLE = pd.DataFrame(
    {
        "arm": ["treatment"] * 5 + ["control"] * 3,
        "treatment": [1] * 5 + [0] * 3,
        "opened_t1": [True, True, True, False, False, True, False, False],
        "opened_t2": [True, True, True, False, False, True, True, False],
        "responded": [1, 1, 0, 0, 0, 1, 1, 0],
        "in_post_at_endline": ["yes", "yes", "no", "no", "yes", "yes", "yes", "no"],
        "recall_t2": ["Yes", "No", "Yes", None, None, "Yes", None, None],
        "local_authority": ["Kent"] * 4 + ["Bromley"] * 4,
        "cohort": [1, 1, 2, 2, 1, 2, 1, 2],
    }
)


def people_of(plan):
    values = {outcome.id: [1.0, 2.0, NAN, NAN, NAN, 3.0, 4.0, NAN] for outcome in plan.outcomes.values()}
    before = {f"{outcome.id}_t1": [5.0, 6.0, 7.0, NAN, NAN, 1.0, NAN, NAN] for outcome in plan.outcomes.values()}
    options = plan.questions["recall"].options if "recall" in plan.questions else ("Yes", "No")
    told = {"Yes": options[0], "No": options[1]}
    within = (
        {plan.design.within: [plan.blocks[0].id] * 4 + [plan.blocks[-1].id] * 4}
        if plan.design.within and plan.blocks
        else {}
    )
    frame = PEOPLE.assign(recall_t2=PEOPLE["recall_t2"].map(told), **values, **before, **within)
    return frame.assign(arm=frame["arm"].map({arm.id: arm.id for arm in plan.arms}))


@pytest.mark.parametrize("study", ["beneficiaries", "swing", "mod_ing"])
def test_response_of_a_field_trial(root, study):
    plan = load_individual_plan(root, study)
    table = of_trials.attrition(people_of(plan), plan)
    arms = table.loc[table["kind"] == "arm"].set_index("label")
    assert arms[["people", "baseline", "responded"]].to_dict("index") == {
        next(arm.label for arm in plan.arms if arm.id == "treatment"): {"people": 5, "baseline": 3, "responded": 2},
        next(arm.label for arm in plan.arms if arm.id == "control"): {"people": 3, "baseline": 1, "responded": 2},
    }
    assert sorted(arms["left"]) == pytest.approx([1 / 3, 2 / 5])


@pytest.mark.parametrize("study", ["beneficiaries", "swing", "mod_ing"])
def test_flow_of_a_field_trial(root, study):
    """Of five treated three opened the survey; of the two who did not, one had left. One opened it and left the
    outcome out.
    """
    plan = load_individual_plan(root, study)
    flow = of_trials.participant_flow(people_of(plan), plan)
    treated = flow.loc[flow["arm"] == "treatment"].set_index("label")["people"]
    control = flow.loc[flow["arm"] == "control"].set_index("label")["people"]
    named = [
        "Left before the endline survey",
        "Did not answer",
        "Began the endline survey",
        "Primary outcome not answered",
        "Analysed: primary outcome",
    ]
    assert treated[named].tolist() == [1, 1, 3, 1, 2]
    assert control[named].tolist() == [1, 0, 2, 0, 2]
    without = of_trials.participant_flow(people_of(plan).drop(columns="in_post_at_endline"), plan)
    assert without.loc[(without["arm"] == "treatment") & (without["label"] == "Did not answer"), "people"].tolist() == [
        2
    ]


@pytest.mark.parametrize("study", ["beneficiaries", "swing", "mod_ing"])
def test_who_remembers_among_the_treated_who_answered(root, study):
    plan = load_individual_plan(root, study)
    table = of_trials.recall(people_of(plan), plan)
    if "recall" not in plan.questions:
        assert table.empty
        return
    assert table["people"].tolist()[:2] == [1, 1] and set(table["of"]) == {2}


@pytest.mark.parametrize("study", ["beneficiaries", "swing", "mod_ing"])
def test_balance_of_a_field_trial_is_that_of_respondents_before(root, study):
    plan = load_individual_plan(root, study)
    table = of_trials.balance(people_of(plan), plan)
    scores = table.loc[table["kind"] == "continuous"]
    assert set(scores["covariate"]) == {f"{outcome.id}_t1" for outcome in plan.outcomes.values() if outcome.scales}
    assert (
        set(scores["mean_treatment"]) == {5.5}
        and set(scores["mean_control"]) == {1.0}
        and set(scores["missing"]) == {1}
    )


def test_places_stand_in_the_balance_table_as_in_the_plan(root):
    plan = load_individual_plan(root, "beneficiaries")
    blocks = [block.id for block in plan.blocks]
    assert blocks != sorted(blocks)
    people = pd.concat([people_of(plan)] * len(blocks), ignore_index=True)
    people[plan.design.within] = np.repeat(sorted(blocks), len(people) // len(blocks))
    table = of_trials.balance(people, plan)
    listed = table.loc[(table["covariate"] == plan.design.within) & (table["kind"] == "level"), "level"]
    assert listed.tolist() == blocks


# ---------------------------------------------------------------- hiring
def decisions():
    """Two participants by pairs, one by single applications: two pairs of applications each; 1 and 0 are yes and no."""
    rows = [
        # participant, condition, set, pair, name, progressed
        ("P1", "joint", 1, 1, "minority ethnic", 1),
        ("P1", "joint", 1, 1, "white british", 0),
        ("P1", "joint", 1, 2, "minority ethnic", 1),
        ("P1", "joint", 1, 2, "white british", 1),
        ("P2", "joint", 2, 1, "minority ethnic", 0),
        ("P2", "joint", 2, 1, "white british", 0),
        ("P2", "joint", 2, 2, "minority ethnic", 1),
        ("P2", "joint", 2, 2, "white british", NAN),
        ("P3", "separate", 1, 1, "minority ethnic", 0),
        ("P3", "separate", 1, 1, "white british", 1),
        ("P4", "separate", 2, 2, "minority ethnic", 0),
        ("P4", "separate", 2, 2, "white british", 1),
    ]
    frame = pd.DataFrame(rows, columns=["participant", "evaluation", "name_set", "pair", "name", "progressed"])
    return of_hiring.prepared_decisions(frame.assign(first_experiment="progression"))


def test_cells_and_dummies_of_the_first_experiment():
    frame = decisions().drop_duplicates(["evaluation", "name", "name_set"])
    for row in frame.to_dict("records"):
        minority, joint = row["name"] == "minority ethnic", row["evaluation"] == "joint"
        assert row["cell"] == f"{row['evaluation']}_{'minority' if minority else 'white_british'}"
        assert (row["minority"], row["joint"], row["joint_minority"]) == (minority, joint, minority and joint)
        assert row["second_name_set"] == (row["name_set"] == 2) and row["this_first"] == 1
    assert decisions()["outcome"].dropna().tolist() == [100, 0, 100, 100, 0, 0, 100, 0, 100, 0, 100]


def test_rates_by_combination_of_names(root):
    table = of_hiring.name_sets(decisions(), load_experiment_plan(root, "hiring")).set_index(["evaluation", "name_set"])
    assert table.loc[("joint", 1)].tolist() == [1, 100, 50]
    assert table.loc[("separate", 1)].tolist() == [1, 0, 100]
    assert table.loc[("joint", 2)].tolist() == [1, 50, 0]


def test_pairs_by_who_was_put_forward():
    """P1: minority alone, both; P2: neither; the pair with an unanswered decision is left out."""
    table = of_hiring.pair_choices(decisions()).set_index("choice")["pairs"]
    assert table.to_dict() == {"both": 1, "minority ethnic alone": 1, "White British alone": 0, "neither": 1}
    assert of_hiring.pair_choices(decisions())["share"].tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])


@pytest.mark.parametrize(("chosen", "over"), [(4, 0), (5, 0), (6, 1)])
def test_the_limit_itself_is_kept(root, chosen, over):
    plan = load_experiment_plan(root, "hiring")
    limit = int(plan.fact("limit"))
    assert limit == 5
    frame = pd.DataFrame({"participant": "P1", "evaluation": "joint", "progressed": [1] * chosen + [0] * (10 - chosen)})
    row = of_hiring.chosen_over_limit(frame, plan).set_index("evaluation").loc["all"]
    assert row[["people", "mean", "over", "share"]].tolist() == [1, chosen, over, over]


def test_applications_put_forward_a_person(root):
    table = of_hiring.chosen_per_person(decisions(), load_experiment_plan(root, "hiring"))
    found = {(row["evaluation"], row["chosen"]): (row["people"], row["share"]) for row in table.to_dict("records")}
    assert found == {("joint", 3): (1, 0.5), ("joint", 1): (1, 0.5), ("separate", 1): (2, 1.0)}


def test_participants_rows_and_answers_are_counted(root):
    plan = load_experiment_plan(root, "hiring")
    shown = ["blinded", "minority", "white_british", "white_british"]
    scores = of_hiring.prepared_scores(
        pd.DataFrame(
            {
                "participant": ["P1", "P2", "P3", "P4"],
                "name_shown": shown,
                "total": [9, 12, NAN, 21],
                "first_experiment": "progression",
            }
        )
    )
    assert scores[["blinded", "white_british", "this_first"]].to_numpy().tolist() == [
        [1, 0, 0],
        [0, 0, 0],
        [0, 1, 0],
        [0, 1, 0],
    ]
    flow = of_hiring.flow(decisions(), scores).set_index("condition")[["people", "rows", "answered"]]
    assert {name: tuple(row) for name, row in flow.iterrows()} == {
        "joint": (2, 8, 7),
        "separate": (2, 4, 4),
        "blinded": (1, 1, 1),
        "minority": (1, 1, 1),
        "white_british": (2, 2, 1),
    }
    rows = {(row.outcome, row.estimand): row.n for row in count_rows(decisions(), scores, plan)}
    assert rows == {
        ("progression", "participants"): 4,
        ("progression", "rows"): 12,
        ("progression", "answered"): 11,
        ("evaluation_score", "participants"): 4,
        ("progression", "people_joint"): 2,
        ("progression", "people_joint_set1"): 1,
        ("progression", "people_joint_set2"): 1,
        ("progression", "people_separate"): 2,
        ("progression", "people_separate_set1"): 1,
        ("progression", "people_separate_set2"): 1,
    }
    spread = of_hiring.score_distribution(scores, plan).set_index(["cell", "score"])
    assert spread.loc[("white_british", 21), ["people", "share"]].tolist() == [1, 1] and spread["people"].sum() == 3
