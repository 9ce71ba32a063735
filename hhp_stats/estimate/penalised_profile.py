"""The penalised likelihood of a logit along one quantity: a coefficient, a probability, or a change of probability."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.linalg import LinAlgError
from scipy import optimize
from scipy.special import expit, logit

from hhp_stats.errors import NonConvergence
from hhp_stats.estimate.logistic import LogitFit
from hhp_stats.estimate.logit_likelihood import evaluate, maximise
from hhp_stats.regression.gram import identified_factor, times, upper_inverse
from hhp_stats.regression.model_matrix import Array, ModelMatrix

# Scoring converges linearly: steps stop at 1e-9 standard errors, not at 1e-6 as for Newton's.
TOLERANCE = 1e-18
# An odds ratio of three million: farther out the information may be singular to the digits of a double, and an end
# there is as good as none.
FARTHEST_LOG_ODDS = 15.0
# On a surface found by bisection they stop at 3e-7: the likelihood is then good to 1e-13, and so are interval ends to
# six digits.
_HELD_TOLERANCE = 1e-13

Arms = Literal["change", "untreated", "treated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """The coefficient of the term in column `place`: a log odds ratio."""

    place: int

    @property
    def solved(self) -> int:
        """The column whose coefficient is found from the others and the value of the quantity."""
        return self.place

    def value(self, b: Array) -> float:
        """At coefficients b (k,)."""
        return float(b[self.place])

    def gradient(self, b: Array) -> Array:
        """Its derivative by b, (k,)."""
        out = np.zeros_like(b)
        out[self.place] = 1.0
        return out

    def solve(self, b: Array, value: float) -> float:
        """The coefficient of the solved column at which the quantity is `value`, the others as in b."""
        return value

    def near(self, b: Array, value: float) -> Array:
        """Coefficients close to b from which `value` can be reached."""
        return b


@dataclass(frozen=True, slots=True, kw_only=True)
class Probability:
    """The mean over rows `at` (m, k) of the probability with the 0/1 term in column `place` at 0, at 1, or the change.

    With one row of column means it is "at the means". The change is solved for the term's own coefficient, a
    probability for that of the constant in column `constant`; both rise with it, so that each value has one solution.
    """

    at: Array
    place: int
    constant: int
    arms: Arms

    @property
    def solved(self) -> int:
        """The column whose coefficient is found from the others and the value of the quantity."""
        return self.place if self.arms == "change" else self.constant

    def _linear(self, b: Array, arm: int) -> Array:
        return np.asarray(self.at @ b - self.at[:, self.place] * b[self.place] + arm * b[self.place])

    def value(self, b: Array) -> float:
        """At coefficients b (k,)."""
        none, all_ = (float(expit(self._linear(b, arm)).mean()) for arm in (0, 1))
        return {"change": all_ - none, "untreated": none, "treated": all_}[self.arms]

    def gradient(self, b: Array) -> Array:
        """Its derivative by b, (k,)."""
        out = np.zeros_like(b)
        for arm, sign in {"change": ((0, -1.0), (1, 1.0)), "untreated": ((0, 1.0),), "treated": ((1, 1.0),)}[self.arms]:
            p = expit(self._linear(b, arm))
            density = p * (1 - p)
            part = density @ self.at / len(self.at)
            part[self.place] = arm * density.mean()
            out += sign * part
        return out

    def solve(self, b: Array, value: float) -> float:
        """The coefficient of the solved column at which the quantity is `value`, the others as in b.

        Refuses a value that no coefficient gives (LinAlgError, which the climb takes for a step too long).
        """
        if self.arms == "change":
            linear = self._linear(b, 0)
            return _shift(linear, float(expit(linear).mean()) + value)
        linear = self._linear(b, int(self.arms == "treated"))
        return _shift(linear - b[self.constant], value)

    def near(self, b: Array, value: float) -> Array:
        """Coefficients close to b from which `value` can be reached: a change by less than the probability at 0
        leaves.
        """
        none, all_ = (float(expit(self._linear(b, arm)).mean()) for arm in (0, 1))
        if self.arms != "change" or 0 < none + value < 1:
            return b
        out = b.copy()
        goal = all_ - value if 0 < all_ - value < 1 else (1 - value) / 2
        out[self.constant] += _shift(self._linear(b, 0), goal)
        return out


def _shift(linear: Array, goal: float) -> float:
    """The s at which the mean of 1 / (1 + exp(-linear - s)) is `goal`."""
    if not 0 < goal < 1:
        raise LinAlgError
    if len(linear) == 1:
        return float(logit(goal) - linear[0])
    middle = float(logit(goal))

    def excess(s: float) -> float:
        return float(expit(linear + s).mean()) - goal

    # At the first end everybody is below the goal, at the last above; a little further out, for rounding.
    low, high = middle - float(linear.max()) - 1e-6, middle - float(linear.min()) + 1e-6
    if not excess(low) < 0 < excess(high):
        raise LinAlgError
    found: float = optimize.brentq(excess, low, high, xtol=1e-14, rtol=1e-14)
    return found


Quantity = Coefficient | Probability


class Held:
    """All coefficients at which a quantity has one value: what `maximise` may move along.

    In coordinates u with b = T u; the last of them is found from the others.
    """

    def __init__(self, quantity: Quantity, turn: Array, value: float) -> None:
        self.quantity, self.turn, self.value = quantity, turn, value
        self.scale = float(turn[quantity.solved, -1])

    def complete(self, u: Array) -> Array:
        """u with its last coordinate such that the quantity has its value."""
        out = u.copy()
        out[-1] = self.quantity.solve(self.turn @ u, self.value) / self.scale
        return out

    def jacobian(self, u: Array) -> Array:
        """The derivative of all coordinates by all but the last, (k, k - 1)."""
        gradient = self.turn.T @ self.quantity.gradient(self.turn @ u)
        return np.vstack([np.eye(len(u) - 1), -gradient[:-1] / gradient[-1]])


class Profile:
    """The largest penalised likelihood at each value of a quantity; remembers the last maximum as the next start."""

    def __init__(self, fit: LogitFit, quantity: Quantity) -> None:
        k, place = len(fit.coefficients), quantity.solved
        order = [j for j in range(k) if j != place]
        others = ModelMatrix(
            values=np.ascontiguousarray(fit.matrix.values[:, order]), names=tuple(fit.matrix.names[j] for j in order)
        )
        self.turn = np.zeros((k, k))  # orthonormal columns of the others, the solved one of unit length
        if order:
            self.turn[np.ix_(order, range(k - 1))] = upper_inverse(identified_factor(others))
        self.turn[place, -1] = 1 / float(np.linalg.norm(fit.matrix.values[:, place]))
        self.q, self.y, self.quantity = times(fit.matrix.values, self.turn), fit.outcome, quantity
        self.best: Array = np.asarray(np.linalg.solve(self.turn, fit.coefficients), dtype=np.float64)
        self.centre = quantity.value(fit.coefficients)
        self.top = evaluate(self.q, self.y, self.best, "firth").value
        bounded = isinstance(quantity, Probability)
        self.farthest = math.inf if bounded else FARTHEST_LOG_ODDS / float(np.ptp(fit.matrix.values[:, place]) or 1.0)
        self.forget()

    def forget(self) -> None:
        """Start the next climb from the estimate itself."""
        self.previous, self.previous_value = self.best, self.centre

    def drop(self, value: float) -> float:
        """2 (l* - l*(value)), not negative."""
        # Along the line through the estimate and the last point, for under separation all terms move together.
        way = self.previous_value - self.centre
        share = (value - self.centre) / way if way else 0.0
        held = Held(self.quantity, self.turn, value)
        try:
            along = self.turn @ (self.best + share * (self.previous - self.best))
            near: Array = np.asarray(np.linalg.solve(self.turn, self.quantity.near(along, value)), dtype=np.float64)
            start = held.complete(near)
            maximum = maximise(
                self.q, self.y, start=start, penalty="firth", max_iterations=200, held=held, tolerance=_HELD_TOLERANCE
            )
        except LinAlgError:
            maximum = None
        if maximum is None or not maximum.converged:
            raise NonConvergence(f"the penalised likelihood has no profile at {value:g}")
        self.previous, self.previous_value = maximum.b, value
        return max(2 * (self.top - maximum.at.value), 0.0)

    def interval(self, *, stride: float, critical: float) -> tuple[float, float]:
        """All values at which the likelihood drops by at most `critical`; `stride` is how far out to look first.

        An end of a coefficient more than fifteen log odds from the estimate, over the range of its term, is infinite
        where the likelihood cannot be climbed any more.
        """
        low, high = (self._crossing(side * stride, critical) for side in (-1.0, 1.0))
        return low, high

    def _crossing(self, stride: float, critical: float) -> float:
        """Where the drop reaches `critical` on one side of the estimate: strides out, then bisection.

        A stride too long for the climb to start from is halved, one that worked is lengthened.
        """
        self.forget()
        inside = self.centre
        for _ in range(80):
            outside = inside + stride
            try:
                if self.drop(outside) > critical:
                    return self._between(inside, outside, critical)
            except NonConvergence:
                if min(abs(inside - self.centre), abs(outside - self.centre)) > self.farthest:
                    return math.copysign(math.inf, stride)
                stride /= 2
                continue
            inside, stride = outside, 1.5 * stride
        raise NonConvergence("the profile of the penalised likelihood does not reach the limit of the interval")

    def _between(self, inside: float, outside: float, critical: float) -> float:
        """Where the drop reaches `critical` between two values, by bisection and secants."""
        try:
            # Relative to the stride: the coefficient of a covariate in large units is itself far below 1e-12.
            near = max(1e-12 * abs(outside - inside), 1e-300)
            return float(optimize.brentq(lambda c: self.drop(c) - critical, inside, outside, xtol=near, rtol=1e-12))
        except ValueError as problem:  # climbed from elsewhere, the same point is no longer outside
            raise NonConvergence(
                f"the profile of the penalised likelihood has no digits left between {inside:g} and {outside:g}"
            ) from problem


def information_error(fit: LogitFit, quantity: Quantity) -> float:
    """The standard error of a quantity by the inverse information and the delta method: for reading, not for
    testing.
    """
    gradient = quantity.gradient(fit.coefficients)
    return math.sqrt(float(gradient @ fit.information_inverse @ gradient))
