"""Who is in which cluster, sums over clusters, and whether there are enough of them to say anything."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, SingleClusterArm
from hhp_stats.estimate.gram import times
from hhp_stats.estimate.linear import LinearFit
from hhp_stats.estimate.model_matrix import Array, ModelMatrix
from hhp_stats.infer.satterthwaite import IntArray


def cluster_codes(clusters: ArrayLike) -> tuple[IntArray, int]:
    """Which cluster is each person in, numbered 0 to G-1 in order of appearance, and what is G?

    Refuses missing cluster names (InvalidInput) and an empty list (NoObservations).
    """
    values = clusters if isinstance(clusters, pd.Series | pd.Index) else np.asarray(clusters)
    if len(values) == 0:
        raise NoObservations("no observations are left to analyse")
    codes, names = pd.factorize(values)
    if (codes < 0).any():
        raise InvalidInput(f"{int((codes < 0).sum())} people have no cluster")
    return codes.astype(np.intp, copy=False), len(names)


def cluster_name(clusters: ArrayLike) -> str:
    """What to call the clusters in `Estimate.method`: the name of a Series, in words."""
    name = clusters.name if isinstance(clusters, pd.Series | pd.Index) else None
    return str(name).removesuffix("_id").replace("_", " ") if name else "cluster"


def cluster_sums(values: Array, codes: IntArray, n_clusters: int, weights: Array | None = None) -> Array:
    """Sums of the rows of `values` (n, k), times `weights` (n,) if given, within each cluster: (G, k)."""
    rows = len(codes)
    weights = np.ones(rows) if weights is None else weights
    # A matrix with one entry a column needs no sorting, and the product no copy of `values`.
    selector = sparse.csc_matrix((weights, codes, np.arange(rows + 1)), shape=(n_clusters, rows))
    sums: Array = np.asarray(selector @ values)
    return sums


def refuse_thin_arms(*, treatment: Array, clusters: ArrayLike) -> None:
    """Does each arm of a cluster-randomised comparison hold at least two clusters?

    Raises SingleClusterArm naming the arm if not, ConstantTreatment where there is one arm only. A treatment that varies within clusters, or takes
    more than two values, is left alone: its variance does not rest on whole clusters per arm.
    """
    _refuse_thin_arms(np.asarray(treatment, dtype=np.float64), *cluster_codes(clusters))


def _refuse_thin_arms(arm: Array, codes: IntArray, n_clusters: int) -> None:
    treated = _treated_clusters(arm, codes, n_clusters)
    if treated is None:
        return
    for value, count in ((arm.min(), int((~treated).sum())), (arm.max(), int(treated.sum()))):
        if count < 2:
            raise SingleClusterArm(
                f"the arm with treatment = {value:g} holds {count} cluster: the variance between "
                "clusters of that arm is not identified"
            )


def _treated_clusters(arm: Array, codes: IntArray, n_clusters: int) -> npt.NDArray[np.bool_] | None:
    """Which clusters (G,) have the higher of two treatments; None where whole clusters were not treated."""
    low, high = arm.min(), arm.max()
    if low == high:
        raise ConstantTreatment(f"everyone analysed has treatment = {low:g}")
    if not ((arm == low) | (arm == high)).all():
        return None
    size = np.bincount(codes, minlength=n_clusters)
    treated = np.bincount(codes, weights=arm == high, minlength=n_clusters)
    return None if ((treated > 0) & (treated < size)).any() else treated > 0


def refuse_absorbed_arm(fit: LinearFit, codes: IntArray, n_clusters: int) -> None:
    """Do the other terms leave at least two clusters of each arm to compare? A dummy of its own takes one out.

    Raises SingleClusterArm if not. Looks only at a term called `treatment` that whole clusters share.
    """
    if "treatment" not in fit.matrix.names:
        return
    place = fit.matrix.position("treatment")
    # The treatment less its regression on the other terms, up to a factor.
    left = times(fit.matrix.values, fit.gram_inverse[:, place])
    weight = np.abs(np.bincount(codes, weights=left, minlength=n_clusters))
    refuse_arm_told_by_few(arm=fit.matrix.values[:, place], weight=weight, codes=codes)


def refuse_arm_told_by_few(*, arm: Array, weight: Array, codes: IntArray) -> None:
    """`refuse_absorbed_arm` by the size `weight` of each cluster's sum of the treatment less its regression.

    `weight` is (G,), or (G, m) for m data sets, each of which has to pass. Treated as a whole, a cluster tells about the treatment through that sum, which is zero where a combination of
    other terms is one inside the cluster only.
    """
    treated = _treated_clusters(arm, codes, len(weight))
    if treated is None:
        return
    told = weight > 1e-9 * weight.max(axis=0)  # rounding leaves some 1e-14
    for name, clusters in (("control", ~treated), ("treated", treated)):
        count = int(told[clusters].sum(axis=0).min())
        if count < 2:
            raise SingleClusterArm(
                f"beside the other terms, {count} cluster of the {name} arm tells about the treatment: the "
                "variance between clusters of that arm is not identified"
            )


def checked_clusters(*, matrix: ModelMatrix, clusters: ArrayLike) -> tuple[IntArray, int]:
    """The clusters of a model's rows as codes 0..G-1 and G, once they can carry a covariance.

    Refuses a list of another length or with gaps (InvalidInput), one cluster, and an arm of one cluster
    where the model's `treatment` was given to whole clusters (SingleClusterArm).
    """
    codes, n_clusters = cluster_codes(clusters)
    if len(codes) != len(matrix.values):
        raise InvalidInput(f"{len(codes)} cluster names for {len(matrix.values)} people")
    if n_clusters < 2:
        raise SingleClusterArm("everyone analysed is in one cluster: no variance between clusters")
    if "treatment" in matrix.names:
        _refuse_thin_arms(matrix.values[:, matrix.position("treatment")], codes, n_clusters)
    return codes, n_clusters
