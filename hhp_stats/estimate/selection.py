"""Heckman's selection model: what would the effect be if everyone had answered?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike
from scipy import linalg, stats

from hhp_stats.calls.typed import typed
from hhp_stats.errors import (
    CollinearTerms,
    EstimationError,
    InvalidInput,
    NonConvergence,
    NoObservations,
)
from hhp_stats.estimate import selection_likelihood as likelihood
from hhp_stats.estimate.selection_fit import Identification, LikelihoodMaximum, Respondents, SelectionFit
from hhp_stats.estimate.selection_likelihood import SelectionData
from hhp_stats.estimate.selection_profile import Maximum, Profile, accepted, profile
from hhp_stats.estimate.separation import refuse_separation
from hhp_stats.regression.clusters import checked_clusters, cluster_codes, cluster_name
from hhp_stats.regression.gram import identified_factor, times, upper_inverse
from hhp_stats.regression.linear import LinearFit, ols
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers
from hhp_stats.regression.spread import PERFECT
from hhp_stats.results.frame import checked_level

__all__ = ["Identification", "LikelihoodMaximum", "SelectionFit", "heckman_likelihood", "heckman_two_step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    answered: npt.NDArray[np.bool_]
    matrix: ModelMatrix  # of those who answered
    selection: ModelMatrix
    same: tuple[int | None, ...]  # which response term each outcome term is
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
    same = tuple(_place(name, column, selection) for name, column in zip(matrix.names, matrix.values.T, strict=True))
    return _Sample(answered=answered, matrix=part, selection=selection, same=same, y=values[answered])


def _place(name: str, column: Array, selection: ModelMatrix) -> int | None:
    """The response term of that name, if it is the same column."""
    if name not in selection.names:
        return None
    place = selection.position(name)
    return place if np.array_equal(selection.values[:, place], column) else None


def _first_step(sample: _Sample) -> tuple[Array, Array, Array, Array, float]:
    """Orthonormal response terms Q = Z inverse, with the probit's coefficients, information and value on Q."""
    inverse = upper_inverse(identified_factor(sample.selection))
    q = times(sample.selection.values, inverse)
    found = likelihood.probit(q, sample.answered)
    if found is None:
        refuse_separation(outcome=sample.answered.astype(np.float64), matrix=sample.selection)
        raise NonConvergence("the response probit did not converge, although nothing separates responders")
    return q, inverse, *found


@dataclass(frozen=True, slots=True, kw_only=True)
class _SecondStep:
    fit: LinearFit  # outcome on [X lambda], responders
    plain: LinearFit  # lambda on X, responders
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
    if float(fit.residuals @ fit.residuals) <= PERFECT * float(sample.y @ sample.y):  # rounding errors of the outcome
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
        fit=fit,
        plain=plain,
        index=index,
        ratio=ratio,
        delta=delta,
        sigma=sigma,
        rho=slope / sigma,
        identification=identification,
    )


@typed
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
        names=sample.matrix.names,
        coefficients=second.fit.coefficients[:-1],
        covariance=covariance[:-1, :-1],
        model_covariance=covariance[:-1, :-1],
        selection_names=sample.selection.names,
        selection_coefficients=inverse @ gamma,
        selection_covariance=inverse @ np.linalg.inv(information) @ inverse.T,
        sigma=second.sigma,
        sigma_std_error=nan,
        rho=second.rho,
        rho_interval=None,
        lambda_coefficient=float(second.fit.coefficients[-1]),
        lambda_std_error=math.sqrt(lambda_variance) if lambda_variance > 0 else nan,
        log_likelihood=nan,
        lr_statistic=nan,
        lr_p_value=nan,
        iterations=0,
        decrement=nan,
        largest_score=nan,
        others=(),
        remarks=(),
        identification=second.identification,
        n=len(sample.answered),
        n_selected=len(sample.y),
        n_clusters=None,
        respondents=None,
        method="Heckman two-step, corrected standard errors",
        conf_level=conf_level,
    )


@typed
def heckman_likelihood(
    *,
    outcome: Array,
    matrix: ModelMatrix,
    selection_matrix: ModelMatrix | None = None,
    clusters: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> SelectionFit:
    """What would the effect be if everyone had answered, by maximum likelihood, with teams as clusters?

    Estimator: the highest maximum of the likelihood of the bivariate normal selection model with |rho| up to .99.
    The profile of the likelihood over rho, from -.9997 to .9997 and through the two-step solution, shows every
    hill; each is climbed by Newton's method. The other maxima, and edge solutions (|rho| above .99, or the
    likelihood still rising where the profile ends: rho runs to -1 or 1), are `SelectionFit.others` and named in the
    note of the estimate; an edge solution that is a maximum is reported only where none lies inside, and marked.

    Covariance: inverse of the observed information H, or with `clusters` (one name for everybody, answered or not)
    the sandwich H^-1 (sum_g s_g s_g') H^-1 G/(G - 1) with s_g the sum of the scores of team g: gretl's convention,
    in which n and k play no part. The interval for rho holds the values that a likelihood-ratio test does not reject
    beside the reported maximum (profile likelihood); where several maxima inside are not rejected it spans them
    all. It and the test of rho = 0 (against a probit and a regression apart) take people as independent.

    Shapes: outcome (n,) with NaN for those who did not answer; matrix (n, k_x); selection_matrix
    (n, k_z), by default `matrix`. Units: those of the outcome.
    Assumptions: the errors of both equations are bivariate normal; without a term that predicts
    answering only, this shape alone identifies the effect, and the note of the estimate says so.
    Refuses: nobody or everybody answered (NoObservations, EstimationError), terms that coincide among
    responders (CollinearTerms), terms that predict answering perfectly (Separation), terms that explain the outcome
    exactly (EstimationError), a likelihood that has no maximum, as
    it only rises towards rho = -1 or 1 (NonConvergence), an arm of one team, also among
    those who answered (SingleClusterArm).
    Source: Heckman (1979), Econometrica 47, 153-161; Amemiya (1985), Advanced Econometrics, section
    10.7 (the type 2 Tobit likelihood); Olsen (1978), Econometrica 46, 1211-1215 (its concave form); Venzon and
    Moolgavkar (1988), Applied Statistics 37, 87-94 (profile-likelihood intervals).
    """
    checked_level(conf_level)
    sample = _sample(outcome, matrix, selection_matrix)
    codes, n_clusters = (
        (None, None) if clusters is None else checked_clusters(matrix=sample.selection, clusters=clusters)
    )
    q, inverse, gamma, _, probit_value = _first_step(sample)
    second = _second_step(sample, q[sample.answered] @ gamma)
    respondents = None if clusters is None else _respondents(sample, second, clusters)
    data = _data(sample, q, inverse)
    start = np.concatenate((gamma, np.zeros(len(sample.matrix.names)), [1.0]))
    found = profile(start, data, further=(math.atanh(float(np.clip(second.rho, -0.99, 0.99))),))
    best = found.highest()
    natural, turn = likelihood.natural(best.theta, best.a, data)
    half: Array = linalg.block_diag(inverse, data.inverse, np.eye(2)) @ turn
    model = half @ best.covariance @ half.T
    covariance = model
    if codes is not None and n_clusters is not None:
        inside, outside = codes[sample.answered], codes[~sample.answered]
        scores = likelihood.cluster_scores(
            best.theta, best.a, data, inside=inside, outside=outside, n_clusters=n_clusters
        )
        moved = scores @ best.covariance @ half.T
        covariance = moved.T @ moved * (n_clusters / (n_clusters - 1))
    k_z, k_x = len(gamma), len(sample.matrix.names)
    g, b = slice(0, k_z), slice(k_z, k_z + k_x)
    rho, sigma = best.rho, math.exp(natural[-1])
    limits = accepted(found, best, drop=float(stats.chi2.ppf(conf_level, 1)) / 2, data=data)
    gradient = np.array([sigma * (1 - rho**2), rho * sigma])  # of rho sigma by (a, log sigma)
    lr = max(0.0, 2 * (best.value - probit_value - _apart(data)))
    named = f", clustered by {cluster_name(clusters)}" if clusters is not None else ", observed information"
    return SelectionFit(
        names=sample.matrix.names,
        coefficients=data.inverse @ natural[b],
        covariance=covariance[b, b],
        model_covariance=model[b, b],
        selection_names=sample.selection.names,
        selection_coefficients=inverse @ natural[g],
        selection_covariance=covariance[g, g],
        sigma=sigma,
        sigma_std_error=sigma * math.sqrt(covariance[-1, -1]),
        rho=rho,
        rho_interval=limits,
        lambda_coefficient=rho * sigma,
        lambda_std_error=math.sqrt(float(gradient @ covariance[-2:, -2:] @ gradient)),
        log_likelihood=best.value,
        lr_statistic=lr,
        lr_p_value=float(stats.chi2.sf(lr, 1)),
        iterations=best.iterations,
        decrement=best.decrement,
        largest_score=best.score,
        others=_others(found, best, data),
        remarks=found.ended,
        identification=second.identification,
        n=len(sample.answered),
        n_selected=len(sample.y),
        n_clusters=n_clusters,
        respondents=respondents,
        method=f"Heckman maximum likelihood{named}",
        conf_level=conf_level,
    )


def _data(sample: _Sample, q: Array, inverse: Array) -> SelectionData:
    """Both equations on the orthonormal response terms and the outcome terms that are not among them."""
    k_z = q.shape[1]
    own = [place for place, found in enumerate(sample.same) if found is None]
    factor = np.linalg.inv(inverse)  # response terms = q factor
    shared = np.zeros((k_z + len(own), len(sample.same)))
    for place, among in enumerate(sample.same):
        if among is not None:
            shared[:k_z, place] = factor[:, among]
    shared[k_z + np.arange(len(own)), own] = 1.0
    q_in, q_out, apart = q[sample.answered], q[~sample.answered], sample.matrix.values[:, own]
    return SelectionData.of(z_in=q_in, z_out=q_out, shared=shared, apart=apart, y=sample.y)


def _apart(data: SelectionData) -> float:
    """The log likelihood of the regression alone, without selection."""
    return -data.responded * (math.log(data.scale) + 0.5 * math.log(2 * math.pi) + 0.5)


def _others(found: Profile, best: Maximum, data: SelectionData) -> tuple[LikelihoodMaximum, ...]:
    """The maxima that are not reported, and where rho runs to -1 or 1, highest first."""
    places = [(m.theta, m.a, m.value, True) for m in found.maxima if m is not best]
    places += [(point.theta, point.a, point.value, False) for point in found.runs_to]
    others = [
        LikelihoodMaximum(
            rho=math.tanh(a),
            log_likelihood=value,
            stationary=stationary,
            coefficients=data.inverse @ likelihood.natural(theta, a, data)[0][data.k_z : -2],
        )
        for theta, a, value, stationary in places
    ]
    return tuple(sorted(others, key=lambda other: -other.log_likelihood))


def _respondents(sample: _Sample, second: _SecondStep, clusters: ArrayLike) -> Respondents:
    """Those who answered, and in which clusters, once an arm that the model calls `treatment` has enough of them."""
    values = clusters if isinstance(clusters, pd.Series | pd.Index) else np.asarray(clusters)
    codes, _ = cluster_codes(values[sample.answered])
    found = Respondents(matrix=sample.matrix, gram_inverse=second.plain.gram_inverse, codes=codes)
    if "treatment" in sample.matrix.names:
        found.refuse_thin_arms(sample.matrix.position("treatment"))
    return found
