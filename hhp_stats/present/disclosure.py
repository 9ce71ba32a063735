"""Which counts of people may not be printed? Small ones, and those that would give a small one away.

Printed counts form a system: cells, and sums that hold between them (a row and its total, the same people in two
tables). Primary cells are the small ones. Secondary cells are withheld besides, until a reader who knows every
printed cell, every sum and what is withheld can work out none of the small ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from hhp_stats.errors import HhpError
from hhp_stats.plan.schema import DisclosureSettings
from hhp_stats.present.count_system import CountSystem, Key
from hhp_stats.present.numbers import WITHHELD
from hhp_stats.present.withholding import Reason, withheld_counts

REGISTER = ("table", "row", "column", "reason")


def register_frame(withheld: Mapping[Key, Reason]) -> pd.DataFrame:
    """What was withheld, one row a count: table, row, column, reason; no count."""
    rows = [(key.table, key.row, key.column, withheld[key]) for key in sorted(withheld)]
    return pd.DataFrame(rows, columns=list(REGISTER)).astype("str")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedTable:
    """A table whose small counts are replaced by `WITHHELD`, and the register of what was."""

    table: pd.DataFrame
    register: pd.DataFrame


def suppress(
    table: pd.DataFrame,
    *,
    name: str,
    row: str,
    columns: Sequence[str],
    settings: DisclosureSettings,
    total_row: str | None = None,
    total_column: str | None = None,
    shares: Mapping[str, str] | None = None,
) -> SuppressedTable:
    """Which counts of one table may be printed?

    `row` is the column of row labels; `columns` hold counts of people. `total_row` is the label of the row that sums
    the others, `total_column` the column that sums the other columns. `shares` maps a share's column to the count it
    is derived from: both are withheld together. Refuses (HhpError) totals that do not add up and labels that repeat.
    """
    labels = [str(label) for label in table[row]]
    if len(set(labels)) != len(labels):
        raise HhpError(f"the table {name} has a row twice")
    system = CountSystem()
    grid = {
        (label, column): system.add(Key(name, label, column), float(table[column].iloc[at]))
        for at, label in enumerate(labels)
        for column in columns
    }
    if total_row is not None:
        others = [label for label in labels if label != total_row]
        for column in columns:
            system.total(grid[total_row, column], *(grid[label, column] for label in others))
    if total_column is not None:
        for label in labels:
            system.total(grid[label, total_column], *(grid[label, c] for c in columns if c != total_column))
    withheld = withheld_counts(system, settings)
    hidden = {(key.row, key.column) for key in withheld}
    places = [(at, column) for at, label in enumerate(labels) for column in columns if (label, column) in hidden]
    places += [
        (at, share)
        for share, counted in (shares or {}).items()
        for at, label in enumerate(labels)
        if (label, counted) in hidden
    ]
    return SuppressedTable(table=blanked(table, places), register=register_frame(withheld))


def blanked(table: pd.DataFrame, places: Iterable[tuple[int, str]]) -> pd.DataFrame:
    """The table with `WITHHELD` at each (position of the row, column): a word, so that nothing can be computed from it."""
    shown = table.copy()
    for position, column in places:
        values = shown[column].to_list()
        values[position] = WITHHELD
        shown[column] = pd.Series(values, index=shown.index, dtype=object)
    return shown
