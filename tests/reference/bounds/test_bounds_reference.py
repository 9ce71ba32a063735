"""Lee's bounds and their standard errors against an independent script."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from hhp_stats.estimate.bounds import lee_bounds

HERE = Path(__file__).parent
EXPECTED = pd.read_csv(HERE / "expected.csv").set_index("case")
DATA = pd.read_csv(HERE / "data.csv")


@pytest.mark.parametrize("case", EXPECTED.index)
def test_lee(case: str) -> None:
    people, row = DATA[DATA["case"] == case], EXPECTED.loc[case]
    found = lee_bounds(outcome=people["outcome"].to_numpy(), treatment=people["treatment"].to_numpy(), seed=5)
    # Outcomes were written with ten digits.
    assert_allclose([found.lower.estimate, found.upper.estimate], [row["lower"], row["upper"]], rtol=1e-8)
    assert_allclose(found.trimmed_share, row["trimmed_share"], rtol=1e-12)
    # Monte Carlo error of 1,000 draws and asymptotics of the formula: see SOURCE.md.
    errors = [found.lower.std_error, found.upper.std_error]
    assert_allclose(errors, [row["lower_std_error"], row["upper_std_error"]], rtol=0.08)
    assert found.trimmed_arm == ("control" if case == "treated_answer_less" else "treated")


def test_the_hard_cases_are_still_in_the_file() -> None:
    assert {"skewed", "treated_answer_less"} <= set(EXPECTED.index)
    answered = DATA.groupby(["case", "treatment"])["outcome"].count().unstack()
    assert answered.loc["treated_answer_less", 1.0] < answered.loc["treated_answer_less", 0.0]
    assert (DATA.groupby(["case", "treatment"]).size() >= 1000).all()
