"""The profile of the selection likelihood over the correlation rho, followed from one end to the other.

For a given rho = tanh(a) the log likelihood is concave in all other parameters, so its maximum L(a) over them is
unique and Newton's method reaches it from anywhere. L is traced over a from -LIMIT to LIMIT; each point gives value,
slope and curvature (implicit function theorem), and steps are halved until what one end says about the other is right.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Polynomial
from scipy import optimize

from hhp_stats.errors import NonConvergence
from hhp_stats.estimate.selection_likelihood import Derivatives, SelectionData, derivatives, log_likelihood
from hhp_stats.regression.model_matrix import Array

# A maximum with |rho| above this is an edge solution: the model says that answering and outcome are one thing.
EDGE = 0.99
# Where the trace ends, |rho| = .9997; a profile that still rises there runs to -1 or 1.
LIMIT = 4.4
_STEPS = (0.3, 0.6, 1.0, 1.4, 1.9, math.atanh(EDGE), 3.5, LIMIT)
_NARROW = 0.01  # no interval of a is halved below this
# What a Newton step within one rho still promises, in log likelihood: for tracing, and for ends and maxima.
_COARSE, FINE = 0.05, 1e-9
PATIENCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The profile at one a: value, slope and curvature by a; theta and its derivative by a (k,)."""

    a: float
    value: float
    slope: float
    curvature: float
    theta: Array
    tangent: Array


def point_at(a: float, start: Array, data: SelectionData, *, tolerance: float, otherwise: Array | None = None) -> Point:
    """The profile at a by Newton's method from `start`, or from `otherwise` where `start` is outside the parameters.

    Stops where the next step promises less than `tolerance`, and takes that step into account.
    """
    k = len(start)
    theta, found = start, derivatives(start, a, data)
    if not math.isfinite(found.value) and otherwise is not None:
        theta, found = otherwise, derivatives(otherwise, a, data)
    for _ in range(PATIENCE):
        score, towards = found.score[:k], found.hessian[:k, k]
        step, tangent = _solved(-found.hessian[:k, :k], np.column_stack((score, towards))).T
        gain = float(score @ step)
        if gain < tolerance:
            return Point(
                a=a,
                value=found.value + gain / 2,
                slope=float(found.score[k] + towards @ step),
                curvature=float(found.hessian[k, k] + towards @ tangent),
                theta=theta + step,
                tangent=tangent,
            )
        theta, found = _uphill(theta, step, gain, found.value, a, data)
    raise NonConvergence(f"selection model: rho held at {math.tanh(a):.5f}: not converged after {PATIENCE} iterations")


def _solved(information: Array, right: Array) -> Array:
    try:
        # numpy's small solvers throughout: scipy's start threads even for 30 columns and may wait for them.
        np.linalg.cholesky(information)
        return np.asarray(np.linalg.solve(information, right))
    except np.linalg.LinAlgError:  # concave in theory, flat to rounding
        values, vectors = np.linalg.eigh(information)
        sizes = np.maximum(np.abs(values), 1e-12 * np.abs(values).max())
        return np.asarray(vectors @ ((vectors.T @ right) / sizes[:, None]))


def _uphill(
    theta: Array, step: Array, gain: float, value: float, a: float, data: SelectionData
) -> tuple[Array, Derivatives]:
    """The first of step, half of it, a quarter, ... that gains a share of what it promises."""
    size = 1.0
    noise = 1e-14 * abs(value)
    moved = theta + step
    found = derivatives(moved, a, data)
    reached = found.value
    while not reached > value + 0.01 * size * gain - noise:
        size /= 2
        if size < 1e-12:
            raise NonConvergence(f"selection model: rho held at {math.tanh(a):.5f}: no step gains")
        moved = theta + size * step
        reached = log_likelihood(moved, a, data)
    return moved, found if size == 1 else derivatives(moved, a, data)


def trace(start: Array, data: SelectionData, *, further: Iterable[float] = ()) -> tuple[list[Point], tuple[str, ...]]:
    """Points of the profile from -LIMIT to LIMIT, close enough together to show each of its hills.

    `start` is the maximum for rho = 0; `further` values of a (the two-step solution's) become points too. Where no
    point is reached the trace of that side ends; the second result says so.
    """
    coarse = max(_COARSE, 1e-5 * (data.responded + len(data.outside)))
    middle = point_at(0.0, start, data, tolerance=FINE)
    points, ended = [middle], []
    for side in (-1, 1):
        last, before = middle, None
        try:
            for a in sorted({*_STEPS, *(abs(x) for x in further if 0 < x * side < LIMIT)}):
                last, before = _next(last, before, side * a, data, coarse), last
                points.append(last)
        except NonConvergence:
            ended.append(f"The likelihood could not be followed beyond rho {math.tanh(last.a):.5f}.")
    points.sort(key=lambda point: point.a)
    found = [points[0]]
    for left, right in itertools.pairwise(points):
        try:
            found += _between(left, right, data, coarse)
        except NonConvergence:
            found.append(right)
            ended.append(
                f"The likelihood was not followed closely from rho {math.tanh(left.a):.3f} to {math.tanh(right.a):.3f}."
            )
    return found, tuple(ended)


def _next(last: Point, before: Point | None, a: float, data: SelectionData, tolerance: float) -> Point:
    """The next point of the trace, from where the two before it point to (the rule of Adams and Bashforth)."""
    gap = a - last.a
    ahead = last.theta + gap * last.tangent
    # Tangents of points close together differ by what their climbs left over, which this quotient would blow up.
    if before is not None and abs(last.a - before.a) > 0.2 * abs(gap):
        ahead = ahead + gap**2 / 2 * (last.tangent - before.tangent) / (last.a - before.a)
    return point_at(a, ahead, data, tolerance=tolerance, otherwise=last.theta)


def _between(left: Point, right: Point, data: SelectionData, tolerance: float) -> list[Point]:
    """The points needed between two, and the right one."""
    if right.a - left.a < 2 * _NARROW or not _doubtful(left, right):
        return [right]
    middle = _inside((left.a + right.a) / 2, left, right, data, tolerance)
    return _between(left, middle, data, tolerance) + _between(middle, right, data, tolerance)


def _doubtful(left: Point, right: Point) -> bool:
    """Could the profile between two points do something that its ends do not tell?

    The trapezoidal rule with corrected ends gives the gain between them from slopes and curvatures; a hidden rise and
    fall would show as a gap to the true gain, beside a slope that is nowhere near zero.
    """
    gap = right.a - left.a
    expected = gap / 2 * (left.slope + right.slope) + gap**2 / 12 * (left.curvature - right.curvature)
    one_way = left.slope * right.slope > 0
    sizes = (abs(left.slope), abs(right.slope))
    scale = gap * (0.1 * min(sizes) if one_way else 0.05 * sum(sizes))
    slopes = _curve(left, right).deriv()(np.linspace(0, 1, 33))
    turns = int((np.diff(np.sign(slopes)) != 0).sum())
    return abs(right.value - left.value - expected) > max(0.05, scale) or turns > (0 if one_way else 1)


def _curve(left: Point, right: Point) -> Polynomial:
    """The quintic in u = (a - left) / gap that has both ends' values, slopes and curvatures."""
    gap = right.a - left.a
    low, high = (np.array([p.value - left.value, gap * p.slope, gap**2 * p.curvature]) for p in (left, right))
    rest = high - [low[0] + low[1] + low[2] / 2, low[1] + low[2], low[2]]
    upper = np.array([[10.0, -4.0, 0.5], [-15.0, 7.0, -1.0], [6.0, -3.0, 0.5]]) @ rest
    return Polynomial(np.concatenate(([low[0], low[1], low[2] / 2], upper)))


def _inside(a: float, left: Point, right: Point, data: SelectionData, tolerance: float) -> Point:
    """The profile at a between two points, starting from the cubic through both ends' theta and tangents."""
    gap = right.a - left.a
    u = (a - left.a) / gap
    start = (
        (1 + 2 * u) * (1 - u) ** 2 * left.theta
        + u * (1 - u) ** 2 * gap * left.tangent
        + u**2 * (3 - 2 * u) * right.theta
        - u**2 * (1 - u) * gap * right.tangent
    )
    return point_at(a, start, data, tolerance=tolerance, otherwise=left.theta if u < 0.5 else right.theta)


def crossing(left: Point, right: Point, level: float | None, data: SelectionData) -> Point:
    """Where between two points the profile takes the value `level`, or its slope is nil where `level` is None.

    The root of the interpolating quintic, with the bracket kept; halved where that is slow. Ends where the value is
    level but for a millionth, or where moving a on can gain no more than a ten-thousandth.
    """

    def miss(point: Point) -> float:
        return point.slope if level is None else point.value - level

    for turn in range(PATIENCE):
        curve = _curve(left, right)
        of = curve.deriv() if level is None else curve - (level - left.value)
        u = 0.5
        if turn % 4 != 3 and of(0.0) * of(1.0) < 0:
            u = min(max(float(optimize.brentq(of, 0.0, 1.0, xtol=1e-12)), 1e-6), 1 - 1e-6)
        point = _inside(left.a + u * (right.a - left.a), left, right, data, FINE)
        done = point.slope**2 < 2e-4 * abs(point.curvature) if level is None else abs(miss(point)) < 1e-6
        if done or right.a - left.a < 1e-9:
            return point
        left, right = (point, right) if miss(point) * miss(left) > 0 else (left, point)
    raise NonConvergence(f"selection model: no end of the profile between rho {left.a:.5f} and {right.a:.5f}")
