"""Tails without scipy.stats are those of scipy.stats."""

import math

import numpy as np
from scipy import stats

from hhp_stats.tails import chi2_tail, f_tail, normal_tail, student_quantile, student_tail


def test_tails_and_quantiles_equal_those_of_scipy_stats():
    for df in (1, 2.5, 9, 263, 1e6, np.inf):
        for t in (0.0, 0.3, 1.96, 8.0, 40.0):
            # scipy.stats asks the same function; only at infinity it takes a detour that costs the last bits.
            assert math.isclose(student_tail(t, df), stats.t.sf(t, df), rel_tol=1e-12 if np.isinf(df) else 0)
            assert chi2_tail(t, min(df, 1e6)) == stats.chi2.sf(t, min(df, 1e6))
            assert f_tail(t, 3, min(df, 1e6)) == stats.f.sf(t, 3, min(df, 1e6))
            assert normal_tail(t) == stats.norm.sf(t)
        for p in (0.025, 0.5, 0.9, 0.975, 0.999):
            assert math.isclose(student_quantile(p, df), stats.t.ppf(p, df), rel_tol=1e-12 if np.isinf(df) else 0)
    both = student_tail([1.0, 2.0], [5.0, np.inf])
    assert both[0] == stats.t.sf(1, 5) and math.isclose(both[1], stats.norm.sf(2), rel_tol=1e-12)
