"""Confidence sets that need not be intervals: Fieller's and Anderson and Rubin's, which are one.

Inverting a test can give an interval, everything outside one, the whole line, or nothing. Each is
a result and is reported as what it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hhp_stats.errors import InvalidInput

SetKind = Literal["interval", "half_line", "complement", "union", "whole_line", "empty"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceSet:
    """The values a test does not reject: closed pieces in rising order, possibly infinite or none."""

    parts: tuple[tuple[float, float], ...]
    conf_level: float
    method: str

    def __post_init__(self) -> None:
        ends = [end for part in self.parts for end in part]
        if any(math.isnan(end) for end in ends) or ends != sorted(ends):
            raise InvalidInput(f"the pieces of a confidence set must be in rising order: {self.parts}")

    @property
    def kind(self) -> SetKind:
        """What the set looks like; `complement` is two rays with a gap, `union` any other two or more pieces."""
        if not self.parts:
            return "empty"
        open_ends = (math.isinf(self.parts[0][0]), math.isinf(self.parts[-1][1]))
        if len(self.parts) == 1:
            return "whole_line" if all(open_ends) else "half_line" if any(open_ends) else "interval"
        return "complement" if len(self.parts) == 2 and all(open_ends) else "union"

    @property
    def bounded(self) -> bool:
        """Does the set exclude some large values on both sides? The empty set is not called bounded."""
        return bool(self.parts) and not (math.isinf(self.parts[0][0]) or math.isinf(self.parts[-1][1]))

    @property
    def hull(self) -> tuple[float, float]:
        """The smallest interval that holds the set; refuses the empty set (InvalidInput)."""
        if not self.parts:
            raise InvalidInput("an empty confidence set has no ends")
        return self.parts[0][0], self.parts[-1][1]

    def contains(self, value: float) -> bool:
        """Is this value not rejected?"""
        return any(low <= value <= high for low, high in self.parts)

    def in_words(self, *, digits: int = 2) -> str:
        """The set as a phrase for the report."""

        def number(value: float) -> str:
            return f"{value:.{digits}f}"

        if self.kind == "empty":
            return "empty: every value is rejected, so the model itself is"
        if self.kind == "whole_line":
            return "unbounded: no value is rejected"
        if self.kind == "complement":
            (_, below), (above, _) = self.parts
            return f"unbounded: all values up to {number(below)} and from {number(above)} on"
        pieces = [
            f"up to {number(high)}"
            if math.isinf(low)
            else f"from {number(low)} on"
            if math.isinf(high)
            else f"{number(low)} to {number(high)}"
            for low, high in self.parts
        ]
        return ("unbounded: " if self.kind == "half_line" else "") + " and ".join(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoEstimates:
    """Two estimates, which may depend on each other, with their variances and covariance: a ratio's two sides."""

    numerator: float
    denominator: float
    numerator_variance: float
    denominator_variance: float
    covariance: float

    def without_units(self) -> tuple[TwoEstimates, float]:
        """Both sides in units of their own size, and by what a ratio of these is to be multiplied.

        Whatever the units were, the squares that follow keep their digits, and none is too large or too small for a
        double.
        """
        top = max(abs(self.numerator), math.sqrt(self.numerator_variance)) or 1.0
        bottom = max(abs(self.denominator), math.sqrt(self.denominator_variance)) or 1.0
        scaled = TwoEstimates(
            numerator=self.numerator / top,
            denominator=self.denominator / bottom,
            numerator_variance=self.numerator_variance / top / top,
            denominator_variance=self.denominator_variance / bottom / bottom,
            covariance=self.covariance / top / bottom,
        )
        return scaled, top / bottom


def ratio_set(sides: TwoEstimates, *, critical: float, conf_level: float, method: str) -> ConfidenceSet:
    """Which ratios r do the data not reject: where is (n - r d)^2 <= c^2 (v_n - 2 r cov + r^2 v_d), c = `critical`?

    The set holds n / d wherever d is not zero. Where both sides move together exactly it is that point alone; rounding
    must not make it empty. Refuses numbers that are not finite (InvalidInput).
    """
    own, unit = sides.without_units()
    c2 = critical * critical
    found = where_quadratic_not_positive(
        square=own.denominator**2 - c2 * own.denominator_variance,
        linear=-2 * (own.numerator * own.denominator - c2 * own.covariance),
        constant=own.numerator**2 - c2 * own.numerator_variance,
        conf_level=conf_level,
        method=method,
    )
    parts = found.parts
    if not parts and own.denominator != 0:
        parts = ((own.numerator / own.denominator,) * 2,)
    return ConfidenceSet(
        parts=tuple((low * unit, high * unit) for low, high in parts), conf_level=conf_level, method=method
    )


def where_quadratic_not_positive(
    *, square: float, linear: float, constant: float, conf_level: float, method: str
) -> ConfidenceSet:
    """For which x is square * x^2 + linear * x + constant <= 0? The set behind Fieller and Anderson-Rubin.

    The roots come from the form that does not subtract nearly equal numbers. Refuses coefficients
    that are not finite (InvalidInput).
    """
    if not all(math.isfinite(value) for value in (square, linear, constant)):
        raise InvalidInput("the inverted test has coefficients that are not finite")
    everything = ((-math.inf, math.inf),)
    parts: tuple[tuple[float, float], ...]
    discriminant = linear * linear - 4 * square * constant
    if square == 0:
        if linear == 0:
            parts = everything if constant <= 0 else ()
        else:
            root = -constant / linear
            parts = ((-math.inf, root),) if linear > 0 else ((root, math.inf),)
    elif discriminant < 0:
        parts = () if square > 0 else everything
    else:
        far = -0.5 * (linear + math.copysign(math.sqrt(discriminant), linear))
        roots = sorted((far / square, constant / far if far != 0 else 0.0))
        if square > 0:
            parts = ((roots[0], roots[1]),)
        else:
            parts = ((-math.inf, roots[0]), (roots[1], math.inf)) if roots[0] < roots[1] else everything
    return ConfidenceSet(parts=parts, conf_level=conf_level, method=method)
