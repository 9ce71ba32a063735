"""Balance against R: see SOURCE.md in this folder."""

from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.design.balance import joint_f_test, omnibus_balance
from hhp_stats.design.balance_table import balance_table

HERE = Path(__file__).parent
EXPECTED = pd.read_csv(HERE / "expected.csv")
DATA = pd.read_csv(HERE / "data.csv")
CASES = sorted(EXPECTED["case"].unique())
COVARIATES = ["x1", "x2", "x3"]


def expected(case):
    return EXPECTED[EXPECTED["case"] == case].set_index("quantity")["value"].to_dict()


def trial(case):
    return DATA[DATA["case"] == case].reset_index(drop=True)


@pytest.mark.parametrize("case", CASES)
def test_standardised_differences(case):
    want = expected(case)
    table = balance_table(trial(case), continuous=COVARIATES, categorical=["role"])
    table = table.set_index(["covariate", "level"])
    for name in COVARIATES:
        got = table.loc[(name, "")]
        assert got["std_difference"] == pytest.approx(want[f"smd_{name}"], rel=1e-9)  # closed formulas
        assert got["variance_ratio"] == pytest.approx(want[f"ratio_{name}"], rel=1e-9)
    assert table.loc[("role", ""), "std_difference"] == pytest.approx(want["smd_role"], rel=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_omnibus_and_joint_f(case):
    want, frame = expected(case), trial(case)
    got = omnibus_balance(
        covariates=frame[COVARIATES],
        treatment=frame["treatment"],
        clusters=frame["team"],
        strata=frame["stratum"] if case == "strata" else None,
    )
    assert got.statistic == pytest.approx(want["d2"], rel=1e-9)  # closed formulas
    assert got.p_value == pytest.approx(want["d2_p"], rel=1e-8)
    joint = joint_f_test(covariates=frame[COVARIATES], treatment=frame["treatment"], clusters=frame["team"])
    assert joint.statistic == pytest.approx(want["joint_f"], rel=1e-9)
    assert joint.p_value == pytest.approx(want["joint_f_p"], rel=1e-8)


def test_hard_cases_are_still_in_the_file():
    assert expected("imbalanced")["d2_p"] < 0.05 < expected("equal")["d2_p"]
    assert trial("strata")["stratum"].nunique() == 4
    assert trial("unequal").groupby("team").size().nunique() == 4
    assert (trial("people").groupby("team").size() == 1).all()
