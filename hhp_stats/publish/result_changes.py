"""Which results moved between two result frames, and which conclusions flipped with them?"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import pandas as pd

from hhp_stats.present.numbers import alpha_of, limit_of_p
from hhp_stats.results.frame import changed_results
from hhp_stats.tails import student_quantile

SAME = 1e-9  # relative; other processors round the last bits of a sum differently
RATIOS = ("ratio", "odds_ratio", "risk_ratio")  # estimands whose "no difference" is one
OF_AN_ARM = ("mean_", "sd_", "predicted_")  # estimands of one arm: their p against zero concludes nothing
FlipKind = Literal["direction", "interval", "significance", "estimable", "rank"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultChange:
    """A result that moved, appeared or vanished. Missing estimates are nan."""

    result_id: str
    analysis: str
    change: Literal["moved", "new", "gone"]
    columns: tuple[str, ...]  # numbers of the row that differ
    old: float
    new: float
    std_error: float = math.nan  # of the earlier estimate; of the later one where there was none
    primary: bool = False  # of a primary outcome

    @property
    def absolute(self) -> float:
        """New minus old estimate."""
        return self.new - self.old

    @property
    def relative(self) -> float:
        """The change as a share of the old estimate's size; nan where that is zero or missing."""
        return self.absolute / abs(self.old) if self.old else math.nan

    @property
    def in_std_errors(self) -> float:
        """How far the estimate moved, in standard errors: without a sign, nan where there is none to compare with."""
        return abs(self.absolute) / self.std_error if self.std_error > 0 else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A conclusion that reads otherwise than before."""

    result_id: str
    analysis: str
    kind: FlipKind
    was: str
    now: str


def result_changes(
    old: pd.DataFrame, new: pd.DataFrame, *, primary: Collection[tuple[str, str]] = ()
) -> list[ResultChange]:
    """Every result whose row differs in a number by more than rounding noise, in the order of the frames.

    `primary`: study and outcome of each primary outcome.
    """
    found = changed_results(old, new, tolerance=SAME)
    frames = [frame.set_index("result_id") for frame in (old, new)]
    changes = []
    for key, part in found.groupby("result_id", sort=False):
        result_id, kind = str(key), part["change"].iloc[0]
        before, after = (_value(frame, result_id) for frame in frames)
        last = frames[1] if result_id in frames[1].index else frames[0]
        errors = [_std_error(frame, result_id) for frame in frames]
        changes.append(
            ResultChange(
                result_id=result_id,
                analysis=str(last.loc[result_id, "analysis"]),
                change=kind,
                old=before,
                new=after,
                columns=tuple(part["column"]) if kind == "moved" else (),
                std_error=errors[0] if errors[0] > 0 else errors[1],
                primary=tuple(result_id.split("/")[:2]) in primary,
            )
        )
    return changes


def _value(frame: pd.DataFrame, result_id: str) -> float:
    return float(frame.loc[result_id, "estimate"]) if result_id in frame.index else math.nan  # type: ignore[arg-type]


def _std_error(frame: pd.DataFrame, result_id: str) -> float:
    """The standard error of a row; half its interval in normal quantiles where it has an interval alone."""
    if result_id not in frame.index:
        return math.nan
    row = frame.loc[[result_id]].iloc[0].to_dict()
    if row["std_error"] > 0:
        return float(row["std_error"])
    half = (float(row["conf_high"]) - float(row["conf_low"])) / 2
    return half / float(student_quantile(0.5 + float(row["conf_level"]) / 2, math.inf))


def largest(changes: Sequence[ResultChange]) -> list[ResultChange]:
    """Moved results by how much they matter: planned analyses of primary outcomes, the other planned ones, the rest;
    within each by how many standard errors the estimate moved.

    What appeared or vanished, or can be estimated no more, comes before what moved; what has no standard error last.
    """

    def place(change: ResultChange) -> tuple[int, float]:
        planned = change.analysis == "planned"
        rank = 0 if planned and change.primary else 1 if planned else 2
        known = [not math.isnan(value) for value in (change.old, change.new)]
        if known[0] != known[1]:
            return rank, -math.inf
        return rank, 0.0 if math.isnan(change.in_std_errors) else -change.in_std_errors

    return sorted(changes, key=place)


def flips(old: pd.DataFrame, new: pd.DataFrame) -> list[Flip]:
    """Conclusions that changed between two result frames, planned analyses first.

    A row has a conclusion if it compares arms and has a p value, or is a benefit-cost ratio with an interval. What is
    concluded is that there is a difference on one side (the interval excludes zero, or one for a ratio; of a row
    without an interval, p is below the level) or that there may be none, and whether it could be estimated at all. So a
    sign that turns counts only where one of the two intervals excludes no difference: from -0.004 to 0.003 nothing was
    concluded that is not concluded now. A row flips once: by its side, else by its interval, else by its p value. For
    interventions that are compared by the same outcome, estimand and method, the order of their estimates is a
    conclusion too, where two that change places differ by more than chance before or after (independent studies).
    """
    before, after = ({str(row["result_id"]): row for row in frame.to_dict("records")} for frame in (old, new))
    found: list[Flip] = []
    for result_id in (key for key in after if key in before):
        was, now = before[result_id], after[result_id]
        if not (_concludes(was) or _concludes(now)):
            continue
        for kind, left, right in _readings(was, now):
            if left != right:
                found.append(Flip(result_id=result_id, analysis=now["analysis"], kind=kind, was=left, now=right))
                break
    found += _rank_flips(before, after)
    order = {"planned": 0, "sensitivity": 1, "exploratory": 2}
    return sorted(found, key=lambda flip: order.get(flip.analysis, 3))


def _concludes(row: Mapping[Any, Any]) -> bool:
    if str(row["estimand"]).startswith(OF_AN_ARM):
        return False
    return not pd.isna(row["p_value"]) or (row["estimand"] in RATIOS and not pd.isna(row["conf_low"]))


def _readings(was: Mapping[Any, Any], now: Mapping[Any, Any]) -> list[tuple[FlipKind, str, str]]:
    estimated = [row["status"] == "estimated" for row in (was, now)]
    if not all(estimated):
        words = ["estimated" if each else "not estimated" for each in estimated]
        return [("estimable", words[0], words[1])]
    pairs: list[tuple[FlipKind, str, str]] = []
    if any(_excludes(row) for row in (was, now)):
        pairs.append(("direction", _direction(was), _direction(now)))
    if not any(pd.isna(row["conf_low"]) or pd.isna(row["conf_high"]) for row in (was, now)):
        pairs.append(("interval", _interval(was), _interval(now)))
    if not any(pd.isna(row["p_value"]) for row in (was, now)):
        pairs.append(("significance", _significance(was), _significance(now)))
    return pairs


def _null(row: Mapping[Any, Any]) -> float:
    return 1.0 if row["estimand"] in RATIOS else 0.0


def _direction(row: Mapping[Any, Any]) -> str:
    gap = float(row["estimate"]) - _null(row)
    return "higher" if gap > 0 else "lower" if gap < 0 else "the same"


def _excludes(row: Mapping[Any, Any]) -> bool:
    """Whether no difference is ruled out: by the interval, or by p where there is none."""
    if pd.isna(row["conf_low"]) or pd.isna(row["conf_high"]):
        return bool(row["p_value"] < alpha_of(row["conf_level"]))
    return bool(row["conf_low"] > _null(row) or row["conf_high"] < _null(row))


def _interval(row: Mapping[Any, Any]) -> str:
    return f"{'excludes' if _excludes(row) else 'includes'} {_null(row):g}"


def _significance(row: Mapping[Any, Any]) -> str:
    alpha = alpha_of(row["conf_level"])
    return f"p {'<' if row['p_value'] < alpha else '≥'} {limit_of_p(alpha)}"


def _rank_flips(before: Mapping[str, Mapping[Any, Any]], after: Mapping[str, Mapping[Any, Any]]) -> list[Flip]:
    groups: dict[tuple[str, str], list[str]] = {}
    for result_id, row in after.items():
        was = before.get(result_id)
        if was is None or not (_concludes(row) and row["status"] == was["status"] == "estimated"):
            continue
        study, rest = result_id.split("/", 1)
        groups.setdefault((rest, str(row["population"])), []).append(study)
    found = []
    for (rest, _), studies in groups.items():
        orders = [
            " > ".join(sorted(studies, key=lambda study: (-float(rows[f"{study}/{rest}"]["estimate"]), study)))
            for rows in (before, after)
        ]
        pairs = [tuple(f"{study}/{rest}" for study in pair) for pair in combinations(studies, 2)]
        if any(_changed_places(before, after, *pair) for pair in pairs):
            first = f"{studies[0]}/{rest}"
            found.append(
                Flip(result_id=first, analysis=str(after[first]["analysis"]), kind="rank", was=orders[0], now=orders[1])
            )
    return found


def _changed_places(
    before: Mapping[str, Mapping[Any, Any]], after: Mapping[str, Mapping[Any, Any]], one: str, other: str
) -> bool:
    """Whether two interventions come in the other order, and one of the two orders was more than chance."""
    gaps, told = [], []
    for rows in (before, after):
        first, second = rows[one], rows[other]
        gaps.append(float(first["estimate"]) - float(second["estimate"]))
        error = math.hypot(float(first["std_error"]), float(second["std_error"]))
        told.append(abs(gaps[-1]) > float(student_quantile(0.5 + float(first["conf_level"]) / 2, math.inf)) * error)
    return any(told) and gaps[0] * gaps[1] <= 0 and gaps[0] != gaps[1]
