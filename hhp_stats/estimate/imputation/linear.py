"""Draws of a linear imputation model, with or without a team effect, from cross-products alone.

Notation in this module: X (n, k) predictors of those observed, y (n,) their values, k1 = k + 1,
`gram` (k1, k1) the cross-products of [X y]; J_g the all-ones matrix of team g, n_g its observed
size, s_g (k1,) the sums of [X y] over the team. Columns of X are standardised or 0/1, so pivots of
`gram` may be compared with its diagonal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from hhp_stats.estimate.model_matrix import Array

# Relative pivot below which a predictor counts as determined by the others, and the ridge then added
# (mice adds the same relative size always).
PIVOT = 1e-10
RIDGE = 1e-5

_COARSE = np.array([0, 0.004, 0.01, 0.02, 0.04, 0.07, 0.11, 0.16, 0.23, 0.32, 0.43, 0.56, 0.7, 0.83, 0.92, 0.98])
_FINE_CELLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearDraw:
    """One draw: `estimate` (k,) the least-squares coefficients, `drawn` (k,) from their posterior.

    `sigma` is the drawn residual standard deviation, `variance_ratio` the drawn between-team over
    residual variance (0 without team effects).
    """

    estimate: Array
    drawn: Array
    sigma: float
    variance_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSums:
    """Sums over teams, put together by team size: `sizes`, `counts` (S,) and `grams` (S, k1, k1).

    `grams[i]` is the sum of s_g s_g' over the teams of size `sizes[i]`.
    """

    sizes: Array
    counts: Array
    grams: Array


def needs_ridge(gram: Array) -> bool:
    """Do some predictors determine each other among those observed?"""
    k = len(gram) - 1
    factor, failed = lapack.dpotrf(gram[:k, :k], lower=1)
    if failed:
        return True
    return bool((np.diag(factor) ** 2 < PIVOT * np.diag(gram)[:k]).any())


def with_ridge(gram: Array) -> Array:
    """The cross-products with the diagonal of X'X raised by the factor 1 + RIDGE."""
    raised = gram.copy()
    k = len(gram) - 1
    inner = np.diag(gram)[:k]
    raised[range(k), range(k)] += RIDGE * np.where(inner > 0, inner, 1.0)
    return raised


def draw_linear(gram: Array, n: int, rng: np.random.Generator) -> LinearDraw:
    """A draw of coefficients and residual SD under the flat prior on (beta, log sigma).

    sigma^2 = RSS / chi2(n - k); beta = b + sigma L'^-1 z with X'X = L L'. Rubin (1987), p. 167.
    """
    factor, k = _factor(gram)
    return _draw(factor, k, n, 0.0, rng)


def _factor(gram: Array) -> tuple[Array, int]:
    factor, failed = lapack.dpotrf(gram, lower=1, clean=1)
    if failed:  # y is an exact function of X: the last pivot is zero up to rounding
        raised = gram.copy()
        raised[-1, -1] += 1e-12 * abs(raised[-1, -1]) + 1e-300
        factor, failed = lapack.dpotrf(raised, lower=1, clean=1)
        if failed:
            raise np.linalg.LinAlgError("cross-products are not positive definite")
    return factor, len(gram) - 1


def _draw(factor: Array, k: int, n: int, variance_ratio: float, rng: np.random.Generator) -> LinearDraw:
    residual = float(factor[k, k])  # the last pivot of [X y]'V^-1[X y] is the root of the residual sum of squares
    sigma = residual / math.sqrt(rng.chisquare(n - k))
    noise = rng.standard_normal(k)
    right = np.column_stack((factor[k, :k], noise))
    # A general solver: LAPACK's triangular one wakes the threads of its library even for 20 x 20.
    solved: Array = np.asarray(np.linalg.solve(factor[:k, :k].T, right), dtype=np.float64)
    return LinearDraw(
        estimate=solved[:, 0], drawn=solved[:, 0] + sigma * solved[:, 1], sigma=sigma, variance_ratio=variance_ratio
    )


def team_sums(sums: Array, sizes: Array) -> TeamSums:
    """Put the sums s_g (G, k1) of teams of observed sizes (G,), sorted by size, together by size."""
    starts = np.flatnonzero(np.concatenate(([True], sizes[1:] != sizes[:-1])))
    ends = [*starts[1:], len(sizes)]
    grams = np.empty((len(starts), sums.shape[1], sums.shape[1]))
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        part = sums[start:end]
        grams[i] = part.T @ part
    return TeamSums(sizes=sizes[starts], counts=np.asarray(ends, dtype=np.float64) - starts, grams=grams)


def draw_random_intercept(gram: Array, teams: TeamSums, n: int, rng: np.random.Generator) -> LinearDraw:
    """A draw of coefficients, residual SD and variance ratio of a linear model with a team effect.

    y = X beta + u_g + e. With lambda = var(u)/var(e), V = I + lambda J and, for each team,
    V_g^-1 = I - lambda/(1 + n_g lambda) J_g. Under flat priors on beta, log sigma and the intraclass
    correlation rho = lambda/(1 + lambda), integrating beta and sigma out leaves
    p(rho | y) ~ |V|^-1/2 |X'V^-1X|^-1/2 RSS(rho)^-(n-k)/2, which is tabulated (first coarsely over
    0..1, then in cells where it has mass) and drawn from; sigma and beta follow exactly. Hence no
    inner Gibbs sampler and no question whether it has converged.
    """
    density = _log_density(_COARSE, gram, teams, n)
    near = np.flatnonzero(density > density.max() - 12)
    low = _COARSE[max(near[0] - 1, 0)]
    high = _COARSE[min(near[-1] + 1, len(_COARSE) - 1)]
    width = (high - low) / _FINE_CELLS
    cells = low + width * (np.arange(_FINE_CELLS) + 0.5)
    density = _log_density(cells, gram, teams, n)
    weights = np.cumsum(np.exp(density - density.max()))
    chance, place = rng.random(2)
    cell = min(int(np.searchsorted(weights, chance * weights[-1])), _FINE_CELLS - 1)
    rho = float(low + width * (cell + place))
    ratio = rho / (1 - rho)
    shrink = ratio / (1 + teams.sizes * ratio)
    factor, k = _factor(gram - _weighted(shrink, teams))
    return _draw(factor, k, n, ratio, rng)


def _log_density(rho: Array, gram: Array, teams: TeamSums, n: int) -> Array:
    ratio = (rho / (1 - rho))[:, None]
    scale = 1 + teams.sizes * ratio
    k = len(gram) - 1
    grams = gram - _weighted(ratio / scale, teams)
    pivots = np.log(np.diagonal(np.linalg.cholesky(grams), axis1=1, axis2=2))
    return np.asarray(-0.5 * (np.log(scale) @ teams.counts) - pivots[:, :k].sum(axis=1) - (n - k) * pivots[:, k])


def _weighted(weights: Array, teams: TeamSums) -> Array:
    """Sum over sizes of weight times gram, for one set of weights (S,) or several (L, S)."""
    size = teams.grams.shape[1]
    total = weights @ teams.grams.reshape(len(teams.sizes), size * size)
    return np.asarray(total).reshape(*weights.shape[:-1], size, size)


def team_effects(draw: LinearDraw, sums: Array, sizes: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Each team's effect given a draw: posterior mean at the least-squares coefficients, and a draw.

    u_g ~ N(shrink (sum of y - s_g beta), sigma^2 shrink), shrink = lambda/(1 + n_g lambda): a team
    nobody of which was observed gets a draw from N(0, sigma^2 lambda). `sums` (G, k1), `sizes` (G,).
    """
    shrink = draw.variance_ratio / (1 + sizes * draw.variance_ratio)
    centre = shrink * (sums[:, -1] - sums[:, :-1] @ draw.estimate)
    mean = shrink * (sums[:, -1] - sums[:, :-1] @ draw.drawn)
    return centre, mean + draw.sigma * np.sqrt(shrink) * rng.standard_normal(len(sizes))


def inverse_root(information: Array, noise: Array) -> Array:
    """L'^-1 noise with information = L L': a draw with covariance information^-1."""
    return np.asarray(np.linalg.solve(np.linalg.cholesky(information).T, noise))
