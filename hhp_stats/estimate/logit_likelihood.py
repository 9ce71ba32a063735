"""The log-likelihood of a logit, plain or penalised as Firth proposed, and its maximiser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.linalg import LinAlgError
from scipy import linalg
from scipy.special import expit

from hhp_stats.regression.gram import cross, row_blocks, times, upper_inverse
from hhp_stats.regression.model_matrix import Array

Penalty = Literal["none", "firth"]

# Scoring needs some ten steps where data determine the terms; beyond these, differences of the score are worth it.
_SCORING_STEPS = 20
# Where no step gains, what is left to gain is below the rounding of a likelihood whose information is nearly singular.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodAt:
    """Everything Newton's method needs at one coefficient vector b (k,).

    value: log-likelihood, plus half the log determinant of the information if penalised; residuals
    (n,): y - p, plus h (1/2 - p) if penalised, so that the score is X'residuals; information (k, k) =
    X'WX; probabilities (n,).
    """

    value: float
    score: Array
    information: Array
    probabilities: Array
    residuals: Array


def evaluate(q: Array, y: Array, b: Array, penalty: Penalty) -> LikelihoodAt:
    """The (penalised) likelihood and its derivatives at b for q (n, k), y (n,).

    Firth's modified score replaces y - p by y - p + h (1/2 - p), with h the leverages of the weighted
    regression. Raises LinAlgError where a penalised information is singular.
    """
    n, k = q.shape
    information = np.zeros((k, k))
    linear = times(q, b)
    p = expit(linear)
    value = float((y * linear).sum() - np.logaddexp(0.0, linear).sum())
    root = np.sqrt(p * (1 - p))
    for rows in row_blocks(n, k):
        weighted = q[rows] * root[rows, None]
        information += weighted.T @ weighted
    residuals = y - p
    if penalty == "firth":
        factor = linalg.cholesky(information)
        value += float(np.log(np.diag(factor)).sum())
        half = upper_inverse(factor)
        for rows in row_blocks(n, k):
            leverage = ((q[rows] @ half) ** 2).sum(axis=1) * root[rows] ** 2
            residuals[rows] += leverage * (0.5 - p[rows])
    return LikelihoodAt(
        value=value, score=cross(q, residuals), information=information, probabilities=p, residuals=residuals
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum:
    """Where the climb stopped: b (k,), the likelihood there, and whether it is the maximum."""

    b: Array
    at: LikelihoodAt
    converged: bool
    iterations: int


class Surface(Protocol):
    """Coefficients among which to look: those at which a quantity has one value, so that the maximum is a profile."""

    def complete(self, b: Array) -> Array:
        """b with its last coordinate moved onto the surface; LinAlgError where the surface does not reach."""
        ...

    def jacobian(self, b: Array) -> Array:
        """The derivative of all coordinates by all but the last, (k, k - 1)."""
        ...


def maximise(
    q: Array,
    y: Array,
    *,
    start: Array,
    penalty: Penalty,
    max_iterations: int,
    held: Surface | None = None,
    tolerance: float = 1e-12,
) -> Maximum:
    """Climb to the maximum by Newton steps, halved where they overshoot.

    The information is the exact second derivative without a penalty. With Firth's it is only the
    leading part (Fisher scoring), and where the penalty carries most of the estimate, as under complete
    separation, the steps crawl: after twenty the second derivative is taken from differences of the score.

    q (n, k) with orthonormal columns, so that steps are well conditioned. Stops when the squared
    length of the step in standard errors, score' information^-1 score, is below `tolerance`; that step
    is still taken. With `held` the climb stays on that surface, where the start must lie: by the chain rule its score
    is J' score and its information J' I J up to terms that slow the steps but do not move the maximum.
    """
    b = start.copy()
    at = evaluate(q, y, b, penalty)
    for iteration in range(1, max_iterations + 1):
        try:
            path = _path(b, held)
            score = path.T @ at.score
            curvature = path.T @ at.information @ path
            if penalty == "firth" and iteration > _SCORING_STEPS:
                curvature = _differenced(q, y, b, curvature, path, held)
            move = linalg.solve(curvature, score, assume_a="pos") if len(score) else score
        except LinAlgError:
            return Maximum(b=b, at=at, converged=False, iterations=iteration)
        decrement = float(move @ score)
        if not np.isfinite(decrement):
            return Maximum(b=b, at=at, converged=False, iterations=iteration)
        taken = _shortened(q, y, b, path @ move, at, penalty, held)
        if taken is None:
            return Maximum(b=b, at=at, converged=decrement < max(tolerance, _ROUNDING), iterations=iteration)
        b, at = taken
        if decrement < tolerance:
            return Maximum(b=b, at=at, converged=True, iterations=iteration)
    return Maximum(b=b, at=at, converged=False, iterations=max_iterations)


def _path(b: Array, held: Surface | None) -> Array:
    """How all coordinates move with those that are free, (k, k) or (k, k - 1)."""
    return np.eye(len(b)) if held is None else held.jacobian(b)


def _differenced(q: Array, y: Array, b: Array, information: Array, path: Array, held: Surface | None) -> Array:
    """Minus the derivative of Firth's score in the free coordinates, or the information if that is not positive."""
    spread = np.sqrt(np.diag(np.linalg.inv(information)))
    columns = []
    for j, width in enumerate(1e-4 * spread):
        ends = []
        for sign in (-1, 1):
            near = b + sign * width * path[:, j]
            near = near if held is None else held.complete(near)
            ends.append(_path(near, held).T @ evaluate(q, y, near, "firth").score)
        columns.append((ends[0] - ends[1]) / (2 * width))
    curvature = np.column_stack(columns)
    curvature = (curvature + curvature.T) / 2
    positive = np.linalg.eigvalsh(curvature)[0] > 0
    return curvature if positive else information


def _shortened(
    q: Array, y: Array, b: Array, step: Array, at: LikelihoodAt, penalty: Penalty, held: Surface | None
) -> tuple[Array, LikelihoodAt] | None:
    """The first of step, step/2, step/4, ... that does not lower the likelihood; None if none does."""
    # Near the maximum the gain is below the rounding error of a sum of n logarithms.
    slack = 1e-12 * max(1.0, abs(at.value))
    for halving in range(30):
        trial = b + step / 2**halving
        try:
            trial = trial if held is None else held.complete(trial)
            reached = evaluate(q, y, trial, penalty)
        except LinAlgError:
            continue
        if reached.value >= at.value - slack:
            return trial, reached
    return None
