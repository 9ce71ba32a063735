"""From survey answers to scores: reverse scoring, composites, standardised scores and sums of them.

The internal consistency of the items is in `reliability.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import numpy as np
import pandas as pd

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, NoObservations, UnknownName
from hhp_stats.regression.inputs import numbers, same_people, truths
from hhp_stats.regression.spread import spread

CompositeRule = Literal["sum", "mean"]
CombinationReading = Literal["r_squared", "correlation"]
Branch = Literal["combined", "components"]


@typed
def reverse_scored(answers: pd.Series, *, low: float, high: float) -> pd.Series:
    """What would the answer be if the item had been worded the other way round?

    low + high - answer, in the units of the item, so that the end-points change places. Missing
    answers stay missing. Refuses answers outside [low, high] (InvalidInput), since these would
    come out on the wrong side of the scale without a trace.
    """
    _refuse_off_scale(answers, low=low, high=high)
    return (low + high) - numbers(answers)


@typed
def composite(
    answers: pd.DataFrame,
    *,
    items: Sequence[str],
    rule: CompositeRule,
    low: float,
    high: float,
    reverse: Sequence[str] = (),
    minimum_share: float = 1.0,
) -> pd.Series:
    """What is each person's score on a scale of several items?

    `mean`: the mean of the answered items. `sum`: that mean times the number of items, so that a
    person who skipped one is scored as if the skipped answer were their own average (person-mean
    imputation; with every item answered it is the plain sum). A score is given where the share of
    items answered is at least `minimum_share` (0 < share <= 1), else it is missing.

    `low` and `high` are the end-points printed for the answers; items named in `reverse` are
    turned round first. One score a row, in the index of `answers`.

    Refuses unknown items (UnknownName), answers off the scale, a share outside (0, 1], items
    listed twice, and `reverse` items that are not among `items` (InvalidInput).
    """
    if rule not in ("sum", "mean"):
        raise UnknownName(f"no rule {rule!r} for a composite; there are sum, mean")
    _refuse_unknown(answers, items)
    if not len(items) or len(set(items)) != len(items):
        raise InvalidInput(f"a composite needs distinct items, not {list(items)}")
    stray = [item for item in reverse if item not in items]
    if stray:
        raise InvalidInput(f"reverse-scored items are not part of the scale: {', '.join(stray)}")
    if not isinstance(minimum_share, Real) or not 0 < minimum_share <= 1:
        raise InvalidInput(f"minimum_share must lie in (0, 1], not {minimum_share}")
    scored = pd.DataFrame(
        {
            item: reverse_scored(answers[item], low=low, high=high)
            if item in reverse
            else _on_scale(answers[item], low=low, high=high)
            for item in items
        },
        index=answers.index,
    )
    answered = scored.notna().sum(axis="columns")
    # A half item cannot be asked for: compare counts, with room for shares such as 2/3 typed as .667.
    enough = answered >= max(1, int(np.ceil(minimum_share * len(items) - 0.01)))
    score = scored.mean(axis="columns").where(enough)
    return score * len(items) if rule == "sum" else score


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardised:
    """A score in units of the standard deviation of a named sample, and what it was divided by."""

    values: pd.Series
    mean: float
    sd: float  # denominator n - 1
    n: int
    sample: str  # in words, for example "control group at baseline"


@typed
def standardise(scores: pd.Series, *, reference: pd.Series, sample: str) -> Standardised:
    """How many standard deviations of a named sample is each score from that sample's mean?

    (score - mean) / sd, both taken over the rows where the boolean `reference` is true and the
    score is known; sd with denominator n - 1. `sample` names that sample for the report, because
    an effect "in standard deviations" has no meaning without it.

    Refuses an index that differs, a reference with missing values or without a name
    (InvalidInput), fewer than two known scores in it (NoObservations), and a sample that does
    not vary (InvalidInput).
    """
    scores = numbers(scores, name="scores")
    if not isinstance(reference, pd.Series) or not scores.index.equals(reference.index):
        raise InvalidInput("the reference sample must be a Series with the index of the scores")
    if reference.isna().any() or not sample:
        raise InvalidInput("the reference sample needs a name and a true or false for every row")
    chosen = truths(reference, name="the reference sample")
    if np.isinf(scores).any():
        raise InvalidInput("a score is infinite")
    known = scores[chosen].dropna()
    if len(known) < 2:
        raise NoObservations(f"{sample}: {len(known)} known scores; two are needed to standardise")
    mean, sd = float(known.mean()), spread(known)
    if not sd > 0:
        raise InvalidInput(f"{sample}: the score does not vary, so it cannot be standardised")
    values = (scores - mean) / sd
    return Standardised(values=values, mean=mean, sd=sd, n=len(known), sample=sample)


@typed
def standardised_sum(scores: pd.DataFrame, *, columns: Sequence[str], reference: pd.Series, sample: str) -> pd.Series:
    """What is the sum of several scores once each counts in its own standard deviations? (Clause P36.)

    The sum over `columns` of `standardise(...)`; missing where any part is missing. Its standard
    deviation is not one: with k parts of average correlation r it is sqrt(k + k(k-1)r).
    """
    _refuse_unknown(scores, columns)
    if not len(columns):
        raise InvalidInput("a sum needs at least one column")
    parts = [standardise(scores[column], reference=reference, sample=sample).values for column in columns]
    return (
        pd.concat(parts, axis="columns")
        .sum(axis="columns", min_count=len(parts))
        .where(pd.concat(parts, axis="columns").notna().all(axis="columns"))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinationRule:
    """Whether two parts of wellbeing may be one outcome, and the numbers the answer rests on."""

    branch: Branch  # what the chosen reading says
    reading: CombinationReading
    correlation: float
    r_squared: float
    threshold: float
    n: int  # persons with both parts
    branch_by_r_squared: Branch
    branch_by_correlation: Branch

    @property
    def readings_agree(self) -> bool:
        """Do both readings of the protocol lead to the same analysis?"""
        return self.branch_by_r_squared == self.branch_by_correlation

    @property
    def reason(self) -> str:
        """One sentence for the report; the numbers are rounded for reading only."""
        other = self.branch_by_correlation if self.reading == "r_squared" else self.branch_by_r_squared
        same = "the other reading agrees" if self.readings_agree else f"the other reading gives: {other}"
        return (
            f"r = {self.correlation:.2f}, R-squared = {self.r_squared:.2f} over {self.n} persons against "
            f"{self.threshold:.2f} ({self.reading.replace('_', '-')} reading): {self.branch}; {same}."
        )


@typed
def combination_rule(
    cognitive: pd.Series,
    affective: pd.Series,
    *,
    reading: CombinationReading = "r_squared",
    threshold: float = 0.5,
) -> CombinationRule:
    """May the cognitive and the affective part be added into one wellbeing score? (Clause P37, C71.)

    The protocol prints two conditions side by side: R-squared above .50 (that is |r| above .707),
    and correlations above .50. `reading` says which decides; both are computed and kept. The
    comparison is strict. A negative correlation never combines, whatever its square: the parts
    are scored so that more is better on both, so a negative one means that a part is upside down.

    `affective` is the affect balance (positive affect plus reverse-scored negative affect). Pairs
    with a missing part are left out and counted. Refuses fewer than three pairs (NoObservations)
    and a part that does not vary (InvalidInput).
    """
    if reading not in ("r_squared", "correlation"):
        raise UnknownName(f"no reading {reading!r}; there are r_squared, correlation")
    parts = [numbers(part, name=name) for part, name in ((cognitive, "cognitive"), (affective, "affective"))]
    same_people(cognitive=parts[0], affective=parts[1])
    pairs = pd.concat(parts, axis="columns").dropna()
    if np.isinf(pairs).any(axis=None):
        raise InvalidInput("a part holds infinite values")
    if len(pairs) < 3:
        raise NoObservations(f"{len(pairs)} persons have both parts; a correlation needs three")
    if (pairs.max() - pairs.min() == 0).any():
        raise InvalidInput("one part does not vary, so the parts have no correlation")
    correlation = float(np.corrcoef(pairs.to_numpy(), rowvar=False)[0, 1])
    r_squared = correlation**2
    by_square: Branch = "combined" if correlation > 0 and r_squared > threshold else "components"
    by_correlation: Branch = "combined" if correlation > threshold else "components"
    return CombinationRule(
        branch=by_square if reading == "r_squared" else by_correlation,
        reading=reading,
        correlation=correlation,
        r_squared=r_squared,
        threshold=threshold,
        n=len(pairs),
        branch_by_r_squared=by_square,
        branch_by_correlation=by_correlation,
    )


def undecided(
    cognitive: pd.Series, affective: pd.Series, *, reading: CombinationReading, threshold: float
) -> CombinationRule:
    """Where `combination_rule` refuses for want of answers: nothing says that the parts are one outcome, so each is
    reported by itself; the correlation is not known (NaN).
    """
    return CombinationRule(
        branch="components",
        reading=reading,
        correlation=float("nan"),
        r_squared=float("nan"),
        threshold=threshold,
        n=int((cognitive.notna() & affective.notna()).sum()),
        branch_by_r_squared="components",
        branch_by_correlation="components",
    )


def _on_scale(answers: pd.Series, *, low: float, high: float) -> pd.Series:
    _refuse_off_scale(answers, low=low, high=high)
    return numbers(answers)


def _refuse_off_scale(answers: pd.Series, *, low: float, high: float) -> None:
    if not (isinstance(low, Real) and isinstance(high, Real) and low < high):
        raise InvalidInput(f"the scale's end-points must be in order, not {low} and {high}")
    given = numbers(answers)
    off = given[(given < low) | (given > high)]
    if len(off):
        raise InvalidInput(f"{answers.name}: {len(off)} answers outside {low:g}..{high:g}, the first {off.iloc[0]:g}")


def _refuse_unknown(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput(f"the answers must be a frame with an item a column, not {type(frame).__name__}")
    if isinstance(columns, str):
        raise InvalidInput(f"items are a list of columns, not the one name {columns!r}")
    unknown = [column for column in columns if column not in frame.columns]
    if unknown:
        raise UnknownName(f"no column {', '.join(map(str, unknown))} among the answers")
