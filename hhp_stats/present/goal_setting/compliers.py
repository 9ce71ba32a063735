"""Taking part, and what it did to those who took part. Tables and sentences."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.goal_setting.participants import _WITHHELD
from hhp_stats.present.numbers import (
    count,
    interval,
    level,
    number,
    percent,
    plural,
    withheld,
    withheld_note,
)
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import effects_table, plain_table
from hhp_stats.results.frame import LACKING
from hhp_stats.studies.goal_setting_terms import primary_analysis, versions_of_baselines


@table
def uptake_table(report: StudyReport) -> GT:
    """Who took part: course log, survey, and modules completed by those who started."""
    table, modules = report.table("uptake"), report.table("modules")
    sources = {"started": "Course log", "completed": "Course log", "crossed": "Course log"}
    rows = [
        {
            "Taking part": row["label"],
            "of": sources.get(row["key"], "Answers to the endline survey, goal-setting group"),
            "People": count(row["people"]),
            "Of": count(row["of"]),
            "Share": percent(row["share"]),
        }
        for row in table.to_dict("records")
    ]
    started = report.lines("uptake", by="key")["started"]["people"]
    rows += [
        {
            "Taking part": plural(row["modules"], "module"),
            "of": "Modules completed by those who started",
            "People": count(row["people"]),
            "Of": count(started),
            "Share": percent(row["share"]),
        }
        for row in modules.to_dict("records")
    ]
    notes = dict.fromkeys([*withheld_note(table), *withheld_note(modules)])
    return plain_table(pd.DataFrame(rows), stub="Taking part", groups="of", notes=list(notes))


@sentence
def uptake(report: StudyReport) -> str:
    """Who started and who finished the course."""
    table = report.table("uptake").set_index("key")
    started, completed = table.loc["started"], table.loc["completed"]
    if withheld(started["of"], started["people"]):
        return f"How many started the course {_WITHHELD}"
    if withheld(completed["people"]):
        return (
            f"Of {plural(started['of'], 'person', 'people')} offered the programme, {count(started['people'])} "
            f"({percent(started['share'])}) started it; how many completed all six modules {_WITHHELD}"
        )
    return (
        f"Of {plural(started['of'], 'person', 'people')} offered the programme, {count(started['people'])} "
        f"({percent(started['share'])}) started it and {count(completed['people'])} ({percent(completed['share'])}) "
        "completed all six modules."
    )


@sentence
def recall(report: StudyReport) -> str:
    """Who remembered it, and who protected time."""
    table = report.table("uptake").set_index("key")
    recalled, diary = table.loc["no_recall"], table.loc["protected"]
    if withheld(recalled["share"], diary["share"]):
        return f"How many recalled the programme, or booked time for it in their diary, {_WITHHELD}"
    if pd.isna(recalled["share"]) or pd.isna(diary["share"]):
        return (
            "No one in the goal-setting group said whether they recalled the programme or booked time for it in their"
            " diary."
        )
    return (
        f"Of those who were offered it and answered the survey, {percent(recalled['share'], 0)} did not recall it or"
        f" were unsure, and {percent(diary['share'], 0)} had booked time for it in their diary."
    )


BASELINE_WAYS = {
    "multiple_imputation": "imputed",
    "zero_with_indicator": "set to zero with an indicator",
    "mean": "set to the mean",
    "mean_with_indicator": "set to the mean with an indicator",
    "complete_cases": "left out with those concerned",
}


@table
def compliers(report: StudyReport) -> GT:
    """The effect of starting the course on those whom the offer moved to start it."""
    rows = pd.DataFrame([report.row(f"{key}/cace/iv") for key in ("sickness_absence", "turnover")])
    labels = [
        f"{report.outcome(row['outcome']).label} ({report.outcome(row['outcome']).unit})"
        for row in rows.to_dict("records")
    ]
    notes = [
        f"{label.split(' (')[0]}: {row['note']}"
        for label, row in zip(labels, rows.to_dict("records"), strict=True)
        if row["note"] and row["status"] not in LACKING
    ]
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=labels,
        stub="Outcome",
        digits=3,
        notes=[
            (
                "Two-stage least squares, the arm as instrument for starting the course; errors clustered by team."
                f" Beyond the protocol. {_baselines_of_compliers(report)}"
            ),
            *notes,
        ],
    )


def _baselines_of_compliers(report: StudyReport) -> str:
    """That the effect of starting deals with missing baselines in another way than the planned effect, where it
    does.
    """
    here, planned = (
        report.plan.analysis(key) for key in ("sickness_absence/cace/iv", primary_analysis(report.plan).id)
    )
    if here.baseline_absence == planned.baseline_absence:
        return "Missing baselines are dealt with as in the planned analysis."
    offer = next(
        one.id
        for one in versions_of_baselines(report.plan)
        if one.adjusted and one.baseline_absence == here.baseline_absence
    )
    row = report.row(offer)
    return (
        f"Missing baselines are {BASELINE_WAYS[here.baseline_absence]}; the planned analysis has them"
        f" {BASELINE_WAYS[planned.baseline_absence]}. The effect of the offer that belongs to it is"
        f" {number(row['estimate'])} days ({interval(row['conf_low'], row['conf_high'])})."
    )


@sentence
def complier(report: StudyReport) -> str:
    """The effect of starting on absence."""
    row, outcome = report.row("sickness_absence/cace/iv"), report.outcome("sickness_absence")
    if row["status"] in LACKING:
        return prose.not_estimated(row)
    found = prose.verdict(row, better=outcome.better)
    # Those who did not start are not seen to start: what starting did is an estimate in another sense than a mean.
    verb = "lowered" if found.direction == "lower" else "raised"
    did = f"{verb} absence by an estimated {number(abs(row['estimate']))} working days"
    return (
        "For those who started because of the offer, starting the programme"
        f" {did if found.direction != 'the same' else 'left absence as it was'}"
        f" ({prose.uncertainty(row)}), {'a clear difference' if found.clear else prose.MAY_BE_CHANCE}."
    )


@sentence
def instrument(report: StudyReport) -> str:
    """How strongly the offer moved people to start, and the interval that holds however weakly it did."""
    first, robust = report.row("sickness_absence/uptake/iv"), report.row("sickness_absence/cace/iv-anderson-rubin")
    moved = "raised" if first["estimate"] >= 0 else "lowered"
    return (
        f"The offer {moved} the share who started the programme by {number(abs(100 * first['estimate']), 1)} percentage"
        f" points ({level(report.plan.conf_level)} CI {interval(100 * first['conf_low'], 100 * first['conf_high'], 1)};"
        f" first-stage F {number(first['statistic'] ** 2, 0)}). Anderson and Rubin\u2019s interval, which is valid"
        f" however few people start because of the offer, is {interval(robust['conf_low'], robust['conf_high'])} days."
    )
