"""How unlike are two columns of figures? Measures for the checks of what is plausible, none of them a test.

A check of raw data asks whether a column is in the unit, on the scale and of the people that it should be, for which
the size of a difference counts and not its p-value: the larger the file, the smaller the differences that a test
finds.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Figures = npt.NDArray[np.float64]


def cohens_h(share: float, other: float) -> float:
    """Distance of two shares, 2 |arcsin sqrt(p) - arcsin sqrt(q)|: from 0 to pi, comparable near 0 and 1 as in the
    middle.

    Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., formula 6.2.1, page 181; he
    calls 0.5 medium and 0.8 large.
    """
    return 2 * abs(math.asin(math.sqrt(share)) - math.asin(math.sqrt(other)))


def times(figure: float, usual: float) -> float:
    """By which factor two positive figures differ, at least 1; infinite where only one is zero."""
    if figure == usual:
        return 1.0
    smaller, larger = sorted((figure, usual))
    return math.inf if smaller <= 0 else larger / smaller


def standardised_difference(figures: Figures, others: Figures) -> float:
    """Difference of the means in standard deviations of both together; zero where nothing varies."""
    both = np.concatenate((figures, others))
    spread = float(np.std(both, ddof=1)) if len(both) > 1 else 0.0
    return abs(float(figures.mean() - others.mean())) / spread if spread > 0 else 0.0


def known(figures: Figures) -> Figures:
    """The figures that are not missing."""
    there: Figures = figures[~np.isnan(figures)]
    return there


def share_missing(figures: Figures) -> float:
    """The share of missing figures."""
    return float(np.isnan(figures).mean()) if len(figures) else 0.0


def share_zero(figures: Figures) -> float:
    """The share of zeros among the figures that are known."""
    there = known(figures)
    return float((there == 0).mean()) if len(there) else 0.0
