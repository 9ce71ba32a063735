"""Reliability coefficients against base R: see SOURCE.md in this folder."""

from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.measures.reliability import cronbach_alpha, mcdonald_omega, spearman_brown

HERE = Path(__file__).parent
EXPECTED = pd.read_csv(HERE / "expected.csv")
DATA = pd.read_csv(HERE / "data.csv")
CASES = sorted(EXPECTED["case"].unique())


def items(case):
    return DATA[DATA["case"] == case].pivot(index="person", columns="item", values="value")


def expected(case):
    return EXPECTED[EXPECTED["case"] == case].set_index("quantity")["value"].to_dict()


@pytest.mark.parametrize("case", CASES)
def test_alpha_and_its_interval(case):
    want, raw = expected(case), cronbach_alpha(items(case))
    got = {
        "alpha": raw.estimate,
        "alpha_low": raw.conf_low,
        "alpha_high": raw.conf_high,
        "alpha_standardised": cronbach_alpha(items(case), standardised=True).estimate,
    }
    for name, value in got.items():
        assert value == pytest.approx(want[name], rel=1e-10), name  # closed formulas on both sides


@pytest.mark.parametrize("case", [c for c in CASES if "omega_ml" in expected(c)])
@pytest.mark.parametrize(("method", "rel"), [("ml", 1e-5), ("minres", 1e-8)])  # see SOURCE.md
def test_omega(case, method, rel):
    want = expected(case)
    assert mcdonald_omega(items(case), method=method).estimate == pytest.approx(want[f"omega_{method}"], rel=rel)
    got = mcdonald_omega(items(case), method=method, standardised=True).estimate
    assert got == pytest.approx(want[f"omega_{method}_standardised"], rel=rel)


@pytest.mark.parametrize("case", ["two_items", "two_small"])
def test_spearman_brown(case):
    want, got = expected(case), spearman_brown(items(case))
    assert got.estimate == pytest.approx(want["spearman_brown"], rel=1e-10)  # closed formulas on both sides
    assert got.conf_low == pytest.approx(want["spearman_brown_low"], rel=1e-10)
    assert got.conf_high == pytest.approx(want["spearman_brown_high"], rel=1e-10)


def test_hard_cases_are_still_in_the_file():
    assert expected("one_reversed")["alpha"] < 0
    scales = expected("unequal_scales")
    assert abs(scales["alpha"] - scales["alpha_standardised"]) > 0.1
    assert abs(scales["omega_ml"] - scales["omega_ml_standardised"]) > 0.05
    assert items("three_small").shape == (24, 3) and items("two_small").shape == (12, 2)
    assert len(CASES) == 8
