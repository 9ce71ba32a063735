"""Which inputs changed between two releases? Files, cells of raw files by field, people, lines of the corrections
ledger.

What is counted here says how much changed and where, never what: no value, no row, no person. Cells of returns with
their values (`changed_cells`) are for the terminal of the machine that holds the data, and are asked for by
themselves.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from hhp_stats.files.spreadsheet import from_csv
from hhp_stats.intake.dictionary import load_study
from hhp_stats.intake.ledger import LEDGER
from hhp_stats.intake.masking import public_id
from hhp_stats.intake.raw_places import RawNames, RawPlace, raw_kind, raw_names
from hhp_stats.publish.packing import ABOUT_NOBODY, named
from hhp_stats.publish.release import Snapshot
from hhp_stats.publish.return_cells import KEYS, PLACE, UnreadableReturn, is_return
from hhp_stats.publish.row_marks import mark_changes

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file that is new, gone or different; `note` says how far, where that is known."""

    path: str  # as it may be shown on this machine
    public: str  # as others read it
    change: Literal["new", "gone", "changed"]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCount:
    """How many cells of one field of one file differ, and for how many of them a line of the ledger asks."""

    place: RawPlace
    field: str
    cells: int
    explained: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCount:
    """How many people (or rows of a list) one file has more and fewer than before."""

    place: RawPlace
    added: int
    gone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerChange:
    """A line of the corrections ledger that was added or taken out: never whose, what, or why."""

    change: Literal["added", "taken out"]
    id: str
    received_on: str
    field: str
    cells: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InputChanges:
    """All of it. `unknown` says what could not be compared, and why."""

    files: tuple[FileChange, ...]
    fields: tuple[FieldCount, ...]
    rows: tuple[RowCount, ...]
    ledger: tuple[LedgerChange, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """A cell of a return that differs, with its values: private. The row of the sheet leads to the person."""

    path: str
    row: str  # row of the sheet in the later file; of the earlier one for a person who is gone
    field: str
    old: str
    new: str
    ledger: str = ""  # id of the ledger's line that asks for this change


def input_changes(old: Snapshot, new: Snapshot) -> InputChanges:
    """Compare all inputs of two snapshots.

    Returns are matched by staff ID, surveys and lists by the identifier of a row. Where the private part of a release
    is not on this machine, raw files and the ledger are not compared.
    """
    names = raw_names(new.root)
    closed = [snapshot.name for snapshot in (old, new) if not snapshot.private]
    files: list[FileChange] = []
    fields: list[FieldCount] = []
    rows: list[RowCount] = []
    for path in sorted({*old.inputs, *new.inputs}):
        before, after = old.inputs.get(path), new.inputs.get(path)
        raw = bool(raw_kind(path))
        if before == after or (closed and not named(path, ABOUT_NOBODY)):
            continue
        place = names.place(path) if raw else _open_place(path)
        change: Literal["new", "gone", "changed"] = "new" if before is None else "gone" if after is None else "changed"
        note = ""
        if change == "changed" and raw:
            count = _return_counts if is_return(path) and place.here == path else _mark_counts
            found = count(old, new, path, place, names)
            note = "" if found else "cannot be compared cell by cell"
            fields += found[0] if found else []
            rows += [found[1]] if found and (found[1].added or found[1].gone) else []
        files.append(FileChange(path=place.here, public=place.public, change=change, note=note))
    unknown = tuple(
        f"the private part of the release of {name} is not on this machine: raw files and ledger are not compared"
        for name in closed
    )
    ledger = () if closed else ledger_changes(old, new)
    return InputChanges(
        files=tuple(files), fields=tuple(fields), rows=tuple(rows), ledger=tuple(ledger), unknown=unknown
    )


def _open_place(path: str) -> RawPlace:
    """A file that is about nobody goes by its name; one in a folder that the project does not know might be named
    after somebody.
    """
    shown = (
        path
        if named(path, ABOUT_NOBODY) or path in (LEDGER, "data/synthetic_truth.toml")
        else "another file below data/"
    )
    return RawPlace(kind="", here=shown, public=shown)


def _return_counts(
    old: Snapshot, new: Snapshot, path: str, place: RawPlace, names: RawNames
) -> tuple[list[FieldCount], RowCount] | None:
    try:
        cells = _differences_of(old, new, path)
    except UnreadableReturn:
        return None
    people = Counter(bool(cell.new) for cell in cells if cell.field == PERSON)
    own = [cell for cell in cells if cell.field != PERSON]
    totals = Counter(names.field(cell.field) for cell in own)
    explained = Counter(names.field(cell.field) for cell in own if cell.ledger)
    fields = [
        FieldCount(place=place, field=name, cells=n, explained=explained[name]) for name, n in sorted(totals.items())
    ]
    return fields, RowCount(place=place, added=people[True], gone=people[False])


def _mark_counts(
    old: Snapshot, new: Snapshot, path: str, place: RawPlace, names: RawNames
) -> tuple[list[FieldCount], RowCount] | None:
    before, after = old.marks(path), new.marks(path)
    if before is None or after is None:
        return None
    found = mark_changes(before, after)
    totals: Counter[str] = Counter()
    for heading, cells in found.cells.items():
        totals[names.field(heading)] += cells
    fields = [FieldCount(place=place, field=name, cells=n, explained=0) for name, n in sorted(totals.items())]
    return fields, RowCount(place=place, added=found.added, gone=found.gone)


# ------------------------------------------------------------------ the ledger
def ledger_lines(text: str) -> list[dict[str, str]]:
    """The lines of a ledger by column; blank lines left out."""
    return [
        {
            key: from_csv((value or "").strip())
            for key, value in line.items()
            if isinstance(key, str) and not isinstance(value, list)
        }
        for line in csv.DictReader(io.StringIO(text))
        if any((value or "").strip() for value in line.values() if isinstance(value, str))
    ]


def ledger_changes(old: Snapshot, new: Snapshot) -> list[LedgerChange]:
    """Lines that stand in only one of the two ledgers."""
    names = raw_names(new.root)
    before, after = ledger_lines(old.ledger), ledger_lines(new.ledger)
    gone = [_ledger_change("taken out", line, names) for line in before if line not in after]
    return gone + [_ledger_change("added", line, names) for line in after if line not in before]


def _ledger_change(change: Literal["added", "taken out"], line: Mapping[str, str], names: RawNames) -> LedgerChange:
    day = line.get("received_on", "")
    return LedgerChange(
        change=change,
        id=public_id(line.get("id", "")),
        received_on=day if _DAY.fullmatch(day) else "",
        field=names.field(line.get("field", "")),
    )


# ------------------------------------------------------------------ cells of returns, with values: private
PERSON = "person"


def changed_cells(old: Snapshot, new: Snapshot) -> list[CellChange]:
    """The cells that differ in every changed return, with their values. Private: for the terminal only.

    Raises UnreadableReturn where a return cannot be read as a table.
    """
    names = raw_names(new.root)
    changed = [path for path in sorted({*old.inputs} & {*new.inputs}) if old.inputs[path] != new.inputs[path]]
    known = [path for path in changed if is_return(path) and names.place(path).here == path]
    return [cell for path in known for cell in _differences_of(old, new, path)]


def _differences_of(old: Snapshot, new: Snapshot, path: str) -> list[CellChange]:
    """Where a line of either ledger asks for the value found, the cell carries its id."""
    wanted = ledger_lines(new.ledger) + ledger_lines(old.ledger)
    return _differences(path, old.cells(path), new.cells(path), _asked(new.root, path, wanted))


def _asked(root: Path, path: str, lines: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The ledger's lines about one return."""
    place = PLACE.fullmatch(path)
    assert place is not None
    site = load_study(root, place["study"]).by_slug(place["slug"])
    name = site.local_authority if site else ""
    return [
        line
        for line in lines
        if (line.get("study"), line.get("wave"), line.get("authority")) == (place["study"], place["wave"], name)
    ]


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
            found.append(CellChange(path=path, row=there["row"], field=PERSON, old=words[0], new=words[1]))
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
