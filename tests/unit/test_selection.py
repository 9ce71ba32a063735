"""Derivatives, identities, planted truth and refusals of the selection model."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hhp_stats.errors import (
    CollinearTerms,
    EstimationError,
    InvalidInput,
    NoObservations,
    Separation,
    SingleClusterArm,
    UnknownName,
)
from hhp_stats.estimate import selection_likelihood as likelihood
from hhp_stats.estimate.model_matrix import ModelMatrix
from hhp_stats.estimate.selection import heckman_likelihood, heckman_two_step


def trial(n: int = 900, *, rho: float = 0.5, seed: int = 0, teams: int = 60, effect: float = 0.3):
    rng = np.random.default_rng(seed)
    team = rng.integers(0, teams, n)
    arm = (team % 2).astype(float)
    x, z = rng.normal(size=(2, n))
    u = rng.normal(size=n)
    e = rho * u + np.sqrt(1 - rho**2) * rng.normal(size=n)
    y = 1 + effect * arm + 0.5 * x + e
    y[~(0.3 + 0.5 * arm + 0.6 * x + z + u > 0)] = np.nan
    matrix = ModelMatrix(values=np.column_stack([np.ones(n), arm, x]), names=("intercept", "treatment", "x"))
    response = ModelMatrix(values=np.column_stack([matrix.values, z]), names=(*matrix.names, "z"))
    return y, matrix, response, team


def test_score_and_hessian_are_the_derivatives_of_the_likelihood() -> None:
    y, matrix, response, _ = trial(200)
    known = ~np.isnan(y)
    data = likelihood.SelectionData(
        z_in=response.values[known], z_out=response.values[~known], x=matrix.values[known], y=y[known]
    )
    theta = np.array([0.2, 0.4, 0.5, 0.8, 0.9, 0.2, 0.4, 0.7, 0.1])
    score, hessian = likelihood.derivatives(theta, data)
    step = 1e-5 * np.eye(len(theta))
    by_value = [
        (likelihood.log_likelihood(theta + h, data) - likelihood.log_likelihood(theta - h, data)) / 2e-5 for h in step
    ]
    by_score = [
        (likelihood.derivatives(theta + h, data)[0] - likelihood.derivatives(theta - h, data)[0]) / 2e-5 for h in step
    ]
    # Central differences of step 1e-5: truncation 1e-10 of the third derivative, cancellation 1e-16/1e-5 of a value of 300.
    assert_allclose(score, by_value, rtol=1e-6, atol=1e-5)
    assert_allclose(hessian, np.array(by_score), rtol=1e-6, atol=1e-5)
    weights = likelihood.score_weights(theta, data)
    total = [data.z_in.T @ weights.w_in + data.z_out.T @ weights.w_out, -np.exp(-0.1) * data.x.T @ weights.e]
    # The same sums in another order.
    assert_allclose(np.concatenate([*total, [weights.a.sum(), weights.s.sum()]]), score, rtol=1e-10)


def test_the_likelihood_is_that_of_the_bivariate_normal() -> None:
    """For one person of each kind, by integrating the joint density of both errors numerically."""
    rho, sigma, w, mean, y = 0.6, 1.3, 0.4, 0.2, 1.1
    data = likelihood.SelectionData(z_in=np.array([[w]]), z_out=np.array([[w]]), x=np.array([[mean]]), y=np.array([y]))
    found = likelihood.log_likelihood(np.array([1.0, 1.0, np.arctanh(rho), np.log(sigma)]), data)
    grid = np.linspace(-w, 12, 200_001)
    joint = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    inside = np.trapezoid(joint.pdf(np.column_stack([grid, np.full_like(grid, (y - mean) / sigma)])), grid) / sigma
    # The trapezoidal rule with steps of 6e-5 is off by the square of that.
    assert_allclose(found, np.log(inside) + stats.norm.logcdf(-w), rtol=1e-8)


def test_planted_truth_is_recovered_and_complete_cases_are_biased() -> None:
    y, matrix, response, team = trial(20_000, rho=0.7, seed=4, teams=400)
    fit = heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=response, clusters=team)
    effect = fit.coefficient()
    known = ~np.isnan(y)
    naive = np.linalg.lstsq(matrix.values[known], y[known], rcond=None)[0][1]
    # Four standard errors: a correct estimator fails once in 16,000 seeds, and the seed is fixed.
    assert abs(effect.estimate - 0.3) < 4 * effect.std_error
    assert abs(naive - 0.3) > 4 * effect.std_error
    assert fit.rho_conf_low < 0.7 < fit.rho_conf_high
    assert fit.lr_p_value < 1e-6
    two_step = heckman_two_step(outcome=y, matrix=matrix, selection_matrix=response)
    assert abs(two_step.coefficient().estimate - 0.3) < 4 * two_step.coefficient().std_error


def test_without_correlation_rho_is_not_found() -> None:
    y, matrix, response, team = trial(5_000, rho=0.0, seed=8)
    fit = heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=response, clusters=team)
    assert fit.rho_conf_low < 0 < fit.rho_conf_high
    assert fit.lr_p_value > 0.05


def test_units_and_order_do_not_matter() -> None:
    y, matrix, response, team = trial()
    fit = heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=response, clusters=team)
    scaled = ModelMatrix(values=matrix.values * [1, 1, 1000], names=matrix.names)
    other = heckman_likelihood(outcome=100 * y + 7, matrix=scaled, selection_matrix=response, clusters=team)
    order = np.random.default_rng(1).permutation(len(y))
    shuffled = heckman_likelihood(
        outcome=y[order], matrix=ModelMatrix(values=matrix.values[order], names=matrix.names),
        selection_matrix=ModelMatrix(values=response.values[order], names=response.names), clusters=team[order],
    )  # fmt: skip
    # Both climbs end where a step gains nothing in double precision.
    assert_allclose(other.coefficient().estimate, 100 * fit.coefficient().estimate, rtol=1e-7)
    assert_allclose(other.coefficient().std_error, 100 * fit.coefficient().std_error, rtol=1e-7)
    assert_allclose(other.rho, fit.rho, rtol=1e-7)
    assert_allclose(shuffled.coefficient().std_error, fit.coefficient().std_error, rtol=1e-9)


def test_the_climb_ends_at_a_maximum_and_says_so() -> None:
    y, matrix, response, team = trial()
    fit = heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=response, clusters=team)
    assert fit.largest_score < 1e-6 and 0 < fit.iterations < 30
    assert fit.lr_statistic >= 0
    assert fit.n == len(y) and fit.n_selected == np.isfinite(y).sum() and fit.n_clusters == 60


def test_form_alone_is_said_aloud_and_an_excluded_term_silences_it() -> None:
    y, matrix, response, team = trial()
    alone = heckman_likelihood(outcome=y, matrix=matrix, clusters=team)
    assert "functional form alone" in alone.coefficient().note
    assert f"{alone.identification.condition_number:.1f}" in alone.coefficient().note
    helped = heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=response, clusters=team)
    assert helped.identification.excluded == ("z",)
    assert "form alone" not in helped.coefficient().note
    assert alone.identification.variance_inflation > helped.identification.variance_inflation


def test_degrees_of_freedom() -> None:
    y, matrix, response, team = trial()
    fit = heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=response, clusters=team)
    assert np.isinf(fit.coefficient().df) and fit.coefficient(df="clusters").df == 59
    independent = heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=response)
    with pytest.raises(EstimationError, match="by clusters"):
        independent.coefficient(df="clusters")
    with pytest.raises(UnknownName, match="no term"):
        fit.coefficient(term="age")


def test_refusals() -> None:
    y, matrix, _, _ = trial()
    with pytest.raises(NoObservations):
        heckman_likelihood(outcome=np.full(len(y), np.nan), matrix=matrix)
    with pytest.raises(EstimationError, match="no selection"):
        heckman_two_step(outcome=np.nan_to_num(y), matrix=matrix)
    with pytest.raises(InvalidInput, match="rows differ"):
        heckman_likelihood(outcome=y[:-1], matrix=matrix)
    with pytest.raises(SingleClusterArm):
        heckman_likelihood(outcome=y, matrix=matrix, clusters=matrix.values[:, 1])
    answers = np.isfinite(y).astype(float)
    giveaway = ModelMatrix(values=np.column_stack([matrix.values, answers]), names=(*matrix.names, "answered"))
    with pytest.raises(Separation, match="answered"):
        heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=giveaway)
    silent = ((np.arange(len(y)) < 5) & ~np.isfinite(y)).astype(float)
    gone = ModelMatrix(values=np.column_stack([matrix.values, silent]), names=(*matrix.names, "authority[F]"))
    with pytest.raises((CollinearTerms, Separation)):
        heckman_two_step(outcome=y, matrix=gone)


def test_lambda_that_the_terms_explain_is_refused() -> None:
    """With the arm alone on both sides lambda takes two values, as the arm does: nothing is identified."""
    y, matrix, _, _ = trial()
    arm = ModelMatrix(values=matrix.values[:, :2], names=matrix.names[:2])
    with pytest.raises(CollinearTerms, match="lambda"):
        heckman_likelihood(outcome=y, matrix=arm)
