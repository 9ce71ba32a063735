"""Firth's penalised logit: finite estimates where a term predicts the outcome perfectly."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.errors import EstimationError, InvalidInput, NonConvergence
from hhp_stats.estimate.design_effect import design_effect
from hhp_stats.estimate.logistic import (
    LogitFit,
    ProbabilityChange,
    binary_outcome,
    binary_position,
    logit_fit,
)
from hhp_stats.estimate.logit_likelihood import maximise
from hhp_stats.estimate.penalised_profile import (
    TOLERANCE,
    Arms,
    Coefficient,
    Probability,
    Profile,
    Quantity,
    information_error,
)
from hhp_stats.regression.clusters import checked_clusters, cluster_name, refuse_untold_terms
from hhp_stats.regression.gram import identified_factor, times, triangular_factor, upper_inverse
from hhp_stats.regression.model_matrix import Array, ModelMatrix
from hhp_stats.regression.satterthwaite import IntArray
from hhp_stats.results.frame import Estimate, checked_level
from hhp_stats.tails import student_quantile, student_tail


@typed
def firth_logit(*, outcome: Array, matrix: ModelMatrix, max_iterations: int = 500) -> LogitFit:
    """What are the log odds ratios when maximum likelihood is infinite or biased by few events?

    Estimator: the maximum of log L(b) + log|I(b)|/2, Jeffreys' prior as the penalty, which removes the
    bias of order 1/n and is finite even under separation. Solves X'(y - p + h (1/2 - p)) = 0, h the
    leverages of the weighted regression, by Fisher scoring with halved steps from b = 0. The covariance
    is I(b)^-1 at the maximum, as in the R package logistf. Intervals and tests are those of the profile functions
    below: Wald's, and a clustered sandwich, are refused for a penalised fit.

    Shapes: outcome (n,) of zeros and ones, matrix (n, k).
    Assumptions: the log odds are linear in the terms; people independent. The penalty is not clustered.
    Refuses: as `logit`, but not separation; the same outcome for everyone is still allowed.
    Source: Firth (1993), Biometrika 80, 27-38; Heinze and Schemper (2002), Statistics in Medicine 21,
    2409-2419.
    """
    y = binary_outcome(outcome, matrix)
    inverse = upper_inverse(identified_factor(matrix))
    q = times(matrix.values, inverse)
    maximum = maximise(
        q, y, start=np.zeros(q.shape[1]), penalty="firth", max_iterations=max_iterations, tolerance=TOLERANCE
    )
    if not maximum.converged:
        raise NonConvergence(f"no maximum of the penalised likelihood after {maximum.iterations} steps")
    return logit_fit(maximum, inverse=inverse, outcome=y, matrix=matrix, penalty="firth")


@typed
def firth_log_odds(
    fit: LogitFit,
    *,
    term: str = "treatment",
    clusters: ArrayLike | None = None,
    conf_level: float = 0.95,
    interval: bool = True,
) -> Estimate:
    """What is the penalised log odds ratio of a term, with a profile interval and likelihood ratio test?

    Estimator: the interval holds every value c of the coefficient with 2 (l* - l*(c)) / D at most the quantile, l*(c)
    being the penalised likelihood maximised over the other terms with the penalty of the full model; the test is the
    same at c = 0. `statistic` is the signed root of that ratio. Without `clusters` D = 1 and the quantile that of
    chi-squared(1): logistf's intervals. With them D is the design effect of the residuals
    (`hhp_stats.estimate.design_effect`) and the quantile that of F(1, G - 1). No sandwich enters: where events are
    missing in an arm the scores of its clusters are nearly zero, and a sandwich takes that arm to be known. `std_error`
    is from the inverse information times D, for reading: interval and test do not rest on it. With `interval` false
    there is the test only.
    Under complete separation a profile can have several local maxima; the climb follows the one connected to the
    estimate. An end more than fifteen log odds from the estimate, over the range of the term, is infinite where the
    likelihood cannot be climbed so far out.

    Shapes: clusters (n,). Assumptions: those of the fit; with clusters, one correlation within all of them.
    Refuses: a fit without the penalty (InvalidInput), a profile that cannot be climbed (NonConvergence), an arm about
    which one cluster tells (SingleClusterArm).
    Source: Heinze and Schemper (2002), Statistics in Medicine 21, 2409-2419, section 2.2; Rao and Scott (1992),
    Biometrics 48, 577-585, for the design effect.
    """
    place = _penalised(fit).matrix.position(term)
    fit = _near_zero(fit, place)
    found = _Scaled.of(fit, place, clusters, conf_level)
    return found.estimate(Coefficient(place=place), "log odds", tested=Coefficient(place=place), interval=interval)


@typed
def firth_change_at_means(
    fit: LogitFit, *, term: str = "treatment", clusters: ArrayLike | None = None, conf_level: float = 0.95
) -> ProbabilityChange:
    """How does the penalised probability change from treatment 0 to 1, all covariates at their means?

    Estimator: as `hhp_stats.estimate.logistic.change_at_means`, from the penalised coefficients. The interval holds
    every change d for which the penalised likelihood, maximised over all coefficients whose change is d, drops by no
    more than in `firth_log_odds`; so do the intervals of both probabilities. The change is zero exactly where the
    coefficient is, so the test is that of the coefficient. The means are taken as known.

    Units: probability. Refuses as `firth_log_odds`, a term not coded 0/1 and a model without a constant
    (EstimationError). Source: as `firth_log_odds`; Venzon and Moolgavkar (1988), Applied Statistics 37, 87-94, for
    profiles of functions of the coefficients.
    """
    fit = _near_zero(_penalised(fit), fit.matrix.position(term))
    at = fit.matrix.values.mean(axis=0)[None, :]
    return _changed(fit, term, at, "at the means", clusters, conf_level)


@typed
def firth_average_change(
    fit: LogitFit, *, term: str = "treatment", clusters: ArrayLike | None = None, conf_level: float = 0.95
) -> ProbabilityChange:
    """How does the penalised probability change from treatment 0 to 1, averaged over the people analysed?

    Estimator, refusals and source: as `firth_change_at_means`, with the mean of everybody's change.
    """
    fit = _near_zero(_penalised(fit), fit.matrix.position(term))
    return _changed(fit, term, fit.matrix.values, "averaged", clusters, conf_level)


def _changed(
    fit: LogitFit, term: str, at: Array, words: str, clusters: ArrayLike | None, conf_level: float
) -> ProbabilityChange:
    place = binary_position(_penalised(fit), term)
    constants = _constants(fit)
    if not len(constants):
        raise EstimationError("the model has no constant: its probabilities have no profile")
    scaled, coefficient = _Scaled.of(fit, place, clusters, conf_level), Coefficient(place=place)

    def of(arms: Arms) -> Probability:
        return Probability(at=at, place=place, constant=int(constants[0]), arms=arms)

    return ProbabilityChange(
        change=scaled.estimate(of("change"), words, tested=coefficient),
        untreated=scaled.estimate(of("untreated"), words),
        treated=scaled.estimate(of("treated"), words),
    )


def _penalised(fit: LogitFit) -> LogitFit:
    if fit.penalty != "firth":
        raise InvalidInput("profile intervals are of a Firth fit: use logistic.log_odds for maximum likelihood")
    return fit


def _constants(fit: LogitFit) -> IntArray:
    """The columns that are one for everybody."""
    values = fit.matrix.values
    return np.flatnonzero((np.ptp(values, axis=0) == 0) & (values[0] == 1))


_FAR = 100.0  # standard deviations from zero: beside such a mean a profile loses the digits that its ends need


def _near_zero(fit: LogitFit, place: int) -> LogitFit:
    """The same fit with the means taken off covariates that lie far from zero, such as years; the constant takes them.

    Every probability and every other coefficient stay as they are. Where the constant itself is asked for, or there is
    none, nothing is taken off.
    """
    constants, values = _constants(fit), fit.matrix.values
    if not len(constants) or place in constants:
        return fit
    constant, means = int(constants[0]), values.mean(axis=0)
    means[(np.abs(means) <= _FAR * values.std(axis=0)) | (np.ptp(values, axis=0) == 0)] = 0.0
    if not means.any():
        return fit
    near, coefficients = values - means, fit.coefficients.copy()
    coefficients[constant] += means @ fit.coefficients
    p = fit.probabilities
    half = upper_inverse(triangular_factor(near * np.sqrt(p * (1 - p))[:, None]))
    return replace(
        fit,
        matrix=replace(fit.matrix, values=near),
        coefficients=coefficients,
        information_inverse=half @ half.T,
        inverse_factor=upper_inverse(triangular_factor(near)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scaled:
    """A fit with the scale of its likelihood ratios: 1 and chi-squared, or a design effect and F(1, G - 1)."""

    fit: LogitFit
    scale: float
    df: float
    conf_level: float
    n_clusters: int | None
    words: str
    note: str

    @classmethod
    def of(cls, fit: LogitFit, place: int, clusters: ArrayLike | None, conf_level: float) -> _Scaled:
        checked_level(conf_level)
        if clusters is None:
            return cls(
                fit=fit,
                scale=1.0,
                df=math.inf,
                conf_level=conf_level,
                n_clusters=None,
                words="not clustered",
                note=fit.note,
            )
        codes, count = checked_clusters(matrix=fit.matrix, clusters=clusters)
        refuse_untold_terms(fit.matrix, terms=[place], codes=codes, inverse_factor=fit.inverse_factor)
        residuals = fit.outcome - fit.probabilities
        found = design_effect(residuals=residuals, clusters=codes, assignment=fit.matrix.values[:, place])
        return cls(
            fit=fit,
            scale=found.factor,
            df=count - 1.0,
            conf_level=conf_level,
            n_clusters=count,
            words=f"design effect by {cluster_name(clusters)}, F(1, G-1)",
            note=" ".join(filter(None, (fit.note, found.note()))),
        )

    def estimate(
        self, quantity: Quantity, words: str, *, tested: Coefficient | None = None, interval: bool = True
    ) -> Estimate:
        """The quantity with its profile interval and, where one is `tested`, the likelihood ratio test of zero."""
        error = math.sqrt(self.scale) * information_error(self.fit, quantity)
        critical = self.scale * float(student_quantile(0.5 + self.conf_level / 2, self.df)) ** 2
        profile = Profile(self.fit, quantity)
        low, high = -math.inf, math.inf
        if interval:
            low, high = profile.interval(stride=1.96 * error, critical=critical)
        statistic, p_value = math.nan, math.nan
        if tested is not None:
            ratio = Profile(self.fit, tested).drop(0.0) / self.scale
            statistic = math.copysign(math.sqrt(ratio), profile.centre)
            p_value = float(2 * student_tail(math.sqrt(ratio), self.df))
        return Estimate(
            estimate=profile.centre,
            std_error=error,
            df=self.df,
            n=len(self.fit.outcome),
            n_clusters=self.n_clusters,
            method=f"logit with Firth's penalty, {words}, penalised profile likelihood, {self.words}",
            conf_level=self.conf_level,
            statistic=statistic,
            p_value=p_value,
            conf_low=low,
            conf_high=high,
            note=self.note if interval else f"{self.note} No interval was asked for.",
        )
