"""Which results moved between two result frames, and which conclusions flipped with them?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from hhp_stats.present.numbers import alpha_of, limit_of_p
from hhp_stats.results import changed_results

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

    @property
    def absolute(self) -> float:
        """New minus old estimate."""
        return self.new - self.old

    @property
    def relative(self) -> float:
        """The change as a share of the old estimate's size; nan where that is zero or missing."""
        return self.absolute / abs(self.old) if self.old else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A conclusion that reads otherwise than before."""

    result_id: str
    analysis: str
    kind: FlipKind
    was: str
    now: str


def result_changes(old: pd.DataFrame, new: pd.DataFrame) -> list[ResultChange]:
    """Every result whose row differs in a number by more than rounding noise, in the order of the frames."""
    found = changed_results(old, new, tolerance=SAME)
    frames = [frame.set_index("result_id") for frame in (old, new)]
    changes = []
    for key, part in found.groupby("result_id", sort=False):
        result_id, kind = str(key), part["change"].iloc[0]
        before, after = (_value(frame, result_id) for frame in frames)
        last = frames[1] if result_id in frames[1].index else frames[0]
        changes.append(
            ResultChange(
                result_id=result_id,
                analysis=str(last.loc[result_id, "analysis"]),
                change=kind,
                old=before,
                new=after,
                columns=tuple(part["column"]) if kind == "moved" else (),
            )
        )
    return changes


def _value(frame: pd.DataFrame, result_id: str) -> float:
    return float(frame.loc[result_id, "estimate"]) if result_id in frame.index else math.nan  # type: ignore[arg-type]


def flips(old: pd.DataFrame, new: pd.DataFrame) -> list[Flip]:
    """Conclusions that changed between two result frames, planned analyses first.

    A row has a conclusion if it compares arms and has a p value, or is a benefit-cost ratio with an interval. Its
    conclusion is made of the side of no difference on which the estimate lies (zero, or one for a ratio), whether the
    interval excludes no difference, whether p is below the level that belongs to the interval, and whether it could
    be estimated at all. For interventions that are compared by the same outcome, estimand and method, the order of
    their estimates is a conclusion too.
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
    pairs: list[tuple[FlipKind, str, str]] = [("direction", _direction(was), _direction(now))]
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


def _interval(row: Mapping[Any, Any]) -> str:
    null = _null(row)
    return f"excludes {null:g}" if row["conf_low"] > null or row["conf_high"] < null else f"includes {null:g}"


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
        if len(studies) > 1 and orders[0] != orders[1]:
            first = f"{studies[0]}/{rest}"
            found.append(
                Flip(result_id=first, analysis=str(after[first]["analysis"]), kind="rank", was=orders[0], now=orders[1])
            )
    return found
