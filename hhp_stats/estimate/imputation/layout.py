"""The arrays that chains work on: teams, predictor columns, targets, groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hhp_stats.errors import CollinearTerms
from hhp_stats.estimate.imputation.elimination import Elimination
from hhp_stats.estimate.imputation.plan import PassiveVariable
from hhp_stats.regression.model_matrix import Array

Index = npt.NDArray[np.intp]
NUMERIC = ("continuous", "pmm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Teams:
    """Who is in which team: `codes` (n,) from 0, `sizes` (G,)."""

    codes: Index
    sizes: Array

    def sums(self, values: Array) -> Array:
        """Sums of `values` (n,) by team (G,)."""
        return np.asarray(np.bincount(self.codes, weights=values, minlength=len(self.sizes)), dtype=np.float64)

    def mean_of_others(self, values: Array) -> Array:
        """The mean of each person's team-mates (n,); 0, the centre, for those who have none."""
        others = self.sizes[self.codes] - 1
        return np.divide(self.sums(values)[self.codes] - values, others, out=np.zeros(len(values)), where=others > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How an imputed or passive variable enters as a predictor: standardised, or as dummies of levels 1 and up.

    `dummies` 0 means one standardised column, (value - centre) / scale; of a passive variable every chain
    has its own centre and scale, (C, 1).
    """

    name: str
    centre: float | Array
    scale: float | Array
    dummies: int = 0

    def values(self, raw: Array) -> list[Array]:
        """The predictor columns (C, n) for values or codes `raw` (C, n)."""
        if self.dummies:
            return [(raw == level).astype(np.float64) for level in range(1, self.dummies + 1)]
        return [(raw - self.centre) / self.scale]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTeams:
    """Teams numbered by how many of theirs were observed: `sizes` (G,) ascending.

    `observed` and `missing` are the team numbers of those people, `sums` (k_z + 1, G) the sums of
    [Z standard] over the team's observed members. `first` (S,) is the first team of each size, `grams` (S, k_z, k_z)
    the cross-products of the sums of Z over the teams of that size.
    """

    observed: Index
    missing: Index
    sizes: Array
    sums: Array
    first: Index
    grams: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One imputed variable in one group (or in one part of it), ready to be drawn again and again.

    Z (n, k_z) are its complete predictors, intercept first. `observed` and `missing` index the
    group's people; `known` (n_obs,) are the observed values (codes for categorical variables),
    `standard` the same standardised. `gram` holds the cross-products of [Z standard] of those
    observed, `eliminated` the Z eliminated from them. `levels` are the codes' values. `label` says whose model
    it is: that of the whole group, or of one of the parts that a variable's own `within` makes.
    """

    name: str
    label: str
    kind: str
    donors: int
    complete: Array
    varying: tuple[str, ...]
    observed: Index
    missing: Index
    known: Array
    standard: Array
    centre: float
    scale: float
    levels: tuple[Any, ...]
    gram: Array
    eliminated: Elimination
    teams: ObservedTeams | None  # for a team effect only

    @property
    def key(self) -> tuple[str, str]:
        """Which variable, and whose model."""
        return self.name, self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Everything the chains of one arm share; only read, so that processes may share its memory."""

    label: str
    rows: Index
    targets: tuple[Target, ...]  # in the order they are visited: fewest missing first
    columns: dict[str, Column]
    given: dict[str, Array]  # complete inputs of passive variables
    passive: tuple[PassiveVariable, ...]
    teams: Teams | None
    cluster_means: bool
    random_intercept: bool
    notes: tuple[str, ...] = field(default=())


def refuse_too_few(target: Target, width: int) -> None:
    """Refuse a variable with no more observed values than coefficients: its variance is unknown."""
    if len(target.observed) <= width and len(target.missing):
        raise CollinearTerms(
            f"{target.label}: {len(target.observed)} observed values of {target.name} cannot identify {width}"
            " coefficients"
        )
