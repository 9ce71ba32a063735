"""Blocks of simulated cluster trials: people drawn, arms given, least squares with CR1 (for `power`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from hhp_stats.calls.typed import check_fields
from hhp_stats.errors import InvalidInput

Array = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDesign:
    """A cluster trial before it happens.

    `cluster_sizes` people in each team; `strata` a label for each team (none: one stratum);
    `stratum_sd` standard deviation between strata of baseline and outcome alike, on top of the unit
    variance within; `icc` between-team share of that unit variance (for a binary outcome, of
    p (1 - p)); `baseline_correlation` of baseline and endline, the same between and within teams (0:
    no baseline covariate); `attrition` share of people lost at random; `strata_in_model` whether the
    analysis has stratum dummies. A binary outcome has `control_rate` and no baseline: nobody has left
    their post before the trial starts (contradiction C80).
    """

    cluster_sizes: tuple[int, ...]
    icc: float
    strata: tuple[int, ...] | None = None
    stratum_sd: float = 0.0
    baseline_correlation: float = 0.0
    outcome: Literal["continuous", "binary"] = "continuous"
    control_rate: float | None = None
    attrition: float = 0.0
    strata_in_model: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        if len(self.cluster_sizes) < 4 or min(self.cluster_sizes) < 1:
            raise InvalidInput("a simulated trial needs at least four teams of at least one person")
        if self.strata is not None and len(self.strata) != len(self.cluster_sizes):
            raise InvalidInput(f"{len(self.strata)} strata for {len(self.cluster_sizes)} teams")
        if not 0 <= self.icc < 1 or not 0 <= self.attrition < 1 or not 0 <= self.stratum_sd < math.inf:
            raise InvalidInput("icc and attrition must lie in 0..1, and stratum_sd not be negative")
        if not -1 < self.baseline_correlation < 1:
            raise InvalidInput("the baseline correlation must lie between -1 and 1")
        if self.outcome == "binary":
            if self.control_rate is None or not 0 < self.control_rate < 1:
                raise InvalidInput("a binary outcome needs control_rate between 0 and 1")
            if self.baseline_correlation or self.stratum_sd:
                raise InvalidInput("a binary outcome is simulated without baseline correlation and stratum differences")

    @property
    def people(self) -> int:
        """People randomised."""
        return sum(self.cluster_sizes)


def team_sizes(*, people: int, mean_size: float, size_cv: float) -> tuple[int, ...]:
    """Sizes of the teams of a trial of which only total, mean and variation are known.

    Quantiles of a gamma distribution with that mean and coefficient of variation, at the middle of
    equal steps, rounded to at least one person; the remainder is spread over the largest teams so
    that they add up to `people`. No randomness.
    Refuses a mean size below one or above `people`, a negative variation (InvalidInput).
    """
    count = round(people / mean_size) if mean_size > 0 else 0
    if not 1 <= mean_size <= people or not 0 <= size_cv < math.inf or count < 1:
        raise InvalidInput("mean_size must lie between one and the number of people, and size_cv not be negative")
    middles = (np.arange(count) + 0.5) / count
    exact = stats.gamma.ppf(middles, size_cv**-2) * mean_size * size_cv**2 if size_cv else np.full(count, mean_size)
    sizes = np.maximum(1, np.rint(exact)).astype(np.int64)
    step = int(np.sign(people - sizes.sum()))
    place = count - 1
    while sizes.sum() != people:
        if sizes[place] + step >= 1:
            sizes[place] += step
        place = place - 1 if place else count - 1
    return tuple(int(size) for size in sizes)


def simulated_block(design: TrialDesign, effect: float, draw: Draw, seed: np.random.SeedSequence, count: int) -> Array:
    """A block of trials, people in rows and trials in columns: (3, count)."""
    rng = np.random.default_rng(seed)
    drawn = np.asarray(draw(rng, count), dtype=np.float64).T
    labels = np.unique(design.strata or (0,) * len(design.cluster_sizes), return_inverse=True)[1]
    order = np.argsort(labels, kind="stable")  # teams of a stratum together, so that sums are over runs of rows
    sizes, labels, drawn = np.array(design.cluster_sizes)[order], labels[order], drawn[order]
    treatment = np.repeat(drawn, sizes, axis=0)
    kept = rng.random(treatment.shape) >= design.attrition if design.attrition else None
    if design.outcome == "binary":
        x, y = None, _binary(design, effect, drawn, sizes, rng)
    else:
        x, y = _continuous(design, effect, treatment, labels, sizes, rng)
    return _analyse(treatment, x, y, kept, sizes, labels if design.strata_in_model else np.zeros_like(labels))


def _normal(icc: float, sizes: npt.NDArray[np.int64], columns: int, rng: np.random.Generator) -> Array:
    """Unit-variance normals with correlation icc within teams, (people, columns)."""
    values = rng.standard_normal((int(sizes.sum()), columns))
    values *= math.sqrt(1 - icc)
    values += np.repeat(rng.standard_normal((len(sizes), columns)) * math.sqrt(icc), sizes, axis=0)
    return values


def _continuous(
    design: TrialDesign,
    effect: float,
    treatment: Array,
    labels: npt.NDArray[np.intp],
    sizes: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[Array | None, Array]:
    r, columns = design.baseline_correlation, treatment.shape[1]
    y = _normal(design.icc, sizes, columns, rng)
    x = _normal(design.icc, sizes, columns, rng) if r else None
    if x is not None:
        y *= math.sqrt(1 - r * r)
        y += r * x
    if design.stratum_sd:
        shift = rng.standard_normal((int(labels.max()) + 1, columns)) * design.stratum_sd
        shift = np.repeat(shift[labels], sizes, axis=0)
        y += shift
        if x is not None:
            x += shift
    y += effect * treatment
    return x, y


def _binary(
    design: TrialDesign, effect: float, drawn: Array, sizes: npt.NDArray[np.int64], rng: np.random.Generator
) -> Array:
    rate = float(design.control_rate or 0.0) + effect * drawn
    if design.icc > 0:
        spread = (1 - design.icc) / design.icc
        inside = np.clip(rate, 1e-12, 1 - 1e-12)  # a beta distribution has no mean of exactly 0 or 1
        rate = np.where((rate > 0) & (rate < 1), rng.beta(inside * spread, (1 - inside) * spread), rate)
    return (rng.random((int(sizes.sum()), drawn.shape[1])) < np.repeat(rate, sizes, axis=0)).astype(np.float64)


def _analyse(
    d: Array,
    x: Array | None,
    y: Array,
    kept: npt.NDArray[np.bool_] | None,
    sizes: npt.NDArray[np.int64],
    groups: npt.NDArray[np.intp],
) -> Array:
    """Least squares of y on d, x and group means, with CR1: estimate, std_error, df by column.

    d, x, y (people, trials); `kept` who is analysed; `sizes` people in each team; `groups` (teams,)
    sorted. Frisch-Waugh: group means out of everything, then x out of d and y.
    """
    team_starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    group_sizes = np.bincount(groups, weights=sizes).astype(np.int64)
    group_starts = np.concatenate([[0], np.cumsum(group_sizes)[:-1]])
    if kept is None:
        n: Array = np.full(d.shape[1], float(len(d)))
        clusters: Array = np.full(d.shape[1], float(len(sizes)))
        dummies: Array = np.full(d.shape[1], float(len(group_sizes)))
        counts: Array = np.repeat(group_sizes[:, None], d.shape[1], axis=1).astype(np.float64)
    else:
        counts = np.add.reduceat(kept, group_starts, axis=0, dtype=np.float64)
        n, dummies = counts.sum(axis=0), (counts > 0).sum(axis=0).astype(np.float64)
        clusters = (np.add.reduceat(kept, team_starts, axis=0, dtype=np.int64) > 0).sum(axis=0).astype(np.float64)

    def centred(values: Array) -> Array:
        values = values if kept is None else values * kept
        means = np.add.reduceat(values, group_starts, axis=0) / np.maximum(counts, 1.0)
        values = values - np.repeat(means, group_sizes, axis=0)
        return values if kept is None else values * kept

    def dot(left: Array, right: Array) -> Array:
        out: Array = np.einsum("ij,ij->j", left, right)
        return out

    d, y = centred(d), centred(y)
    if x is not None:
        x = centred(x)
        squares = dot(x, x)
        d -= x * (dot(x, d) / squares)
        y -= x * (dot(x, y) / squares)
    total = dot(d, d)
    if np.any(total <= 1e-9 * n):
        raise InvalidInput("a simulated trial has everyone of each stratum in one arm: merge strata")
    estimate = dot(d, y) / total
    y -= d * estimate
    y *= d
    scores = np.add.reduceat(y, team_starts, axis=0)
    terms = 1 + dummies + (x is not None)
    factor = clusters / (clusters - 1) * (n - 1) / (n - terms)
    std_error = np.sqrt(factor * dot(scores, scores)) / total
    return np.array([estimate, std_error, clusters - 1])
