"""Tables as Typst: great_tables' HTML and the tables that Pandoc read become calls of `report-table` in report.typ.

Pandoc would take most of a rendering for the cells of the tables alone. The filters leave a line in the text where
a table stands, and here it is put in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hhp_stats.errors import RenderError
from hhp_stats.present.column_widths import LONG_WORD, lay_out
from hhp_stats.publish.well_formed import Reader

_TABLE_LINE = re.compile(r"^[ \t]*//hhp-table (\{.*\})$", re.MULTILINE)
# A table that goes over pages waits for the figures before it: they would be put at the head of a page, amid its rows.
_LONG = re.compile(
    r"^(#figure\(kind: table, (?:(?!#figure\().)*?#report-table\([^\n]*whole: false)", re.MULTILINE | re.DOTALL
)
_PRINTED = re.compile(r'#printed\("[^"]*"\)')
_SPECIAL = re.compile(r"[\\#$*_`<>@~=\-+/\[\]\"'{}().:;^|]")
_BLANKS = re.compile(r"[ \t\r\n]+")  # not the blanks that no line may break at
_COLOUR = re.compile(r"(?:^|;)\s*color:\s*(#[0-9A-Fa-f]+)")
_FILL = re.compile(r"background-color:\s*(#[0-9A-Fa-f]+)")
_BOLD = re.compile(r"font-weight:\s*(?:bold|[6-9]00)")
_WIDTH = re.compile(r"(?:^|;)\s*width:\s*([\d.]+)%")
_ITALIC = re.compile(r"font-style:\s*italic")
_SIDE = re.compile(r"\bgt_(left|right|center)\b")
_AROUND = {
    "strong": ("#strong[", "]"),
    "b": ("#strong[", "]"),
    "em": ("#emph[", "]"),
    "i": ("#emph[", "]"),
    "sup": ("#super[", "]"),
    "sub": ("#sub[", "]"),
    "span": ("", ""),
    "div": ("", ""),
    "a": ("", ""),
    "p": ("", ""),
    "u": ("#underline[", "]"),
    "code": ("", ""),
    "bdi": ("", ""),
}
_AROUND_ROWS = ("table", "colgroup", "col")
_TOGETHER = 3  # rows at the end of a table over pages that stay in one piece
_BRIEF = 300  # characters: rows with longer cells may be higher than what is left of a page
_FAIRLY_BRIEF = 700  # characters: one row with such cells is lower than half a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands in one cell, as Typst's markup and as plain words."""

    text: str
    plain: str
    side: str | None = None  # left, right or center where the cell says so
    columns: int = 1
    rows: int = 1
    fill: str | None = None


Row = Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table's rows in order; a row of one cell over all columns names the group of those below it."""

    columns: int
    sides: Sequence[str]
    head: Sequence[Row]
    rows: Sequence[Row]
    notes: Sequence[Cell]
    percents: Sequence[float] = ()  # widths of the columns, where the table brings them


def with_tables(text: str, html: Mapping[str, str], *, file: str) -> str:
    """A chapter's Typst with its tables in their places; `html` holds those that were set aside, by name.

    Raises RenderError, naming the chapter, for HTML in a table that print cannot show.
    """

    def table(found: re.Match[str]) -> str:
        mark = json.loads(found[1])
        return as_typst(read_html(html[mark["kept"]], file=file) if "kept" in mark else _from_pandoc(mark))

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


def escaped(text: str) -> str:
    """Plain words as Typst's markup. A long identifier may end its line after an underscore, as columns are
    reckoned.
    """
    if not _SPECIAL.search(text):
        return text
    words = [_SPECIAL.sub(r"\\\g<0>", word) for word in text.split(" ")]
    return " ".join(
        word.replace("\\_", "\\_\u200b") if len(plain) > LONG_WORD else word
        for plain, word in zip(text.split(" "), words, strict=True)
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


# ---------------------------------------------------------------- from HTML


@dataclass(slots=True)
class _Open:
    """A cell that is being read."""

    attributes: Mapping[str, str]
    text: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    closing: list[tuple[str, str]] = field(default_factory=list)  # open elements and what ends them


class _Reader(Reader):
    """Reads one table of great_tables."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.part = "tbody"
        self.rows: dict[str, list[list[Cell]]] = {"thead": [], "tbody": [], "tfoot": []}
        self.cell: _Open | None = None
        self.percents: list[float] = []

    def handle_starttag(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in ("td", "th"):
            self.cell = _Open(attributes=attributes)
        elif self.cell is not None:
            self._within(self.cell, tag, attributes)
        elif tag in ("thead", "tbody", "tfoot"):
            self.part = tag
        elif tag == "tr":
            self.rows[self.part].append([])
        elif tag == "col" and (width := _WIDTH.search(attributes.get("style", ""))):
            self.percents.append(float(width[1]))
        elif tag not in _AROUND_ROWS:
            raise self._unknown(tag)

    def _within(self, cell: _Open, tag: str, attributes: Mapping[str, str]) -> None:
        """An element in a cell's text."""
        if tag == "br":
            cell.text.append("#linebreak() ")
            cell.plain.append(" ")
            return
        if tag not in _AROUND:
            raise self._unknown(tag)
        before, after = _AROUND[tag]
        if tag == "span" and "gt_footnote_marks" in attributes.get("class", ""):
            before, after = _AROUND["sup"]
        elif tag == "span" and ("data-result" in attributes or "data-anchor" in attributes):
            place, result = attributes.get("data-anchor"), attributes.get("data-result")
            after = f"#entry-place({_quoted(place)})" if place else ""
            after += f"#printed({_quoted(result)})" if result else ""
        elif tag == "a" and attributes.get("href"):
            target = attributes["href"]
            target = f"label({_quoted(target[1:])})" if target.startswith("#") else _quoted(target)
            before, after = f"#link({target})[", "]"
        elif tag == "p" and any(part.strip() for part in cell.text):
            before = "\n\n"
        inner_before, inner_after = _styled(attributes.get("style", ""))
        cell.text.append(before + inner_before)
        cell.closing.append((tag, inner_after + after))

    def handle_endtag(self, tag: str) -> None:
        cell = self.cell
        if cell is None:
            return
        if tag in ("td", "th"):
            self.rows[self.part][-1].append(_closed(cell))
            self.cell = None
        elif cell.closing and cell.closing[-1][0] == tag:
            cell.text.append(cell.closing.pop()[1])

    def handle_data(self, data: str) -> None:
        cell = self.cell
        if cell is None:
            return
        if cell.closing and cell.closing[-1][0] == "code":
            cell.text.append(f"#raw({_quoted(data)})")
        else:
            cell.text.append(escaped(_BLANKS.sub(" ", data)))
        cell.plain.append(data)

    def _unknown(self, tag: str) -> RenderError:
        message = (
            f"a table holds <{tag}>, which cannot be shown in print; cells may hold words, emphasis, code and links"
        )
        return RenderError(self.file, None, message)


def _styled(style: str) -> tuple[str, str]:
    """What stands before and after something of this inline style."""
    colour = _COLOUR.search(style)
    calls = [
        f"#text(fill: rgb({_quoted(colour[1])}))[" if colour else "",
        "#emph[" if _ITALIC.search(style) else "",
        "#strong[" if _BOLD.search(style) else "",
    ]
    return "".join(calls), "]" * sum(map(bool, calls))


def _closed(cell: _Open) -> Cell:
    style = cell.attributes.get("style", "")
    side = _SIDE.search(cell.attributes.get("class", ""))
    fill = _FILL.search(style)
    before, after = _styled(style)
    return Cell(
        text=before + "".join(cell.text).strip(" ") + after,
        plain=_BLANKS.sub(" ", "".join(cell.plain)).strip(" "),
        side=side[1] if side else None,
        columns=int(cell.attributes.get("colspan", 1)),
        rows=int(cell.attributes.get("rowspan", 1)),
        fill=fill[1] if fill else None,
    )


def read_html(html: str, *, file: str) -> Table:
    """A table of great_tables. Raises RenderError, naming the chapter, for elements that print cannot show."""
    reader = _Reader(file)
    reader.feed(html)
    head, rows = reader.rows["thead"], reader.rows["tbody"]
    columns = max(sum(cell.columns for cell in row) for row in [*head, *rows])
    return Table(
        columns=columns,
        sides=("left",) * columns,
        head=head,
        rows=rows,
        notes=[cell for row in reader.rows["tfoot"] for cell in row],
        percents=reader.percents,
    )


# ---------------------------------------------------------------- from Pandoc


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


# ---------------------------------------------------------------- to Typst


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
        arguments.append(f"fill: rgb({_quoted(cell.fill)})")
    content = f"#{wrap}[{cell.text}]" if wrap else cell.text
    return f"table.cell({', '.join(arguments)})[{content}]"
