"""Outcomes that are not known for everyone who was randomised, and how far they could move the effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.plan.disclosure import DisclosureSettings, load_disclosure
from hhp_stats.plan.returns_schema import ReturnsOutcome
from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.numbers import (
    MISSING,
    WITHHELD,
    apart,
    count,
    interval,
    lowered,
    number,
    side,
    withheld,
    withheld_note,
)
from hhp_stats.present.tables import plain_table
from hhp_stats.results.frame import LACKING

WORST, LEE = "worst-case", "lee-bounds"
Row = Mapping[str, Any]


def bounded(report: StudyReport) -> list[ReturnsOutcome]:
    """The outcomes of which the plan asks what the unknown ones could change, in its order."""
    ids = {one.id for one in report.plan.analyses}
    return [outcome for key, outcome in report.plan.outcomes.items() if f"{key}/itt/{WORST}" in ids]


def _scale(outcome: ReturnsOutcome) -> tuple[float, int]:
    """Factor and digits: shares are printed in percentage points."""
    return (100.0, 1) if outcome.kind == "binary" else (1.0, 2)


def _ends(report: StudyReport, outcome: ReturnsOutcome, method: str) -> tuple[Any, Any]:
    factor, _ = _scale(outcome)
    rows = [report.row(f"{outcome.id}/{end}_bound/{method}") for end in ("lower", "upper")]
    return factor * rows[0]["estimate"], factor * rows[1]["estimate"]


def _between(report: StudyReport, outcome: ReturnsOutcome, method: str) -> str:
    """The two bounds as `-2.1 to 3.4`; a dash where the plan has none, the word where they are withheld."""
    if f"{outcome.id}/itt/{method}" not in {one.id for one in report.plan.analyses}:
        return MISSING
    row = report.row(f"{outcome.id}/itt/{method}")
    if row["status"] in LACKING:
        return WITHHELD if row["status"] == "withheld" else MISSING
    return interval(*_ends(report, outcome, method), _scale(outcome)[1])


def _randomised(report: StudyReport) -> dict[str, Any]:
    """How many people were randomised to each arm."""
    lines = report.lines("attrition", by="label")
    return {arm: lines[label]["people"] for arm, label in report.plan.design.arm_labels.items()}


@table
def unknown_outcomes_table(report: StudyReport) -> GT:
    """Of how many each outcome is known, and between which values the effect lies whatever the others' are."""
    labels, everyone = report.plan.design.arm_labels, _randomised(report)
    cells, notes = [], []
    for outcome in bounded(report):
        worst = report.row(f"{outcome.id}/itt/{WORST}")
        unit = "percentage points" if outcome.kind == "binary" else outcome.unit
        known = {
            label: f"{count(report.row(f'{outcome.id}/mean_{arm}/raw')['n'])} of {count(everyone[arm])}"
            for arm, label in labels.items()
        }
        cells.append(
            {"Outcome": f"{outcome.label} ({unit})"}
            | known
            | {
                "Those known in either arm": _between(report, outcome, LEE),
                "Whatever the others are": _between(report, outcome, WORST),
            }
        )
        if worst["status"] == "not_estimated":
            notes.append(f"{outcome.label}: {prose.reason(worst)}")
    frame = pd.DataFrame(cells)
    return plain_table(
        frame,
        stub="Outcome",
        spanner=list(labels.values()),
        spanner_label="Outcome known",
        notes=[
            (
                "Everyone who was randomised counts. Differences, goal-setting minus control, not adjusted: the two"
                " ends between which the effect lies, without the uncertainty of the draw (appendix B has their"
                " intervals)."
            ),
            (
                "Those known in either arm: Lee\u2019s bounds, for people whose outcome would be known with the offer"
                " and without it. Whatever the others are: the unknown outcomes of one arm are all set to one end of"
                " what is possible and those of the other arm to the other end, and the reverse."
            ),
            *notes,
            *withheld_note(frame),
        ],
    )


@sentence
def unknown_outcomes(report: StudyReport) -> str:
    """What the outcomes of the authorities' records that are not known could change."""
    settings = load_disclosure(report.root, report.plan.study)
    records = [outcome for outcome in bounded(report) if not outcome.column.endswith("_t2")]
    return " ".join(_could_change(report, outcome, settings) for outcome in records)


def _could_change(report: StudyReport, outcome: ReturnsOutcome, settings: DisclosureSettings) -> str:
    worst, subject = report.row(f"{outcome.id}/itt/{WORST}"), outcome.label
    if worst["status"] == "withheld":
        return f"{subject}: {lowered(_few(report, outcome, settings))}"
    if worst["status"] in LACKING:
        return prose.reason(worst)
    ends = _ends(report, outcome, WORST)
    low, high = apart(*ends, digits=_scale(outcome)[1])
    unit = "percentage points" if outcome.kind == "binary" else "days"
    everyone = _randomised(report)
    known = [report.row(f"{outcome.id}/mean_{arm}/raw")["n"] for arm in everyone]
    of_whom = (
        "not known for everyone"
        if withheld(*known, *everyone.values())
        else f"known for {count(sum(known))} of {count(sum(everyone.values()))} people"
    )
    turns = side(ends[0]) * side(ends[1]) < 0
    verdict = (
        "so what is not known could reverse the direction"
        if turns
        else "so what is not known cannot reverse the direction"
    )
    return (
        f"{subject} is {of_whom}. Whatever it was for the others, the unadjusted difference between all who were"
        f" randomised is between {low} and {high} {unit}, {verdict}."
    )


def _few(report: StudyReport, outcome: ReturnsOutcome, settings: DisclosureSettings) -> str:
    """Where the number of unknown outcomes is too small to be printed: the most that so few could change."""
    if outcome.kind != "binary":
        return "It is unknown for so few people that their number, and what they could change, is withheld."
    most = sum(100 * settings.threshold / float(people) for people in _randomised(report).values())
    return (
        "It is unknown for so few people that their number is withheld. Fewer than"
        f" {settings.threshold} in each arm could move the difference by less than {number(most, 1)} percentage points."
    )
