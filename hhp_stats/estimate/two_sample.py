"""Two arms and nothing else: Welch's test from people, from printed summaries, and what rounding leaves open."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hhp_stats.calls.typed import check_fields, typed
from hhp_stats.errors import InvalidInput, NoObservations
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.model_matrix import Array, as_numbers, refuse_unsquarable
from hhp_stats.regression.spread import spread
from hhp_stats.results.frame import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """One arm as printed: mean, standard error of the mean, n, and half a unit of the last printed digit of each.

    The true mean lies within `mean_margin` of `mean`; zero where the figure is exact.
    """

    mean: float
    std_error: float
    n: int
    mean_margin: float = 0.0
    std_error_margin: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.n < 2:
            raise NoObservations(f"an arm of {self.n} has no variance")
        if not (math.isfinite(self.mean) and math.isfinite(self.std_error)) or self.std_error < 0:
            raise InvalidInput(
                f"mean {self.mean} and standard error {self.std_error} must be finite, the latter not negative"
            )
        if min(self.mean_margin, self.std_error_margin) < 0:
            raise InvalidInput("a rounding margin cannot be negative")

    @property
    def sd(self) -> float:
        """Standard deviation implied: std_error * sqrt(n)."""
        return self.std_error * math.sqrt(self.n)

    def printed_as_sd(self) -> ArmSummary:
        """The same arm if what was printed as a standard error is in truth a standard deviation."""
        return self.rescaled(1 / math.sqrt(self.n))

    def rescaled(self, factor: float) -> ArmSummary:
        """The same arm with its standard error, and its margin, times `factor`."""
        return replace(self, std_error=self.std_error * factor, std_error_margin=self.std_error_margin * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class PRange:
    """The smallest and largest p-value that the rounded figures allow."""

    low: float
    high: float

    def allows(self, low: float, high: float) -> bool:
        """Could the p-value lie in [low, high]?"""
        return self.low <= high and self.high >= low


@typed
def welch(*, outcome: Array, treatment: Array, conf_level: float = 0.95) -> Estimate:
    """By how much do the means of two arms differ, if their variances may differ too?

    mean(treatment = 1) - mean(treatment = 0), std_error = sqrt(s1^2/n1 + s0^2/n0), Satterthwaite's degrees of
    freedom. outcome, treatment (n,). Assumes independent people. Refuses missing values, arms other than 0
    and 1 (InvalidInput), fewer than two people in an arm (NoObservations), and no variation (InvalidInput).
    Source: Welch (1947), Biometrika 34, 28-35.
    """
    same_people(outcome=outcome, treatment=treatment)
    y, z = as_numbers(outcome, name="outcomes"), as_numbers(treatment, name="treatment")
    if y.shape != z.shape or y.ndim != 1:
        raise InvalidInput(f"outcome {y.shape} and treatment {z.shape} must be one value a person")
    if not np.isfinite(y).all() or not np.isin(z, (0.0, 1.0)).all():
        raise InvalidInput("outcomes must be known and treatment 0 or 1")
    refuse_unsquarable(y, name="the outcome")
    if min((z == 1).sum(), (z == 0).sum()) < 2:
        raise NoObservations("each arm needs two people")
    arms = [
        ArmSummary(mean=float(own.mean()), std_error=spread(own) / math.sqrt(len(own)), n=len(own))
        for own in (y[z == 1], y[z == 0])
    ]
    return welch_from_summary(arms[0], arms[1], conf_level=conf_level)


@typed
def welch_from_summary(first: ArmSummary, second: ArmSummary, *, conf_level: float = 0.95) -> Estimate:
    """Welch's test of first minus second from means, standard errors and numbers of people."""
    std_error = math.hypot(first.std_error, second.std_error)
    if std_error == 0:
        raise InvalidInput("neither arm varies: there is no test")
    return Estimate(
        estimate=first.mean - second.mean,
        std_error=std_error,
        df=_satterthwaite(first, second),
        n=first.n + second.n,
        n_clusters=None,
        method="Welch's t from arm means, standard errors and n",
        conf_level=conf_level,
    )


@typed
def equal_variance_from_summary(first: ArmSummary, second: ArmSummary, *, conf_level: float = 0.95) -> Estimate:
    """Student's test of first minus second: one variance for both arms, n1 + n2 - 2 degrees of freedom."""
    return pooled_contrast((first, second), of=(0, 1), conf_level=conf_level)


@typed
def pooled_contrast(arms: tuple[ArmSummary, ...], *, of: tuple[int, int], conf_level: float = 0.95) -> Estimate:
    """How do two of several arms differ, in a regression on all arms with one residual variance?

    s^2 = sum (n - 1) sd^2 / (N - arms); std_error = s sqrt(1/n1 + 1/n2), N - arms degrees of freedom. Exactly
    what least squares on arm dummies gives. Refuses arms that are the same or not there (InvalidInput).
    """
    first, second = of
    if first == second or not all(0 <= i < len(arms) for i in of):
        raise InvalidInput(f"a contrast needs two of {len(arms)} arms, not {of}")
    df = sum(arm.n for arm in arms) - len(arms)
    variance = sum((arm.n - 1) * arm.sd**2 for arm in arms) / df
    if variance == 0:
        raise InvalidInput("no arm varies: there is no test")
    return Estimate(
        estimate=arms[first].mean - arms[second].mean,
        std_error=math.sqrt(variance * (1 / arms[first].n + 1 / arms[second].n)),
        df=df,
        n=sum(arm.n for arm in arms),
        n_clusters=None,
        method=f"pooled variance of {len(arms)} arms, t({df})",
        conf_level=conf_level,
    )


@typed
def welch_p_range(first: ArmSummary, second: ArmSummary) -> PRange:
    """Which p-values are compatible with the rounding of the printed means and standard errors?

    p falls with the distance of the means and rises with each standard error, so its extremes are at the
    corners of the box of unrounded values, or at equal means where these are possible (p = 1). A standard
    error of zero after rounding is taken as positive but small: the lower end is then 0.
    """
    return _corner_range((first, second), lambda arms: welch_from_summary(arms[0], arms[1]).p_value, of=(0, 1))


@typed
def pooled_p_range(arms: tuple[ArmSummary, ...], *, of: tuple[int, int]) -> PRange:
    """The same for `pooled_contrast`: every standard error moves, and the two means of the contrast."""
    return _corner_range(arms, lambda moved: pooled_contrast(moved, of=of).p_value, of=of)


def _corner_range(
    arms: tuple[ArmSummary, ...], p_value: Callable[[tuple[ArmSummary, ...]], float], *, of: tuple[int, int]
) -> PRange:
    first, second = (arms[i] for i in of)
    gap, slack = first.mean - second.mean, first.mean_margin + second.mean_margin
    found = []
    for signs in itertools.product((-1, 1), repeat=len(arms)):
        errors = [arm.std_error + sign * arm.std_error_margin for arm, sign in zip(arms, signs, strict=True)]
        for difference in (gap - slack, gap + slack):
            if min(errors) < 0:
                continue  # a standard error is not negative: the box ends at zero
            moved = tuple(
                replace(arm, mean=difference if i == of[0] else 0.0, std_error=error)
                for i, (arm, error) in enumerate(zip(arms, errors, strict=True))
            )
            if any(error > 0 for error in errors):
                found.append(p_value(moved))
            else:
                found.append(0.0 if difference != 0 else 1.0)
    # Rounded to zero, or smaller than its own margin: it may be as small as it likes.
    if all(arm.std_error <= arm.std_error_margin for arm in arms):
        found.append(0.0)
    # With a little room, since .005 has no exact double.
    high = 1.0 if abs(gap) <= slack * (1 + 1e-9) else max(found)
    return PRange(low=min(found), high=high)


def _satterthwaite(first: ArmSummary, second: ArmSummary) -> float:
    a, b = first.std_error**2, second.std_error**2
    return (a + b) ** 2 / (a * a / (first.n - 1) + b * b / (second.n - 1))
