"""How sure are we of an estimate made on multiply imputed data? Rubin's rules."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hhp_stats.calls.typed import typed
from hhp_stats.errors import EstimationError, InvalidInput
from hhp_stats.regression.model_matrix import Array, as_numbers
from hhp_stats.results.frame import Estimate
from hhp_stats.tails import chi2_tail, f_tail, student_quantile, student_tail

FARTHEST = (
    1e20  # standard errors: an interval that reaches so far says nothing, and its ends are numbers without a meaning
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PooledEstimate(Estimate):
    """An estimate pooled over `imputations` completed data sets, and where its uncertainty comes from.

    `within` and `between` are variances (squared units of the estimate); `relative_increase` is
    (1 + 1/m) between / within; `fraction_missing_information` is the share of the information about
    this estimate that the missing values took. `mc_error`, the standard deviation of the pooled estimate over
    repetitions of the imputation on these same data, is sqrt(between / m); `mc_error_p` is the jackknife's over the
    imputations (`jackknife_error`).
    """

    within: float
    between: float
    relative_increase: float
    fraction_missing_information: float
    imputations: int
    complete_df: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """A test that several pooled parameters are all zero: F with `df` and `df_denominator`."""

    statistic: float
    df: int
    df_denominator: float
    p_value: float
    relative_increase: float  # average over the parameters
    method: str


@typed
def barnard_rubin_df(*, imputations: int, missing_share: float, complete_df: float) -> float:
    """How many degrees of freedom has a pooled estimate?

    Estimator: 1 / (1/v_m + 1/v_obs), with v_m = (m - 1) / lambda^2 (Rubin 1987, eq. 3.1.6), v_obs =
    (v_com + 1)/(v_com + 3) v_com (1 - lambda), lambda = (1 + 1/m) B / T the share of the variance due
    to the missing values (`missing_share`) and v_com the degrees of freedom the analysis would have
    had with complete data: with team-clustered standard errors the number of teams less one. Where
    v_com is infinite this is Rubin's v_m; where nothing is missing it is close to v_com, and not above.
    Assumes: the complete-data analysis uses Student's t with v_com degrees of freedom.
    Refuses: fewer than two imputations, lambda outside 0..1, v_com not positive (EstimationError).
    Source: Barnard and Rubin (1999), Biometrika 86, 948-955.
    """
    if imputations < 2:
        raise EstimationError("pooling needs at least two imputations: one says nothing about the missing values")
    if not 0 <= missing_share <= 1 or not complete_df > 0:
        raise EstimationError(f"impossible share {missing_share} or complete-data df {complete_df}")
    by_imputation = math.inf if missing_share == 0 else (imputations - 1) / missing_share**2
    if math.isinf(complete_df):
        return by_imputation
    observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - missing_share)
    if observed == 0:
        raise EstimationError("all variance is between imputations: the estimates have no standard error of their own")
    return 1 / (1 / by_imputation + 1 / observed)


@typed
def pool(estimates: Sequence[Estimate], *, complete_df: float | None = None) -> PooledEstimate:
    """What is the effect, taking into account that the missing values are not known?

    Estimator: the mean of the m estimates; total variance T = U + (1 + 1/m) B, with U the mean of
    their squared standard errors and B the variance between them; Student's t with Barnard and
    Rubin's degrees of freedom (`barnard_rubin_df`). `complete_df` defaults to the degrees of freedom
    of the estimates, which must then agree (team-clustered: teams less one). The fraction of missing
    information is (r + 2/(v + 3)) / (r + 1) with r = (1 + 1/m) B / U.
    Monte Carlo errors: sqrt(B / m) of the estimate; of the p value the jackknife over imputations, NaN for fewer
    than three.
    Units: those of the estimates. For ratios, pool on the log scale.
    Assumes: proper imputations, from a model at least as rich as the analysis.
    Refuses: fewer than two estimates; estimates that differ in n, clusters, method, level or (where
    needed) df, hence do not estimate the same thing; a standard error of zero (EstimationError). With fewer than one
    pooled degree of freedom `note` says so; where the interval would reach 1e20 standard errors it is the whole line,
    and `method` says so too.
    Source: Rubin (1987), Multiple Imputation for Nonresponse in Surveys, eqs 3.1.2-3.1.7; Barnard and
    Rubin (1999).
    """
    odd = next((estimate for estimate in estimates if not isinstance(estimate, Estimate)), None)
    if odd is not None:
        raise InvalidInput(f"pooling takes a list of Estimate, not {odd!r}")
    count = len(estimates)
    if count < 2:
        raise EstimationError("pooling needs at least two imputations: one says nothing about the missing values")
    first = estimates[0]
    for name in ("n", "n_clusters", "method", "conf_level"):
        found = {getattr(estimate, name) for estimate in estimates}
        if len(found) > 1:
            raise EstimationError(f"the estimates differ in {name} ({_few(found)}): they are not of the same analysis")
    if complete_df is None:
        freedoms = {estimate.df for estimate in estimates}
        if len(freedoms) > 1:
            raise EstimationError(f"the estimates differ in df ({_few(freedoms)}): name the complete-data df")
        complete_df = first.df
    values = np.array([estimate.estimate for estimate in estimates])
    variances = np.array([estimate.std_error for estimate in estimates]) ** 2
    if not (np.isfinite(values).all() and np.isfinite(variances).all() and (variances > 0).all()):
        raise EstimationError(
            "an estimate is not finite, or a standard error zero or not finite: they cannot be pooled"
        )
    within = float(variances.mean())
    between = float(_between(values))
    extra = (1 + 1 / count) * between
    total = within + extra
    increase = extra / within
    df = barnard_rubin_df(imputations=count, missing_share=extra / total, complete_df=complete_df)
    method, note, ends = f"{first.method}; {count} imputations, Rubin's rules, Barnard-Rubin df", first.note, {}
    if df < 1:
        note = " ".join(
            filter(
                None,
                (
                    note,
                    (
                        f"{df:.2g} degrees of freedom: {extra / total:.2%} of the variance is between imputations; use"
                        " more of them."
                    ),
                ),
            )
        )
        if float(student_quantile(0.5 + first.conf_level / 2, df)) > FARTHEST:
            method += ", too few degrees of freedom for an interval"
            ends = {"conf_low": -math.inf, "conf_high": math.inf}
    return PooledEstimate(
        estimate=float(values.mean()),
        std_error=math.sqrt(total),
        df=df,
        n=first.n,
        n_clusters=first.n_clusters,
        method=method,
        conf_level=first.conf_level,
        note=note,
        **ends,
        within=within,
        between=between,
        relative_increase=increase,
        fraction_missing_information=(increase + 2 / (df + 3)) / (increase + 1) if between > 0 else 0.0,
        mc_error=math.sqrt(between / count),
        mc_error_p=_mc_error_p(values, variances, complete_df) if count > 2 else math.nan,
        imputations=count,
        complete_df=complete_df,
    )


def _between(values: Array) -> Array:
    """Variance between the imputations (..., m). Estimates that agree to the last bits differ by rounding alone: no
    missing information.
    """
    alike = np.ptp(values, axis=-1) <= 1e-13 * np.abs(values).max(axis=-1)
    return np.where(alike, 0.0, values.var(axis=-1, ddof=1))


def jackknife_error(without: Array) -> float:
    """How far would a pooled figure move if the imputation were made again? From the figure without each data set in
    turn.

    sqrt((m - 1)/m sum_j (f_(j) - mean)^2), f_(j) (m,) the figure pooled without data set j. For the pooled estimate
    itself that is sqrt(B / m) exactly. Refuses fewer than three (EstimationError).
    Source: White, Royston and Wood (2011), Statistics in Medicine 30, 377-399, section 7; Efron and Gong (1983), The
    American Statistician 37, 36-48.
    """
    count = len(without)
    if count < 3:
        raise EstimationError("the jackknife over imputations needs three of them at least")
    return float(np.sqrt((count - 1) * np.var(without)))


def _mc_error_p(values: Array, variances: Array, complete_df: float) -> float:
    """The jackknife error of the pooled p value: p once more without each data set in turn."""
    count = len(values)
    if _between(values) == 0 and np.ptp(variances) <= 1e-13 * variances.max():
        return 0.0
    others = np.arange(count - 1) + (np.arange(count - 1) >= np.arange(count)[:, None])  # (m, m - 1): all but one
    q, within = values[others].mean(axis=1), variances[others].mean(axis=1)
    extra = (1 + 1 / (count - 1)) * _between(values[others])
    df = [
        barnard_rubin_df(imputations=count - 1, missing_share=share, complete_df=complete_df)
        for share in (extra / (within + extra)).tolist()
    ]
    return jackknife_error(2 * student_tail(np.abs(q) / np.sqrt(within + extra), df))


def _few(values: Iterable[object]) -> str:
    listed = sorted(map(str, values))
    return ", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "")


@typed
def pool_joint(*, estimates: Array, covariances: Array, complete_df: float = math.inf) -> JointTest:
    """Are several parameters all zero, taking into account that the missing values are not known?

    Estimator: D1 = q' U^-1 q / (k (1 + r)), with q (k,) the mean estimates, U the mean covariance, B
    the covariance between imputations and r = (1 + 1/m) tr(B U^-1) / k; F with k and v degrees of
    freedom. For infinite `complete_df`, v is Li, Raghunathan and Rubin's: 4 + (t - 4)(1 + (1 - 2/t)/r)^2
    with t = k (m - 1) above 4, else t (1 + 1/k)(1 + 1/r)^2 / 2. For a finite one it is Reiter's, which
    exists for t above 4 only. The formula used is named in `method`.
    Shapes: estimates (m, k), covariances (m, k, k).
    Assumes: the fraction of missing information is alike for all combinations of the parameters.
    Refuses: fewer than two imputations, shapes that do not fit, covariances that are not symmetric, a singular mean
    covariance, t of 4 or less or too few complete-data df for Reiter's formula (EstimationError).
    Source: Li, Raghunathan and Rubin (1991), JASA 86, 1065-1073; Reiter (2007), Biometrika 94, 502-508.
    """
    values = as_numbers(estimates, name="estimates")
    matrices = as_numbers(covariances, name="covariances")
    count, k = values.shape if values.ndim == 2 else (0, 0)
    if count < 2 or matrices.shape != (count, k, k):
        raise EstimationError(f"estimates {values.shape} and covariances {matrices.shape} do not make a pooled test")
    if not (np.isfinite(values).all() and np.isfinite(matrices).all() and complete_df > 0):
        raise EstimationError("a pooled test needs finite estimates and covariances and positive complete-data df")
    mean, within = values.mean(axis=0), matrices.mean(axis=0)
    between = np.atleast_2d(np.cov(values, rowvar=False))
    if np.abs(matrices - matrices.swapaxes(1, 2)).max() > 1e-9 * np.abs(matrices).max():
        raise EstimationError(
            "a covariance is symmetric, and one of these is not: the parameters cannot be tested jointly"
        )
    try:
        np.linalg.cholesky(within)
    except np.linalg.LinAlgError as problem:
        raise EstimationError("the mean covariance is singular: the parameters cannot be tested jointly") from problem
    r = (1 + 1 / count) * float(np.trace(np.linalg.solve(within, between))) / k
    statistic = float(mean @ np.linalg.solve(within, mean)) / (k * (1 + r))
    t = k * (count - 1)
    if math.isfinite(complete_df):
        df, label = _reiter_df(r, t, complete_df), "Reiter's df"
    else:
        df, label = li_df(r, t, k), "Li-Raghunathan-Rubin df"
    return JointTest(
        statistic=statistic,
        df=k,
        df_denominator=df,
        p_value=joint_p_value(statistic, k, df),
        relative_increase=r,
        method=f"D1, {count} imputations, {label}",
    )


def joint_p_value(statistic: float, k: int, df: float) -> float:
    """P(F > statistic) on k and df degrees of freedom; df is infinite where nothing is missing."""
    return chi2_tail(k * statistic, k) if math.isinf(df) else f_tail(statistic, k, df)


def li_df(r: float, t: float, k: int) -> float:
    """Li, Raghunathan and Rubin's degrees of freedom: relative increase r, t = k (m - 1), k parameters."""
    if r <= 1e-13:  # nothing is missing: the chi-squared limit
        return math.inf
    if t > 4:
        return 4 + (t - 4) * (1 + (1 - 2 / t) / r) ** 2
    return t * (1 + 1 / k) * (1 + 1 / r) ** 2 / 2


def _reiter_df(r: float, t: float, complete_df: float) -> float:
    if t <= 4:
        raise EstimationError(f"Reiter's df need k(m - 1) above 4, not {t:g}: use more imputations")
    a = r * t / (t - 2)
    observed = complete_df * (complete_df + 1) / (complete_df + 3)
    lower, upper = observed - 4 * (1 + a), observed - 2 * (1 + a)
    if lower <= 0:
        raise EstimationError(f"{complete_df:g} complete-data df are too few for a joint test with this much missing")
    bracket = (
        a**2 * upper / ((1 + a) ** 2 * lower)
        + 8 * a**2 * upper / ((1 + a) * lower**2)
        + 4 * a**2 / ((1 + a) * lower)
        + 4 * a**2 / (lower * upper)
        + 16 * a**2 * upper / lower**3
        + 8 * a**2 / lower**2
    )
    return 4 + 1 / (1 / lower + bracket / (t - 4))
