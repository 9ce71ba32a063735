"""An arm about which one cluster tells: refused by every estimator and every variance, whatever the column is
called.
"""

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.balance import joint_f_test
from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, SingleClusterArm
from hhp_stats.estimate.bounds import lee_bounds, worst_case_bounds
from hhp_stats.estimate.cluster_bootstrap import cluster_bootstrap, linear_bootstrap, team_cells
from hhp_stats.estimate.complier import complier_effect
from hhp_stats.estimate.effect_size import hedges_g_clustered
from hhp_stats.estimate.firth import firth_average_change, firth_change_at_means, firth_log_odds, firth_logit
from hhp_stats.estimate.logistic import average_change, change_at_means, clustered_logit_covariance, log_odds, logit
from hhp_stats.estimate.weights import response_weights, weighted_effect
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.infer.wald import wald_test
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.regression.cluster_robust import (
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
    two_way_covariance,
)
from hhp_stats.regression.clusters import _told, _told_by_singular_values, refuse_thin_arms
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix

RNG = np.random.default_rng(20190503)
TEAMS, SIZE = 16, 8
TEAM = np.repeat(np.arange(TEAMS), SIZE)
N = len(TEAM)
X = RNG.normal(size=N)
Y = X + RNG.normal(size=TEAMS)[TEAM] + RNG.normal(size=N)
LEFT = (RNG.random(N) < 0.4).astype(float)
DOSE = RNG.random(N)
HALF = (TEAM % 2).astype(float)
ONE = (TEAM == 3).astype(float)  # one team is the whole arm
# Two teams answer in the treated arm, all others; all but one of that arm has a dummy of its own.
ABSORBED = np.column_stack([number == TEAM for number in range(3, TEAMS, 2)]).astype(float)


def model(arm, *columns, name="offer"):
    values = np.column_stack([np.ones(N), arm, X, *columns])
    extra = sum(1 if np.ndim(c) == 1 else c.shape[1] for c in columns)
    return ModelMatrix(values=values, names=("intercept", name, "x", *(f"d{i}" for i in range(extra))))


def least_squares(kind):
    def run(matrix):
        fit = ols(outcome=Y, matrix=matrix)
        if kind == "two-way":
            covariance = two_way_covariance(fit, clusters=TEAM, second=np.arange(N) % 9)
        else:
            covariance = cluster_covariance(fit, clusters=TEAM, kind=kind)
        coefficient(fit, covariance, term=matrix.names[1])

    return run


def with_logit(summary):
    def run(matrix):
        fit = logit(outcome=LEFT, matrix=matrix)
        summary(fit, clustered_logit_covariance(fit, clusters=TEAM), term=matrix.names[1])

    return run


def with_firth(summary):
    return lambda matrix: summary(firth_logit(outcome=LEFT, matrix=matrix), term=matrix.names[1], clusters=TEAM)


def jointly(matrix):
    fit = ols(outcome=Y, matrix=matrix)
    wald_test(fit, cluster_covariance(fit, clusters=TEAM), terms=[matrix.names[1]])


def weighted(matrix):
    answered = np.arange(N) % 5 > 0
    response = response_weights(
        answered=answered, matrix=model(matrix.values[:, 1], name=matrix.names[1]), treatment=matrix.names[1]
    )
    weighted_effect(
        outcome=np.where(answered, Y, np.nan), matrix=matrix, response=response, clusters=TEAM, term=matrix.names[1]
    )


def redrawn(matrix):
    draw = lambda rng, size: rng.permuted(np.tile(np.arange(TEAMS) % 2, (size, 1)), axis=1)  # noqa: E731
    randomisation_test(
        outcome=Y, matrix=matrix, clusters=TEAM, draw=draw, term=matrix.names[1], draws=50, rng=np.random.default_rng(1)
    )


def bootstrapped(matrix):
    frame = pd.DataFrame({"team": TEAM, "arm": matrix.values[:, 1]})
    teams = team_cells(frame, clusters="team", within=["arm"])
    linear_bootstrap({"y": Y}, matrix=matrix, teams=teams, draws=20, seed=1, term=matrix.names[1])


EVERY = {
    **{f"ols {kind}": least_squares(kind) for kind in ("CR0", "CR1", "CR2", "CR3", "two-way")},
    "wald": jointly,
    "wild bootstrap": lambda matrix: wild_bootstrap(
        ols(outcome=Y, matrix=matrix), clusters=TEAM, term=matrix.names[1], draws=99, rng=np.random.default_rng(1)
    ),
    "logit at means": with_logit(change_at_means),
    "logit averaged": with_logit(average_change),
    "log odds": with_logit(log_odds),
    "firth at means": with_firth(firth_change_at_means),
    "firth averaged": with_firth(firth_average_change),
    "firth log odds": with_firth(firth_log_odds),
    "2SLS": lambda matrix: complier_effect(
        outcome=Y,
        takeup=matrix.values[:, 1] * (DOSE > 0.4),
        matrix=matrix,
        clusters=TEAM,
        instruments=[matrix.names[1]],
    ),
    "weights": weighted,
    "randomisation": redrawn,
    "ratio bootstrap": bootstrapped,
    "worst case": lambda matrix: worst_case_bounds(
        outcome=np.where(DOSE > 0.2, Y, np.nan),
        matrix=matrix,
        lowest=-9,
        highest=9,
        clusters=TEAM,
        term=matrix.names[1],
    ),
}


@pytest.mark.parametrize("run", EVERY.values(), ids=EVERY.keys())
@pytest.mark.parametrize("name", ["treatment", "offer"])
@pytest.mark.parametrize(
    ("case", "arm", "columns"),
    [
        ("one team", ONE, ()),
        ("one control team", 1 - ONE, ()),
        ("dummies absorb the others", HALF, (ABSORBED,)),
    ],
)
def test_refused_whatever_the_column_is_called(run, name, case, arm, columns):
    with pytest.raises(SingleClusterArm, match=f"{name} = "):
        run(model(arm, *columns, name=name))


@pytest.mark.parametrize("run", EVERY.values(), ids=EVERY.keys())
def test_two_clusters_an_arm_are_let_through(run):
    run(model((TEAM < 2).astype(float), name="offer"))


def test_those_who_do_not_answer_tell_nothing():
    """Both arms have eight teams, but one team alone of the treated answers."""
    answered = (HALF == 0) | (TEAM == 3)
    outcome = np.where(answered, Y, np.nan)
    with pytest.raises(SingleClusterArm, match="treatment = 1 holds 1"):
        lee_bounds(outcome=outcome, treatment=HALF, clusters=TEAM, draws=100, seed=1)
    response = response_weights(answered=answered, matrix=model(HALF), treatment="offer")
    with pytest.raises(SingleClusterArm, match="offer = 1"):
        weighted_effect(outcome=outcome, matrix=model(HALF), response=response, clusters=TEAM, term="offer")
    teams = team_cells(pd.DataFrame({"team": TEAM, "treatment": HALF}), clusters="team", within=["treatment"])
    with pytest.raises(SingleClusterArm, match="offer = 1"):
        linear_bootstrap({"y": outcome}, matrix=model(HALF), teams=teams, draws=20, seed=1, term="offer")
    with pytest.raises(SingleClusterArm, match="treatment = 1 holds 1"):
        refuse_thin_arms(treatment=HALF, clusters=TEAM, analysed=answered)
    refuse_thin_arms(treatment=HALF, clusters=TEAM)


def test_arms_that_lie_within_clusters_are_counted_in_them():
    within = np.arange(N) % 2
    refuse_thin_arms(treatment=within, clusters=TEAM)
    with pytest.raises(SingleClusterArm, match="holds 1"):  # all the treated sit in one mixed team
        refuse_thin_arms(treatment=within * (TEAM == 3), clusters=TEAM)
    refuse_thin_arms(treatment=DOSE, clusters=TEAM)  # a dose has no arms
    refuse_thin_arms(
        treatment=np.repeat(["2", "2"], 4).astype(float) + np.repeat([0, 1], 4), clusters=[1, 1, 2, 2, 3, 3, 4, 4]
    )


def test_people_are_their_own_clusters_where_there_are_none():
    fit = ols(outcome=Y, matrix=model((np.arange(N) == 5).astype(float)))
    with pytest.raises(SingleClusterArm, match="offer = 1 holds 1 person"):
        coefficient(fit, heteroskedastic_covariance(fit, kind="HC1"), term="offer", df="residual")
    assert coefficient(fit, heteroskedastic_covariance(fit), term="x", df="residual").std_error > 0


def test_other_users_of_the_guard():
    frame = pd.DataFrame({"team": TEAM, "treatment": ONE, "y": Y})
    with pytest.raises(SingleClusterArm, match="treatment = 1"):
        cluster_bootstrap(
            frame,
            estimator=lambda f: {"a": float(f["y"].mean())},
            clusters="team",
            within=["treatment"],
            draws=5,
            seed=1,
        )
    with pytest.raises(SingleClusterArm, match="treatment = 1"):
        joint_f_test(covariates=pd.DataFrame({"x": X}), treatment=ONE, clusters=TEAM)
    fit = ols(outcome=Y, matrix=model(HALF))
    effect = coefficient(fit, cluster_covariance(fit, clusters=TEAM), term="offer")
    with pytest.raises(SingleClusterArm, match="treatment = 1"):
        hedges_g_clustered(effect, outcome=Y, treatment=ONE, clusters=TEAM, icc=0.1)


def test_what_the_guard_itself_refuses():
    for error, match, given in (
        (ConstantTreatment, "offer = 1", {"treatment": np.ones(N), "name": "offer"}),
        (InvalidInput, "missing for 8", {"treatment": np.where(TEAM == 1, np.nan, HALF)}),
        (InvalidInput, "cluster names", {"treatment": HALF[1:]}),
        (InvalidInput, "true or false", {"treatment": HALF, "analysed": np.full(N, 2)}),
        (InvalidInput, "analysed has 3", {"treatment": HALF, "analysed": [True] * 3}),
        (NoObservations, "no observations", {"treatment": HALF, "analysed": np.zeros(N, dtype=bool)}),
    ):
        with pytest.raises(error, match=match):
            refuse_thin_arms(clusters=TEAM, **given)


def test_lee_bounds_with_two_clusters_an_arm_hold_their_size():
    """With z and plain resampling 41% of true nulls were rejected; t(2) and the factor of Rao and Wu bring it near
    5%.
    """
    rng = np.random.default_rng(5)
    team = np.repeat(np.arange(4), 30)
    arm = (team > 1).astype(float)
    missed = 0
    for _ in range(60):
        outcome = rng.normal(size=4)[team] + rng.normal(size=120)
        found = lee_bounds(outcome=outcome, treatment=arm, clusters=team, draws=100, seed=1)
        missed += not found.conf_low <= 0 <= found.conf_high
        assert found.lower.df == 2
    assert missed <= 9  # 5% is 3 of 60; more than 9 has a chance below .002


def test_means_of_cells_are_no_contrasts_with_the_other_cells():
    """Without an intercept a column holds the mean of its own cell: one cluster elsewhere does not matter, one here
    does.
    """
    rng = np.random.default_rng(8)
    cell = np.repeat([0, 0, 1, 1, 2], 6)
    matrix = ModelMatrix(values=np.column_stack([cell == k for k in range(3)]).astype(float), names=("a", "b", "c"))
    fit = ols(outcome=rng.normal(size=len(cell)), matrix=matrix)
    covariance = cluster_covariance(fit, clusters=np.repeat(np.arange(5), 6), kind="CR1")
    assert coefficient(fit, covariance, term="a").std_error > 0
    with pytest.raises(SingleClusterArm):
        coefficient(fit, covariance, term="c")


@pytest.mark.parametrize("close", [1.0, 1e-4, 1e-7, 0.0])
def test_what_a_term_tells_is_the_same_from_cross_products(close):
    """Beside columns of very unlike sizes, a dummy that is zero for all but one team, and two that `close` tells apart.

    Where it is 1e-7 or nothing the singular values decide in both. Sums that are zero must stay far below the share of
    1e-9 at which a team counts as telling.
    """
    rng = np.random.default_rng(3)
    arm = (TEAM % 2).astype(float)
    x = rng.normal(size=N)
    columns = [np.ones(N), arm, 1e4 * x, 1e-3 * rng.normal(size=N), TEAM == 1, x + close * rng.normal(size=N)]
    values = np.column_stack(columns)
    told, expected = _told(values, 1), _told_by_singular_values(values, 1)
    np.testing.assert_allclose(told, expected, atol=1e-10)
    assert abs(told[TEAM == 1].sum()) < 1e-11 * np.abs(told).max() * N  # the dummy holds that team's own mean
