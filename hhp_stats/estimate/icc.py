"""How alike are people of one team? The intracluster correlation with its interval. (CONSORT for cluster trials.)"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, stats

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, NoObservations, SingleClusterArm, UnknownName
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.model_matrix import Array, as_numbers, refuse_unsquarable
from hhp_stats.regression.satterthwaite import IntArray
from hhp_stats.results.frame import checked_level

AnovaInterval = Literal["searle", "swiger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntraclusterCorrelation:
    """Share of the variance that lies between clusters, with what it is made of.

    The ANOVA estimate may be negative (clusters less alike than chance) and is not cut at zero.
    """

    estimate: float
    conf_low: float
    conf_high: float
    conf_level: float
    between_variance: float  # in squared units of the outcome
    within_variance: float
    n: int
    n_clusters: int
    cluster_size: float  # n0, the average size that unequal clusters stand for
    method: str


@typed
def average_cluster_size(codes: ArrayLike, *, arms: ArrayLike | None = None) -> float:
    """Which common size of clusters gives the same expected mean square as the unequal sizes at hand?

    n0 = (N - sum over arms of (sum of squared sizes / people in arm)) / (clusters - arms). Equal sizes give
    that size.
    """
    frame = _frame(codes, arms)
    return _average_size(*_coded(frame))


@typed
def icc_anova(
    *,
    outcome: Array,
    clusters: ArrayLike,
    treatment: ArrayLike | None = None,
    interval: AnovaInterval = "searle",
    conf_level: float = 0.95,
) -> IntraclusterCorrelation:
    """How alike are people of one cluster, by analysis of variance?

    (MSB - MSW) / (MSB + (n0 - 1) MSW): mean squares between and within clusters, n0 as in
    `average_cluster_size`. With `treatment` given, clusters are compared within their own arm, so that
    the effect does not count as likeness (k - arms degrees of freedom). For a 0/1 outcome this is the ANOVA
    estimator on the proportions scale.

    Interval: "searle" inverts F = MSB/MSW; exact for normal outcomes and equal sizes, with n0 in place of the
    size otherwise; "swiger" is estimate +- z * sqrt(2(N-1)(1-r)^2 (1+(n0-1)r)^2 / (n0^2 (N-k)(k-1))), which
    also serves 0/1 outcomes.

    outcome (n,), clusters (n,). Refuses missing values and an outcome that does not vary (InvalidInput), no
    observations (NoObservations), fewer than two clusters (SingleClusterArm), and clusters of one person only
    (InvalidInput: nothing varies within). Source: Donner and Klar (2000), Design and Analysis of Cluster
    Randomization Trials, ch. 1; Searle (1971), Biometrics 27, 1-76; Swiger, Harvey, Everson and Gregory
    (1964), Biometrics 20, 818-826; Ridout, Demetrio and Firth (1999), Biometrics 55, 137-148, for 0/1 outcomes.
    """
    if interval not in ("searle", "swiger"):
        raise UnknownName(f"no interval {interval!r}; there are searle, swiger")
    checked_level(conf_level)
    y, frame = _checked(outcome, clusters, treatment)
    y = y - y.mean()  # sums of squares of a small spread around a large mean lose its digits
    cell, cell_arm = _coded(frame)
    sizes = np.bincount(cell).astype(np.float64)
    n, k, arms = len(y), len(sizes), int(cell_arm.max()) + 1
    means = np.bincount(cell, weights=y) / sizes
    arm_means = np.bincount(cell_arm, weights=sizes * means) / np.bincount(cell_arm, weights=sizes)
    df_between, df_within = k - arms, n - k
    if df_between < 1:
        raise SingleClusterArm("each arm holds a single cluster: nothing varies between clusters")
    if df_within < 1:
        raise InvalidInput("every cluster has one person: nothing varies within clusters")
    msb = float((sizes * (means - arm_means[cell_arm]) ** 2).sum()) / df_between
    msw = float(((y - means[cell]) ** 2).sum()) / df_within
    if not msb + msw > 0:
        raise InvalidInput("the outcome does not vary")
    size = _average_size(cell, cell_arm)
    estimate = (msb - msw) / (msb + (size - 1) * msw)
    tail = (1 - conf_level) / 2
    if interval == "searle":
        if msw == 0:
            low = high = 1.0
        else:
            ratio = msb / msw
            upper = ratio / float(stats.f.ppf(tail, df_between, df_within))
            lower = ratio / float(stats.f.ppf(1 - tail, df_between, df_within))
            low, high = ((f - 1) / (f + size - 1) for f in (lower, upper))
    else:
        spread = 2 * (n - 1) * (1 - estimate) ** 2 * (1 + (size - 1) * estimate) ** 2
        std_error = math.sqrt(spread / (size**2 * df_within * df_between))
        reach = float(stats.norm.ppf(1 - tail)) * std_error
        low, high = estimate - reach, min(estimate + reach, 1.0)
    return IntraclusterCorrelation(
        estimate=estimate,
        conf_low=low,
        conf_high=high,
        conf_level=conf_level,
        between_variance=(msb - msw) / size,
        within_variance=msw,
        n=n,
        n_clusters=k,
        cluster_size=size,
        method=f"one-way ANOVA{' within arms' if arms > 1 else ''}, {interval.title()} interval",
    )


@typed
def icc_reml(
    *,
    outcome: Array,
    clusters: ArrayLike,
    treatment: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> IntraclusterCorrelation:
    """How alike are people of one cluster, by restricted maximum likelihood?

    Between variance / (between + within variance) of a model with a normal random intercept a cluster and
    the arm as a fixed effect if `treatment` is given, zero where clusters are no more alike than chance.
    The fixed effects and the scale have closed forms given the correlation r, so the likelihood is
    maximised over r alone: the same maximum as statsmodels' MixedLM and lme4, to more digits than the
    former's optimiser gives. Interval: all r in [0, 1) whose profiled restricted log-likelihood is
    within half a chi-squared(1) quantile of the maximum. An outcome that varies between clusters only
    has the correlation one, as in `icc_anova`.

    Assumes normal intercepts and errors of equal variance. Refuses what `icc_anova` refuses.
    Source: Patterson and Thompson (1971), Biometrika 58, 545-554.
    """
    checked_level(conf_level)
    y, frame = _checked(outcome, clusters, treatment)
    arms = pd.get_dummies(frame["arm"], drop_first=True, dtype="float64").to_numpy()
    x = np.column_stack([np.ones(len(y)), arms])
    codes = pd.factorize(frame["cluster"])[0]
    k = int(codes.max()) + 1
    if k - x.shape[1] < 1:
        raise SingleClusterArm("each arm holds a single cluster: nothing varies between clusters")
    if len(y) - k < 1:
        raise InvalidInput("every cluster has one person: nothing varies within clusters")
    size = average_cluster_size(codes, arms=frame["arm"])
    # Centring within arms leaves the restricted likelihood alone and keeps its sums of squares exact.
    centred = y - (np.bincount(frame["arm_code"], y) / np.bincount(frame["arm_code"]))[frame["arm_code"]]
    if _exact_within(centred, codes):
        return IntraclusterCorrelation(
            estimate=1.0,
            conf_low=1.0,
            conf_high=1.0,
            conf_level=conf_level,
            between_variance=float(centred @ centred) / size / (k - x.shape[1]),
            within_variance=0.0,
            n=len(y),
            n_clusters=k,
            cluster_size=size,
            method="restricted maximum likelihood; nothing varies within clusters",
        )
    scale = float(centred.std())
    profile = _RestrictedProfile(centred / scale, x, codes)
    top = 1 - 1e-6
    best = profile.maximum(top)
    between, within = (variance * scale**2 for variance in profile.variances(best))
    limit = profile.log_likelihood(best) - float(stats.chi2.ppf(conf_level, 1)) / 2

    def above(r: float) -> float:
        return profile.log_likelihood(r) - limit

    low = 0.0 if best == 0.0 or above(0.0) >= 0 else float(optimize.brentq(above, 0.0, best, xtol=1e-12))
    high = 1.0 if above(top) >= 0 else float(optimize.brentq(above, best, top, xtol=1e-12))
    return IntraclusterCorrelation(
        estimate=best,
        conf_low=low,
        conf_high=high,
        conf_level=conf_level,
        between_variance=between,
        within_variance=within,
        n=len(y),
        n_clusters=k,
        cluster_size=size,
        method="restricted maximum likelihood, profile interval" + ("; estimate on the boundary" if best == 0 else ""),
    )


class _RestrictedProfile:
    """Restricted log-likelihood of a random-intercept model as a function of the ICC r alone.

    V = s2 ((1-r) I + r J) within a cluster, so V^-1 and det V have closed forms; the fixed effects and
    s2 are maximised out. y (n,), x (n, p), codes (n,).
    """

    def __init__(self, y: Array, x: Array, codes: np.ndarray) -> None:
        self._n, self._p = x.shape
        labels, inverse = np.unique(codes, return_inverse=True)
        self._sizes = np.bincount(inverse, minlength=len(labels)).astype(np.float64)
        full = np.column_stack([x, y])
        self._square = full.T @ full
        self._sums = np.column_stack([np.bincount(inverse, weights=column) for column in full.T])

    def _terms(self, r: float) -> tuple[float, float, Array]:
        p = self._p
        weight = r / (1 + (self._sizes - 1) * r)
        cross = (self._square - self._sums.T @ (weight[:, None] * self._sums)) / (1 - r)
        xx, xy, yy = cross[:p, :p], cross[:p, p], float(cross[p, p])
        residual = yy - float(xy @ np.linalg.solve(xx, xy))
        log_det = float(np.sum((self._sizes - 1) * math.log(1 - r) + np.log(1 + (self._sizes - 1) * r)))
        return residual, log_det, xx

    def log_likelihood(self, r: float) -> float:
        residual, log_det, xx = self._terms(r)
        df = self._n - self._p
        return float(-0.5 * (df * math.log(residual / df) + log_det + np.linalg.slogdet(xx)[1]))

    def slope(self, r: float) -> float:
        """Derivative of the log-likelihood by r."""
        p = self._p
        scale = 1 + (self._sizes - 1) * r
        weight, weight_slope = r / scale, 1 / scale**2
        left = 1 - r
        cross = (self._square - self._sums.T @ (weight[:, None] * self._sums)) / left
        change = (cross - self._sums.T @ (weight_slope[:, None] * self._sums)) / left
        turn = np.append(-np.linalg.solve(cross[:p, :p], cross[:p, p]), 1.0)
        determinant = ((self._sizes - 1) * (1 / scale - 1 / left)).sum()
        inside = np.trace(np.linalg.solve(cross[:p, :p], change[:p, :p]))
        ratio = float(turn @ change @ turn) / float(turn @ cross @ turn)
        return float(-0.5 * ((self._n - p) * ratio + determinant + inside))

    def maximum(self, top: float) -> float:
        """The most likely r in [0, top]: a coarse grid, so that no second hill is missed, then where the slope is
        nil.
        """
        grid = np.linspace(0.0, top, 101)
        at = int(np.argmax([self.log_likelihood(float(r)) for r in grid]))
        bounds = (float(grid[max(at - 1, 0)]), float(grid[min(at + 1, 100)]))
        found = optimize.minimize_scalar(
            lambda r: -self.log_likelihood(r), bounds=bounds, method="bounded", options={"xatol": 1e-12}
        )
        if self.log_likelihood(0.0) >= -float(found.fun):
            return 0.0
        # Values alone place a maximum to half the digits of a double; a sign change of the slope to all of them.
        if self.slope(bounds[0]) > 0 > self.slope(bounds[1]):
            return float(optimize.brentq(self.slope, *bounds, xtol=1e-15, rtol=1e-14))
        return float(found.x)

    def variances(self, r: float) -> tuple[float, float]:
        total = self._terms(r)[0] / (self._n - self._p)
        return r * total, (1 - r) * total


def _coded(frame: pd.DataFrame) -> tuple[IntArray, IntArray]:
    """Number of each person's cluster within arm (n,), and of each such cluster's arm (k,)."""
    arm = pd.factorize(frame["arm"])[0]
    cluster = pd.factorize(frame["cluster"])[0]
    cell, first = pd.factorize(arm * (int(cluster.max(initial=0)) + 1) + cluster)
    return cell, (np.asarray(first) // (int(cluster.max(initial=0)) + 1)).astype(np.intp)


def _average_size(cell: IntArray, cell_arm: IntArray) -> float:
    sizes = np.bincount(cell).astype(np.float64)
    per_arm = np.bincount(cell_arm, weights=sizes**2) / np.bincount(cell_arm, weights=sizes)
    spare = len(sizes) - len(per_arm)
    if spare < 1:
        raise SingleClusterArm("each arm holds a single cluster: nothing varies between clusters")
    return float((len(cell) - per_arm.sum()) / spare)


def _exact_within(y: Array, codes: IntArray) -> bool:
    """Is everybody equal to the mean of their group, up to rounding?"""
    means = np.bincount(codes, y) / np.bincount(codes)
    return float(np.abs(y - means[codes]).max()) <= 1e-12 * float(np.abs(y).max())


def _frame(codes: ArrayLike, arms: ArrayLike | None) -> pd.DataFrame:
    cluster = np.asarray(codes)
    arm = np.zeros(len(cluster)) if arms is None else np.asarray(arms)
    if cluster.ndim != 1 or arm.ndim != 1:
        raise InvalidInput(
            f"clusters and arms must be one label a person, not of shapes {cluster.shape} and {arm.shape}"
        )
    if len(arm) != len(cluster):
        raise InvalidInput(f"{len(cluster)} clusters and {len(arm)} arms: one each a person is needed")
    if pd.isna(cluster).any() or pd.isna(arm).any():
        raise InvalidInput("clusters and arms must be known")
    return pd.DataFrame({"cluster": cluster, "arm": arm, "arm_code": pd.factorize(arm)[0]})


def _checked(outcome: Array, clusters: ArrayLike, treatment: ArrayLike | None) -> tuple[Array, pd.DataFrame]:
    same_people(outcome=outcome, the_clusters=clusters, treatment=treatment)
    y = as_numbers(outcome, name="outcomes")
    frame = _frame(clusters, treatment)
    if len(y) == 0:
        raise NoObservations("no observations are left to analyse")
    if y.shape != (len(frame),):
        raise InvalidInput(f"outcome {y.shape} and {len(frame)} clusters: one each a person is needed")
    if not np.isfinite(y).all() or frame.isna().any(axis=None):
        raise InvalidInput("outcomes, clusters and arms must be known")
    refuse_unsquarable(y, name="the outcome")
    if _exact_within(y, frame["arm_code"].to_numpy()):
        raise InvalidInput("the outcome does not vary" + (" within the arms" if treatment is not None else ""))
    if frame.drop_duplicates()["cluster"].duplicated().any():
        raise InvalidInput("a cluster is in more than one arm")
    return y, frame
