"""From a frame and an imputation plan to the arrays that the chains of one group work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.errors import CollinearTerms, ImputationRefused, NoObservations, UnknownName
from hhp_stats.estimate.imputation.plan import ImputationPlan, ImputedVariable, PassiveVariable
from hhp_stats.estimate.model_matrix import Array, Term

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

    `observed` and `missing` are the team numbers of those people, `sums` (G, k_z + 1) the sums of
    [Z standard] over the team's observed members.
    """

    observed: Index
    missing: Index
    sizes: Array
    sums: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One imputed variable in one group, ready to be drawn again and again.

    Z (n, k_z) are its complete predictors, intercept first. `observed` and `missing` index the
    group's people; `known` (n_obs,) are the observed values (codes for categorical variables),
    `standard` the same standardised. `gram` holds the cross-products of [Z standard] of those
    observed, `team_sums` (G, k_z + 1) their sums by team. `levels` are the codes' values.
    """

    name: str
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
    teams: ObservedTeams | None  # for a team effect only


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


def groups_of(frame: pd.DataFrame, plan: ImputationPlan) -> list[tuple[str, Index]]:
    """The groups imputed apart: label and row positions of each."""
    if plan.within is None:
        return [("all", np.arange(len(frame), dtype=np.intp))]
    column = frame[plan.within]
    if column.isna().any():
        raise ImputationRefused(
            f"{plan.within} is missing for {int(column.isna().sum())}: nobody can be imputed apart from an unknown arm"
        )
    codes, names = pd.factorize(column, sort=True)
    return [(f"{plan.within}={name}", np.flatnonzero(codes == i)) for i, name in enumerate(names)]


def check_frame(frame: pd.DataFrame, plan: ImputationPlan) -> None:
    """Refuse, before any work, a plan that names what the frame does not hold."""
    needed = [v.name for v in plan.variables] + [t.column for t in plan.terms]
    needed += [name for name in (plan.within, plan.clusters) if name]
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        raise UnknownName(f"the data have no column {', '.join(absent)}, named in the imputation plan")
    if frame.empty:
        raise NoObservations("no observations are left to impute")
    for term in plan.terms:
        gaps = int(frame[term.column].isna().sum())
        if gaps:
            raise ImputationRefused(f"{term.column} has {gaps} missing values: impute it too, or leave it out")
    if plan.clusters and frame[plan.clusters].isna().any():
        raise ImputationRefused(f"{plan.clusters} is missing for {int(frame[plan.clusters].isna().sum())} people")


def prepare_group(frame: pd.DataFrame, plan: ImputationPlan, label: str, rows: Index) -> Group:
    """Build the arrays of one group, refusing what cannot be imputed there."""
    part = frame.iloc[rows]
    notes: list[str] = []
    teams = None
    if plan.clusters:
        codes = pd.factorize(part[plan.clusters])[0].astype(np.intp)
        teams = Teams(codes=codes, sizes=np.bincount(codes).astype(np.float64))
    blocks = _term_blocks(part, plan, teams, label, notes)
    shared: dict[tuple[str, ...], tuple[Array, tuple[str, ...]]] = {}
    targets = [_target(variable, part, plan, blocks, teams, label, shared) for variable in plan.variables]
    targets.sort(key=lambda target: len(target.missing))
    columns = {t.name: _column_of(t) for t in targets}
    given = {name: part[name].to_numpy() for passive in plan.passive for name in passive.inputs if name not in columns}
    return Group(
        label=label, rows=rows, targets=tuple(targets), columns=columns, given=given, passive=plan.passive,
        teams=teams, cluster_means=plan.cluster_means, random_intercept=plan.random_intercept, notes=tuple(notes),
    )  # fmt: skip


def _column_of(target: Target) -> Column:
    if target.kind in ("ordered", "unordered"):
        return Column(name=target.name, centre=0.0, scale=1.0, dummies=len(target.levels) - 1)
    return Column(name=target.name, centre=target.centre, scale=target.scale)


def _term_blocks(
    part: pd.DataFrame, plan: ImputationPlan, teams: Teams | None, label: str, notes: list[str]
) -> dict[str, list[Array]]:
    """Standardised columns of every complete term; what does not vary here is left out, and noted."""
    blocks: dict[str, list[Array]] = {}
    for term in plan.terms:
        columns = _columns(part, term)
        if not columns:
            notes.append(f"{label}: {term.column} does not vary and predicts nothing")
        if plan.cluster_means and teams is not None and term.kind != "categorical":
            means = [teams.mean_of_others(column) for column in columns]
            columns += [mean for mean in means if np.ptp(mean) > 0]
        blocks[term.column] = columns
    return blocks


def _columns(part: pd.DataFrame, term: Term) -> list[Array]:
    if term.kind == "categorical":
        codes, names = pd.factorize(part[term.column], sort=True)
        return [(codes == i).astype(np.float64) for i in range(1, len(names))]
    values = _numbers(part[term.column])
    if np.isinf(values).any():
        raise ImputationRefused(f"{term.column} holds infinite values")
    if np.ptp(values) == 0:
        return []
    return [(values - values.mean()) / values.std()]


def _numbers(column: pd.Series) -> Array:
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as problem:
        raise ImputationRefused(f"{column.name} holds text: it needs a categorical kind") from problem


def _target(
    variable: ImputedVariable,
    part: pd.DataFrame,
    plan: ImputationPlan,
    blocks: dict[str, list[Array]],
    teams: Teams | None,
    label: str,
    shared: dict[tuple[str, ...], tuple[Array, tuple[str, ...]]],
) -> Target:
    raw, levels = _raw(variable, part, label)
    gaps = np.isnan(raw)
    observed, missing = np.flatnonzero(~gaps), np.flatnonzero(gaps)
    if not len(observed):
        raise NoObservations(f"{label}: all values of {variable.name} are missing")
    known = raw[observed]
    if len(missing) and np.ptp(known) == 0:
        raise ImputationRefused(
            f"{label}: {variable.name} is constant among those observed; there is nothing to learn from"
        )
    centre, scale = float(known.mean()), float(known.std()) or 1.0
    names = variable.predictors
    if names is None:
        names = tuple(blocks) + tuple(v.name for v in plan.variables if v.name != variable.name)
    fixed = tuple(name for name in names if name in blocks)
    if fixed not in shared:
        columns = [np.ones(len(part)), *(column for name in fixed for column in blocks[name])]
        shared[fixed] = (np.column_stack(columns), fixed)
    complete = shared[fixed][0]
    mixed = teams is not None and plan.random_intercept and variable.kind in NUMERIC
    if teams is not None and not mixed and (plan.random_intercept or plan.cluster_means):
        complete = np.column_stack([complete, *_share_of_mates(known, observed, len(levels), teams, centre, scale)])
    standard = (known - centre) / scale
    own = np.column_stack([complete[observed], standard])
    known_teams = _observed_teams(own, observed, missing, teams) if mixed and teams is not None else None
    return Target(
        name=variable.name, kind=variable.kind, donors=variable.donors, complete=complete,
        varying=tuple(name for name in names if name not in blocks), observed=observed, missing=missing,
        known=known, standard=standard, centre=centre, scale=scale, levels=levels, gram=own.T @ own,
        teams=known_teams,
    )  # fmt: skip


def _observed_teams(own: Array, observed: Index, missing: Index, teams: Teams) -> ObservedTeams:
    count = len(teams.sizes)
    sizes = np.bincount(teams.codes[observed], minlength=count)
    order = np.argsort(sizes, kind="stable")
    number = np.empty(count, dtype=np.intp)
    number[order] = np.arange(count)
    codes = number[teams.codes]
    columns = [np.bincount(codes[observed], weights=column, minlength=count) for column in own.T]
    sums = np.asarray(np.column_stack(columns), dtype=np.float64)
    return ObservedTeams(
        observed=codes[observed], missing=codes[missing], sizes=sizes[order].astype(np.float64), sums=sums
    )


def _share_of_mates(
    known: Array, observed: Index, levels: int, teams: Teams, centre: float, scale: float
) -> list[Array]:
    """Mean (or share of each level but the first) among the observed team-mates, centred; 0 where there are none."""
    person = np.zeros(len(teams.codes))
    person[observed] = 1
    mates = teams.sums(person)[teams.codes] - person
    columns = []
    for level in range(1, levels) if levels else [None]:
        value = (known - centre) / scale if level is None else (known == level) - np.mean(known == level)
        mine = np.zeros(len(teams.codes))
        mine[observed] = value
        total = teams.sums(mine)[teams.codes] - mine
        columns.append(np.divide(total, mates, out=np.zeros(len(mine)), where=mates > 0))
    return [column for column in columns if np.ptp(column) > 0]


def _raw(variable: ImputedVariable, part: pd.DataFrame, label: str) -> tuple[Array, tuple[Any, ...]]:
    """Values, or codes of the levels present here, as floats with NaN where missing; and the levels."""
    column = part[variable.name]
    if variable.kind in NUMERIC:
        values = _numbers(column)
        if np.isinf(values).any():
            raise ImputationRefused(f"{variable.name} holds infinite values")
        return values, ()
    if variable.kind == "binary":
        values = _numbers(column)
        strange = np.setdiff1d(values[~np.isnan(values)], [0.0, 1.0])
        if len(strange):
            raise ImputationRefused(f"{variable.name} is binary but holds {strange[0]:g}")
        return values, (0.0, 1.0)
    try:
        present = set(column.dropna())
    except TypeError as problem:
        raise ImputationRefused(
            f"{variable.name} holds values that are no levels, such as lists: {problem}"
        ) from problem
    order: Sequence[Any] = variable.levels or sorted(present, key=lambda level: (type(level).__name__, level))
    unknown = present.difference(order)
    if unknown:
        listed = ", ".join(sorted(map(str, unknown)))
        raise ImputationRefused(f"{variable.name} holds levels the plan does not name: {listed}")
    levels = tuple(level for level in order if level in present)
    codes = column.map({level: float(i) for i, level in enumerate(levels)})
    return codes.to_numpy(dtype=np.float64, na_value=np.nan), levels


def refuse_too_few(target: Target, width: int, label: str) -> None:
    """Refuse a variable with no more observed values than coefficients: its variance is unknown."""
    if len(target.observed) <= width and len(target.missing):
        raise CollinearTerms(
            f"{label}: {len(target.observed)} observed values of {target.name} cannot identify {width} coefficients"
        )
