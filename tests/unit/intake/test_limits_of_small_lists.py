"""Lists of the smaller studies: themes, decisions in pairs, sites in one arm; which response of a person counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from hhp_stats.intake.linkage import counted_response
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.rules_arms import ArmsCheck, arms_findings
from hhp_stats.intake.rules_conditions import SHOWN_OTHERWISE, conditions_findings
from hhp_stats.intake.themes import COLUMNS, _row_problems
from hhp_stats.plan.experiments import load_experiment_plan
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.thresholds import Threshold

THEME = dict(
    zip(
        COLUMNS,
        ("D07", "Use", "Speed", "It helps.", "Two of ten", "2", "two", "benefit", "001:4", "documents"),
        strict=True,
    )
)


def listing(frame: pd.DataFrame, name: str) -> ListFile:
    columns = {str(column): place for place, column in enumerate(frame, start=1)}
    rows = frame.assign(row=range(2, len(frame) + 2))
    return ListFile(file=f"{name}.csv", path=Path(f"{name}.csv"), kind="list", frame=rows, fields={}, columns=columns)


@pytest.mark.parametrize(
    ("column", "fine", "wrong"),
    [
        ("people", ["1", "10", ""], ["0", "-1", "1.5", "many"]),
        ("theme", ["A00", "Z99"], ["D7", "D070", "d07", ""]),
        ("sources", ["001:1", "001:9", "001:1 001:9"], ["001:10", "002:1", "", "001"]),
        ("leaning", ["problem", "context"], ["Benefit", ""]),
        ("release", ["real"], ["synthetic", ""]),
        ("voices", ["x"], [" ", ""]),
        ("finding", ["x"], [""]),
    ],
)
def test_each_field_of_a_theme(column, fine, wrong):
    """Nine lines of the first document; the tenth is outside of it."""

    def found(value):
        row = list({**THEME, column: value}.values())
        return [
            (one.code, one.severity, one.cell.startswith("row 5"))
            for one in _row_problems("t.csv", 5, row, {"001": 9}, set())
        ]

    assert [found(value) for value in fine] == [[]] * len(fine)
    assert [found(value) for value in wrong] == [[("K21", "error", True)]] * len(wrong)


def test_a_theme_stands_once_and_has_every_field():
    seen: set[str] = set()
    row = list(THEME.values())
    assert list(_row_problems("t.csv", 2, row, {"001": 9}, seen)) == []
    assert len(list(_row_problems("t.csv", 3, row, {"001": 9}, seen))) == 1
    for length in (len(COLUMNS) - 1, len(COLUMNS) + 1):
        (problem,) = _row_problems("t.csv", 4, [*row, "x"][:length], {"001": 9}, set())
        assert problem.value == f"{length} fields"


# ---------------------------------------------------------------- hiring
@pytest.mark.parametrize("condition", ["joint", "separate"])
@pytest.mark.parametrize(
    ("pairs", "side_by_side"),
    [([1, 1, 2, 2], True), ([1, 2, 1, 2], False), ([1, 2, 2, 1], False), ([1, 1, 2, 3], False)],
)
def test_pairs_stand_side_by_side_at_positions_one_and_two_three_and_four(root, condition, pairs, side_by_side):
    plan = replace(load_experiment_plan(root, "hiring"), cells={}, experiments={})
    people = pd.DataFrame(
        {"participant": ["P1"], "evaluation": [condition], "name_set": ["1"], "name_shown": ["blinded"]}
    )
    decisions = pd.DataFrame(
        {
            "participant": "P1",
            "position": [1, 2, 3, 4],
            "pair": pairs,
            "application": [1, 2, 3, 4],
            "name": ["a", "b", "a", "b"],
        }
    )
    lists = {"participants": listing(people, "participants"), "decisions": listing(decisions, "decisions")}
    found = [one.rule for one in conditions_findings(lists, plan, {})]
    assert (SHOWN_OTHERWISE in found) is (side_by_side != (condition == "joint"))


# ---------------------------------------------------------------- sites
@pytest.mark.parametrize(
    "limits", [{}, {"I09": Threshold(code="I09", about="people", limit=1)}], ids=["without limits", "with limits"]
)
@pytest.mark.parametrize(
    ("arms", "units"), [(["treatment"] * 3, []), (["treatment", "treatment", "control"], [("Building 01",)])]
)
def test_a_site_lies_in_one_arm_whatever_limits_the_plan_has(root, limits, arms, units):
    plan = load_individual_plan(root, "coffee")
    frame = pd.DataFrame({"arm": [*arms, "control"], plan.design.cluster: ["Building 01"] * 3 + ["Building 02"]})
    planned = replace(
        plan,
        design=replace(plan.design, randomised=4),
        blocks=(),
        arms=tuple(replace(arm, randomised=None) for arm in plan.arms),
    )
    check = ArmsCheck(plan=planned, allocation=listing(frame, "allocation"), surveys=(), thresholds=limits)
    assert [(one.rule.code, one.units) for one in arms_findings(check)] == [("I11", unit) for unit in units]


@pytest.mark.parametrize("answerer", ["treatment", "control"])
def test_questions_of_one_arm_are_answered_by_it_alone(root, answerer):
    plan = load_individual_plan(root, "mod_ing")
    question = next(one for one in plan.questions.values() if one.arms)
    frame = pd.DataFrame({"arm": ["treatment", "control"], "survey_code": ["t", "c"]})
    code = "t" if answerer == "treatment" else "c"
    survey = SimpleNamespace(
        readable=True, wave="endline", frame=pd.DataFrame({question.id: ["Yes"]}), meta=pd.DataFrame({"code": [code]})
    )
    planned = replace(
        plan,
        design=replace(plan.design, randomised=2),
        blocks=(),
        arms=tuple(replace(arm, randomised=1) for arm in plan.arms),
    )
    check = ArmsCheck(plan=planned, allocation=listing(frame, "allocation"), surveys=(survey,), thresholds={})
    expected = [] if answerer in question.arms else [("I10", "error")]
    assert [(one.rule.code, one.problem().severity) for one in arms_findings(check)] == expected


# ---------------------------------------------------------------- responses
def used(*rows):
    """Responses of one person as (day, finished, answered): which of them counts."""
    frame = pd.DataFrame(
        {
            "response": [f"R{n}" for n in range(len(rows))],
            "code": "a",
            "contact": "",
            "recorded": pd.to_datetime([f"2019-07-{row[0]:02d}" for row in rows]),
            "finished": [row[1] for row in rows],
            "preview": False,
        }
    )
    found = counted_response(
        frame, pd.Series("agree", index=frame.index, dtype="str"), pd.Series([row[2] for row in rows])
    )
    return found["used"].tolist().index(True), int(found["used"].sum()), found["duplicate"].tolist()


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([(1, True, 5), (2, True, 1)], 1),
        ([(2, True, 5), (1, True, 9)], 0),
        ([(1, False, 9), (2, False, 5)], 0),
        ([(2, False, 5), (1, False, 9)], 1),
        ([(1, False, 5), (2, False, 5)], 1),
        ([(1, True, 1), (2, False, 9)], 0),
        ([(2, False, 9), (3, True, 1), (4, False, 30)], 1),
    ],
)
def test_the_last_finished_one_counts_else_the_fullest_else_the_latest(rows, place):
    found, number, duplicates = used(*rows)
    assert (found, number) == (place, 1) and duplicates == [n != place for n in range(len(rows))]
