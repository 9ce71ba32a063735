"""Sentences on the effects of a trial on a plain table: size, certainty, direction, other versions, bounds."""

from __future__ import annotations

import math

import pandas as pd

from hhp_stats.errors import UnknownName
from hhp_stats.plan.individual import Arm, IndividualOutcome
from hhp_stats.present import prose
from hhp_stats.present.field_trials.report import FieldTrialReport, in_words
from hhp_stats.present.listing import listed_apart
from hhp_stats.present.marked_text import plain
from hhp_stats.present.numbers import alpha_of, count, interval, level, number, p_clause, percent
from hhp_stats.present.study_results import Row
from hhp_stats.results.frame import LACKING
from hhp_stats.results.lacking import as_sentence

NO_BOUNDS = "The plan asks for no bounds."
MEAN_OR_SHARE = {"continuous": "mean", "binary": "share"}


def unit_of(outcome: IndividualOutcome) -> tuple[float, int, str]:
    """How numbers of an outcome are printed: factor, digits, and what stands behind a difference."""
    return (100.0, 1, " percentage points") if outcome.kind == "binary" else (1.0, 2, "")


def arm_value(report: FieldTrialReport, outcome: IndividualOutcome, arm: Arm) -> str:
    """The mean of an arm, or its share in per cent, with standard error and people."""
    row = report.arm(outcome.id, arm)
    if row["status"] in LACKING:
        return "withheld" if row["status"] == "withheld" else "not known"
    scale, digits, _ = unit_of(outcome)
    value = percent(row["estimate"]) if scale > 1 else number(row["estimate"], digits)
    if not math.isfinite(row["std_error"]):
        return f"{value} (all the same, n = {count(row['n'])})"
    return f"{value} (standard error {number(scale * row['std_error'], digits)}, n = {count(row['n'])})"


def gap(report: FieldTrialReport, outcome: IndividualOutcome, row: Row) -> str:
    """A difference in the unit of its outcome: `3.08`, `4.7 percentage points`."""
    scale, digits, words = unit_of(outcome)
    return f"{number(abs(scale * row['estimate']), digits)}{words}"


def evidence(report: FieldTrialReport, outcome: IndividualOutcome, row: Row) -> str:
    """Interval and p of a difference in the unit of its outcome."""
    scale, digits, _ = unit_of(outcome)
    return prose.uncertainty(row, digits=digits, scale=scale)


def effect(report: FieldTrialReport, name: str) -> str:
    """The planned analysis of one outcome: both arms, difference, interval, p and verdict."""
    outcome, arm = report.comparison(name)
    row = report.planned(outcome.id, arm)
    title = report.named(outcome, arm)
    if row["status"] in LACKING:
        return (
            f"{title} could not be analysed. {as_sentence(row['note'])}"
            if row["status"] != "withheld"
            else f"{title}: {prose.not_estimated(row)}"
        )
    found, adjusted = prose.verdict(row, better=outcome.better), report.adjusted_for(outcome.id)
    raw, by = ("raw ", f"Adjusted for {adjusted}, ") if adjusted else ("", "")
    size = gap(report, outcome, row)
    same = found.direction == "the same"
    said = "there was no difference" if same else f"it was {size} {found.direction} in \u201c{arm.label}\u201d"
    whom = arm if found.favours == "treatment" else report.control
    tail = f": a clear difference in favour of \u201c{whom.label}\u201d" if found.clear else f", {prose.MAY_BE_CHANCE}"
    head = (
        f"The {raw}{MEAN_OR_SHARE[outcome.kind]} was {arm_value(report, outcome, arm)} in \u201c{arm.label}\u201d and "
        f"{arm_value(report, outcome, report.control)} in \u201c{report.control.label}\u201d."
    )
    said = f"{by}{said}" if by else f"{said[0].upper()}{said[1:]}"
    return (
        f"{head} {said} ({evidence(report, outcome, row)}){tail}.{_no_worse(report, outcome, arm, row)}"
        f"{_standardised(report, outcome, arm, adjusted)}"
    )


def _no_worse(report: FieldTrialReport, outcome: IndividualOutcome, arm: Arm, row: Row) -> str:
    """Whether an arm is shown to be no worse than the control by the plan's margin: whether the interval holds no loss
    as large as that.

    A two-sided interval of 90% answers as a one-sided test at 5% does, one of 95% as at 2.5%.
    Source: Piaggio et al. (2012), JAMA 308, 2594-2604 (CONSORT for non-inferiority and equivalence).
    """
    if outcome.margin is None:
        return ""
    loss = -row["conf_low"] if outcome.better == "higher" else row["conf_high"]
    if not math.isfinite(loss):  # an estimate without an interval: of its margin nothing is known
        return ""
    scale, digits, words = unit_of(outcome)
    reach = "holds no loss" if loss <= 0 else f"reaches to a loss of {number(scale * loss, digits)}"
    shown = "this is shown" if loss < outcome.margin else "this is not shown"
    return (
        f" By the plan \u201c{arm.label}\u201d is no worse than \u201c{report.control.label}\u201d where it loses less"
        f" than {number(scale * outcome.margin, digits)}{words}; the {level(row['conf_level'])} interval {reach}, so"
        f" {shown}."
    )


def _standardised(report: FieldTrialReport, outcome: IndividualOutcome, arm: Arm, adjusted: str) -> str:
    row = report.beside(outcome.id, "hedges-g", arm)
    if row is None or row["status"] in LACKING:
        return ""
    kind = "adjusted " if adjusted else ""
    return (
        f" In standard deviations the {kind}difference was {number(row['estimate'])} "
        f"({level(row['conf_level'])} CI {interval(row['conf_low'], row['conf_high'])})."
    )


def standardised(report: FieldTrialReport, name: str) -> str:
    """Hedges' g with its interval."""
    outcome, arm = report.comparison(name)
    row = report.beside(outcome.id, "hedges-g", arm)
    if row is None:
        raise UnknownName(f"the plan of {report.plan.study} has no effect of {outcome.id} in standard deviations")
    if row["status"] in LACKING:
        return str(row["status"]).replace("_", " ")
    return f"{number(row['estimate'])} ({level(row['conf_level'])} CI {interval(row['conf_low'], row['conf_high'])})"


def short(report: FieldTrialReport, name: str) -> str:
    """One clause for the summary: name, direction, size, verdict."""
    outcome, arm = report.comparison(name)
    row, title = report.planned(outcome.id, arm), report.named(outcome, arm)
    if row["status"] in LACKING:
        return f"{title} could not be analysed." if row["status"] != "withheld" else f"{title}: the result is withheld."
    found = prose.verdict(row, better=outcome.better)
    if found.direction == "the same":
        return f"{title}: the same in both groups ({p_clause(row['p_value'])})."
    way = (
        f"{gap(report, outcome, row)} {found.direction} in \u201c{arm.label}\u201d than in"
        f" \u201c{report.control.label}\u201d"
    )
    head, tail = ("clearly ", "") if found.clear else ("", ", but this could be chance")
    return f"{outcome.label}: {head}{way} ({evidence(report, outcome, row)}){tail}."


def _estimated(report: FieldTrialReport) -> list[tuple[str, IndividualOutcome, Row]]:
    """Name, outcome and planned row of every comparison that has numbers."""
    rows = [(report.named(o, arm), o, report.planned(o.id, arm)) for o, arm in report.comparisons]
    return [(name, o, row) for name, o, row in rows if row["status"] not in LACKING]


def _what(report: FieldTrialReport, n: int) -> str:
    return (
        ("outcome" if n == 1 else "outcomes")
        if len(report.plan.offered) == 1
        else ("comparison" if n == 1 else "comparisons")
    )


def _lacking(report: FieldTrialReport) -> str:
    lost = len(report.comparisons) - len(_estimated(report))
    return (
        f" {in_words(lost).capitalize()} {_what(report, lost)} could not be analysed or is withheld."
        if lost == 1
        else (
            f" {in_words(lost).capitalize()} {_what(report, lost)} could not be analysed or are withheld."
            if lost
            else ""
        )
    )


def verdict(report: FieldTrialReport) -> str:
    """All comparisons in one sentence: how many show a clear difference, before and after Holm's adjustment."""
    rows = _estimated(report)
    if not rows:
        planned = [report.planned(o.id, arm)["status"] for o, arm in report.comparisons]
        if set(planned) == {"withheld"}:
            return "The results are withheld, because the numbers of people concerned are very small."
        return "No outcome could be analysed." + (" Some results are withheld." if "withheld" in planned else "")
    clear = [name for name, _, row in rows if prose.is_clear(row)]
    if len(rows) == 1:
        name, _, row = rows[0]
        kind = "a clear" if clear else "no clear"
        return f"We found {kind} effect on {name} ({p_clause(row['p_value'])}).{_lacking(report)}"
    name, _, smallest = min(rows, key=lambda each: float(each[2]["p_value"]))
    total = f"{in_words(len(rows))} {_what(report, len(rows))}"
    evidence_of = f"smallest {p_clause(smallest['p_value'])}, for {name}"
    if not clear:
        which = f"either of the {total}" if len(rows) == 2 else f"any of the {total}"
        return f"We found no clear effect in {which} ({evidence_of}).{_lacking(report)}"
    kept = sum(row["p_adjusted"] < alpha_of(report.plan.conf_level) for _, _, row in rows)
    left = "none remains" if not kept else f"{in_words(kept)} {'remains' if kept == 1 else 'remain'}"
    if kept == len(clear) > 1:
        left = "both remain" if kept == 2 else "all remain"
    whole = "both" if len(rows) == 2 else f"all {in_words(len(rows))}"
    some = f"{in_words(len(clear))} of the {total}"
    which = f"{whole} {_what(report, len(rows))}" if len(clear) == len(rows) else some
    return (
        f"We found a clear effect in {which}: {listed_apart(clear)} ({evidence_of})."
        f" After Holm\u2019s adjustment for {total}, {left}.{_lacking(report)}"
    )


def towards(report: FieldTrialReport) -> str:
    """Which comparisons point to the arm with the offer, which to the control: signs only, with no claim about size."""
    sides: dict[str, list[str]] = {"treatment": [], "control": []}
    for name, outcome, row in _estimated(report):
        found = prose.verdict(row, better=outcome.better)
        if found.favours != "neither":
            sides[found.favours].append(name)
    words = {"treatment": "the offer", "control": f"\u201c{report.control.label}\u201d"}
    parts = [
        f"{listed_apart(names)} {'points' if len(names) == 1 else 'point'} in favour of {words[side]}"
        for side, names in sides.items()
        if names
    ]
    if not parts:
        return "No outcome points to either arm."
    any_clear = any(prose.is_clear(row) for _, _, row in _estimated(report))
    return "; ".join(parts) + ("." if any_clear else ". All of this could be chance.")


def robustness(report: FieldTrialReport, name: str) -> str:
    """Do the other versions of the analysis agree with the planned one?"""
    outcome, arm = report.comparison(name)
    planned = report.planned(outcome.id, arm)
    if planned["status"] in LACKING:
        return prose.not_estimated(planned)
    rows = versions(report, outcome, arm)
    rows = rows.loc[rows["estimand"] == planned["estimand"]]
    in_units = ~rows["result_id"].str.endswith(("hedges-g", "/lee", "/worst-case"))
    return prose.agreement(rows.loc[in_units], planned, better=outcome.better)


def versions(report: FieldTrialReport, outcome: IndividualOutcome, arm: Arm) -> pd.DataFrame:
    """Rows of all analyses of one comparison, in the order of the plan."""
    pair = (arm, report.control)
    named = [
        report.plan.result_id(a)
        for a in report.plan.analyses
        if a.outcome == outcome.id and report.plan.compared(a) == pair
    ]
    frame = report.output.results.set_index("result_id", drop=False)
    return frame.loc[named].reset_index(drop=True)


def bounds(report: FieldTrialReport, name: str = "") -> str:
    """What could those whose outcome is not known change? The bounds that the plan asks for."""
    outcome, arm = report.comparison(name or report.plan.primary.id)
    said = []
    for method, whom in (
        ("lee", f"Among {report.them} whose outcome would be known in either arm"),
        ("worst-case", "Whatever the missing outcomes are"),
    ):
        row = report.beside(outcome.id, method, arm)
        if row is None:
            continue
        low, high = (report.beside(outcome.id, method, arm, name=f"{end}_bound") for end in ("lower", "upper"))
        if row["status"] in LACKING or low is None or high is None:
            said.append(prose.not_estimated(row))
            continue
        scale, digits, words = unit_of(outcome)
        ends = [number(scale * each["estimate"], digits) for each in (low, high)]
        reach = interval(scale * row["conf_low"], scale * row["conf_high"], digits)
        word = "excludes" if prose.is_clear(row) else "includes"
        apart = low["estimate"] < high["estimate"]
        at = f"is {ends[0]}"
        if apart and plain(ends[0]) != plain(ends[1]):
            at = f"lies between {' and '.join(ends)}"
        if apart and plain(ends[0]) == plain(ends[1]):
            words += " by either bound"
        why = "" if apart else f" It is known for the same share of {report.them} in both."
        said.append(
            f"{whom}, the effect on {outcome.label} {at}{words} "
            f"({level(row['conf_level'])} CI {reach}, which {word} zero).{why}"
        )
    return " ".join(said) or NO_BOUNDS
