"""Every maximum of the selection likelihood, and which values of the correlation rho it does not reject.

A local maximum of the likelihood is a local maximum of its profile over rho (`selection_path`), and the reverse:
between a point of the profile that rises and the next that falls lies one, which a bracketed search climbs and
Newton's method in all parameters finishes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hhp_stats.errors import NonConvergence
from hhp_stats.estimate.selection_likelihood import SelectionData, derivatives
from hhp_stats.estimate.selection_path import EDGE, FINE, PATIENCE, Point, crossing, point_at, trace
from hhp_stats.regression.model_matrix import Array

_DONE = 1e-16  # what the last Newton steps promise in log likelihood: their rounding is of this order


@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum:
    """A local maximum: theta, a, log likelihood, inverse information (k + 1, k + 1) in (theta, a), and how it was
    reached.

    `decrement` is the log likelihood that one more Newton step would gain, `score` the largest derivative;
    `iterations` counts the steps in all parameters at once, the last of the climb.
    """

    theta: Array
    a: float
    value: float
    covariance: Array
    decrement: float
    score: float
    iterations: int

    @property
    def rho(self) -> float:
        """The correlation."""
        return math.tanh(self.a)

    @property
    def edge(self) -> bool:
        """Is it an edge solution?"""
        return abs(self.rho) > EDGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The traced profile with its stationary points, between any two of which it only rises or only falls.

    `ended` says where it could not be followed or a hill not be climbed; nearly always empty.
    """

    points: tuple[Point, ...]
    maxima: tuple[Maximum, ...]  # by rho
    ended: tuple[str, ...]

    @property
    def runs_to(self) -> tuple[Point, ...]:
        """The ends of the trace at which the profile still rises outwards: there rho runs to -1 or 1."""
        return tuple(end for end, side in ((self.points[0], -1), (self.points[-1], 1)) if side * end.slope > 0)

    def highest(self) -> Maximum:
        """The highest maximum with |rho| up to EDGE; where there is none, the highest edge solution.

        Raises NonConvergence where every climb runs to -1 or 1 or fails. Where the likelihood only rises towards an
        end, the effect depends on how near one goes, so no number is given.
        """
        if not self.maxima:
            ends = " and to ".join(
                f"{math.copysign(1, p.a):.0f} (log likelihood {p.value:.3f} at {math.tanh(p.a):.4f})"
                for p in self.runs_to
            )
            found = f"rho runs to {ends}; the likelihood has no maximum inside" if ends else "no maximum was reached"
            raise NonConvergence(" ".join((f"selection model: {found}.", *self.ended)))
        return max(self.maxima, key=lambda maximum: (not maximum.edge, maximum.value))


def profile(start: Array, data: SelectionData, *, further: Iterable[float] = ()) -> Profile:
    """Trace the profile and climb each of its hills. `start` is the maximum for rho = 0."""
    points, ended = trace(start, data, further=further)
    found, maxima = [points[0]], list[Maximum]()
    for right in points[1:]:
        left = found[-1]
        try:
            if left.slope > 0 >= right.slope:
                top = _finished(crossing(left, right, None, data), data)
                # A slope that rounding has turned round shows one hill twice.
                if not maxima or top.a - maxima[-1].a > 1e-6:
                    maxima.append(top)
                    found.append(point_at(top.a, top.theta, data, tolerance=FINE))
            elif left.slope < 0 <= right.slope:
                found.append(crossing(left, right, None, data))
        except NonConvergence as problem:
            ended = (*ended, f"{problem}.")
        found.append(right)
    points = sorted(found, key=lambda point: point.a)
    return Profile(points=tuple(points), maxima=tuple(maxima), ended=ended)


def _finished(near: Point, data: SelectionData) -> Maximum:
    """Newton's method in all parameters until a step gains nothing more."""
    k = len(near.theta)
    place = np.append(near.theta, near.a)
    promised = math.inf
    for iterations in range(PATIENCE):
        found = derivatives(place[:k], float(place[k]), data)
        try:
            np.linalg.cholesky(-found.hessian)
        except np.linalg.LinAlgError as problem:
            raise NonConvergence(
                f"selection model: the point at rho {math.tanh(near.a):.5f} is no maximum"
            ) from problem
        step = np.linalg.solve(-found.hessian, found.score)
        left = float(found.score @ step)
        if left < _DONE or left >= 0.1 * promised:
            return Maximum(
                theta=place[:k],
                a=float(place[k]),
                value=found.value,
                covariance=np.asarray(np.linalg.inv(-found.hessian)),
                decrement=left,
                score=float(np.abs(found.score).max()),
                iterations=iterations,
            )
        place, promised = place + step, left
    raise NonConvergence(f"selection model: not converged near rho {math.tanh(near.a):.5f}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Which values of rho a likelihood-ratio test does not reject: an interval, and stretches apart from it.

    `gaps` are stretches inside the interval that are rejected: it spans every maximum inside the edges. `apart` are
    those that hold edge solutions only.
    """

    low: float
    high: float
    gaps: tuple[tuple[float, float], ...]
    apart: tuple[tuple[float, float], ...]


def accepted(found: Profile, maximum: Maximum, *, drop: float, data: SelectionData) -> Accepted:
    """The values of rho whose profile is at most `drop` below `maximum`."""
    level = maximum.value - drop
    stretches, begin = [], -math.inf
    for left, right in itertools.pairwise(found.points):
        above = (left.value >= level, right.value >= level)
        if above == (False, True):
            begin = crossing(left, right, level, data).a
        elif above == (True, False):
            stretches.append((begin, crossing(left, right, level, data).a))
    if found.points[-1].value >= level:
        stretches.append((begin, math.inf))
    wanted = [maximum.a] if maximum.edge else [other.a for other in found.maxima if not other.edge]
    main = [(low, high) for low, high in stretches if any(low <= a <= high for a in wanted)]
    gaps = [(left[1], right[0]) for left, right in itertools.pairwise(main)]
    rest = [stretch for stretch in stretches if stretch not in main]
    return Accepted(
        low=math.tanh(main[0][0]),
        high=math.tanh(main[-1][1]),
        gaps=_as_rho(gaps),
        apart=_as_rho(rest),
    )


def _as_rho(stretches: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    return tuple((math.tanh(low), math.tanh(high)) for low, high in stretches)
