"""Rates, sums and detectable effects: printed figures that other printed figures determine.

Which figure follows from which is data (`data/published/relations.csv`, `detectable_effects.csv`), not code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from hhp_stats.consistency.figures import Figures, ids_in
from hhp_stats.consistency.verdict import Check, Finding, in_figures
from hhp_stats.design.detectable_effect import (
    Clustering,
    Direction,
    cluster_detectable_effect,
    detectable_proportion,
    individual_detectable_effect,
    people_needed,
)
from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.plan.passages import unmarked

RELATION_COLUMNS = ("relation_id", "quantity", "numerator", "denominator", "times", "printed_id", "reading", "note")
DETECTABLE_COLUMNS = (
    "relation_id",
    "quantity",
    "people",
    "icc",
    "cluster_size",
    "size_cv",
    "correlation",
    "baseline_percent",
    "direction",
    "variance",
    "printed_id",
    "reading",
    "note",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """One quantity recomputed from printed figures, and whether it rounds to the printed one."""

    relation_id: str
    quantity: str
    value: float
    low: float  # over the rounding of the inputs
    high: float
    printed_id: str  # "" where the quantity is not printed
    reproduces: bool | None
    reading: str
    note: str
    people_for_printed: float = math.nan  # detectable effects: the sample that the printed value asks for


def recompute_relations(figures: Figures, relations: pd.DataFrame) -> list[Recomputed]:
    """What do the printed parts make of each rate, sum or repeated figure?

    numerator / denominator * times, each part a linear combination of figures ("BEN-N-RAND - BEN-N-TREAT"),
    with the range over the rounding of the parts. Relations whose figures are not all in the file are passed
    over, so that one list of relations serves files that hold a part of them; `missing_relations` names them.
    Refuses missing columns (UnknownName) and a denominator of zero (InvalidInput).
    """
    out = []
    for row in _rows(relations, RELATION_COLUMNS):
        if not _present(figures, row, ("numerator", "denominator")):
            continue
        top = figures.evaluate(row["numerator"])
        bottom = figures.evaluate(row["denominator"]) if row["denominator"] else (1.0, 1.0, 1.0)
        if bottom[1] <= 0 <= bottom[2]:
            raise InvalidInput(f"{row['relation_id']}: the denominator may be zero")
        times = float(row["times"])
        ends = [times * a / b for a in top[1:] for b in bottom[1:]]
        out.append(_recomputed(figures, row, times * top[0] / bottom[0], min(ends), max(ends)))
    return out


def recompute_detectable_effects(figures: Figures, relations: pd.DataFrame) -> list[Recomputed]:
    """What could each trial have detected, by the programme's own convention? (Clauses P23-P29.)

    5% two-sided, 80% power, normal quantiles, equal arms: 2 (z + z) sqrt(DE (1 - r^2) / N) with the design
    effect DE = 1 + ((1 + cv^2) m - 1) icc where an intracluster correlation is given; a change of a
    proportion (in percentage points) where a baseline is. Exact for the N given: no range. Passes over, and
    refuses, as `recompute_relations`.
    """
    out = []
    for row in _rows(relations, DETECTABLE_COLUMNS):
        if not _present(figures, row, ("people",)):
            continue
        people = figures.evaluate(row["people"])[0]
        correlation = float(row["correlation"] or 0)
        needed = math.nan
        if row["baseline_percent"]:
            value = _percentage_points(row, people, correlation)
        elif row["icc"]:
            value = cluster_detectable_effect(clustering=_clustering(row, people), baseline_correlation=correlation)
        else:
            value = individual_detectable_effect(people=people, baseline_correlation=correlation)
            if row["printed_id"]:
                effect = figures.printed(row["printed_id"]).value
                needed = people_needed(effect=effect, baseline_correlation=correlation)
        out.append(_recomputed(figures, row, value, value, value, people_for_printed=needed))
    return out


def missing_relations(figures: Figures, relations: pd.DataFrame) -> list[str]:
    """Which relations name figures that the file does not hold?"""
    parts = [c for c in ("numerator", "denominator", "people") if c in relations.columns]
    rows = _rows(relations, ("relation_id", "printed_id"))
    return [row["relation_id"] for row in rows if not _present(figures, row, parts)]


def inputs_of(figures: Figures, relations: pd.DataFrame) -> dict[str, set[str]]:
    """Which printed figures are recomputed from each figure?"""
    out: dict[str, set[str]] = {}
    parts = [c for c in ("numerator", "denominator", "people") if c in relations.columns]
    for row in _rows(relations, ("relation_id", "printed_id")):
        if row["printed_id"] and _present(figures, row, parts):
            for part in filter(None, (row[name] for name in parts)):
                for figure_id in ids_in(part):
                    out.setdefault(figure_id, set()).add(row["printed_id"])
    return out


def relation_checks(figures: Figures, recomputed: Iterable[Recomputed], *, detectable: bool = False) -> list[Check]:
    """The recomputed quantities that are printed, as checks of those figures."""
    out = []
    for item in recomputed:
        if not item.printed_id or item.reproduces is None:
            continue
        printed = figures.printed(item.printed_id)
        said = f"{item.quantity}: {in_figures(item.value, 4)} recomputed, {printed.short} reported"
        if not math.isnan(item.people_for_printed) and not item.reproduces:
            said += f"; the reported value needs {item.people_for_printed:.0f} people"
        reading = item.reading or "as reported"
        finding: Finding = "reproduces" if not item.reading else "another_reading"
        if not item.reproduces:
            finding = "does_not_reproduce"
        out.append(
            Check(
                id=item.printed_id,
                kind="detectable_effect" if detectable else "rate_or_sum",
                finding=finding,
                reason=f"{said}{f' ({item.note})' if item.note else ''}.",
                reading=reading,
                recomputed=item.value,
                low=item.low,
                high=item.high,
            )
        )
    return out


def _recomputed(
    figures: Figures,
    row: dict[str, str],
    value: float,
    low: float,
    high: float,
    *,
    people_for_printed: float = math.nan,
) -> Recomputed:
    reproduces = None
    if row["printed_id"]:
        # The value from the figures as printed decides: that is what an author would have divided. A rounding
        # of the
        # inputs that would rescue it stays visible in low and high.
        reproduces = figures.printed(row["printed_id"]).agrees(value, value)
    return Recomputed(
        relation_id=row["relation_id"],
        quantity=row["quantity"],
        value=value,
        low=low,
        high=high,
        printed_id=row["printed_id"],
        reproduces=reproduces,
        reading=row["reading"],
        note=row["note"],
        people_for_printed=people_for_printed,
    )


def _clustering(row: dict[str, str], people: float) -> Clustering:
    return Clustering.of_total(
        people=people,
        mean_size=float(row["cluster_size"]),
        icc=float(row["icc"]),
        size_cv=float(row["size_cv"]),
        lost_clusters=0,
    )


def _percentage_points(row: dict[str, str], people: float, correlation: float) -> float:
    baseline = float(row["baseline_percent"]) / 100
    direction: Direction = "decrease" if row["direction"] == "decrease" else "increase"
    effective = _clustering(row, people).effective_per_arm if row["icc"] else people / 2
    found = detectable_proportion(
        control=baseline,
        direction=direction,
        effective_per_arm=effective,
        baseline_correlation=correlation,
        variance="control" if row["variance"] == "control" else "each",
    )
    return 100 * abs(found - baseline)


def _present(figures: Figures, row: dict[str, str], parts: Iterable[str]) -> bool:
    named = [row[part] for part in parts if row.get(part)] + ([row["printed_id"]] if row.get("printed_id") else [])
    return all(figures.has(expression) for expression in named)


def _rows(relations: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, str]]:
    missing = [column for column in columns if column not in relations.columns]
    if missing:
        raise UnknownName(f"the list of relations has no column {', '.join(missing)}")
    rows = relations.astype("object").fillna("").astype("str").to_dict("records")
    return [{str(key): unmarked(str(value)) for key, value in row.items()} for row in rows]
