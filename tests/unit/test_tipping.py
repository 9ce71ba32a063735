"""Delta adjustment: arithmetic that must hold exactly, and the crossing found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, PassiveVariable, impute
from hhp_stats.estimate.tipping import tipping_points
from hhp_stats.infer.pooling import pool
from hhp_stats.infer.repeated_regression import repeated_regression
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Term, model_matrix
from hhp_stats.results.frame import Estimate


def effect(frame: pd.DataFrame) -> Estimate:
    fit = ols(outcome=frame["y"].to_numpy(), matrix=model_matrix(frame, []))
    return coefficient(fit, cluster_covariance(fit, clusters=frame["team_id"]))


def effects_of(imputations) -> Callable[[np.ndarray], list[Estimate]]:
    """`effect` of all completed sets at once."""
    same = repeated_regression(
        matrix=model_matrix(imputations.frame, []),
        varying={},
        sets=len(imputations),
        clusters=imputations.frame["team_id"],
    )
    return lambda outcomes: same.effects(outcomes.T)


@pytest.fixture(scope="module")
def imputations():
    rng = np.random.default_rng(0)
    team = rng.integers(0, 60, 400)
    frame = pd.DataFrame({"team_id": team, "treatment": (team % 2).astype(float), "x": rng.normal(size=400)})
    frame["y"] = 0.5 * frame["treatment"] + 0.5 * frame["x"] + rng.normal(size=400)
    frame.loc[rng.random(400) < 0.3, "y"] = np.nan
    frame["role"] = np.where(rng.random(400) < 0.2, None, np.where(team % 3 == 0, "a", "b"))
    plan = ImputationPlan(
        variables=(ImputedVariable(name="y", kind="continuous"), ImputedVariable(name="role", kind="unordered")),
        terms=(Term(column="x", kind="continuous"),),
        imputations=5,
        iterations=2,
        seed=1,
        passive=(PassiveVariable(name="twice", inputs=("y",), function=lambda v: 2 * v["y"]),),
    )
    return impute(frame, plan)


def test_the_estimate_moves_by_delta_times_the_missing_share(imputations) -> None:
    found = tipping_points(imputations, outcome="y", fit=effect, deltas=[-1, 0.5, 1])
    base = pool([effect(frame) for frame in imputations])
    missing = imputations.frame["y"].isna().groupby(imputations.frame["treatment"]).mean()
    slope = {"treated": missing[1.0], "control": -missing[0.0], "both": missing[1.0] - missing[0.0]}
    assert len(found.grid) == 3 * 4 and set(found.grid["delta"]) == {-1, 0, 0.5, 1}
    for row in found.grid.itertuples():
        # A difference in means is linear in the shift: the same sums in another order.
        assert_allclose(row.estimate, base.estimate + slope[row.shifted] * row.delta, rtol=1e-9, atol=1e-12)
    zero = found.grid.query("delta == 0 and shifted == 'both'").iloc[0]
    assert_allclose([zero["conf_low"], zero["df"]], [base.conf_low, base.df], rtol=1e-10)


def test_at_the_tipping_point_the_interval_touches_zero(imputations) -> None:
    found = tipping_points(imputations, outcome="y", fit=effect, deltas=np.linspace(-4, 4, 9), shifted=["treated"])
    point = found.points.iloc[0]
    assert point["conclusion"] == "positive" and -4 < point["delta_low"] < 0
    shifted = tipping_points(imputations, outcome="y", fit=effect, deltas=[point["delta_low"]], shifted=["treated"])
    touching = shifted.grid.query("delta < 0").iloc[0]
    # Brent's method stops within .001 of the grid's step of 1; the limit moves about .3 per unit of delta.
    assert abs(touching["conf_low"]) < 1e-3
    assert np.isnan(point["delta_high"]) and "up to 4" in point["note"]
    signs = found.grid.set_index("delta")["conclusion"]
    assert signs[-4.0] != "positive" and signs[4.0] == "positive"


def test_three_fits_give_what_every_fit_gives(imputations) -> None:
    """The estimate is linear in the shift, its cluster-robust variance quadratic: the same numbers both ways."""
    arguments = {"outcome": "y", "deltas": np.linspace(-4, 4, 9)}
    everywhere = tipping_points(imputations, **arguments, fit=effect)
    three = tipping_points(imputations, **arguments, linear=effects_of(imputations))
    for name in ("grid", "points"):
        # Brent's method may stop at another point within its thousandth of a step.
        tolerance = 1e-9 if name == "grid" else 2e-3
        pd.testing.assert_frame_equal(
            getattr(three, name), getattr(everywhere, name), rtol=tolerance, atol=tolerance, check_exact=False
        )


def test_three_fits_of_what_is_not_linear_are_refused(imputations) -> None:
    linear = effects_of(imputations)
    with pytest.raises(InvalidInput, match="not linear in y"):
        tipping_points(imputations, outcome="y", linear=lambda outcomes: linear(outcomes**2), deltas=[-1, 1])


def test_observed_outcomes_are_never_moved(imputations) -> None:
    seen = []

    def watching(frame: pd.DataFrame) -> Estimate:
        seen.append(frame["y"].to_numpy())
        return effect(frame)

    tipping_points(imputations, outcome="y", fit=watching, deltas=[100.0], shifted=["control"])
    known = imputations.frame["y"].notna().to_numpy()
    treated = imputations.frame["treatment"].to_numpy() == 1
    assert len(seen) >= 10 and len(seen) % 5 == 0  # five sets at 0, five at 100, and more to find the crossing
    for values in seen:
        assert_allclose(values[known], imputations.frame["y"][known], rtol=0)
        assert np.abs(values[treated]).max() < 50
    assert all(values[~known & ~treated].min() > 50 for values in seen[5:10])


def test_refusals(imputations) -> None:
    with pytest.raises(UnknownName, match="twice is no column"):
        tipping_points(imputations, outcome="twice", fit=effect, deltas=[1])
    with pytest.raises(InvalidInput, match="categorical"):
        tipping_points(imputations, outcome="role", fit=effect, deltas=[1])
    with pytest.raises(InvalidInput, match="one of fit and linear"):
        tipping_points(imputations, outcome="y", deltas=[1])
    with pytest.raises(InvalidInput, match="other than zero"):
        tipping_points(imputations, outcome="y", fit=effect, deltas=[0])
    with pytest.raises(InvalidInput, match="everyone"):
        tipping_points(imputations, outcome="y", fit=effect, deltas=[1], shifted=["everyone"])  # type: ignore[list-item]
