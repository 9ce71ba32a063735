"""Who is in which cluster, sums over clusters, and whether there are enough of them to say anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, SingleClusterArm
from hhp_stats.regression.gram import cross, gram_matrix, times
from hhp_stats.regression.inputs import same_people, truths
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers
from hhp_stats.regression.satterthwaite import IntArray
from hhp_stats.typed import typed


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
    try:
        codes, names = pd.factorize(values)
    except TypeError as problem:
        raise InvalidInput(f"clusters must be labels such as names or numbers: {problem}") from problem
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
    if np.isnan(arm[kept]).any():
        raise InvalidInput(f"{name} is missing for {int(np.isnan(arm[kept]).sum())} of those analysed")
    _refuse_thin(arm, codes, n_clusters, kept=kept, told=told, name=name, unit=unit)


def _kept(analysed: ArrayLike | None, people: int) -> npt.NDArray[np.bool_]:
    kept = np.ones(people, dtype=np.bool_) if analysed is None else truths(analysed, name="analysed")
    if kept.shape != (people,):
        raise InvalidInput(f"analysed has {kept.size} values for {people} people")
    if not kept.any():
        raise NoObservations("no observations are left to analyse")
    return kept


def _refuse_thin(
    arm: Array,
    codes: IntArray,
    n_clusters: int,
    *,
    kept: npt.NDArray[np.bool_],
    told: Array | None,
    name: str,
    unit: str,
) -> None:
    low, high = arm[kept].min(), arm[kept].max()
    if low == high:
        raise ConstantTreatment(f"everyone analysed has {name} = {low:g}")
    if not ((arm == low) | (arm == high))[kept].all():
        return
    for words, value in (("control", low), ("treated", high)):
        here = kept & (arm == value)
        count = int(np.count_nonzero(np.bincount(codes[here], minlength=n_clusters)))
        if told is not None and np.abs(told[here]).max() <= 1e-9 * np.abs(told[kept]).max():
            continue  # the other terms hold this arm's own mean: the coefficient is no contrast with it
        if count >= 2 and told is not None:
            sums = np.abs(cluster_sums(told[here].reshape(int(here.sum()), -1), codes[here], n_clusters))
            # Rounding leaves some 1e-14 of a sum that is zero; what tells least tells far more.
            count = int((sums > 1e-9 * sums.max(axis=0)).sum(axis=0).min())
            if count < 2:
                raise SingleClusterArm(
                    f"beside the other terms, {count} {unit} of the {words} arm ({name} = {value:g}) tells about it:"
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
) -> None:
    """`refuse_thin_arms` for columns of a model, by place: what each tells beside all other columns.

    Columns that take other than two values, as the intercept and numbers do, have no arms and pass.
    """
    kept = _kept(analysed, len(matrix.values))
    n_clusters = int(codes.max()) + 1
    for place in terms:
        column = matrix.values[:, place]
        low, high = column.min(), column.max()
        if low == high or not ((column == low) | (column == high)).all():
            continue
        told, name = _told(matrix.values, place), matrix.names[place]
        _refuse_thin(column, codes, n_clusters, kept=kept, told=told, name=name, unit=unit)


def _told(values: Array, place: int) -> Array:
    """A column of a model less its least-squares regression on the others (n,): what it tells beside them.

    By the normal equations of columns of unit length, and once more on what is left, which takes the rounding of the
    first time away. Where others all but determine each other the singular values decide, which take many times as
    long.
    """
    others = np.arange(values.shape[1]) != place
    gram = gram_matrix(values)
    length = np.sqrt(np.diag(gram)[others])
    if not length.all():
        return _told_by_singular_values(values, place)
    inner = gram[np.ix_(others, others)] / np.outer(length, length)
    try:
        factor = np.linalg.cholesky(inner)
    except np.linalg.LinAlgError:
        return _told_by_singular_values(values, place)
    # A pivot is the share of a column that is new: of the square of less no digits are left.
    if not np.diag(factor).min(initial=1.0) > 1e-5:
        return _told_by_singular_values(values, place)
    told, right = values[:, place].copy(), gram[others, place]
    for _ in range(2):
        coefficients = np.zeros(values.shape[1])
        coefficients[others] = np.linalg.solve(inner, right / length) / length
        told -= times(values, coefficients)
        right = cross(values, told)[others]
    return told


def _told_by_singular_values(values: Array, place: int) -> Array:
    others, column = np.delete(values, place, axis=1), values[:, place]
    return np.asarray(column - others @ np.linalg.lstsq(others, column, rcond=None)[0])


def checked_clusters(*, matrix: ModelMatrix, clusters: ArrayLike) -> tuple[IntArray, int]:
    """The clusters of a model's rows as codes 0..G-1 and G, once they can carry a covariance.

    Refuses a list of another length, with gaps or with the index of other people (InvalidInput), one cluster, and an
    arm of one cluster where the model has a term called `treatment` (SingleClusterArm). Where an effect is taken from
    the covariance, its own term is looked at again (`refuse_untold_terms`), whatever it is called.
    """
    same_people(the_model_matrix=matrix, the_clusters=clusters)
    codes, n_clusters = cluster_codes(clusters)
    if len(codes) != len(matrix.values):
        raise InvalidInput(f"{len(codes)} cluster names for {len(matrix.values)} people")
    if n_clusters < 2:
        raise SingleClusterArm("everyone analysed is in one cluster: no variance between clusters")
    if "treatment" in matrix.names:
        refuse_thin_arms(treatment=matrix.values[:, matrix.position("treatment")], clusters=codes)
    return codes, n_clusters
