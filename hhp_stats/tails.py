"""Tail probabilities and quantiles without `scipy.stats`, whose import takes a second of every command.

The same functions of `scipy.special` that `scipy.stats` calls, so the numbers are the same; infinite degrees of
freedom mean the normal distribution there as here.
"""

from __future__ import annotations

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
