"""Satterthwaite degrees of freedom and HTZ tests against clubSandwich (see SOURCE.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import linalg

from hhp_stats.errors import EstimationError
from hhp_stats.infer.wald import wald_test
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.clusters import cluster_codes
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Term, model_matrix
from hhp_stats.regression.satterthwaite import htz_df, satterthwaite_df

HERE = Path(__file__).parent
DATA = pd.read_csv(HERE.parent / "cluster_robust" / "data.csv")
EXPECTED = pd.read_csv(HERE / "expected.csv")
TERMS = (
    Term(column="authority", kind="categorical"),
    Term(column="x1", kind="continuous"),
    Term(column="x2", kind="continuous"),
)
REFERENCE = {"HTZ": "htz", "Naive-F": "clusters"}


def fitted(case):
    frame = DATA[DATA["case"] == case].astype({"authority": "str"})
    return ols(outcome=frame["y"].to_numpy(), matrix=model_matrix(frame, TERMS)), frame


@pytest.mark.parametrize(
    "row", EXPECTED.to_dict("records"), ids=lambda r: f"{r['case']}-{r['kind']}-{r['terms']}-{r['test']}"
)
def test_wald_agrees_with_r(row):
    fit, frame = fitted(row["case"])
    covariance = cluster_covariance(fit, clusters=frame["team"], kind=row["kind"])
    terms = row["terms"].split()
    if np.isnan(row["p_value"]):
        with pytest.raises(EstimationError, match="too few clusters"):
            wald_test(fit, covariance, terms=terms, reference=REFERENCE[row["test"]])
        return
    found = wald_test(fit, covariance, terms=terms, reference=REFERENCE[row["test"]])
    assert found.df_numerator == row["df_numerator"]
    assert found.statistic == pytest.approx(row["statistic"], rel=1e-8)  # see SOURCE.md
    assert found.df_denominator == pytest.approx(row["df_denominator"], rel=1e-8)
    assert found.p_value == pytest.approx(row["p_value"], rel=1e-7)


def test_the_hard_cases_are_still_there():
    assert set(EXPECTED["test"]) == {"HTZ", "Naive-F"}
    assert {"singletons", "dummy_in_one_cluster", "unequal_few", "rows_are_clusters"} <= set(EXPECTED["case"])
    htz = EXPECTED[EXPECTED["test"] == "HTZ"]
    assert htz["df_numerator"].max() == 3
    assert htz["df_denominator"].min() < 3


def dense(fit, codes, correction):
    """A_g and P = (I - H)(A_g X_g (X'X)^-1) in full, as the definition reads: people by clusters by terms."""
    x = fit.matrix.values
    n, k = x.shape
    annihilator = np.eye(n) - x @ fit.gram_inverse @ x.T
    spread = np.zeros((n, codes.max() + 1, k))
    for g in range(codes.max() + 1):
        rows = np.flatnonzero(codes == g)
        values, vectors = linalg.eigh(annihilator[np.ix_(rows, rows)])
        power = {"CR2": -0.5, "CR3": -1.0, "none": 0.0}[correction]
        kept = np.array([v**power if v > 1e-10 else float(correction == "none") for v in values])
        a = (vectors * kept) @ vectors.T
        spread[:, g] = annihilator[:, rows] @ a @ x[rows] @ fit.gram_inverse
    return spread


@pytest.mark.parametrize("case", sorted(set(DATA["case"])))
@pytest.mark.parametrize("correction", ["none", "CR2", "CR3"])
def test_low_rank_trick_equals_the_full_matrix(case, correction):
    fit, frame = fitted(case)
    codes, count = cluster_codes(frame["team"])
    spread = dense(fit, codes, correction)
    for j in range(spread.shape[2]):
        omega = spread[:, :, j].T @ spread[:, :, j]
        contrast = np.eye(spread.shape[2])[j]
        found = satterthwaite_df(fit, codes=codes, n_clusters=count, contrast=contrast, correction=correction)
        # Fourth powers of differences of near-equal sums: nine digits.
        assert found == pytest.approx(np.trace(omega) ** 2 / (omega**2).sum(), rel=1e-9)


def test_htz_of_one_contrast_is_satterthwaite():
    fit, frame = fitted("unequal_few")
    covariance = cluster_covariance(fit, clusters=frame["team"], kind="CR2")
    single = coefficient(fit, covariance, df="satterthwaite")
    joint = wald_test(fit, covariance, terms=["treatment"], reference="htz")
    assert joint.df_denominator == pytest.approx(single.df, rel=1e-12)  # the same sums
    assert joint.statistic == pytest.approx(single.statistic**2, rel=1e-12)
    assert joint.p_value == pytest.approx(single.p_value, rel=1e-10)


def test_htz_does_not_depend_on_the_choice_of_contrasts():
    fit, frame = fitted("singletons")
    codes, count = cluster_codes(frame["team"])
    contrasts = np.eye(len(fit.coefficients))[[1, 4]]
    mixed = np.array([[2.0, 1.0], [-0.5, 3.0]]) @ contrasts
    first, second = (htz_df(fit, codes=codes, n_clusters=count, contrasts=c) for c in (contrasts, mixed))
    assert first == pytest.approx(second, rel=1e-10)  # an identity up to rounding
