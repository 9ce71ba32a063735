"""Bradford scores: their effect, and the few people who carry it. Table and sentences."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.numbers import (
    apart,
    lowered,
    number,
    percent,
)
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import effects_table


@table
def bradford_table(report: StudyReport) -> GT:
    """Bradford scores, spells, days and the log version."""
    outcomes = (
        "bradford/itt/cr1",
        "bradford/itt/wild-bootstrap",
        "bradford/itt/baseline-zero",
        "bradford/itt/baseline-recorded",
        "bradford/itt/without-largest",
        "log_bradford/itt/cr1",
        "spells/itt/cr1",
        "sickness_absence/itt/spells-authorities",
    )
    rows = pd.DataFrame([report.row(key) for key in outcomes])
    names = {
        "bradford": "Bradford score",
        "log_bradford": "Bradford, log(1 + score)",
        "spells": "Spells",
        "sickness_absence": "Days absent",
    }
    labels = [f"{names[row['outcome']]}: {lowered(report.label(row['result_id']))}" for row in rows.to_dict("records")]
    left = sorted({site.local_authority for site in report.plan.sites} - set(report.table("spells")["local_authority"]))
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=labels,
        stub="Outcome",
        notes=[
            f"Without {', '.join(left)}: no record of spells." if left else "All authorities record spells.",
            "Adjusted as the absence analysis, with the baseline of the outcome besides.",
        ],
    )


@sentence
def bradford(report: StudyReport) -> str:
    """The planned effect on the Bradford score."""
    return prose.difference(
        report.planned("bradford"),
        report.outcome("bradford"),
        offer=prose.offer_of(report.plan),
        digits=1,
        subject=f"The {report.outcome('bradford').label}",
    )


@sentence
def bradford_influence(report: StudyReport) -> str:
    """How much the largest scores matter."""
    whole, trimmed = report.row("bradford/itt/cr1"), report.row("bradford/itt/without-largest")
    without, all_of = apart(trimmed["estimate"], whole["estimate"], digits=1)
    return f"Without the largest one per cent of scores the difference is {without} instead of {all_of}."


# ---------------------------------------------------------------- Bradford, compliers
@sentence
def largest_scores(report: StudyReport) -> str:
    """How much of all points the largest scores hold."""
    table = report.lines("largest_scores", by="arm")
    return (
        f"The largest one per cent of scores, those above {number(table['control']['limit'], 0)}, hold"
        f" {percent(table['control']['share_of_points'], 0)} of all points in the control group and"
        f" {percent(table['treatment']['share_of_points'], 0)} in the goal-setting group;"
        f" {percent(table['control']['zero'], 0)} of control staff and {percent(table['treatment']['zero'], 0)} of"
        " staff offered goal-setting have a score of zero."
    )
