"""Which cells of a survey or list differ, without keeping what they say.

Surveys hold answers, names and addresses; they are never copied. A release keeps a mark for each cell: three bytes of a
keyed digest of its text, the key being the digest of the row's identifier. Equal marks mean equal cells (one changed
cell in sixteen million is missed); the same answer of two people has different marks. Nothing needs a secret, and
nothing hangs on the order of rows. Marks are private all the same: who knows an identifier could try all answers of a
scale.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.intake.container import Refused
from hhp_stats.intake.survey_export import HEADER_ROWS, is_import_row
from hhp_stats.intake.text_file import likely_delimiter, read_text, split_rows

# The first of these that a list has tells its rows apart; without any, a changed row counts as one gone and one added.
IDENTIFIERS = ("ResponseId", "staff_id", "participant", "interviewee", "team_id", "survey_code", "theme", "draw")
EMPTY = "...."


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMarks:
    """Marks of one file: headings in order, and by row a mark a cell."""

    fields: tuple[str, ...]
    rows: Mapping[str, Sequence[str]]

    def by_field(self, row: str) -> dict[str, str]:
        """The marks of a row by heading."""
        return dict(zip(self.fields, self.rows[row], strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkChanges:
    """How many cells of which heading differ, and how many rows came or went."""

    cells: Mapping[str, int]
    added: int
    gone: int


def row_marks(path: Path) -> RowMarks | None:
    """The marks of a delimited file; None for what is no such file (an SPSS export, a workbook, a damaged one)."""
    try:
        text = read_text(path).text
        rows = split_rows(text, likely_delimiter(text, lines=1))
    except (OSError, Refused):
        return None
    if path.suffix.lower() != ".csv" or not rows:
        return None
    heads = [head.strip() for head in rows[0]]
    body = rows[HEADER_ROWS:] if is_import_row(rows) else rows[1:]
    place = next((heads.index(name) for name in IDENTIFIERS if name in heads), None)
    seen: dict[str, int] = {}
    marks = {}
    for cells in body:
        if not any(cell.strip() for cell in cells):
            continue
        cells = (cells + [""] * len(heads))[: len(heads)]
        own = "\0".join(cells) if place is None else cells[place].strip()
        seen[own] = seen.get(own, 0) + 1
        key = hashlib.blake2b(f"{own}\0{seen[own]}".encode(), digest_size=12).digest()
        marks[base64.b64encode(key).decode()] = [
            _mark(key, head, cell) for head, cell in zip(heads, cells, strict=True)
        ]
    return RowMarks(fields=tuple(heads), rows=marks)


def _mark(key: bytes, head: str, cell: str) -> str:
    if not cell.strip():
        return EMPTY
    digest = hashlib.blake2b(f"{head}\0{cell.strip()}".encode(), digest_size=3, key=key).digest()
    return base64.b64encode(digest).decode()


def mark_changes(old: RowMarks, new: RowMarks) -> MarkChanges:
    """Compare two states of one file by row and heading; a heading that only one has counts where its cells are
    filled.
    """
    cells: dict[str, int] = {}
    for row in old.rows:
        if row in new.rows:
            before, after = old.by_field(row), new.by_field(row)
            for head in dict.fromkeys([*before, *after]):
                if before.get(head, EMPTY) != after.get(head, EMPTY):
                    cells[head] = cells.get(head, 0) + 1
    return MarkChanges(
        cells=cells,
        added=sum(row not in old.rows for row in new.rows),
        gone=sum(row not in new.rows for row in old.rows),
    )


def packed_marks(files: Mapping[str, RowMarks]) -> bytes:
    """Marks of several files as compressed JSON, the same bytes each time."""
    plain = {
        name: {"fields": marks.fields, "rows": {row: "".join(cells) for row, cells in sorted(marks.rows.items())}}
        for name, marks in sorted(files.items())
    }
    return gzip.compress(json.dumps(plain, ensure_ascii=False).encode(), mtime=0)


def unpacked_marks(content: bytes) -> dict[str, RowMarks]:
    """What `packed_marks` packed."""
    plain: dict[str, Any] = json.loads(gzip.decompress(content))
    size = len(EMPTY)
    return {
        name: RowMarks(
            fields=tuple(each["fields"]),
            rows={
                row: [text[at : at + size] for at in range(0, len(text), size)] for row, text in each["rows"].items()
            },
        )
        for name, each in plain.items()
    }
