"""How far do values lie apart, and is what is left of them more than rounding?

The mean of equal numbers need not be that number in the last bit (ten times 0.1, say), so that their standard deviation
comes out as 1e-17 and not as zero. Divided by, or compared with zero, such dust makes effects and tests of nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from hhp_stats.regression.model_matrix import as_numbers

PERFECT = 1e-26  # the square of what rounding leaves: this share of the square of the values it came from


def is_dust(left: float, *, of: ArrayLike) -> bool:
    """Is `left`, a difference or a deviation of the values `of`, nothing but their rounding: 1e-13 of the largest?

    Shapes: `of` any; infinite and missing values make nothing dust.
    """
    return bool(abs(left) <= math.sqrt(PERFECT) * np.abs(np.asarray(of, dtype=np.float64)).max(initial=0.0))


def spread(values: ArrayLike) -> float:
    """How far do values lie apart? Their standard deviation, denominator n - 1; zero where all are equal to rounding.

    Shapes: values (n,), known; not a number for fewer than two. Units: those of the values. Refuses text and dates
    (InvalidInput). Source: the definition.
    """
    known = as_numbers(values, name="the values")
    if len(known) < 2:
        return math.nan
    found = float(known.std(ddof=1))
    return 0.0 if is_dust(found, of=known) else found
