"""The sentences of the field-trial chapters; every number in them is a row's, a count's or a fact's of the plan."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from hhp_stats.lacking import as_sentence
from hhp_stats.plan.individual import StudyOutcome
from hhp_stats.present import prose
from hhp_stats.present.field_trials.conclusions import (
    against_model,
    attenuation,
    attenuation_hint,
    attenuation_test,
    bounds,
    by_block,
    fading_note,
    inconclusive,
    reach,
)
from hhp_stats.present.field_trials.published import conflict, gap_needed, printed_p, reproduced
from hhp_stats.present.field_trials.report import FieldTrialReport, Row, in_words, inside
from hhp_stats.present.numbers import (
    WITHHELD,
    alpha_of,
    count,
    digits_apart,
    interval,
    level,
    limit_of_p,
    listed_words,
    number,
    p_clause,
    percent,
    plural,
    withheld,
)
from hhp_stats.results import LACKING


def sample(report: FieldTrialReport) -> str:
    """How many were randomised, and how many to each arm."""
    arms = [(arm, report.count(f"randomised_{arm.id}")) for arm in (report.treatment, report.control)]
    if report.plan.design.cluster:
        return _clusters_drawn(report)
    return (
        f"{count(report.count('randomised'))} people were randomised: {count(arms[0][1])} to the arm"
        f" \u201c{inside(arms[0][0].label)}\u201d and {count(arms[1][1])} to the arm"
        f" \u201c{inside(arms[1][0].label)}\u201d."
    )


def _clusters_drawn(report: FieldTrialReport) -> str:
    """The same where whole clusters were drawn: it is they that were randomised, with the people in them."""
    table, unit = report.table("clusters"), report.plan.design.unit
    parts = []
    for arm in (report.treatment, report.control):
        drawn = int((table["arm"] == arm.id).sum())
        people = plural(report.count(f"randomised_{arm.id}"), "person", "people")
        parts.append(f"{plural(drawn, unit)} with {people} to the arm \u201c{inside(arm.label)}\u201d")
    whole = plural(report.count("randomised"), "person", "people")
    return f"{plural(len(table), unit)} with {whole} were randomised: {parts[0]} and {parts[1]}."


def answered(report: FieldTrialReport) -> str:
    """How many answered the primary outcome, in all and by arm, and whether response differs."""
    row, adjusted = report.planned("response"), report.adjusted_for("response")
    if row["status"] in LACKING:
        return (
            f"{prose.not_estimated(row)} {count(report.count('responded'))} people answered the questions on the"
            " primary outcome."
        )
    treated, control = (report.count(f"response_rate_{arm.id}") for arm in (report.treatment, report.control))
    rates = percent(treated, beside=[control]), percent(control, beside=[treated])
    clear = "differed clearly" if prose.is_clear(row) else "did not differ clearly"
    by = f"adjusted for {adjusted}, by " if adjusted else ""
    return (
        f"{count(report.count('responded'))} people ({percent(report.count('response_rate'))} of those randomised)"
        f" answered the questions on the primary outcome: {rates[0]} of the treated and {rates[1]} of the controls. The"
        f" two rates {clear}: {by}{number(100 * row['estimate'], 1)} percentage points"
        f" ({prose.uncertainty(row, digits=1, scale=100)})."
    )


def effect(report: FieldTrialReport, outcome: str) -> str:
    """The planned analysis of one outcome: arm means, difference, interval, p and verdict."""
    entry, row = report.outcome(outcome), report.planned(outcome)
    if row["status"] in LACKING:
        return f"{entry.label} could not be analysed. {as_sentence(row['note'])}"
    means = [report.arm(outcome, arm) for arm in (report.treatment, report.control)]
    found, adjusted = prose.verdict(row, better=entry.better), report.adjusted_for(outcome)
    size = number(abs(row["estimate"]))
    whom = "treated" if found.favours == "treatment" else "controls"
    gap = "no difference" if found.direction == "the same" else f"the treated were {size} {found.direction}"
    tail = f"a clear difference, in favour of the {whom}" if found.clear else "no clear difference"
    # Raw means and an adjusted difference are numbers of two kinds, and each is called what it is.
    raw, by, kind = ("raw ", f"adjusted for {adjusted}, ", "adjusted ") if adjusted else ("", "", "")
    digits = 2 if adjusted or found.direction == "the same" else digits_apart([row["estimate"] for row in means], 2)
    return (
        f"The treated had a {raw}mean of {_mean(means[0], digits)}, the controls one of {_mean(means[1], digits)};"
        f" {by}{gap} ({prose.uncertainty(row)}): {tail}. In standard deviations the {kind}difference was"
        f" {_standardised(report, outcome)}."
    )


def _mean(row: Row, digits: int) -> str:
    return f"{number(row['estimate'], digits)} (standard error {number(row['std_error'])}, n = {count(row['n'])})"


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
    head = "no clear difference between the arms"
    if found.clear:
        head = f"clearly {found.direction} among the treated"
    lean = "" if found.clear or found.direction == "the same" else f", the treated being slightly {found.direction}"
    return f"{entry.label}: {head}{lean} ({number(g['estimate'])} standard deviations, {p_clause(row['p_value'])})."


def verdict(report: FieldTrialReport) -> str:
    """All outcomes in one sentence: how many show a clear difference, before and after Holm's adjustment."""
    rows = [(o, report.planned(o.id)) for o in report.measured]
    clear = [o for o, row in rows if prose.is_clear(row)]
    smallest = min((row for _, row in rows), key=lambda row: row["p_value"])
    name = report.outcome(str(smallest["outcome"])).label
    alpha = alpha_of(report.plan.conf_level)
    kept = sum(row["p_adjusted"] < alpha for _, row in rows)
    head = f"None of the {in_words(len(rows))} outcomes shows a clear difference between the arms"
    if clear:
        named = ", ".join(inside(o.label) for o in clear)
        head = (
            f"{in_words(len(clear)).capitalize()} of the {in_words(len(rows))} outcomes show a clear difference"
            f" ({named})"
        )
    return (
        f"{head}; the smallest p-value is that of {inside(name)} ({p_clause(smallest['p_value'])}), and after"
        f" Holm\u2019s adjustment for {in_words(len(rows))} outcomes {in_words(kept) if kept else 'none'} of them"
        f" {'are' if kept > 1 else 'is'} below {limit_of_p(alpha)}."
    )


def glance(report: FieldTrialReport) -> str:
    """The verdict for a reader in a hurry: one line, the same counts as `verdict`."""
    rows = [(o, report.planned(o.id)) for o in report.measured]
    clear = [o for o, row in rows if prose.is_clear(row)]
    smallest = min((row for _, row in rows), key=lambda row: row["p_value"])
    alpha = alpha_of(report.plan.conf_level)
    kept = sum(row["p_adjusted"] < alpha for _, row in rows)
    name, evidence = inside(report.outcome(str(smallest["outcome"])).label), p_clause(smallest["p_value"])
    if not clear:
        return f"None of the {in_words(len(rows))} outcomes shows a clear difference (smallest {evidence}, {name})."
    named = ", ".join(inside(o.label) for o in clear)
    return (
        f"{in_words(len(clear)).capitalize()} of the {in_words(len(rows))} outcomes"
        f" {'show' if len(clear) > 1 else 'shows'} a clear difference ({named}; smallest {evidence}),"
        f" {in_words(kept) if kept else 'none'} after adjustment for their number."
    )


def towards(report: FieldTrialReport) -> str:
    """Which outcomes point to the better side, which to the worse: signs only, with no claim about size."""
    better: list[str] = []
    worse: list[str] = []
    for outcome in report.measured:
        found = prose.verdict(report.planned(outcome.id), better=outcome.better)
        if found.favours != "neither":
            (better if found.favours == "treatment" else worse).append(inside(outcome.label))
    parts = []
    if better:
        parts.append(f"{listed_words(better)} {'points' if len(better) == 1 else 'point'} in favour of the treated")
    if worse:
        parts.append(
            f"{listed_words(worse)} in favour of the controls"
            if better
            else f"{listed_words(worse)} {'points' if len(worse) == 1 else 'point'} in favour of the controls"
        )
    if not parts:
        return "No outcome points to either arm."
    text = ", ".join(parts)
    return (
        f"{text[0].upper()}{text[1:]}; none of this exceeds what chance brings about."
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


def versions(report: FieldTrialReport, outcome: StudyOutcome) -> pd.DataFrame:
    """Rows of all analyses of an outcome that the plan names, in its order."""
    named = [report.plan.result_id(a) for a in report.plan.analyses if a.outcome == outcome.id]
    frame = report.output.results.set_index("result_id", drop=False)
    return frame.loc[named].reset_index(drop=True)


def power(report: FieldTrialReport) -> str:
    """Detectable effect as planned, as the printed sample and response allow, and as achieved."""
    planned, achieved = (report.detectable(key) for key in ("planned", "achieved"))
    entry = report.plan.power["planned"]
    printed, response = entry.printed, entry.response
    share = "" if response is None else f", with a response of {percent(response, 0)},"
    aim = (
        ""
        if printed is None
        else f"The trial was planned to detect an effect of {number(printed)} standard deviations; "
    )
    text = (
        f"{aim}{count(planned['n'])} people{share} allow"
        f" {number(planned['estimate'])}{'' if aim else ' standard deviations'}. The {count(achieved['n'])} who"
        f" answered the primary outcome allow {number(achieved['estimate'])}: an effect that size is missed in"
        f" {percent(1 - report.plan.power['achieved'].power, 0)} of trials like this one, and a smaller one more often."
    )
    if printed is None or report.plan.design.cluster or f"{planned['estimate']:.2f}" == f"{printed:.2f}":
        return text
    needed = report.row("power/people_needed_planned/formula")
    return (
        text + f" An effect of {number(printed)} would have taken {count(round(needed['estimate']))} respondents, "
        "so that response alone does not explain the gap."
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
        f" difference between the arms at baseline is {number(worst['std_difference'])} ({inside(name)})."
    )


def flow_counts(report: FieldTrialReport) -> str:
    """What the survey exports held: responses, those set aside, and those that count."""
    rows = {row["wave"]: row for row in report.records("linkage")}
    row, first = rows["endline"], rows["baseline"]
    hidden = (
        f" {WITHHELD} stands for counts that are withheld to protect a very small one."
        if withheld(*row.values(), first["matched"])
        else ""
    )
    return (
        f"The endline export holds {plural(row['responses'], 'response')}; {count(row['consented'])} came with consent,"
        f" {count(row['duplicates'])} were earlier attempts of people who answered again, {count(row['unmatched'])}"
        f" carried a code that nobody on the list has, and {count(row['matched'])} belong to randomised people. The"
        f" baseline export holds {count(first['matched'])} responses of randomised people.{hidden}"
    )


def left(report: FieldTrialReport) -> str:
    """Share of the randomised who had left by the endline."""
    return percent(report.count("left"), 0)


def blocks(report: FieldTrialReport) -> str:
    """Number of blocks, in words."""
    return in_words(len(report.plan.blocks))


def block_list(report: FieldTrialReport) -> str:
    """Their names."""
    return listed_words([block.label for block in report.plan.blocks])


def fact(report: FieldTrialReport, key: str) -> str:
    """A number of the plan as a figure: shares in per cent."""
    value = report.plan.fact(key)
    return (
        percent(value, 0)
        if 0 < value < 1 and key not in ("benchmark",)
        else number(value, 0 if value.is_integer() else 2)
    )


def words(report: FieldTrialReport, key: str) -> str:
    """A number of the plan in words where it is small."""
    return in_words(report.plan.fact(key))


def minimum(report: FieldTrialReport) -> str:
    """How many answers a period needs, in words where small."""
    return "none" if report.plan.periods is None else in_words(report.plan.periods.minimum)


def spread(report: FieldTrialReport, outcome: str) -> str:
    """The standard deviations of an outcome in both arms."""
    treated, control = (
        report.row(f"{outcome}/sd_{arm.id}/raw")["estimate"] for arm in (report.treatment, report.control)
    )
    return f"{number(treated)} among the treated and {number(control)} among the controls"


def number_of(report: FieldTrialReport, key: str) -> str:
    """A count of the sample, by its key: `responded_cohort_1`."""
    value = report.count(key)
    return percent(value) if "rate" in key else count(value)


def recall(report: FieldTrialReport) -> str:
    """Who remembers the messages."""
    asked, yes = report.count("recall_asked"), report.count("recall_yes")
    if withheld(asked, yes):
        return (
            "How many treated respondents remembered receiving the messages is withheld, because the number of people"
            " concerned is very small."
        )
    return (
        f"{count(yes)} of the {count(asked)} treated respondents who answered the question ({percent(yes / asked, 0)}) "
        "remembered receiving the messages."
    )


SENTENCES: dict[str, Callable[..., str]] = {
    "sample": sample,
    "answered": answered,
    "effect": effect,
    "short": short,
    "verdict": verdict,
    "glance": glance,
    "towards": towards,
    "standardised": standardised,
    "robustness": robustness,
    "power": power,
    "balance": balance,
    "export": flow_counts,
    "left": left,
    "blocks": blocks,
    "block_list": block_list,
    "fact": fact,
    "words": words,
    "number": number_of,
    "minimum": minimum,
    "spread": spread,
    "bounds": bounds,
    "reach": reach,
    "inconclusive": inconclusive,
    "against_model": against_model,
    "attenuation_hint": attenuation_hint,
    "fading_note": fading_note,
    "conflict": conflict,
    "printed_p": printed_p,
    "gap_needed": gap_needed,
    "reproduced": reproduced,
    "recall": recall,
    "attenuation": attenuation,
    "attenuation_test": attenuation_test,
    "by_cohort": by_block,
}
