"""The reader of .xlsx against openpyxl itself, and against files made to do harm."""

import io
import re
import zipfile
from datetime import datetime

import openpyxl
import pytest

from hhp_stats.intake import container
from hhp_stats.intake.container import Refused, check_container
from hhp_stats.intake.grid import NO_STORED_VALUE, CellError
from hhp_stats.intake.xlsx import read_xlsx


def of_all_kinds():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Return"
    values = [
        "text",
        " blanks ",
        "ünïcode ≥ 3",
        "<&>\"'",
        0,
        -3,
        2.5,
        1e-9,
        123456789012,
        True,
        False,
        datetime(2019, 5, 3),
        datetime(2019, 5, 3, 12, 30),
        None,
        "",
        "0012",
        "=not a formula",
    ]
    for row in range(1, 4):
        for column, value in enumerate(values, start=row):
            cell = sheet.cell(row=row * 2, column=column, value=value)
            if isinstance(value, str) and value.startswith("="):
                cell.data_type = "s"
    return book


def test_the_same_cells_as_openpyxl(tmp_path):
    path = tmp_path / "kinds.xlsx"
    of_all_kinds().save(path)
    grid = read_xlsx(path)
    sheet = openpyxl.load_workbook(path, data_only=True)["Return"]
    expected = {
        (cell.row, cell.column): cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None
    }
    found = {(row, column): value for row, cells in grid.rows.items() for column, value in cells.items()}
    assert found == {key: value for key, value in expected.items() if value != ""}
    assert {key: type(value) for key, value in found.items()} == {key: type(expected[key]) for key in found}


def test_shared_texts_and_the_calendar_of_1904(tmp_path):
    path = tmp_path / "old.xlsx"
    book = of_all_kinds()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.save(path)
    grid = read_xlsx(path)
    sheet = openpyxl.load_workbook(path, data_only=True)["Return"]
    assert grid.rows[2][12] == sheet.cell(row=2, column=12).value == datetime(2019, 5, 3)


def rewrite(path, part, change):
    """Changes one part of a workbook by a function of its bytes."""
    source = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, change(data) if name == part else data)


SHEET = "xl/worksheets/sheet1.xml"


def test_results_of_formulas_and_formulas_without_results(tmp_path):
    path = tmp_path / "formulas.xlsx"
    book = of_all_kinds()
    book.active["A20"], book.active["B20"], book.active["C20"] = "=1+1", "=2+2", "=3+3"
    book.save(path)
    rewrite(
        path,
        SHEET,
        lambda xml: (
            xml.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>")
            .replace(b"<f>1+1</f><v/>", b"<f>1+1</f><v>2</v>")
            .replace(b'<c r="C20"><f>3+3</f><v></v>', b'<c r="C20" t="e"><f>3+3</f><v>#REF!</v>')
            .replace(b'<c r="C20"><f>3+3</f><v/>', b'<c r="C20" t="e"><f>3+3</f><v>#REF!</v>')
        ),
    )
    grid = read_xlsx(path)
    assert grid.rows[20][1] == 2
    assert grid.rows[20][2] is NO_STORED_VALUE
    assert isinstance(grid.rows[20][3], CellError)
    assert grid.formulas == {(20, 1), (20, 2), (20, 3)}


def test_tags_with_a_prefix(tmp_path):
    path = tmp_path / "prefixed.xlsx"
    of_all_kinds().save(path)
    plain = read_xlsx(path)
    rewrite(
        path,
        SHEET,
        lambda xml: re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", xml).replace(
            b"<x:worksheet xmlns=", b"<x:worksheet xmlns:x="
        ),
    )
    assert read_xlsx(path).rows == plain.rows


def test_a_wrong_size_in_the_file_hides_no_row(tmp_path):
    path = tmp_path / "size.xlsx"
    of_all_kinds().save(path)
    rewrite(path, SHEET, lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', xml))
    assert max(read_xlsx(path).rows) == 6


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"PK\x03\x04 but no archive",
        b"name,days\n",
        bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600,
        b"%PDF-1.4",
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path, content):
    path = tmp_path / "baseline.xlsx"
    path.write_bytes(content)
    with pytest.raises(Refused):
        read_xlsx(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_workbook_cut_short_is_refused(tmp_path, share):
    path = tmp_path / "cut.xlsx"
    of_all_kinds().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Refused):
        read_xlsx(path)


def test_damaged_bytes_never_end_in_another_error(tmp_path):
    path = tmp_path / "noise.xlsx"
    of_all_kinds().save(path)
    whole = bytearray(path.read_bytes())
    for start in range(0, len(whole), max(len(whole) // 60, 1)):
        noisy = bytearray(whole)
        noisy[start : start + 8] = b"\xff\x00\xaa\x55\x01\x02\x03\x04"
        path.write_bytes(noisy)
        try:
            read_xlsx(path)
        except Refused as refused:
            assert refused.remedy


def test_macros_are_refused(tmp_path):
    path = tmp_path / "macro.xlsx"
    of_all_kinds().save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\0")
    with pytest.raises(Refused, match="macros"):
        read_xlsx(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(tmp_path, encoding):
    path = tmp_path / "entity.xlsx"
    of_all_kinds().save(path)
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>{bomb}<worksheet/>'
    rewrite(path, SHEET, lambda xml: text.encode(encoding))
    with pytest.raises(Refused, match="entities"):
        read_xlsx(path)


def test_a_zip_bomb_is_refused_without_unpacking(tmp_path, monkeypatch):
    path = tmp_path / "bomb.xlsx"
    of_all_kinds().save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/big.bin", b"\0" * (container.RATIO_FROM + 1))
    with pytest.raises(Refused, match="unpack"):
        check_container(path)


def test_size_limits(tmp_path, monkeypatch):
    path = tmp_path / "large.xlsx"
    of_all_kinds().save(path)
    monkeypatch.setattr(container, "MAX_FILE", 100)
    with pytest.raises(Refused, match="at most"):
        check_container(path)


def test_a_doubled_part_is_refused(tmp_path):
    path = tmp_path / "doubled.xlsx"
    of_all_kinds().save(path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET, b"<worksheet/>")
    with pytest.raises(Refused, match="once"):
        read_xlsx(path)


def test_external_links_are_counted(tmp_path):
    path = tmp_path / "linked.xlsx"
    of_all_kinds().save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/externalLinks/externalLink1.xml", b"<externalLink/>")
    assert read_xlsx(path).external_links == 1


def test_too_many_rows_or_columns(tmp_path, monkeypatch):
    path = tmp_path / "wide.xlsx"
    book = of_all_kinds()
    book.active.cell(row=1, column=300, value="far away")
    book.save(path)
    with pytest.raises(Refused, match="columns"):
        read_xlsx(path)
    of_all_kinds().save(path)
    monkeypatch.setattr("hhp_stats.intake.xlsx.MAX_ROWS", 2)
    with pytest.raises(Refused, match="rows"):
        read_xlsx(path)


def with_shared_texts(path, items):
    """The workbook of all kinds with a part of shared texts, whose first one stands in the cells that held "text"."""
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'"/></Types>'
    of_all_kinds().save(path)
    rewrite(path, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", override))
    cell = re.compile(rb't="inlineStr"><is><t>text</t></is>')
    rewrite(path, SHEET, lambda xml: cell.sub(b't="s"><v>0</v>', xml))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        archive.writestr("xl/sharedStrings.xml", b'<sst xmlns="' + space + b'">' + items + b"</sst>")


def test_too_many_empty_texts_or_rows(tmp_path, monkeypatch):
    """Items that hold nothing cost time all the same: a small file of millions of them is refused early."""
    path = tmp_path / "empty.xlsx"
    of_all_kinds().save(path)
    whole = read_xlsx(path).rows
    with_shared_texts(path, b"<si><t>text</t></si>" + b"<si/>" * 50)
    rewrite(path, SHEET, lambda xml: xml.replace(b"</sheetData>", b"<row/>" * 50 + b"</sheetData>"))
    assert read_xlsx(path).rows == whole
    monkeypatch.setattr("hhp_stats.intake.xlsx.LAST_ROW", 50)
    with pytest.raises(Refused, match="empty ones included"):
        read_xlsx(path)
    monkeypatch.setattr("hhp_stats.intake.xlsx_texts.MAX_TEXTS", 50)
    with pytest.raises(Refused, match="texts"):
        read_xlsx(path)


@pytest.mark.parametrize(
    "item",
    [
        b"<si><t>text</t></si>",
        b"<si><r><t>te</t></r><r><rPr/><t>xt</t></r></si>",
        b"<si><t>text</t><rPh sb='0' eb='1'><t>aid</t></rPh></si>",
    ],
)
def test_runs_and_reading_aids_of_shared_texts(tmp_path, item):
    path = tmp_path / "runs.xlsx"
    of_all_kinds().save(path)
    whole = read_xlsx(path).rows
    with_shared_texts(path, item)
    assert read_xlsx(path).rows == whole
    sheet = openpyxl.load_workbook(path)["Return"]
    assert sheet.cell(row=2, column=1).value == "text"
