"""OLS: the numbers themselves, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from hhp_stats.errors import CollinearTerms, ConstantTreatment, InvalidInput, NoObservations, UnknownName
from hhp_stats.regression.gram import triangular_factor
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix


def matrix_of(**columns):
    return ModelMatrix(
        values=np.column_stack([np.asarray(c, dtype=float) for c in columns.values()]), names=tuple(columns)
    )


@pytest.fixture
def longley():
    data = sm.datasets.longley.load_pandas()
    return data.endog.to_numpy(), sm.add_constant(data.exog).to_numpy(), ("intercept", *data.exog.columns)


def test_longley_certified_values(longley):
    """NIST's certified values for a notoriously ill-conditioned regression (StRD, Longley)."""
    outcome, values, names = longley
    fit = ols(outcome=outcome, matrix=ModelMatrix(values=values, names=names))
    certified = [
        -3482258.63459582,
        15.0618722713733,
        -0.358191792925910e-01,
        -2.02022980381683,
        -1.03322686717359,
        -0.511041056535807e-01,
        1829.15146461355,
    ]
    # The condition number is 5e9: of sixteen digits some seven survive, and statsmodels' own are no better.
    assert fit.coefficients == pytest.approx(certified, rel=1e-7)


def test_badly_scaled_columns_keep_ten_digits():
    rng = np.random.default_rng(1)
    x, year = rng.normal(size=200), rng.integers(2016, 2021, 200)
    plain = matrix_of(intercept=np.ones(200), x=x, year=year - 2018)
    wild = matrix_of(intercept=np.ones(200), x=1e-7 * x, year=year)
    y = 2 + x + 0.1 * (year - 2018) + rng.normal(size=200)
    first, second = ols(outcome=y, matrix=plain), ols(outcome=y, matrix=wild)
    assert second.coefficients[1:] == pytest.approx(first.coefficients[1:] * [1e7, 1], rel=1e-10)
    assert second.residuals == pytest.approx(first.residuals, abs=1e-10)  # rounding of 2018 times a coefficient


@pytest.mark.parametrize("near", [1.0, 1e-3, 1e-6])
def test_triangular_factor_is_that_of_qr(near):
    rng = np.random.default_rng(2)
    values = rng.normal(size=(300, 4))
    values[:, 3] = values[:, 2] + near * values[:, 3]
    found, expected = triangular_factor(values), np.linalg.qr(values, mode="r")
    assert np.abs(found) == pytest.approx(np.abs(expected), rel=1e-8)  # rounding / 1e-6, the closeness of two columns


def test_inverse_factor_makes_columns_orthonormal():
    rng = np.random.default_rng(3)
    matrix = matrix_of(intercept=np.ones(50), x=rng.normal(100, 1, 50), z=rng.exponential(size=50))
    fit = ols(outcome=rng.normal(size=50), matrix=matrix)
    q = matrix.values @ fit.inverse_factor
    assert q.T @ q == pytest.approx(np.eye(3), abs=1e-11)  # rounding times the condition number, about 100
    assert fit.gram_inverse == pytest.approx(np.linalg.inv(matrix.values.T @ matrix.values), rel=1e-8)


def test_all_outcomes_missing():
    matrix = matrix_of(intercept=np.ones(4), treatment=[0, 1, 0, 1])
    with pytest.raises(NoObservations, match="all outcomes are missing"):
        ols(outcome=np.full(4, np.nan), matrix=matrix)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_some_outcomes_unusable(bad):
    matrix = matrix_of(intercept=np.ones(4), treatment=[0, 1, 0, 1])
    with pytest.raises(InvalidInput, match=r"1 outcomes are missing|infinite"):
        ols(outcome=np.array([1, 2, bad, 4]), matrix=matrix)


def test_no_rows():
    empty = ModelMatrix(values=np.empty((0, 2)), names=("intercept", "treatment"))
    with pytest.raises(NoObservations):
        ols(outcome=np.empty(0), matrix=empty)


def test_outcome_of_another_length():
    with pytest.raises(InvalidInput, match="shape"):
        ols(outcome=np.zeros(3), matrix=matrix_of(intercept=np.ones(4), treatment=[0, 1, 0, 1]))


def test_collinear_terms_are_named():
    x = np.arange(6.0)
    with pytest.raises(CollinearTerms, match="twice"):
        ols(outcome=x, matrix=matrix_of(intercept=np.ones(6), x=x, twice=2 * x))
    with pytest.raises(CollinearTerms, match="2 observations"):
        ols(outcome=np.zeros(2), matrix=matrix_of(intercept=np.ones(2), x=[1, 2], z=[1, 3]))


def test_unknown_term():
    with pytest.raises(UnknownName, match="no term 'dose'"):
        matrix_of(intercept=np.ones(2), treatment=[0, 1]).position("dose")


FRAME = pd.DataFrame(
    {
        "treatment": [0, 1, 0, 1, 0, 1],
        "role": ["a", "b", "c", "a", "b", "c"],
        "x": [1.0, 2, 4, 8, 16, 32],
    }
)


def test_model_matrix_dummies_follow_the_given_order_and_base():
    matrix = model_matrix(FRAME, [Term(column="role", kind="categorical", base="b", levels=("c", "b", "a", "d"))])
    assert matrix.names == ("intercept", "treatment", "role[c]", "role[a]")
    assert matrix.values[:, 2].tolist() == [0, 0, 1, 0, 0, 1]
    assert matrix.values[:, 3].tolist() == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_model_matrix_does_not_depend_on_the_storage_of_text(kind):
    term = Term(column="role", kind="categorical", base="a")
    found = model_matrix(FRAME.astype({"role": kind}), [term])
    assert found.names == ("intercept", "treatment", "role[b]", "role[c]")
    assert np.array_equal(found.values, model_matrix(FRAME, [term]).values)


def test_model_matrix_refuses():
    with pytest.raises(ConstantTreatment):
        model_matrix(FRAME.assign(treatment=1), [])
    with pytest.raises(NoObservations):
        model_matrix(FRAME.iloc[:0], [])
    with pytest.raises(InvalidInput, match="treatment has 1 missing"):
        model_matrix(FRAME.assign(treatment=[0, 1, None, 1, 0, 1]), [])
    with pytest.raises(InvalidInput, match="role has 1 missing"):
        model_matrix(FRAME.assign(role=["a", None, "c", "a", "b", "c"]), [Term(column="role", kind="categorical")])
    with pytest.raises(InvalidInput, match="does not name: c"):
        model_matrix(FRAME, [Term(column="role", kind="categorical", levels=("a", "b"))])
    with pytest.raises(InvalidInput, match="infinite"):
        model_matrix(FRAME.assign(x=[1, np.inf, 2, 3, 4, 5]), [Term(column="x", kind="continuous")])
    with pytest.raises(CollinearTerms, match="twice"):
        model_matrix(FRAME.assign(twice=2 * FRAME["x"]), [Term(column=c, kind="continuous") for c in ("x", "twice")])


@pytest.mark.parametrize("closeness", [1e-4, 1e-7])
def test_model_matrix_accepts_terms_that_are_close_but_not_collinear(closeness):
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"treatment": np.arange(100) % 2, "x": rng.normal(size=100)})
    frame["z"] = frame["x"] + closeness * rng.normal(size=100)
    assert len(model_matrix(frame, [Term(column=c, kind="continuous") for c in ("x", "z")]).names) == 4
