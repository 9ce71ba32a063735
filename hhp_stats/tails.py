"""Tail probabilities and quantiles without `scipy.stats`, whose import takes a second of every command.

The same functions of `scipy.special` that `scipy.stats` calls, so the numbers are the same; infinite degrees of
freedom mean the normal distribution there as here.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]


def student_tail(t: Any, df: Any) -> Floats:
    """P(T > t) for Student's t with `df` degrees of freedom."""
    t, df = np.asarray(t, dtype=np.float64), np.asarray(df, dtype=np.float64)
    return np.asarray(np.where(np.isinf(df), special.ndtr(-t), special.stdtr(df, -t)), dtype=np.float64)


def student_quantile(p: Any, df: Any) -> Floats:
    """The value that Student's t with `df` degrees of freedom stays below with probability `p`."""
    p, df = np.asarray(p, dtype=np.float64), np.asarray(df, dtype=np.float64)
    return np.asarray(np.where(np.isinf(df), special.ndtri(p), special.stdtrit(df, p)), dtype=np.float64)


def normal_tail(z: float) -> float:
    """P(Z > z) for the standard normal distribution."""
    return float(special.ndtr(-z))


def chi2_tail(x: float, df: float) -> float:
    """P(X > x) for chi-squared with `df` degrees of freedom."""
    return float(special.chdtrc(df, x))


def f_tail(x: float, df1: float, df2: float) -> float:
    """P(X > x) for F with `df1` and `df2` degrees of freedom."""
    return float(special.fdtrc(df1, df2, x))


def noncentral_t_tail(t: float, df: float, shift: float) -> float:
    """P(T > t) for Student's t with `df` degrees of freedom and noncentrality `shift`.

    Given the estimated standard deviation, s times the true one, T exceeds t where a normal variable exceeds t s -
    shift; the density of s, that of sqrt(chi-squared(df) / df), is integrated by Gauss and Legendre's rule, since
    scipy's noncentral t has no number in some tails. Twelve standard deviations of s on either side leave out less than
    the rounding of a double. Where t is large the normal tail is a step in s, which has a panel of its own.
    Source: Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions, vol. 2, ch. 31.
    """
    reach = 12 / math.sqrt(2 * df)
    low, high = max(0.0, 1 - reach), 1 + reach
    step = (shift / t, 9 / abs(t)) if t else (low, 0.0)
    inside = (min(max(step[0] + side * step[1], low), high) for side in (-1, 1))
    total = 0.0
    for left, right in pairwise((low, *inside, high)):
        if right > left:
            nodes, weights = _rule()
            s = (left + right) / 2 + (right - left) / 2 * nodes
            density = np.exp(_log_density(s, df))
            total += (right - left) / 2 * float((weights * density) @ special.ndtr(shift - t * s))
    return min(1.0, max(0.0, total))


def _log_density(s: Floats, df: float) -> Floats:
    """The logarithm of the density of sqrt(chi-squared(df) / df), to full digits however many degrees of freedom."""
    half, u = df / 2, s - 1
    rest = 1 / (12 * half) - 1 / (360 * half**3)  # of Stirling's formula
    if half < 100:
        rest = math.lgamma(half) - ((half - 0.5) * math.log(half) - half + 0.5 * math.log(2 * math.pi))
    constant = math.log(2) + 0.5 * math.log(half / (2 * math.pi)) - rest
    return np.asarray(constant + df * (np.log1p(u) - u - u * u / 2) - np.log(s))


@cache
def _rule() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(200)
    return np.asarray(nodes), np.asarray(weights)
