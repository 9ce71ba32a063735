"""Sentences that conclude: what the data leave open, what non-response could change, whether the effect fades."""

from __future__ import annotations

from hhp_stats.present import prose
from hhp_stats.present.field_trials.report import FieldTrialReport, in_words, inside
from hhp_stats.present.numbers import apart, count, interval, level, number, p_clause, side
from hhp_stats.present.status import read_release
from hhp_stats.results import LACKING


def reach(report: FieldTrialReport) -> str:
    """How large an effect do the data leave open? The widest ends of all intervals, in standard deviations, better
    upwards.
    """
    ends = []
    for outcome in report.measured:
        row = report.row(f"{outcome.id}/itt/hedges-g")
        sign = 1.0 if outcome.better == "higher" else -1.0
        ends += [sign * row["conf_low"], sign * row["conf_high"]]
    return (
        f"Taken together, the intervals run from {number(min(ends))} (worse for the treated) to {number(max(ends))}"
        " standard deviations (better): effects outside this range are hard to reconcile with the answers, effects"
        " inside it are not."
    )


def inconclusive(report: FieldTrialReport) -> str:
    """Can the trial tell no effect from the effect it was planned for?"""
    planned = report.plan.power["planned"].printed
    rows = [(o, report.row(f"{o.id}/itt/hedges-g")) for o in report.measured]
    both = []
    for outcome, row in rows:
        sign = 1.0 if outcome.better == "higher" else -1.0
        low, high = sorted((sign * row["conf_low"], sign * row["conf_high"]))
        both.append(planned is not None and low <= 0 <= high and low <= planned <= high)
    if planned is None or not any(both):
        return "No outcome leaves both open: no effect, and one of the size planned for."
    share = "every outcome" if all(both) else f"{in_words(sum(both))} of the {in_words(len(both))} outcomes"
    return (
        f"For {share}, the interval holds both zero and the benefit of {number(planned)} standard deviations that the"
        " trial was planned to detect: there it speaks neither for the offer nor against it."
    )


def against_model(report: FieldTrialReport) -> str:
    """Does burnout fall as in the experiment that served as model?"""
    row, outcome = report.planned("burnout"), report.outcome("burnout")
    found = prose.verdict(row, better=outcome.better)
    g, benchmark = report.row("burnout/itt/hedges-g"), report.plan.fact("benchmark")
    if found.clear and found.favours == "treatment":
        return "As in the emergency call centres, burnout was clearly lower among those who received messages."
    inside = g["conf_low"] <= -benchmark <= g["conf_high"]
    tail = (
        "nor does it refute it: a fall of the size expected lies within the interval"
        if inside
        else (
            f"and a fall in burnout of {number(benchmark)} standard deviations, the size expected, lies outside its"
            " interval"
        )
    )
    return f"The result does not repeat that of the emergency call centres, {tail}."


def bounds(report: FieldTrialReport) -> str:
    """What could those who did not answer change? Lee's bounds on the primary outcome."""
    outcome = report.measured[0].id
    row = report.row(f"{outcome}/itt/lee")
    if row["status"] in LACKING:
        return prose.not_estimated(row)
    low, high = (report.row(f"{outcome}/{end}_bound/lee") for end in ("lower", "upper"))
    reach = interval(row["conf_low"], row["conf_high"])
    word = "excludes" if prose.is_clear(row) else "includes"
    return (
        f"Among people who would answer in either arm, the effect on {inside(report.measured[0].label)} lies between "
        f"{' and '.join(apart(low['estimate'], high['estimate']))}, if the offer moves response in one direction only "
        f"({level(row['conf_level'])} CI {reach}, which {word} zero)."
    )


def attenuation(report: FieldTrialReport) -> str:
    """The average effect by period, first to last, and the test of a linear change."""
    periods = report.table("periods")["period"]
    rows = [report.row(f"average/period_{int(period)}/cr1-sd") for period in periods]
    steps = "; ".join(
        (
            "withheld"
            if row["status"] == "withheld"
            else f"{number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])}, {count(row['n'])} people)"
        )
        for row in rows
    )
    return f"Averaged over the outcomes, the effect from the first period to the last is {steps}."


def attenuation_test(report: FieldTrialReport) -> str:
    """Does the average effect change with the week of response?"""
    row = report.row("average/arm_by_week/cr1-sd")
    word = "falls" if row["estimate"] < 0 else "rises"
    clear = prose.is_clear(row)
    head = (
        f"The average effect {word} by {number(abs(row['estimate']))} standard deviations a week"
        f" ({prose.uncertainty(row)})"
    )
    if clear:
        return (
            f"{head}. Nobody planned this test, and the week of response is chosen by the respondent: it is a lead, not"
            " a finding."
        )
    return f"{head}, which chance may explain."


def attenuation_hint(report: FieldTrialReport) -> str:
    """For the summary: does the unplanned look at the time of response show a change?"""
    row = report.row("average/arm_by_week/cr1-sd")
    if not prose.is_clear(row):
        return "shows no clear change of the effect over time"
    return f"hints at an effect that {'fades' if side(row['estimate']) < 0 else 'grows'}"


def fading_note(report: FieldTrialReport) -> str:
    """That the decline in a synthetic release was planted; nothing once the data are real."""
    if not read_release(report.root).is_synthetic(report.plan.study):
        return ""
    return (
        "In this release the decline was put in on purpose, because the published text describes one; the tables show"
        " what such a decline looks like with so few answers a week, and prove nothing about the offer."
    )


def by_block(report: FieldTrialReport, outcome: str) -> str:
    """SWING: the effects of both cohorts and their difference."""
    one, two = (report.row(f"{outcome}/itt_cohort_{n}/hc2") for n in (1, 2))
    gap = report.row(f"{outcome}/arm_by_cohort/hc2")
    clear = prose.is_clear(gap)
    tail = "a clear difference between the cohorts" if clear else "no clear difference between the cohorts"
    return (
        f"{report.outcome(outcome).label}: {number(one['estimate'])} in the first cohort"
        f" ({interval(one['conf_low'], one['conf_high'])}), {number(two['estimate'])} in the second"
        f" ({interval(two['conf_low'], two['conf_high'])}), {tail} ({p_clause(gap['p_value'])})."
    )
