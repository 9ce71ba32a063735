"""The sentences of the field-trial chapters; every number in them is a row's, a count's or a fact's of the plan."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from hhp_stats.lacking import as_sentence
from hhp_stats.plan.individual import IndividualOutcome
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
from hhp_stats.present.field_trials.report import FieldTrialReport, group_of, in_words, inside
from hhp_stats.present.numbers import (
    alpha_of,
    count,
    interval,
    level,
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
        f"{count(report.count('randomised'))} people were randomly assigned: {count(arms[0][1])} to the"
        f" {group_of(report, arms[0][0])} and {count(arms[1][1])} to the {group_of(report, arms[1][0])}"
        f" (\u201c{inside(arms[1][0].label)}\u201d)."
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
    return f"{plural(len(table), unit)} with {whole} were randomly assigned: {parts[0]} and {parts[1]}."


def answered(report: FieldTrialReport) -> str:
    """How many answered the primary outcome: for the summary, without a test."""
    primary = inside(report.plan.primary.label)
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
    by = f"; adjusted for {adjusted}: " if adjusted else ", "
    tail = "a clear difference" if prose.is_clear(row) else prose.MAY_BE_CHANCE
    return (
        f"{rates[0]} of the {group_of(report, arms[0])} and {rates[1]} of the {group_of(report, arms[1])} answered"
        f"{by}{number(100 * row['estimate'], 1)} percentage points"
        f" ({prose.uncertainty(row, digits=1, scale=100)}), {tail}."
    )


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
    name, evidence = inside(report.outcome(str(smallest["outcome"])).label), p_clause(smallest["p_value"])
    kept = sum(row["p_adjusted"] < alpha_of(report.plan.conf_level) for _, row in rows)
    if not clear and len(rows) == 1:
        return f"We found no clear effect on {name} ({evidence})."
    if not clear:
        which = "either of the two" if len(rows) == 2 else f"any of the {in_words(len(rows))}"
        return f"We found no clear effect on {which} outcomes (smallest {evidence}, for {name})."
    named = listed_words([inside(o.label) for o in clear])
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
            (better if found.favours == "treatment" else worse).append(inside(outcome.label))
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


def power(report: FieldTrialReport) -> str:
    """Detectable effect as planned, as the printed sample and response allow, and as achieved."""
    planned, achieved = (report.detectable(key) for key in ("planned", "achieved"))
    entry = report.plan.power["planned"]
    printed, response = entry.printed, entry.response
    share = "" if response is None else f", with a response of {percent(response, 0)},"
    aim = (
        ""
        if printed is None
        else f"The trial was planned to detect an effect of {number(printed)} standard deviations. "
    )
    text = (
        f"{aim}{count(planned['n'])} people{share} can detect"
        f" {number(planned['estimate'])}{'' if aim else ' standard deviations'}. The {count(achieved['n'])} who"
        f" answered the primary outcome can detect {number(achieved['estimate'])}: trials like this one miss an effect"
        f" of that size in {percent(1 - report.plan.power['achieved'].power, 0)} of cases, and a smaller one"
        " more often."
    )
    if printed is None or report.plan.design.cluster or f"{planned['estimate']:.2f}" == f"{printed:.2f}":
        return text
    needed = report.row("power/people_needed_planned/formula")
    return (
        text + f" To detect {number(printed)}, {count(round(needed['estimate']))} people would have had to answer, "
        "so response alone does not explain the gap."
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
    groups = [group_of(report, arm) for arm in (report.treatment, report.control)]
    return f"{number(treated)} in the {groups[0]} and {number(control)} in the {groups[1]}"


def number_of(report: FieldTrialReport, key: str) -> str:
    """A count of the sample, by its key: `responded_cohort_1`."""
    value = report.count(key)
    return percent(value) if "rate" in key else count(value)


def recall(report: FieldTrialReport) -> str:
    """Who remembers the messages."""
    asked, yes = report.count("recall_asked"), report.count("recall_yes")
    if withheld(asked, yes):
        return (
            "How many people remembered receiving the messages is withheld, because the number of people"
            " concerned is very small."
        )
    if not asked:
        whom = group_of(report, report.treatment)
        return f"No one of the {whom} answered whether they remembered receiving the messages."
    return (
        f"{count(yes)} of the {count(asked)} people of the {group_of(report, report.treatment)} who answered this"
        f" question ({percent(yes / asked, 0)}) remembered receiving the messages."
    )


SENTENCES: dict[str, Callable[..., str]] = {
    "sample": sample,
    "answered": answered,
    "response": response,
    "effect": effect,
    "short": short,
    "verdict": verdict,
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
