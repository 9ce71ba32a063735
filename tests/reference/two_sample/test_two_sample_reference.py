"""Two-sample tests against R's t.test and brute force over rounding: see SOURCE.md in this folder."""

from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from hhp_stats.estimate.two_sample import (
    ArmSummary,
    equal_variance_from_summary,
    welch,
    welch_from_summary,
    welch_p_range,
)

HERE = Path(__file__).parent
EXPECTED = pd.read_csv(HERE / "expected.csv").set_index("case")
DATA = pd.read_csv(HERE / "data.csv")


def arms(case):
    part = DATA[DATA["case"] == case]
    return [
        ArmSummary(mean=y.mean(), std_error=float(stats.sem(y)), n=len(y))
        for y in (part.loc[part["treatment"] == arm, "y"] for arm in (1, 0))
    ]


def rounded(case):
    row = EXPECTED.loc[case]
    margins = {"mean_margin": 0.005, "std_error_margin": 0.005}
    return [
        ArmSummary(mean=row.m1, std_error=row.se1, n=int(row.n1), **margins),
        ArmSummary(mean=row.m2, std_error=row.se2, n=int(row.n2), **margins),
    ]


@pytest.mark.parametrize("case", EXPECTED.index)
def test_welch(case):
    row, part = EXPECTED.loc[case], DATA[DATA["case"] == case]
    people = welch(outcome=part["y"].to_numpy(), treatment=part["treatment"].to_numpy(dtype=float))
    for got in (people, welch_from_summary(*arms(case))):
        for name in ("std_error", "df", "p_value", "conf_low", "conf_high"):
            assert getattr(got, name) == pytest.approx(row[name], rel=1e-10), name  # closed formulas on both sides
        assert got.estimate == pytest.approx(row.estimate, rel=1e-10, abs=1e-14)  # zero in one case


@pytest.mark.parametrize("case", EXPECTED.index)
def test_student(case):
    got = equal_variance_from_summary(*arms(case))
    assert got.df == EXPECTED.loc[case, "student_df"]
    assert got.p_value == pytest.approx(EXPECTED.loc[case, "student_p"], rel=1e-10)


@pytest.mark.parametrize("case", EXPECTED.index)
def test_range_of_p(case):
    got = welch_p_range(*rounded(case))
    assert got.low == pytest.approx(EXPECTED.loc[case, "p_low"], rel=1e-9)  # both take the rounding limits
    assert got.high == pytest.approx(EXPECTED.loc[case, "p_high"], rel=1e-9)


def test_hard_cases_are_still_in_the_file():
    assert EXPECTED.loc["same_means", "p_high"] == 1
    assert EXPECTED.loc["tiny", ["n1", "n2"]].tolist() == [3, 4]
    assert EXPECTED.loc["unequal_variance", "df"] > EXPECTED.loc["unequal_variance", "n2"]
