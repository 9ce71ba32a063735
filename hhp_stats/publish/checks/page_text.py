"""The words and tables of a rendered page, read back from its HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hhp_stats.publish.well_formed import Reader

_SKIPPED = {"script", "style", "svg", "nav", "pre", "head", "template"}
_BLOCKS = {"p", "li", "h1", "h2", "h3", "h4", "figcaption", "caption", "dd", "dt", "td", "th", "div", "section"}
# Elements that never close: counting them would leave the reader inside a skipped one for ever.
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(slots=True)
class PageTable:
    """One table: the headings next to its cells, and rows of cells. Spanned cells are repeated, across and down.

    `results` holds, row by row, the ids of the results whose numbers the cells print.
    """

    headings: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    results: list[frozenset[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """What a reader sees: paragraphs outside tables, and the tables."""

    paragraphs: tuple[str, ...]
    tables: tuple[PageTable, ...]


def read_page(html: str) -> PageText:
    """Paragraphs and tables of a page; scripts, code, drawings and navigation are left out."""
    reader = _Reader()
    reader.feed(html)
    reader.flush()
    return PageText(paragraphs=tuple(reader.paragraphs), tables=tuple(reader.tables))


class _Reader(Reader):
    def __init__(self) -> None:
        self.paragraphs: list[str] = []
        self.tables: list[PageTable] = []
        self.words: list[str] = []
        self.skipping: list[str] = []
        self.table: PageTable | None = None
        self.row: list[str] | None = None
        self.named: set[str] = set()  # results of the row
        self.in_head = False
        self.span = self.down = 1
        self.head: list[dict[int, str]] = []  # rows of headings: column -> words
        self.line = 0  # which row of headings is being read

    def handle_starttag(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _VOID:
            if tag == "br":
                self.words.append(" ")
            return
        if self.skipping or tag in _SKIPPED:
            self.skipping.append(tag)
            return
        if "data-result" in attributes:
            self.named.add(attributes["data-result"])
        if tag == "table":
            self.flush()
            self.table = PageTable()
        elif tag == "thead":
            self.in_head, self.head, self.line = True, [], -1
        elif tag == "tr" and self.table is not None:
            self.row, self.named = [], set()
            self.line += self.in_head
        elif tag in ("td", "th") and self.row is not None:
            self.words = []
            self.span, self.down = (int(attributes.get(name) or 1) for name in ("colspan", "rowspan"))
        elif tag in _BLOCKS and self.table is None:
            self.flush()

    def handle_endtag(self, tag: str) -> None:
        if self.skipping:
            if tag in self.skipping:
                while self.skipping and self.skipping.pop() != tag:
                    pass
            return
        if tag in ("td", "th") and self.row is not None:
            text = self._taken()
            self.row += [text] * self.span
            if self.in_head:
                self._put_heading(text)
        elif tag == "tr" and self.table is not None and self.row is not None:
            if not self.in_head and self.row:
                self.table.rows.append(self.row)
                self.table.results.append(frozenset(self.named))
            self.row = None
        elif tag == "thead":
            self.in_head = False
            if self.table is not None and self.head:
                last = self.head[-1]
                self.table.headings = [last[column] for column in sorted(last)]
        elif tag == "table" and self.table is not None:
            self.tables.append(self.table)
            self.table = None
            self.words = []
        elif tag in _BLOCKS and self.table is None:
            self.flush()

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.words.append(data)

    def _put_heading(self, text: str) -> None:
        """A heading over `span` columns and `down` rows, in the first place that headings from above leave free."""
        while len(self.head) < self.line + self.down:
            self.head.append({})
        here = self.head[self.line]
        start = next(column for column in range(len(here) + 1) if column not in here)
        for row in self.head[self.line : self.line + self.down]:
            row |= dict.fromkeys(range(start, start + self.span), text)

    def _taken(self) -> str:
        text = re.sub(r"\s+", " ", "".join(self.words).replace("\u00ad", "")).strip()
        self.words = []
        return text

    def flush(self) -> None:
        """End the paragraph that is being read."""
        if self.table is None and (text := self._taken()):
            self.paragraphs.append(text)
