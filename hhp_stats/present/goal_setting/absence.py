"""Sickness absence: its effect in every version, its distribution, what it means in days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.figures import distribution, forest
from hhp_stats.present.goal_setting.named import figure, sentence, table
from hhp_stats.present.goal_setting.wellbeing import versions
from hhp_stats.present.listing import capital, clauses_named, listed_words
from hhp_stats.present.marked_text import plain
from hhp_stats.present.numbers import (
    apart,
    interval,
    level,
    lowered,
    number,
    p_clause,
    percent,
    side,
    spelled,
    withheld,
    withheld_note,
)
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import effects_table
from hhp_stats.results.frame import LACKING
from hhp_stats.studies.goal_setting_terms import primary_analysis

RATE, RATE_ALONE = "absence_rate/itt/cr1", "absence_rate/itt/unadjusted"


def arm_cells(report: StudyReport, outcome: str) -> dict[str, list[str]]:
    """Formatted arm means with standard deviations, for one outcome."""
    labels = report.plan.design.arm_labels
    cells = {}
    for arm in ("control", "treatment"):
        mean, sd = (report.row(f"{outcome}/{part}_{arm}/raw") for part in ("mean", "sd"))
        cells[labels[arm]] = [f"{number(mean['estimate'])} ({number(sd['estimate'])})"]
    return cells


@table
def primary_table(report: StudyReport) -> GT:
    """The planned analysis of sickness absence."""
    row = report.planned("sickness_absence")
    rows = pd.DataFrame([row])
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=[report.outcome("sickness_absence").label],
        stub="Outcome",
        arms=arm_cells(report, "sickness_absence"),
        notes=[
            f"Unit: {report.outcome('sickness_absence').unit}. Arms: mean (standard deviation) without adjustment.",
            (
                f"Difference: {row['method']}. Adjusted for gender, role, part-time work, length of service, baseline"
                " absence, arm of another trial and local authority."
            ),
            *_draws(row),
            f"{clauses_named(row['clause'].split())}.",
        ],
    )


def _draws(row: Mapping[str, Any]) -> list[str]:
    """How far the random draws of the imputation move a row, where they do."""
    if pd.isna(row["mc_error"]):
        return []
    return [f"Monte Carlo error: {number(row['mc_error'], 3)} of the difference, {number(row['mc_error_p'], 3)} of p."]


@table
def absence_versions(report: StudyReport) -> GT:
    """Every version of the absence analysis, the planned one first."""
    rows = versions(report, "sickness_absence")
    planned = report.planned("sickness_absence")
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=report.labels(rows),
        stub="Version",
        notes=[
            (
                f"Planned: {planned['method']}. One thing is changed at a time, except where resampling needs a single"
                " data set: those two analyses set missing baselines to zero with an indicator and should be compared"
                " with the analysis of that name."
            ),
            (
                "Clustered by team and authority: teams counts the authorities, the smaller of the two groupings."
                " Working days; goal-setting minus control."
            ),
        ],
    )


@sentence
def primary(report: StudyReport) -> str:
    """Direction, size and certainty of the effect on sickness absence."""
    return prose.difference(
        report.planned("sickness_absence"), report.outcome("sickness_absence"), offer=prose.offer_of(report.plan)
    )


@sentence
def absence_means(report: StudyReport) -> str:
    """The arm means of sickness absence, unadjusted."""
    means = [report.row(f"sickness_absence/mean_{arm}/raw")["estimate"] for arm in ("control", "treatment")]
    control, treated = map(number, means)
    weeks = report.plan.design.endline_weeks
    if plain(control) == plain(treated):
        return f"On average, staff of both groups were absent for {control} working days over the {weeks} weeks."
    return (
        f"On average, control staff were absent for {control} working days over the {weeks} weeks and staff offered"
        f" goal-setting for {treated}."
    )


@figure
def absence_versions_figure(report: StudyReport) -> EmbeddedFigure:
    """All versions of the absence analysis."""
    outcome = report.outcome("sickness_absence")
    rows, planned = versions(report, "sickness_absence"), report.planned("sickness_absence")
    if planned["status"] in LACKING:
        title = "no result"
    else:
        found = prose.verdict(planned, better=outcome.better)
        title = "no clear difference" if not found.clear else f"{found.direction} with goal-setting"
    words = "; ".join(
        (
            f"{label}: {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
            if row["status"] == "estimated"
            else f"{label}: not estimated"
        )
        for label, row in zip(report.labels(rows), rows.to_dict("records"), strict=True)
    )
    return embed(
        lambda width: forest(
            rows,
            labels=report.labels(rows),
            unit="working days",
            planned=str(planned["result_id"]),
            contrast=prose.contrast_of(report.plan).lower(),
            width=width,
        ),
        root=report.root,
        document=report.document,
        label="gs-absence-versions",
        conclusion=f"Sickness absence: {title} in the planned analysis",
        alt=(
            f"Estimates and {level(report.plan.conf_level)} intervals of the difference in days absent, goal-setting"
            f" minus control. {words}."
        ),
        caption=(
            f"Sickness absence, every version of the analysis: {title} in the planned one (diamond); "
            f"points are estimates, lines {level(report.plan.conf_level)} intervals"
        ),
    )


@figure
def absence_distribution(report: StudyReport) -> EmbeddedFigure:
    """Days absent by class, in both arms."""
    table, labels = report.table("absence_distribution"), report.plan.design.arm_labels
    words = "; ".join(
        f"{labels[str(arm)]}: "
        + ", ".join(f"{row['bin']} days {percent(row['share'], 0)}" for row in part.to_dict("records"))
        for arm, part in table.groupby("arm", sort=False)
    )
    zero = table.loc[table["bin"] == "0"].set_index("arm")["share"]
    caption = (
        "Days absent through sickness"
        if withheld(*zero)
        else (
            f"Days absent through sickness: {percent(zero['control'], 0)} of the control group and "
            f"{percent(zero['treatment'], 0)} of the goal-setting group had none"
        )
    )
    return embed(
        lambda width: distribution(table, unit="Working days absent over 24 weeks", arm_labels=labels, width=width),
        root=report.root,
        document=report.document,
        label="gs-absence-distribution",
        conclusion=caption,
        alt=f"Bars of the share of each arm by days absent. {words}.",
        caption=". ".join([caption, *(note.rstrip(".") for note in withheld_note(table))]),
    )


# ---------------------------------------------------------------- in brief
def _in_days(value: float) -> str:
    """A difference in absence in everyday words: `1.6 fewer days of absence`, `no difference`."""
    size = number(abs(value), 1)
    return "no difference" if not side(value) else f"{size} {'fewer' if value < 0 else 'more'} days of absence"


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
            f"The programme {'lowered' if found.direction == 'lower' else 'raised'} sickness absence. Over"
            f" {weeks} weeks"
            f" the true effect is likely to be between {_in_days(least)} and {_in_days(most)} for each person who was"
            " offered it."
        )
    return (
        f"We cannot tell whether the programme changed sickness absence. Over {weeks} weeks the true effect could be"
        f" anything from {_in_days(ends[0])} to {_in_days(ends[1])} for each person who was offered it."
    )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    # Not traced: a count of versions is no print of any of their numbers.
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


@sentence
def absence_robustness(report: StudyReport) -> str:
    """Do the other versions of the absence analysis agree, and which do not?"""
    better, planned = report.outcome("sickness_absence").better, report.planned("sickness_absence")
    rows = versions(report, "sickness_absence")
    said = prose.agreement(rows, planned, better=better)
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
                f" ({'clearly ' + found.direction + ' absence' if found.clear else 'could be chance'})"
            )
    if not other:
        return said
    lead = "One leads" if len(other) == 1 else f"{capital(spelled(len(other)))} lead"
    return f"{said} {lead} to another: {listed_words(other)}."


# ---------------------------------------------------------------- absence and turnover
@sentence
def absence_size(report: StudyReport) -> str:
    """The planned effect in standard deviations, and the p-value that is based on the draw alone."""
    g = report.row("sickness_absence/itt/hedges-g")
    drawn, zero = report.row("sickness_absence/itt/randomisation"), report.row("sickness_absence/itt/baseline-zero")
    return (
        f"In standard deviations the planned difference is {number(g['estimate'])}"
        f" ({interval(g['conf_low'], g['conf_high'])}). Randomisation inference, which assigns the arms again by the"
        f" trial\u2019s own rule, gives {p_clause(drawn['p_value'])}. The same model (missing baselines at zero with an"
        f" indicator) with standard errors clustered by team gives {p_clause(zero['p_value'])}."
    )


@sentence
def printed_days(report: StudyReport) -> str:
    """The ratio under the protocol's 11.75 days."""
    row = report.row("benefit_cost/ratio/printed-days")
    days = {scenario.key: scenario.days for scenario in report.plan.cost_benefit.scenarios}
    return (
        f"The protocol gives the programme\u2019s time as {number(days['printed-days'])} days,"
        f" {number(days['printed-days'] / days['programme-60'], 0)} to"
        f" {number(days['printed-days'] / days['programme-30'], 0)} times its length. With that, the ratio is only"
        f" {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})."
    )


@sentence
def absence_rate(report: StudyReport) -> str:
    """Days lost over days in post: the effect without taking any leaver's days further than they were seen."""
    row, outcome = report.row(RATE), report.outcome("absence_rate")
    if row["status"] in LACKING:
        return prose.not_estimated(row)
    arms = [report.row(f"absence_rate/mean_{arm}/raw") for arm in ("control", "treatment")]
    rates = apart(*(arm["estimate"] for arm in arms)) if all(arm["status"] not in LACKING for arm in arms) else None
    head = (
        f"Of every 100 working days in post, control staff lost {rates[0]} and staff offered goal-setting {rates[1]}. "
        if rates
        else ""
    )
    found = prose.verdict(row, better=outcome.better)
    said = (
        "no difference"
        if found.direction == "the same"
        else f"{number(abs(row['estimate']))} days {found.direction} in every 100"
    )
    verdict = "a clear difference" if found.clear else prose.MAY_BE_CHANCE
    return (
        f"{head}In this rate a leaver counts only for the days in post; no days are extrapolated. "
        f"Adjusted as planned, it was {said} in the goal-setting group ({prose.uncertainty(row)}), {verdict}."
    )


@sentence
def leaver_floors(report: StudyReport) -> str:
    """How much hangs on the days in post below which a leaver has no rate of their own?"""
    planned = report.row(primary_analysis(report.plan).id)
    usual = report.plan.measures.leaver_floor_days
    others = [one for one in report.plan.analyses if one.outcome == "sickness_absence" and one.leaver_floor != usual]
    found = [(one, report.row(one.id)) for one in others]
    found = sorted(
        ((one, row) for one, row in found if row["status"] not in LACKING), key=lambda pair: pair[0].leaver_floor
    )
    if planned["status"] in LACKING or not found:
        return "Other limits for the days that leavers were in post have nothing to be compared with."
    values = "; ".join(
        f"{'without a limit' if not one.leaver_floor else f'{one.leaver_floor:g} days'} {number(row['estimate'])} "
        f"({interval(row['conf_low'], row['conf_high'])})"
        for one, row in found
    )
    better = report.outcome("sickness_absence").better
    base = prose.verdict(planned, better=better)
    moved = [row for _, row in found if prose.verdict(row, better=better).clear != base.clear]
    stands = "none changes the conclusion" if not moved else f"{spelled(len(moved))} would change the conclusion"
    return (
        f"In the planned analysis, a leaver who was in post for fewer than {report.plan.measures.leaver_floor_days:g}"
        " working days has no rate of their own, because a few days of illness in a short stay would count as months."
        f" With other limits the difference is: {values}; planned {number(planned['estimate'])}. Of these, {stands}."
    )
