"""What a reader of a return does not see, or sees and a program does not read: white on white, remarks next to the
table, other kinds of files under the name of a workbook.
"""

from __future__ import annotations

import shutil
import zipfile

import pytest
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableCellProperties, TextProperties
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.colors import Color
from test_seen import found, kents, read  # noqa: F401

from hhp_stats.intake.container import Refused
from hhp_stats.intake.returns import read_grid

WHITE, BLUE = "FFFFFFFF", "FF1F3864"


@pytest.mark.parametrize(
    ("font", "ground", "seen"),
    [
        (Color(rgb=WHITE), None, False),
        (Color(rgb="00FFFFFF"), WHITE, False),
        (Color(theme=0), None, False),
        (Color(indexed=9), None, False),
        (Color(rgb=WHITE), BLUE, True),
        (Color(theme=0, tint=-0.5), None, True),  # grey
        (Color(theme=1), None, True),
        (Color(rgb="FF000000"), None, True),
    ],
)
def test_white_on_white_is_refused(read, trial_files, font, ground, seen):  # noqa: F811
    book = kents(trial_files)
    for address in ("G11", "A12"):
        book.active[address].font = Font(color=font)
        if ground:
            book.active[address].fill = PatternFill("solid", fgColor=ground)
    assert found(read(book)) == ([] if seen else [("C11", "A12"), ("C11", "G11")])


@pytest.mark.parametrize(
    ("ground", "seen"), [(None, False), ("#ffffff", False), ("transparent", False), ("#1f3864", True)]
)
def test_white_on_white_in_a_file_of_opendocument(tmp_path, ground, seen):
    document, table = OpenDocumentSpreadsheet(), Table(name="Return")
    style = Style(name="white", family="table-cell")
    style.addElement(TextProperties(color="#ffffff"))
    if ground:
        style.addElement(TableCellProperties(backgroundcolor=ground))
    document.automaticstyles.addElement(style)
    row, cell = TableRow(), TableCell(valuetype="float", value=3, stylename="white")
    cell.addElement(P(text="3"))
    row.addElement(cell)
    table.addElement(row)
    document.spreadsheet.addElement(table)
    document.save(tmp_path / "endline.ods")
    assert read_grid(tmp_path / "endline.ods").white == (set() if seen else {(1, 1)})


def test_remarks_next_to_the_table_are_named(read, trial_files):  # noqa: F811
    book = kents(trial_files)
    beyond = book.active.max_column + 2
    book.active.cell(9, beyond, "check with payroll")
    book.active.cell(11, beyond, "estimate")
    ret = read(book)
    assert [(each.code, each.value) for each in ret.problems] == [("F31", "2 cells next to the table")]
    assert ret.problems[0].cell == ", ".join(f"{book.active.cell(row, beyond).column_letter}{row}" for row in (9, 11))


def test_a_column_with_a_heading_is_no_remark(read, trial_files):  # noqa: F811
    book = kents(trial_files)
    beyond = book.active.max_column + 1
    book.active.cell(7, beyond, "Site")
    book.active.cell(9, beyond, "North")
    assert "F31" not in {code for code, _ in found(read(book))}


def rewritten(path, change):
    """The parts of a workbook, each as `change` makes it of its name and content."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, change(name, content))


def test_other_files_under_the_name_of_a_workbook_are_called_what_they_are(trial_files, tmp_path):
    path, other = tmp_path / "endline.xlsx", tmp_path / "other.xlsx"
    kents(trial_files).save(path)
    with zipfile.ZipFile(other, "w") as archive:
        archive.write(path, "endline.xlsx")
    with pytest.raises(Refused) as packed:
        read_grid(other)
    assert (packed.value.found, packed.value.remedy) == (
        "a workbook packed into an archive",
        "Take the workbook out of the archive and send it alone.",
    )
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    with pytest.raises(Refused) as letter:
        read_grid(other)
    assert letter.value.found == "another kind of file"


def test_strict_open_xml_is_called_so(trial_files, tmp_path):
    path = tmp_path / "endline.xlsx"
    kents(trial_files).save(path)
    spaces = {
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": (
            b"http://purl.oclc.org/ooxml/officeDocument/relationships"
        ),
    }

    def strict(name: str, content: bytes) -> bytes:
        for loose, other in spaces.items():
            content = content.replace(loose, other)
        return content

    shutil.copy(path, tmp_path / "strict.xlsx")
    rewritten(tmp_path / "strict.xlsx", strict)
    with pytest.raises(Refused, match="Strict Open XML"):
        read_grid(tmp_path / "strict.xlsx")
    assert read_grid(path).rows
