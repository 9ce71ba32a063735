"""Logistic regression of a binary outcome and its effects on the scale of probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import ArrayLike
from scipy import linalg
from scipy.special import expit

from hhp_stats.calls.typed import typed
from hhp_stats.errors import EstimationError, InvalidInput, NonConvergence, UnknownName
from hhp_stats.estimate.logit_likelihood import Maximum, Penalty, maximise
from hhp_stats.estimate.separation import refuse_separation
from hhp_stats.regression.cluster_robust import RobustCovariance
from hhp_stats.regression.clusters import checked_clusters, cluster_name, cluster_sums
from hhp_stats.regression.gram import gram_matrix, identified_factor, times, upper_inverse
from hhp_stats.regression.linear import check_outcome
from hhp_stats.regression.model_matrix import Array, ModelMatrix
from hhp_stats.results.frame import Estimate

# Newton's method is quadratic once near a finite maximum; under separation it gains about one unit of
# log odds a step for ever. Twelve steps tell them apart, and only then is the linear program needed.
_PATIENCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class LogitFit:
    """A fitted logit: n people, k terms.

    coefficients (k,): log odds ratios; probabilities (n,); residuals (n,): y - p, with Firth's
    correction h (1/2 - p) if penalised; information_inverse (k, k): the model-based covariance;
    inverse_factor (k, k): W upper triangular with which the columns of XW are orthonormal;
    log_likelihood: of the data alone, plus half the log determinant of the information if penalised.
    """

    matrix: ModelMatrix
    outcome: Array
    coefficients: Array
    probabilities: Array
    residuals: Array
    information_inverse: Array
    inverse_factor: Array
    log_likelihood: float
    iterations: int
    penalty: Penalty = "none"
    note: str = ""


def binary_outcome(outcome: Array, matrix: ModelMatrix) -> Array:
    """The outcome as zeros and ones (n,), anything else refused; see `check_outcome`."""
    y = check_outcome(outcome, matrix)
    if not ((y == 0) | (y == 1)).all():
        raise InvalidInput("a logit needs outcomes of 0 and 1 only")
    return y


def logit_fit(
    maximum: Maximum, *, inverse: Array, outcome: Array, matrix: ModelMatrix, penalty: Penalty, note: str = ""
) -> LogitFit:
    """Translate a maximum on orthonormal columns Q = X `inverse` back to the model's own terms."""
    half = inverse @ upper_inverse(linalg.cholesky(maximum.at.information))
    value = maximum.at.value
    if penalty == "firth":  # half the log determinant of R'R, lost by orthonormalising
        value -= float(np.log(np.abs(np.diag(inverse))).sum())
    return LogitFit(
        matrix=matrix,
        outcome=outcome,
        coefficients=inverse @ maximum.b,
        probabilities=maximum.at.probabilities,
        residuals=maximum.at.residuals,
        information_inverse=half @ half.T,
        inverse_factor=inverse,
        log_likelihood=value,
        iterations=maximum.iterations,
        penalty=penalty,
        note=note,
    )


@typed
def logit(*, outcome: Array, matrix: ModelMatrix, max_iterations: int = 100) -> LogitFit:
    """By how much do the log odds of the outcome differ per unit of each term?

    Estimator: maximum likelihood of P(y = 1) = 1 / (1 + exp(-x'b)) by Newton's method with halved
    steps, on orthonormalised terms, from b = 0.

    Shapes: outcome (n,) of zeros and ones, matrix (n, k).
    Assumptions: the log odds are linear in the terms. The model-based covariance also assumes
    independence; `clustered_logit_covariance` does not.
    Refuses: outcomes other than 0 and 1 or partly missing (InvalidInput), all missing (NoObservations),
    terms that determine each other (CollinearTerms), terms that predict perfectly (Separation, naming
    them; `hhp_stats.estimate.firth` still has an answer then), no maximum within `max_iterations`
    (NonConvergence).
    Source: McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., ch. 4.
    """
    y = binary_outcome(outcome, matrix)
    if y.min() == y.max():
        refuse_separation(outcome=y, matrix=matrix)
    inverse = upper_inverse(identified_factor(matrix))
    q = times(matrix.values, inverse)
    start = np.zeros(q.shape[1])
    maximum = maximise(q, y, start=start, penalty="none", max_iterations=min(_PATIENCE, max_iterations))
    if not maximum.converged:
        refuse_separation(outcome=y, matrix=matrix)
        rest = max_iterations - maximum.iterations
        maximum = maximise(q, y, start=maximum.b, penalty="none", max_iterations=rest)
        if not maximum.converged:
            raise NonConvergence(
                f"no maximum after {max_iterations} Newton steps; the terms do not separate the outcome"
            )
    try:
        return logit_fit(maximum, inverse=inverse, outcome=y, matrix=matrix, penalty="none")
    except LinAlgError as error:
        raise NonConvergence("the information matrix at the maximum is singular") from error


@typed
def model_covariance(fit: LogitFit) -> RobustCovariance:
    """How variable are the coefficients if people are independent and the model holds?

    Estimator: (X'WX)^-1, the inverse information. For a penalised fit, whose likelihood is often far from a parabola,
    prefer the profiles of `hhp_stats.estimate.firth`.
    """
    return RobustCovariance(matrix=fit.information_inverse, kind="model-based", n_clusters=None, codes=None)


@typed
def clustered_logit_covariance(fit: LogitFit, *, clusters: ArrayLike) -> RobustCovariance:
    """How variable are the coefficients of a logit when people of one cluster resemble each other?

    Estimator: G/(G-1) I^-1 [sum over clusters of s_g s_g'] I^-1, s_g the cluster's score. The factor
    is that of Stata and gretl; statsmodels multiplies by (N-1)/(N-k) as well.

    Shapes: clusters (n,). Assumptions: clusters are independent of each other.
    Refuses: a penalised fit (InvalidInput): where no event tells about an arm its scores are nearly zero, and the
    sandwich takes it to be known; one cluster, or an arm about which one cluster tells (SingleClusterArm).
    Source: Rogers (1993), Stata Technical Bulletin 13, 19-23; Cameron and Miller (2015), Journal of
    Human Resources 50, 317-372.
    """
    _refuse_penalised(fit)
    codes, n_clusters = checked_clusters(matrix=fit.matrix, clusters=clusters, inverse_factor=fit.inverse_factor)
    scores = cluster_sums(fit.matrix.values, codes, n_clusters, fit.residuals)
    matrix = n_clusters / (n_clusters - 1) * gram_matrix(times(scores, fit.information_inverse))
    return RobustCovariance(
        matrix=matrix,
        kind="clustered G/(G-1)",
        n_clusters=n_clusters,
        codes=codes,
        cluster_name=cluster_name(clusters),
        groupings=(codes,),
        told=fit.matrix,
    )


def _refuse_penalised(fit: LogitFit) -> None:
    if fit.penalty != "none":
        raise InvalidInput(
            "a fit with Firth's penalty has no clustered sandwich: use firth_log_odds, "
            "firth_change_at_means or firth_average_change of hhp_stats.estimate.firth"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbabilityChange:
    """Probabilities adjusted for the covariates, without and with the treatment, and their difference.

    The tests of `untreated` and `treated` are against zero and of no interest; their intervals are.
    """

    change: Estimate
    untreated: Estimate
    treated: Estimate


@typed
def change_at_means(
    fit: LogitFit, covariance: RobustCovariance, *, term: str = "treatment", conf_level: float = 0.95
) -> ProbabilityChange:
    """How does the probability change from treatment 0 to 1, all covariates held at their means?

    Estimator: p(1) - p(0), p(t) = 1 / (1 + exp(-x_t'b)), x_t the column means with t for the
    treatment: every dummy at its proportion (Stata's `margins, dydx(treatment) atmeans` after
    `i.treatment`), the discrete change and not the derivative. Variance by the delta method with
    gradient p(1)(1-p(1)) x_1 - p(0)(1-p(0)) x_0, the means taken as known; normal reference.

    Units: probability. Assumptions: those of the fit and of `covariance`.
    Refuses: an unknown term, or one that is not coded 0/1 (EstimationError).
    Source: Long and Freese (2014), Regression Models for Categorical Dependent Variables Using Stata,
    3rd ed., ch. 4; Greene (2018), Econometric Analysis, 8th ed., ch. 17.
    """
    position = binary_position(fit, term)
    at = fit.matrix.values.mean(axis=0)[None, :]
    return _probability_change(fit, covariance, position, at, "at the means", conf_level)


@typed
def average_change(
    fit: LogitFit, covariance: RobustCovariance, *, term: str = "treatment", conf_level: float = 0.95
) -> ProbabilityChange:
    """How does the probability change from treatment 0 to 1, averaged over the people analysed?

    Estimator: the mean over people of p_i(1) - p_i(0), each with their own covariates; variance by the
    delta method with the mean gradient, the covariates taken as known (Stata's default); normal
    reference.

    Units, assumptions, refusals, source: as `change_at_means`.
    """
    position = binary_position(fit, term)
    return _probability_change(fit, covariance, position, fit.matrix.values, "averaged", conf_level)


def binary_position(fit: LogitFit, term: str) -> int:
    """The column of a term coded 0/1 that takes both values, anything else refused (EstimationError)."""
    position = fit.matrix.position(term)
    column = fit.matrix.values[:, position]
    if not ((column == 0) | (column == 1)).all():
        raise EstimationError(f"{term} is not coded 0/1: its change from 0 to 1 has no meaning")
    if column.min() == column.max():
        raise EstimationError(f"everyone analysed has {term} = {column[0]:g}: it cannot change from 0 to 1")
    return position


def _probability_change(
    fit: LogitFit, covariance: RobustCovariance, position: int, at: Array, words: str, conf_level: float
) -> ProbabilityChange:
    covariance.refuse_untold(fit, [position])
    gradients = np.zeros((2, at.shape[1]))
    probability = np.zeros(2)
    rest = at @ fit.coefficients - at[:, position] * fit.coefficients[position]
    for arm in (0, 1):
        p = expit(rest + arm * fit.coefficients[position])
        density = p * (1 - p)
        probability[arm] = p.mean()
        gradients[arm] = density @ at / len(at)
        gradients[arm, position] = arm * density.mean()
    method = f"{_described(fit, covariance)}, {words}, delta method, normal"

    def estimate(value: float, gradient: Array) -> Estimate:
        variance = float(gradient @ covariance.matrix @ gradient)
        return Estimate(
            estimate=value,
            std_error=math.sqrt(max(variance, 0.0)),
            df=math.inf,
            n=len(fit.outcome),
            n_clusters=covariance.n_clusters,
            conf_level=conf_level,
            method=method,
            note=fit.note,
        )

    return ProbabilityChange(
        change=estimate(float(probability[1] - probability[0]), gradients[1] - gradients[0]),
        untreated=estimate(float(probability[0]), gradients[0]),
        treated=estimate(float(probability[1]), gradients[1]),
    )


def _described(fit: LogitFit, covariance: RobustCovariance) -> str:
    by = "" if covariance.n_clusters is None else f" by {covariance.cluster_name}"
    model = "logit" if fit.penalty == "none" else "logit with Firth's penalty"
    return f"{model}, {covariance.kind}{by}"


@typed
def log_odds(
    fit: LogitFit,
    covariance: RobustCovariance,
    *,
    term: str = "treatment",
    df: Literal["normal", "clusters"] = "normal",
    conf_level: float = 0.95,
) -> Estimate:
    """What is the log odds ratio of one term, with the z test of Stata's `logit` (or t on G-1)?

    Estimator: the coefficient b with the square root of its variance. Refuses an unknown term or df
    (UnknownName), `clusters` without clusters, a variance that is not positive (EstimationError).
    Source: McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., ch. 4.
    """
    position = fit.matrix.position(term)
    if df not in ("normal", "clusters"):
        raise UnknownName(f"no degrees of freedom {df!r} for a logit; there are normal, clusters")
    if df == "clusters" and covariance.n_clusters is None:
        raise EstimationError(f"{covariance.kind} has no clusters to count")
    covariance.refuse_untold(fit, [position])
    variance = float(covariance.matrix[position, position])
    if not variance > 0:
        raise EstimationError(f"the {covariance.kind} variance of {term} is not positive: {variance:g}")
    reference = math.inf if df == "normal" or covariance.n_clusters is None else covariance.n_clusters - 1.0
    words = "normal" if df == "normal" else "t(G-1)"
    return Estimate(
        estimate=float(fit.coefficients[position]),
        std_error=math.sqrt(variance),
        df=reference,
        n=len(fit.outcome),
        n_clusters=covariance.n_clusters,
        conf_level=conf_level,
        method=f"{_described(fit, covariance)}, log odds, {words}",
        note=fit.note,
    )


def exponentiated(estimate: Estimate) -> Estimate:
    """An estimate of log odds as an odds ratio, its test unchanged and its interval exponentiated."""
    with np.errstate(over="ignore"):  # an end beyond the largest number is an unbounded interval
        ratio, low, high = (float(np.exp(v)) for v in (estimate.estimate, estimate.conf_low, estimate.conf_high))
    return Estimate(
        estimate=ratio,
        std_error=ratio * estimate.std_error,
        df=estimate.df,
        n=estimate.n,
        n_clusters=estimate.n_clusters,
        method=estimate.method.replace("log odds", "odds ratio"),
        conf_level=estimate.conf_level,
        statistic=estimate.statistic,
        p_value=estimate.p_value,
        conf_low=low,
        conf_high=high,
        note=estimate.note,
        mc_error=ratio * estimate.mc_error,
        mc_error_p=estimate.mc_error_p,
    )
