"""Word, OpenDocument, HTML and Markdown files as paragraphs and tables, read by Pandoc."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pypandoc

from hhp_stats.manuscript.document import Block, Paragraph, Table, table_of, words

Node = Mapping[str, Any]

FORMATS = {
    ".docx": "docx",
    ".odt": "odt",
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".qmd": "markdown",
    ".tex": "latex",
}
_INSIDE = {"Emph", "Strong", "Underline", "SmallCaps"}
_BESIDE = {"Quoted", "Cite", "Span", "Link"}  # their words come second
_BLANKS = {"Space", "SoftBreak", "LineBreak"}
_TEST_NAME = re.compile(r"(?:\b[tFrzQ]|\u03c72?|chi2?)$")
_SQUARE = re.compile(r"[A-Za-z\u0370-\u03ff]$")
_TEX = (
    (re.compile(r"\\chi\^?\{?2?\}?"), "\u03c72"),
    (re.compile(r"\\(?:leq?|leqslant)\b"), "\u2264"),
    (re.compile(r"\\(?:geq?|geqslant)\b"), "\u2265"),
    (re.compile(r"\\(?:times|cdot)\b"), "\u00d7"),
    (re.compile(r"\\(?:text|mathrm|mathit|mathbf|operatorname)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"_\{?(\d[\d.,]*)\}?"), r"(\1)"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;:! ]|~"), " "),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"[{}$]"), ""),
)
_TABLE_NAME = re.compile(r"Tab(?:le|\.)\s*[\w.]+", re.I)
_NOTE = re.compile(r"(?:Notes?|Source|N\.B)\b", re.I)


def read_with_pandoc(path: Path) -> tuple[Block, ...]:
    """Paragraphs, list items, captions, footnotes and tables in the order of the file. Raises RuntimeError where Pandoc
    cannot read it.
    """
    text = pypandoc.convert_file(
        str(path), "json", format=FORMATS[path.suffix.lower()], extra_args=["--sandbox", "--track-changes=accept"]
    )
    return tuple(_joined(_Blocks().read(json.loads(text)["blocks"])))


def _joined(blocks: Iterator[Block]) -> Iterator[Block]:
    """A paragraph "Table 2 ..." before a table without caption is its caption, one that begins "Note" its note."""
    made: list[Block] = []
    for block in blocks:
        before = made[-1] if made else None
        if isinstance(block, Table) and not block.caption and isinstance(before, Paragraph):
            if _TABLE_NAME.match(before.text):
                made.pop()
                block = _with(block, caption=before.text)
        elif isinstance(block, Paragraph) and isinstance(before, Table) and _NOTE.match(block.text) and not before.note:
            made[-1] = _with(before, note=block.text)
            continue
        made.append(block)
    return iter(made)


def _with(table: Table, *, caption: str = "", note: str = "") -> Table:
    return Table(
        place=table.place,
        caption=caption or table.caption,
        headings=table.headings,
        rows=table.rows,
        note=note or table.note,
    )


class _Blocks:
    """Counts paragraphs and tables while it walks through Pandoc's tree."""

    def __init__(self) -> None:
        self.paragraphs = self.tables = 0
        self.section = ""
        self.footnotes: list[Any] = []

    def read(self, blocks: list[Node]) -> Iterator[Block]:
        """The blocks in reading order; footnotes follow the block that calls them."""
        for block in blocks:
            yield from self._block(block)
            while self.footnotes:
                yield from self.read(self.footnotes.pop(0))

    def _block(self, block: Node) -> Iterator[Block]:
        kind, content = block["t"], block.get("c", [])
        if kind in ("Para", "Plain"):
            yield from self._paragraph(self.text(content))
        elif kind == "Header":
            self.section = words(self.text(content[2]))
            yield from self._paragraph(self.section)
        elif kind == "LineBlock":
            for line in content:
                yield from self._paragraph(self.text(line))
        elif kind == "BlockQuote":
            yield from self.read(content)
        elif kind == "Div":
            yield from self.read(content[1])
        elif kind == "Figure":
            yield from self.read(content[1][1])
            yield from self.read(content[2])
        elif kind in ("BulletList", "OrderedList"):
            for item in content if kind == "BulletList" else content[1]:
                yield from self.read(item)
        elif kind == "DefinitionList":
            for term, definitions in content:
                yield from self._paragraph(self.text(term))
                for definition in definitions:
                    yield from self.read(definition)
        elif kind == "Table":
            yield from self._table(content)

    def _paragraph(self, text: str) -> Iterator[Block]:
        said = words(text)
        if said:
            self.paragraphs += 1
            yield Paragraph(place=self._place(f"paragraph {self.paragraphs}"), text=said)

    def _place(self, what: str) -> str:
        return f"{what}, under \u201c{self.section}\u201d" if self.section else what

    def _table(self, content: Any) -> Iterator[Block]:
        _, caption, _, head, bodies, foot = content
        self.tables += 1
        lines = [*head[1], *(row for body in bodies for row in [*body[2], *body[3]]), *foot[1]]
        grid = self._grid(lines)
        name = " ".join(self._words(caption[1]))
        made = table_of(
            grid, place=self._place(f"table {self.tables}"), caption=name, heads=len(head[1]) if _filled(grid) else 0
        )
        if made is None:
            for row in grid:
                yield from self._paragraph(" ".join(row))
        else:
            yield made

    def _grid(self, lines: list[Any]) -> list[list[str]]:
        """Cells that span rows or columns stand in all of them."""
        grid: list[list[str]] = [[] for _ in lines]
        waiting: dict[tuple[int, int], str] = {}
        for at, line in enumerate(lines):
            column = 0
            for _, _, down, across, blocks in line[1]:
                while (at, column) in waiting:
                    grid[at].append(waiting.pop((at, column)))
                    column += 1
                text = " ".join(self._words(blocks))
                for _ in range(across):
                    grid[at].append(text)
                    for below in range(at + 1, min(at + down, len(lines))):
                        waiting[below, column] = text
                    column += 1
            while (at, column) in waiting:
                grid[at].append(waiting.pop((at, column)))
                column += 1
        return grid

    def _words(self, blocks: list[Node]) -> Iterator[str]:
        for block in blocks:
            content = block.get("c", [])
            if block["t"] in ("Para", "Plain"):
                yield self.text(content)
            elif block["t"] == "LineBlock":
                yield from (self.text(line) for line in content)
            elif block["t"] in ("Div", "Header"):
                yield from self._words(content[1]) if block["t"] == "Div" else [self.text(content[2])]
            elif block["t"] == "BulletList":
                for item in content:
                    yield from self._words(item)

    def text(self, inlines: list[Node]) -> str:
        """Words of running text; what is struck out is not read, a raised mark beside a number is no digit of it."""
        said = ""
        for inline in inlines:
            kind, content = inline["t"], inline.get("c", [])
            if kind == "Str":
                said += content
            elif kind in _BLANKS:
                said += " "
            elif kind in _INSIDE:
                said += self.text(content)
            elif kind in _BESIDE:
                said += self.text(content[1])
            elif kind == "Subscript":
                inside = self.text(content)
                said += f"({inside})" if _TEST_NAME.search(said) else inside
            elif kind == "Superscript":
                inside = self.text(content)
                said += inside if inside == "2" and _SQUARE.search(said) else ""
            elif kind == "Code":
                said += content[1]
            elif kind == "Math":
                said += _plain_tex(content[1])
            elif kind == "Note":
                self.footnotes.append(content)
        return said


def _filled(grid: list[list[str]]) -> bool:
    return bool(grid) and any(cell.strip() for cell in grid[0])


def _plain_tex(text: str) -> str:
    for pattern, said in _TEX:
        text = pattern.sub(said, text)
    return text
