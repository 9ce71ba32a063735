"""Sentences that conclude: what the data leave open, what non-response could change, whether the effect fades."""

from __future__ import annotations

from hhp_stats.present import prose
from hhp_stats.present.field_trials.report import FieldTrialReport, group_of, in_words
from hhp_stats.present.numbers import apart, count, interval, level, lowered, number, p_clause, side
from hhp_stats.present.status import read_release
from hhp_stats.results.frame import LACKING


def reach(report: FieldTrialReport) -> str:
    """How large an effect do the data leave open? The widest ends of all intervals, in standard deviations, better
    upwards.
    """
    ends = []
    for outcome in report.measured:
        row = report.row(f"{outcome.id}/itt/hedges-g")
        sign = 1.0 if outcome.better == "higher" else -1.0
        ends += [sign * row["conf_low"], sign * row["conf_high"]]
    group = group_of(report, report.treatment)
    return (
        f"Taken together, the intervals run from {number(min(ends))} standard deviations (worse for the {group}) to"
        f" {number(max(ends))} (better). The answers are consistent with effects inside this range, but hardly with"
        " effects outside it."
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
        return "No interval includes both no effect and an effect of the size planned for."
    share = "all outcomes" if all(both) else f"{in_words(sum(both))} of the {in_words(len(both))} outcomes"
    one = " For this outcome" if sum(both) == 1 else " For these outcomes"
    return (
        f"For {share}, the interval includes zero as well as the benefit of {number(planned)} SD that the"
        f" trial was planned to detect.{one} the trial cannot say whether the programme helps."
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
        "But it does not contradict it either: the interval includes a fall in burnout of the size expected."
        if inside
        else f"Its interval excludes the expected fall in burnout of {number(benchmark)} standard deviations."
    )
    return f"The result does not repeat that of the emergency call centres. {tail}"


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
        f"Among people who would answer in either arm, the effect on {lowered(report.measured[0].label)} lies between "
        f"{' and '.join(apart(low['estimate'], high['estimate']))}, if the programme changes response in one direction"
        f" only ({level(row['conf_level'])} CI {reach}, which {word} zero)."
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
    return f"Averaged over the outcomes, the effects from the first period to the last are: {steps}."


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
            f"{head}. This test was not planned, and respondents choose when they answer: it suggests a question, it is"
            " not a finding."
        )
    return f"{head}, which chance may explain."


def attenuation_hint(report: FieldTrialReport) -> str:
    """For the summary: does the unplanned look at the time of response show a change?"""
    row = report.row("average/arm_by_week/cr1-sd")
    if not prose.is_clear(row):
        return "shows no clear change of the effect over time"
    return f"suggests an effect that {'fades' if side(row['estimate']) < 0 else 'grows'}"


def fading_note(report: FieldTrialReport) -> str:
    """That the decline in a synthetic release was planted; nothing once the data are real."""
    if not read_release(report.root).is_synthetic(report.plan.study):
        return ""
    return (
        "In the synthetic data the decline was put in on purpose, because the published text describes one. The tables"
        " show what such a decline looks like with so few answers a week. They prove nothing about the programme."
    )


def by_block(report: FieldTrialReport, outcome: str) -> str:
    """SWING: the effects of both cohorts and their difference."""
    one, two = (report.row(f"{outcome}/itt_cohort_{n}/hc2") for n in (1, 2))
    gap = report.row(f"{outcome}/arm_by_cohort/hc2")
    clear = prose.is_clear(gap)
    tail = "a clear difference between the cohorts" if clear else prose.MAY_BE_CHANCE
    return (
        f"{report.outcome(outcome).label}: {number(one['estimate'])} in the first cohort"
        f" ({interval(one['conf_low'], one['conf_high'])}) and {number(two['estimate'])} in the second"
        f" ({interval(two['conf_low'], two['conf_high'])}), {tail} ({p_clause(gap['p_value'])})."
    )
