"""What each outcome is like in each arm, before and after: the tables of means beside the tables of effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.plan.returns_schema import ReturnsOutcome
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import table
from hhp_stats.present.goal_setting.wellbeing import MEDIATORS, WELLBEING
from hhp_stats.present.numbers import WITHHELD, count, number, percent, withheld_note
from hhp_stats.present.tables import plain_table

RECORDS = ("sickness_absence", "absence_rate", "turnover")
SPELLS = ("bradford", "log_bradford", "spells")
WAVES = {"baseline_": "Before", "": "At the end"}


def means(report: StudyReport, outcomes: Sequence[str]) -> GT:
    """Mean and standard deviation, or share, and people of each arm, before and at the end, outcome by outcome."""
    cells = []
    for key in outcomes:
        outcome = report.outcome(key)
        for prefix, when in WAVES.items():
            if prefix and not outcome.baseline:
                continue
            other = prefix and outcome.baseline_unit
            line = {
                "Wave": f"{when} ({outcome.baseline_unit})" if other else when,
                "of": f"{outcome.label} ({outcome.unit})",
            }
            for arm, label in report.plan.design.arm_labels.items():
                line[label], line[f"People, {label.lower()}"] = arm_figure(report, outcome, arm, prefix=prefix)
            cells.append(line)
    frame = pd.DataFrame(cells)
    weighted = [report.outcome(key) for key in outcomes if report.outcome(key).weight]
    arms = [str(name) for name in frame if name not in ("Wave", "of")]
    return plain_table(
        frame,
        stub="Wave",
        groups="of",
        spanner=arms,
        notes=[
            (
                "Mean (standard deviation), or share, of those for whom the value is known, without adjustment; before"
                " and at the end these are not the same people. The tables of effects compare the arms."
            ),
            *(f"{one.label}: all days lost over all days in post." for one in weighted),
            *withheld_note(frame),
        ],
    )


def arm_figure(report: StudyReport, outcome: ReturnsOutcome, arm: str, *, prefix: str = "") -> tuple[str, str]:
    """`3.57 (7.61)`, or `8.0%`, of one arm, and how many people; dashes where too few are known for a mean."""
    mean, sd = (_found(report, f"{outcome.id}/{prefix}{name}_{arm}/raw") for name in ("mean", "sd"))
    if mean is None:
        return number(None), number(None)
    if mean["status"] == "withheld":
        return WITHHELD, WITHHELD
    if outcome.kind == "binary":
        return percent(mean["estimate"]), count(mean["n"])
    spread = f" ({number(sd['estimate'])})" if sd is not None else ""
    return f"{number(mean['estimate'])}{spread}", count(mean["n"])


def _found(report: StudyReport, key: str) -> Mapping[str, Any] | None:
    made = set(report.output.results["result_id"])
    return report.row(key) if f"{report.plan.study}/{key}" in made else None


def exploratory(report: StudyReport) -> tuple[str, ...]:
    """The outcomes that the plan calls exploratory, in its order."""
    return tuple(key for key, outcome in report.plan.outcomes.items() if outcome.role == "exploratory")


@table
def absence_means(report: StudyReport) -> GT:
    """Records of the authorities before and after, by arm."""
    return means(report, RECORDS)


@table
def wellbeing_means(report: StudyReport) -> GT:
    """Wellbeing and its parts before and after, by arm."""
    return means(report, WELLBEING)


@table
def mediator_means(report: StudyReport) -> GT:
    """Time pressure and efficacy before and after, by arm."""
    return means(report, MEDIATORS)


@table
def bradford_means(report: StudyReport) -> GT:
    """Spells of absence and what is made of them, before and after, by arm."""
    return means(report, SPELLS)


@table
def exploratory_means(report: StudyReport) -> GT:
    """The exploratory outcomes before and after, by arm."""
    return means(report, exploratory(report))


# Named functions: the panel behind each table opens the one that made it.
