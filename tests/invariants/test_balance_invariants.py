"""The omnibus balance test against the design itself: every assignment enumerated."""

import itertools

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.balance import omnibus_balance
from hhp_stats.design.balance_table import balance_table


def staff(seed=9, sizes=(3, 1, 4, 2, 5, 3, 2, 4)):
    rng = np.random.default_rng(seed)
    team = np.repeat(np.arange(len(sizes)), sizes)
    return pd.DataFrame({"team": team, "x": rng.normal(size=len(team)), "w": rng.exponential(size=len(team))})


def d2(frame, arm, strata=None):
    return omnibus_balance(
        covariates=frame[["x", "w"]],
        treatment=np.asarray(arm, float)[frame["team"]],
        clusters=frame["team"],
        strata=None if strata is None else np.asarray(strata)[frame["team"]],
    ).statistic


def assignments(strata):
    """Every way to treat half the teams of each stratum."""
    groups = [np.flatnonzero(np.asarray(strata) == s) for s in sorted(set(strata))]
    for chosen in itertools.product(*(itertools.combinations(g, len(g) // 2) for g in groups)):
        arm = np.zeros(len(strata))
        arm[[team for part in chosen for team in part]] = 1
        yield arm


@pytest.mark.parametrize("strata", [[0] * 8, [0, 0, 0, 0, 1, 1, 1, 1], [0, 1, 0, 1, 2, 2, 2, 2]])
def test_mean_of_d_squared_over_all_assignments_is_its_degrees_of_freedom(strata):
    """E[D'V^-1 D] = rank(V) exactly when V is the covariance of D under the design, and only then."""
    frame = staff()
    values = [d2(frame, arm, strata) for arm in assignments(strata)]
    assert np.mean(values) == pytest.approx(2, rel=1e-10)  # an exact mean of double-precision numbers


def test_d_squared_ignores_units_and_which_arm_is_called_treatment():
    frame, arm = staff(), np.array([1, 0, 1, 0, 0, 1, 1, 0])
    moved = frame.assign(x=1000 * frame["x"] + 5, w=frame["w"] - frame["x"])
    assert d2(moved, arm) == pytest.approx(d2(frame, arm), rel=1e-9)
    assert d2(frame, 1 - arm) == pytest.approx(d2(frame, arm), rel=1e-9)


def test_redrawn_p_value_counts_the_design():
    frame, strata = staff(), [0] * 8
    every = list(assignments(strata))
    arm = every[5]
    exact = np.mean([d2(frame, other) >= d2(frame, arm) * (1 - 1e-9) for other in every])
    got = omnibus_balance(
        covariates=frame[["x", "w"]],
        treatment=arm[frame["team"]],
        clusters=frame["team"],
        draws=1500,
        rng=np.random.default_rng(1),
        draw=lambda rng, size: np.array(every)[rng.integers(len(every), size=size)],
    )
    assert got.p_value == pytest.approx(exact, abs=0.04)  # 1,500 draws: standard error .013


def test_standardised_differences_change_sign_with_the_arms():
    frame = staff().assign(treatment=lambda d: (d["team"] % 2).astype(float))
    one = balance_table(frame, continuous=["x", "w"])
    two = balance_table(frame.assign(treatment=1 - frame["treatment"]), continuous=["x", "w"])
    assert one["std_difference"].tolist() == pytest.approx((-two["std_difference"]).tolist())
    assert one["variance_ratio"].tolist() == pytest.approx((1 / two["variance_ratio"]).tolist())
