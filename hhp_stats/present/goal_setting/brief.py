"""What a manager reads first, and sentences that tie a result to what it rests on. All words follow from rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.more_tables import versions
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.numbers import (
    apart,
    count,
    interval,
    level,
    lowered,
    number,
    p_clause,
    percent,
    plural,
    side,
    spelled,
    withheld,
)
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.results import LACKING

HARMFUL = 30  # scaled condition number (Belsley, Kuh and Welsch 1980)


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    # Not traced: a count of versions is no print of any of their numbers.
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


# ---------------------------------------------------------------- in brief
def _in_days(value: float) -> str:
    """A difference in absence in everyday words: `1.6 days less absence`, `no difference`."""
    size = number(abs(value), 1)
    return "no difference" if not side(value) else f"{size} days {'less' if value < 0 else 'more'} absence"


@sentence
def meaning(report: StudyReport) -> str:
    """What the trial says about its main question, for somebody who has to decide."""
    row, outcome = report.planned("sickness_absence"), report.outcome("sickness_absence")
    if row["status"] in LACKING:
        return prose.not_estimated(row)
    found = prose.verdict(row, better=outcome.better)
    ends = [row[name] for name in ("conf_low", "conf_high")]
    weeks = report.plan.design.endline_weeks
    if found.clear:
        least, most = sorted(ends, key=abs)
        return (
            f"Offering the programme {'lowered' if found.direction == 'lower' else 'raised'} sickness absence. Over"
            f" {weeks} weeks the data support a difference from {_in_days(least)} to {_in_days(most)} for each person"
            " who was offered it."
        )
    return (
        f"The trial does not settle the question. Over {weeks} weeks its data are in keeping with anything from"
        f" {_in_days(ends[0])} to {_in_days(ends[1])} for each person who was offered the programme."
    )


@sentence
def break_even(report: StudyReport) -> str:
    """What the programme costs in time, and what would pay for it."""
    row = report.lines("cost_parts", by="scenario")["programme-30"]
    one_in = row["turnover_cost"] / row["cost"]
    return (
        f"Half an hour a week for six weeks costs {number(row['cost'], 0)} pounds of working time a person. That comes"
        f" back if each person is absent {number(row['days'])} days less, or if one leaver in {count(round(one_in))}"
        " people offered the programme stays."
    )


@sentence
def absence_robustness(report: StudyReport) -> str:
    """Do the other versions of the absence analysis agree, and which do not?"""
    better, planned = report.outcome("sickness_absence").better, report.planned("sickness_absence")
    rows = versions(report, "sickness_absence")
    said = prose.agreement(rows, planned, better=better).replace("of the analysis", "of the absence analysis", 1)
    if planned["status"] in LACKING:
        return said
    base = prose.verdict(planned, better=better)
    other = []
    for label, row in zip(report.labels(rows), _records(rows), strict=True):
        if row["status"] != "estimated" or row["result_id"] == planned["result_id"]:
            continue
        found = prose.verdict(row, better=better)
        if found.clear != base.clear or (found.clear and found.direction != base.direction):
            other.append(
                f"\u201c{lowered(label)}\u201d"
                f" ({'clearly ' + found.direction if found.clear else 'no clear difference'})"
            )
    return said if not other else f"{said} Another conclusion follows from {listed(other)}."


# ---------------------------------------------------------------- absence and turnover
@sentence
def absence_size(report: StudyReport) -> str:
    """The planned effect in standard deviations, and the p value that rests on the draw alone."""
    g = report.row("sickness_absence/itt/hedges-g")
    drawn, zero = report.row("sickness_absence/itt/randomisation"), report.row("sickness_absence/itt/baseline-zero")
    return (
        f"In standard deviations the planned difference is {number(g['estimate'])}"
        f" ({interval(g['conf_low'], g['conf_high'])}). Re-drawing the arms by the trial\u2019s own rule gives"
        f" {p_clause(drawn['p_value'])}, against {p_clause(zero['p_value'])} for the same model (missing baselines at"
        " zero with an indicator) with standard errors clustered by team."
    )


@sentence
def separation(report: StudyReport) -> str:
    """Did a characteristic predict leaving without exception, and what does the penalised logit say?"""
    planned, firth = report.planned("turnover"), report.row("turnover/itt/firth-at-means")
    change = (
        f"{number(100 * firth['estimate'], 1)} points"
        f" ({interval(100 * firth['conf_low'], 100 * firth['conf_high'], 1)})"
    )
    if planned["status"] in LACKING:
        return (
            f"The planned logit has no maximum: {planned['note']} Firth\u2019s penalised logit stands in its place:"
            f" {change}."
        )
    return (
        "No characteristic in the model predicts leaving, or staying, without exception (separation), so the planned"
        f" logit exists. Firth\u2019s penalised logit, which would exist in any case, gives {change}."
    )


@sentence
def turnover_relative(report: StudyReport) -> str:
    """The odds ratio."""
    method = str(report.planned("turnover")["result_id"]).rsplit("/", 1)[1]
    if report.planned("turnover")["status"] in LACKING:
        method = "firth-at-means"
    row = report.row(f"turnover/ratio/{method}")
    return (
        f"In relative terms, the odds of leaving in the goal-setting arm were {number(row['estimate'])} times those in"
        f" the control arm ({level(report.plan.conf_level)} CI {interval(row['conf_low'], row['conf_high'], null=1)})."
    )


# ---------------------------------------------------------------- survey outcomes
@sentence
def selection(report: StudyReport) -> str:
    """How little the selection model rests on, in numbers."""
    row, two_step = report.lines("selection", by="outcome")["wellbeing"], report.row("wellbeing/itt/heckman-two-step")
    word = "above" if row["condition_number"] > HARMFUL else "below"
    estimate = (
        f" Its two-step version shows what that means: {number(two_step['estimate'])}"
        f" ({interval(two_step['conf_low'], two_step['conf_high'])})."
        if two_step["status"] == "estimated"
        else ""
    )
    return (
        "Nothing is known that moves people to answer and has no other bearing on wellbeing, so the selection model is"
        " identified by the assumed normal distribution alone. Its condition number is"
        f" {number(row['condition_number'], 0, beside=[HARMFUL])}, {word} the {HARMFUL} from which on collinearity is"
        f" held to be harmful.{estimate}"
    )


# ---------------------------------------------------------------- Bradford, compliers
@sentence
def largest_scores(report: StudyReport) -> str:
    """How much of all points the largest scores hold."""
    table = report.lines("largest_scores", by="arm")
    return (
        f"The largest one per cent of scores, those above {number(table['control']['limit'], 0)}, hold"
        f" {percent(table['control']['share_of_points'], 0)} of all points in the control arm and"
        f" {percent(table['treatment']['share_of_points'], 0)} in the goal-setting arm;"
        f" {percent(table['control']['zero'], 0)} and {percent(table['treatment']['zero'], 0)} of the staff have a"
        " score of zero."
    )


@sentence
def instrument(report: StudyReport) -> str:
    """How strongly the offer moved people to start, and the interval that holds however weakly it did."""
    first, robust = report.row("sickness_absence/uptake/iv"), report.row("sickness_absence/cace/iv-anderson-rubin")
    moved = "raised" if first["estimate"] >= 0 else "lowered"
    return (
        f"The offer {moved} the share that started the course by {number(abs(100 * first['estimate']), 1)} percentage"
        f" points ({level(report.plan.conf_level)} CI {interval(100 * first['conf_low'], 100 * first['conf_high'], 1)};"
        f" F of the first stage {number(first['statistic'] ** 2, 0)}). Anderson and Rubin\u2019s interval, which"
        f" holds however few people an offer moves, is {interval(robust['conf_low'], robust['conf_high'])} days."
    )


# ---------------------------------------------------------------- costs
@table
def cost_parts(report: StudyReport) -> GT:
    """What the ratio is made of, in pounds a person."""
    rows = report.table("cost_parts").to_dict("records")
    cells = pd.DataFrame(
        {
            "Scenario": [row["label"] for row in rows],
            "Absence": [number(row["absence"], 0) for row in rows],
            "Turnover": [number(row["turnover"], 0) for row in rows],
            "Together": [number(row["absence"] + row["turnover"], 0) for row in rows],
            "Days": [number(row["days"]) for row in rows],
            "Pounds": [number(row["cost"], 0) for row in rows],
        }
    )
    table = plain_table(
        cells,
        stub="Scenario",
        spanner=["Absence", "Turnover", "Together"],
        spanner_label="Saved",
        notes=_cost_notes(report),
    )
    return table.tab_spanner("Spent", columns=["Days", "Pounds"])


def _cost_notes(report: StudyReport) -> list[str]:
    row, leaver = (
        next(iter(report.lines("cost_parts", by="scenario").values())),
        report.row("benefit_cost/leaver_cost/mean"),
    )
    return [
        f"Pounds a person; a saving below zero is a loss. A day costs {number(row['daily_rate'])} pounds.",
        (
            f"A leaver costs {number(leaver['estimate'], 0)} pounds"
            f" ({interval(leaver['conf_low'], leaver['conf_high'], 0)}; standard error"
            f" {number(leaver['std_error'], 0)}, by team): replacement less sick pay after leaving, the mean over"
            f" {count(row['priced'])} of {count(row['leavers'])} leavers, in"
            f" {plural(row['priced_authorities'], 'authority', 'authorities')}, for whom a cost of replacement was"
            " returned."
        ),
    ]


@table
def comparison(report: StudyReport) -> GT:
    """Goal-setting beside the other interventions of the first phase, as far as documents and data allow."""
    point = report.row("benefit_cost/ratio/programme-30")
    reached = f"{number(point['estimate'])} ({interval(point['conf_low'], point['conf_high'])})"
    cost = report.lines("cost_parts", by="scenario")["programme-30"]["cost"]
    rows = [
        {
            "Intervention": "Goal-setting",
            "Absence": "estimated",
            "Turnover": "estimated",
            "Cost a person": f"{number(cost, 0)} pounds",
            "Ratio": reached,
            "Difference in ratios": "\u2014",
        }
    ]
    reasons = []
    for other in report.plan.cost_benefit.comparators:
        row = report.row(f"benefit_cost/comparison/{other.key}")
        rows.append(
            {
                "Intervention": other.label,
                "Absence": other.absence,
                "Turnover": other.turnover,
                "Cost a person": other.cost,
                "Ratio": "none",
                "Difference in ratios": "not estimated",
            }
        )
        reasons.append(f"{other.label}: {row['note']}")
    return text_table(
        pd.DataFrame(rows),
        stub="Intervention",
        notes=[
            "Goal-setting: programme time of half an hour a week, interval as printed.",
            *reasons,
        ],
    )


@sentence
def compared(report: StudyReport) -> str:
    """Whether the ratio can be compared with others."""
    rows = [report.row(f"benefit_cost/comparison/{other.key}") for other in report.plan.cost_benefit.comparators]
    made = [row for row in rows if row["status"] == "estimated"]
    if made:
        return (
            f"The ratio is compared with {spelled(len(made))} of the {spelled(len(rows))} other interventions of the"
            " first phase."
        )
    return (
        "The protocol compares the ratio with those of the other interventions of the programme. None of the"
        f" {spelled(len(rows))} other trials of the first phase gives one, so no pair can be tested."
    )


@sentence
def attrition_wellbeing(report: StudyReport) -> str:
    """Is answering related to wellbeing at the start?"""
    table = report.table("attrition_wellbeing")
    if withheld(*table["people"], *table["answered"]):
        return (
            "How answering depends on wellbeing at the start is withheld in part, because the numbers of people are"
            " very small."
        )
    share = {
        level: float((part["people"] * part["answered"]).sum() / part["people"].sum())
        for level, part in table.groupby("level", sort=False)
    }
    low, high = share["Lowest third"], share["Highest third"]
    word = "more" if side(high, low) > 0 else "less" if side(high, low) < 0 else "just as"
    shares = apart(100 * high, 100 * low, digits=0)
    return (
        f"Of those in the highest third of wellbeing at the start {shares[0]}% answered at the end, of the lowest third"
        f" {shares[1]}%: those who felt better were {word} likely to answer."
    )
