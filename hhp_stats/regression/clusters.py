"""Who is in which cluster, sums over clusters, and whether there are enough of them to say anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from hhp_stats.calls.typed import typed
from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, SingleClusterArm
from hhp_stats.regression.gram import NEW, cross, times, triangular_factor, upper_inverse
from hhp_stats.regression.inputs import same_people, truths
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers
from hhp_stats.regression.satterthwaite import IntArray


@typed
def cluster_codes(clusters: ArrayLike) -> tuple[IntArray, int]:
    """Which cluster is each person in, numbered 0 to G-1 in order of appearance, and what is G?

    Refuses missing cluster names (InvalidInput) and an empty list (NoObservations).
    """
    values = clusters if isinstance(clusters, pd.Series | pd.Index) else np.asarray(clusters)
    if values.ndim != 1:
        raise InvalidInput(f"clusters must be one label a person, not of shape {values.shape}")
    if len(values) == 0:
        raise NoObservations("no observations are left to analyse")
    if isinstance(values.dtype, np.dtype):
        values = np.asarray(values)  # as an array: the names found need no index
    try:
        codes, names = pd.factorize(values)
    except TypeError as problem:
        raise InvalidInput(f"clusters must be labels such as names or numbers: {problem}") from problem
    if codes.min() < 0:
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


@typed
def refuse_thin_arms(
    *,
    treatment: ArrayLike,
    clusters: ArrayLike,
    analysed: ArrayLike | None = None,
    told: Array | None = None,
    name: str = "treatment",
    unit: str = "cluster",
) -> None:
    """Do at least two clusters tell about each arm? The one guard of every estimator and every variance.

    An arm's variance between clusters is not identified from one cluster: its residuals sum to zero there, and a
    sandwich takes the arm to be known exactly. A cluster tells about an arm where it holds `analysed` people of it; and
    where `told` is given, where their sum of it is not zero. `told` is the treatment less its regression on the other
    terms of the model, (n,) or (n, m) for m data sets, each of which has to pass: that sum is zero where a combination
    of other terms, such as a dummy, is one for those people only. Where it is zero for every person of an arm, the
    coefficient is not compared with that arm (means of cells, without an intercept), and the arm need not be told.

    Shapes: treatment (n,) the values of the assignment, whatever the column is called; clusters (n,) labels; analysed
    (n,) booleans, by default everybody. A treatment of more than two values is left alone: it is a dose, and a line
    through it rests on no single arm.
    Refuses: such an arm (SingleClusterArm, naming it), one arm only (ConstantTreatment), nobody analysed
    (NoObservations), lists of unequal length or unequal index and missing values (InvalidInput).
    Source: Cameron and Miller (2015), Journal of Human Resources 50, 317-372, section VI.
    """
    same_people(**{name: treatment, "the_clusters": clusters, "analysed": analysed})
    arm = as_numbers(treatment, name=name)
    codes, n_clusters = cluster_codes(clusters)
    if arm.shape != codes.shape:
        raise InvalidInput(f"{len(codes)} cluster names for {arm.size} people")
    kept = _kept(analysed, len(arm))
    if kept is not None:
        arm, codes, told = arm[kept], codes[kept], None if told is None else told[kept]
    if np.isnan(arm).any():
        raise InvalidInput(f"{name} is missing for {int(np.isnan(arm).sum())} of those analysed")
    _refuse_thin(arm, codes, n_clusters, told=told, name=name, unit=unit)


def _kept(analysed: ArrayLike | None, people: int) -> npt.NDArray[np.bool_] | None:
    """Who is analysed (n,), None for everybody."""
    if analysed is None:
        return None
    kept = truths(analysed, name="analysed")
    if kept.shape != (people,):
        raise InvalidInput(f"analysed has {kept.size} values for {people} people")
    if not kept.any():
        raise NoObservations("no observations are left to analyse")
    return kept


def _refuse_thin(arm: Array, codes: IntArray, n_clusters: int, *, told: Array | None, name: str, unit: str) -> None:
    """`refuse_thin_arms` of those analysed, their clusters given by number."""
    low, high = arm.min(), arm.max()
    if low == high:
        raise ConstantTreatment(f"everyone analysed has {name} = {low:g}")
    treated = arm == high
    if not (treated | (arm == low)).all():
        return
    # Each cluster's part of each arm: its control people first, then its treated.
    part = 2 * codes + treated
    clusters = np.count_nonzero(np.bincount(part, minlength=2 * n_clusters).reshape(-1, 2), axis=0)
    if told is not None:
        columns = told.reshape(len(arm), -1).T
        sums = np.abs([np.bincount(part, weights=column, minlength=2 * n_clusters) for column in columns]).reshape(
            len(columns), -1, 2
        )
        size = np.abs(columns).max(axis=0)
        most = size.max(where=~treated, initial=0.0), size.max(where=treated, initial=0.0)
    for place, (words, value) in enumerate((("control", low), ("treated", high))):
        count = int(clusters[place])
        if told is not None:
            if most[place] <= 1e-9 * max(most):
                continue  # the other terms hold this arm's own mean: the coefficient is no contrast with it
            # Rounding leaves some 1e-14 of a sum that is zero; what tells least tells far more.
            of_arm = sums[:, :, place]
            tell = int((of_arm > 1e-9 * of_arm.max(axis=1, keepdims=True)).sum(axis=1).min())
            if tell < 2 <= count:
                raise SingleClusterArm(
                    f"beside the other terms, {tell} {unit} of the {words} arm ({name} = {value:g}) tells about it:"
                    f" the variance between {unit}s of that arm is not identified; leave out terms, or randomise more"
                    f" {unit}s"
                )
        if count < 2:
            raise SingleClusterArm(
                f"the {words} arm with {name} = {value:g} holds {count} {unit}: the variance between {unit}s of that"
                f" arm is not identified; give the unit that was randomised, or randomise more {unit}s"
            )


@typed
def refuse_untold_terms(
    matrix: ModelMatrix,
    *,
    terms: Sequence[int],
    codes: IntArray,
    unit: str = "cluster",
    analysed: ArrayLike | None = None,
    inverse_factor: Array | None = None,
) -> None:
    """`refuse_thin_arms` for columns of a model, by place: what each tells beside all other columns.

    `inverse_factor` is W of a fit of the matrix X (k, k), with which the columns of XW are orthonormal; without it, it
    is found here. Columns that take other than two values, as the intercept and numbers do, have no arms and pass.
    """
    kept = _kept(analysed, len(matrix.values))
    n_clusters = int(codes.max()) + 1
    for place in terms:
        arm = matrix.values[:, place]
        low, high = arm.min(), arm.max()
        if low == high or not ((arm == low) | (arm == high)).all():
            continue
        told, name = _told(matrix.values, place, inverse_factor), matrix.names[place]
        if kept is None:
            _refuse_thin(arm, codes, n_clusters, told=told, name=name, unit=unit)
        else:
            _refuse_thin(arm[kept], codes[kept], n_clusters, told=told[kept], name=name, unit=unit)


def _told(values: Array, place: int, inverse_factor: Array | None = None) -> Array:
    """A column of a model less its least-squares regression on the others (n,): what it tells beside them.

    That is X g / g_j with g the column j of (X'X)^-1 = WW', less what rounding leaves of it in the span of X. Where
    columns all but determine each other the singular values decide, which take many times as long.
    """
    factor = _inverse_factor(values) if inverse_factor is None else inverse_factor
    if factor is None:
        return _told_by_singular_values(values, place)
    inverse = factor @ factor[place]
    told = times(values, inverse / inverse[place])
    inner = cross(values, told)
    inner[place] -= 1 / inverse[place]
    rounding = factor.T @ inner  # along the orthonormal columns of XW; the column itself has length g_j^-1/2
    if np.abs(rounding).max() > 1e-12 / np.sqrt(inverse[place]):
        told -= times(values, factor @ rounding)
    return told


def _inverse_factor(values: Array) -> Array | None:
    """W (k, k) with orthonormal XW; None where columns all but determine each other."""
    if len(values) < values.shape[1] or not values.any(axis=0).all():
        return None
    factor = triangular_factor(values)
    if not (np.abs(np.diag(factor)) / np.linalg.norm(factor, axis=0)).min() > NEW:
        return None
    return upper_inverse(factor)


def _told_by_singular_values(values: Array, place: int) -> Array:
    others, column = np.delete(values, place, axis=1), values[:, place]
    return np.asarray(column - others @ np.linalg.lstsq(others, column, rcond=None)[0])


def checked_clusters(
    *, matrix: ModelMatrix, clusters: ArrayLike, inverse_factor: Array | None = None
) -> tuple[IntArray, int]:
    """The clusters of a model's rows as codes 0..G-1 and G, once they can carry a covariance.

    Refuses a list of another length, with gaps or with the index of other people (InvalidInput), one cluster, and an
    arm of one cluster where the model has a term called `treatment` (SingleClusterArm); with the `inverse_factor` of a
    fit (`refuse_untold_terms`) also one about which the other terms leave one cluster to tell. Where an effect is
    taken from the covariance, its own term is looked at again, whatever it is called.
    """
    same_people(the_model_matrix=matrix, the_clusters=clusters)
    codes, n_clusters = cluster_codes(clusters)
    if len(codes) != len(matrix.values):
        raise InvalidInput(f"{len(codes)} cluster names for {len(matrix.values)} people")
    if n_clusters < 2:
        raise SingleClusterArm("everyone analysed is in one cluster: no variance between clusters")
    if "treatment" in matrix.names:
        place = matrix.position("treatment")
        told = None if inverse_factor is None else _told(matrix.values, place, inverse_factor)
        _refuse_thin(matrix.values[:, place], codes, n_clusters, told=told, name="treatment", unit="cluster")
    return codes, n_clusters
