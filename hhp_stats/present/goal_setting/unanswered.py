"""Survey answers that are missing: who answered, and how far the unseen could move the results. Table and sentences."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.lacking import is_refusal
from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
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
from hhp_stats.results import LACKING

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
        f"{percent(arms.at[labels['treatment'], 'endline_survey'])} of the goal-setting arm and "
        f"{percent(arms.at[labels['control'], 'endline_survey'])} of the control arm answered the endline survey."
    )


@sentence
def bounds(report: StudyReport) -> str:
    """What the answers alone can say about wellbeing."""
    lee = [report.row(f"wellbeing/{side}_bound/lee-bounds") for side in ("lower", "upper")]
    worst = [report.row(f"wellbeing/{side}_bound/worst-case") for side in ("lower", "upper")]
    return (
        f"Among those who would answer in either arm, the effect on wellbeing lies between {number(lee[0]['estimate'])}"
        f" and {number(lee[1]['estimate'])} (Lee\u2019s bounds). Without any assumption about those who did not answer"
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
        "The selection model puts the correlation between answering and wellbeing, beyond the covariates, at"
        f" {number(row['estimate'])} ({level(report.plan.conf_level)} CI {interval(row['conf_low'], row['conf_high'])};"
        " profile likelihood, people taken as"
        f" independent){'' if prose.is_clear(row) else ', so the answers leave even its sign open'}."
    )


@sentence
def tipping(report: StudyReport) -> str:
    """By how much those who did not answer would have to differ in wellbeing."""
    return _tipping(report, "wellbeing")


@sentence
def tipping_mediators(report: StudyReport) -> str:
    """The same for time pressure and efficacy."""
    return (
        f"Time pressure: {lowered(_tipping(report, 'time_pressure'))} Efficacy: {lowered(_tipping(report, 'efficacy'))}"
    )


def _tipping(report: StudyReport, outcome: str) -> str:
    # Higher scores mean better only where the outcome says so, so scores are called higher and lower.
    parts = []
    for arm, whom in (
        ("treated", "only the goal-setting staff who did not answer"),
        ("control", "only the control staff who did not answer"),
    ):
        found = []
        for end in ("low", "high"):
            row = report.row(f"{outcome}/tipping/{arm}-{end}")
            if row["status"] == "not_estimated" and is_refusal(row["note"]):  # and not: no shift of the grid is enough
                return prose.not_estimated(row)
            if row["status"] not in LACKING:
                word = "lower" if row["estimate"] < 0 else "higher"
                found.append(f"{number(abs(row['estimate']))} standard deviations {word}")
        limit = max(abs(delta) for delta in report.plan.tipping.deltas)
        parts.append(
            f"would change if {whom} scored {' or '.join(found)} than imputed"
            if found
            else (
                f"would not change even if {whom} scored {number(limit, 1)} standard deviations higher or lower than"
                " imputed"
            )
        )
    row = report.row(f"{outcome}/itt/imputed")
    verdict = prose.verdict(row, better=report.outcome(outcome).better)
    kind = "a clear difference" if verdict.clear else "no clear difference"
    return f"The conclusion with imputed answers ({kind}) {parts[0]}, and it {parts[1]}."


# ---------------------------------------------------------------- survey outcomes
@sentence
def selection(report: StudyReport) -> str:
    """How little the selection model rests on, in numbers."""
    two_step = report.row("wellbeing/itt/heckman-two-step")  # whose reason is that of the line's absence
    row = report.line("selection", "wellbeing", by="outcome")
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
        f"Of those in the highest third of wellbeing at the start {shares[0]}% answered at the end, of the lowest third"
        f" {shares[1]}%: those who felt better were {word} likely to answer."
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
