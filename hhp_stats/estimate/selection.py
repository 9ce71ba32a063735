"""Heckman's selection model: what would the effect be if everyone had answered?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike
from scipy import linalg, stats

from hhp_stats.errors import CollinearTerms, EstimationError, InvalidInput, NonConvergence, NoObservations
from hhp_stats.estimate import selection_likelihood as likelihood
from hhp_stats.estimate.gram import identified_factor, upper_inverse
from hhp_stats.estimate.linear import LinearFit, ols
from hhp_stats.estimate.model_matrix import Array, ModelMatrix, as_numbers
from hhp_stats.estimate.selection_fit import Identification, SelectionFit
from hhp_stats.estimate.selection_likelihood import SelectionData
from hhp_stats.estimate.separation import refuse_separation
from hhp_stats.infer.clusters import checked_clusters, cluster_name, cluster_sums
from hhp_stats.results import checked_level

__all__ = ["Identification", "SelectionFit", "heckman_likelihood", "heckman_two_step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    answered: npt.NDArray[np.bool_]
    matrix: ModelMatrix  # of those who answered
    selection: ModelMatrix
    y: Array


def _sample(outcome: Array, matrix: ModelMatrix, selection_matrix: ModelMatrix | None) -> _Sample:
    selection = matrix if selection_matrix is None else selection_matrix
    values = as_numbers(outcome, name="outcomes")
    n = len(selection.values)
    if values.shape != (n,) or len(matrix.values) != n:
        raise InvalidInput(
            f"outcome {values.shape}, outcome terms {len(matrix.values)} and response terms {n} rows differ"
        )
    if np.isinf(values).any():
        raise InvalidInput("the outcome holds infinite values")
    answered = ~np.isnan(values)
    if not answered.any():
        raise NoObservations("no observations are left to analyse: all outcomes are missing")
    if answered.all():
        raise EstimationError("every outcome is known: there is no selection to model")
    part = ModelMatrix(values=matrix.values[answered], names=matrix.names)
    return _Sample(answered=answered, matrix=part, selection=selection, y=values[answered])


def _first_step(sample: _Sample) -> tuple[Array, Array, Array, Array, float]:
    """Orthonormal response terms Q = Z inverse, with the probit's coefficients, information and value on Q."""
    inverse = upper_inverse(identified_factor(sample.selection))
    q = sample.selection.values @ inverse
    found = likelihood.probit(q, sample.answered)
    if found is None:
        refuse_separation(outcome=sample.answered.astype(np.float64), matrix=sample.selection)
        raise NonConvergence("the response probit did not converge, although nothing separates responders")
    return q, inverse, *found


@dataclass(frozen=True, slots=True, kw_only=True)
class _SecondStep:
    fit: LinearFit  # outcome on [X lambda], responders
    index: Array
    ratio: Array  # inverse Mills ratio lambda
    delta: Array  # lambda (lambda + index)
    sigma: float
    rho: float
    identification: Identification


def _second_step(sample: _Sample, index: Array) -> _SecondStep:
    ratio = likelihood.mills(index)
    delta = ratio * (ratio + index)
    x = sample.matrix.values
    plain = ols(outcome=ratio, matrix=sample.matrix)  # also refuses terms that coincide among responders
    total = float(((ratio - ratio.mean()) ** 2).sum())
    left = float(plain.residuals @ plain.residuals)
    if total == 0 or left <= 1e-16 * total:
        raise CollinearTerms("lambda is an exact function of the outcome terms: selection is not identified")
    both = ModelMatrix(values=np.column_stack((x, ratio)), names=(*sample.matrix.names, "lambda"))
    fit = ols(outcome=sample.y, matrix=both)
    slope = float(fit.coefficients[-1])
    variance = (float(fit.residuals @ fit.residuals) + slope**2 * float(delta.sum())) / len(sample.y)
    if float(fit.residuals @ fit.residuals) <= 1e-26 * float(sample.y @ sample.y):  # rounding errors of the outcome
        raise EstimationError("the terms explain the outcome exactly: no selection can be estimated")
    sigma = math.sqrt(variance)
    scaled = both.values / np.linalg.norm(both.values, axis=0)
    squares = np.linalg.eigvalsh(scaled.T @ scaled)
    responder_terms = tuple(name for name in sample.selection.names if name not in sample.matrix.names)
    identification = Identification(
        excluded=responder_terms,
        condition_number=math.sqrt(float(squares[-1] / max(squares[0], 1e-300))),
        variance_inflation=total / left,
    )
    return _SecondStep(
        fit=fit, index=index, ratio=ratio, delta=delta, sigma=sigma, rho=slope / sigma, identification=identification
    )


def heckman_two_step(
    *, outcome: Array, matrix: ModelMatrix, selection_matrix: ModelMatrix | None = None, conf_level: float = 0.95
) -> SelectionFit:
    """What would the effect be if everyone had answered, if answering is a probit correlated with the outcome?

    Estimator: probit of answering on Z; least squares of y on [X lambda] among those who answered,
    lambda = phi(Z g)/Phi(Z g), whose coefficient is rho sigma. Covariance corrected for the estimated
    lambda and its heteroskedasticity: sigma^2 A [W'(I - rho^2 D)W + Q] A, W = [X lambda], A = (W'W)^-1,
    D = diag(lambda (lambda + Z g)), Q = rho^2 (W'D Z) V (Z'D W) with V the probit's covariance;
    sigma^2 = e'e/n + mean(D) (rho sigma)^2. It takes people as independent: for teams use the
    likelihood (`heckman_likelihood`).

    Shapes: outcome (n,) with NaN for those who did not answer; matrix (n, k_x); selection_matrix
    (n, k_z), by default `matrix`. Units: those of the outcome.
    Assumptions: the errors of both equations are bivariate normal; response depends on nothing else.
    Refuses: nobody or everybody answered (NoObservations, EstimationError), terms that coincide among
    responders (CollinearTerms), terms that predict answering perfectly (Separation), terms that explain
    the outcome exactly (EstimationError). An estimated rho outside -1..1 is reported as it is, since
    this estimator does not respect the bounds, and said in the note; the corrected covariance may then
    have a variance below zero, which `SelectionFit.coefficient` refuses (EstimationError) and which
    leaves `lambda_std_error` NaN.
    Source: Heckman (1979), Econometrica 47, 153-161; Greene (1981), Econometrica 49, 795-798.
    """
    checked_level(conf_level)
    sample = _sample(outcome, matrix, selection_matrix)
    q, inverse, gamma, information, _ = _first_step(sample)
    inside = q[sample.answered]
    second = _second_step(sample, inside @ gamma)
    w, a = second.fit.matrix.values, second.fit.gram_inverse
    rho2 = second.rho**2
    mixed = w.T @ (inside * second.delta[:, None])
    bread = w.T @ (w * (1 - rho2 * second.delta)[:, None]) + rho2 * mixed @ np.linalg.solve(information, mixed.T)
    covariance = second.sigma**2 * a @ bread @ a
    nan = math.nan
    lambda_variance = float(covariance[-1, -1])
    return SelectionFit(
        names=sample.matrix.names, coefficients=second.fit.coefficients[:-1], covariance=covariance[:-1, :-1],
        model_covariance=covariance[:-1, :-1], selection_names=sample.selection.names,
        selection_coefficients=inverse @ gamma, selection_covariance=inverse @ np.linalg.inv(information) @ inverse.T,
        sigma=second.sigma, rho=second.rho, rho_conf_low=nan, rho_conf_high=nan, atanh_rho_std_error=nan,
        lambda_coefficient=float(second.fit.coefficients[-1]), lambda_std_error=math.sqrt(lambda_variance) if lambda_variance > 0 else nan,
        log_likelihood=nan, lr_statistic=nan, lr_p_value=nan, iterations=0, largest_score=nan,
        identification=second.identification, n=len(sample.answered), n_selected=len(sample.y), n_clusters=None,
        method="Heckman two-step, corrected standard errors", conf_level=conf_level,
    )  # fmt: skip


def heckman_likelihood(
    *,
    outcome: Array,
    matrix: ModelMatrix,
    selection_matrix: ModelMatrix | None = None,
    clusters: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> SelectionFit:
    """What would the effect be if everyone had answered, by maximum likelihood, with teams as clusters?

    Estimator: maximum likelihood of the bivariate normal selection model in (gamma, beta, atanh rho,
    log sigma), by Newton's method from the best of several values of rho around the two-step
    solution. Covariance: inverse of the observed information H, or with `clusters` (one name for
    everybody, answered or not) the sandwich H^-1 (sum_g s_g s_g') H^-1 G/(G - 1) with s_g the sum of
    the scores of team g: gretl's convention, in which n and k play no part. The interval for rho is
    that of atanh(rho), transformed; the likelihood-ratio test of rho = 0 compares with a probit and a
    regression apart (it takes people as independent).

    Shapes: outcome (n,) with NaN for those who did not answer; matrix (n, k_x); selection_matrix
    (n, k_z), by default `matrix`. Units: those of the outcome.
    Assumptions: the errors of both equations are bivariate normal; without a term that predicts
    answering only, this shape alone identifies the effect, and the note of the estimate says so.
    Refuses: nobody or everybody answered (NoObservations, EstimationError), terms that coincide among
    responders (CollinearTerms), terms that predict answering perfectly (Separation), a likelihood
    without a maximum inside -1 < rho < 1 (NonConvergence), an arm of one team (SingleClusterArm).
    Source: Heckman (1979), Econometrica 47, 153-161; Amemiya (1985), Advanced Econometrics, section
    10.7 (the type 2 Tobit likelihood).
    """
    checked_level(conf_level)
    sample = _sample(outcome, matrix, selection_matrix)
    codes, n_clusters = (
        (None, None) if clusters is None else checked_clusters(matrix=sample.selection, clusters=clusters)
    )
    q, inverse, gamma, _, probit_value = _first_step(sample)
    inside = q[sample.answered]
    second = _second_step(sample, inside @ gamma)
    x_inverse = upper_inverse(identified_factor(sample.matrix))
    data = SelectionData(z_in=inside, z_out=q[~sample.answered], x=sample.matrix.values @ x_inverse, y=sample.y)
    start, apart = _start(data, gamma, second)
    found = likelihood.maximise(start, data)
    k_z, k_x = q.shape[1], data.x.shape[1]
    bread: Array = np.asarray(np.linalg.inv(found.information), dtype=np.float64)
    model = _back(bread, inverse, x_inverse)
    covariance = model
    if codes is not None and n_clusters is not None:
        scores = _team_scores(found.theta, data, sample.answered, codes, n_clusters) @ bread
        covariance = _back(scores.T @ scores * (n_clusters / (n_clusters - 1)), inverse, x_inverse)
    g, b = slice(0, k_z), slice(k_z, k_z + k_x)
    gamma, beta, a, s = likelihood.split(found.theta, data)
    rho, sigma = math.tanh(a), math.exp(s)
    reach = stats.norm.ppf(0.5 + conf_level / 2) * math.sqrt(covariance[-2, -2])
    gradient = np.array([sigma * (1 - rho**2), rho * sigma])  # of rho sigma by (a, s)
    lr = max(0.0, 2 * (found.value - probit_value - apart))
    named = f", clustered by {cluster_name(clusters)}" if clusters is not None else ", observed information"
    return SelectionFit(
        names=sample.matrix.names, coefficients=x_inverse @ beta, covariance=covariance[b, b],
        model_covariance=model[b, b], selection_names=sample.selection.names,
        selection_coefficients=inverse @ gamma, selection_covariance=covariance[g, g], sigma=sigma, rho=rho,
        rho_conf_low=math.tanh(a - reach), rho_conf_high=math.tanh(a + reach),
        atanh_rho_std_error=math.sqrt(covariance[-2, -2]), lambda_coefficient=rho * sigma,
        lambda_std_error=math.sqrt(float(gradient @ covariance[-2:, -2:] @ gradient)),
        log_likelihood=found.value, lr_statistic=lr, lr_p_value=float(stats.chi2.sf(lr, 1)),
        iterations=found.iterations, largest_score=float(np.abs(found.score).max()),
        identification=second.identification, n=len(sample.answered), n_selected=len(sample.y),
        n_clusters=n_clusters, method=f"Heckman maximum likelihood{named}", conf_level=conf_level,
    )  # fmt: skip


def _start(data: SelectionData, gamma: Array, second: _SecondStep) -> tuple[Array, float]:
    """The best of several starting values of rho, and the log likelihood of the outcome equation with rho = 0.

    For a given rho the two-step reasoning gives beta = OLS of y - rho sigma lambda on X.
    """
    plain, by_ratio = data.x.T @ data.y, data.x.T @ second.ratio  # X is orthonormal among responders
    count = len(data.y)
    residual = data.y - data.x @ plain
    variance = float(residual @ residual) / count
    if variance <= 1e-28 * float(data.y @ data.y):
        raise EstimationError("the terms explain the outcome exactly: no selection can be estimated")
    apart = -0.5 * count * (math.log(2 * math.pi * variance) + 1)
    best, best_value = None, -math.inf
    for rho in (0.0, float(np.clip(second.rho, -0.9, 0.9)), -0.6, 0.6):
        sigma = second.sigma if rho == second.rho else math.sqrt(variance)
        beta = plain - rho * sigma * by_ratio
        theta = np.concatenate((gamma, beta, [math.atanh(rho), math.log(sigma)]))
        value = likelihood.log_likelihood(theta, data)
        if value > best_value:
            best, best_value = theta, value
    if best is None:
        raise NonConvergence("selection model: the likelihood is not finite at any starting value")
    return best, apart


def _back(covariance: Array, inverse: Array, x_inverse: Array) -> Array:
    """From the covariance on orthonormal columns to that of the model's own terms."""
    turn = linalg.block_diag(inverse, x_inverse, np.eye(2))
    return np.asarray(turn @ covariance @ turn.T)


def _team_scores(
    theta: Array, data: SelectionData, answered: npt.NDArray[np.bool_], codes: npt.NDArray[np.intp], n_clusters: int
) -> Array:
    """Sums of the scores by team (G, k)."""
    weights = likelihood.score_weights(theta, data)
    scale = math.exp(-float(theta[-1]))
    inside, outside = codes[answered], codes[~answered]
    by_z = cluster_sums(data.z_in, inside, n_clusters, weights.w_in)
    by_z += cluster_sums(data.z_out, outside, n_clusters, weights.w_out)
    by_x = cluster_sums(data.x, inside, n_clusters, weights.e * -scale)
    by_a = np.bincount(inside, weights=weights.a, minlength=n_clusters)
    by_s = np.bincount(inside, weights=weights.s, minlength=n_clusters)
    return np.column_stack((by_z, by_x, by_a, by_s))
