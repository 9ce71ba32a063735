"""A table as read from a file: typed frame, raw cells, and where each value stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.errors import Problem
from hhp_stats.intake import values as v
from hhp_stats.intake.columns import Manner, ReadColumn, empty_column, read_column
from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.grid import NO_STORED_VALUE, CellError, column_letter
from hhp_stats.intake.masking import shown
from hhp_stats.intake.spellings import Spellings
from hhp_stats.intake.tolerance import Tolerance, collect


@dataclass(slots=True, kw_only=True)
class Table:
    """One table as read: `frame` has a row per record, a column per field, and `row` (number in the file).

    `raw` keeps the cells as found for the corrections ledger; `unread` says which cells could not be read
    (field -> position -> code). Rules look at all of it and change nothing.
    """

    file: str
    path: Path
    frame: pd.DataFrame
    fields: dict[str, Field]
    sheet: str = ""
    columns: dict[str, int] = field(default_factory=dict)
    raw: dict[str, list[Any]] = field(default_factory=dict)
    unread: dict[str, dict[int, str]] = field(default_factory=dict)
    sha256: str = ""
    size: int = 0
    problems: list[Problem] = field(default_factory=list)
    tolerances: list[Tolerance] = field(default_factory=list)
    vocabulary: frozenset[str] = frozenset()
    seen: dict[str, dict[int, str]] = field(default_factory=dict)  # field -> position -> how the file shows the value

    @property
    def readable(self) -> bool:
        """Whether the table was found at all; rules about its cells make sense only then."""
        return bool(self.columns)

    def cell(self, name: str, position: int) -> str:
        """The address of one value: "G14", or in a CSV file "row 14, column G (illness_days)"."""
        row, column = int(self.frame["row"].to_numpy()[position]), self.columns.get(name)
        return f"row {row}" if column is None else self.address(row, column, name)

    def address(self, row: int, column: int, name: str = "") -> str:
        """The address of a row and column in the manner of the file's format."""
        if self.path.suffix.casefold() == ".sav":
            return f"case {row}" + (f", variable {name}" if name else "")
        if self.path.suffix.casefold() == ".csv":
            return f"row {row}, column {column_letter(column)}" + (f" ({name})" if name else "")
        return f"{column_letter(column)}{row}"

    def quote(self, name: str, position: int) -> str:
        """What stands in a cell, masked where it may be a name."""
        raw = self.raw.get(name)
        found = raw[position] if raw is not None else None
        if isinstance(found, CellError):
            return found.text if found.text.startswith("#") and found.text[1:].isascii() else "an error value"
        if found is NO_STORED_VALUE:
            return "a formula without a stored result"
        seen = self.seen.get(name, {}).get(position)
        return shown(found, vocabulary=self.vocabulary) + (f", {seen}" if seen else "")

    def fill(
        self,
        *,
        spec: Field,
        raw: list[Any],
        spellings: Spellings,
        manner: Manner,
        heading: str = "",
        formulas: list[int] | None = None,
        filled: Iterable[int] = (),
        refused: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """Reads one column of raw cells into the frame, keeping habits and unreadable cells.

        `formulas` and `filled` are the positions of results of formulas and of identifiers whose zeros a format fills
        up; `refused` as in `read_column`.
        """
        read = read_column(spec=spec, raw=raw, spellings=spellings, manner=manner, heading=heading, refused=refused)
        self.raw[spec.name], self.unread[spec.name] = raw, read.unread
        self.frame[spec.name] = read.values
        self.tolerances += self._habits(spec.name, raw, read, {v.FORMULA: formulas or (), v.ZEROS_SHOWN: filled})

    def _habits(
        self, name: str, raw: list[Any], read: ReadColumn, more: Mapping[str, Iterable[int]]
    ) -> list[Tolerance]:
        stored = [
            (at, habit, read.values.iloc[at]) for habit, found in more.items() for at in found if at not in read.unread
        ]
        return collect(
            file=self.file,
            sheet=self.sheet,
            field=name,
            habits=[*read.habits, *stored],
            key=lambda position: (type(raw[position]), raw[position]),
            describe=lambda position, value: (
                self.cell(name, position),
                self.quote(name, position),
                _words(self.fields[name], value),
            ),
        )


def _words(spec: Field, value: Any) -> str:
    """A value read, for the list of tolerances: identifiers masked, everything else is our own vocabulary."""
    if value is None or value is pd.NaT or value != value:
        return "no value"
    if spec.kind == "yes/no":
        return spec.no_yes[int(value)]
    if spec.kind == "category":
        return str(value)
    return shown(value.to_pydatetime() if isinstance(value, pd.Timestamp) else value).strip("“”")


def empty_frame(specs: tuple[Field, ...], rows: list[int]) -> pd.DataFrame:
    """A frame of the right columns and dtypes without values, one line per row number."""
    # One array a kind, copied by the frame: series would be made and aligned one by one, which takes most of a reading.
    blank = {each.kind: each for each in specs}
    arrays = {kind: empty_column(each, len(rows)).array for kind, each in blank.items()}
    columns: dict[str, Any] = {"row": np.array(rows, dtype=np.int64)}
    return pd.DataFrame(columns | {each.name: arrays[each.kind] for each in specs}, copy=True)


def comma_in_numbers(columns: Iterable[tuple[Field, list[Any]]]) -> bool:
    """Whether any number of these columns is written with a decimal comma: then the file has to be read as one that
    is.
    """
    return any(
        v.has_decimal_comma(value) for spec, raw in columns if spec.kind in ("number", "integer") for value in raw
    )
