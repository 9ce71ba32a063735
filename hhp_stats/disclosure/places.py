"""Every place where a number of people is published: one list over tables and results, so that none is forgotten.

`places_of` walks all columns of all tables and all rows of results and refuses what nobody declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hhp_stats.disclosure.declared import KEPT, Column, Declared, Mask, Row
from hhp_stats.errors import UndeclaredCount

RESULTS = "results"
_NO_LABEL = (
    "sha256",
    "note",
    "retrieved",
    "remedy",
    "rule",
    "clause",
    "coefficient",
    "method",
    "source",
    "wave",
    "population",
)
_CLOSE = 1e-9  # shares are computed in doubles from the same whole numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One cell: table (or `results`), position of its row, column; and whom it tells about."""

    table: str
    at: int
    column: str
    label: str  # of the row
    tells: tuple[Mask, ...] = ()
    goes_with: tuple[Mask, ...] = ()
    describes: tuple[Mask, ...] = ()
    worth: int = 0


def places_of(
    tables: Mapping[str, pd.DataFrame], results: pd.DataFrame, declared: Declared, *, study: str
) -> list[Place]:
    """Every published cell that says something of people.

    Raises UndeclaredCount for a table or column of numbers, or a row with n, that nobody declared, and for a number
    that is not that of the people declared for it.
    """
    found: list[Place] = []
    for name, table in tables.items():
        if name not in declared.withdrawn:
            found += _of_table(name, table, declared, study)
    found += _of_results(results, declared, study)
    return found


def _of_table(name: str, table: pd.DataFrame, declared: Declared, study: str) -> Iterator[Place]:
    columns = declared.columns.get(name, {})
    for column in sorted(set(columns) - {str(each) for each in table.columns}):
        raise UndeclaredCount(f"{study}, table {name}: the declared column {column} is not there")
    labels = row_labels(table)
    for column in map(str, table.columns):
        entry = columns.get(column)
        if entry is None:
            if _holds_numbers(table[column]):
                raise UndeclaredCount(
                    f"{study}, table {name}, column {column}: nobody said whether it counts people. Declare it beside"
                    " the table: counted, share, statistic, other or internal (hhp_stats/disclosure/declared.py)."
                )
            continue
        for at, value in enumerate(table[column].to_list()):
            place = _place(name, at, column, entry, labels[at])
            if entry.kind in ("count", "share"):
                _check(place, entry, value, declared, study)
            if place.tells or place.goes_with or place.describes:
                yield place


def _holds_numbers(column: pd.Series) -> bool:
    """Numbers, or text that is nothing but numbers; yes and no are words."""
    if pd.api.types.is_bool_dtype(column):
        return False
    if pd.api.types.is_numeric_dtype(column):
        return True
    known = column.dropna()
    return bool(len(known) and pd.to_numeric(known, errors="coerce").notna().all())


def _place(name: str, at: int, column: str, entry: Column, label: str) -> Place:
    worth = entry.worth if isinstance(entry.worth, int) else entry.worth[at]
    describes = entry.describes[at] if entry.describes else ()
    tells = entry.tells[at] if entry.tells else ()
    if entry.kind == "statistic" and entry.digits is None:
        tells = (*tells, *describes)
    if entry.kind == "internal" or (entry.empty and entry.empty[at]):
        tells, describes = (), ()
    return Place(
        table=name,
        at=at,
        column=column,
        label=label,
        tells=tells,
        worth=worth,
        describes=describes,
        goes_with=entry.goes_with[at] if entry.goes_with else (),
    )


def _check(place: Place, entry: Column, value: Any, declared: Declared, study: str) -> None:
    sizes = [int(each[: declared.people].sum()) for each in place.tells]
    if not sizes or pd.isna(value):
        return
    said = float(value)
    right = said == sizes[0] if entry.kind == "count" else sizes[1] > 0 and abs(said - sizes[0] / sizes[1]) < _CLOSE
    if not right:
        raise UndeclaredCount(
            f"{study}, table {place.table}, row {place.label}, column {place.column}: the people declared for it are "
            f"{' of '.join(map(str, sizes))}, the cell holds {said:g}"
        )


def row_labels(table: pd.DataFrame) -> list[str]:
    """Words by which a row is known: its cells of text, without sources and notes."""
    text = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name]) and name not in _NO_LABEL][
        :4
    ]
    if not text:
        text = list(table.columns[:1])
    return [
        " / ".join(str(value) for value in row if not pd.isna(value) and str(value))
        for row in table[text].itertuples(index=False)
    ]


def _of_results(results: pd.DataFrame, declared: Declared, study: str) -> Iterator[Place]:
    for at, row in enumerate(results.to_dict("records")):
        key = str(row["result_id"])
        entry = declared.rows.get(key)
        if entry is None:
            if not pd.isna(row["n"]):
                raise UndeclaredCount(f"{key}: nobody said whom its n counts (hhp_stats/disclosure/declared.py)")
            continue
        if pd.isna(row["n"]) and row["status"] == "not_estimated":
            continue
        _check_row(key, row, entry, declared.people)
        planned = row["analysis"] == "planned"
        worth = max(entry.worth, KEPT if planned else 0)
        n = () if entry.n is None else (entry.n,)
        yield Place(table=RESULTS, at=at, column="n", label=key, tells=() if pd.isna(row["n"]) else n, worth=worth)
        part = () if entry.part is None else (entry.part,)
        yield Place(
            table=RESULTS,
            at=at,
            column="estimate",
            label=key,
            tells=(*part, *(n if entry.share else ())),
            worth=worth,
            goes_with=(*entry.goes_with, *(n if entry.plain and entry.digits is None else ())),
            describes=n if not part else (),
        )


def _check_row(key: str, row: Mapping[Any, Any], entry: Row, people: int) -> None:
    if entry.n is not None and not pd.isna(row["n"]):
        size, said = int(entry.n[:people].sum()), int(row["n"])
        if size != said:
            raise UndeclaredCount(f"{key}: the people declared for its n are {size}, n is {said}")
        if entry.part is not None:
            estimate, part = float(row["estimate"]), int(entry.part[:people].sum())
            right = size > 0 and abs(estimate - part / size) < _CLOSE if entry.share else estimate == part
            if not right:
                raise UndeclaredCount(
                    f"{key}: the people declared for its estimate are {part} of {size}, it is {estimate:g}"
                )
