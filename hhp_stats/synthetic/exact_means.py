"""Answers on whole-number scales whose group mean and standard error come out at printed figures.

A score is a weighted sum of items plus a constant. Single answers are moved by one step until the mean and the
standard error of the scores lie close to the wanted ones; answers never leave their scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from hhp_stats.consistency.figures import Figures
from hhp_stats.errors import InvalidInput

Array = npt.NDArray[np.float64]
CLOSE = 0.15  # of the rounding margin: the figures then survive later rounding with room to spare
TRIES = 200_000
IDLE = 10_000  # proposals without a gain after which nothing nearer is expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The mean and standard error that one arm must have, and how far each may be off."""

    n: int
    mean: float
    std_error: float
    mean_margin: float
    std_error_margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """The items of a score: weight, ends and step of each, and the constant added to the weighted sum."""

    weights: Array
    low: Array
    high: Array
    step: Array
    constant: float

    def score(self, answers: Array) -> Array:
        """Scores (n,) of answers (n, items)."""
        return np.asarray(answers @ self.weights + self.constant, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Adjusted answers, the mean and standard error they have, and whether both lie within the margins."""

    answers: Array
    mean: float
    std_error: float
    within: bool
    moves: int


def adjust(*, answers: Array, items: Items, target: Target, rng: np.random.Generator, tries: int = TRIES) -> Reached:
    """Move answers by single steps until mean and standard error are close to the target.

    Greedy: a step, or two in opposite directions, is kept if it shortens the distance ((mean gap / margin)^2 +
    (standard error gap / margin)^2). Stops at 15% of the margins, else when nothing nearer was found for long, or
    after `tries` proposals. Refuses another number of people than the target's, and answers off their scale
    (InvalidInput).
    """
    found = np.array(answers, dtype=np.float64)
    n = len(found)
    if n != target.n:
        raise InvalidInput(f"{n} people for a group of {target.n}")
    if (found < items.low).any() or (found > items.high).any():
        raise InvalidInput("an answer lies off its scale")
    score = items.score(found)
    total, squares = float(score.sum()), float((score**2).sum())

    def distance(total: float, squares: float) -> float:
        variance = max((squares - total**2 / n) / (n - 1), 0.0)
        gaps = (
            (total / n - target.mean) / target.mean_margin,
            (math.sqrt(variance / n) - target.std_error) / target.std_error_margin,
        )
        return gaps[0] ** 2 + gaps[1] ** 2

    now, moves, last = distance(total, squares), 0, 0
    for number in range(tries):
        if now < CLOSE**2 or number - last > IDLE:
            break
        # Odd proposals move one answer, even ones two in opposite directions: the spread without the mean.
        people, columns = rng.integers(0, n, 2), rng.integers(0, len(items.weights), 2)
        sign = 1.0 if rng.random() < 0.5 else -1.0
        steps = [(people[0], columns[0], sign)]
        if number % 2 == 0 and people[0] != people[1]:
            opposite = -sign * np.sign(items.weights[columns[0]] * items.weights[columns[1]])
            steps.append((people[1], columns[1], float(opposite)))
        changes, sums = [], (total, squares)
        for person, column, direction in steps:
            value = found[person, column] + direction * items.step[column]
            if items.low[column] <= value <= items.high[column]:
                change = direction * items.step[column] * items.weights[column]
                sums = sums[0] + change, sums[1] + change * (2 * score[person] + change)
                changes.append((person, column, value, change))
        then = distance(*sums)
        if len(changes) == len(steps) and then < now:
            for person, column, value, change in changes:
                found[person, column], score[person] = value, score[person] + change
            (total, squares), now, moves, last = sums, then, moves + 1, number
    mean, error = float(score.mean()), float(stats.sem(score))
    within = abs(mean - target.mean) < target.mean_margin and abs(error - target.std_error) < target.std_error_margin
    return Reached(answers=found, mean=mean, std_error=error, within=within, moves=moves)


def targets(figures: Figures, prefix: str, *, rng: np.random.Generator, draws: int = 20_000) -> dict[str, Target]:
    """The targets of both arms of one printed comparison.

    Where the printed p-value is compatible with the printed means and standard errors, the targets are the point
    within their rounding, nearest to its middle, that gives the p-value too; else the printed figures themselves.
    """
    middle, margin, counts = [], [], {}
    for arm in ("T", "C"):
        counts[arm] = int(figures.row(f"{prefix}-{arm}-N")["value"])
        for part in ("M", "SE"):
            printed = figures.printed(f"{prefix}-{arm}-{part}")
            middle.append(printed.value)
            margin.append(printed.margin)
    centre, reach = np.array(middle), np.array(margin)
    p = figures.printed(f"{prefix}-P")
    # Random points of the rounding box, and those on which both means and both standard errors move alike.
    steps = np.linspace(-0.92, 0.92, 93)
    apart, wide = (grid.ravel() for grid in np.meshgrid(steps, steps))
    offsets = np.vstack([np.zeros(4), rng.uniform(-0.9, 0.9, (draws, 4)), np.column_stack([apart, wide, -apart, wide])])
    points = centre + offsets * reach
    t = (points[:, 0] - points[:, 2]) / np.hypot(points[:, 1], points[:, 3])
    reached = 2 * stats.t.sf(np.abs(t), counts["T"] + counts["C"] - 2)
    fits = np.abs(reached - p.value) < 0.25 * p.margin
    chosen = centre
    if fits.any():
        chosen = points[fits][np.argmin((offsets[fits] ** 2).sum(axis=1))]
    # What the point leaves of the rounding interval on its nearer side.
    left = reach - np.abs(chosen - centre)
    return {
        name: Target(
            n=counts[arm],
            mean=float(chosen[at]),
            std_error=float(chosen[at + 1]),
            mean_margin=float(left[at]),
            std_error_margin=float(left[at + 1]),
        )
        for name, arm, at in (("treatment", "T", 0), ("control", "C", 2))
    }
