"""A figure as printed: its value, what rounding leaves open, and whether it is only a bound."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from hhp_stats.consistency.typography import plain
from hhp_stats.errors import InvalidInput
from hhp_stats.tails import student_quantile, student_tail

Bound = Literal["none", "lower", "upper"]

_LONGEST = 6  # words of a token that a reason repeats
_TEX = re.compile(r"^\$([^$]*)\$$")  # a token in the typesetting of its document
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
# Words that turn a figure into a bound; the first that occurs decides, so negated ones come first.
_BOUNDS: tuple[tuple[str, Bound, bool], ...] = (  # word, bound, does the figure itself meet it?
    ("no less than", "lower", True),
    ("no fewer than", "lower", True),
    ("no more than", "upper", True),
    ("at least", "lower", True),
    ("at most", "upper", True),
    ("up to", "upper", True),
    ("<=", "upper", True),
    (">=", "lower", True),
    ("<", "upper", False),
    (">", "lower", False),
    ("less than", "upper", False),
    ("fewer than", "upper", False),
    ("nearly", "upper", False),
    ("almost", "upper", False),
    ("just under", "upper", False),
    ("more than", "lower", False),
    ("over ", "lower", False),
    ("just over", "lower", False),
)


def beginning(text: str) -> str:
    """The first words of a printed token, all of a short one, without the signs of its typesetting (`$N = 267$`)."""
    said = _TEX.sub(r"\1", text).split()
    return " ".join(said if len(said) <= _LONGEST else [*said[: _LONGEST - 1], "\u2026"])


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedFigure:
    """A printed number: the unrounded one lies in [low, high], infinite on the open side of a bound.

    `margin` is half a unit of the last printed digit, not a number where words stand in place of digits
    ("two thirds"): such a figure can be compared in direction, not to a digit.
    """

    value: float
    text: str
    margin: float
    bound: Bound
    inclusive: bool = False  # does the printed number itself meet its bound ("at least")?

    @property
    def low(self) -> float:
        """The smallest number that could have been printed so."""
        return -math.inf if self.bound == "upper" else self.value - (self._slack if self.bound == "none" else 0.0)

    @property
    def high(self) -> float:
        """The largest number that could have been printed so."""
        return math.inf if self.bound == "lower" else self.value + (self._slack if self.bound == "none" else 0.0)

    @property
    def short(self) -> str:
        """The printed token; of a whole phrase only its beginning, since the figure is what counts."""
        return beginning(self.text)

    @property
    def in_words(self) -> bool:
        """Is the figure spelled out, so that nothing is known of its rounding?"""
        return math.isnan(self.margin)

    def agrees(self, low: float, high: float) -> bool:
        """Could a number in [low, high] have been printed like this? A bound is met strictly unless `inclusive`."""
        if self.bound == "upper":
            return low < self.value or (self.inclusive and low == self.value)
        if self.bound == "lower":
            return high > self.value or (self.inclusive and high == self.value)
        # A ten-millionth of a margin: .045 and .055 have no exact doubles.
        room = self._slack * 1e-7
        return low <= self.high + room and high >= self.low - room

    @property
    def _slack(self) -> float:
        return 0.0 if self.in_words else self.margin


def printed_figure(*, value: float, text: str) -> PrintedFigure:
    """What does a printed token say? ".07" is .065 to .075; "<0.01" an upper bound; "two thirds" a word.

    The token's number that equals `value` gives the decimals; thousands commas, pound and percent signs are
    passed over. Refuses a value that is not finite (InvalidInput).
    """
    if not math.isfinite(value):
        raise InvalidInput(f"printed figure {text!r} has no value")
    said = plain(text)
    for found in _NUMBER.finditer(said):
        token = found[0]
        number = float(token.replace(",", ""))
        if math.isclose(number, abs(value), rel_tol=1e-12, abs_tol=1e-12):
            decimals = len(token.split(".")[1]) if "." in token else 0
            # Only what stands before the number bounds it: "3.6 over baseline" is 3.6.
            bound, inclusive = _bound(said[: found.start()])
            margin = 0.5 * 10.0**-decimals
            return PrintedFigure(value=value, text=text, margin=margin, bound=bound, inclusive=inclusive)
    bound, inclusive = _bound(said)
    return PrintedFigure(value=value, text=text, margin=math.nan, bound=bound, inclusive=inclusive)


def _bound(words: str) -> tuple[Bound, bool]:
    clean = " ".join(words.lower().split()) + " "
    return next(((bound, itself) for word, bound, itself in _BOUNDS if word in clean), ("none", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A printed number with its rounding."""

    value: float
    margin: float  # half a unit of the last digit


def p_range(
    *,
    estimate: Printed | PrintedFigure,
    low: Printed | PrintedFigure,
    high: Printed | PrintedFigure,
    level: float,
    freedom: tuple[float, float],
) -> tuple[float, float]:
    """Least and most p that rounded figures allow: t = estimate / (half interval / quantile), over all df given."""
    half = (high.value - low.value) / 2
    slack = (low.margin + high.margin) / 2
    sizes = (max(0.0, abs(estimate.value) - estimate.margin), abs(estimate.value) + estimate.margin)
    halves = (max(half - slack, 1e-12), half + slack)
    # One call for all corners: a page has hundreds of lines.
    reach = dict(zip(freedom, student_quantile(0.5 + level / 2, freedom), strict=True))
    corners = [(size * float(reach[df]) / wide, df) for size in sizes for wide in halves for df in freedom]
    found = 2 * student_tail([t for t, _ in corners], [df for _, df in corners])
    return float(found.min()), float(found.max())


def p_fits(sign: str, text: str, low: float, high: float) -> bool:
    """Could a p between `low` and `high` have been printed with this sign and these digits?"""
    printed = float(text)
    if sign in ("<", "<="):
        return low < printed or (sign == "<=" and low == printed)
    if sign in (">", ">="):
        return high > printed or (sign == ">=" and high == printed)
    margin = 0.5 * 10.0 ** -len(text.partition(".")[2])
    return printed - margin - 1e-9 <= high and low <= printed + margin + 1e-9


def share_fits(part: float, whole: float, text: str) -> bool:
    """Is the printed share, in per cent, that of `part` in `whole` within its rounding? None is a share of nobody."""
    margin = 0.5 * 10.0 ** -len(text.partition(".")[2])
    return bool(whole) and abs(100 * part / whole - float(text)) <= margin + 1e-9
