"""Sentences on a trial's effects: size, certainty, direction, and whether other versions agree."""

from __future__ import annotations

import pandas as pd

from hhp_stats.plan.individual import IndividualOutcome
from hhp_stats.present import prose
from hhp_stats.present.field_trials.report import FieldTrialReport, group_of, in_words
from hhp_stats.present.listing import capital, listed_words
from hhp_stats.present.numbers import alpha_of, interval, level, lowered, number, p_clause
from hhp_stats.results.frame import LACKING
from hhp_stats.results.lacking import as_sentence

RESPONSE = "response"  # the outcome that answering is, which every plan of a survey has


def effect(report: FieldTrialReport, outcome: str) -> str:
    """The planned analysis of one outcome: direction, size, interval, p and verdict. The table has the arms' means."""
    entry, row = report.outcome(outcome), report.planned(outcome)
    if row["status"] in LACKING:
        return f"{entry.label} could not be analysed. {as_sentence(row['note'])}"
    found, adjusted = prose.verdict(row, better=entry.better), report.adjusted_for(outcome)
    arm = report.treatment if found.favours == "treatment" else report.control
    gap = f"{number(abs(row['estimate']))} points {found.direction} in the {group_of(report, report.treatment)}"
    if found.direction == "the same":
        gap = "the same in both groups"
    tail = (
        f": a clear difference in favour of the {group_of(report, arm)}" if found.clear else f", {prose.MAY_BE_CHANCE}"
    )
    tail = "" if found.direction == "the same" else tail
    by = f", adjusted for {adjusted}," if adjusted else ""
    return (
        f"{entry.label}{by} was {gap} ({prose.uncertainty(row)}){tail}. In standard deviations"
        f" this is {_standardised(report, outcome)}."
    )


def lacking(report: FieldTrialReport) -> dict[str, list[str]]:
    """The outcomes whose planned analysis has no result, by the reason: what several share is said once."""
    found: dict[str, list[str]] = {}
    for outcome in report.plan.outcomes.values():
        row = report.planned(outcome.id)
        if outcome.id != RESPONSE and row["status"] in LACKING:
            found.setdefault(as_sentence(row["note"]), []).append(outcome.label)
    return found


def not_analysed(report: FieldTrialReport) -> str:
    """Which outcomes could not be analysed, and why; "" where all could."""
    return " ".join(
        f"{capital(listed_words([lowered(label) for label in labels]))} could not be analysed. {reason}"
        for reason, labels in lacking(report).items()
    )


def _standardised(report: FieldTrialReport, outcome: str) -> str:
    row = report.row(f"{outcome}/itt/hedges-g")
    return f"{number(row['estimate'])} ({level(row['conf_level'])} CI {interval(row['conf_low'], row['conf_high'])})"


def standardised(report: FieldTrialReport, outcome: str) -> str:
    """Hedges' g with its interval."""
    return _standardised(report, outcome)


def short(report: FieldTrialReport, outcome: str) -> str:
    """One clause for the summary: name, direction, size in SD, verdict."""
    entry, row = report.outcome(outcome), report.planned(outcome)
    if row["status"] in LACKING:
        return f"{entry.label} could not be analysed."
    found = prose.verdict(row, better=entry.better)
    g = report.row(f"{outcome}/itt/hedges-g")
    evidence = f"({number(g['estimate'])} SD, {p_clause(row['p_value'])})"
    where = f"in the {group_of(report, report.treatment)}"
    if found.direction == "the same":
        return f"{entry.label}: the same in both groups {evidence}."
    if found.clear:
        return f"{entry.label}: clearly {found.direction} {where} {evidence}."
    return f"{entry.label}: {found.direction} {where} {evidence}, but this could be chance."


def verdict(report: FieldTrialReport) -> str:
    """All outcomes in one sentence: how many show a clear difference, before and after Holm's adjustment."""
    rows = [(o, report.planned(o.id)) for o in report.measured]
    clear = [o for o, row in rows if prose.is_clear(row)]
    smallest = min((row for _, row in rows), key=lambda row: row["p_value"])
    name, evidence = lowered(report.outcome(str(smallest["outcome"])).label), p_clause(smallest["p_value"])
    kept = sum(row["p_adjusted"] < alpha_of(report.plan.conf_level) for _, row in rows)
    if not clear and len(rows) == 1:
        return f"We found no clear effect on {name} ({evidence})."
    if not clear:
        which = "either of the two" if len(rows) == 2 else f"any of the {in_words(len(rows))}"
        return f"We found no clear effect on {which} outcomes (smallest {evidence}, for {name})."
    named = listed_words([lowered(o.label) for o in clear])
    if len(rows) == 1:
        return f"We found a clear effect on {named} ({evidence})."
    left = "none remains" if not kept else "all remain" if kept == len(clear) > 1 else f"{in_words(kept)} remain"
    return (
        f"We found a clear effect on {in_words(len(clear))} of the {in_words(len(rows))} outcomes: {named} (smallest"
        f" {evidence}, for {name}). After Holm\u2019s adjustment for {in_words(len(rows))} outcomes,"
        f" {left}{'s' if kept == 1 else ''}."
    )


def towards(report: FieldTrialReport) -> str:
    """Which outcomes point to the better side, which to the worse: signs only, with no claim about size."""
    better: list[str] = []
    worse: list[str] = []
    for outcome in report.measured:
        found = prose.verdict(report.planned(outcome.id), better=outcome.better)
        if found.favours != "neither":
            (better if found.favours == "treatment" else worse).append(lowered(outcome.label))
    parts = []
    for names, arm in ((better, report.treatment), (worse, report.control)):
        if names:
            verb = "was" if len(names) == 1 else "were"
            parts.append(f"{listed_words(names)} {verb} better in the {group_of(report, arm)}")
    if not parts:
        return "No outcome points to either group."
    text = "; ".join(parts)
    return (
        f"{text[0].upper()}{text[1:]}. All of this could be chance."
        if not _any_clear(report)
        else f"{text[0].upper()}{text[1:]}."
    )


def _any_clear(report: FieldTrialReport) -> bool:
    return any(prose.is_clear(report.planned(outcome.id)) for outcome in report.measured)


def robustness(report: FieldTrialReport, outcome: str) -> str:
    """Do the other versions of the analysis agree with the planned one?"""
    entry = report.outcome(outcome)
    rows = versions(report, entry)
    rows = rows.loc[rows["estimand"] == "itt"]
    rows = rows.loc[~rows["result_id"].str.endswith(("hedges-g", "lee"))]
    return prose.agreement(rows, report.planned(outcome), better=entry.better)


def versions(report: FieldTrialReport, outcome: IndividualOutcome) -> pd.DataFrame:
    """Rows of all analyses of an outcome that the plan names, in its order."""
    named = [report.plan.result_id(a) for a in report.plan.analyses if a.outcome == outcome.id]
    frame = report.output.results.set_index("result_id", drop=False)
    return frame.loc[named].reset_index(drop=True)


def spread(report: FieldTrialReport, outcome: str) -> str:
    """The standard deviations of an outcome in both arms."""
    treated, control = (
        report.row(f"{outcome}/sd_{arm.id}/raw")["estimate"] for arm in (report.treatment, report.control)
    )
    groups = [group_of(report, arm) for arm in (report.treatment, report.control)]
    return f"{number(treated)} in the {groups[0]} and {number(control)} in the {groups[1]}"
