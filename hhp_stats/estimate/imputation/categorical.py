"""Draws of categorical imputation models: multinomial (with binary as two levels) and proportional odds.

Notation: X (n, k) predictors with the intercept first, other columns standardised or 0/1; codes (n,)
levels 0..L-1. Every fit adds a few pseudo-observations of small total weight so that it exists where
a predictor separates the levels: for each predictor, one standard deviation either side of the
centre, each level once, with total weight k (White, Daniel and Royston 2010, Computational
Statistics and Data Analysis 54, 2267-2275).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from hhp_stats.errors import NonConvergence
from hhp_stats.estimate.imputation.linear import inverse_root
from hhp_stats.regression.model_matrix import Array

Codes = npt.NDArray[np.intp]
_STEPS = 60
# The log likelihood is flat to double precision once a Newton step would gain this much of it.
_GAIN = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoricalDraw:
    """`estimate` starts the next fit; `drawn` comes from its approximate posterior N(b, I^-1)."""

    estimate: Array
    drawn: Array


def augmented(x: Array, codes: Codes, levels: int) -> tuple[Array, Codes, Array]:
    """X, codes and weights with the pseudo-observations appended (none without predictors)."""
    k = x.shape[1]
    spread = np.concatenate([np.eye(k)[1:], -np.eye(k)[1:]]) if k > 1 else np.empty((0, k))
    spread[:, 0] = 1.0
    rows = np.repeat(spread, levels, axis=0)
    extra = np.tile(np.arange(levels), len(spread))
    weights = np.concatenate([np.ones(len(x)), np.full(len(rows), k / max(len(rows), 1))])
    return np.concatenate([x, rows]), np.concatenate([codes, extra]), weights


def draw_multinomial(
    *, x: Array, codes: Codes, levels: int, start: Array | None, rng: np.random.Generator
) -> CategoricalDraw:
    """A draw of the coefficients (L - 1, k) of log odds against level 0; Newton's method.

    Raises NonConvergence where the likelihood has no maximum all the same.
    """
    x, codes, weights = augmented(x, codes, levels)
    free, k = levels - 1, x.shape[1]
    hit = (codes[:, None] == np.arange(1, levels)) * weights[:, None]

    def loglik(beta: Array) -> float:
        index = x @ beta.T
        total = np.logaddexp.reduce(np.column_stack((np.zeros(len(x)), index)), axis=1)
        return float((hit * index).sum() - weights @ total)

    def derivatives(beta: Array) -> tuple[Array, Array]:
        share = _shares(x @ beta.T)[:, 1:]
        score = (hit - weights[:, None] * share).T @ x
        information = np.empty((free, k, free, k))
        for a in range(free):
            for b in range(a + 1):
                block = x.T @ (x * (weights * share[:, a] * ((a == b) - share[:, b]))[:, None])
                information[a, :, b] = block
                information[b, :, a] = block.T
        return score.ravel(), information.reshape(free * k, free * k)

    beta = np.zeros((free, k)) if start is None else start
    beta, information = _newton(beta, loglik, derivatives)
    noise = inverse_root(information, rng.standard_normal(free * k)).reshape(free, k)
    return CategoricalDraw(estimate=beta, drawn=beta + noise)


def draw_ordered(
    *, x: Array, codes: Codes, levels: int, start: Array | None, rng: np.random.Generator
) -> CategoricalDraw:
    """A draw of the proportional-odds model, logit P(level <= j) = cut_j - x beta (intercept left out).

    The parameter vector is (cut_0, log(cut_1 - cut_0), ..., beta): any value of it has ordered cuts,
    so a draw from its normal approximation always defines probabilities. Fisher scoring.
    """
    x, codes, weights = augmented(x, codes, levels)
    x = x[:, 1:]
    free = levels - 1

    def loglik(theta: Array) -> float:
        with np.errstate(divide="ignore"):
            chosen = np.log(_ordered_shares(x, theta, free)[np.arange(len(codes)), codes])
        return float(weights @ chosen)

    def derivatives(theta: Array) -> tuple[Array, Array]:
        cuts = _cuts(theta, free)
        below = special.expit(cuts - (x @ theta[free:])[:, None])
        slope = below * (1 - below)
        share = np.maximum(_ordered_shares(x, theta, free), 1e-300)
        edge = np.zeros((len(x), 1))
        upper, lower = np.hstack([slope, edge]), np.hstack([edge, slope])
        rows = np.arange(len(codes))
        # d share_j / d cut_j = upper_j, d share_j / d cut_(j-1) = -lower_j, d share_j / d eta = lower_j - upper_j
        own = weights / share[rows, codes]
        score_cut = np.stack(
            [own * ((codes == j) * upper[:, j] - (codes == j + 1) * lower[:, j + 1]) for j in range(free)]
        ).sum(axis=1)
        score_beta = x.T @ (own * (lower - upper)[rows, codes])
        size = free + x.shape[1]
        information = np.zeros((size, size))
        ratio = weights[:, None] / share
        for j in range(free):
            information[j, j] = (slope[:, j] ** 2 * (ratio[:, j] + ratio[:, j + 1])).sum()
            if j:
                information[j, j - 1] = information[j - 1, j] = -(slope[:, j] * slope[:, j - 1] * ratio[:, j]).sum()
            mixed = slope[:, j] * (ratio[:, j] * (lower - upper)[:, j] - ratio[:, j + 1] * (lower - upper)[:, j + 1])
            information[j, free:] = information[free:, j] = x.T @ mixed
        curvature = (ratio * (lower - upper) ** 2).sum(axis=1)
        information[free:, free:] = x.T @ (x * curvature[:, None])
        to_cuts = np.eye(size)
        for j in range(1, free):
            to_cuts[j:free, j] = np.exp(theta[j])
            to_cuts[:j, j] = 0
        to_cuts[:free, 0] = 1
        score = to_cuts.T @ np.concatenate([score_cut, score_beta])
        return score, to_cuts.T @ information @ to_cuts

    theta = _ordered_start(codes, weights, free, x.shape[1]) if start is None else start
    theta, information = _newton(theta, loglik, derivatives)
    return CategoricalDraw(estimate=theta, drawn=theta + inverse_root(information, rng.standard_normal(len(theta))))


def multinomial_shares(x: Array, beta: Array) -> Array:
    """Probability of each level (n, L) under coefficients (L - 1, k)."""
    return _shares(x @ beta.T)


def ordered_shares(x: Array, theta: Array, levels: int) -> Array:
    """Probability of each level (n, L) of the proportional-odds model."""
    return _ordered_shares(x[:, 1:], theta, levels - 1)


def draw_levels(shares: Array, rng: np.random.Generator) -> Codes:
    """One level per row with the given probabilities (n, L)."""
    passed = rng.random(len(shares))[:, None] > np.cumsum(shares, axis=1)[:, :-1]
    return np.asarray(passed.sum(axis=1), dtype=np.intp)


def _shares(index: Array) -> Array:
    return np.asarray(special.softmax(np.column_stack((np.zeros(len(index)), index)), axis=1))


def _cuts(theta: Array, free: int) -> Array:
    return np.asarray(theta[0] + np.concatenate(([0.0], np.cumsum(np.exp(theta[1:free])))))


def _ordered_shares(x: Array, theta: Array, free: int) -> Array:
    index = _cuts(theta, free) - (x @ theta[free:])[:, None]
    below = special.expit(index)
    first, last = below[:, :1], special.expit(-index[:, -1:])
    return np.hstack([first, np.diff(below, axis=1), last])


def _ordered_start(codes: Codes, weights: Array, free: int, k: int) -> Array:
    share = np.bincount(codes, weights=weights, minlength=free + 1)
    cuts = special.logit(np.cumsum(share)[:-1] / share.sum())
    return np.concatenate([cuts[:1], np.log(np.diff(cuts)), np.zeros(k)])


def _newton(
    theta: Array, loglik: Callable[[Array], float], derivatives: Callable[[Array], tuple[Array, Array]]
) -> tuple[Array, Array]:
    """Maximise by Newton (or scoring) steps, halved until the log likelihood does not fall."""
    value = loglik(theta)
    for _ in range(_STEPS):
        score, information = derivatives(theta)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError as problem:
            raise NonConvergence("the information of a categorical imputation model is singular") from problem
        if score @ step < _GAIN:
            return theta, information
        for _halving in range(30):
            moved = theta + step.reshape(theta.shape)
            reached = loglik(moved)
            if reached >= value:
                break
            step = step / 2
        else:
            # No step raises the likelihood: rounding is all that is left of the gain.
            if score @ step < _GAIN * max(1.0, abs(value)):
                return theta, information
            raise NonConvergence("a categorical imputation model: no step raises the likelihood")
        theta, value = moved, reached
    raise NonConvergence(f"a categorical imputation model did not converge in {_STEPS} steps")
