"""One outside number, what we make of it, and whether the two agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

# An exact reference (a fraction, a product of whole numbers) may differ by rounding in double precision only.
EXACT_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationCase:
    """One number that other software, a publication or plain arithmetic gives, and how we compute it.

    `printed` is the reference as its source prints it, so that its last digit says how much agreement
    can be asked for; a fraction such as "5/21" is exact. `exact` marks decimals that are exact too (90,
    not 90 rounded), `truth` numbers that stand for yes (1) and no (0).
    """

    method: str  # a key of `methods.METHODS`; the section of appendix E is sec-m-<method>
    quantity: str  # what the number is, with its data
    printed: str
    source: str  # software with version, or publication with table or page
    compute: Callable[[], float]
    exact: bool = False
    truth: bool = False
    figure: str = ""  # the printed figure that the reference is, where the programme itself printed it

    @property
    def section(self) -> str:
        """Anchor of the section of appendix E that shows this case."""
        return f"sec-m-{self.method}"

    @property
    def reference(self) -> float:
        """The printed number."""
        return float(Fraction(self.printed)) if "/" in self.printed else float(self.printed)

    @property
    def printed_digits(self) -> int:
        """Decimals of the printed number; 0 for fractions and whole numbers."""
        _, _, decimals = self.printed.partition(".")
        return len(decimals)

    @property
    def tolerance(self) -> float:
        """The largest gap at which the numbers agree: half a unit of the last printed digit, or rounding."""
        if self.exact or self.truth or "/" in self.printed:
            return EXACT_TOLERANCE * max(1.0, abs(self.reference))
        # The half unit itself has no exact double: a billionth of it is allowed on top.
        return float(0.5 * 10.0**-self.printed_digits * (1 + 1e-9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A case with our number."""

    case: ValidationCase
    ours: float

    @property
    def gap(self) -> float:
        """Absolute difference from the reference."""
        return abs(self.ours - self.case.reference)

    @property
    def digits(self) -> float:
        """Significant digits on which the two agree, at most 15; of a reference of zero, decimals."""
        size = abs(self.case.reference) or 1.0
        if not math.isfinite(self.gap):
            return 0.0
        return 15.0 if self.gap == 0 else min(15.0, max(0.0, -math.log10(self.gap / size)))

    @property
    def ok(self) -> bool:
        """Do they agree at the printed digits?"""
        return self.gap <= self.case.tolerance
