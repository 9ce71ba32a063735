"""Draws of linear imputation models, with or without a team effect, from cross-products alone.

Several chains are drawn at once. Notation in this module: C chains, each with its own generator; X (n, k)
predictors of those observed, y (n,) their values, k1 = k + 1, `grams` (C, k1, k1) the cross-products of
[X y] in each chain; J_g the all-ones matrix of team g, n_g its observed size, s_g (k1,) the sums of [X y]
over the team. Columns of X are standardised or 0/1, so pivots of a gram may be compared with its diagonal.

Every chain is worked on by itself within the stacked operations, so that its numbers are to the last bit
those that it would have alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial.chebyshev import chebvander

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
    residual variance (0 without team effects), `interval` (C, 2) where its intraclass correlation may lie.
    """

    estimate: Array
    drawn: Array
    sigma: Array
    variance_ratio: Array
    interval: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSums:
    """Sums over teams, put together by team size: `sizes`, `counts` (S,) and `grams` (C, S, k1, k1).

    `grams[c, i]` is the sum of s_g s_g' over the teams of size `sizes[i]` in chain c.
    """

    sizes: Array
    counts: Array
    grams: Array


def needs_ridge(grams: Array) -> npt.NDArray[np.bool_]:
    """Do some predictors determine each other among those observed? (C,), one answer a chain."""
    inner = grams[:, :-1, :-1]
    pivots = np.diagonal(_factors(inner), axis1=1, axis2=2) ** 2
    # Not positive definite is NaN here, and no comparison with NaN holds.
    return np.asarray(~(pivots >= PIVOT * np.diagonal(inner, axis1=1, axis2=2)).all(axis=1))


def with_ridge(grams: Array) -> Array:
    """The cross-products with the diagonal of X'X raised by the factor 1 + RIDGE."""
    raised = grams.copy()
    places = np.arange(grams.shape[-1] - 1)
    inner = grams[..., places, places]
    raised[..., places, places] += RIDGE * np.where(inner > 0, inner, 1.0)
    return raised


def draw_linear(grams: Array, n: int, rngs: Generators) -> LinearDraws:
    """Draws of coefficients and residual SD under the flat prior on (beta, log sigma).

    sigma^2 = RSS / chi2(n - k); beta = b + sigma L'^-1 z with X'X = L L'. Rubin (1987), p. 167.
    """
    none = np.zeros(len(grams))
    return _draw(_positive_factors(grams), n, rngs, variance_ratio=none, interval=np.column_stack((none, none)))


def _factors(grams: Array) -> Array:
    """Lower triangular factors (C, k, k); NaN for a chain whose matrix is not positive definite."""
    try:
        return np.asarray(np.linalg.cholesky(grams))
    except np.linalg.LinAlgError:
        if len(grams) == 1:
            return np.full_like(grams, np.nan)
        return np.concatenate([_factors(grams[chain : chain + 1]) for chain in range(len(grams))])


def _positive_factors(grams: Array) -> Array:
    factors = _factors(grams)
    failed = np.isnan(factors[:, -1, -1])
    if failed.any():  # y is an exact function of X: the last pivot is zero up to rounding
        raised = grams[failed]
        raised[:, -1, -1] += 1e-12 * np.abs(raised[:, -1, -1]) + 1e-300
        factors[failed] = np.linalg.cholesky(raised)
    return factors


def _draw(factors: Array, n: int, rngs: Generators, *, variance_ratio: Array, interval: Array) -> LinearDraws:
    k = factors.shape[1] - 1
    # The last pivot of [X y]'V^-1[X y] is the root of the residual sum of squares.
    sigma = factors[:, k, k] / np.sqrt([rng.chisquare(n - k) for rng in rngs])
    noise = np.array([rng.standard_normal(k) for rng in rngs])
    right = np.stack((factors[:, k, :k], noise), axis=2)
    # A general solver: LAPACK's triangular one wakes the threads of its library even for 20 x 20.
    solved = np.linalg.solve(factors[:, :k, :k].swapaxes(1, 2), right)
    return LinearDraws(
        estimate=solved[:, :, 0],
        drawn=solved[:, :, 0] + sigma[:, None] * solved[:, :, 1],
        sigma=sigma,
        variance_ratio=variance_ratio,
        interval=interval,
    )


def team_sums(sums: Array, sizes: Array) -> TeamSums:
    """Put the sums s_g (C, k1, G) of teams of observed sizes (G,), sorted by size, together by size."""
    starts = np.flatnonzero(np.concatenate(([True], sizes[1:] != sizes[:-1])))
    ends = [*starts[1:], len(sizes)]
    chains, k1, _ = sums.shape
    grams = np.empty((chains, len(starts), k1, k1))
    turned = sums.swapaxes(1, 2).copy()  # a copy, for speed: see _cross_products
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        np.matmul(sums[:, :, start:end], turned[:, start:end], out=grams[:, i])
    return TeamSums(sizes=sizes[starts], counts=np.asarray(ends, dtype=np.float64) - starts, grams=grams)


def draw_random_intercept(
    grams: Array, teams: TeamSums, n: int, rngs: Generators, *, begin: Array | None = None
) -> LinearDraws:
    """Draws of coefficients, residual SD and variance ratio of a linear model with a team effect.

    y = X beta + u_g + e. With lambda = var(u)/var(e), V = I + lambda J and, for each team,
    V_g^-1 = I - lambda/(1 + n_g lambda) J_g. Under flat priors on beta, log sigma and the intraclass
    correlation rho = lambda/(1 + lambda), integrating beta and sigma out leaves
    p(rho | y) ~ |V|^-1/2 |X'V^-1X|^-1/2 RSS(rho)^-(n-k)/2, which is tabulated where it has mass and
    drawn from; sigma and beta follow exactly. Hence no inner Gibbs sampler and no question whether it
    has converged. `begin` (C, 2) is where the search for the mass begins, for example the `interval` of a
    draw before; everywhere without it.
    """
    if begin is None:
        begin = np.tile([0.0, HIGHEST], (len(grams), 1))
    interval, density = _tabulated(grams, teams, n, begin)
    weights = np.cumsum(np.exp(density - density.max(axis=1, keepdims=True)), axis=1)
    chance, place = np.array([rng.random(2) for rng in rngs]).T
    cell = np.minimum((weights < (chance * weights[:, -1])[:, None]).sum(axis=1), _CELLS - 1)
    rho = interval[:, 0] + (interval[:, 1] - interval[:, 0]) / _CELLS * (cell + place)
    ratio = rho / (1 - rho)
    shrink = ratio[:, None] / (1 + teams.sizes * ratio[:, None])
    weighted = _weighted(shrink[:, None], teams)[:, 0]
    return _draw(_positive_factors(grams - weighted), n, rngs, variance_ratio=ratio, interval=interval)


def _tabulated(grams: Array, teams: TeamSums, n: int, begin: Array) -> tuple[Array, Array]:
    """The interval of rho with all the mass (C, 2), and the log density in its equal cells (C, 64).

    The density has one peak. From `begin`, an interval that cuts off mass is widened until it does not; then one
    at whose ends the density is too far down for the polynomial is narrowed to the nodes around the mass, until
    it is not.
    """
    interval, at_nodes = begin.copy(), np.empty((len(grams), len(_NODES)))
    end = len(_NODES) - 1
    covered = np.zeros(len(grams), dtype=np.bool_)
    left = np.arange(len(grams))  # chains whose interval is not yet found
    while len(left):
        low, high = interval[left].T
        width = high - low
        nodes = low[:, None] + width[:, None] * _NODES
        at_nodes[left] = density = _log_density(nodes, grams[left], _of_chains(teams, left), n)
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
        narrower = np.take_along_axis(nodes, np.column_stack((before, behind)), axis=1)
        interval[left[cut]] = wider[cut]
        interval[left[empty]] = narrower[empty]
        left = left[cut | empty]
    return interval, at_nodes @ _TO_CELLS


def _of_chains(teams: TeamSums, chains: npt.NDArray[np.intp]) -> TeamSums:
    if len(chains) == len(teams.grams):
        return teams
    return TeamSums(sizes=teams.sizes, counts=teams.counts, grams=teams.grams[chains])


def _log_density(rho: Array, grams: Array, teams: TeamSums, n: int) -> Array:
    """The log density (C, L), up to a constant, at `rho`: the same (L,) for all chains or each its own (C, L)."""
    ratio = (rho / (1 - rho))[..., None]
    scale = 1 + teams.sizes * ratio
    k = grams.shape[1] - 1
    weighted = _weighted(ratio / scale, teams)
    factors = np.linalg.cholesky(np.subtract(grams[:, None], weighted, out=weighted))
    pivots = np.log(np.diagonal(factors, axis1=2, axis2=3))
    between = (np.log(scale) * teams.counts).sum(axis=-1)
    return np.asarray(-0.5 * between - pivots[..., :k].sum(axis=-1) - (n - k) * pivots[..., k])


def _weighted(weights: Array, teams: TeamSums) -> Array:
    """Sum over sizes of weight times gram (C, L, k1, k1), for L sets of weights, (L, S) or (C, L, S)."""
    chains, count, k1, _ = teams.grams.shape
    total = weights @ teams.grams.reshape(chains, count, k1 * k1)
    return np.asarray(total).reshape(chains, -1, k1, k1)


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
