"""Tables of a trial's results: every outcome as planned, all versions, and what each sample can detect."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from great_tables import GT

from hhp_stats.present.field_trials.effect_sentences import lacking, versions
from hhp_stats.present.field_trials.report import FieldTrialReport, rows_of
from hhp_stats.present.listing import capital, clauses_named, listed_words
from hhp_stats.present.numbers import (
    MISSING,
    count,
    interval,
    level,
    lowered,
    number,
    p_value,
    percent,
)
from hhp_stats.present.status import read_release
from hhp_stats.present.study_results import Row
from hhp_stats.present.tables import filled, plain_table
from hhp_stats.results.frame import LACKING
from hhp_stats.results.lacking import as_sentence


def reach(row: Row, digits: int = 2) -> str:
    """The interval of a row as a table has it, or that there is none."""
    return MISSING if pd.isna(row["conf_low"]) else interval(row["conf_low"], row["conf_high"], digits)


def _together(labels: Sequence[str]) -> str:
    return capital(listed_words([lowered(label) for label in labels]))


def _arm(row: Row) -> str:
    return f"{number(row['estimate'])} ({number(row['std_error'])}), {count(row['n'])}"


def outcomes(report: FieldTrialReport) -> GT:
    """The planned analysis of every outcome, with Holm's adjustment."""
    cells: list[dict[str, str]] = []
    notes = [f"{_together(labels)}: {reason}" for reason, labels in lacking(report).items()]
    for outcome in report.plan.outcomes.values():
        if outcome.id == "response":
            continue
        row = report.planned(outcome.id)
        if row["status"] in LACKING:
            means = [MISSING, MISSING]
        else:
            means = [_arm(report.arm(outcome.id, arm)) for arm in (report.treatment, report.control)]
        cells.append(
            {
                "Outcome": outcome.label,
                report.treatment.label: means[0],
                report.control.label: means[1],
                "Difference": number(row["estimate"]),
                f"{level(row['conf_level'])} CI": reach(row),
                "p": p_value(row["p_value"]),
                "Holm p": p_value(row["p_adjusted"]),
                "Better": outcome.better,
            }
        )
    planned = report.planned(report.measured[0].id)
    return plain_table(
        pd.DataFrame(cells),
        stub="Outcome",
        spanner=[report.treatment.label, report.control.label],
        notes=[
            _arms_note(report),
            f"{planned['method']}; people who answered the outcome.{_clauses(report)}",
            (
                "Holm p: adjusted over the outcomes of the trial. Better: the direction in which more of the outcome is"
                " good."
            ),
            *notes,
        ],
    )


def _arms_note(report: FieldTrialReport) -> str:
    """What the columns of arms and the column of differences hold: of one kind, or raw beside adjusted."""
    by = {outcome.label: report.adjusted_for(outcome.id) for outcome in report.measured}
    if not any(by.values()):
        return "Arms: mean (standard error), people. Difference: treated minus control."
    words = next(iter(by.values()))
    if len(set(by.values())) > 1:
        words = "; ".join(f"{lowered(label)}: {terms or 'nothing'}" for label, terms in by.items())
    return f"Arms: raw mean (standard error), people. Difference: treated minus control, adjusted for {words}."


def _clauses(report: FieldTrialReport) -> str:
    found = [c for o in report.measured for c in str(report.planned(o.id)["clause"]).split()]
    return f" {clauses_named(found)}." if found else ""


def version_table(report: FieldTrialReport, outcome: str) -> GT:
    """Every version of the analysis of one outcome, the planned one first."""
    entry = report.outcome(outcome)
    cells, notes = (
        [],
        [f"Unit: {entry.unit}, but standard deviations in the last line. Difference: treated minus control."],
    )
    for row in rows_of(versions(report, entry)):
        analysis = report.plan.analysis(str(row["result_id"]).split("/", 1)[1])
        cells.append(
            {
                "Version": analysis.label,
                "Difference": number(row["estimate"]),
                f"{level(row['conf_level'])} CI": reach(row),
                "p": p_value(row["p_value"]),
                "People": count(row["n"]),
                "Kind": row["analysis"],
            }
        )
        if row["status"] in LACKING:
            notes.append(f"{analysis.label}: {as_sentence(row['note'])}")
    return plain_table(pd.DataFrame(cells), stub="Version", notes=notes)


def all_versions(report: FieldTrialReport) -> GT:
    """Every version for all outcomes, grouped."""
    cells: list[dict[str, str]] = []
    for outcome in report.measured:
        for row in rows_of(versions(report, outcome)):
            analysis = report.plan.analysis(str(row["result_id"]).split("/", 1)[1])
            cells.append(
                {
                    "Version": analysis.label,
                    "of": outcome.label,
                    "Difference": number(row["estimate"]),
                    f"{level(row['conf_level'])} CI": reach(row),
                    "p": p_value(row["p_value"]),
                    "People": count(row["n"]),
                    "Kind": row["analysis"],
                }
            )
    return plain_table(
        pd.DataFrame(cells),
        stub="Version",
        groups="of",
        notes=[
            (
                "Difference: treated minus control, in the unit of the outcome; in standard deviations where the line"
                " says so."
            ),
            "Each sensitivity analysis changes one thing in the planned analysis.",
        ],
    )


def measures(report: FieldTrialReport) -> GT:
    """What was measured: scales, items, range, reliability; and what the report leaves open."""
    reliability = {row["scale"]: row["estimate"] for row in report.records("reliability")}
    scales = report.plan.scales.values()
    synthetic = read_release(report.root).is_synthetic(report.plan.study)
    cells = {
        "Scale": [scale.label for scale in scales],
        "Items": [count(len(scale.items)) for scale in scales],
        "Range": [f"{scale.low:g} to {scale.high:g}" for scale in scales],
        "Consistency": [number(reliability.get(scale.id)) for scale in scales],
    }
    assumed = [scale for scale in scales if not scale.printed]
    which = "" if len(assumed) == len(scales) else f" ({listed_words([lowered(scale.label) for scale in assumed])})"
    return plain_table(
        pd.DataFrame(cells),
        stub="Scale",
        notes=[
            *([f"The documents name no questionnaire: the scales are assumed{which}."] if assumed else []),
            "Consistency: Cronbach\u2019s alpha at the endline, for two items the Spearman-Brown coefficient."
            + (" It describes synthetic answers and says nothing about the questionnaires." if synthetic else ""),
        ],
    )


def power(report: FieldTrialReport) -> GT:
    """Detectable effects as printed and as the formula has them."""
    cells: list[dict[str, str]] = []
    clustered = bool(report.plan.design.cluster)
    for entry in report.plan.power.values():
        row = report.detectable(entry.id)
        # How many people an effect takes depends, where clusters were drawn, on how many clusters there are.
        asked = entry.printed is not None and not clustered
        needed = report.row(f"power/people_needed_{entry.id}/formula") if asked else None
        cells.append(
            {
                "Sample": entry.label,
                "Response": MISSING if entry.response is None else percent(entry.response, 0),
                "People": count(row["n"]),
                "Printed effect": number(entry.printed) if entry.printed is not None else MISSING,
                "Computed effect": number(row["estimate"]),
                "People for the published effect": MISSING if needed is None else count(round(needed["estimate"])),
            }
        )
    first = next(iter(report.plan.power.values()))
    basis = "equal arms, no covariates"
    if clustered:
        basis = f"the sizes of each {report.plan.design.unit} and its people as similar as found here, no covariates"
    return plain_table(
        filled(pd.DataFrame(cells), stub="Sample"),
        stub="Sample",
        notes=[
            f"Smallest difference in standard deviations that is found with a power of {percent(first.power, 0)} at a"
            f" two-sided level of {number(first.alpha)}; {basis}."
        ],
    )
