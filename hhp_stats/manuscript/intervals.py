"""Estimate, interval, standard error and p in running text or in a row of a table: do they follow from each other?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from hhp_stats.consistency.printed import PrintedFigure, p_fits, p_range
from hhp_stats.consistency.typography import NUMBER, P_SIGN
from hhp_stats.consistency.verdict import Finding
from hhp_stats.manuscript.claim import (
    ENDS,
    FEWEST_DF,
    OTHER_RULE,
    RATIO,
    Claim,
    Judged,
    claim,
    figure,
    shown,
    shown_p,
)
from hhp_stats.tails import student_tail

LEVEL = (
    r"(?P<level>\d{2}(?:\.\d+)?)% ?-?(?:CIs?|C\.I\.|confidence intervals?|confidence limits|credible intervals?|CrI)"
)
_NAMED = re.compile(
    rf"{LEVEL}(?:[ ,:=]|of|from|was|is|ranged){{0,12}}[\[(]?\s*(?P<low>{NUMBER})%?{ENDS}(?P<high>{NUMBER})", re.I
)
_BRACKETS = re.compile(rf"(?P<estimate>{NUMBER})%? ?\[(?P<low>{NUMBER})%?(?: ?[,;] ?| to )(?P<high>{NUMBER})%?\]")
_P_AFTER = re.compile(rf"[^.]{{0,25}}?{P_SIGN}\s*[<=>]?\s*(?P<p>\d?\.\d+)", re.I)
_P_BEFORE = re.compile(rf"{P_SIGN}\s*(?P<p>\d?\.\d+)", re.I)
UNIT = r"[a-z\u00b5][a-z/\u00b2\u00b3-]*"  # a word of a unit: "points", "mm Hg", "mmol/L"
_SE = re.compile(
    rf"(?P<label>[\w\u03b2\u03b4]*)\s*(?:=|of|was|is|by|:)?\s*(?P<estimate>{NUMBER})%?(?: {UNIT}){{0,3}}\s*[,;(\[]+\s*"
    rf"(?:SE|S\.E\.|s\.e\.|standard error)\s*[=:]?\s*(?P<error>{NUMBER})\s*[)\]]?\s*[,;(]*\s*"
    rf"(?:t\s*(?:\((?P<df>[\d.,]+)\))?\s*=\s*{NUMBER}\s*[,;]\s*)?{P_SIGN}\s*(?P<p>\d?\.\d+)",
    re.I,
)
_VALUES = re.compile(rf"(?P<label>(?:\b[A-Za-z.\u03b2\u03b4]{{1,14}}\s*[=:]\s*)?)(?P<value>(?<![\w.]){NUMBER})(?![\w])")
_NO_ESTIMATE = re.compile(
    r"(?:\bS\.?[ED]\.?|\bstandard (?:error|deviation)|\bn|\bN|\bdf|\bt|\bF|\bz|\bp|\bICC)\s*[=:<>]{1,2}\s*$", re.I
)
_DF = re.compile(r"\b(?:df|d\.f\.|degrees of freedom)\s*[=:]?\s*(\d[\d,.]*\d|\d)", re.I)
_A_SHARE = re.compile(rf"{NUMBER}%")
_TIMES = re.compile(r"\d times\b", re.I)
_A_LEVEL = re.compile(r"% ?-?(?:C|confidence|credible)", re.I)
_BESIDE = re.compile(rf"%?\*{{0,3}} ?(?:{UNIT} ?){{0,3}}[ ,;:(\[]*", re.I)
_RANGE = re.compile(rf"\bbetween {NUMBER}%? and {NUMBER}%?", re.I)  # bounds, neither of which is an estimate
_REACH = 90  # characters between an estimate and its interval


def interval_claims(sentence: str, context: str) -> Iterator[Claim]:
    """Every interval of a sentence, with the estimate before it and the p beside it. `context`: the whole paragraph."""
    taken: list[tuple[int, int]] = []
    for found in _NAMED.finditer(sentence):
        taken.append(found.span())
        estimate, start = _estimate_before(sentence, found)
        yield from _claim(sentence, found, estimate, start, found["level"], context)
    if re.search(r"\bCIs?\b|confidence|interval", context):
        for found in _BRACKETS.finditer(sentence):
            if any(found.start() < end and start < found.end() for start, end in taken):
                continue
            yield from _claim(sentence, found, figure(found["estimate"]), found.start(), _level(context), context)


def _level(context: str) -> str:
    found = re.search(LEVEL, context, re.I)
    return found["level"] if found else "95"


def _estimate_before(sentence: str, found: re.Match[str]) -> tuple[PrintedFigure | None, int]:
    """The number that an interval belongs to, and its place: the one beside it, else the nearest inside it.

    Standard errors, numbers of people, test statistics and p stand there too, by their names, and are passed over, as
    are levels of other intervals and the ends of what "lies between" two numbers. A number farther off that the
    interval does not hold is one of something else.
    """
    low, high = figure(found["low"]), figure(found["high"])
    begin = max(0, found.start() - _REACH)
    before = sentence[begin : found.start()]
    ranges = [each.span() for each in _RANGE.finditer(before)]
    values = [
        one
        for one in reversed(list(_VALUES.finditer(before)))
        if not _NO_ESTIMATE.search(before[: one.start("value")])
        and not _A_LEVEL.match(before, one.end("value"))
        and not any(start <= one.start("value") < end for start, end in ranges)
    ]
    for one in values:
        beside = _BESIDE.fullmatch(before, one.end("value")) is not None and one is values[0]
        printed = figure(one["value"])
        inside = any(low.low <= value <= high.high for value in (printed.value, -printed.value))
        if beside or (inside and _fits_middle(printed, low, high)):
            return printed, begin + one.start("value")
    return None, found.start()


def _fits_middle(printed: PrintedFigure, low: PrintedFigure, high: PrintedFigure) -> bool:
    middle = (low.value + high.value) / 2
    room = printed.margin + (low.margin + high.margin) / 2 + 1e-9
    logs = low.low > 0 and printed.low > 0 and _in_the_middle_of_logs(printed, low, high)
    return logs or abs(abs(printed.value) - abs(middle)) <= room


def _claim(
    sentence: str, found: re.Match[str], estimate: PrintedFigure | None, start: int, level: str, context: str
) -> Iterator[Claim]:
    low, high = figure(found["low"]), figure(found["high"])
    signed = estimate is not None and estimate.text[0] in "+-"
    if estimate is not None and not signed and (low.value + high.value) < 0 and _fits_middle(estimate, low, high):
        estimate = figure(f"-{estimate.text}")  # "lower by 0.78": the sign is in the words
    after = _P_AFTER.match(sentence, found.end())
    before = list(_P_BEFORE.finditer(sentence, start, found.start()))
    p = after or (before[-1] if before else None)
    freedom = _DF.search(sentence)
    named = sentence[max(0, start - 80) : found.end()]
    yield claim(
        judged(
            estimate=estimate,
            low=low,
            high=high,
            level=float(level) / 100,
            p=(p["sign"], p["p"]) if p else None,
            df=float(freedom[1].replace(",", "")) if freedom else None,
            ratio=RATIO.search(named) is not None or _TIMES.search(named) is not None,
            other_rule=OTHER_RULE.search(sentence) is not None,
            share=sentence[found.end("low")] == "%" or _A_SHARE.match(sentence, start) is not None,
        ),
        text=sentence[start : max(found.end(), p.end() if p else 0)],
        start=start,
        end=max(found.end(), p.end() if p else 0),
    )


def error_claims(sentence: str) -> Iterator[Claim]:
    """ "b = 0.28, SE = 0.11, p = .01": does p follow from the two?"""
    for found in _SE.finditer(sentence):
        if found["label"].lower() in ("m", "mean", "n"):
            continue  # the mean of one arm: its p is that of a comparison
        df = float(found["df"].split(",")[0]) if found["df"] else None
        made = error_judged(
            estimate=figure(found["estimate"]),
            error=figure(found["error"]),
            p=(found["sign"], found["p"]),
            df=df,
            other_rule=OTHER_RULE.search(sentence) is not None,
        )
        yield claim(made, text=found[0], start=found.start(), end=found.end())


def error_judged(
    *,
    estimate: PrintedFigure,
    error: PrintedFigure,
    p: tuple[str, str],
    df: float | None,
    other_rule: bool = False,
    given: str = "Estimate and standard error give",
) -> Judged:
    """What is to be said of p = 2 P(T > |estimate| / error), over the rounding of both and the df granted. The
    reason begins with what was `given`.
    """
    sizes = (max(0.0, abs(estimate.value) - estimate.margin), abs(estimate.value) + estimate.margin)
    errors = (max(error.value - error.margin, 1e-12), error.value + error.margin)
    freedom = (df, df) if df else (FEWEST_DF, math.inf)
    corners = [(size / wide, d) for size in sizes for wide in errors for d in freedom]
    every = 2 * student_tail([t for t, _ in corners], [d for _, d in corners])
    low, high = float(every.min()), float(every.max())
    fits = p_fits(*p, low, high)
    return Judged(
        "p",
        "reproduces" if fits else "not_checkable" if other_rule else "does_not_reproduce",
        f"{given} p {shown_p(low, high)}"
        + (f" with {df:g} df." if df else f", whatever the df from {FEWEST_DF:g} up.")
        + ("" if fits or not other_rule else " Another rule is named, by which p need not follow from them."),
    )


def judged(
    *,
    estimate: PrintedFigure | None,
    low: PrintedFigure,
    high: PrintedFigure,
    level: float,
    p: tuple[str, str] | None,
    df: float | None,
    ratio: bool,
    other_rule: bool,
    share: bool = False,
) -> Judged:
    """Are the ends in order, the estimate inside and in the middle, p as the three give it?

    The middle is that of the logarithms for a ratio (or where only that fits, which the reason says). p is that of
    t = estimate / (half the interval / quantile), over the rounding of every figure and all df from `FEWEST_DF` up, or
    the df that is printed. The interval of a `share` in per cent may reach farther towards a half.
    """
    if low.value > high.value:
        return _verdict("does_not_reproduce", "The lower end is above the upper one.")
    slack = (low.margin + high.margin) / 2
    if estimate is not None:
        if not low.low - 1e-9 <= estimate.high or not estimate.low <= high.high + 1e-9:
            return _verdict("does_not_reproduce", "The estimate lies outside its interval.")
        middle = (low.value + high.value) / 2
        linear = abs(middle - estimate.value) <= estimate.margin + slack + 1e-9
        logs = low.low > 0 and estimate.low > 0 and _in_the_middle_of_logs(estimate, low, high)
        if ratio and logs:
            return _against_p(_log(estimate), _log(low), _log(high), level, p, df, other_rule, "on the log scale")
        if not linear and not logs:
            why = f"The middle of the interval is {shown(middle)}, the estimate {estimate.text}"
            if share and 0 <= low.value < high.value <= 100 and (middle - estimate.value) * (50 - estimate.value) > 0:
                return _verdict("another_reading", f"{why}: right for an exact or score interval of a share only.")
            if other_rule:
                return _verdict("not_checkable", f"{why}; by the rule that is named it need not be in the middle.")
            return _verdict("does_not_reproduce", f"{why}: an interval of a standard error has it in the middle.")
        if not linear:
            made = _against_p(_log(estimate), _log(low), _log(high), level, p, df, other_rule, "on the log scale")
            if made.finding == "reproduces":
                return _verdict("another_reading", f"Right for a ratio only. {made.reason}")
            return made
        return _against_p(estimate, low, high, level, p, df, other_rule, "")
    if ratio and low.low > 0:
        return _against_p(None, _log(low), _log(high), level, p, df, other_rule, "on the log scale")
    return _against_p(None, low, high, level, p, df, other_rule, "")


def _in_the_middle_of_logs(estimate: PrintedFigure, low: PrintedFigure, high: PrintedFigure) -> bool:
    least = math.sqrt(max(low.low, 1e-12) * max(high.low, 1e-12))
    most = math.sqrt(low.high * high.high)
    return least <= estimate.high + 1e-9 and estimate.low - 1e-9 <= most


def _log(printed: PrintedFigure) -> PrintedFigure:
    ends = math.log(max(printed.value - printed.margin, 1e-12)), math.log(printed.value + printed.margin)
    return PrintedFigure(value=sum(ends) / 2, text=printed.text, margin=(ends[1] - ends[0]) / 2, bound="none")


def _against_p(
    estimate: PrintedFigure | None,
    low: PrintedFigure,
    high: PrintedFigure,
    level: float,
    p: tuple[str, str] | None,
    df: float | None,
    other_rule: bool,
    scale: str,
) -> Judged:
    slack = (low.margin + high.margin) / 2
    if estimate is None:
        if p is None:
            return _verdict("not_checkable", "Neither estimate nor p stands beside this interval.")
        estimate = PrintedFigure(value=(low.value + high.value) / 2, text="", margin=slack, bound="none")
    if p is None:
        return _verdict(
            "reproduces", "The estimate is in the middle of its interval" + (f" {scale}." if scale else ".")
        )
    freedom = (df, df) if df else (FEWEST_DF, math.inf)
    least, most = p_range(estimate=estimate, low=low, high=high, level=level, freedom=freedom)
    reason = (
        f"Estimate and interval give p {shown_p(least, most)}{f' {scale}' if scale else ''}; printed is p {p[0]}"
        f" {p[1]}."
    )
    if p_fits(*p, least, most):
        return _verdict("reproduces", reason)
    if other_rule:
        return _verdict("not_checkable", f"{reason} By the rule that is named p need not follow from them.")
    return _verdict("does_not_reproduce", reason)


def _verdict(finding: Finding, reason: str) -> Judged:
    return Judged("interval", finding, reason)
