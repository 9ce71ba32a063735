"""Draws of linear imputation models, with or without a team effect, from cross-products alone.

Several chains are drawn at once. Notation in this module: C chains, each with its own generator; X = [Z W] (n, k)
predictors of those observed, Z the complete ones, the same in every chain, and W the varying ones; y (n,) their
values, k1 = k + 1, J_g the all-ones matrix of team g, n_g its observed size, s_g (k1,) the sums of [X y] over the
team. Cross-products are kept in parts, and Z is eliminated from them (`imputation.elimination`). Columns of X are
standardised or 0/1, so pivots of a cross-product may be compared with its diagonal.

Every chain is worked on by itself within the stacked operations, so that its numbers are to the last bit
those that it would have alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial.chebyshev import chebvander

from hhp_stats.estimate.imputation.elimination import (
    Chains,
    CrossProducts,
    Elimination,
    TeamSums,
    eliminate,
    lower_factors,
    remainder,
    weighted,
)
from hhp_stats.regression.model_matrix import Array

Generators = Sequence[np.random.Generator]

# Relative pivot below which a predictor counts as determined by the others, and the ridge then added
# (mice adds the same relative size always).
PIVOT = 1e-10
RIDGE = 1e-5

# The density of the intraclass correlation rho, between 0 and HIGHEST: below exp(-12) of its height it counts
# as nothing. Over an interval not much wider than the mass its logarithm is so smooth that a polynomial
# through ten nodes gives it in all cells.
HIGHEST = 0.98
_NOTHING, _STEEP = 12.0, 36.0
_NODES = (1 - np.cos(np.pi * np.arange(10) / 9)) / 2  # Chebyshev's, the ends of the interval among them
_CELLS = 64
_TO_CELLS = np.linalg.solve(
    chebvander(2 * _NODES - 1, 9).T, chebvander((2 * np.arange(_CELLS) + 1) / _CELLS - 1, 9).T
)  # (10, 64): from values at the nodes to those at the middle of the cells


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearDraws:
    """One draw a chain: `estimate` (C, k) the least-squares coefficients, `drawn` (C, k) from their posterior.

    `sigma` (C,) is the drawn residual standard deviation, `variance_ratio` (C,) the drawn between-team over
    residual variance (0 without team effects).
    """

    estimate: Array
    drawn: Array
    sigma: Array
    variance_ratio: Array


class Nodes:
    """Where the density of rho is evaluated: the nodes of an `interval` (C, 2) in each chain.

    With them the complete predictors eliminated there (C, 10, ...): that depends on rho and on no imputed value, so
    it is kept from draw to draw as long as a chain's interval stays. `begin` (C, 2) are the first intervals, by
    default everywhere.
    """

    def __init__(self, products: CrossProducts, teams: TeamSums, begin: Array | None = None) -> None:
        chains, k_z = products.complete.shape[:2]
        self.interval = np.empty((chains, 2))
        self.ridged = np.empty(chains, dtype=np.bool_)
        self.inverse = np.empty((chains, len(_NODES), k_z, k_z))
        self.pivots = np.empty((chains, len(_NODES), k_z))
        start = np.tile([0.0, HIGHEST], (chains, 1)) if begin is None else begin
        self.move(np.arange(chains), start, products, teams)

    def move(self, chains: Chains, interval: Array, products: CrossProducts, teams: TeamSums) -> None:
        """Give some chains other intervals."""
        self.interval[chains], self.ridged[chains] = interval, products.ridged[chains]
        found = _eliminated(self.rho(chains), products.complete[chains], teams)
        self.inverse[chains], self.pivots[chains] = found.inverse, found.pivots

    def follow(self, products: CrossProducts, teams: TeamSums) -> None:
        """Work out again what a ridge changes, where one is new or gone."""
        other = np.flatnonzero(self.ridged != products.ridged)
        if len(other):
            self.move(other, self.interval[other], products, teams)

    def rho(self, chains: Chains) -> Array:
        """The nodes (c, 10) of some chains."""
        low, high = self.interval[chains].T
        return np.asarray(low[:, None] + (high - low)[:, None] * _NODES)

    def of(self, chains: Chains) -> Elimination:
        """The elimination at the nodes of some chains."""
        if len(chains) == len(self.interval):
            return Elimination(inverse=self.inverse, pivots=self.pivots)
        return Elimination(inverse=self.inverse[chains], pivots=self.pivots[chains])


def needs_ridge(products: CrossProducts, plain: Elimination) -> npt.NDArray[np.bool_]:
    """Do some predictors determine each other among those observed? (C,), one answer a chain.

    `plain` is the elimination of the complete predictors, the same in every chain.
    """
    k_z = len(plain.pivots)
    # Not positive definite is NaN here, and no comparison with NaN holds.
    if not (plain.pivots**2 >= PIVOT * np.diagonal(products.complete[0])).all():
        return np.ones(len(products.varying), dtype=np.bool_)
    inner = products.varying[:, :, :-1]
    pivots = np.diagonal(lower_factors(remainder(plain, inner[:, :-1])[1]), axis1=1, axis2=2) ** 2
    return np.asarray(~(pivots >= PIVOT * np.diagonal(inner[:, k_z:-1], axis1=1, axis2=2)).all(axis=1))


def with_ridge(products: CrossProducts, ridge: npt.NDArray[np.bool_]) -> CrossProducts:
    """The cross-products with the diagonal of X'X raised by the factor 1 + RIDGE in some chains."""
    if not ridge.any():
        return products
    complete, varying = products.complete.copy(), products.varying.copy()
    k_z = complete.shape[1]
    for part in (complete, varying[:, k_z:-1, :-1]):
        places = np.arange(part.shape[1])
        inner = part[:, places, places]
        part[:, places, places] += RIDGE * np.where(inner > 0, inner, 1.0) * ridge[:, None]
    return CrossProducts(complete=complete, varying=varying, ridged=ridge)


def draw_linear(products: CrossProducts, n: int, rngs: Generators, *, plain: Elimination) -> LinearDraws:
    """Draws of coefficients and residual SD under the flat prior on (beta, log sigma).

    sigma^2 = RSS / chi2(n - k); beta = b + sigma L'^-1 z with X'X = L L'. Rubin (1987), p. 167. `plain` is the
    elimination of the complete predictors without a ridge.
    """
    ridged = products.ridged
    if ridged.any():
        own = eliminate(products.complete[ridged])
        inverse, pivots = (np.tile(part, (len(ridged), *[1] * part.ndim)) for part in (plain.inverse, plain.pivots))
        inverse[ridged], pivots[ridged] = own.inverse, own.pivots
        plain = Elimination(inverse=inverse, pivots=pivots)
    return _draw(plain, products.varying, n, rngs, variance_ratio=np.zeros(len(rngs)))


def _draw(elimination: Elimination, varying: Array, n: int, rngs: Generators, *, variance_ratio: Array) -> LinearDraws:
    k_z, width = elimination.pivots.shape[-1], varying.shape[-1]
    explained, rest = remainder(elimination, varying)
    factors = lower_factors(rest)
    failed = np.isnan(factors[:, -1, -1])
    if failed.any():  # y is an exact function of X: the last pivot is zero up to rounding
        raised = rest[failed]
        raised[:, -1, -1] += 1e-12 * np.abs(varying[failed, -1, -1]) + 1e-300
        factors[failed] = np.linalg.cholesky(raised)
    # The last pivot of [X y]'V^-1[X y] is the root of the residual sum of squares.
    sigma = factors[:, -1, -1] / np.sqrt([rng.chisquare(n - k_z - width + 1) for rng in rngs])
    noise = np.array([rng.standard_normal(k_z + width - 1) for rng in rngs])
    # L'^-1 times the last row of the factor, and times the noise: first the part of W, then that of Z.
    of_w = np.stack((factors[:, -1, :-1], noise[:, k_z:]), axis=2)
    # A general solver: LAPACK's triangular one wakes the threads of its library even for 20 x 20.
    of_w = np.linalg.solve(factors[:, :-1, :-1].swapaxes(1, 2), of_w)
    of_z = np.stack((explained[:, :, -1], noise[:, :k_z]), axis=2) - explained[:, :, :-1] @ of_w
    of_z = elimination.inverse.swapaxes(-1, -2) @ of_z
    estimate, step = np.moveaxis(np.concatenate((of_z, of_w), axis=1), 2, 0)
    return LinearDraws(
        estimate=estimate, drawn=estimate + sigma[:, None] * step, sigma=sigma, variance_ratio=variance_ratio
    )


def draw_random_intercept(
    products: CrossProducts, teams: TeamSums, n: int, rngs: Generators, *, nodes: Nodes
) -> LinearDraws:
    """Draws of coefficients, residual SD and variance ratio of a linear model with a team effect.

    y = X beta + u_g + e. With lambda = var(u)/var(e), V = I + lambda J and, for each team,
    V_g^-1 = I - lambda/(1 + n_g lambda) J_g. Under flat priors on beta, log sigma and the intraclass
    correlation rho = lambda/(1 + lambda), integrating beta and sigma out leaves
    p(rho | y) ~ |V|^-1/2 |X'V^-1X|^-1/2 RSS(rho)^-(n-k)/2, which is tabulated where it has mass and
    drawn from; sigma and beta follow exactly. Hence no inner Gibbs sampler and no question whether it
    has converged. `nodes` is where the search for the mass begins, for example those of the draw before; it is left
    where the mass was found.
    """
    density = _tabulated(products, teams, n, nodes)
    weights = np.cumsum(np.exp(density - density.max(axis=1, keepdims=True)), axis=1)
    chance, place = np.array([rng.random(2) for rng in rngs]).T
    cell = np.minimum((weights < (chance * weights[:, -1])[:, None]).sum(axis=1), _CELLS - 1)
    low, high = nodes.interval.T
    rho = low + (high - low) / _CELLS * (cell + place)
    at_rho = _eliminated(rho[:, None], products.complete, teams)
    at_rho = Elimination(inverse=at_rho.inverse[:, 0], pivots=at_rho.pivots[:, 0])
    varying = _within_teams(rho[:, None], products.varying, teams.varying, teams.sizes)[:, 0]
    return _draw(at_rho, varying, n, rngs, variance_ratio=rho / (1 - rho))


def _tabulated(products: CrossProducts, teams: TeamSums, n: int, nodes: Nodes) -> Array:
    """The log density (C, 64) of rho in equal cells of the interval with all the mass, to which `nodes` are moved.

    The density has one peak. An interval that cuts off mass is widened until it does not; then one
    at whose ends the density is too far down for the polynomial is narrowed to the nodes around the mass, until
    it is not.
    """
    chains, end = len(nodes.interval), len(_NODES) - 1
    at_nodes = np.empty((chains, len(_NODES)))
    covered = np.zeros(chains, dtype=np.bool_)
    left = np.arange(chains)  # chains whose interval is not yet found
    nodes.follow(products, teams)
    while len(left):
        low, high = nodes.interval[left].T
        width, rho = high - low, nodes.rho(left)
        at_nodes[left] = density = _log_density(rho, nodes.of(left), products.of(left), teams.of(left), n)
        height = density.max(axis=1, keepdims=True)
        mass = density > height - _NOTHING
        # Narrowing keeps the mass: what was covered once is not widened again, so this comes to an end.
        cut = ~covered[left] & ((mass[:, 0] & (low > 0)) | (mass[:, end] & (high < HIGHEST)))
        covered[left] = ~cut
        before = np.maximum(mass.argmax(axis=1) - 1, 0)
        behind = np.minimum(end - mass[:, ::-1].argmax(axis=1) + 1, end)
        deep = (density[:, [0, end]] < height - _STEEP).any(axis=1)
        empty = ~cut & deep & ((before > 0) | (behind < end))
        wider = np.column_stack((np.maximum(low - width, 0), np.minimum(high + width, HIGHEST)))
        narrower = np.take_along_axis(rho, np.column_stack((before, behind)), axis=1)
        moved = cut | empty
        left, interval = left[moved], np.where(cut[:, None], wider, narrower)[moved]
        if len(left):
            nodes.move(left, interval, products, teams)
    return at_nodes @ _TO_CELLS


def _log_density(rho: Array, at_rho: Elimination, products: CrossProducts, teams: TeamSums, n: int) -> Array:
    """The log density (C, L), up to a constant, at `rho` (C, L), where the complete predictors are eliminated."""
    varying = _within_teams(rho, products.varying, teams.varying, teams.sizes)
    _, rest = remainder(at_rho, varying)
    pivots = np.log(np.diagonal(np.linalg.cholesky(rest), axis1=2, axis2=3))
    between = np.log(1 + teams.sizes * (rho / (1 - rho))[..., None]) @ teams.counts
    k = varying.shape[2] - 1
    inner = at_rho.log_determinant + pivots[..., :-1].sum(axis=-1)
    return np.asarray(-0.5 * between - inner - (n - k) * pivots[..., -1])


def _eliminated(rho: Array, complete: Array, teams: TeamSums) -> Elimination:
    """The complete predictors eliminated from Z'V^-1Z at `rho` (C, L), given Z'Z (C, k_z, k_z)."""
    return eliminate(_within_teams(rho, complete, teams.complete, teams.sizes))


def _within_teams(rho: Array, plain: Array, teams: Array, sizes: Array) -> Array:
    """A'V^-1B (C, L, a, b) at `rho` (C, L) from A'B (C, a, b) and the sums over teams of each size (S, a, b)."""
    ratio = (rho / (1 - rho))[..., None]
    found = weighted(ratio / (1 + sizes * ratio), teams)
    return np.subtract(plain[:, None], found, out=found)


def team_effects(draws: LinearDraws, sums: Array, sizes: Array, rngs: Generators) -> tuple[Array, Array]:
    """Each team's effect given a draw: posterior mean at the least-squares coefficients, and a draw, both (C, G).

    u_g ~ N(shrink (sum of y - s_g beta), sigma^2 shrink), shrink = lambda/(1 + n_g lambda): a team
    nobody of which was observed gets a draw from N(0, sigma^2 lambda). `sums` (C, k1, G), `sizes` (G,).
    """
    ratio = draws.variance_ratio[:, None]
    shrink = ratio / (1 + sizes * ratio)
    both = np.stack((draws.estimate, draws.drawn), axis=1) @ sums[:, :-1]
    centre, mean = np.moveaxis(shrink[:, None] * (sums[:, -1:] - both), 1, 0)
    noise = np.array([rng.standard_normal(len(sizes)) for rng in rngs])
    return centre, mean + draws.sigma[:, None] * np.sqrt(shrink) * noise


def inverse_root(information: Array, noise: Array) -> Array:
    """L'^-1 noise with information = L L': a draw with covariance information^-1."""
    return np.asarray(np.linalg.solve(np.linalg.cholesky(information).T, noise))
