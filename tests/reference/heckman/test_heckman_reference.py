"""The selection model against gretl and against Wooldridge's table 17.1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from linearmodels.datasets import mroz
from numpy.testing import assert_allclose

from hhp_stats.estimate.selection import SelectionFit, heckman_likelihood, heckman_two_step
from hhp_stats.regression.model_matrix import ModelMatrix

HERE = Path(__file__).parent
EXPECTED = pd.read_csv(HERE / "expected.csv", keep_default_na=False)
CASES = list(dict.fromkeys(EXPECTED["case"]))


def people(data: str) -> pd.DataFrame:
    if data != "mroz":
        frame = pd.read_csv(HERE / "data.csv")
        return frame[frame["data"] == data]
    frame = mroz.load()
    return frame.assign(y=np.log(frame["wage"].where(frame["inlf"] == 1)), team=np.arange(len(frame)) % 40)


def terms(frame: pd.DataFrame, names: str) -> ModelMatrix:
    columns = names.split()
    values = np.column_stack([np.ones(len(frame)), *(frame[name].to_numpy(dtype=float) for name in columns)])
    return ModelMatrix(values=values, names=("intercept", *columns))


def fitted(case: str) -> SelectionFit:
    row = EXPECTED[EXPECTED["case"] == case].iloc[0]
    frame = people(row["data"])
    arguments = {
        "outcome": frame["y"].to_numpy(),
        "matrix": terms(frame, row["outcome_terms"]),
        "selection_matrix": terms(frame, row["response_terms"]),
    }
    if row["option"] == "--two-step":
        return heckman_two_step(**arguments)
    return heckman_likelihood(**arguments, clusters=frame["team"] if "cluster" in row["option"] else None)


# gretl climbs from the two-step solution alone and here ends on the lower of two maxima; hills.csv has both.
LOWER = ("form_alone_cluster",)


@pytest.mark.parametrize("case", [case for case in CASES if case not in LOWER])
def test_gretl(case: str) -> None:
    fit = fitted(case)
    ours = {
        name: pair for name, *pair in zip(fit.names, fit.coefficients, np.sqrt(np.diag(fit.covariance)), strict=True)
    }
    ours["lambda"] = [fit.lambda_coefficient, fit.lambda_std_error]
    response = zip(
        fit.selection_names, fit.selection_coefficients, np.sqrt(np.diag(fit.selection_covariance)), strict=True
    )
    ours |= {f"response:{name}": pair for name, *pair in response}
    ours |= {"rho": [fit.rho], "sigma": [fit.sigma], "lnl": [fit.log_likelihood]}
    expected = EXPECTED[EXPECTED["case"] == case]
    assert len(expected) >= 10
    for row in expected.itertuples():
        # gretl stops when its gradient is small, ours when a step gains nothing: see SOURCE.md.
        assert_allclose(ours[row.quantity][0], float(row.value), rtol=1e-7, err_msg=f"{case} {row.quantity}")
        if row.std_error:
            assert_allclose(ours[row.quantity][1], float(row.std_error), rtol=1e-6, err_msg=f"{case} {row.quantity} SE")


@pytest.mark.parametrize("case", LOWER)
def test_where_gretl_ends_on_a_lower_maximum_it_is_named(case: str) -> None:
    fit = fitted(case)
    expected = EXPECTED[EXPECTED["case"] == case].set_index("quantity")["value"].astype(float)
    (other,) = [found for found in fit.others if found.stationary]
    assert fit.log_likelihood > other.log_likelihood
    # As above: two climbs of one likelihood.
    assert_allclose(other.log_likelihood, expected["lnl"], rtol=1e-10)
    assert_allclose(other.rho, expected["rho"], rtol=1e-7)
    assert_allclose(other.coefficients, expected[list(fit.names)], rtol=1e-6)


def test_wooldridge_table_17_1() -> None:
    fit = fitted("mroz_two_step")
    # The published table and its recomputation carry six significant digits.
    assert_allclose(fit.coefficients, [-0.578103, 0.109066, 0.043887, -0.000859114], rtol=2e-5)
    assert_allclose(np.sqrt(np.diag(fit.covariance)), [0.305006, 0.015523, 0.016261, 0.000438916], rtol=4e-5)
    assert_allclose([fit.lambda_coefficient, fit.lambda_std_error], [0.032262, 0.133625], rtol=1e-4)
    assert_allclose([fit.sigma, fit.rho], [0.663629, 0.048614], rtol=1e-4)


def test_the_hard_cases_are_still_in_the_file() -> None:
    frame = pd.read_csv(HERE / "data.csv")
    assert (EXPECTED["outcome_terms"] == EXPECTED["response_terms"]).any()
    rho = EXPECTED[EXPECTED["quantity"] == "rho"]["value"].astype(float)
    assert rho.min() < -0.5 and rho.max() > 0.4
    assert EXPECTED["option"].str.contains("cluster").any() and EXPECTED["option"].str.contains("two-step").any()
    made = frame[frame["data"] == "made"].groupby("team")["d"].agg(["size", "sum"])
    assert (made["size"] == 1).any() and (made["sum"] == 0).sum() >= 2
