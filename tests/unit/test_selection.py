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
from hhp_stats.estimate.selection import heckman_likelihood, heckman_two_step
from hhp_stats.regression.model_matrix import ModelMatrix


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


def data_of(y, matrix, response) -> likelihood.SelectionData:
    """The outcome terms are the first response terms."""
    known, k_x = ~np.isnan(y), matrix.values.shape[1]
    shared = np.eye(response.values.shape[1])[:, :k_x]
    return likelihood.SelectionData.of(
        z_in=response.values[known],
        z_out=response.values[~known],
        shared=shared,
        apart=np.empty((known.sum(), 0)),
        y=y[known],
    )


def test_score_and_hessian_are_the_derivatives_of_the_likelihood() -> None:
    y, matrix, response, team = trial(200)
    data = data_of(y, matrix, response)
    place = np.array([0.2, 0.4, 0.5, 0.8, 0.9, 0.2, 0.4, 1.1, 0.7])

    def value(at):
        return likelihood.log_likelihood(at[:-1], at[-1], data)

    def found(at):
        return likelihood.derivatives(at[:-1], at[-1], data)

    step = 1e-5 * np.eye(len(place))
    by_value = [(value(place + h) - value(place - h)) / 2e-5 for h in step]
    by_score = [(found(place + h).score - found(place - h).score) / 2e-5 for h in step]
    # Central differences of step 1e-5: truncation 1e-10 of the third derivative, cancellation 1e-16/1e-5 of a value
    # of 300.
    assert_allclose(found(place).score, by_value, rtol=1e-6, atol=1e-5)
    assert_allclose(found(place).hessian, np.array(by_score), rtol=1e-6, atol=1e-5)
    assert_allclose(found(place).value, value(place), rtol=1e-13)  # the same sums in another order
    known = ~np.isnan(y)
    by_team = likelihood.cluster_scores(
        place[:-1], place[-1], data, inside=team[known], outside=team[~known], n_clusters=60
    )
    assert_allclose(by_team.sum(axis=0), found(place).score, rtol=1e-10, atol=1e-10)  # in another order
    _, turn = likelihood.natural(place[:-1], place[-1], data)
    by_natural = [
        (
            likelihood.natural((place + h)[:-1], (place + h)[-1], data)[0]
            - likelihood.natural((place - h)[:-1], (place - h)[-1], data)[0]
        )
        / 2e-5
        for h in step
    ]
    assert_allclose(turn, np.array(by_natural).T, rtol=1e-8, atol=1e-9)


def test_the_likelihood_is_that_of_the_bivariate_normal() -> None:
    """By integrating the joint density of both errors numerically, person by person."""
    rho, sigma = 0.6, 1.3
    z = np.array([[1.0, 0.4], [1.0, -0.2], [1.0, 0.9], [1.0, 0.1]])
    y = np.array([1.1, -0.3, 0.8])
    gamma, beta = np.array([0.3, 0.5]), np.array([0.2, -0.1])
    data = likelihood.SelectionData.of(z_in=z[:3], z_out=z[3:], shared=np.eye(2), apart=np.empty((3, 0)), y=y)
    own = np.linalg.solve(data.inverse, beta) - data.plain
    theta = np.concatenate([gamma, own / sigma, [data.scale / sigma]])
    found = likelihood.log_likelihood(theta, np.arctanh(rho), data)
    joint = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    expected = stats.norm.logcdf(-z[3] @ gamma)
    for row, value in zip(z[:3], y, strict=True):
        grid = np.linspace(-row @ gamma, 12, 200_001)
        error = np.full_like(grid, (value - row @ beta) / sigma)
        expected += np.log(np.trapezoid(joint.pdf(np.column_stack([grid, error])), grid) / sigma)
    # The trapezoidal rule with steps of 6e-5 is off by the square of that.
    assert_allclose(found, expected, rtol=1e-8)


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
        outcome=y[order],
        matrix=ModelMatrix(values=matrix.values[order], names=matrix.names),
        selection_matrix=ModelMatrix(values=response.values[order], names=response.names),
        clusters=team[order],
    )
    # Both climbs end where a step gains nothing in double precision.
    assert_allclose(other.coefficient().estimate, 100 * fit.coefficient().estimate, rtol=1e-7)
    assert_allclose(other.coefficient().std_error, 100 * fit.coefficient().std_error, rtol=1e-7)
    assert_allclose(other.rho, fit.rho, rtol=1e-7)
    # The ends of the interval are found to a millionth of log likelihood.
    ends = [[found.rho_conf_low, found.rho_conf_high] for found in (fit, other, shuffled)]
    assert_allclose(ends, [ends[0]] * 3, rtol=1e-5)
    assert_allclose(other.sigma_std_error, 100 * fit.sigma_std_error, rtol=1e-7)
    assert_allclose(shuffled.coefficient().std_error, fit.coefficient().std_error, rtol=1e-9)


def test_the_climb_ends_at_a_maximum_and_says_so() -> None:
    y, matrix, response, team = trial()
    fit = heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=response, clusters=team)
    assert fit.decrement < 1e-16 and fit.largest_score < 1e-6 and 0 < fit.iterations < 10
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
