"""Means and spreads on the scale that a paragraph or table names: possible at all?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from hhp_stats.consistency.granularity import Scale, grim, sd_limits
from hhp_stats.consistency.printed import PrintedFigure
from hhp_stats.consistency.typography import NUMBER
from hhp_stats.manuscript.claim import SPREAD, Claim, Judged, claim, figure, is_deviation, shown

_SCALE = re.compile(
    r"\b(?:scales?|scor(?:e[sd]?|ing)|rated|ratings?|answers?|items?|responses?|points?)\b[^.;]{0,60}?"
    rf"(?:(?:from|between|of|:|\()\s*)(?P<low>{NUMBER})\s*(?:\([^)]{{0,40}}\))?\s*"
    rf"(?:to|and|-|\u2013|through)\s*(?P<high>{NUMBER})\b",
    re.I,
)
# In a caption "wellbeing from 1 to 5" is a scale as well, with ends that scales have.
_OF_CAPTION = re.compile(r"\b(?:from|range) (?P<low>[01]) (?:to|-|\u2013) (?P<high>[3-9]|10|100)\b", re.I)
_IN_BRACKETS = re.compile(r"[(\[](?:range |scale )?(?P<low>\d+) ?(?:to|-|\u2013) ?(?P<high>\d+)(?: points)?[)\]]", re.I)
_MEAN = re.compile(
    r"\b(?:M|(?:mean|average)(?: score| rating)?(?: (?:for|of|on|in) [a-z ]{1,40}?)?)"
    rf"\s*(?:=|of|was|is)\s*(?P<mean>{NUMBER})",
    re.I,
)
_N = re.compile(r"\bn\s*=\s*(\d[\d,]*)", re.I)
_NEAR = 45


def scale_in(text: str) -> tuple[float, float] | None:
    """The ends of the one scale that a text names; None where it names none or several."""
    found = {(float(one["low"].replace(",", "")), float(one["high"].replace(",", ""))) for one in _SCALE.finditer(text)}
    if len(found) != 1:
        return None
    low, high = found.pop()
    return (low, high) if low < high <= 1000 else None


def scale_in_caption(text: str) -> tuple[float, float] | None:
    """The same of a table's caption and note, which need not say that it is a scale."""
    named = scale_in(text)
    found = {(float(one["low"]), float(one["high"])) for one in _OF_CAPTION.finditer(text)}
    return named or (found.pop() if len(found) == 1 and not _SCALE.search(text) else None)


def scale_in_label(label: str) -> tuple[float, float] | None:
    """The ends that the label of a row says in brackets, as "Burnout (1 to 5)"."""
    found = _IN_BRACKETS.findall(label)
    if len(found) != 1:
        return None
    low, high = (float(end) for end in found[0])
    return (low, high) if low < high <= 1000 else None


def scale_claims(sentence: str, context: str) -> Iterator[Claim]:
    """Means of a sentence on the one scale that its paragraph names, with the spread and n that follow them."""
    ends = scale_in(context)
    if ends is None:
        return
    means = list(_MEAN.finditer(sentence))
    for at, found in enumerate(means):
        until = means[at + 1].start() if at + 1 < len(means) else len(sentence)
        rest = sentence[found.end() : min(until, found.end() + _NEAR)]
        spread, n = (
            SPREAD.search(rest),
            _N.search(rest) or _N.search(sentence[max(0, found.start() - 20) : found.start()]),
        )
        size = int(n[1].replace(",", "")) if n else 0
        sd = None
        if spread:
            printed = figure(spread["spread"])
            if is_deviation(spread["kind"]):
                sd = printed
            elif size:
                root = math.sqrt(size)
                sd = PrintedFigure(
                    value=printed.value * root, text=printed.text, margin=printed.margin * root, bound="none"
                )
        judged = scale_judged(figure(found["mean"]), sd, size, *ends)
        yield claim(judged, text=found[0], start=found.start(), end=found.end())


def scale_judged(mean: PrintedFigure, sd: PrintedFigure | None, n: int, low: float, high: float) -> Judged:
    """Is the mean between the ends, the spread possible, and the mean one that n whole answers can have?

    The last is a matter of one item answered in whole steps: where it fails, the mean may be that of several items.
    """
    if mean.high < low or mean.low > high:
        return Judged(
            "scale", "does_not_reproduce", f"A mean of {mean.text} lies off the scale of {low:g} to {high:g}."
        )
    if sd is not None:
        middle = min(max(mean.value, low), high)
        most = sd_limits(mean=middle, n=max(n, 2), scale=Scale(low=low, high=high, step=None))[1]
        near = [
            min(max(end, low), high) for end in (mean.low, mean.high, (low + high) / 2) if mean.low <= end <= mean.high
        ]
        most = max(
            [most, *(sd_limits(mean=end, n=max(n, 2), scale=Scale(low=low, high=high, step=None))[1] for end in near)]
        )
        if sd.low > most + 1e-9:
            return Judged(
                "scale",
                "does_not_reproduce",
                f"On a scale of {low:g} to {high:g} a mean of {mean.text} allows a standard deviation of {shown(most)}"
                f" at most; printed is {sd.text}"
                + (f", which is {shown(sd.value)} as a deviation." if sd.text != f"{sd.value:g}" else "."),
            )
    whole = float(low).is_integer() and float(high).is_integer()
    if n and whole and mean.margin > 0 and not grim(mean=mean.value, n=n, margin=mean.margin, low=low):
        return Judged(
            "scale",
            "another_reading",
            f"{n:,} whole answers cannot have the mean {mean.text}; the mean of several items, or of fewer people,"
            " can.",
        )
    return Judged("scale", "reproduces", f"Possible on a scale of {low:g} to {high:g}.")
