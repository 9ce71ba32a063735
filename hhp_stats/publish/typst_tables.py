"""Tables as Typst: great_tables' HTML and the tables that Pandoc read become calls of `report-table` in report.typ.

Pandoc would take most of a rendering for the cells of the tables alone. The filters leave a line in the text where
a table stands, and here it is put in.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hhp_stats.files.remember import Remember, code_of, make_again
from hhp_stats.present import column_widths
from hhp_stats.present.column_widths import lay_out
from hhp_stats.publish import html_tables, well_formed
from hhp_stats.publish.html_tables import Cell, Row, Table, quoted, read_html

_TABLE_LINE = re.compile(r"^[ \t]*//hhp-table (\{.*\})$", re.MULTILINE)
# A table that goes over pages waits for the figures before it: they would be put at the head of a page, amid its rows.
_LONG = re.compile(
    r"^(#figure\(kind: table, (?:(?!#figure\().)*?#report-table\([^\n]*whole: false)", re.MULTILINE | re.DOTALL
)
_PRINTED = re.compile(r'#printed\("[^"]*"\)')
_TOGETHER = 3  # rows at the end of a table over pages that stay in one piece
_BRIEF = 300  # characters: rows with longer cells may be higher than what is left of a page
_FAIRLY_BRIEF = 700  # characters: one row with such cells is lower than half a page


def with_tables(text: str, html: Mapping[str, str], *, file: str, remember: Remember = make_again) -> str:
    """A chapter's Typst with its tables in their places; `html` holds those that were set aside, by name.

    `remember` may keep what each table became: in an edited chapter nearly all are as they were. Raises RenderError,
    naming the chapter, for HTML in a table that print cannot show.
    """
    code = code_of(sys.modules[__name__], html_tables, column_widths, well_formed)

    def table(found: re.Match[str]) -> str:
        mark = json.loads(found[1])
        if "kept" not in mark:
            return remember(["table of Pandoc", code, found[1]], lambda: as_typst(_from_pandoc(mark)))
        kept = html[mark["kept"]]
        return remember(["table", code, kept], lambda: as_typst(read_html(kept, file=file)))

    lines = "\n".join(_marked_once(line) for line in text.split("\n"))
    return _LONG.sub(r"#place.flush()\n\1", _TABLE_LINE.sub(table, lines))


def _marked_once(text: str) -> str:
    """A paragraph or row that prints several numbers of a result tells the index once: marks cost Typst time."""
    seen: set[str] = set()

    def first(found: re.Match[str]) -> str:
        if found[0] in seen:
            return ""
        seen.add(found[0])
        return found[0]

    return _PRINTED.sub(first, text) if "#printed(" in text else text


_CALL = re.compile(r"#[a-z]+(?:\((?:[^()\"]|\"(?:[^\"\\]|\\.)*\"|\([^()]*\))*\))?")
_MARKUP = re.compile(r"\\(.)|[\[\]`]|<[\w:.-]+>")  # signs of markup and labels


def _words(text: str) -> str:
    """The words of a cell without Typst's markup, for its width."""
    return _MARKUP.sub(lambda found: found[1] or "", _CALL.sub("", text))


def _from_pandoc(mark: Mapping[str, Any]) -> Table:
    """A table as typst.lua describes it: its cells' Typst is Pandoc's."""

    def cells(row: Sequence[Mapping[str, Any]]) -> list[Cell]:
        return [Cell(plain=_words(cell["text"]), **cell) for cell in row]

    return Table(
        columns=len(mark["sides"]),
        sides=mark["sides"],
        head=[cells(row) for row in mark["head"]],
        rows=[cells(row) for row in mark["rows"]],
        notes=cells(mark["notes"]),
    )


def as_typst(table: Table) -> str:
    """The call of `report-table` that sets the table."""
    layout = lay_out(
        [[cell.plain for cell in row] for row in table.head],
        [[cell.plain for cell in row] for row in table.rows],
        columns=table.columns,
        percents=table.percents,
    )
    sides = _sides(table)
    out = ["  table.hline(stroke: rule-heavy),"]
    if table.head:
        heads = [f"    {_heading(cell)}," for row in table.head for cell in row]
        if not layout.whole:
            heads[0] = heads[0].replace(")[", ")[#continued(float)", 1)
        out += ["  table.header(", *heads, "  ),", "  table.hline(stroke: rule-light),"]
    foot = len(table.rows) if layout.whole else _foot(table)
    wrapped = any(width.endswith("fr") for width in layout.columns)  # rows of several lines need a rule between them
    groups = [at for at, row in enumerate(table.rows) if _is_group(row, table.columns)]
    before_foot = max((at for at in groups if at < foot), default=None) if foot in groups else None
    last: list[str] = []
    for at, row in enumerate(table.rows):
        group = _is_group(row, table.columns)
        into = out if at < foot else last
        if at > 0 and (wrapped or group):
            into.append("  table.hline(stroke: rule-hair),")
        if group:
            name = _cell(replace(row[0], side="left", columns=table.columns), wrap="row-group")
            # Rows that stay together need no head of their own, and the end of a table can hold none.
            once = "again: false, " if at == before_foot else ""
            into.append(f"  {name}," if layout.whole or at >= foot else f"  group-head({once}{name}),")
        else:
            into.append(_marked_once("\n".join(f"  {_cell(cell)}," for cell in _without_sides(row, sides))))
    if last:
        out += ["  foot: (", *last, "  ),"]
    else:
        out.append("  table.hline(stroke: rule-heavy),")
    # Notes stand below the table: as cells over all columns they would stretch the columns.
    notes = "".join(f"[{note.text}], " for note in table.notes)
    return (
        f"#report-table(columns: ({', '.join(layout.columns)},), align: ({', '.join(sides)},), size: {layout.size}, "
        f"whole: {str(layout.whole).lower()}, tall: {str(layout.tall).lower()}, notes: ({notes}),\n"
        + "\n".join(out)
        + "\n)"
    )


def _is_group(row: Row, columns: int) -> bool:
    return len(row) == 1 and row[0].columns == columns > 1


def _foot(table: Table) -> int:
    """The first of the rows that stay together at the end of a table over pages, so that none stands alone on the last
    and notes follow their table.

    Where the last rows are not known to be low, it is the last one alone, so that notes have something to stay with;
    the number of rows where that one is too high for it, or where cells reach into it.
    """
    rows = table.rows
    for together, longest in ((_TOGETHER, _BRIEF), (1, _FAIRLY_BRIEF)):
        start = len(rows) - together
        if start > 0 and _is_group(rows[start - 1], table.columns):
            start -= 1
        last = rows[max(0, start - _TOGETHER) :] if together > 1 else rows[start:]
        reached = any(cell.rows > 1 for row in rows[max(0, start - _TOGETHER) :] for cell in row)
        if start >= _TOGETHER and not reached and all(len(cell.plain) <= longest for row in last for cell in row):
            return start
    return len(rows)


def _sides(table: Table) -> list[str]:
    """How columns stand: as the first full row does."""
    first = next((row for row in table.rows if len(row) == table.columns and not _is_group(row, table.columns)), [])
    return [cell.side or side for cell, side in zip(first, table.sides, strict=True)] if first else list(table.sides)


def _without_sides(row: Row, sides: Sequence[str]) -> Row:
    """Cells that stand as their column does need not say so."""
    if len(row) != len(sides):
        return row
    return [replace(cell, side=None) if cell.side == side else cell for cell, side in zip(row, sides, strict=True)]


def _heading(cell: Cell) -> str:
    # A heading without a side of its own stands as its column does.
    if cell.columns > 1:
        return _cell(replace(cell, side="center"), wrap="spanner", at_foot=True)
    return _cell(cell, wrap="head-cell", at_foot=True)


def _cell(cell: Cell, *, wrap: str | None = None, at_foot: bool = False) -> str:
    arguments = []
    if cell.columns > 1:
        arguments.append(f"colspan: {cell.columns}")
    if cell.rows > 1:
        arguments.append(f"rowspan: {cell.rows}")
    if cell.side:
        arguments.append(f"align: {cell.side}" + (" + bottom" if at_foot else ""))
    if cell.fill:
        arguments.append(f"fill: rgb({quoted(cell.fill)})")
    content = f"#{wrap}[{cell.text}]" if wrap else cell.text
    return f"table.cell({', '.join(arguments)})[{content}]"
