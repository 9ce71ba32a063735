"""Which inputs changed between two releases? Files, cells of the returns, lines of the corrections ledger."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from hhp_stats.intake.dictionary import load_study
from hhp_stats.publish.release import Snapshot
from hhp_stats.publish.return_cells import KEYS, PLACE, UnreadableReturn, is_return
from hhp_stats.spreadsheet import from_csv

_SHOWN_LEDGER = ("id", "received_on", "study", "wave", "authority", "field", "old_value", "new_value", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file that is new, gone or different; `note` says how far, where that is known."""

    path: str
    change: Literal["new", "gone", "changed"]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """A cell of a return that differs. The person is not named: the address leads to the row."""

    path: str
    row: str  # row of the sheet in the later file; of the earlier one for a person who is gone
    field: str
    old: str
    new: str
    ledger: str = ""  # id of the ledger's line that asks for this change


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerChange:
    """A line of the corrections ledger that was added or taken out; without its staff ID."""

    change: Literal["added", "taken out"]
    line: Mapping[str, str]


def file_changes(old: Snapshot, new: Snapshot) -> list[FileChange]:
    """Files below data/ whose bytes differ, by path."""
    found = []
    for path in sorted({*old.inputs, *new.inputs}):
        if path not in old.inputs:
            found.append(FileChange(path=path, change="new", note=_count(new, path)))
        elif path not in new.inputs:
            found.append(FileChange(path=path, change="gone", note=_count(old, path)))
        elif old.inputs[path] != new.inputs[path]:
            before, after = old.records.get(path), new.records.get(path)
            note = "" if before is None else f"{before} lines" if before == after else f"{before} to {after} lines"
            found.append(FileChange(path=path, change="changed", note=note))
    return found


def _count(snapshot: Snapshot, path: str) -> str:
    return f"{snapshot.records[path]} lines" if path in snapshot.records else ""


def ledger_lines(text: str) -> list[dict[str, str]]:
    """The lines of a ledger by column; blank lines left out."""
    return [
        {key: from_csv((value or "").strip()) for key, value in line.items() if key}
        for line in csv.DictReader(io.StringIO(text)) if any((value or "").strip() for value in line.values() if value)
    ]  # fmt: skip


def ledger_changes(old: Snapshot, new: Snapshot) -> list[LedgerChange]:
    """Lines that stand in only one of the two ledgers."""
    before, after = ledger_lines(old.ledger), ledger_lines(new.ledger)
    gone = [LedgerChange(change="taken out", line=_shown(line)) for line in before if line not in after]
    return gone + [LedgerChange(change="added", line=_shown(line)) for line in after if line not in before]


def _shown(line: Mapping[str, str]) -> dict[str, str]:
    shown = {key: line.get(key, "") for key in _SHOWN_LEDGER}
    if shown["field"] == "staff_id":
        shown |= {"old_value": "a staff ID", "new_value": "another"}
    return shown


def cell_changes(
    old: Snapshot, new: Snapshot, files: Iterable[FileChange]
) -> tuple[list[CellChange], list[FileChange]]:
    """The cells that differ in every changed return, and the files with a note on how many there are.

    People are matched by staff ID. Where a line of either ledger asks for the value found, the cell carries its id.
    A return that cannot be read as a table now, or could not be then, is compared as a file only and says so.
    """
    cells: list[CellChange] = []
    noted: list[FileChange] = []
    wanted = ledger_lines(new.ledger) + ledger_lines(old.ledger)
    for file in files:
        if file.change != "changed" or not is_return(file.path):
            noted.append(file)
            continue
        try:
            found = _differences(
                file.path, old.cells(file.path), new.cells(file.path), _asked(new.root, file.path, wanted)
            )
            note = f"{len(found)} cells" if found else "no cell of the table differs"
        except UnreadableReturn as error:
            found, note = [], str(error)
        cells += found
        noted.append(FileChange(path=file.path, change=file.change, note=note))
    return cells, noted


def _asked(root: Path, path: str, lines: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The ledger's lines about one return."""
    place = PLACE.fullmatch(path)
    assert place is not None
    site = load_study(root, place["study"]).by_slug(place["slug"])
    name = site.local_authority if site else ""
    return [
        line for line in lines
        if (line.get("study"), line.get("wave"), line.get("authority")) == (place["study"], place["wave"], name)
    ]  # fmt: skip


def _differences(
    path: str, old: pd.DataFrame, new: pd.DataFrame, asked: Iterable[Mapping[str, str]]
) -> list[CellChange]:
    entries = {(line["staff_id"], line["field"], _plain(line["new_value"])): line["id"] for line in asked}
    before, after = _by_person(old), _by_person(new)
    found = []
    for person in dict.fromkeys([*before, *after]):
        was, now = before.get(person), after.get(person)
        if was is None or now is None:
            there = now or was
            assert there is not None
            words = ("", "in the return") if was is None else ("in the return", "")
            found.append(CellChange(path=path, row=there["row"], field="person", old=words[0], new=words[1]))
            continue
        for field in dict.fromkeys([*was, *now]):
            # A field that only one of several returns has stands empty in the kept table.
            left, right = was.get(field, ""), now.get(field, "")
            if field in KEYS or left == right:
                continue
            ledger = entries.get((person[0], field, _plain(right)), "")
            found.append(CellChange(path=path, row=now["row"], field=field, old=left, new=right, ledger=ledger))
    return sorted(found, key=lambda cell: (int(cell.row), cell.field))


def _by_person(frame: pd.DataFrame) -> dict[tuple[str, int], dict[str, str]]:
    """Rows by staff ID; a doubled one (refused elsewhere) by its order."""
    seen: dict[str, int] = {}
    rows = {}
    for row in frame.to_dict("records"):
        cells = {str(key): str(value) for key, value in row.items()}
        staff = cells.get("staff_id", "")
        rows[(staff, seen.get(staff, 0))] = cells
        seen[staff] = seen.get(staff, 0) + 1
    return rows


def _plain(value: str) -> str:
    """A number in its shortest form, other text in lower case."""
    text = {"yes": "1", "no": "0"}.get(value.strip().casefold(), value.strip())
    try:
        return f"{float(text):.15g}"
    except ValueError:
        return text.casefold()
