"""Response weights: identities, planted truth, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from hhp_stats.errors import InvalidInput, NoObservations, Separation, UnknownName
from hhp_stats.estimate.weights import response_weights, weighted_effect
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix


def trial(n: int = 4000, seed: int = 1):
    rng = np.random.default_rng(seed)
    team = pd.Series(rng.integers(0, n // 20, n), name="team_id")
    arm = (team.to_numpy() % 2).astype(float)
    x = rng.normal(size=n)
    y = 0.2 * arm + 0.8 * x + 0.5 * x * arm + rng.normal(size=n)
    answered = rng.random(n) < 1 / (1 + np.exp(-(0.3 + x * (2 * arm - 1))))
    names = ("intercept", "treatment", "x")
    return (
        np.where(answered, y, np.nan),
        arm,
        ModelMatrix(values=np.column_stack([np.ones(n), arm, x]), names=names),
        team,
    )


def bare(arm: np.ndarray) -> ModelMatrix:
    return ModelMatrix(values=np.column_stack([np.ones(len(arm)), arm]), names=("intercept", "treatment"))


def test_weights_make_those_who_answered_resemble_everybody() -> None:
    y, arm, matrix, _ = trial()
    found = response_weights(answered=~np.isnan(y), matrix=matrix, trim_above=1)
    for value in (0.0, 1.0):
        here = arm == value
        w, x = found.weights[here], matrix.values[here, 2]
        # Weights average about one, and the weighted mean of x is that of everybody, up to sampling error (about .05
        # with such weights).
        assert abs(w[w > 0].mean() - 1) < 0.1
        assert abs(np.average(x, weights=w) - x.mean()) < 0.12
        raw = x[found.answered[here]].mean() - x.mean()
        assert abs(raw) > 0.25
    assert (found.weights[np.isnan(y)] == 0).all()


def test_planted_truth_is_recovered_and_complete_cases_are_biased() -> None:
    y, arm, matrix, team = trial(40_000, seed=3)
    found = response_weights(answered=~np.isnan(y), matrix=matrix, trim_above=1)
    effect = weighted_effect(outcome=y, matrix=bare(arm), response=found, clusters=team)
    naive = np.nanmean(y[arm == 1]) - np.nanmean(y[arm == 0])
    # Four standard errors; complete cases are off by more than ten.
    assert abs(effect.estimate - 0.2) < 4 * effect.std_error
    assert abs(naive - 0.2) > 10 * effect.std_error
    assert "inverse probability weighted OLS, CR1 by team" in effect.method


def test_everybody_answering_gives_plain_least_squares() -> None:
    y, _, matrix, team = trial()
    y = np.nan_to_num(y)
    found = response_weights(answered=np.ones(len(y), dtype=bool), matrix=matrix)
    assert (found.weights == 1).all() and found.trimmed == 0
    weighted = weighted_effect(outcome=y, matrix=matrix, response=found, clusters=team)
    fit = ols(outcome=y, matrix=matrix)
    plain = coefficient(fit, cluster_covariance(fit, clusters=team))
    assert_allclose(
        [weighted.estimate, weighted.std_error], [plain.estimate, plain.std_error], rtol=1e-12
    )  # one computation
    assert weighted.df == plain.df


def test_answering_at_random_gives_equal_weights() -> None:
    _, arm, _, _ = trial()
    answered = np.arange(len(arm)) % 3 > 0
    found = response_weights(answered=answered, matrix=bare(arm))
    assert_allclose(found.weights[answered], 1.0, rtol=1e-8)  # the logit of a mean, iterated
    assert_allclose(found.by_arm["effective_n"], found.by_arm["n_answered"], rtol=1e-8)


def test_trimming_is_counted_and_bounds_the_weights() -> None:
    y, _, matrix, _ = trial()
    whole = response_weights(answered=~np.isnan(y), matrix=matrix, trim_above=1)
    cut = response_weights(answered=~np.isnan(y), matrix=matrix, trim_above=0.9)
    assert cut.trimmed == (whole.weights > cut.ceiling).sum() > 0
    assert_allclose(cut.weights, np.minimum(whole.weights, cut.ceiling), rtol=1e-12)  # the same weights, cut
    assert cut.by_arm["effective_n"].sum() > whole.by_arm["effective_n"].sum()


def test_refusals() -> None:
    y, arm, matrix, team = trial(400)
    known = ~np.isnan(y)
    with pytest.raises(NoObservations, match="treatment = 1"):
        response_weights(answered=known & (arm == 0), matrix=matrix)
    with pytest.raises(InvalidInput, match="quantile"):
        response_weights(answered=known, matrix=matrix, trim_above=99)
    with pytest.raises(InvalidInput, match="answers for"):
        response_weights(answered=known[:-1], matrix=matrix)
    giveaway = ModelMatrix(values=np.column_stack([matrix.values, known]), names=(*matrix.names, "opened_mail"))
    with pytest.raises(Separation, match="opened_mail"):
        response_weights(answered=known, matrix=giveaway)
    found = response_weights(answered=known, matrix=matrix)
    with pytest.raises(InvalidInput, match="other answers"):
        weighted_effect(outcome=np.nan_to_num(y), matrix=matrix, response=found, clusters=team)
    with pytest.raises(UnknownName, match="no covariance 'CR2' with weights"):
        weighted_effect(outcome=y, matrix=matrix, response=found, clusters=team, kind="CR2")
