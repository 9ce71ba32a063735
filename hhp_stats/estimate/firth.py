"""Firth's penalised logit: finite estimates where a term predicts the outcome perfectly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.linalg import LinAlgError
from scipy import optimize, stats

from hhp_stats.errors import InvalidInput, NonConvergence, Separation
from hhp_stats.estimate.gram import identified_factor, times, upper_inverse
from hhp_stats.estimate.logistic import LogitFit, binary_outcome, exponentiated, logit, logit_fit
from hhp_stats.estimate.logit_likelihood import maximise
from hhp_stats.estimate.model_matrix import Array, ModelMatrix
from hhp_stats.results import Estimate, checked_level

# Scoring converges linearly: steps stop at 1e-9 standard errors, not at 1e-6 as for Newton's.
_TOLERANCE = 1e-18


def firth_logit(*, outcome: Array, matrix: ModelMatrix, max_iterations: int = 500) -> LogitFit:
    """What are the log odds ratios when maximum likelihood is infinite or biased by few events?

    Estimator: the maximum of log L(b) + log|I(b)|/2, Jeffreys' prior as the penalty, which removes the
    bias of order 1/n and is finite even under separation. Solves X'(y - p + h (1/2 - p)) = 0, h the
    leverages of the weighted regression, by Fisher scoring with halved steps from b = 0. The covariance
    is I(b)^-1 at the maximum, as in the R package logistf.

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
        q, y, start=np.zeros(q.shape[1]), penalty="firth", max_iterations=max_iterations, tolerance=_TOLERANCE
    )
    if not maximum.converged:
        raise NonConvergence(f"no maximum of the penalised likelihood after {maximum.iterations} steps")
    return logit_fit(maximum, inverse=inverse, outcome=y, matrix=matrix, penalty="firth")


def logit_or_firth(*, outcome: Array, matrix: ModelMatrix) -> LogitFit:
    """The logit if its maximum likelihood estimate exists, else Firth's, marked as the fallback.

    The fallback is visible in `LogitFit.penalty` and in the method and note of every estimate taken
    from it; the note holds the reason (which terms separate the outcome).
    """
    try:
        return logit(outcome=outcome, matrix=matrix)
    except Separation as reason:
        penalised = firth_logit(outcome=outcome, matrix=matrix)
        return replace(penalised, note=f"Firth's penalty in place of maximum likelihood: {reason}.")


def firth_log_odds(fit: LogitFit, *, term: str = "treatment", conf_level: float = 0.95) -> Estimate:
    """What is the penalised log odds ratio of a term, with a profile interval and likelihood ratio test?

    Estimator: the interval holds every value c of the coefficient with 2 (l* - l*(c)) at most the
    chi-squared(1) quantile, l*(c) being the penalised likelihood maximised over the other terms with
    the penalty of the full model; the test is the same at c = 0. `statistic` is the signed root of
    that ratio. Clusters play no part: these are logistf's intervals, and `method` says so. Under complete
    separation a profile can have several local maxima; the climb follows the one connected to the estimate.

    Refuses: a fit without the penalty (InvalidInput), a profile that cannot be climbed (NonConvergence).
    Source: Heinze and Schemper (2002), Statistics in Medicine 21, 2409-2419, section 2.2.
    """
    if fit.penalty != "firth":
        raise InvalidInput("profile intervals are of a Firth fit: use logistic.log_odds for maximum likelihood")
    checked_level(conf_level)
    position = fit.matrix.position(term)
    profile = _Profile(fit, position)
    centre = float(fit.coefficients[position])
    std_error = math.sqrt(float(fit.information_inverse[position, position]))
    critical = float(stats.chi2.ppf(conf_level, 1))
    ratio = profile.drop(0.0)
    low, high = (_crossing(profile, centre, side * 1.96 * std_error, critical) for side in (-1.0, 1.0))
    return Estimate(
        estimate=centre, std_error=std_error, df=math.inf, n=len(fit.outcome), n_clusters=None,
        method="logit with Firth's penalty, log odds, penalised profile likelihood, not clustered",
        conf_level=conf_level, statistic=math.copysign(math.sqrt(ratio), centre),
        p_value=float(stats.chi2.sf(ratio, 1)), conf_low=low, conf_high=high, note=fit.note,
    )  # fmt: skip


def firth_odds_ratio(fit: LogitFit, *, term: str = "treatment", conf_level: float = 0.95) -> Estimate:
    """The penalised odds ratio of a term; interval and test as `firth_log_odds`."""
    return exponentiated(firth_log_odds(fit, term=term, conf_level=conf_level))


class _Profile:
    """The penalised likelihood with one coefficient held; remembers the last maximum as the next start."""

    def __init__(self, fit: LogitFit, position: int) -> None:
        k = len(fit.coefficients)
        # With the held column last in X = QR, its coefficient is the last coordinate over R's last pivot.
        order = [*(j for j in range(k) if j != position), position]
        turned = ModelMatrix(
            values=np.ascontiguousarray(fit.matrix.values[:, order]),
            names=tuple(fit.matrix.names[j] for j in order),
        )
        factor = identified_factor(turned)
        self.q, self.y = times(turned.values, upper_inverse(factor)), fit.outcome
        self.pivot = float(factor[-1, -1])
        self.best = factor @ fit.coefficients[order]
        self.previous = self.best
        # Firth's likelihood of these columns differs from the fit's by half log|R'R|.
        self.top = fit.log_likelihood - float(np.log(np.abs(np.diag(factor))).sum())

    def drop(self, value: float) -> float:
        """2 (l* - l*(value)), not negative."""
        held = value * self.pivot
        # Along the line through the estimate and the last point, for under separation all terms move together.
        way = self.previous[-1] - self.best[-1]
        share = (held - self.best[-1]) / way if way else 0.0
        start = self.best + share * (self.previous - self.best)
        start[-1] = held
        try:
            maximum = maximise(
                self.q, self.y, start=start, penalty="firth", max_iterations=200, fixed_last=True, tolerance=_TOLERANCE
            )
        except LinAlgError:
            maximum = None
        if maximum is None or not maximum.converged:
            raise NonConvergence(f"the penalised likelihood has no profile at {value:g}")
        self.previous = maximum.b
        return max(2 * (self.top - maximum.at.value), 0.0)


def _crossing(profile: _Profile, centre: float, stride: float, critical: float) -> float:
    """Where the drop reaches `critical` on one side of the estimate: strides out, then bisection.

    A stride too long for the climb to start from is halved, one that worked is lengthened.
    """
    profile.previous = profile.best
    inside = centre
    for _ in range(60):
        outside = inside + stride
        try:
            beyond = profile.drop(outside) > critical
        except NonConvergence:
            stride /= 2
            continue
        if beyond:
            return float(optimize.brentq(lambda c: profile.drop(c) - critical, inside, outside, xtol=1e-10, rtol=1e-12))
        inside, stride = outside, 1.5 * stride
    raise NonConvergence("the profile of the penalised likelihood does not reach the limit of the interval")
