"""A great_tables table whose cells are all text: written in a fraction of the time, with its own widths and type.

The widths of the columns, the size of type and the weights are great_tables' own options, so that whoever shows the
table honours them: the embedded engine, the Quarto command line, a notebook.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any, Self

import pandas as pd
from great_tables import GT
from great_tables._gt_data import Body

from hhp_stats.present.column_widths import Layout, lay_out
from hhp_stats.present.marked_text import plain

_TAG = re.compile(r"<[^<>]*>")
_STYLED = re.compile(r'<table style="([^"]*)" class="gt_table"')
# As Pandoc sets it in running text: between letters, and after the s of a plural.
_APOSTROPHE = re.compile(r"(?<=[a-zA-Z])(?:'|&#x27;|&#39;)(?=[a-z])|(?<=[a-z]s)(?:'|&#x27;|&#39;)(?=[ ,.;:)])")
# The page's own face: of a list of names a reader would have some. Quarto's PDF knows no weight "initial".
_OPTIONS: dict[str, Any] = {
    "table_font_names": [],
    "table_layout": "auto",
    "heading_title_font_weight": "bold",
    "heading_subtitle_font_weight": "normal",
    "column_labels_font_weight": "bold",
    "row_group_font_weight": "bold",
    "row_group_border_bottom_style": "none",
    "stub_font_weight": "normal",
    "stub_row_group_font_weight": "bold",
    "stub_border_style": "none",
    "table_additional_css": [".gt_row { vertical-align: top !important; }"],
}


def _cell(text: str) -> str:
    """A cell's text as HTML. What is written from right to left keeps its order to itself (`bdi`)."""
    safe = html.escape(text)
    if text.isascii() or not any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text):
        return safe
    return f"<bdi>{safe}</bdi>"


def _class_first(found: re.Match[str]) -> str:
    style = "; ".join(part.strip() for part in found[1].split(";") if part.strip())
    return f'<table class="gt_table" style="{style}"'


class EscapedTable(GT):
    """A table that escapes its cells column by column.

    great_tables sets every cell of a pandas frame by itself, which took half of the time of a table. A table with a
    format of great_tables' own is left to it.
    """

    def _render_formats(self, context: str) -> Self:
        if context != "html" or self._formats or self._substitutions:
            return super()._render_formats(context)
        cells: Any = self._tbl_data
        escaped = pd.DataFrame(index=cells.index, columns=cells.columns, dtype=object)
        for at in range(cells.shape[1]):
            # What is missing stays so: great_tables fills it in from the original cells.
            escaped.isetitem(at, [None if pd.isna(value) else _cell(str(value)) for value in cells.iloc[:, at]])
        made = self._replace(_body=Body(escaped))
        return made._replace(_stub=made._stub.update_group_row_labels(made._body, cells, made._boxhead))

    def as_raw_html(self, *args: Any, **options: Any) -> str:
        """The table as HTML with the widths of its columns in percent, its size of type and its weights; apostrophes as
        in running text.
        """
        layout = self._layout()
        made = self.tab_options(**_OPTIONS, table_font_size=f"{layout.relative:g}%")
        if layout.percents:
            widths = zip(self._shown(), layout.percents, strict=True)
            made = made.cols_width({column.var: f"{percent:g}%" for column, percent in widths})
        written = super(EscapedTable, made).as_raw_html(*args, **options)
        # The class comes first, whatever else the tag says.
        return _APOSTROPHE.sub("\u2019", _STYLED.sub(_class_first, written, count=1))

    def _shown(self) -> list[Any]:
        """The columns as they stand from left to right, that of the rows' names first."""
        return list(self._boxhead.final_columns(options=self._options))

    def _layout(self) -> Layout:
        """How wide the columns are and how large the type, by the words of the table."""
        cells: Any = self._tbl_data
        shown = self._shown()
        columns = [[self._words(value) for value in cells[column.var]] for column in shown]
        rows: list[list[str]] = [list(row) for row in zip(*columns, strict=True)]
        rows += [[""]] * len(self._stub.group_ids)  # the names of groups take a row each
        heads = [[self._words(column.column_label) for column in shown]] + [[""]] * bool(self._spanners)
        return lay_out(heads, rows, columns=len(shown), notes=bool(self._source_notes or self._footnotes))

    def _words(self, value: Any) -> str:
        """What a reader sees of a cell or label."""
        text = "" if pd.isna(value) else plain(str(value))
        return html.unescape(_TAG.sub("", text)) if "<" in text else text

    def __repr__(self) -> str:
        """A few words: notebooks keep them beside the table, and all its data are no use there."""
        return f"<table of {len(self._tbl_data)} rows>"
