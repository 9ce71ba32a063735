"""Do the shares of two or more groups differ? Pearson's chi-squared and Fisher's exact test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, NoObservations
from hhp_stats.regression.model_matrix import Array, as_numbers
from hhp_stats.results.frame import checked_level
from hhp_stats.tails import chi2_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class TableTest:
    """A test of a table of counts: `statistic` on `df` degrees of freedom, none for the exact test.

    `odds_ratio` with its interval is given by the exact test only, not a number otherwise; it may be 0 or infinite.
    """

    statistic: float
    df: float
    p_value: float
    n: int
    smallest_expected: float  # count expected in the thinnest cell: below five chi-squared is an approximation at risk
    method: str
    odds_ratio: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan


@typed
def chi_squared_test(table: Array, *, continuity: bool = False) -> TableTest:
    """Are rows and columns of a table of counts unrelated?

    Estimator: sum over cells of (|O - E| - c)^2 / E, E = row total times column total over all, on (rows - 1)(columns
    - 1)
    degrees of freedom. c is 0; with `continuity`, in a two-by-two table, Yates's one half, but no more than |O - E|.

    Shapes: table (r, c) of whole numbers, one observation a person. Assumes independent people: of whole teams in one
    arm it rejects too often. Refuses fractions, negative and missing counts, fewer than two rows or columns, a
    continuity correction of a larger table (InvalidInput), and a row or column without anybody (NoObservations).
    Source: Pearson (1900), Philosophical Magazine 50, 157-175; Yates (1934), Supplement to the Journal of the Royal
    Statistical Society 1, 217-235.
    """
    counts = _counts(table)
    if continuity and counts.shape != (2, 2):
        raise InvalidInput(f"the continuity correction is of two-by-two tables, not of shape {counts.shape}")
    expected = _expected(counts)
    gap = np.abs(counts - expected)
    gap -= np.minimum(0.5, gap) if continuity else 0.0
    statistic, df = float((gap**2 / expected).sum()), (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return TableTest(
        statistic=statistic,
        df=df,
        p_value=chi2_tail(statistic, df),
        n=int(counts.sum()),
        smallest_expected=float(expected.min()),
        method="Pearson's chi-squared" + (", Yates's continuity correction" if continuity else ""),
    )


@typed
def fisher_exact_test(table: Array, *, conf_level: float = 0.95) -> TableTest:
    """Are rows and columns of a two-by-two table unrelated, however small the counts?

    Estimator: with all totals fixed, the chance of every table that is no more likely than the one observed
    (two-sided). `statistic` is the count in the first cell. The odds ratio is its conditional maximum likelihood
    estimate and the interval that of Clopper and Pearson's kind, both from the noncentral hypergeometric
    distribution, as in R's fisher.test; it need not agree with the two-sided p.

    Shapes: table (2, 2). Assumes independent people. Refuses what `chi_squared_test` refuses, and larger tables
    (InvalidInput). Source: Fisher (1935), Journal of the Royal Statistical Society 98, 39-82; Agresti (2013),
    Categorical Data Analysis, 3rd ed., section 3.5.
    """
    checked_level(conf_level)
    counts = _counts(table)
    if counts.shape != (2, 2):
        raise InvalidInput(f"the exact test is of two-by-two tables, not of shape {counts.shape}")
    whole: npt.NDArray[np.int64] = counts.astype(np.int64)
    found = stats.contingency.odds_ratio(whole, kind="conditional")
    low, high = found.confidence_interval(confidence_level=conf_level)
    return TableTest(
        statistic=float(whole[0, 0]),
        df=math.nan,
        p_value=min(1.0, float(stats.fisher_exact(whole).pvalue)),
        n=int(whole.sum()),
        smallest_expected=float(_expected(counts).min()),
        method="Fisher's exact test, two-sided",
        odds_ratio=float(found.statistic),
        conf_low=float(low),
        conf_high=float(high),
    )


def _counts(table: Array) -> Array:
    counts = as_numbers(table, name="the table")
    if counts.ndim != 2 or min(counts.shape) < 2:
        raise InvalidInput(f"a table needs two rows and two columns at least, not shape {counts.shape}")
    if not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.round(counts)).any():
        raise InvalidInput("a table holds counts: whole numbers from zero")
    if (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) == 0).any():
        raise NoObservations("a row or a column of the table holds nobody: leave it out")
    return counts


def _expected(counts: Array) -> Array:
    return np.asarray(np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum(), dtype=np.float64)
