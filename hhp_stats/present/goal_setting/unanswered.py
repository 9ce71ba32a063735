"""Survey answers that are missing: who answered, and how far the unseen could move the results. Table and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.listing import capital
from hhp_stats.present.numbers import (
    apart,
    count,
    interval,
    level,
    lowered,
    number,
    percent,
    side,
    withheld,
    withheld_note,
)
from hhp_stats.present.tables import plain_table
from hhp_stats.results.frame import LACKING
from hhp_stats.results.lacking import is_refusal

HARMFUL = 30  # scaled condition number (Belsley, Kuh and Welsch 1980)


@sentence
def response(report: StudyReport) -> str:
    """How many answered, by arm."""
    table = report.table("attrition")
    arms = table.loc[table["kind"] == "arm"].set_index("label")
    labels = report.plan.design.arm_labels
    if withheld(*arms["endline_survey"]):
        return "How many answered the endline survey is withheld, because the number of people concerned is very small."
    return (
        f"The endline survey was answered by {percent(arms.at[labels['treatment'], 'endline_survey'])} of the"
        f" goal-setting group and by {percent(arms.at[labels['control'], 'endline_survey'])} of the control group."
    )


@sentence
def bounds(report: StudyReport) -> str:
    """What the answers alone can say about wellbeing."""
    lee = [report.row(f"wellbeing/{side}_bound/lee-bounds") for side in ("lower", "upper")]
    worst = [report.row(f"wellbeing/{side}_bound/worst-case") for side in ("lower", "upper")]
    return (
        f"Among those who would answer in either arm, the effect on wellbeing lies between {number(lee[0]['estimate'])}"
        f" and {number(lee[1]['estimate'])} (Lee\u2019s bounds). Without any assumption about those who did not answer,"
        f" it lies between {number(worst[0]['estimate'])} and {number(worst[1]['estimate'])}: the answers alone say"
        " very little."
    )


@sentence
def rho(report: StudyReport) -> str:
    """How strongly response and wellbeing are related beyond the covariates."""
    if report.row("wellbeing/itt/heckman-ml")["status"] == "not_estimated":
        return ""
    row = report.row("wellbeing/rho/heckman-ml")
    return (
        "The selection model estimates the correlation between answering and wellbeing, beyond the covariates, as"
        f" {number(row['estimate'])} ({level(report.plan.conf_level)} CI {interval(row['conf_low'], row['conf_high'])};"
        " profile likelihood, people taken as"
        f" independent){'' if prose.is_clear(row) else ', so not even its sign is known'}."
    )


TIPPED = ("wellbeing", "time_pressure", "efficacy")
WHOSE = {"treated": "treatment", "control": "control"}  # whose answers are shifted, and the arm they belong to


def _refused(report: StudyReport, outcome: str) -> Mapping[str, Any] | None:
    """The row that says why nothing could be shifted; None where it was, though no shift may be enough."""
    rows = (report.row(f"{outcome}/tipping/{whose}-{end}") for whose in WHOSE for end in ("low", "high"))
    return next((row for row in rows if row["status"] == "not_estimated" and is_refusal(row["note"])), None)


def _tipping_points(report: StudyReport, outcome: str, whose: str) -> dict[str, str]:
    """By how much the answers of non-respondents in one arm would have to be lower, or higher, than imputed to change
    the conclusion; without an entry where no shift that was tried changes it.
    """
    # Higher scores mean better only where the outcome says so, so scores are called higher and lower.
    rows = [report.row(f"{outcome}/tipping/{whose}-{end}") for end in ("low", "high")]
    return {
        "lower" if row["estimate"] < 0 else "higher": number(abs(row["estimate"]))
        for row in rows
        if row["status"] not in LACKING
    }


@sentence
def tipping(report: StudyReport) -> str:
    """By how much those who did not answer would have to differ in wellbeing."""
    refused = _refused(report, "wellbeing")
    if refused is not None:
        return prose.not_estimated(refused)
    changes: list[str] = []
    stands: list[str] = []
    limit = number(max(abs(delta) for delta in report.plan.tipping.deltas), 1)
    for whose, arm in WHOSE.items():
        label = lowered(report.plan.design.arm_labels[arm])
        found = _tipping_points(report, "wellbeing", whose)
        shifts = " or ".join(f"{size} standard deviations {way}" for way, size in found.items())
        (changes if found else stands).append(
            f"non-respondents in the {label} group alone scored {shifts} than imputed"
            if found
            else f"even {limit} standard deviations higher or lower in the {label} group alone would not change it"
        )
    said = [f"The conclusion would change if {', or if '.join(changes)}"] if changes else []
    said += [f"{capital(' and '.join(stands))}"] if stands else []
    return f"How firm is the conclusion on wellbeing, when missing answers are imputed? {'. '.join(said)}."


@table
def tipping_table(report: StudyReport) -> GT:
    """How different non-respondents would have to be to change the conclusion, by outcome and arm."""
    labels, cells = report.plan.design.arm_labels, []
    limit = number(max(abs(delta) for delta in report.plan.tipping.deltas), 1)
    reasons = []
    for outcome in TIPPED:
        line, refused = {"Outcome": report.outcome(outcome).label}, _refused(report, outcome)
        if refused is not None:
            reasons.append(f"{line['Outcome']}: {prose.not_estimated(refused)}")
        for whose, arm in WHOSE.items():
            found = _tipping_points(report, outcome, whose)
            line |= {
                f"{labels[arm]}, {way}": found.get(way, f"more than {limit}" if refused is None else "not estimated")
                for way in ("lower", "higher")
            }
        cells.append(line)
    return plain_table(
        pd.DataFrame(cells),
        stub="Outcome",
        spanner=[name for name in cells[0] if name != "Outcome"],
        spanner_label="Non-respondents of only this arm, compared with imputed answers",
        notes=[
            "In standard deviations of the answers of the control group. Other shifts leave the conclusion as it is.",
            *reasons,
        ],
    )


# ---------------------------------------------------------------- survey outcomes
@sentence
def selection(report: StudyReport) -> str:
    """How little the selection model rests on, in numbers."""
    two_step = report.row("wellbeing/itt/heckman-two-step")  # whose reason is that of the line's absence
    row = report.line("selection", "wellbeing", by="outcome")
    size = f"condition number {number(row['condition_number'], 0, beside=[HARMFUL])}; above {HARMFUL} is a warning sign"
    trust = (
        f"It is close to unidentifiable ({size}), so we place little weight on it."
        if row["condition_number"] > HARMFUL
        else f"Its terms can be told apart ({size})."
    )
    estimate = (
        f" Its two-step version gives {number(two_step['estimate'])}"
        f" ({interval(two_step['conf_low'], two_step['conf_high'])})."
        if two_step["status"] == "estimated"
        else ""
    )
    return (
        "We know of nothing that makes people answer but does not affect wellbeing, so only the assumed normal"
        f" distribution identifies the selection model. {trust}{estimate}"
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
        if part["people"].sum()
    }
    if not share.get("Lowest third", 0) > 0 and not share.get("Highest third", 0) > 0:
        return "Whether those who felt better answered more often cannot be said: too few answered the surveys."
    low, high = share["Lowest third"], share["Highest third"]
    word = "more" if side(high, low) > 0 else "less" if side(high, low) < 0 else "just as"
    shares = apart(100 * high, 100 * low, digits=0)
    return (
        f"Of those in the highest third of wellbeing at the start, {shares[0]}% answered at the end; of the"
        " lowest third,"
        f" {shares[1]}%. Those who felt better were {word} likely to answer."
    )


@table
def attrition_wellbeing_table(report: StudyReport) -> GT:
    """Who answered at endline, by wellbeing at baseline and arm."""
    table = report.table("attrition_wellbeing")
    labels = report.plan.design.arm_labels
    cells = []
    for third, part in table.groupby("level", sort=False):
        by_arm = part.set_index("arm")
        cells.append(
            {"Baseline wellbeing": third}
            | {
                f"{labels[arm]}": f"{percent(by_arm.loc[arm, 'answered'])} of {count(by_arm.loc[arm, 'people'])}"
                for arm in labels
            }
        )
    return plain_table(
        pd.DataFrame(cells),
        stub="Baseline wellbeing",
        spanner=list(labels.values()),
        notes=[
            "Share who answered the endline survey. Thirds of the baseline respondents\u2019 wellbeing.",
            *withheld_note(table),
        ],
    )
