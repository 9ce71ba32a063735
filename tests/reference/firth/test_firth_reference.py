"""Firth's logit against base R by another algorithm (see SOURCE.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from scipy.special import expit

from hhp_stats.errors import Separation
from hhp_stats.estimate.firth import firth_log_odds, firth_logit
from hhp_stats.estimate.logistic import logit
from hhp_stats.regression.model_matrix import Term, model_matrix

HERE = Path(__file__).parent
DATA = pd.read_csv(HERE / "data.csv")
EXPECTED = pd.read_csv(HERE / "expected.csv")
TERMS = (Term(column="x", kind="continuous"), Term(column="flag", kind="binary"))
SEPARATED = {"quasi_separated", "treatment_separates", "completely_separated"}


def inputs(case):
    frame = DATA[DATA["case"] == case]
    return {"outcome": frame["y"].to_numpy(), "matrix": model_matrix(frame, TERMS)}


@pytest.mark.parametrize("row", EXPECTED.to_dict("records"), ids=lambda r: f"{r['case']}-{r['term']}")
def test_agrees_with_r(row):
    fit = firth_logit(**inputs(row["case"]))
    found = firth_log_odds(fit, term=row["term"])
    assert found.estimate == pytest.approx(row["estimate"], rel=1e-7)  # tolerances: see SOURCE.md
    assert found.std_error == pytest.approx(row["std_error"], rel=1e-7)
    assert fit.log_likelihood == pytest.approx(row["log_likelihood"], rel=1e-9)
    assert found.conf_low == pytest.approx(row["conf_low"], abs=2e-5)
    assert found.conf_high == pytest.approx(row["conf_high"], abs=2e-5)
    assert found.p_value == pytest.approx(row["p_value"], rel=1e-4)


@pytest.mark.parametrize("case", sorted(set(DATA["case"])))
def test_the_hard_cases_are_still_hard(case):
    if case in SEPARATED:
        with pytest.raises(Separation):
            logit(**inputs(case))
    else:
        assert np.isfinite(logit(**inputs(case)).coefficients).all()


def test_no_case_was_lost():
    assert set(DATA["case"]) == set(EXPECTED["case"]) == SEPARATED | {"ordinary", "rare"}
    assert DATA[DATA["case"] == "rare"]["y"].mean() < 0.15


@pytest.mark.parametrize("case", ["rare", "quasi_separated"])
def test_no_optimiser_finds_a_higher_penalised_likelihood(case):
    given = inputs(case)
    x, y = given["matrix"].values, given["outcome"]

    def minus_penalised(b):
        linear = x @ b
        weight = expit(linear) * expit(-linear)
        return -(y @ linear - np.logaddexp(0, linear).sum() + np.linalg.slogdet(x.T * weight @ x)[1] / 2)

    fit = firth_logit(**given)
    best = optimize.minimize(
        minus_penalised,
        np.zeros(x.shape[1]),
        method="Nelder-Mead",
        options={"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-9, "fatol": 1e-12},
    )
    assert fit.log_likelihood >= -best.fun - 1e-10  # rounding of a sum of a hundred logarithms
    assert fit.coefficients == pytest.approx(best.x, abs=1e-5)  # a simplex finds the place to half the digits
