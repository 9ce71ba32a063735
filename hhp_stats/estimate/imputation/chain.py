"""One chain of chained equations in one group: from random starting values to one completed set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hhp_stats.errors import ImputationRefused
from hhp_stats.estimate.imputation import categorical
from hhp_stats.estimate.imputation.linear import (
    LinearDraw,
    draw_linear,
    draw_random_intercept,
    needs_ridge,
    team_effects,
    team_sums,
    with_ridge,
)
from hhp_stats.estimate.imputation.matching import matched_donors
from hhp_stats.estimate.imputation.plan import Score
from hhp_stats.estimate.imputation.prepare import NUMERIC, Column, Group, Target, refuse_too_few
from hhp_stats.estimate.model_matrix import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """What one chain leaves: imputed values (codes for categorical) by variable, and its path.

    `means` and `sds` (iterations, variables) of the imputed values, variables in the order of the
    group's targets; `ridged` counts, by variable, the fits that needed a ridge.
    """

    values: dict[str, Array]
    means: Array
    sds: Array
    ridged: dict[str, int]


class _State:
    """The current completed values of one chain and the predictor columns made of them."""

    def __init__(self, group: Group, rng: np.random.Generator) -> None:
        self.group = group
        self.size = len(group.rows)
        self.values: dict[str, Array] = {}
        self.columns: dict[str, list[Array]] = {}
        self.starts: dict[str, Array | None] = {}
        self.makers: dict[str, Column] = dict(group.columns)
        self.wanted = {name for target in group.targets for name in target.varying}
        for target in group.targets:
            filled = np.empty(self.size)
            filled[target.observed] = target.known
            filled[target.missing] = rng.choice(target.known, size=len(target.missing))
            self.values[target.name] = filled
        for name in self.makers:
            self._refresh(name)
        for passive in group.passive:
            self._recompute(passive.name)

    def update(self, target: Target, drawn: Array) -> None:
        self.values[target.name][target.missing] = drawn
        self._refresh(target.name)
        for passive in self.group.passive:
            if target.name in passive.inputs:
                self._recompute(passive.name)

    def _refresh(self, name: str) -> None:
        if name not in self.wanted:
            return
        columns = self.makers[name].values(self.values[name])
        teams = self.group.teams
        if self.group.cluster_means and teams is not None:
            columns += [teams.mean_of_others(column) for column in columns]
        self.columns[name] = columns

    def _recompute(self, name: str) -> None:
        """A composite is only needed within the chain where it predicts something."""
        if name not in self.wanted:
            return
        passive = next(p for p in self.group.passive if p.name == name)
        labels = {
            target.name: target.levels for target in self.group.targets if target.kind in ("ordered", "unordered")
        }
        values = composite(passive.name, passive.function, {
            item: self.group.given[item] if item in self.group.given else as_labels(self.values[item], labels.get(item))
            for item in passive.inputs
        }, self.size)  # fmt: skip
        self.values[name] = values
        if name not in self.makers:
            self.makers[name] = Column(name=name, centre=float(values.mean()), scale=float(values.std()) or 1.0)
        self._refresh(name)

    def varying(self, target: Target) -> list[Array]:
        return [column for name in target.varying for column in self.columns[name]]


def as_labels(codes: Array, levels: tuple[object, ...] | None) -> npt.NDArray[Any]:
    """Codes as the values they stand for; numbers stay as they are."""
    return codes if levels is None else np.asarray(levels)[codes.astype(np.intp)]


def composite(name: str, function: Score, inputs: Mapping[str, npt.NDArray[Any]], size: int) -> Array:
    """A composite of completed inputs, refused unless it is one number per person."""
    values = np.asarray(function(inputs), dtype=np.float64)
    if values.shape != (size,) or np.isnan(values).any():
        raise ImputationRefused(f"{name}: its function must give one number for each of {size} people with all items")
    return values


def run_chain(group: Group, iterations: int, seed: np.random.SeedSequence) -> ChainResult:
    """Draw every incomplete variable in turn from its model given all others, `iterations` times."""
    rng = np.random.default_rng(seed)
    state = _State(group, rng)
    targets = [target for target in group.targets if len(target.missing)]
    means, sds = np.full((2, iterations, len(targets)), np.nan)
    ridged = {target.name: 0 for target in targets}
    for iteration in range(iterations):
        for place, target in enumerate(targets):
            drawn, ridge = _draw(group, state, target, rng)
            ridged[target.name] += ridge
            state.update(target, drawn)
            means[iteration, place] = drawn.mean()
            sds[iteration, place] = drawn.std()
    return ChainResult(
        values={target.name: state.values[target.name][target.missing] for target in targets},
        means=means, sds=sds, ridged=ridged,
    )  # fmt: skip


def _draw(group: Group, state: _State, target: Target, rng: np.random.Generator) -> tuple[Array, bool]:
    varying = state.varying(target)
    refuse_too_few(target, target.complete.shape[1] + len(varying), group.label)
    if target.kind in NUMERIC:
        return _numeric(target, varying, rng)
    return _categorical(state, target, varying, rng), False


def _numeric(target: Target, varying: list[Array], rng: np.random.Generator) -> tuple[Array, bool]:
    """Continuous and pmm: Z the complete predictors, W the varying ones (transposed), y the values."""
    k_z = target.complete.shape[1]
    k = k_z + len(varying)
    z = target.complete[target.observed]
    w_y = np.empty((len(varying) + 1, len(target.observed)))
    for place, column in enumerate(varying):
        np.take(column, target.observed, out=w_y[place])
    w_y[-1] = target.standard
    w = w_y[:-1]
    gram = np.empty((k + 1, k + 1))
    outer = [*range(k_z), k]
    # Matrix products throughout (y rides along): sums of matrix-vector products may depend on the
    # number of threads, and the numbers must not.
    gram[k_z:, :k_z] = w_y @ z
    gram[:k_z, k_z:] = gram[k_z:, :k_z].T
    gram[k_z:, k_z:] = w_y @ w_y.T
    gram[np.ix_(outer, outer)] = target.gram
    gram[k, k] *= 1 + 1e-12  # keeps the last pivot positive where the predictors explain y exactly
    ridge = needs_ridge(gram)
    if ridge:
        gram = with_ridge(gram)
    draw, extra_known, extra_missing = _linear_draw(target, w, gram, rng)
    z_missing = target.complete[target.missing]
    predicted = z_missing @ draw.drawn[:k_z]
    for place, column in enumerate(varying):
        predicted += draw.drawn[k_z + place] * column[target.missing]
    predicted += extra_missing
    if target.kind == "continuous":
        drawn = predicted + draw.sigma * rng.standard_normal(len(predicted))
        return target.centre + target.scale * drawn, ridge
    fitted = z @ draw.estimate[:k_z]
    for place in range(len(varying)):
        fitted += draw.estimate[k_z + place] * w[place]
    fitted += extra_known
    donors = matched_donors(donors=fitted, recipients=predicted, count=target.donors, rng=rng)
    return target.known[donors], ridge


def _linear_draw(
    target: Target, w: Array, gram: Array, rng: np.random.Generator
) -> tuple[LinearDraw, Array | float, Array | float]:
    """The draw, and the team effects of those observed and missing (0 without teams)."""
    n = len(target.observed)
    teams = target.teams
    if teams is None:
        return draw_linear(gram, n, rng), 0.0, 0.0
    k_z = teams.sums.shape[1] - 1
    sums = np.empty((len(teams.sizes), len(gram)))
    sums[:, :k_z] = teams.sums[:, :-1]
    sums[:, -1] = teams.sums[:, -1]
    for place, column in enumerate(w):
        sums[:, k_z + place] = np.bincount(teams.observed, weights=column, minlength=len(teams.sizes))
    draw = draw_random_intercept(gram, team_sums(sums, teams.sizes), n, rng)
    centre, drawn = team_effects(draw, sums, teams.sizes, rng)
    return draw, centre[teams.observed], drawn[teams.missing]


def _categorical(state: _State, target: Target, varying: list[Array], rng: np.random.Generator) -> Array:
    x = np.column_stack([target.complete, *varying])
    codes = target.known.astype(np.intp)
    count = len(target.levels)
    fit = categorical.draw_ordered if target.kind == "ordered" and count > 2 else categorical.draw_multinomial
    shares = categorical.ordered_shares if fit is categorical.draw_ordered else None
    draw = fit(x=x[target.observed], codes=codes, levels=count, start=state.starts.get(target.name), rng=rng)
    state.starts[target.name] = draw.estimate
    new = x[target.missing]
    chance = shares(new, draw.drawn, count) if shares else categorical.multinomial_shares(new, draw.drawn)
    return categorical.draw_levels(chance, rng).astype(np.float64)
