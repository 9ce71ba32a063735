"""Pooling against mice and mitml, and the joint test's two formulas for its df."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hhp_stats.infer.pooling import pool, pool_joint
from hhp_stats.results.frame import Estimate

HERE = Path(__file__).parent
SCALAR = pd.read_csv(HERE / "expected.csv").set_index("case")
JOINT = pd.read_csv(HERE / "expected_joint.csv").set_index("case")


def numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=float)


def estimates(values: np.ndarray, variances: np.ndarray, df: float) -> list[Estimate]:
    return [
        Estimate(estimate=q, std_error=math.sqrt(u), df=df, n=100, n_clusters=None, method="OLS")
        for q, u in zip(values, variances, strict=True)
    ]


@pytest.mark.parametrize("case", SCALAR.index)
def test_mice_pool_scalar(case: str) -> None:
    row = SCALAR.loc[case]
    pooled = pool(estimates(numbers(row["estimates"]), numbers(row["variances"]), row["complete_df"]))
    ours = [pooled.estimate, pooled.within, pooled.between, pooled.std_error**2, pooled.relative_increase, pooled.df]
    expected = row[["estimate", "within", "between", "total", "increase", "df"]].astype(float)
    # The same closed formulas on both sides; R writes 15 digits.
    assert_allclose(ours, expected, rtol=1e-12)
    assert_allclose(pooled.fraction_missing_information, row["fmi"], rtol=1e-12)
    # The interval and test follow from df and total by scipy's own t distribution.
    reach = stats.t.ppf(0.975, row["df"]) * math.sqrt(row["total"])
    assert_allclose([pooled.conf_low, pooled.conf_high], [row["estimate"] - reach, row["estimate"] + reach], rtol=1e-10)


@pytest.mark.parametrize("case", JOINT.index)
def test_mitml_d1(case: str) -> None:
    row = JOINT.loc[case]
    k, m = int(row["k"]), int(row["m"])
    test = pool_joint(
        estimates=numbers(row["estimates"]).reshape(m, k),  # R writes column by column: one imputation after the other
        covariances=numbers(row["covariances"]).reshape(m, k, k),
        complete_df=float(row["complete_df"]),
    )
    # A small matrix is inverted: a few digits are lost against the closed formulas.
    assert_allclose(
        [test.statistic, test.df_denominator, test.relative_increase, test.p_value],
        row[["statistic", "df_denominator", "increase", "p_value"]].astype(float),
        rtol=1e-10,
    )
    assert test.df == k
    assert ("Reiter" in test.method) == math.isfinite(row["complete_df"])


def test_worked_example() -> None:
    q, u = np.array([0.30, 0.25, 0.41, 0.33, 0.28]), np.array([0.010, 0.012, 0.011, 0.0095, 0.0105])
    printed = {math.inf: (45.378705, 0.325962), 47: (18.671145, 0.361784), 12: (6.297509, 0.448141)}
    for complete_df, (df, fmi) in printed.items():
        pooled = pool(estimates(q, u, complete_df))
        # Printed with six decimals.
        assert_allclose([pooled.df, pooled.fraction_missing_information], [df, fmi], atol=6e-7)
        assert_allclose([pooled.estimate, pooled.within, pooled.between], [0.314, 0.0106, 0.00373], rtol=1e-12)
        assert_allclose([pooled.std_error**2, pooled.relative_increase], [0.015076, 0.422264], rtol=2e-6)


def test_the_hard_cases_are_still_in_the_file() -> None:
    assert np.isinf(SCALAR["complete_df"]).any() and (SCALAR["complete_df"] < 5).any()
    assert (SCALAR["estimates"].str.split().str.len() == 2).any()
    assert (SCALAR["increase"] > 1).any() and (SCALAR["increase"] < 0.1).any()
    assert (JOINT["k"] * (JOINT["m"] - 1) <= 4).any() and np.isfinite(JOINT["complete_df"]).any()
