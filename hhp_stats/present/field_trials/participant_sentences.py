"""Sentences on a trial's people: who was drawn, answered and left, and what they remember."""

from __future__ import annotations

from hhp_stats.present import prose
from hhp_stats.present.field_trials.report import FieldTrialReport, group_of
from hhp_stats.present.numbers import (
    count,
    lowered,
    number,
    percent,
    plural,
    withheld,
)
from hhp_stats.results.frame import LACKING


def sample(report: FieldTrialReport) -> str:
    """How many were randomised, and how many to each arm."""
    arms = [(arm, report.count(f"randomised_{arm.id}")) for arm in (report.treatment, report.control)]
    if report.plan.design.cluster:
        return _clusters_drawn(report)
    return (
        f"In all, {count(report.count('randomised'))} people were randomly assigned: {count(arms[0][1])} to the"
        f" {group_of(report, arms[0][0])} and {count(arms[1][1])} to the {group_of(report, arms[1][0])}"
        f" (\u201c{lowered(arms[1][0].label)}\u201d)."
    )


def _clusters_drawn(report: FieldTrialReport) -> str:
    """The same where whole clusters were drawn: it is they that were randomised, with the people in them."""
    table, unit = report.table("clusters"), report.plan.design.unit
    parts = []
    for arm in (report.treatment, report.control):
        drawn = int((table["arm"] == arm.id).sum())
        people = plural(report.count(f"randomised_{arm.id}"), "person", "people")
        parts.append(f"{plural(drawn, unit)} with {people} to the {group_of(report, arm)}")
    whole = plural(report.count("randomised"), "person", "people")
    return f"In all, {plural(len(table), unit)} with {whole} were randomly assigned: {parts[0]} and {parts[1]}."


def answered(report: FieldTrialReport) -> str:
    """How many answered the primary outcome: for the summary, without a test."""
    primary = lowered(report.plan.primary.label)
    return (
        f"Of these, {count(report.count('responded'))} people ({percent(report.count('response_rate'))}) answered the"
        f" questions on {primary}."
    )


def response(report: FieldTrialReport) -> str:
    """How many answered the primary outcome in each arm, and whether response differs."""
    row, adjusted = report.planned("response"), report.adjusted_for("response")
    if row["status"] in LACKING:
        return prose.not_estimated(row)
    arms = (report.treatment, report.control)
    treated, control = (report.count(f"response_rate_{arm.id}") for arm in arms)
    rates = percent(treated, beside=[control]), percent(control, beside=[treated])
    by = f"; adjusted for {adjusted}, the difference is " if adjusted else ": the difference is "
    groups = [group_of(report, arm) for arm in arms]
    tail = "which is clear" if prose.is_clear(row) else "which could be chance"
    return (
        f"In the {groups[0]}, {rates[0]} answered, and in the {groups[1]}, {rates[1]}"
        f"{by}{number(100 * row['estimate'], 1)} percentage points"
        f" ({prose.uncertainty(row, digits=1, scale=100)}), {tail}."
    )


def balance(report: FieldTrialReport) -> str:
    """How far apart are respondents of the two arms in their baseline scores?"""
    rows = [
        row for row in report.records("balance") if row["population"] == "responders" and row["kind"] == "continuous"
    ]
    rows = [row for row in rows if not withheld(row["std_difference"])]
    if not rows:
        return (
            "The differences between the arms at baseline are withheld, because the number of people concerned is very"
            " small."
        )
    worst = max(rows, key=lambda row: abs(float(row["std_difference"])))
    name = report.outcome(str(worst["covariate"]).removesuffix("_t1")).label
    return (
        "Among respondents of the endline survey who had also answered the first one, the largest standardised"
        f" difference between the arms at baseline is {number(worst['std_difference'])} ({lowered(name)})."
    )


def flow_counts(report: FieldTrialReport) -> str:
    """What the survey exports held: responses, those set aside, and those that count."""
    rows = {row["wave"]: row for row in report.records("linkage")}
    row, first = rows["endline"], rows["baseline"]
    before = (
        "The number of baseline responses that were used is withheld, because it would give away a very small one."
        if withheld(first["matched"])
        else f"Of the baseline responses, {count(first['matched'])} were used."
    )
    if withheld(row["responses"], row["matched"]):
        return f"The numbers of endline responses are withheld, to protect a very small one. {before}"
    head = f"Of {plural(row['responses'], 'endline response')} received, {count(row['matched'])} were used"
    if withheld(row["consented"], row["duplicates"], row["unmatched"]):
        rest = ". The rest had no consent, were duplicates or could not be matched (numbers too small to publish)"
    else:
        rest = (
            f"; {count(row['consented'])} came with consent, of which {count(row['duplicates'])} were duplicates and"
            f" {count(row['unmatched'])} could not be matched"
        )
    return f"{head}{rest}. {before}"


def left(report: FieldTrialReport) -> str:
    """Share of the randomised who had left by the endline."""
    return percent(report.count("left"), 0)


def recall(report: FieldTrialReport) -> str:
    """Who remembers the messages."""
    asked, yes = report.count("recall_asked"), report.count("recall_yes")
    if withheld(asked, yes):
        return (
            "In the data of this report, the number of people who remembered receiving the messages is withheld,"
            " because it would give away very few people."
        )
    if not asked:
        whom = group_of(report, report.treatment)
        return f"No one of the {whom} answered whether they remembered receiving the messages."
    return (
        f"{count(yes)} of the {count(asked)} people of the {group_of(report, report.treatment)} who answered this"
        f" question ({percent(yes / asked, 0)}) remembered receiving the messages."
    )
