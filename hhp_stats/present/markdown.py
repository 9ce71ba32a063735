"""Tables printed as Markdown: for cells that hold cross references, which a table of great_tables cannot.

A cell that prints one has `#| output: asis`, and the caption with its label is part of what is printed. Both engines
turn `@sec-x` within it into a numbered link.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hhp_stats.plan.book_sections import BookSection

if TYPE_CHECKING:
    from great_tables import GT

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>$~^@|#]|-(?=-)|\.(?=\.)|&(?=[#\w]))")
_LABEL = re.compile(r"tbl-[a-z0-9-]*[a-z0-9]")


def escaped(text: str) -> str:
    """Plain text that Markdown leaves as it is, but for quotation marks and apostrophes, which it sets.

    Blanks and line ends become one blank; those that hold words together (no-break spaces) stay.
    """
    return escaped_part(re.sub(r"[ \t\r\n]+", " ", text).strip(" "))


def escaped_part(text: str) -> str:
    """The same of a part of a line, whose outer blanks belong to the line."""
    return _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """An identifier as code; refuses (ValueError) a backtick or a bar, which would end the code or the cell."""
    if "`" in text or "|" in text:
        raise ValueError(f"{text!r} cannot stand as code in a table")
    return f"`{text}`"


def result_code(result_id: str, known: Iterable[str]) -> str:
    """A result as code, without its study where no other of the `known` results has the same name: a link in print
    must know which is meant.
    """
    name = result_id.partition("/")[2]
    same = sum(other.partition("/")[2] == name for other in known)
    return code(result_id if same > 1 else name)


def section_reference(section: BookSection, *, document: str) -> str:
    """A cross reference to a section from a page whose source is `document`; a link where it has no number."""
    if section.numbered:
        return f"@{section.id}"
    folder = posixpath.dirname(document)
    return f"[{escaped(section.title)}]({posixpath.relpath(section.file, folder or '.')}#{section.id})"


def pipe_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, label: str, caption: str, widths: Sequence[int]
) -> str:
    """A Markdown table with caption and label. Cells are Markdown, the caption is plain text; `widths` share the line
    in proportion.

    Refuses (ValueError) a label of another form than `tbl-...`, rows or widths of another number than headings,
    no rows at all, and cells that hold a line break or an unescaped bar.
    """
    table = [list(headings), *(list(row) for row in rows)]
    if not _LABEL.fullmatch(label):
        raise ValueError(f"the label {label!r} must look like tbl-name")
    if len(table) == 1:
        raise ValueError(f"the table {label} has no rows")
    for row in table:
        if len(row) != len(headings) or len(widths) != len(headings):
            raise ValueError(f"the table {label} has a row of {len(row)} cells under {len(headings)} headings")
        for cell in row:
            if "\n" in cell or re.search(r"(?<!\\)\|", cell):
                raise ValueError(f"a cell of the table {label} holds a line break or a bar: {cell!r}")
    lines = ["| " + " | ".join(row) + " |" for row in table]
    # Pandoc takes the relative widths of columns from the dashes below the headings.
    lines.insert(1, "|" + "|".join(":" + "-" * max(3, width) for width in widths) + "|")
    return "\n".join([*lines, "", f": {escaped(caption)} {{#{label}}}", ""])


def printed_table(table: GT, *, label: str, caption: str) -> str:
    """A table of great_tables as Markdown with its label and caption, for a cell that prints several of them
    (`output: asis`).

    Refuses (ValueError) a label of another form than `tbl-...`, and a table without a table in it.
    """
    if not _LABEL.fullmatch(label):
        raise ValueError(f"the label {label!r} must look like tbl-name")
    html = table.as_raw_html().strip("\n")
    if html.count("<table") != 1:
        raise ValueError(f"{label} is no single table")
    return f"::: {{#{label} .cell-table}}\n\n``` {{=html}}\n{html}\n```\n\n{escaped(caption)}\n\n:::\n"
