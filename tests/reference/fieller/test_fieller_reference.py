"""Fieller's sets against inversion by search in R: see SOURCE.md in this folder."""

import math
from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.estimate.ratio import fieller

EXPECTED = pd.read_csv(Path(__file__).parent / "expected.csv").set_index("case")


def found(case):
    row = EXPECTED.loc[case]
    return fieller(
        numerator=row.n,
        denominator=row.d,
        numerator_variance=row.vn,
        denominator_variance=row.vd,
        covariance=row["cov"],
        df=row.df,
        conf_level=row.level,
    )


@pytest.mark.parametrize("case", EXPECTED.index)
def test_set(case):
    row, got = EXPECTED.loc[case], found(case)
    ends = [end for part in got.set.parts for end in part if math.isfinite(end)]
    want = [end for end in (row.end_1, row.end_2) if not math.isnan(end)]
    assert ends == pytest.approx(want, rel=1e-8)  # far ends magnify the last digits of R's roots
    assert math.isinf(got.set.parts[0][0]) == bool(row.open)
    assert got.denominator_significant != bool(row.open)
    assert got.set.contains(got.estimate)


def test_published_sets():
    """The two textbook ratios: an interval, and a denominator too close to zero for one."""
    assert found("bounded").set.parts[0] == pytest.approx((1.104423, 3.621801), abs=5e-7)  # printed digits
    assert found("complement").set.kind == "complement"
    assert "unbounded" in found("complement").set.in_words()


def test_hard_cases_are_still_in_the_file():
    kinds = {case: found(case).set.kind for case in EXPECTED.index}
    assert set(kinds.values()) == {"interval", "complement", "whole_line"}
    assert EXPECTED.loc["exact_denominator", "vd"] == 0 and EXPECTED["cov"].ne(0).sum() == 5
