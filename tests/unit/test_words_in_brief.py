"""Sentences of the goal-setting chapter and of the pilots on made-up rows: limits, directions, and whose number it
is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest

from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.load import load_plan
from hhp_stats.present.goal_setting import (
    absence,
    balance,
    compliers,
    costs,
    participants,
    power,
    randomisation,
    turnover,
    unanswered,
    wellbeing,
)
from hhp_stats.present.pilots import SENTENCES as OF_PILOTS
from hhp_stats.present.pilots import PilotChapter
from hhp_stats.present.pilots.report import PilotReport
from hhp_stats.results.frame import ResultRow, result_frame
from hhp_stats.studies.output import StudyOutput


@dataclass(frozen=True)
class Report:
    """What a sentence asks a report for, answered from made-up rows and tables."""

    plan: Any
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def row(self, key: str) -> dict[str, Any]:
        return {
            "result_id": f"goal_setting/{key}",
            "status": "estimated",
            "conf_level": self.plan.conf_level,
            "note": "a reason",
            "outcome": key.split("/")[0],
            **self.rows[key],
        }

    def planned(self, outcome: str) -> dict[str, Any]:
        return self.row(next(a.id for a in self.plan.analyses if a.outcome == outcome and a.kind == "planned"))

    def outcome(self, key: str) -> Any:
        return self.plan.outcomes[key]

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def line(self, name: str, key: str, *, by: str) -> dict[str, Any]:
        return self.lines(name, by=by)[key]

    def lines(self, name: str, *, by: str) -> dict[str, dict[str, Any]]:
        return {line[by]: line for line in self.tables[name].to_dict("records")}


@pytest.fixture(scope="module")
def plan(root):
    return load_plan(root, "goal_setting")


def interval(estimate, low, high, p=0.4, **more):
    return {"estimate": estimate, "conf_low": low, "conf_high": high, "p_value": p, **more}


def planned_id(plan, outcome):
    return next(a.id for a in plan.analyses if a.outcome == outcome and a.kind == "planned")


# ---------------------------------------------------------------- the main answer
@pytest.mark.parametrize(
    ("estimate", "low", "high", "words"),
    [
        (
            -1.0,
            -1.6,
            -0.4,
            (
                "lowered sickness absence. Over 24 weeks the true effect is likely to be between 0.4 fewer days of"
                " absence and 1.6 fewer days of absence"
            ),
        ),
        (
            1.0,
            0.4,
            1.6,
            (
                "raised sickness absence. Over 24 weeks the true effect is likely to be between 0.4 more days of absence"
                " and 1.6 more days of absence"
            ),
        ),
        (
            -0.5,
            -1.6,
            0.6,
            (
                "cannot tell whether the programme changed sickness absence. Over 24 weeks the true effect could be"
                " anything from 1.6 fewer days of absence to 0.6 more days"
            ),
        ),
        (0.5, -0.6, 1.6, "anything from 0.6 fewer days of absence to 1.6 more days of absence"),
        (-0.5, -1.0, 0.0, "anything from 1.0 fewer days of absence to no difference"),
    ],
)
def test_the_answer_for_who_has_to_decide(plan, estimate, low, high, words):
    report = Report(plan, {planned_id(plan, "sickness_absence"): interval(estimate, low, high)})
    assert words in absence.meaning(report)


def test_what_would_pay_for_the_programme(plan):
    table = pd.DataFrame([{"scenario": "programme-30", "turnover_cost": 4500.0, "cost": 45.0, "days": 0.375}])
    said = costs.break_even(Report(plan, tables={"cost_parts": table}))
    assert "costs \u00a345" in said and "0.38 fewer sick days" in said and "one more person in 100 stays" in said


def test_two_p_values_of_one_model(plan):
    rows = {
        "sickness_absence/itt/hedges-g": interval(-0.11, -0.22, 0.01),
        "sickness_absence/itt/randomisation": {"p_value": 0.33},
        "sickness_absence/itt/baseline-zero": {"p_value": 0.44},
    }
    said = absence.absence_size(Report(plan, rows))
    assert (
        "is \u22120.11 (\u22120.22 to 0.01)" in said
        and "own rule, gives p = .33. The same model" in said
        and "clustered by team gives p = .44" in said
    )


def test_the_odds_of_leaving(plan):
    planned = planned_id(plan, "turnover")
    method = planned.rsplit("/", 1)[1]
    rows = {
        planned: interval(0.01, -0.01, 0.03),
        f"turnover/ratio/{method}": interval(1.2, 0.9, 1.6),
        "turnover/ratio/firth-at-means": interval(1.3, 0.8, 1.7),
    }
    assert "were 1.20 times those in the control group (95% CI 0.90 to 1.60)" in turnover.turnover_relative(
        Report(plan, rows)
    )
    rows[planned]["status"] = "not_estimated"
    assert "were 1.30 times" in turnover.turnover_relative(Report(plan, rows))


@pytest.mark.parametrize(("number", "harmful"), [(29.0, False), (30.0, False), (30.001, True), (45.0, True)])
def test_collinearity_is_harmful_above_its_limit(plan, number, harmful):
    table = pd.DataFrame([{"outcome": "wellbeing", "condition_number": number}])
    report = Report(plan, {"wellbeing/itt/heckman-two-step": interval(0.1, -1, 1)}, {"selection": table})
    said = unanswered.selection(report)
    assert ("close to unidentifiable" in said) is harmful and "above 30 is a warning sign" in said
    assert unanswered.HARMFUL == 30


@pytest.mark.parametrize(("estimate", "word"), [(0.4, "raised"), (-0.4, "lowered")])
def test_what_the_offer_did_to_uptake(plan, estimate, word):
    rows = {
        "sickness_absence/uptake/iv": interval(estimate, estimate - 0.1, estimate + 0.1, statistic=-12.0),
        "sickness_absence/cace/iv-anderson-rubin": {"conf_low": -3.3, "conf_high": 4.4},
    }
    said = compliers.instrument(Report(plan, rows))
    assert f"The offer {word} the share who started the programme by 40.0 percentage points" in said
    assert "first-stage F 144" in said and "\u22123.30 to 4.40 days" in said


def test_versions_with_another_conclusion_are_named(plan, monkeypatch):
    key = planned_id(plan, "sickness_absence")
    rows = pd.DataFrame(
        [
            {"result_id": f"goal_setting/{name}", "status": "estimated", **interval(*values)}
            for name, values in (
                (key, (-1.0, -1.5, -0.5)),
                ("a/itt/same", (-0.8, -1.2, -0.4)),
                ("a/itt/unclear", (-0.4, -1.0, 0.2)),
                ("a/itt/other", (0.9, 0.4, 1.4)),
            )
        ]
    )
    monkeypatch.setattr(absence, "versions", lambda report, outcome: rows)
    report = Report(plan, {key: interval(-1.0, -1.5, -0.5)})
    object.__setattr__(report, "labels", lambda frame: ["Planned", "Alike", "Unclear", "Turned"])
    said = absence.absence_robustness(report)
    assert said.startswith("Of three sensitivity analyses, one leads to the same conclusion and two point in the same")
    assert said.endswith(
        "Two lead to another: \u201cunclear\u201d (could be chance) and \u201cturned\u201d (clearly higher absence)."
    )


# ---------------------------------------------------------------- sentences of the chapter
FLOW = pd.DataFrame(
    [
        ("randomised", "all", "stage", 50, 900),
        ("allocated", "treatment", "stage", 22, 444),
        ("allocated", "control", "stage", 28, 456),
        ("allocated", "treatment", "note", 1, 11),
        ("analysed", "treatment", "stage", 22, 400),
        ("analysed", "control", "stage", 28, 410),
        ("analysed", "control", "loss", 2, 46),
    ],
    columns=["stage", "arm", "kind", "teams", "people"],
)
UPTAKE = pd.DataFrame(
    {
        "key": ["started", "completed", "crossed", "no_recall", "protected"],
        "people": [222, 111, 9, 44, 33],
        "of": [444, 444, 456, 88, 99],
        "share": [0.5, 0.25, 0.02, 0.51, 0.33],
    }
)


def test_people_and_teams_of_the_flow(plan):
    report = Report(plan, tables={"flow": FLOW, "uptake": UPTAKE})
    said = participants.sample(report)
    assert (
        said.startswith("In all, 900 members of staff in 50 teams of")
        and "22 teams with 444 people to goal-setting, 28 teams with 456 people" in said
    )
    assert participants.followed(report) == "Absence is known for 810 of 900 (90.0%)."
    assert (
        compliers.uptake(report)
        == "Of 444 people offered the programme, 222 (50.0%) started it and 111 (25.0%) completed all six modules."
    )
    assert "51% did not recall it or were unsure, and 33% had booked time" in compliers.recall(report)


@pytest.mark.parametrize(
    ("p", "words"), [(0.05, "do not differ more"), (0.0499, "arms differ more"), (0.5, "do not differ more")]
)
def test_arms_differ_below_the_usual_level(plan, p, words):
    table = pd.DataFrame(
        {
            "population": ["randomised", "randomised", "randomised", "analysed"],
            "kind": ["continuous", "level", "categorical", "level"],
            "std_difference": [0.11, -0.22, 0.9, 0.8],
        }
    )
    said = balance.balance(Report(plan, {"balance/omnibus/randomised": {"p_value": p}}, {"balance": table}))
    assert words in said and "difference of any characteristic is 0.22" in said


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"branch": "combined", "by_correlation": "combined"}, "The parts are combined; the other reading agrees"),
        ({"branch": "combined", "by_correlation": "components"}, "The parts are combined; the other reading would not"),
        (
            {"branch": "components", "by_correlation": "components"},
            "are not combined, and each is reported by itself; the other reading agrees",
        ),
    ],
)
def test_whether_the_parts_of_wellbeing_are_combined(plan, row, words):
    table = pd.DataFrame([{"correlation": 0.66, "r_squared": 0.44, "n": 77, "threshold": 0.5, **row}])
    said = wellbeing.combination(Report(plan, tables={"combination": table}))
    assert words in said and "part is 0.66 (R-squared 0.44, 77 people); the threshold is 0.50." in said


def test_bounds_of_wellbeing_stand_in_their_order(plan):
    rows = {
        "wellbeing/lower_bound/lee-bounds": {"estimate": -0.1},
        "wellbeing/upper_bound/lee-bounds": {"estimate": 0.2},
        "wellbeing/lower_bound/worst-case": {"estimate": -3.0},
        "wellbeing/upper_bound/worst-case": {"estimate": 4.0},
    }
    assert re.findall(r"lies? between (\S+) and (\S+?)[ :]", unanswered.bounds(Report(plan, rows))) == [
        ("\u22120.10", "0.20"),
        ("\u22123.00", "4.00"),
    ]


def test_detectable_effects_stand_with_their_sample(plan):
    sizes = {"planned": 0.111, "recruited": 0.222, "recruited-attrition": 0.333, "achieved": 0.444}
    rows = {f"power/mdes/absence-{key}": {"estimate": value, "n": 1234} for key, value in sizes.items()}
    said = power.power(Report(plan, rows))
    assert re.findall(r"0\.\d{3}", said) == ["0.111", "0.222", "0.333", "0.444"]
    assert (
        "planned to detect 0.111" in said
        and "With the 1,234 people recruited it could detect 0.222, after the planned attrition 0.333" in said
    )


@pytest.mark.parametrize(
    ("last", "words"), [(True, "the last was accepted"), (False, "the last was kept without being accepted")]
)
@pytest.mark.parametrize(
    ("agrees", "says"),
    [(True, "returns gives the same strata, p-values and arms"), (False, "returns differs from the list on file: why")],
)
def test_the_log_of_the_draw(plan, last, words, agrees, says):
    table = pd.DataFrame(
        {
            "accepted": [False, last],
            "p_role": [0.9, 0.31],
            "p_service": [0.9, 0.57],
            "agrees": [True, agrees],
            "note": ["", "why"],
        }
    )
    said = randomisation.replay(Report(plan, tables={"replay": table}))
    assert (
        "The log holds two draws; the last was" in said
        and words in said
        and "(role p = .31, service p = .57)" in said
        and says in said
    )


def test_a_log_of_one_draw_has_no_last_one(plan):
    table = pd.DataFrame(
        {"accepted": [True], "p_role": [0.31], "p_service": [0.57], "agrees": [True], "note": [""]},
    )
    assert "holds one draw, which was accepted (" in randomisation.replay(Report(plan, tables={"replay": table}))


def test_mean_days_stand_with_their_arm(plan):
    rows = {
        "sickness_absence/mean_control/raw": {"estimate": 5.5},
        "sickness_absence/mean_treatment/raw": {"estimate": 4.4},
    }
    assert (
        "control staff were absent for 5.50 working days over the 24 weeks and staff offered goal-setting for 4.40"
        in absence.absence_means(Report(plan, rows))
    )


# ---------------------------------------------------------------- pilots
def pilot(root, study, counts, shares=None, tables=None):
    plan = load_individual_plan(root, study)
    rows = [(key, f"{key}/count", value, value, value) for key, value in counts.items()]
    rows += [(key, f"{key}/exact", share, share - 0.1, share + 0.1) for key, share in (shares or {}).items()]
    frame = result_frame(
        [
            ResultRow(
                result_id=f"{study}/{name}",
                study=study,
                outcome=key.split("/")[0],
                estimand=key.split("/")[1],
                population="",
                contrast="",
                method="",
                analysis="exploratory",
                estimate=value,
                conf_low=low,
                conf_high=high,
                status="descriptive",
            )
            for key, name, value, low, high in rows
        ]
    )
    output = StudyOutput(study=study, results=frame, tables=tables or {}, conduct=())
    return PilotReport(root=root, plan=plan, output=output, document=plan.chapter)


def chapter_words(root, report):
    """The prose of a pilot's chapter with the numbers that its rows give, others left out."""
    chapter = PilotChapter(report=report)

    def value(found):
        name, _, argument = found[1].partition("/")
        return chapter.say(found[1]) if name not in ("themes", "conflict", "reproduced", "fact") else argument

    text = (root / report.plan.chapter).read_text(encoding="utf-8")
    return " ".join(re.sub(r'`\{python\} \w+\.say\("([^"]+)"\)`', value, text).split())


def test_numbers_of_the_dictation_pilot_stand_where_they_belong(root):
    counts = {
        "sample/access": 99,
        "usage/access_brent": 66,
        "survey/access_coventry": 33,
        "usage/frequent": 4,
        "usage/logged_on": 55,
        "usage/minutes_of_frequent": 750,
        "usage/minutes": 1000,
        "usage/most_minutes_of_others": 8,
        "survey/respondents": 22,
        "survey/most_days": 5,
        "survey/continue_yes": 17,
        "survey/continue_not_sure": 3,
        "survey/continue_no": 2,
    }
    shares = {
        "usage/logged_on": 0.83,
        "usage/frequent": 0.16,
        "survey/response": 0.67,
        "survey/once_a_week_or_less": 0.41,
        "survey/several_times_a_week": 0.59,
        "survey/continue": 0.77,
        "survey/continue_of_access": 0.52,
    }
    said = chapter_words(root, pilot(root, "dictation", counts, shares))
    assert "The app was given to 99 social workers, 66 in Brent and 33 in Coventry." in said
    assert "55 of 66 people (83%, 95% CI 73 to 93%) opened the app at least once, and four (16%, " in said
    assert "No one else spent more than 8 minutes in it" in said
    assert "The few who used it often account for 75% of all minutes" in said
    assert "22 of 33 people answered a survey (67%, " in said
    assert (
        "41% used the app once a week or less, and 59% several times a week or more, five of them on most days" in said
    )
    assert "17 respondents (77%, " in said and "three were not sure and two would not." in said
    assert "Of everyone who had access in Coventry, these are 52%" in said


def test_interviewees_of_the_flexitime_study(root):
    counts = {
        "interviewees": 24,
        "team_managers": 5,
        "service_leads": 1,
        "social_workers": 9,
        "senior_practitioners": 3,
        "long_term_users": 7,
        "recent_users": 2,
        "non_users": 4,
    }
    said = chapter_words(root, pilot(root, "flexitime", {f"sample/{key}": value for key, value in counts.items()}))
    assert (
        "Those interviewed were five team managers, one service lead and nine social workers, three of the latter in a"
        " senior post. Of all 24, seven had used the policy for more than a year, two for less, and four did not use it."
    ) in said


def test_leanings_of_themes_are_counted(root):
    leanings = ["benefit"] * 4 + ["problem"] * 3 + ["condition"] * 2 + ["context"]
    table = pd.DataFrame({"leaning": leanings, "people": [1.0] * 6 + [None] * 4})
    said = OF_PILOTS["themes"](pilot(root, "flexitime", {}, tables={"themes": table}))
    assert (
        "We coded 10 themes from the published text: 4 on benefits, 3 on problems, 2 mixed or dependent on something"
        " else and 1 on the context" in said
    )
    assert "For 6 of them the text gives" in said


def test_reports_of_this_file_answer_as_the_real_one(plan):
    """The stand-in has the names that sentences use."""
    from hhp_stats.present.chapter import StudyReport

    assert {name for name in vars(Report) if not name.startswith("_")} <= set(dir(StudyReport)) | {"rows", "tables"}
