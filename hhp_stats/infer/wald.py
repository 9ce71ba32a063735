"""Do several coefficients differ from zero together? F tests on a clustered covariance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.linalg import LinAlgError
from scipy import linalg, stats

from hhp_stats.calls.typed import typed
from hhp_stats.errors import EstimationError, UnknownName
from hhp_stats.regression.cluster_robust import CORRECTION, RobustCovariance, no_variance, residual_df
from hhp_stats.regression.gram import upper_inverse
from hhp_stats.regression.linear import LinearFit
from hhp_stats.regression.model_matrix import Array
from hhp_stats.regression.satterthwaite import htz_df
from hhp_stats.regression.spread import PERFECT

WaldReference = Literal["clusters", "htz", "residual", "chi2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldTest:
    """A joint test: `statistic` against F(df_numerator, df_denominator), which may be infinite."""

    statistic: float
    df_numerator: float
    df_denominator: float
    p_value: float
    null: str  # the hypothesis in words
    method: str


@typed
def wald_test(
    fit: LinearFit,
    covariance: RobustCovariance,
    *,
    terms: Sequence[str],
    reference: WaldReference = "clusters",
) -> WaldTest:
    """Are the coefficients of all `terms` zero together?

    Estimator: W = b'V^-1 b over the q terms, then

    - `clusters`: F = W/q on (q, G-1), as Stata after `vce(cluster)`;
    - `residual`: F = W/q on (q, N-k);
    - `chi2`: W/q on (q, infinity), the same p value as W on chi-squared(q);
    - `htz`: F = (eta-q+1)/(eta q) W on (q, eta-q+1), eta from `htz_df`; meant for CR2.

    Refuses: an unknown term or reference (UnknownName), a coefficient without a variance, as where the terms explain
    the outcome exactly, a singular V, as with more terms than G-1
    clusters, or eta below q (EstimationError).
    Source: Cameron and Miller (2015), Journal of Human Resources 50, 317-372; Tipton and Pustejovsky
    (2015), Journal of Educational and Behavioral Statistics 40, 604-634.
    """
    if not len(terms):
        raise UnknownName("a joint test needs at least one term")
    contrasts = np.zeros((len(terms), len(fit.coefficients)))
    for row, term in enumerate(terms):
        contrasts[row, fit.matrix.position(term)] = 1.0
    return wald_contrasts(fit, covariance, contrasts=contrasts, null=" = ".join([*terms, "0"]), reference=reference)


@typed
def wald_contrasts(
    fit: LinearFit,
    covariance: RobustCovariance,
    *,
    contrasts: Array,
    null: str,
    reference: WaldReference = "clusters",
) -> WaldTest:
    """Are several weighted sums of coefficients zero together? `contrasts` (q, k); see `wald_test`."""
    covariance.refuse_untold(fit, np.flatnonzero(contrasts.any(axis=0)).tolist())
    q = len(contrasts)
    values = contrasts @ fit.coefficients
    variance = contrasts @ covariance.matrix @ contrasts.T
    largest = float(np.abs(fit.outcome).max()) ** 2 * np.einsum("qi,ij,qj->q", contrasts, fit.gram_inverse, contrasts)
    thin = np.flatnonzero(~(np.diag(variance) > PERFECT * largest))
    if thin.size:  # rounding errors of a perfect fit, over which any test is one of dust
        lowest = float(np.diag(variance)[thin[0]])
        raise EstimationError(no_variance(fit, f"{covariance.kind} variance behind {null}", lowest))
    scale = np.sqrt(np.diag(variance))
    try:
        # An exactly singular matrix often factorises by rounding: judge the pivots of the correlations.
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = linalg.cholesky(variance / np.outer(scale, scale))
        if np.diag(factor).min() < 1e-7:
            raise LinAlgError
    except (LinAlgError, ValueError) as error:
        raise EstimationError(
            f"the {covariance.kind} covariance cannot test {q} terms together: it is singular"
        ) from error
    half = upper_inverse(factor).T @ (values / scale)
    wald = float(half @ half)
    shrink, df = 1.0, math.inf
    if reference == "clusters":
        if covariance.n_clusters is None:
            raise EstimationError(f"{covariance.kind} has no clusters to count: use reference residual or chi2")
        df = covariance.n_clusters - 1.0
    elif reference == "residual":
        df = float(residual_df(fit.matrix))
    elif reference == "htz":
        eta = _eta(fit, covariance, contrasts)
        df = eta - q + 1
        if not df > 0:
            raise EstimationError(f"too few clusters to test {q} terms together: eta = {eta:.3g}")
        shrink = df / eta
    elif reference != "chi2":
        raise UnknownName(f"no reference {reference!r}; there are clusters, htz, residual, chi2")
    statistic = shrink * wald / q
    p_value = stats.chi2.sf(wald, q) if math.isinf(df) else stats.f.sf(statistic, q, df)
    words = {"clusters": "F(q, G-1)", "htz": "HTZ", "residual": "F(q, N-k)", "chi2": "chi-squared"}[reference]
    by = "" if covariance.n_clusters is None else f" by {covariance.cluster_name}"
    return WaldTest(
        statistic=statistic,
        df_numerator=float(q),
        df_denominator=df,
        p_value=float(p_value),
        null=null,
        method=f"Wald, {covariance.kind}{by}, {words}",
    )


def _eta(fit: LinearFit, covariance: RobustCovariance, contrasts: Array) -> float:
    if covariance.kind not in CORRECTION:
        raise EstimationError(f"no HTZ degrees of freedom for {covariance.kind}")
    codes = np.arange(len(fit.outcome)) if covariance.codes is None else covariance.codes
    return htz_df(
        fit,
        codes=codes,
        n_clusters=covariance.n_clusters or len(codes),
        contrasts=contrasts,
        correction=CORRECTION[covariance.kind],
    )
