"""Leaving: its effect, relative and absolute, and whether it can be estimated at all. Table and sentences."""

from __future__ import annotations

from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.goal_setting.wellbeing import versions
from hhp_stats.present.numbers import (
    count,
    interval,
    level,
    number,
    percent,
    withheld,
)
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import effects_table
from hhp_stats.results.frame import LACKING, row_of
from hhp_stats.results.lacking import as_sentence


@table
def turnover_table(report: StudyReport) -> GT:
    """Turnover: adjusted chances of leaving in both arms, and the difference in percentage points."""
    rows = versions(report, "turnover")
    cells: dict[str, list[str]] = {report.plan.design.arm_labels[arm]: [] for arm in ("control", "treatment")}
    frame = report.output.results.set_index("result_id")
    for result_id in rows["result_id"]:
        method = result_id.rsplit("/", 1)[1]
        for arm, label in report.plan.design.arm_labels.items():
            key = f"{report.plan.study}/turnover/predicted_{arm}/{method}"
            cells[label].append(percent(row_of(report.output.results, key)["estimate"]) if key in frame.index else "")
    raw = [report.row(f"turnover/mean_{arm}/raw") for arm in ("control", "treatment")]
    flow = report.table("flow")
    left = flow.loc[flow["label"].str.startswith("Left"), "people"]
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=report.labels(rows),
        stub="Version",
        digits=1,
        scale=100,
        arms=cells,
        notes=[
            "Arms: adjusted probability of leaving. Difference and interval in percentage points.",
            f"Planned: {rows.iloc[0]['method'] if rows.iloc[0]['status'] == 'estimated' else 'not estimated'}.",
            (
                "How many left is withheld to protect a count of very few people."
                if withheld(*left)
                else (
                    f"Left, unadjusted: {percent(raw[0]['estimate'])} of {count(raw[0]['n'])} in the control group, "
                    f"{percent(raw[1]['estimate'])} of {count(raw[1]['n'])} in the goal-setting group."
                )
            ),
        ],
    )


@sentence
def turnover(report: StudyReport) -> str:
    """The change in the chance of leaving; the Firth version where the planned one does not exist."""
    planned, outcome = report.planned("turnover"), report.outcome("turnover")
    method = planned["result_id"].rsplit("/", 1)[1]
    lead = ""
    if planned["status"] in LACKING:
        lead, method = f"{prose.not_estimated(planned)} With Firth's penalty instead: ", "firth-at-means"
    arms = {arm: report.row(f"turnover/predicted_{arm}/{method}") for arm in ("control", "treatment")}
    effect = report.row(f"turnover/itt/{method}")
    return lead + prose.probability_change(
        effect, outcome, offer=prose.offer_of(report.plan), control=arms["control"], treated=arms["treatment"]
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
            f"The planned logit could not be fitted. {as_sentence(planned['note'])} Firth\u2019s penalised logit"
            f" replaces it: {change}."
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
        f"The odds of leaving in the goal-setting group were {number(row['estimate'])} times those in the control group"
        f" ({level(report.plan.conf_level)} CI {interval(row['conf_low'], row['conf_high'], null=1)})."
    )


@sentence
def icc_turnover(report: StudyReport) -> str:
    """How alike teammates are in leaving."""
    row = report.row("turnover/icc/anova")
    if row["status"] in LACKING:
        return prose.not_estimated(row)
    assumed = report.plan.power["turnover"].icc
    return (
        f"That of leaving is {number(row['estimate'], 3)} ({level(report.plan.conf_level)} CI "
        f"{number(row['conf_low'], 3)} to "
        f"{number(row['conf_high'], 3)}); the protocol assumed {number(assumed, 1)} here too."
    )
