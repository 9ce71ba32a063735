"""A table in HTML, as great_tables writes it, read cell by cell into marked text for Typst."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hhp_stats.errors import RenderError
from hhp_stats.present.column_widths import LONG_WORD
from hhp_stats.publish.well_formed import Reader

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


def quoted(text: str) -> str:
    """A text as a string of Typst's."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


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
            after = f"#entry-place({quoted(place)})" if place else ""
            after += f"#printed({quoted(result)})" if result else ""
        elif tag == "a" and attributes.get("href"):
            target = attributes["href"]
            target = f"label({quoted(target[1:])})" if target.startswith("#") else quoted(target)
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
            cell.text.append(f"#raw({quoted(data)})")
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
        f"#text(fill: rgb({quoted(colour[1])}))[" if colour else "",
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
