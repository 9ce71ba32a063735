"""Chained equations in one group, several chains at once: from random starting values to completed sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hhp_stats.errors import ImputationRefused
from hhp_stats.estimate.imputation import categorical
from hhp_stats.estimate.imputation.elimination import CrossProducts, TeamSums, sums_by_size
from hhp_stats.estimate.imputation.layout import NUMERIC, Column, Group, Target, refuse_too_few
from hhp_stats.estimate.imputation.linear import (
    Generators,
    LinearDraws,
    Nodes,
    draw_linear,
    draw_random_intercept,
    needs_ridge,
    team_effects,
    with_ridge,
)
from hhp_stats.estimate.imputation.matching import matched_donors
from hhp_stats.estimate.imputation.plan import PassiveVariable, Score
from hhp_stats.regression.model_matrix import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """What one chain leaves: imputed values (codes for categorical) by target (`Target.key`), and its path.

    `means` and `sds` (iterations, targets) of the imputed values, in the order of the group's targets; `ridged`
    counts, by target, the fits that needed a ridge.
    """

    values: dict[tuple[str, str], Array]
    means: Array
    sds: Array
    ridged: dict[tuple[str, str], int]


class _State:
    """The current completed values (C, n) of C chains and the predictor columns (C, n) made of them."""

    def __init__(self, group: Group, rngs: Generators) -> None:
        self.group = group
        self.shape = (len(rngs), len(group.rows))
        self.values: dict[str, Array] = {}
        self.columns: dict[str, list[Array]] = {}
        self.starts: dict[tuple[str, str, int], Array] = {}
        self.nodes: dict[tuple[str, str], Nodes] = {}  # where the last draw's intraclass correlation may have been
        self.makers: dict[str, Column] = dict(group.columns)
        self.wanted = {name for target in group.targets for name in target.varying}
        # A composite is only needed within the chains where it predicts something.
        self.passive = [passive for passive in group.passive if passive.name in self.wanted]
        self.labels = {t.name: t.levels for t in group.targets if t.kind in ("ordered", "unordered")}
        # Composites are computed for all chains in one go, the chains end to end.
        self.given = {
            item: np.tile(group.given[item], len(rngs))
            for passive in self.passive
            for item in passive.inputs
            if item in group.given
        }
        for target in group.targets:
            filled = self.values.setdefault(target.name, np.empty(self.shape))
            filled[:, target.observed] = target.known
            for chain, rng in enumerate(rngs):
                filled[chain, target.missing] = rng.choice(target.known, size=len(target.missing))
        for name in self.makers:
            self._refresh(name)
        for passive in self.passive:
            self._recompute(passive)

    def update(self, target: Target, drawn: Array) -> None:
        self.values[target.name][:, target.missing] = drawn
        self._refresh(target.name)
        for passive in self.passive:
            if target.name in passive.inputs:
                self._recompute(passive)

    def _refresh(self, name: str) -> None:
        if name not in self.wanted:
            return
        columns = self.makers[name].values(self.values[name])
        teams = self.group.teams
        if self.group.cluster_means and teams is not None:
            columns += [np.array([teams.mean_of_others(chain) for chain in column]) for column in columns]
        self.columns[name] = columns

    def _recompute(self, passive: PassiveVariable) -> None:
        name = passive.name
        inputs = {item: self.given[item] if item in self.given else self._completed(item) for item in passive.inputs}
        values = composite(name, passive.function, inputs, self.shape[0] * self.shape[1]).reshape(self.shape)
        self.values[name] = values
        if name not in self.makers:
            spread = values.std(axis=1, keepdims=True)
            centre = values.mean(axis=1, keepdims=True)
            self.makers[name] = Column(name=name, centre=centre, scale=np.where(spread > 0, spread, 1.0))
        self._refresh(name)

    def _completed(self, name: str) -> npt.NDArray[Any]:
        return as_labels(self.values[name].ravel(), self.labels.get(name))

    def varying(self, target: Target) -> list[Array]:
        return [column for name in target.varying for column in self.columns[name]]


def as_labels(codes: Array, levels: tuple[object, ...] | None) -> npt.NDArray[Any]:
    """Codes as the values they stand for; numbers stay as they are."""
    return codes if levels is None else np.asarray(levels)[codes.astype(np.intp)]


def composite(name: str, function: Score, inputs: Mapping[str, npt.NDArray[Any]], size: int) -> Array:
    """A composite of completed inputs, refused unless it is one number per person."""
    values = np.asarray(function(inputs), dtype=np.float64)
    if values.shape != (size,) or np.isnan(values).any():
        raise ImputationRefused(f"{name}: its function must give one number for each person with all items")
    return values


def run_chains(group: Group, iterations: int, seeds: Sequence[np.random.SeedSequence]) -> list[ChainResult]:
    """Draw every incomplete variable in turn from its model given its predictors, `iterations` times.

    One chain a seed. They go side by side because the work on one is little for a call of the linear algebra;
    each has its own generator, and its numbers are those of the chain run alone.
    """
    rngs = [np.random.default_rng(seed) for seed in seeds]
    state = _State(group, rngs)
    targets = [target for target in group.targets if len(target.missing)]
    means, sds = np.full((2, len(seeds), iterations, len(targets)), np.nan)
    ridged = np.zeros((len(seeds), len(targets)), dtype=np.intp)
    for iteration in range(iterations):
        for place, target in enumerate(targets):
            varying = state.varying(target)
            refuse_too_few(target, target.complete.shape[1] + len(varying))
            if target.kind in NUMERIC:
                drawn, ridge = _numeric(state, target, varying, rngs)
                ridged[:, place] += ridge
            else:
                drawn = _categorical(state, target, varying, rngs)
            state.update(target, drawn)
            means[:, iteration, place] = drawn.mean(axis=1)
            sds[:, iteration, place] = drawn.std(axis=1)
    return [
        ChainResult(
            values={target.key: state.values[target.name][chain, target.missing] for target in targets},
            means=means[chain],
            sds=sds[chain],
            ridged={target.key: int(count) for target, count in zip(targets, ridged[chain], strict=True)},
        )
        for chain in range(len(seeds))
    ]


def _numeric(
    state: _State, target: Target, varying: list[Array], rngs: Generators
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Draws (C, n_mis) of a continuous or pmm variable, and which chains needed a ridge.

    Z are the complete predictors, the same in every chain; W (C, k_w, n_obs) the varying ones; y the values.
    """
    z = target.complete[target.observed]
    w_y = np.empty((len(varying) + 1, len(rngs), len(target.observed)))
    w_missing = np.empty((len(varying), len(rngs), len(target.missing)))
    for place, column in enumerate(varying):
        # Not "raise", which would take into an array of its own first; the places are all there.
        np.take(column, target.observed, axis=1, out=w_y[place], mode="clip")
        np.take(column, target.missing, axis=1, out=w_missing[place], mode="clip")
    w_y[-1] = target.standard
    w_y, w_missing = w_y.swapaxes(0, 1), w_missing.swapaxes(0, 1)
    products = _cross_products(target, z, w_y)
    ridge = needs_ridge(products, target.eliminated)
    draws, extra_known, extra_missing = _linear_draws(state, target, w_y, with_ridge(products, ridge), rngs)
    predicted = _fitted(target.complete[target.missing], w_missing, draws.drawn) + extra_missing
    if target.kind == "continuous":
        noise = np.array([rng.standard_normal(len(target.missing)) for rng in rngs])
        return target.centre + target.scale * (predicted + draws.sigma[:, None] * noise), ridge
    fitted = _fitted(z, w_y[:, :-1], draws.estimate) + extra_known
    return target.known[matched_donors(donors=fitted, recipients=predicted, count=target.donors, rngs=rngs)], ridge


def _cross_products(target: Target, z: Array, w_y: Array) -> CrossProducts:
    """Cross-products of [Z W y] in every chain; `w_y` (C, w, n_obs) holds W and y.

    Matrix products throughout (y rides along): sums of matrix-vector products may depend on the number
    of threads, and the numbers must not.
    """
    chains, width, _ = w_y.shape
    k_z = z.shape[1]
    varying = np.empty((chains, k_z + width, width))
    varying[:, :k_z] = (w_y @ z).swapaxes(1, 2)
    # Without y on the left: of a matrix and its own transpose numpy makes a triangle, and mirrors it number by number.
    left = w_y[:, :-1] if width > 2 else w_y
    varying[:, k_z : k_z + left.shape[1]] = left @ w_y.swapaxes(1, 2)
    varying[:, -1, :-1] = varying[:, k_z:-1, -1]
    varying[:, :k_z, -1] = target.gram[:-1, -1]
    varying[:, -1, -1] = target.gram[-1, -1] * (1 + 1e-12)  # keeps the last pivot positive where X explains y exactly
    complete = np.broadcast_to(target.gram[:-1, :-1], (chains, k_z, k_z))
    return CrossProducts(complete=complete, varying=varying, ridged=np.zeros(chains, dtype=np.bool_))


def _fitted(z: Array, w: Array, coefficients: Array) -> Array:
    """[Z W] times the coefficients (C, k), in every chain (C, n)."""
    k_z = z.shape[1]
    constant = np.asarray(z @ coefficients[:, :k_z, None])[:, :, 0]
    return np.asarray(constant + np.einsum("ck,ckn->cn", coefficients[:, k_z:], w))


def _linear_draws(
    state: _State, target: Target, w_y: Array, products: CrossProducts, rngs: Generators
) -> tuple[LinearDraws, Array | float, Array | float]:
    """The draws, and the team effects (C, n) of those observed and missing (0 without teams)."""
    n = len(target.observed)
    teams = target.teams
    if teams is None:
        return draw_linear(products, n, rngs, plain=target.eliminated), 0.0, 0.0
    count, k_z = len(teams.sizes), len(teams.sums) - 1
    sums = np.empty((len(rngs), k_z + w_y.shape[1], count))
    sums[:, :k_z], sums[:, -1] = teams.sums[:-1], teams.sums[-1]
    # The teams of all chains, numbered on from chain to chain.
    numbers = (teams.observed + count * np.arange(len(rngs))[:, None]).ravel()
    for place in range(w_y.shape[1] - 1):
        found = np.bincount(numbers, weights=w_y[:, place].ravel(), minlength=len(rngs) * count)
        sums[:, k_z + place] = found.reshape(len(rngs), count)
    by_size = TeamSums(
        sizes=teams.sizes[teams.first],
        counts=np.diff(teams.first, append=count).astype(np.float64),
        complete=teams.grams,
        varying=sums_by_size(sums, sums[:, k_z:].swapaxes(1, 2).copy(), teams.sizes),
    )
    nodes = state.nodes.get(target.key)
    if nodes is None:
        nodes = state.nodes[target.key] = Nodes(products, by_size)
    draws = draw_random_intercept(products, by_size, n, rngs, nodes=nodes)
    centre, drawn = team_effects(draws, sums, teams.sizes, rngs)
    return draws, np.take(centre, teams.observed, axis=1), np.take(drawn, teams.missing, axis=1)


def _categorical(state: _State, target: Target, varying: list[Array], rngs: Generators) -> Array:
    """Draws (C, n_mis) of the codes of a categorical variable: its fits are iterative, so one chain after the other."""
    codes = target.known.astype(np.intp)
    count = len(target.levels)
    ordered = target.kind == "ordered" and count > 2
    fit = categorical.draw_ordered if ordered else categorical.draw_multinomial
    drawn = np.empty((len(rngs), len(target.missing)))
    for chain, rng in enumerate(rngs):
        x = np.column_stack([target.complete, *(column[chain] for column in varying)])
        start = state.starts.get((*target.key, chain))
        draw = fit(x=x[target.observed], codes=codes, levels=count, start=start, rng=rng)
        state.starts[*target.key, chain] = draw.estimate
        new = x[target.missing]
        shares = (
            categorical.ordered_shares(new, draw.drawn, count)
            if ordered
            else categorical.multinomial_shares(new, draw.drawn)
        )
        drawn[chain] = categorical.draw_levels(shares, rng)
    return drawn
