"""Words against the numbers beside them: "significantly", "rose from 5 to 4", "a difference of 3 points"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hhp_stats.consistency.typography import NUMBER, P_SIGN
from hhp_stats.manuscript.claim import P_PRINTED, SIGNIFICANT, Claim, Judged, claim, figure, shown
from hhp_stats.manuscript.intervals import LEVEL

_SIGNIFICANT = re.compile(r"\b(?:statistically )?significan(?:t|tly|ce)\b", re.I)
_NEGATED = re.compile(
    r"(?:\b(?:no|not|nor|neither|without|never|fail\w*|lack\w*|did not"
    r" reach)\b|n['\u2019]t|non-?)(?:(?![.;]|\bbut\b)[^.]){0,60}$",
    re.I,
)
_NONE = re.compile(
    r"\b(?:no (?:clear |overall |statistical )?(?:difference|effect|change|evidence)|did not"
    r" differ|insignificant|non-?significant\w*)\b",
    re.I,
)
_HALF_SAID = re.compile(
    r"\b(?:marginally|borderline|approach\w*|trend\w*|nearly|almost|at the (?:10|1)%|at 10%)\b", re.I
)
_MOVED = re.compile(
    r"\b(?P<word>increas\w+|ris(?:e|es|ing)|rose|grew|growth|climb\w+|gain\w*|went up|"
    r"fell|fall(?:s|ing)?|drop(?:s|ped)?|decreas\w+|declin\w+|reduc\w+|went down)"
    rf"\b(?P<by>[^.;]{{0,60}}?\bby (?P<size>{NUMBER})(?P<unit>%| per ?cent| percentage points?|"
    r" points?)?)?[^.;]{0,60}?\bfrom "
    rf"(?:\u00a3|\$)?(?P<first>{NUMBER})(?P<percent>%?)[^.;\d]{{0,40}}? to (?:\u00a3|\$)?(?P<second>{NUMBER})",
    re.I,
)
_UPWARD = re.compile(r"increas|ris|rose|grew|growth|climb|gain|went up", re.I)
_APART = re.compile(
    rf"\b(?:difference|gap|increase|decrease|reduction|rise|fall|drop) of (?P<size>{NUMBER})(?P<unit>%| per ?cent|"
    r" percentage points?| points?)?"
    rf"[^.;\d]{{0,60}}?[(\[:,]? ?(?P<first>{NUMBER})(?P<percent>%?)[^.;\d()]{{0,40}}?"
    r" (?:versus|vs\.?|v\.?|against|compared (?:with|to)|and|to) "
    rf"[^.;\d()]{{0,25}}?(?P<second>{NUMBER})",
    re.I,
)
_NOT_FIGURES = re.compile(rf"\d{{2}}% ?-?(?:CI|conf)|{P_SIGN}|(?:19|20)\d\d\b", re.I)


def significance_claims(sentence: str) -> Iterator[Claim]:
    """Is what is called significant so by the p (or the one interval) of the same sentence, at five per cent?"""
    claimed = [found for found in _SIGNIFICANT.finditer(sentence) if not _NEGATED.search(sentence[: found.start()])]
    denied = [found for found in _SIGNIFICANT.finditer(sentence) if _NEGATED.search(sentence[: found.start()])]
    denied += list(_NONE.finditer(sentence))
    if bool(claimed) == bool(denied) or _HALF_SAID.search(sentence):
        return
    word = (claimed or denied)[0]
    sides = {
        side for found in P_PRINTED.finditer(sentence) for side in [_side(found["bound"] or found["sign"], found["p"])]
    }
    source = "p"
    if not sides:
        source = "interval"
        sides = {
            "below" if float(found[2].replace(",", "")) * float(found[3].replace(",", "")) > 0 else "above"
            for found in _intervals(sentence)
        }
    if len(sides) != 1:
        return
    side = sides.pop()
    if side == "open":
        judged = Judged("significance", "not_checkable", "Rounding leaves the p on either side of .05.")
    else:
        fits = (side == "below") == bool(claimed)
        what = {
            ("p", "below"): "p is below .05",
            ("p", "above"): "p is not below .05",
            ("interval", "below"): "the interval leaves out zero",
            ("interval", "above"): "the interval holds zero",
        }[source, side]
        said = "significant" if claimed else "not significant"
        judged = Judged("significance", "reproduces" if fits else "does_not_reproduce", f"Called {said}; {what}.")
    yield claim(judged, text=word[0], start=word.start(), end=word.end())


def _intervals(sentence: str) -> list[re.Match[str]]:
    if re.search(r"\bratio|\bOR\b|\bHR\b|\bRR\b", sentence):
        return []  # of a ratio, one is the value of no effect
    return list(
        re.finditer(rf"{LEVEL}[ ,:=]{{0,3}}[\[(]?\s*({NUMBER})(?: to |, ?| ?\u2013 ?)({NUMBER})", sentence, re.I)
    )


def _side(sign: str, text: str) -> str:
    """Where a printed p stands: below .05, above it, or open. A bound says nothing about its other side."""
    value = float(text)
    margin = 0.5 * 10.0 ** -len(text.partition(".")[2])
    if sign in ("<", "<="):
        return "below" if value <= SIGNIFICANT else "open"
    if sign in (">", ">="):
        return "above" if value >= SIGNIFICANT else "open"
    low, high = value - margin, value + margin
    return "below" if high <= SIGNIFICANT else "above" if low >= SIGNIFICANT else "open"


def change_claims(sentence: str) -> Iterator[Claim]:
    """ "Rose by 3 points from 5 to 8": is the direction so, and the size, in points or as a share of the first?"""
    for found in _MOVED.finditer(sentence):
        if _NOT_FIGURES.search(found[0]):
            continue
        first, second = figure(found["first"]), figure(found["second"])
        gap = second.value - first.value
        upward = bool(_UPWARD.match(found["word"]))
        reason = f"From {first.text} to {second.text} is {shown(gap)}."
        if abs(gap) > first.margin + second.margin and (gap > 0) != upward:
            judged = Judged("direction", "does_not_reproduce", f"\u201c{found['word']}\u201d: {reason}")
        elif found["size"]:
            judged = _size(found, gap, reason)
        else:
            judged = Judged("direction", "reproduces", reason)
        yield claim(judged, text=found[0], start=found.start(), end=found.end())
    for found in _APART.finditer(sentence):
        if _NOT_FIGURES.search(found[0]):
            continue
        gap = float(found["first"].replace(",", "")) - float(found["second"].replace(",", ""))
        reason = f"{found['first']} and {found['second']} are {shown(abs(gap))} apart."
        yield claim(_size(found, gap, reason), text=found[0], start=found.start(), end=found.end())


def _size(found: re.Match[str], gap: float, reason: str) -> Judged:
    size, first, second = figure(found["size"]), figure(found["first"]), figure(found["second"])
    room = size.margin + first.margin + second.margin + 1e-9
    if abs(abs(gap) - abs(size.value)) <= room:
        return Judged("difference", "reproduces", reason)
    relative = (found["unit"] or "").strip().lower() in ("%", "per cent", "percent")
    if relative:
        for base in (first, second):
            if not base.value:
                continue
            share = 100 * abs(gap / base.value)
            slack = 100 * (first.margin + second.margin) / abs(base.value) + size.margin + 1e-9
            if abs(share - abs(size.value)) <= slack:
                return Judged("difference", "reproduces", f"{reason} That is {share:.1f}% of {base.text}.")
    return Judged("difference", "does_not_reproduce", f"{reason} Printed is {size.text}{found['unit'] or ''}.")
