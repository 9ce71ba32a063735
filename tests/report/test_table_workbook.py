"""tables.xlsx: every table of the pages, numbers as numbers, notes and captions with them, the same bytes each time."""

from __future__ import annotations

import io
import re
from typing import Any

import openpyxl
import pytest
from book_tools import Rendered, text_of

from hhp_stats.publish.project import load_project
from hhp_stats.publish.table_workbook import as_number, tables_of, workbook_of_tables


@pytest.mark.parametrize(
    ("words", "value", "form"),
    [
        ("1,315", 1315, "#,##0"),
        ("\u22120.56", -0.56, "0.00"),
        ("-3", -3, "0"),
        (".07", 0.07, "0.00"),
        ("45%", 0.45, "0%"),
        ("45.3%", 0.453, "0.0%"),
        ("1,234.50", 1234.5, "#,##0.00"),
        ("0", 0, "0"),
    ],
)
def test_a_cell_that_is_a_number_is_one(words: str, value: float, form: str) -> None:
    assert as_number(words) == (value, form)


@pytest.mark.parametrize(
    "words", ["", "\u2013", "[c]", "< .001", "\u22121.62 to 0.05", "0123", "3.57 (7.61)", "P54", "1,2", "5*"]
)
def test_any_other_cell_is_words(words: str) -> None:
    assert as_number(words) is None


def sheets(data: bytes) -> dict[str, Any]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: sheet for sheet in book.worksheets}


def test_every_table_of_every_page_has_its_sheet(rendered: Rendered) -> None:
    found = sheets((rendered.output / "tables.xlsx").read_bytes())
    shown = [
        (text_of(table), name)
        for name in rendered.report.pages
        for table in rendered.page(name).xpath("//figure[contains(@class, 'tbl')]")
    ]
    assert len(found) == len(shown) + 1 > 3
    contents = [row for row in found["Contents"].iter_rows(values_only=True) if row[0] in found]
    assert len(contents) == len(shown)
    for (words, page), (name, caption, place) in zip(shown, contents, strict=True):
        sheet = found[name]
        assert place.startswith(f"{page}#") and caption in words and caption in sheet["A1"].value
        # Every word of the table stands in its sheet, and nothing else does.
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        texts = [cell.value for cell in cells if isinstance(cell.value, str)]
        flat = re.sub(r"\s", "", words.replace("\u2007", "").replace("\u2009", ""))
        for text in texts[1:]:
            assert re.sub(r"\s", "", text) in flat, (name, text)


def test_numbers_are_numbers_and_words_are_no_formulas(rendered: Rendered) -> None:
    body = (
        '<figure id="tbl-x" class="float tbl"><figcaption><span class="float-label">Table&nbsp;1.1</span> Of <b>x</b>'
        '</figcaption><table><thead><tr><th rowspan="2">A</th><th colspan="2">B</th></tr><tr><th>C</th><th>D</th></tr>'
        '</thead><tbody><tr><th>=1+1</th><td>1,234\u2007</td><td>\u22120.50</td></tr><tr><td colspan="3">Group</td></tr>'
        "<tr><th>y</th><td>[c]</td><td>12.5%</td></tr></tbody><tfoot><tr><td>A note.</td></tr></tfoot></table></figure>"
    )
    (table,) = tables_of("one.html", body)
    assert (table.label, table.caption, table.place, table.notes) == (
        "Table 1.1",
        "Of x",
        "one.html#tbl-x",
        ["A note."],
    )
    project = load_project(rendered.root)
    data = workbook_of_tables(project, {"one.html": body})
    assert data == workbook_of_tables(project, {"one.html": body})
    sheet = sheets(data)["Table 1.1"]
    rows = [list(row) for row in sheet.iter_rows(min_row=3, values_only=True)]
    assert rows == [
        ["A", "B", None],
        [None, "C", "D"],
        ["=1+1", 1234, -0.5],
        ["Group", None, None],
        ["y", "[c]", 0.125],
        [None, None, None],
        ["A note.", None, None],
    ]
    assert sheet["A5"].data_type == "s" and sheet["B5"].number_format == "#,##0" and sheet["C7"].number_format == "0.0%"
    assert {str(area) for area in sheet.merged_cells.ranges} == {"A3:A4", "B3:C3", "A6:C6"}
