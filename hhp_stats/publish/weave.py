"""Put what the code printed back between the prose, as Markdown that is the same for both formats.

Figures become files named by their label; tables keep great_tables' structure, lose its stylesheet and are set
aside, for Pandoc need not read them; labelled outputs become numbered floats (`::: {#tbl-x}` with the caption at the
end).
"""

from __future__ import annotations

import base64
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hhp_stats.errors import RenderError
from hhp_stats.publish.execute import Executed
from hhp_stats.publish.kernels import INLINE_MIME
from hhp_stats.publish.pictures import picture_of
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Cell, Inline, Prose, Source, steps

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CELL_FILE = re.compile(r"<ipython-input-\d+-[0-9a-f]+>:\d+: ")
_LIBRARY_FILE = re.compile(r"\S*[/\\]site-packages[/\\]")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()>#+\-.!<$~^@|])")
_GT_TABLE = re.compile(r"<table class=\"gt_table\".*?</table>", re.DOTALL)
_GT_ATTRIBUTES = re.compile(r"\s(?:id|headers|data-quarto-[a-z-]+)=\"[^\"]*\"")
_TABLE_STYLE = re.compile(r"^(<table class=\"gt_table\"[^>]*?) style=\"[^\"]*\"")
_COLUMN_WIDTHS = re.compile(r"\s*<colgroup>.*?</colgroup>", re.DOTALL)
_FENCED_TABLE = re.compile(
    r"^(```+ \{=html\}\n)(?:(?!```).)*?(<table class=\"gt_table\"(?:(?!```).)*?</table>)(?:(?!```).)*?(\n```+)$",
    re.DOTALL | re.MULTILINE,
)
_SET_ASIDE = re.compile(r'<table class="gt_table" data-kept="(\d+)"></table>')
_DIV = re.compile(r"^\s*(:{3,})\s*(\S.*)?$")
_FLOAT = re.compile(r"\{#((?:fig|tbl)-[A-Za-z0-9-]+)")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Woven:
    """A chapter ready for Pandoc; `figures` maps file names under the output folder to bytes.

    Tables in HTML stand in `tables` by the name that an empty table in the Markdown bears (`data-kept`).
    """

    markdown: str
    figures: dict[str, bytes] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)  # the code behind each labelled figure and table


def weave(project: Project, source: Source, executed: Executed) -> Woven:
    """Markdown of one chapter with the outputs of its code in their places.

    Raises RenderError with the cell's file and line where an output cannot be shown in both formats:
    HTML that is no great_tables table, a labelled cell with no or several figures or tables, a
    figure without a label, or printed Markdown whose `:::` lines do not pair up.
    """
    outputs = iter(executed.outputs)
    figures: dict[str, bytes] = {}
    tables: dict[str, str] = {}
    blocks: list[str] = []
    cells: dict[str, Cell] = {}
    pending = list(zip(steps(source), outputs, strict=True))
    for piece in source.pieces:
        if isinstance(piece, Prose):
            text = "".join(part if isinstance(part, str) else _inline(pending.pop(0)) for part in piece.parts)
            blocks.append(text.strip("\n"))
        else:
            shown = pending.pop(0)[1] if piece.options["eval"] else ()
            weaver = _CellWeaver(project=project, source=source, cell=piece, figures=figures, tables=tables)
            text = "\n\n".join(weaver.blocks(shown))
            # What the cell prints may bring labels of its own.
            cells |= dict.fromkeys([label for label in [piece.label] if label] + _FLOAT.findall(text), piece)
            if text:
                blocks.append(textwrap.indent(text, piece.indent))
    return Woven(markdown="\n\n".join(blocks) + "\n", figures=figures, tables=tables, cells=cells)


def put_back(html: str, tables: Mapping[str, str]) -> str:
    """A page with the tables that were set aside in their places, the places of results in them as its own.

    On a screen the columns are as wide as the window lets them be; their widths are for paper.
    """
    return _SET_ASIDE.sub(
        lambda found: _COLUMN_WIDTHS.sub("", tables[found[1]]).replace(' data-anchor="', ' id="'), html
    )


def _inline(step: tuple[Cell | Inline, Sequence[Any]]) -> str:
    """The text of an inline value: Markdown as it is, strings escaped, numbers as they print."""
    for output in step[1]:
        value = output.get("data", {}).get(INLINE_MIME)
        if value is not None:
            text = " ".join(str(value["markdown"]).split("\n"))
            if not text.strip():
                raise RenderError(
                    step[0].file,
                    step[0].line,
                    "this inline code gives an empty text, for which Quarto prints the code itself; say something, or"
                    " leave the code out",
                )
            return _MARKDOWN.sub(r"\\\1", text) if value["escape"] else text
    raise RenderError(step[0].file, step[0].line, "this inline code gave no value")


def _fenced(text: str, attributes: str) -> str:
    """A code block whose fence is longer than any within the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence} {attributes}\n{text.rstrip()}\n{fence}"


def _plain_table(html: str) -> str:
    """A table of great_tables without what other stylesheets and scripts would need."""
    return _TABLE_STYLE.sub(r"\1", _GT_ATTRIBUTES.sub("", html))


def _attribute(text: str) -> str:
    """Text as a quoted attribute value of Pandoc's Markdown."""
    flat = " ".join(text.split()).replace("&", "&amp;")
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True, kw_only=True)
class _CellWeaver:
    project: Project
    source: Source
    cell: Cell
    figures: dict[str, bytes]
    tables: dict[str, str]

    def blocks(self, outputs: Sequence[Any]) -> list[str]:
        options = self.cell.options
        if not options["include"]:
            return []
        blocks = [self._code()] if options["echo"] and self.cell.code else []
        if options["output"] is False:
            return blocks
        counts = {"figure": 0, "table": 0}
        shown = [text for output in outputs for text in self._output(output, counts)]
        label = self.cell.label
        if not label or not options["eval"]:
            return blocks + shown
        if not label.startswith(("fig-", "tbl-")):
            return [*blocks, "\n\n".join([f"::: {{#{label}}}", *shown, ":::"])]
        kind = "figure" if label.startswith("fig-") else "table"
        if counts[kind] != 1 and options["output"] != "asis":
            raise self._error(f"the cell '{label}' shows {counts[kind]} {kind}s; a label needs exactly one")
        caption = " ".join(str(options["fig-cap" if kind == "figure" else "tbl-cap"]).split())
        return [*blocks, "\n\n".join([f"::: {{#{label} .cell-{kind}}}", *shown, caption, ":::"])]

    def _error(self, message: str) -> RenderError:
        return RenderError(self.cell.file, self.cell.line, message)

    def _code(self) -> str:
        code = _fenced(self.cell.source.strip("\n"), "{.python .cell-code}")
        if not self.cell.options.get("code-fold", self.project.code_fold):
            return code
        summary = self.cell.options.get("code-summary", self.project.code_summary)
        return f"::: {{.code-fold summary={_attribute(summary)}}}\n{code}\n:::"

    def _output(self, output: Any, counts: dict[str, int]) -> Iterator[str]:
        kind = output["output_type"]
        asis = self.cell.options["output"] == "asis"
        if kind == "stream":
            if output["name"] == "stderr":
                if self.cell.options["warning"]:
                    yield _fenced(self._stable(output["text"]), "{.cell-output .cell-stderr}")
            elif asis:
                yield self._markdown(output["text"])
            elif output["text"].strip():
                yield _fenced(self._stable(output["text"]), "{.cell-output}")
        elif kind == "error":
            yield _fenced(self._stable(f"{output['ename']}: {output['evalue']}"), "{.cell-output .cell-error}")
        else:
            yield from self._display(output["data"], counts)

    def _display(self, data: Any, counts: dict[str, int]) -> Iterator[str]:
        if "text/markdown" in data:
            yield self._markdown(data["text/markdown"])
        elif "image/svg+xml" in data:
            counts["figure"] += 1
            yield self._figure(data["image/svg+xml"].encode(), "svg")
        elif "image/png" in data:
            counts["figure"] += 1
            yield self._figure(base64.b64decode(data["image/png"]), "png")
        elif "text/html" in data:
            counts["table"] += 1
            yield self._table(data["text/html"])
        elif "text/plain" in data:
            text = data["text/plain"]
            # What a statement such as `ax.set_title(...)` returns, or the text beside a shown figure.
            if not re.match(r"<(Figure|Axes|matplotlib)|\[<matplotlib|Text\(", text):
                yield _fenced(self._stable(text), "{.cell-output}")

    def _stable(self, text: str) -> str:
        """Printed text without what differs between runs and machines."""
        text = _CELL_FILE.sub("", _ANSI.sub("", text))
        text = _LIBRARY_FILE.sub("", _ADDRESS.sub("", text))
        return text.replace(f"{self.project.root}/", "")

    def _markdown(self, text: str) -> str:
        """Printed Markdown, refused where its divs would swallow or end those around them."""
        depth, fence = 0, ""
        for line in text.split("\n"):
            mark = _FENCE.match(line)
            if mark and not fence:
                fence = mark[1]
            elif mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence):
                fence = ""
            div = _DIV.match(line) if not fence else None
            if div:
                depth += 1 if div[2] else -1
                if depth < 0:
                    break
        if depth != 0 or fence:
            raise self._error("the Markdown that this cell prints does not close its ':::' or code blocks in pairs")
        return _FENCED_TABLE.sub(
            lambda found: found[1] + self._set_aside(_plain_table(found[2])) + found[3], text.strip("\n")
        )

    def _table(self, html: str) -> str:
        tables = _GT_TABLE.findall(html)
        if len(tables) != 1:
            raise self._error("this cell shows HTML that is no great_tables table; end it with a GT")
        if "gt_heading" in tables[0] and "gt_title" in tables[0]:
            raise self._error("this table has a title of its own (tab_header); use tbl-cap")
        return _fenced(self._set_aside(_plain_table(tables[0])), "{=html}")

    def _set_aside(self, table: str) -> str:
        # Named by its place, not its content: Pandoc need not write a chapter again of which only tables changed.
        name = str(len(self.tables) + 1)
        self.tables[name] = table
        return f'<table class="gt_table" data-kept="{name}"></table>'

    def _figure(self, content: bytes, suffix: str) -> str:
        label = self.cell.label
        if not label.startswith("fig-"):
            raise self._error("this cell shows a figure; give it a label 'fig-…', a fig-cap and a fig-alt")
        picture = picture_of(content=content, stem=label, suffix=suffix)
        self.figures.update(picture.files)
        attributes = f"fig-alt={_attribute(str(self.cell.options['fig-alt']))}"
        attributes += "".join(f' {key}="{value}"' for key, value in picture.attributes.items())
        return f"![]({picture.name}){{{attributes}}}"
