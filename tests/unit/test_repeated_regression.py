"""One regression in many completed data sets: the numbers of the regressions one by one, and the same refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from hhp_stats.errors import (
    CollinearTerms,
    EstimationError,
    InvalidInput,
    NoObservations,
    SingleClusterArm,
    UnknownName,
)
from hhp_stats.infer.repeated_regression import repeated_regression
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix

SETS = 4
NAMES = ("intercept", "treatment", "x", "age", "site=b")


def data(seed: int = 3, n: int = 240):
    """A matrix whose columns x and age differ from set to set, the outcomes, and the teams."""
    rng = np.random.default_rng(seed)
    team = rng.integers(0, 30, n)
    values = np.column_stack(
        [np.ones(n), (team % 2).astype(float), rng.normal(size=n), rng.normal(40, 10, n), (team % 3 == 0).astype(float)]
    )
    varying = {"x": rng.normal(size=(n, SETS)), "age": rng.normal(40, 10, (n, SETS))}
    outcomes = rng.normal(size=(n, SETS)) + 0.05 * varying["age"] + rng.normal(size=30)[team][:, None]
    return ModelMatrix(values=values, names=NAMES), varying, outcomes, pd.Series(team, name="team_id")


def one_by_one(matrix, varying, outcomes, teams):
    found = []
    for number in range(outcomes.shape[1]):
        values = matrix.values.copy()
        for name, columns in varying.items():
            values[:, matrix.position(name)] = columns[:, number]
        fit = ols(outcome=outcomes[:, number], matrix=ModelMatrix(values=values, names=matrix.names))
        found.append(coefficient(fit, cluster_covariance(fit, clusters=teams)))
    return found


@pytest.mark.parametrize("names", [("x", "age"), ("x",), ()])
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_the_estimates_are_those_of_the_regressions_one_by_one(names, far) -> None:
    matrix, varying, outcomes, teams = data()
    varying = {name: varying[name] + far for name in names}  # nearly the intercept, where it is far from zero
    same = repeated_regression(matrix=matrix, varying=varying, sets=SETS, clusters=teams)
    for new, old in zip(same.effects(outcomes), one_by_one(matrix, varying, outcomes, teams), strict=True):
        # Rounding: 16 digits less the six by which columns far from zero are alike.
        assert_allclose([new.estimate, new.std_error], [old.estimate, old.std_error], rtol=1e-11 if far == 0 else 1e-8)
        assert (new.n, new.n_clusters, new.df, new.method) == (old.n, old.n_clusters, old.df, old.method)


def test_the_swept_treatment_serves_any_outcome() -> None:
    """Shifting and scaling an outcome by the terms moves the effect as it must: what tipping points rest on."""
    matrix, varying, outcomes, teams = data()
    same = repeated_regression(matrix=matrix, varying=varying, sets=SETS, clusters=teams)
    moved = 3 * outcomes + 2 * matrix.values[:, [1]] + 5 * varying["x"] - 7
    for before, after in zip(same.effects(outcomes), same.effects(moved), strict=True):
        assert_allclose(after.estimate, 3 * before.estimate + 2, rtol=1e-10)
        assert_allclose(after.std_error, 3 * before.std_error, rtol=1e-10)


def test_refusals() -> None:
    matrix, varying, outcomes, teams = data()
    arguments = {"matrix": matrix, "varying": varying, "sets": SETS, "clusters": teams}

    def refused(error, match, **changes):
        with pytest.raises(error, match=match):
            repeated_regression(**(arguments | changes))

    refused(UnknownName, "no term 'height'", varying={"height": varying["x"]})
    refused(InvalidInput, "treatment must be the same", varying={"treatment": varying["x"]})
    refused(InvalidInput, "x needs 240 known values", varying={"x": varying["x"][:, :2]})
    refused(InvalidInput, "x needs 240 known values", varying={"x": np.where(varying["x"] > 2, np.nan, varying["x"])})
    refused(CollinearTerms, "other terms: age", varying={"x": varying["x"], "age": 2 * varying["x"] + 1})
    refused(CollinearTerms, "other terms: treatment", varying={"x": matrix.values[:, [1]] + np.zeros(SETS)})
    refused(
        CollinearTerms,
        "terms before: age",
        varying={},
        matrix=ModelMatrix(
            values=np.column_stack([matrix.values[:, :3], matrix.values[:, 2] + 1, matrix.values[:, 4]]), names=NAMES
        ),
    )
    refused(SingleClusterArm, "one cluster", clusters=np.zeros(240))
    alone = np.where(teams == 1, 1.0, 0.0)
    refused(
        SingleClusterArm,
        "holds 1 cluster",
        matrix=ModelMatrix(values=np.column_stack([matrix.values[:, 0], alone, matrix.values[:, 2:]]), names=NAMES),
    )
    # Every treated team but one has a dummy of its own: nothing is left to compare that one with.
    treated = [number for number in range(30) if number % 2 and number != 1]
    dummies = np.column_stack([teams == number for number in treated]).astype(float)
    refused(
        SingleClusterArm,
        "1 cluster of the treated arm",
        varying={},
        matrix=ModelMatrix(
            values=np.column_stack([matrix.values[:, :2], dummies]),
            names=("intercept", "treatment", *map(str, treated)),
        ),
    )

    same = repeated_regression(**arguments)
    for wrong, error, match in (
        (outcomes[:, :2], InvalidInput, "shape"),
        (np.where(outcomes > 6, np.nan, outcomes), InvalidInput, "outcomes are missing"),
        (np.where(np.arange(SETS) == 1, np.nan, outcomes), NoObservations, "all outcomes are missing"),
        (np.where(outcomes > 6, np.inf, outcomes), InvalidInput, "infinite"),
        (np.repeat(matrix.values[:, [1]], SETS, axis=1), EstimationError, "not positive"),
    ):
        with pytest.raises(error, match=match):
            same.effects(wrong)
    with pytest.raises(EstimationError, match="leave no residual"):
        repeated_regression(
            matrix=ModelMatrix(values=matrix.values[:5], names=NAMES), varying={}, sets=1, clusters=teams[:5]
        )
