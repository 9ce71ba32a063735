"""The complete predictors eliminated from cross-products: what is the same in every chain is worked out once.

Z (n, k_z) are the predictors without gaps, W the varying ones, whose gaps each chain fills in its own way, y the
values. Leading axes are those of chains C, nodes of rho L or team sizes S; w counts the columns of [W y], k1 those of
[Z W y]. A symmetric cross-product of [Z W y] is kept as `complete` (k_z, k_z), which is of Z alone, and `varying`
(k1, w), the columns of W and y. With

  complete = L L',   R = L^-1 varying_Z (k_z, w),   rest = varying_Wy - R'R (w, w),   rest = F F',

the lower triangular factor of the whole is [[L, 0], [R', F]]. L depends on no imputed value, so it serves every
chain and iteration, and only the small `rest` is factorised again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hhp_stats.regression.model_matrix import Array

Chains = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elimination:
    """L of complete = L L' as its `inverse` (..., k_z, k_z) and its `pivots` (..., k_z); NaN where there is none."""

    inverse: Array
    pivots: Array

    @property
    def log_determinant(self) -> Array:
        """log |complete| / 2."""
        return np.asarray(np.log(self.pivots).sum(axis=-1))


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossProducts:
    """Cross-products of [Z W y] in every chain: `complete` (C, k_z, k_z), `varying` (C, k1, w).

    `ridged` (C,) says in which chains the diagonal was raised.
    """

    complete: Array
    varying: Array
    ridged: npt.NDArray[np.bool_]

    def of(self, chains: Chains) -> CrossProducts:
        """Those of some chains."""
        if len(chains) == len(self.varying):
            return self
        return CrossProducts(complete=self.complete[chains], varying=self.varying[chains], ridged=self.ridged[chains])


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSums:
    """Sums over teams, put together by observed team size: `sizes`, `counts` (S,).

    With s_g the sums of [Z W y] over team g, `complete` (S, k_z, k_z) and `varying` (C, S, k1, w) are the sums of
    s_g s_g' over the teams of a size.
    """

    sizes: Array
    counts: Array
    complete: Array
    varying: Array

    def of(self, chains: Chains) -> TeamSums:
        """Those of some chains."""
        if len(chains) == len(self.varying):
            return self
        return TeamSums(sizes=self.sizes, counts=self.counts, complete=self.complete, varying=self.varying[chains])


def eliminate(complete: Array) -> Elimination:
    """L^-1 and the pivots of complete = L L' (..., k_z, k_z).

    The rows of the inverse one after the other: row i of L^-1 is (e_i - sum of L_ij times row j, j < i) / L_ii.
    """
    factors = lower_factors(complete)
    pivots = np.diagonal(factors, axis1=-2, axis2=-1).copy()
    factors /= -pivots[..., None]
    inverse = np.zeros_like(factors)
    places = np.arange(factors.shape[-1])
    inverse[..., places, places] = 1 / pivots
    for row in places[1:]:
        inverse[..., row : row + 1, :row] = factors[..., row : row + 1, :row] @ inverse[..., :row, :row]
    return Elimination(inverse=inverse, pivots=pivots)


def remainder(elimination: Elimination, varying: Array) -> tuple[Array, Array]:
    """R (..., k_z, w) and the rest (..., w, w) of `varying` (..., k1, w)."""
    k_z = elimination.pivots.shape[-1]
    explained = elimination.inverse @ varying[..., :k_z, :]
    # Times a copy: of a matrix and its own transpose numpy makes a triangle, and mirrors it number by number.
    return explained, varying[..., k_z:, :] - explained.swapaxes(-1, -2).copy() @ explained


def sums_by_size(left: Array, right: Array, sizes: Array) -> Array:
    """Sums of products over the teams of each size: (..., a, G) times (..., G, b), S sizes, make (..., S, a, b).

    `sizes` (G,) are ascending.
    """
    bounds = (*first_of_size(sizes), len(sizes))
    found = np.empty((*left.shape[:-2], len(bounds) - 1, left.shape[-2], right.shape[-1]))
    for place, (start, end) in enumerate(pairwise(bounds)):
        np.matmul(left[..., start:end], right[..., start:end, :], out=found[..., place, :, :])
    return found


def first_of_size(sizes: Array) -> npt.NDArray[np.intp]:
    """The place (S,) of the first team of each size; `sizes` (G,) are ascending."""
    return np.flatnonzero(np.concatenate(([True], sizes[1:] != sizes[:-1])))


def lower_factors(grams: Array) -> Array:
    """Lower triangular factors (..., k, k); NaN for a matrix that is not positive definite."""
    try:
        return np.asarray(np.linalg.cholesky(grams))
    except np.linalg.LinAlgError:
        if grams.ndim == 2:
            return np.full_like(grams, np.nan)
        return np.array([lower_factors(gram) for gram in grams])


def weighted(weights: Array, grams: Array) -> Array:
    """Sums over team sizes of weights (..., L, S) times cross-products (..., S, a, b): (..., L, a, b)."""
    total = weights @ grams.reshape(*grams.shape[:-2], grams.shape[-2] * grams.shape[-1])
    return np.asarray(total).reshape(*total.shape[:-1], *grams.shape[-2:])
