"""What the wild bootstrap and randomisation inference share: draws as functions of the tested effect.

Both compare the observed t statistic with t statistics of many draws made under "the effect is
effect0". In both, a drawn t is a ratio (linear in effect0) / sqrt(quadratic in effect0), so five numbers a draw
answer every effect0: the interval by inversion costs no further draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import linalg

from hhp_stats.errors import UnknownName
from hhp_stats.regression.gram import triangular_factor
from hhp_stats.regression.model_matrix import Array
from hhp_stats.results.frame import Estimate

Alternative = Literal["two-sided", "greater", "less"]

# Draws that equal the observed one exactly differ from it in the last digits after different sums.
TIE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawMoments:
    """Per draw b: t_b(e) = (linear0 - e linear1) / sqrt(square0 - 2 e square1 + e^2 square2), all (B,).

    `size0, size1, size2` give in the same way a scale that the variance cannot exceed by much, so that
    a variance of zero is told from rounding. `weights` (B,) sum to one where the draws enumerate every
    possibility, and are None where they are a random sample.
    """

    linear0: Array
    linear1: Array
    square0: Array
    square1: Array
    square2: Array
    scale: tuple[float, float, float]
    weights: Array | None = None

    def statistics(self, effect: float = 0.0) -> Array:
        """The drawn t statistics under `effect`, (B,); infinite where the drawn variance is zero."""
        numerator, variance, size = self._at(effect)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = numerator / np.sqrt(np.where(variance > 1e-12 * size, variance, 0.0))
        return np.where(np.isnan(t), 0.0, t)

    def p_value(
        self,
        *,
        effect: float,
        statistic: float,
        alternative: Alternative = "two-sided",
        ties: Literal["weak", "strict"] = "weak",
    ) -> float:
        """Share of draws at least as extreme as `statistic` when the true effect is `effect`.

        `weak` counts draws equal to the observed one (within a relative 1e-9), `strict` does not. With
        random draws the observed one is counted in: (1 + count) / (1 + B), never zero.
        """
        numerator, variance, size = self._at(effect)
        extreme = _at_least(numerator, variance, size, statistic, alternative, ties)
        if self.weights is not None:
            return float(min(1.0, self.weights[extreme].sum()))
        return float((1 + np.count_nonzero(extreme)) / (1 + len(numerator)))

    def _at(self, effect: float) -> tuple[Array, Array, float]:
        numerator = self.linear0 - effect * self.linear1
        variance = self.square0 - 2 * effect * self.square1 + effect**2 * self.square2
        size = self.scale[0] - 2 * effect * self.scale[1] + effect**2 * self.scale[2]
        return numerator, np.maximum(variance, 0.0), max(size, 0.0)


def _at_least(
    numerator: Array, variance: Array, size: float, statistic: float, alternative: str, ties: str
) -> npt.NDArray[np.bool_]:
    """Compare numerator / sqrt(variance) with `statistic` without dividing."""
    sign = 1.0 if ties == "weak" else -1.0
    if alternative == "two-sided":
        right = statistic**2 * variance
        slack = TIE_TOLERANCE * (numerator**2 + right) + 1e-12 * statistic**2 * size
        gap = numerator**2 - right + sign * slack
    elif alternative in ("greater", "less"):
        flip = 1.0 if alternative == "greater" else -1.0
        right = flip * statistic * np.sqrt(variance)
        slack = TIE_TOLERANCE * (np.abs(numerator) + np.abs(right)) + 1e-12 * abs(statistic) * math.sqrt(size)
        gap = flip * numerator - right + sign * slack
    else:
        raise UnknownName(f"no alternative {alternative!r}; there are two-sided, greater, less")
    return gap >= 0 if ties == "weak" else gap > 0


def stack_moments(
    blocks: Sequence[Array], *, scale: tuple[float, float, float], weights: Array | None = None
) -> DrawMoments:
    """Join blocks of shape (5, draws) in the order of the fields of `DrawMoments`."""
    linear0, linear1, square0, square1, square2 = np.concatenate(blocks, axis=1)
    return DrawMoments(
        linear0=linear0,
        linear1=linear1,
        square0=square0,
        square1=square1,
        square2=square2,
        scale=scale,
        weights=weights,
    )


def invert(
    *,
    p_at: Callable[[float], float],
    estimate: float,
    step: float,
    alpha: float,
    side: Literal["low", "high"],
) -> float:
    """Where does the set of effects that the test does not reject end, on one side of the estimate?

    The outermost effect0 with p(effect0) > alpha: looked for at distances of a quarter `step` (the
    standard error) up to ten, then doubling up to a million; refined by bisection between the last
    effect kept and the next one rejected, to 1e-10 of a step. If the farthest effect is still kept, the
    end is infinite. The p-value need not fall steadily; the end reported is the outermost found.
    """
    sign = -1.0 if side == "low" else 1.0
    distances = [0.25 * i for i in range(41)]
    while distances[-1] < 1e6:
        distances.append(distances[-1] * 2)
    kept = 0
    for place, distance in enumerate(distances):
        if p_at(estimate + sign * distance * step) > alpha:
            kept = place
        elif distance > 10 and kept < place - 3:
            break
    if kept == len(distances) - 1:
        return sign * math.inf
    inside, outside = distances[kept], distances[kept + 1]
    while outside - inside > 1e-10 * max(1.0, inside):
        middle = (inside + outside) / 2
        if p_at(estimate + sign * middle * step) > alpha:
            inside = middle
        else:
            outside = middle
    return estimate + sign * inside * step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResamplingTest:
    """A test by draws: the estimate with its p-value and interval, and the draws it rests on."""

    estimate: Estimate  # p_value counts ties (`p_weak`)
    p_weak: float
    p_strict: float
    draws: int
    enumerated: bool  # all possibilities, not a random sample
    moments: DrawMoments
    alternative: Alternative = "two-sided"
    unit: float  # what the estimate is divided by to give the statistic: its standard error, or 1

    def p_at(self, effect: float) -> float:
        """The p-value of the hypothesis that the effect is `effect`, ties counted."""
        statistic = (self.estimate.estimate - effect) / self.unit
        return self.moments.p_value(effect=effect, statistic=statistic, alternative=self.alternative)


def resampling_test(
    *,
    moments: DrawMoments,
    base: Estimate,
    method: str,
    alternative: Alternative = "two-sided",
    interval: bool = True,
    note: str = "",
) -> ResamplingTest:
    """Turn draws into a p-value and an interval around `base` (its estimate, standard error, df).

    The Monte Carlo error of the p value is sqrt(p (1 - p) / draws) for random draws.
    A base without a standard error is its own statistic; the interval is then searched for in steps of
    the spread of the draws.
    """
    estimate = base.estimate
    # A p-value equal to the level rejects; 1 - conf_level misses it by rounding on either side.
    alpha = 1 - base.conf_level + 1e-12
    studentised = not math.isnan(base.std_error)
    unit = base.std_error if studentised else 1.0
    step = unit if studentised else float(np.sqrt(np.mean(moments.linear0**2)))

    def p_at(effect: float) -> float:
        return moments.p_value(effect=effect, statistic=(estimate - effect) / unit, alternative=alternative)

    statistic = estimate / unit
    weak = p_at(0.0)
    strict = moments.p_value(effect=0.0, statistic=statistic, alternative=alternative, ties="strict")
    low, high = -math.inf, math.inf
    if interval and alternative in ("two-sided", "greater"):
        low = invert(p_at=p_at, estimate=estimate, step=step, alpha=alpha, side="low")
    if interval and alternative in ("two-sided", "less"):
        high = invert(p_at=p_at, estimate=estimate, step=step, alpha=alpha, side="high")
    if not interval:  # not left to the t interval of the base, which is not this test's
        note = " ".join(filter(None, (note, "No interval was asked for.")))
    result = Estimate(
        estimate=estimate,
        std_error=base.std_error,
        df=base.df,
        n=base.n,
        n_clusters=base.n_clusters,
        method=method,
        conf_level=base.conf_level,
        statistic=statistic,
        p_value=weak,
        conf_low=low,
        conf_high=high,
        note=" ".join(filter(None, (base.note, note))),
        # A share of random draws is binomial; where every draw is made, nothing is left to chance.
        mc_error_p=math.sqrt(weak * (1 - weak) / len(moments.linear0)) if moments.weights is None else math.nan,
    )
    return ResamplingTest(
        estimate=result,
        p_weak=weak,
        p_strict=strict,
        draws=len(moments.linear0),
        enumerated=moments.weights is not None,
        moments=moments,
        alternative=alternative,
        unit=unit,
    )


def orthonormal_basis(columns: Array) -> Array:
    """Q (n, k) with orthonormal columns, the first j of which span the first j columns given."""
    if not columns.shape[1]:
        return np.zeros((len(columns), 0))
    factor = triangular_factor(columns)
    return np.ascontiguousarray(
        linalg.solve_triangular(factor, columns.T, trans="T", check_finite=False).T, dtype=np.float64
    )
