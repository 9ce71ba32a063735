"""One regression in many completed data sets: the clustered treatment effect in all of them at once.

Notation: n people, m data sets, t (n,) the treatment, Z (n, k_z) the other terms that all sets share, W (n, k_w)
those that differ from set to set. Arrays over people and sets are (n, m).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.errors import CollinearTerms, EstimationError, InvalidInput
from hhp_stats.regression.cluster_robust import in_words, one_way_factor, residual_df
from hhp_stats.regression.clusters import checked_clusters, cluster_name, cluster_sums, refuse_thin_arms
from hhp_stats.regression.gram import NEW, cross, identified_factor, times, upper_inverse
from hhp_stats.regression.linear import check_outcome
from hhp_stats.regression.model_matrix import Array, ModelMatrix
from hhp_stats.regression.satterthwaite import IntArray
from hhp_stats.regression.spread import PERFECT
from hhp_stats.results.frame import Estimate

TREATMENT = "treatment"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedRegression:
    """The treatment with all other terms swept out, in each of m sets; see `repeated_regression`.

    `common` (n, k_z) is an orthonormal basis of Z, `own` holds k_w arrays (n, m) that complete it in each set.
    `rest` (n, m) is t less its regression on both, `length` (m,) the sum of its squares.
    """

    matrix: ModelMatrix
    common: Array = field(repr=False)
    own: tuple[Array, ...] = field(repr=False)
    rest: Array = field(repr=False)
    length: Array
    codes: IntArray = field(repr=False)
    n_clusters: int
    cluster_name: str
    conf_level: float

    def effects(self, outcomes: Array) -> list[Estimate]:
        """The coefficient of the treatment in each set, for `outcomes` (n, m): CR1 by cluster, t with G - 1.

        Refuses outcomes of another shape, missing or infinite (InvalidInput, NoObservations), and a variance that
        is not positive (EstimationError).
        """
        if outcomes.shape != self.rest.shape:
            raise InvalidInput(f"the outcomes have shape {outcomes.shape}, the people and data sets {self.rest.shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            usable = np.isfinite((outcomes**2).sum(axis=0))
        for number in np.flatnonzero(~usable):
            check_outcome(outcomes[:, number], self.matrix)
        swept = _swept(outcomes, self.common, self.own)
        found = (self.rest * swept).sum(axis=0) / self.length
        scores = self.rest * (swept - found * self.rest) / self.length
        variances = (cluster_sums(scores, self.codes, self.n_clusters) ** 2).sum(axis=0)
        variances *= one_way_factor(self.matrix, self.n_clusters)
        largest = np.abs(outcomes).max(axis=0) ** 2 / self.length
        if not (variances > PERFECT * largest).all():
            raise EstimationError(_no_variance(outcomes, variances))
        return [
            Estimate(
                estimate=float(estimate),
                std_error=math.sqrt(variance),
                df=self.n_clusters - 1.0,
                n=len(self.rest),
                n_clusters=self.n_clusters,
                conf_level=self.conf_level,
                method=in_words("CR1", self.cluster_name, "clusters"),
            )
            for estimate, variance in zip(found, variances, strict=True)
        ]


@typed
def repeated_regression(
    *,
    matrix: ModelMatrix,
    varying: Mapping[str, Array],
    sets: int,
    clusters: ArrayLike,
    conf_level: float = 0.95,
) -> RepeatedRegression:
    """What do the m completed data sets have in common, so that an effect in each of them takes little more work?

    Estimator: by Frisch, Waugh and Lovell the coefficient of t is r'y / r'r with r what is left of t after its
    regression on all other terms, and its CR1 variance is c sum_g (sum over cluster g of r_i e_i)^2 / (r'r)^2, c as in
    `cluster_covariance`. Z is swept out once for all sets, W set by set, each twice, so that what is left is
    orthogonal to rounding. `effects` equals `ols`, `cluster_covariance` and `coefficient` on every set.

    Shapes: matrix (n, k), of any of the sets; `varying` by term (n, m), m = `sets`; clusters (n,).
    Refuses: a matrix without treatment or a varying term (UnknownName); `varying` of another shape, not finite, or
    with the treatment in it (InvalidInput); terms that determine each other in a set (CollinearTerms); what
    `cluster_covariance` refuses.
    Source: Frisch and Waugh (1933), Econometrica 1, 387-401; Lovell (1963), Journal of the American Statistical
    Association 58, 993-1010.
    """
    people = len(matrix.values)
    place = matrix.position(TREATMENT)
    if sets < 1 or TREATMENT in varying:
        raise InvalidInput(f"{TREATMENT} must be the same in all of at least one data set")
    residual_df(matrix)
    for name, values in varying.items():
        matrix.position(name)
        if values.shape != (people, sets) or not np.isfinite(values).all():
            raise InvalidInput(f"{name} needs {people} known values in each of {sets} data sets, not {values.shape}")
    codes, n_clusters = checked_clusters(matrix=matrix, clusters=clusters)
    shared = [at for at, name in enumerate(matrix.names) if at != place and name not in varying]
    names = tuple(matrix.names[at] for at in shared)
    common = matrix.values[:, shared]
    if names:
        common = times(common, upper_inverse(identified_factor(ModelMatrix(values=common, names=names))))
    own: list[Array] = []
    for name, values in varying.items():
        rest = _swept(values, common, own)
        length = np.sqrt((rest**2).sum(axis=0))
        _refuse_determined(name, length, values)
        own.append(rest / length)
    column = matrix.values[:, [place]]
    rest = _swept(np.repeat(_swept(column, common, ()), sets, axis=1), common, own)
    squares = (rest**2).sum(axis=0)
    _refuse_determined(TREATMENT, np.sqrt(squares), column)
    refuse_thin_arms(treatment=column[:, 0], clusters=codes, told=rest)
    return RepeatedRegression(
        matrix=matrix,
        common=common,
        own=tuple(own),
        rest=rest,
        length=squares,
        codes=codes,
        n_clusters=n_clusters,
        cluster_name=cluster_name(clusters),
        conf_level=conf_level,
    )


def _no_variance(outcomes: Array, variances: Array) -> str:
    number = int(variances.argmin())
    if np.ptp(outcomes[:, number]) == 0:
        return f"every outcome of data set {number + 1} is {outcomes[0, number]:g}: there is nothing to compare"
    return f"the CR1 variance of {TREATMENT} is not positive in data set {number + 1}: {variances[number]:g}"


def _refuse_determined(name: str, length: Array, values: Array) -> None:
    if not (length > NEW * np.sqrt((values**2).sum(axis=0))).all():
        raise CollinearTerms(f"determined exactly by the other terms: {name}")


def _swept(values: Array, common: Array, own: Sequence[Array]) -> Array:
    """`values` (n, q) less their regressions on the orthonormal columns of `common` and, set by set, of `own`."""
    rest: Array = values
    for _ in range(2):
        if common.shape[1]:
            rest = rest - times(common, cross(common, rest))
        for direction in own:
            rest = rest - direction * (direction * rest).sum(axis=0)
    return rest
