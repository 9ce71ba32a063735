"""From a frame and an imputation plan to the arrays that the chains of one group work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.errors import ImputationRefused, InvalidInput, NoObservations, UnknownName
from hhp_stats.estimate.imputation.elimination import eliminate, first_of_size, sums_by_size
from hhp_stats.estimate.imputation.layout import NUMERIC, Column, Group, Index, ObservedTeams, Target, Teams
from hhp_stats.estimate.imputation.plan import ImputationPlan, ImputedVariable
from hhp_stats.regression.model_matrix import Array, Term, refuse_unsquarable


def groups_of(frame: pd.DataFrame, plan: ImputationPlan) -> list[tuple[str, Index]]:
    """The groups imputed apart: label and row positions of each."""
    if plan.within is None:
        return [("all", np.arange(len(frame), dtype=np.intp))]
    return parts_of(frame, plan.within)


def parts_of(frame: pd.DataFrame, within: str) -> list[tuple[str, Index]]:
    """Label and row positions of the people with each value of a column; refuses an unknown value
    (ImputationRefused).
    """
    column = frame[within]
    if column.isna().any():
        raise ImputationRefused(
            f"{within} is missing for {int(column.isna().sum())}: nobody can be imputed apart from an unknown arm"
        )
    codes, names = pd.factorize(column, sort=True)
    return [(f"{within}={name}", np.flatnonzero(codes == i)) for i, name in enumerate(names)]


def check_frame(frame: pd.DataFrame, plan: ImputationPlan) -> None:
    """Refuse, before any work, a plan that names what the frame does not hold."""
    needed = [v.name for v in plan.variables] + [t.column for t in plan.terms]
    needed += [name for name in (plan.within, plan.clusters, *(v.within for v in plan.variables)) if name]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """People whose models are fitted together: their rows in the group, complete terms and teams."""

    label: str
    rows: Index
    frame: pd.DataFrame
    blocks: dict[str, list[Array]]
    teams: Teams | None
    shared: dict[tuple[str, ...], Array]  # complete predictors that several variables have in common


def prepare_group(frame: pd.DataFrame, plan: ImputationPlan, label: str, rows: Index) -> Group:
    """Build the arrays of one group, refusing what cannot be imputed there."""
    whole = frame.iloc[rows]
    notes: list[str] = []
    group = _part(whole, np.arange(len(whole), dtype=np.intp), plan, label, notes)
    inside: dict[str, list[_Part]] = {}
    for within in dict.fromkeys(variable.within for variable in plan.variables if variable.within):
        inside[within] = [
            _part(whole, found, plan, name, notes, apart=within) for name, found in parts_of(whole, within)
        ]
    targets = []
    for variable in plan.variables:
        if variable.within is None:
            targets.append([_target(variable, group, plan)])
        else:
            targets.append(
                [_lifted(_target(variable, part, plan), part, len(whole)) for part in inside[variable.within]]
            )
    # Those of one variable stay together: the variable is visited when its turn comes, part by part.
    targets.sort(key=lambda found: sum(len(target.missing) for target in found))
    columns = {found[0].name: _column_of(found) for found in targets}
    given = {name: whole[name].to_numpy() for passive in plan.passive for name in passive.inputs if name not in columns}
    return Group(
        label=label,
        rows=rows,
        targets=tuple(target for found in targets for target in found),
        columns=columns,
        given=given,
        passive=plan.passive,
        teams=group.teams,
        cluster_means=plan.cluster_means,
        random_intercept=plan.random_intercept,
        notes=tuple(notes),
    )


def _part(
    whole: pd.DataFrame, rows: Index, plan: ImputationPlan, label: str, notes: list[str], *, apart: str = ""
) -> _Part:
    frame = whole.iloc[rows]
    teams = None
    if plan.clusters:
        codes = pd.factorize(frame[plan.clusters])[0].astype(np.intp)
        teams = Teams(codes=codes, sizes=np.bincount(codes).astype(np.float64))
    blocks = _term_blocks(frame, plan, teams, label, notes, apart=apart)
    return _Part(label=label, rows=rows, frame=frame, blocks=blocks, teams=teams, shared={})


def _lifted(target: Target, part: _Part, people: int) -> Target:
    """A target of a part of the group, with places and complete predictors counted in the whole group."""
    complete = np.zeros((people, target.complete.shape[1]))
    complete[part.rows] = target.complete
    return replace(target, observed=part.rows[target.observed], missing=part.rows[target.missing], complete=complete)


def _column_of(found: Sequence[Target]) -> Column:
    """How a variable predicts others, from its target or, with a model for each part, from all of them."""
    first = found[0]
    if first.kind in ("ordered", "unordered"):
        return Column(name=first.name, centre=0.0, scale=1.0, dummies=len(first.levels) - 1)
    if len(found) == 1:
        return Column(name=first.name, centre=first.centre, scale=first.scale)
    known = np.concatenate([target.known for target in found])
    return Column(name=first.name, centre=float(known.mean()), scale=float(known.std()) or 1.0)


def _term_blocks(
    part: pd.DataFrame, plan: ImputationPlan, teams: Teams | None, label: str, notes: list[str], *, apart: str = ""
) -> dict[str, list[Array]]:
    """Standardised columns of every complete term; what does not vary here is left out, and noted."""
    blocks: dict[str, list[Array]] = {}
    for term in plan.terms:
        columns = _columns(part, term)
        if not columns and term.column != apart:
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
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as problem:
        raise ImputationRefused(f"{column.name} holds text: it needs a categorical kind") from problem
    if not np.isinf(values).any():  # those are named by whoever asks
        try:
            refuse_unsquarable(values, name=str(column.name))
        except InvalidInput as problem:
            raise ImputationRefused(str(problem)) from problem
    return values


def _target(variable: ImputedVariable, part: _Part, plan: ImputationPlan) -> Target:
    blocks, teams, label = part.blocks, part.teams, part.label
    raw, levels = _raw(variable, part.frame, label)
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
    if fixed not in part.shared:
        columns = [np.ones(len(raw)), *(column for name in fixed for column in blocks[name])]
        part.shared[fixed] = np.column_stack(columns)
    complete = part.shared[fixed]
    mixed = teams is not None and plan.random_intercept and variable.kind in NUMERIC
    if teams is not None and not mixed and (plan.random_intercept or plan.cluster_means):
        complete = np.column_stack([complete, *_share_of_mates(known, observed, len(levels), teams, centre, scale)])
    standard = (known - centre) / scale
    own = np.column_stack([complete[observed], standard])
    gram = own.T @ own
    known_teams = _observed_teams(own, observed, missing, teams) if mixed and teams is not None else None
    return Target(
        name=variable.name,
        label=label,
        kind=variable.kind,
        donors=variable.donors,
        complete=complete,
        varying=tuple(name for name in names if name not in blocks),
        observed=observed,
        missing=missing,
        known=known,
        standard=standard,
        centre=centre,
        scale=scale,
        levels=levels,
        gram=gram,
        eliminated=eliminate(gram[:-1, :-1]),
        teams=known_teams,
    )


def _observed_teams(own: Array, observed: Index, missing: Index, teams: Teams) -> ObservedTeams:
    count = len(teams.sizes)
    sizes = np.bincount(teams.codes[observed], minlength=count)
    order = np.argsort(sizes, kind="stable")
    number = np.empty(count, dtype=np.intp)
    number[order] = np.arange(count)
    codes = number[teams.codes]
    columns = [np.bincount(codes[observed], weights=column, minlength=count) for column in own.T]
    sums, ascending = np.array(columns, dtype=np.float64), sizes[order].astype(np.float64)
    return ObservedTeams(
        observed=codes[observed],
        missing=codes[missing],
        sizes=ascending,
        sums=sums,
        first=first_of_size(ascending),
        grams=sums_by_size(sums[:-1], sums[:-1].T, ascending),
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
