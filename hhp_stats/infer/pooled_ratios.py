"""Joint tests over imputations where only test statistics or likelihoods are at hand: D2 and D3 (D1:
`pooling.pool_joint`).
"""

from __future__ import annotations

import numpy as np

from hhp_stats.calls.typed import typed
from hhp_stats.errors import EstimationError, InvalidInput
from hhp_stats.infer.pooling import JointTest, joint_p_value, li_df
from hhp_stats.regression.model_matrix import Array, as_numbers


@typed
def pool_statistics(*, statistics: Array, parameters: int) -> JointTest:
    """Are several parameters all zero, when of each imputation only its chi-squared statistic is known?

    Estimator: D2 = (mean(w)/k - (m + 1)/(m - 1) r) / (1 + r), w (m,) Wald or likelihood ratio statistics of k
    parameters, r = (1 + 1/m) times the variance of their square roots; F with k and k^(-3/m) (m - 1) (1 + 1/r)^2
    degrees of freedom. A statistic below zero is reported as it is, with p = 1.

    Shapes: statistics (m,). Assumes what D1 assumes, and loses power against it: use it where estimates and
    covariances are not to be had.
    Refuses: fewer than two statistics, negative or missing ones, no parameter (InvalidInput), and statistics that
    do not differ, for which the imputations say nothing to pool (EstimationError).
    Source: Li, Meng, Raghunathan and Rubin (1991), Statistica Sinica 1, 65-92, eqs 1.17-1.19; mice's D2.
    """
    w, m = _statistics(statistics, "statistics")
    _refuse_no_parameters(parameters)
    r = (1 + 1 / m) * float(np.sqrt(w).var(ddof=1))
    if r <= 1e-13:
        raise EstimationError("the statistics do not differ between imputations: there is nothing to pool")
    statistic = (float(w.mean()) / parameters - (m + 1) / (m - 1) * r) / (1 + r)
    df = parameters ** (-3 / m) * (m - 1) * (1 + 1 / r) ** 2
    return _joint(statistic, parameters, df, r, f"D2, {m} imputations")


@typed
def pool_likelihood_ratios(*, statistics: Array, at_pooled: Array, parameters: int) -> JointTest:
    """Are several parameters all zero, by likelihood ratios of the imputations?

    Estimator: D3 = mean(d~) / (k (1 + r)), r = (m + 1)/(k (m - 1)) (mean(d) - mean(d~)), with d (m,) twice the
    difference of the log-likelihoods of the larger and the smaller model at each imputation's own estimates, and d~
    (m,) the same with both models' coefficients held at their averages over the imputations; F with k and v degrees
    of freedom, v as D1's for infinite complete data (`hhp_stats.infer.pooling.li_df`).

    Shapes: statistics d and at_pooled d~ (m,) each. Assumes what D1 assumes; unlike it, nothing changes where a
    parameter is transformed.
    Refuses: fewer than two imputations, lists of unequal length, missing values, no parameter (InvalidInput), and
    likelihoods whose averages fit better than the estimates themselves (EstimationError).
    Source: Meng and Rubin (1992), Biometrika 79, 103-111; mice's D3.
    """
    own, m = _statistics(statistics, "statistics")
    held = as_numbers(at_pooled, name="at_pooled")
    _refuse_no_parameters(parameters)
    if held.shape != own.shape or not np.isfinite(held).all():
        raise InvalidInput(f"at_pooled needs {m} known values, not shape {held.shape}")
    r = (m + 1) / (parameters * (m - 1)) * float(own.mean() - held.mean())
    if r < -1e-9:
        raise EstimationError(
            "the averaged coefficients fit better than each imputation's own: these are no likelihood ratios"
        )
    r = max(r, 0.0)
    df = li_df(r, parameters * (m - 1), parameters)
    return _joint(float(held.mean()) / (parameters * (1 + r)), parameters, df, r, f"D3, {m} imputations")


def _joint(statistic: float, k: int, df: float, r: float, method: str) -> JointTest:
    return JointTest(
        statistic=statistic,
        df=k,
        df_denominator=df,
        p_value=joint_p_value(max(statistic, 0.0), k, df),
        relative_increase=r,
        method=method,
    )


def _statistics(given: Array, name: str) -> tuple[Array, int]:
    values = as_numbers(given, name=name)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all() or (values < 0).any():
        raise InvalidInput(
            f"{name} must be known and not negative, one an imputation, of two or more; not shape {values.shape}"
        )
    return values, len(values)


def _refuse_no_parameters(parameters: int) -> None:
    if parameters < 1:
        raise InvalidInput(f"a joint test needs at least one parameter, not {parameters}")
