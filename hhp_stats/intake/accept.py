"""What changed in the raw files since they were last accepted, and may it stand? Shown first, then recorded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from hhp_stats.errors import DataError
from hhp_stats.intake.accepted_copies import accepted_copy, keep_copies
from hhp_stats.intake.container import Refused
from hhp_stats.intake.dictionary import load_dictionary
from hhp_stats.intake.lists import LINKAGE_FIELDS
from hhp_stats.intake.manifest import (
    LEDGER,
    LEDGER_REWRITTEN,
    LEDGER_TABLE,
    LINKED,
    Manifest,
    ledger_rows,
    read_manifest,
    record_files,
    sha256_of,
    verify_manifest,
)
from hhp_stats.intake.masking import shown
from hhp_stats.intake.raw_files import is_link, raw_files, studies
from hhp_stats.intake.returns import read_grid
from hhp_stats.plan.records import plan_text

_WORD = re.compile(r"[a-z][a-z0-9_]+")
HEAD_ROWS = 40  # in which the headings of a table are looked for

State = Literal["changed", "new", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file as a table of texts: headings, and the rows below them."""

    columns: tuple[str, ...]
    rows: pd.DataFrame  # columns 0, 1, ... in the order of `columns`; empty cells are empty texts
    above: tuple[str, ...]  # what stands above the headings
    first: int  # number of the first row below the headings


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """One cell that differs: its row in the file as it is now, heading, both values."""

    row: int
    column: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What is different about one raw file; `None` where it cannot be told.

    `compared` says against what: the accepted copy, or why there is nothing to compare with. Cells are counted among
    the rows and columns that both versions have; rows are matched by the first column that tells them apart in both.
    """

    file: str
    state: State
    compared: str
    rows_before: int | None = None
    rows_now: int | None = None
    columns_before: int | None = None
    columns_now: int | None = None
    rows_added: int | None = None
    rows_removed: int | None = None
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    cells: Mapping[str, int] = field(default_factory=dict)  # heading -> cells that differ
    above: int = 0  # lines above the headings that differ
    changes: tuple[CellChange, ...] = ()

    def record(self, *, values: bool, known: frozenset[str] = frozenset()) -> dict[str, Any]:
        """As plain lists and numbers; values, and headings that one version alone has, only if asked: they may be
        data.
        """
        names = (
            "file",
            "state",
            "compared",
            "rows_before",
            "rows_now",
            "columns_before",
            "columns_now",
            "rows_added",
            "rows_removed",
            "above",
        )
        found = {name: getattr(self, name) for name in names}
        found |= {
            "cells": {
                head if values or head in known else shown(head).strip("“”"): number
                for head, number in self.cells.items()
            },
            "columns_added": list(self.columns_added) if values else len(self.columns_added),
            "columns_removed": list(self.columns_removed) if values else len(self.columns_removed),
        }
        if values:
            found["changes"] = [
                {"row": each.row, "column": each.column, "before": each.before, "now": each.now}
                for each in self.changes
            ]
        return found


def pending(root: Path, files: Collection[str] | None = None) -> list[FileChange]:
    """Which raw files (of `files`, or all) differ from what the manifest records, and in what?

    Raises `DataError` for a manifest that cannot be read and for links, which are never accepted.
    """
    manifest = read_manifest(root)
    there = raw_files(root)
    names = sorted({*manifest.files, *there, LEDGER} if files is None else set(files))
    links = [LINKED.problem(file=name) for name in names if is_link(root, name)]
    if links:
        raise DataError(links)
    return [change for name in names if (change := _change(root, manifest, name, there)) is not None]


def known_headings(root: Path) -> frozenset[str]:
    """Headings that may be named whatever they look like: those of the dictionary and the linkage list, words of the
    plans.
    """
    found = {text for each in load_dictionary(root) for text in (each.name, each.label)} | set(LINKAGE_FIELDS)
    for study in studies(root):
        found |= set(_WORD.findall(plan_text(root, f"data/plan/{study}.toml")))
    return frozenset(found)


def accept(root: Path, changes: Collection[FileChange]) -> None:
    """Record the files of these changes as they are now, and keep copies to compare with next time."""
    if changes:
        record_files(root, names={change.file for change in changes})
    keep_copies(root)


def _change(root: Path, manifest: Manifest, name: str, there: Collection[str]) -> FileChange | None:
    if name == LEDGER:
        return _ledger_change(root, manifest)
    recorded = manifest.files.get(name)
    present = name in there or (root / name).is_file()
    if recorded is None:
        return _new(root / name, name) if present else None
    copy = accepted_copy(root, name, recorded)
    before = None if copy is None else _read(copy)
    if not present:
        return FileChange(file=name, state="gone", compared=_against(copy, before), **_size(before, "before"))
    if sha256_of(root / name) == recorded.casefold():
        return None
    now = _read(root / name)
    if before is None or now is None:
        return FileChange(
            file=name,
            state="changed",
            compared=_against(copy, before) if before is None else "cannot be read as a table",
            **_size(before, "before"),
            **_size(now, "now"),
        )
    return _compared(name, before, now)


def _new(path: Path, name: str) -> FileChange:
    now = _read(path)
    words = "nothing: it was not there" if now is not None else "nothing: it was not there, and is no table"
    return FileChange(file=name, state="new", compared=words, **_size(now, "now"))


def _against(copy: Path | None, before: Table | None) -> str:
    if before is not None:
        return "the copy that was accepted"
    return "nothing: the accepted copy is no table" if copy is not None else "nothing: no accepted copy on this machine"


def _size(table: Table | None, when: str) -> dict[str, Any]:
    if table is None:
        return {}
    return {f"rows_{when}": len(table.rows), f"columns_{when}": len(table.columns)}


def _read(path: Path) -> Table | None:
    """A workbook or delimited file as a table, or None where it is neither."""
    try:
        grid = read_grid(path)
    except (Refused, OSError, KeyError, ValueError):
        return None
    if not grid.rows:
        return Table(columns=(), rows=pd.DataFrame(), above=(), first=1)
    # The headings are the first row with the most cells: above it stands at most a block of two columns.
    head = max(sorted(grid.rows)[:HEAD_ROWS], key=lambda number: (len(grid.rows[number]), -number))
    places = sorted({column for number, row in grid.rows.items() if number >= head for column in row})
    heading = grid.rows[head]
    columns = _distinct([_text(heading.get(place)) or f"column {place}" for place in places])
    body = [[_text(grid.rows[number].get(place)) for place in places] for number in sorted(grid.rows) if number > head]
    numbers = [number for number in sorted(grid.rows) if number > head]
    above = tuple(" ".join(map(_text, grid.rows[number].values())) for number in sorted(grid.rows) if number < head)
    frame = pd.DataFrame(body, index=pd.Index(numbers, dtype="int64"), columns=range(len(places)), dtype="str")
    return Table(columns=columns, rows=frame, above=above, first=head + 1)


def _distinct(headings: list[str]) -> tuple[str, ...]:
    """Headings told apart: the second of two equal ones gets its number."""
    seen: Counter[str] = Counter()
    found = []
    for head in headings:
        seen[head] += 1
        found.append(head if seen[head] == 1 else f"{head} ({seen[head]})")
    return tuple(found)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 3 and 3.0 are the same number in a workbook
    return str(value).strip()


def _compared(name: str, before: Table, now: Table) -> FileChange:
    shared = [head for head in dict.fromkeys(before.columns) if head in now.columns]
    old, new = (_keyed(table, shared, _key(before, now, shared)) for table in (before, now))
    both = [key for key in new.index if key in old.index]
    changes = []
    for head in shared:
        left, right = old.loc[both, head], new.loc[both, head]
        differs = (left != right).to_numpy()
        places = new.loc[both, "row"].to_numpy()[differs]
        changes += [
            CellChange(row=int(row), column=head, before=was, now=is_now)
            for row, was, is_now in zip(places, left[differs], right[differs], strict=True)
        ]
    return FileChange(
        file=name,
        state="changed",
        compared="the copy that was accepted",
        **_size(before, "before"),
        **_size(now, "now"),
        rows_added=len(new) - len(both),
        rows_removed=len(old) - len(both),
        columns_added=tuple(head for head in now.columns if head not in before.columns),
        columns_removed=tuple(head for head in before.columns if head not in now.columns),
        cells=dict(Counter(each.column for each in changes)),
        changes=tuple(changes),
        above=sum(a != b for a, b in zip(before.above, now.above, strict=False))
        + abs(len(before.above) - len(now.above)),
    )


def _key(before: Table, now: Table, shared: list[str]) -> str | None:
    """The heading whose values tell the rows apart in both versions and are the same in most rows; None: the place."""
    best: tuple[int, str | None] = (0, None)
    for head in shared:
        sets = []
        for table in (before, now):
            values = table.rows[table.columns.index(head)]
            if values.eq("").any() or values.duplicated().any():
                break
            sets.append(set(values))
        if len(sets) == 2 and len(sets[0] & sets[1]) * 2 >= max(len(sets[0]), len(sets[1]), 1):
            best = max(best, (len(sets[0] & sets[1]), head), key=lambda pair: pair[0])
    return best[1]


def _keyed(table: Table, shared: list[str], key: str | None) -> pd.DataFrame:
    frame = table.rows[[table.columns.index(head) for head in shared]].set_axis(shared, axis="columns")
    labels = range(len(frame)) if key is None else table.rows[table.columns.index(key)]
    return frame.assign(row=table.rows.index).set_axis(pd.Index(labels), axis="index")


def _ledger_change(root: Path, manifest: Manifest) -> FileChange | None:
    """The ledger, where it has other lines than the manifest knows: new ones are no fault, but can be recorded."""
    recorded = manifest.other.get(LEDGER_TABLE, {})
    before, now = int(recorded.get("lines", 0)), len(ledger_rows(root))
    rewritten = [each for each in verify_manifest(root) if each.code == LEDGER_REWRITTEN.code]
    if before == now and not rewritten:
        return None
    told = f"the {before} recorded lines: " + (f"differs from {rewritten[0].cell}" if rewritten else "lines were added")
    return FileChange(
        file=LEDGER,
        state="changed",
        compared=told,
        rows_before=before,
        rows_now=now,
        rows_added=max(0, now - before),
        rows_removed=max(0, before - now),
    )
