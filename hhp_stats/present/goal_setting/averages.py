"""Over whom is the effect averaged, and how are leavers' days counted? And what the surveys asked beside the
protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.plan.returns_schema import ReturnsOutcome
from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.absence import RATE, RATE_ALONE
from hhp_stats.present.goal_setting.arm_means import arm_figure, exploratory
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.listing import listed_words
from hhp_stats.present.numbers import alpha_of, apart, lowered, number, p_clause, spelled
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import effects_table
from hhp_stats.results.frame import LACKING

PEOPLE = (
    "sickness_absence/itt/cr1",
    "turnover/itt/linear",
    "wellbeing/itt/imputed",
)  # averages over people, and over teams
TEAMS = ("sickness_absence/team_average/cr1", "turnover/team_average/linear", "wellbeing/team_average/imputed")


@table
def averages(report: StudyReport) -> GT:
    """Each outcome with people alike and with teams alike; absence with days in post alike, too."""
    keys = []
    for people, teams in zip(PEOPLE, TEAMS, strict=True):
        keys += [people, teams]
        keys += [
            one.id
            for one in report.plan.analyses
            if one.average == "teams" and not one.adjusted and one.outcome == people.split("/")[0]
        ]
    keys += [RATE, RATE_ALONE]
    rows = pd.DataFrame([report.row(key) for key in keys])
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=[_over(report, key) for key in keys],
        stub="Average",
        digits=3,
        groups=[_with_unit(report.outcome(key.split("/")[0])) for key in keys],
        notes=[
            (
                "Over people: everyone counts alike, so that large teams weigh more; this is planned. Over teams: every"
                " team counts alike, weighted least squares with one over the number of its people who are analysed."
                " Over days in post: days lost over days in post, weighted by days in post."
            ),
            (
                "Adjusted as the absence analysis unless said otherwise; errors clustered by team. Turnover by linear "
                "probability."
            ),
        ],
    )


def _with_unit(outcome: ReturnsOutcome) -> str:
    return f"{outcome.label} ({outcome.unit})"


def _over(report: StudyReport, key: str) -> str:
    analysis = report.plan.analysis(key)
    whom = "days in post" if report.plan.outcomes[analysis.outcome].weight else analysis.average
    return (
        f"Over {whom}"
        + ("" if analysis.adjusted else ", unadjusted")
        + (", planned" if analysis.kind == "planned" else "")
    )


@sentence
def team_averages(report: StudyReport) -> str:
    """Does the effect on a person in the average team differ from that on the average person?"""
    said = []
    for people, teams in zip(PEOPLE, TEAMS, strict=True):
        rows = [report.row(key) for key in (people, teams)]
        if any(row["status"] in LACKING for row in rows):
            continue
        outcome = report.outcome(people.split("/")[0])
        scale = 100 if outcome.kind == "binary" else 1
        unit = " percentage points" if outcome.kind == "binary" else " days" if outcome.role == "primary" else " points"
        first, second = apart(*(scale * row["estimate"] for row in rows))
        said.append(f"{lowered(outcome.label)} {first}{unit} over people and {second} over teams")
    if not said:
        return "Averages over teams could not be estimated."
    planned, other = (report.row(key) for key in (PEOPLE[0], TEAMS[0]))
    better = report.outcome("sickness_absence").better
    same = prose.verdict(planned, better=better).clear == prose.verdict(other, better=better).clear
    return (
        "In the planned analysis each member of staff counts the same, so a large team counts for more than a "
        "small one. If each team counts the same, the question is what the programme does in the average team; the"
        " answers differ if it works differently in large and small teams. "
        f"The differences are: {'; '.join(said)}. For absence the conclusion is "
        f"{'the same' if same else 'different'} "
        f"({p_clause(planned['p_value'])} and {p_clause(other['p_value'])})."
    )


# ---------------------------------------------------------------- exploratory outcomes
@table
def exploratory_effects(report: StudyReport) -> GT:
    """The effects on what the surveys asked beside the protocol, with both arms."""
    named = [one for key in exploratory(report) for one in report.plan.analyses if one.outcome == key]
    rows = pd.DataFrame([report.row(one.id) for one in named])
    first = {one.outcome: one.id for one in reversed(named)}
    cells: dict[str, list[str]] = {label: [] for label in report.plan.design.arm_labels.values()}
    for one in named:
        for arm, label in report.plan.design.arm_labels.items():
            # Once an outcome: these are all who answered, whatever the analysis leaves out.
            cells[label].append(
                arm_figure(report, report.outcome(one.outcome), arm)[0] if one.id == first[one.outcome] else ""
            )
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=[one.label for one in named],
        stub="Version",
        arms=cells,
        groups=[_with_unit(report.outcome(one.outcome)) for one in named],
        notes=[
            (
                "Exploratory: the protocol plans none of these analyses. Arms: mean (standard deviation), or share, at"
                " the end of all who answered, unadjusted."
            ),
            (
                "Differences adjusted as the absence analysis and for the baseline of the outcome; least squares, of "
                "shares too (linear probability); errors "
                "clustered by team. Answers that were not given are not imputed."
            ),
            "p-values are not adjusted for the number of outcomes.",
        ],
    )


@sentence
def exploratory_outcomes(report: StudyReport) -> str:
    """How many of the exploratory outcomes differ clearly, and what that is worth."""
    keys = exploratory(report)
    rows = [(report.outcome(key), _first(report, key)) for key in keys]
    found = [(outcome, row) for outcome, row in rows if row["status"] not in LACKING]
    names = [lowered(report.outcome(key).label) for key in keys]
    clear = [(outcome, prose.verdict(row, better=outcome.better)) for outcome, row in found]
    clear = [(outcome, verdict) for outcome, verdict in clear if verdict.clear]
    alpha = alpha_of(report.plan.conf_level)
    head = f"Both surveys also asked about {listed_words(names)}. "
    ending = "" if len(found) == 1 else "s"
    if not found:
        return f"{head}None of them could be analysed. {prose.reason(rows[0][1])}"
    if not clear:
        said = f"None of the {spelled(len(found))} difference{ending} among those who answered is clear."
    else:
        which = "; ".join(
            f"{lowered(outcome.label)} was {verdict.direction} in the goal-setting group" for outcome, verdict in clear
        )
        exclude = "excludes" if len(clear) == 1 else "exclude"
        said = (
            f"{spelled(len(clear)).capitalize()} of the {spelled(len(found))} interval{ending} among those who answered"
            f" {exclude} zero: {which}."
        )
    return (
        f"{head}{said} The protocol plans no test of them. They are exploratory, and their p-values are not adjusted"
        f" for the number of tests. If there were no effect on anything, chance alone would make"
        f" {number(alpha * len(found), 1)} of {spelled(len(found))} such interval{ending} exclude zero on average."
    )


def _first(report: StudyReport, key: str) -> Mapping[str, Any]:
    return report.row(next(one.id for one in report.plan.analyses if one.outcome == key))
