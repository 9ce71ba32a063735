"""Does the pipeline give the published figures back? Published against ours, figure by figure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from hhp_stats.consistency.figures import Figures, figures
from hhp_stats.errors import InvalidInput, UnknownName

COLUMNS = ("published_id", "result_id", "column", "published", "ours", "matches")
MAPPING = ("published_id", "result_id", "column", "decimals")
# A ten-millionth of a rounding margin: halves such as 0.125 have exact doubles, .045 has none.
ROOM = 1e-7
# What a share in words can mean: tenths, quarters and thirds of a hundred.
FRACTIONS = tuple(sorted({10.0 * k for k in range(11)} | {25.0, 75.0, 100 / 3, 200 / 3}))


def read_mapping(root: Path, group: str) -> pd.DataFrame:
    """Which result gives which published figure: `data/published/mapping_<group>.csv`.

    Columns `published_id, result_id, column, decimals` and optionally `factor` (100 for shares printed in per
    cent; 1 if absent). Refuses other columns (UnknownName) and a published figure named twice (InvalidInput).
    """
    frame = pd.read_csv(
        root / "data/published" / f"mapping_{group}.csv", dtype={"published_id": "str", "result_id": "str"}
    )
    lacking = [name for name in MAPPING if name not in frame.columns]
    if lacking or set(frame.columns) - {*MAPPING, "factor"}:
        raise UnknownName(
            f"mapping_{group}.csv must have the columns {', '.join(MAPPING)}, not {', '.join(frame.columns)}"
        )
    doubled = frame.loc[frame["published_id"].duplicated(), "published_id"].tolist()
    if doubled:
        raise InvalidInput(f"mapping_{group}.csv names a published figure twice: {', '.join(doubled)}")
    return frame.assign(factor=frame.get("factor", 1.0))


def reproduction_table(published: Figures | pd.DataFrame, results: pd.DataFrame, mapping: pd.DataFrame) -> pd.DataFrame:
    """Which published figures does the pipeline reproduce at the printed precision?

    `published`: the printed figures (`consistency.figures`); `results`: a result frame; `mapping`: as `read_mapping`
    returns it. A figure matches if ours, times `factor`, lies within half a unit of the last printed digit; bounds
    ("more than 2,800") and figures given as words match as `PrintedFigure.agrees` has them, and a share in words ("two
    thirds") if no other simple fraction (`FRACTIONS`) is nearer to ours.

    Returns one row a mapped figure: published_id, result_id, column, published, ours, matches. `ours` is missing,
    and `matches` false, where the result was not estimated.
    Refuses a published figure or result that does not exist, or a column that holds no number (UnknownName), and
    decimals that are not those of the printed token (InvalidInput).
    """
    table = published if isinstance(published, Figures) else figures(published)
    if results["result_id"].duplicated().any():
        raise InvalidInput("a result id stands twice in the results")
    by_id = {str(row["result_id"]): row for row in results.to_dict("records")}
    rows = []
    for entry in mapping.to_dict("records"):
        key, column = str(entry["result_id"]), str(entry["column"])
        if key not in by_id:
            raise UnknownName(f"{entry['published_id']} is mapped to the result {key!r}, which does not exist")
        if column not in results.columns or not pd.api.types.is_numeric_dtype(results[column]):
            raise UnknownName(f"{entry['published_id']} is mapped to the column {column!r}, which holds no number")
        printed = table.printed(str(entry["published_id"]))
        _refuse_other_decimals(str(entry["published_id"]), printed.margin, entry["decimals"])
        value = by_id[key][column]
        ours = math.nan if pd.isna(value) else float(value) * float(entry.get("factor", 1.0))
        matches = not math.isnan(ours) and _agrees(
            printed.value, printed.margin, ours, bound=printed.bound != "none", agrees=printed.agrees(ours, ours)
        )
        if printed.in_words and printed.bound == "none" and table.row(str(entry["published_id"]))["unit"] == "%":
            matches = not math.isnan(ours) and _nearest(ours) == _nearest(printed.value)
        rows.append(
            {
                "published_id": entry["published_id"],
                "result_id": key,
                "column": column,
                "published": printed.value,
                "ours": ours,
                "matches": matches,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def share_reproduced(table: pd.DataFrame) -> tuple[int, int]:
    """How many of the mapped figures match, and how many there are."""
    return int(table["matches"].sum()), len(table)


def mismatches(table: pd.DataFrame, *, explained: Iterable[str] = ()) -> pd.DataFrame:
    """The figures that do not match and are not among those explained."""
    return table.loc[~table["matches"] & ~table["published_id"].isin(list(explained))]


def _agrees(value: float, margin: float, ours: float, *, bound: bool, agrees: bool) -> bool:
    if bound or math.isnan(margin):
        return agrees
    return abs(ours - value) <= margin * (1 + ROOM)


def _nearest(share: float) -> float:
    """The simple fraction nearest to a share in per cent."""
    return min(FRACTIONS, key=lambda fraction: abs(fraction - share))


def _refuse_other_decimals(figure: str, margin: float, decimals: object) -> None:
    """The mapping repeats the decimals for its readers; they must be the printed ones."""
    if math.isnan(margin):
        return
    printed = round(-math.log10(2 * margin))
    if int(float(str(decimals))) != printed:
        raise InvalidInput(f"{figure} is printed with {printed} decimals, its mapping says {decimals}")
