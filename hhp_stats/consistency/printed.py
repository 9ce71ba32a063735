"""A figure as printed: its value, what rounding leaves open, and whether it is only a bound."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from hhp_stats.errors import InvalidInput

Bound = Literal["none", "lower", "upper"]

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
# Words that turn a figure into a bound; the first that occurs decides.
_LOWER = ("more than", "over ", "at least", "just over")
_INCLUSIVE = ("at least", "up to", "at most")
_UPPER = ("<", "less than", "fewer than", "nearly", "almost", "just under", "up to", "at most")


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

    @property
    def low(self) -> float:
        """The smallest number that could have been printed so."""
        return -math.inf if self.bound == "upper" else self.value - (self._slack if self.bound == "none" else 0.0)

    @property
    def high(self) -> float:
        """The largest number that could have been printed so."""
        return math.inf if self.bound == "lower" else self.value + (self._slack if self.bound == "none" else 0.0)

    @property
    def in_words(self) -> bool:
        """Is the figure spelled out, so that nothing is known of its rounding?"""
        return math.isnan(self.margin)

    def agrees(self, low: float, high: float) -> bool:
        """Could a number in [low, high] have been printed like this? Bounds are met strictly, but "at least", "up to"."""
        itself = any(word in self.text.lower() for word in _INCLUSIVE)
        if self.bound == "upper":
            return low < self.value or (itself and low == self.value)
        if self.bound == "lower":
            return high > self.value or (itself and high == self.value)
        # A ten-millionth of a margin: .045 and .055 have no exact doubles.
        room = self._slack * 1e-7
        return low <= self.high + room and high >= self.low - room

    @property
    def _slack(self) -> float:
        return 0.0 if self.in_words else self.margin


def printed_figure(*, value: float, text: str) -> PrintedFigure:
    """What does a printed token say? ".07" is .065 to .075; "<0.01" an upper bound; "two thirds" a word.

    The token's number that equals `value` gives the decimals; thousands commas, pound and percent signs are passed over. Refuses
    a value that is not finite (InvalidInput).
    """
    if not math.isfinite(value):
        raise InvalidInput(f"printed figure {text!r} has no value")
    for found in _NUMBER.finditer(text):
        token = found[0]
        number = float(token.replace(",", ""))
        if math.isclose(number, abs(value), rel_tol=1e-12, abs_tol=1e-12):
            decimals = len(token.split(".")[1]) if "." in token else 0
            # Only what stands before the number bounds it: "3.6 over baseline" is 3.6.
            before = text[: found.start()]
            return PrintedFigure(value=value, text=text, margin=0.5 * 10.0**-decimals, bound=_bound(before))
    return PrintedFigure(value=value, text=text, margin=math.nan, bound=_bound(text))


def _bound(words: str) -> Bound:
    clean = " ".join(words.lower().split()) + " "
    if any(word in clean for word in _UPPER):
        return "upper"
    return "lower" if any(word in clean for word in _LOWER) else "none"
