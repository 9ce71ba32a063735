"""What did taking part do to those who took part because they were offered it? Assignment as instrument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from linearmodels.iv import IV2SLS
from numpy.typing import ArrayLike
from scipy import stats

from hhp_stats.calls.typed import typed
from hhp_stats.errors import CollinearTerms, EstimationError, InvalidInput
from hhp_stats.estimate.anderson_rubin import ReducedForms, anderson_rubin_set
from hhp_stats.estimate.confidence_set import ConfidenceSet
from hhp_stats.infer.resampling import orthonormal_basis
from hhp_stats.regression.clusters import checked_clusters, cluster_sums, refuse_untold_terms
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.linear import LinearFit, check_outcome, ols
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers
from hhp_stats.regression.satterthwaite import IntArray
from hhp_stats.regression.spread import PERFECT
from hhp_stats.results.frame import Estimate, checked_level

_TAKEUP = "takeup"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplierEffect:
    """The complier average causal effect and everything needed to judge the instrument behind it."""

    effect: Estimate  # two-stage least squares, clustered, t(G-1)
    first_stage: Estimate | None  # effect of assignment on take-up; None with several instruments
    intention_to_treat: Estimate | None  # effect of assignment on the outcome
    first_stage_f: float  # clustered Wald F of the instruments in the first stage, df (q, G-1)
    effective_f: float  # Montiel Olea and Pflueger; equals first_stage_f with one instrument
    effective_f_critical: float  # 5% critical value for a bias of at most a tenth of the worst case
    anderson_rubin: ConfidenceSet
    anderson_rubin_p: float  # of the hypothesis that the effect is zero
    takeup_treatment: float  # share (mean) of take-up in each arm; not a number with several instruments
    takeup_control: float

    @property
    def strong(self) -> bool:
        """Does the effective F exceed its critical value, so that the t interval can be trusted?"""
        return self.effective_f > self.effective_f_critical


@typed
def complier_effect(
    *,
    outcome: Array,
    takeup: Array,
    matrix: ModelMatrix,
    clusters: ArrayLike,
    instruments: Sequence[str] = ("treatment",),
    conf_level: float = 0.95,
) -> ComplierEffect:
    """By how much did taking part change the outcome of those whom the offer moved to take part?

    Two-stage least squares, take-up instrumented by assignment: b = (W'P W)^-1 W'P y with W = take-up
    and the exogenous terms, P the projection on instruments and exogenous terms (linearmodels'
    IV2SLS). Covariance clustered with the factor G/(G-1) * (N-1)/(N-k), t with G-1 degrees of
    freedom. Without covariates and with one instrument the effect is the effect of assignment on
    the outcome over its effect on take-up (Wald).

    `matrix` is the model's right-hand side with the assignment in it (columns `instruments`); all
    its other columns are exogenous. outcome, takeup (n,): take-up 0/1, or an amount such as modules
    completed, when the effect is per unit of it. Units: the outcome's per unit of take-up.

    Assumptions: assignment is random given the covariates; it moves the outcome only through
    take-up; nobody takes part because they were not offered it; being offered changes some.

    First stage: `first_stage_f`, and the effective F with its critical value, which is right for
    clustered errors where rules of thumb such as F > 10 are not. `anderson_rubin` holds whatever
    the strength and is the interval to report when `strong` is false.

    Take-up that follows assignment exactly has no error: its F is infinite, and the effect is that of
    assignment.

    Refuses missing outcomes, missing or constant take-up (InvalidInput), instruments that are not in the
    matrix (UnknownName), an arm of an instrument about which one cluster tells beside the other terms
    (SingleClusterArm), a first stage of exactly zero, and an outcome without variation beside the terms, with
    or without take-up (EstimationError).
    Source: Imbens and Angrist (1994), Econometrica 62, 467-475; Montiel Olea and Pflueger (2013),
    Journal of Business & Economic Statistics 31, 358-369; Anderson and Rubin (1949), Annals of Mathematical
    Statistics 20, 46-63.
    """
    checked_level(conf_level)
    y = check_outcome(outcome, matrix)
    d = _checked_takeup(takeup, rows=len(y))
    same_people(outcome=outcome, take_up=takeup, the_clusters=clusters)
    codes, n_clusters = checked_clusters(matrix=matrix, clusters=clusters)
    where = [matrix.position(name) for name in instruments]
    if isinstance(instruments, str) or not where or len(set(where)) != len(where):
        raise InvalidInput(f"name each instrument once, not {list(instruments)}")
    refuse_untold_terms(matrix, terms=where, codes=codes)

    forms, gram = _reduced_forms(y, d, matrix=matrix, where=where, codes=codes, n_clusters=n_clusters)
    moved = forms.on_takeup * np.ptp(matrix.values[:, where], axis=0)  # in the units of take-up, whatever these are
    if not np.any(np.abs(moved) > 1e-12 * float(np.abs(d).max())):
        raise EstimationError("assignment did not change take-up at all: there are no compliers")
    effective, critical = _effective_f(forms, gram)
    df = n_clusters - 1
    single = len(where) == 1
    label = f"CR1 by cluster, t({df})"
    return ComplierEffect(
        effect=_two_stage(y, d, matrix=matrix, where=where, codes=codes, n_clusters=n_clusters, conf_level=conf_level),
        first_stage=_reduced(forms.on_takeup, forms.takeup_covariance, "first stage, OLS, " + label, y, df, conf_level)
        if single
        else None,
        intention_to_treat=_reduced(forms.on_outcome, forms.outcome_covariance, "OLS, " + label, y, df, conf_level)
        if single
        else None,
        first_stage_f=_first_stage_f(forms),
        effective_f=effective,
        effective_f_critical=critical,
        anderson_rubin=anderson_rubin_set(forms, conf_level=conf_level),
        anderson_rubin_p=forms.p_value(0.0),
        takeup_treatment=_arm_mean(d, matrix.values[:, where[0]], high=True) if single else float("nan"),
        takeup_control=_arm_mean(d, matrix.values[:, where[0]], high=False) if single else float("nan"),
    )


def _two_stage(
    y: Array, d: Array, *, matrix: ModelMatrix, where: list[int], codes: IntArray, n_clusters: int, conf_level: float
) -> Estimate:
    # Terms with the same span give the same effect; orthonormal ones lose no digits to a covariate of a large mean. The
    # other sides in units of their own size, so that no square is too large or too small.
    others = orthonormal_basis(np.delete(matrix.values, where, axis=1))
    instruments = matrix.values[:, where]
    size, unit = float(np.abs(y).max()), float(np.abs(d).max())
    try:
        fit = IV2SLS(
            pd.Series(y / size, name="outcome"),
            pd.DataFrame(others).add_prefix("term"),
            pd.DataFrame({_TAKEUP: d / unit}),
            pd.DataFrame(instruments / np.abs(instruments).max(axis=0)).add_prefix("instrument"),
        ).fit(cov_type="clustered", clusters=codes, debiased=True)
    except ValueError as error:  # linearmodels says so when the regressors do not have full rank
        raise CollinearTerms(f"two-stage least squares: {error}") from error
    rest = np.asarray(fit.resids, dtype=np.float64)
    if float(rest @ rest) <= PERFECT * float(y @ y) / size**2:
        raise EstimationError("take-up and the terms explain the outcome exactly: no variance is left to estimate")
    return Estimate(
        estimate=float(fit.params[_TAKEUP]) * size / unit,
        std_error=float(fit.std_errors[_TAKEUP]) * size / unit,
        df=n_clusters - 1,
        n=len(y),
        n_clusters=n_clusters,
        method=f"two-stage least squares, CR1 by cluster, t({n_clusters - 1})",
        conf_level=conf_level,
    )


def _reduced_forms(
    y: Array, d: Array, *, matrix: ModelMatrix, where: list[int], codes: IntArray, n_clusters: int
) -> tuple[ReducedForms, Array]:
    """Both regressions on the whole matrix, their joint CR1 covariance, and Z'Z net of the other terms."""
    n, k = matrix.values.shape
    if n <= k:
        raise EstimationError(f"{n} observations and {k} terms leave no residual to estimate a variance from")
    fits = [ols(outcome=side, matrix=matrix) for side in (y, d)]
    if _exact(fits[0]):
        raise EstimationError("the terms explain the outcome exactly: no variance is left to estimate")
    half = [
        np.zeros((n_clusters, len(where)))
        if _exact(fit)
        else (cluster_sums(matrix.values, codes, n_clusters, fit.residuals) @ fit.gram_inverse)[:, where]
        for fit in fits
    ]
    factor = n_clusters / (n_clusters - 1) * (n - 1) / (n - k)
    forms = ReducedForms(
        on_outcome=fits[0].coefficients[where],
        on_takeup=fits[1].coefficients[where],
        outcome_covariance=factor * half[0].T @ half[0],
        takeup_covariance=factor * half[1].T @ half[1],
        cross=factor * half[0].T @ half[1],
        df=n_clusters - 1,
    )
    gram: Array = np.asarray(np.linalg.inv(fits[0].gram_inverse[np.ix_(where, where)]), dtype=np.float64)
    return forms, gram


def _exact(fit: LinearFit) -> bool:
    """Are the residuals rounding errors of the outcome, some 16 digits below it?"""
    return float(fit.residuals @ fit.residuals) <= PERFECT * float(fit.outcome @ fit.outcome)


def _first_stage_f(forms: ReducedForms) -> float:
    if not forms.takeup_covariance.any():
        return math.inf
    try:
        wald = float(forms.on_takeup @ np.linalg.solve(forms.takeup_covariance, forms.on_takeup))
    except np.linalg.LinAlgError as error:
        raise EstimationError("the clustered covariance of the first stage is singular") from error
    return wald / len(forms.on_takeup)


def _effective_f(
    forms: ReducedForms, gram: Array, *, tolerance: float = 0.1, level: float = 0.05
) -> tuple[float, float]:
    """Montiel Olea and Pflueger's F = p'Qp / tr(S Q) and its simplified critical value.

    p (q,) first-stage coefficients, S (q, q) their covariance, Q (q, q) the instruments' cross product
    net of the other terms. The critical value is that of a noncentral chi-squared over its degrees
    of freedom K = tr(W)^2 (1 + 2x) / (tr(W'W) + 2x tr(W) max eigenvalue), W = Q^1/2 S Q^1/2, x = 1 /
    `tolerance`: 23.1 with one instrument.
    """
    p, s = forms.on_takeup, forms.takeup_covariance
    effective = float(p @ gram @ p) / float(np.trace(s @ gram)) if s.any() else math.inf
    if not s.any():  # no error in the first stage: the critical value of independent errors, as good as any
        s = np.asarray(np.linalg.inv(gram), dtype=np.float64)
    root = np.linalg.cholesky(gram)
    w = root.T @ s @ root
    x = 1 / tolerance
    w = w / np.trace(w)  # K knows no units
    k = (1 + 2 * x) / (float((w * w).sum()) + 2 * x * float(np.linalg.eigvalsh(w)[-1]))
    return effective, float(stats.ncx2.ppf(1 - level, k, k * x)) / k


def _reduced(coefficients: Array, covariance: Array, method: str, y: Array, df: int, conf_level: float) -> Estimate:
    return Estimate(
        estimate=float(coefficients[0]),
        std_error=float(np.sqrt(covariance[0, 0])),
        df=df,
        n=len(y),
        n_clusters=df + 1,
        method=method,
        conf_level=conf_level,
    )


def _checked_takeup(takeup: Array, *, rows: int) -> Array:
    d = as_numbers(takeup, name="take-up")
    if d.shape != (rows,):
        raise InvalidInput(f"take-up has shape {d.shape}, the outcome {rows} rows")
    if not np.isfinite(d).all():
        raise InvalidInput(f"take-up is unknown for {int((~np.isfinite(d)).sum())} people")
    if np.ptp(d) == 0:
        raise InvalidInput(f"everyone analysed has take-up {d[0]:g}: nothing to estimate")
    return d


def _arm_mean(d: Array, arm: Array, *, high: bool) -> float:
    return float(d[arm == (arm.max() if high else arm.min())].mean())
