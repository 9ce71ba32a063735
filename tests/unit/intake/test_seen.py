"""What the eye sees of a workbook beside its values: each kind is read as a person reads it, or refused with the
cell.
"""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from intake_builder import STUDY, TrialFiles
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904, to_excel

from hhp_stats.intake.container import Refused
from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.gather import check_return
from hhp_stats.intake.headings import remark
from hhp_stats.intake.number_format import seen_otherwise, with_leading_zeros
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.returns import read_grid, read_return
from hhp_stats.intake.spellings import load_spellings, tidy

COLUMN = {"staff_id": "A", "team_id": "B", "service_months": "E", "overall_absence_days": "F", "illness_days": "G"}


@pytest.fixture
def read(written_trial, tmp_path):
    """Saves a workbook of Kent (or takes a path), reads and checks it as a return."""
    root = written_trial.root
    fields = load_dictionary(root)
    study, spellings = load_study(root, STUDY), load_spellings(root, fields)

    def reader(book, wave="baseline") -> Return:
        path = book
        if isinstance(book, openpyxl.Workbook):
            path = tmp_path / f"{wave}.xlsx"
            book.save(path)
        ret = read_return(
            path, file=path.name, wave=wave, study=study, fields=fields, spellings=spellings, site=study.by_slug("kent")
        )
        if ret.readable:
            check_return(ret)
        return ret

    return reader


def found(ret: Return) -> list[tuple[str, str]]:
    return [(problem.code, problem.cell) for problem in ret.problems]


def kents(files: TrialFiles, wave="baseline") -> openpyxl.Workbook:
    return files.returns["kent", wave].book()


@pytest.mark.parametrize("name", ["service_months", "overall_absence_days", "illness_days"])
@pytest.mark.parametrize(
    "code", ["0%", "0.0%", "#,##0,", '0.0" years"', '0" hrs"', "$#,##0", ";;;", '"n/a"', "[$€-2]0"]
)
def test_a_format_that_shows_something_else_is_refused(read, trial_files, name, code):
    book = kents(trial_files)
    cell = book.active[f"{COLUMN[name]}9"]
    cell.value, cell.number_format = 1, code
    assert ("C09", cell.coordinate) in found(read(book))


@pytest.mark.parametrize(
    "code", ["0", "0.00", "General", "#,##0.0", '0" months"', '_-* #,##0_-;-* #,##0_-;_-* "-"??_-;_-@_-', "# ?/?"]
)
def test_a_format_that_shows_the_number_passes(read, trial_files, code):
    book = kents(trial_files)
    for row in range(8, 28):
        book.active[f"E{row}"].number_format = code
    assert found(read(book)) == []


@pytest.mark.parametrize(
    ("code", "value", "unit", "seen"),
    [
        ("0%", 0.5, "days", "shown as a percentage"),
        ("0.0,,", 5, "GBP", "shown in thousands"),
        ("£#,##0", 5, "GBP", ""),
        ("$#,##0", 5, "GBP", "shown in another currency"),
        ('0;-0;"-"', 0, "days", ""),
        ('0" days"', 3, "days", ""),
        ('0" weeks"', 3, "days", "shown with the unit “weeks”"),
        ('"ill"', 3, "days", "shown as a text"),
    ],
)
def test_what_a_format_makes_of_a_number(code, value, unit, seen):
    assert seen_otherwise(code, value, unit) == seen


def test_leading_zeros_that_only_a_format_shows():
    assert with_leading_zeros("0000", 16) == "0016"
    assert with_leading_zeros('"KEN-"0000', 16) == "KEN-0016"
    assert with_leading_zeros("0", 16) == with_leading_zeros("General", 16) == with_leading_zeros("0.00", 16) == ""


def test_identifiers_are_read_with_the_zeros_that_are_seen(read, trial_files):
    book = kents(trial_files)
    for row in range(8, 28):
        cell = book.active[f"A{row}"]
        cell.value, cell.number_format = row, '"KEN-"0000'
    ret = read(book)
    assert ret.frame["staff_id"].iloc[0] == "KEN-0008"
    assert any("leading zeros" in each.habit for each in ret.tolerances)


@pytest.mark.parametrize("sign", ["5²", "5₂", "5①", "⁵", "5½½"])
def test_raised_lowered_and_circled_digits_are_no_digits(read, trial_files, sign):
    book = kents(trial_files)
    book.active["G9"] = sign
    assert ("C01", "G9") in found(read(book))


def test_widths_and_fractions_are_read():
    assert tidy("４４\u00a0") == "44" and tidy("5²") == "5²"


@pytest.mark.parametrize(("sign", "days"), [("3½", 3.5), ("½", 0.5), ("4 ¼", 4.25)])
def test_a_fraction_as_one_sign(read, trial_files, sign, days):
    book = kents(trial_files)
    book.active["G9"], book.active["H9"], book.active["F9"] = sign, 1, 30
    ret = read(book)
    assert ret.frame["illness_days"].iloc[1] == days and found(ret) == []


@pytest.mark.parametrize("font", [{"vertAlign": "superscript"}, {"vertAlign": "subscript"}, {"strike": True}])
@pytest.mark.parametrize("shared", [False, True])
def test_a_text_with_a_part_raised_or_struck_is_refused(read, trial_files, tmp_path, font, shared):
    book = kents(trial_files)
    book.active["G9"] = CellRichText("1", TextBlock(InlineFont(**font), "1"))
    path = tmp_path / "rich.xlsx"
    book.save(path)
    if shared:
        _as_shared_text(path)
    assert ("C10", "G9") in found(read(path))


def _as_shared_text(path: Path) -> None:
    """Moves the inline text of the cell G9 to the shared texts, as spreadsheet programs write it."""
    with zipfile.ZipFile(path) as old:
        parts = {
            name: old.read(name).decode() if name.endswith((".xml", ".rels")) else old.read(name)
            for name in old.namelist()
        }
    sheet, name = parts["xl/worksheets/sheet1.xml"], "xl/sharedStrings.xml"
    cell = sheet[sheet.index('<c r="G9"') :]
    cell = cell[: cell.index("</c>") + 4]
    item = cell[cell.index("<is>") + 4 : cell.index("</is>")] if "<is>" in cell else ""
    if item:
        count = parts[name].count("<si>") if name in parts else 0
        parts["xl/worksheets/sheet1.xml"] = sheet.replace(cell, f'<c r="G9" t="s"><v>{count}</v></c>')
        texts = parts.get(name, '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"></sst>')
        parts[name] = texts.replace("</sst>", f"<si>{item}</si></sst>")
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        if kind not in parts["[Content_Types].xml"]:
            entry = f'<Override PartName="/{name}" ContentType="{kind}"/></Types>'
            parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace("</Types>", entry)
    with zipfile.ZipFile(path, "w") as new:
        for each, content in parts.items():
            new.writestr(each, content)


def test_whoever_is_struck_through_is_named_once_and_a_cell_by_itself(read, trial_files):
    book = kents(trial_files)
    for cell in book.active[9]:
        cell.font = Font(strike=True)
    book.active["G11"].font = Font(strike=True)
    assert found(read(book)) == [("C11", "A9"), ("C11", "G11")]


def test_comments_are_named_by_column_but_for_our_own(read, trial_files):
    book = kents(trial_files)
    for address, author in (("G9", "HR"), ("G11", "HR"), ("A3", "HR"), ("F9", "hhp check")):
        book.active[address].comment = Comment("an estimate: do not use", author)
    assert found(read(book)) == [("F26", "A3"), ("F26", "G9, G11")]


@pytest.mark.parametrize("state", ["visible", "hidden", "veryHidden"])
def test_a_second_table_is_refused_and_a_hidden_one_is_not_preferred(read, trial_files, state):
    book = kents(trial_files)
    old = book.active
    new = book.copy_worksheet(old)
    new.title, old.title = "Return (corrected)", "Return"
    new["G9"] = 0
    new["H9"] = 0
    old.sheet_state = state
    book.active = 1
    ret = read(book)
    assert [code for code, _ in found(ret)] == (["F13", "F29"] if state == "visible" else ["F13", "F27"])
    if state != "visible":
        assert ret.sheet == "Return (corrected)" and ret.frame["illness_days"].iloc[1] == 0


def test_the_table_is_found_on_a_sheet_of_any_name(read, trial_files):
    book = kents(trial_files)
    book.active.title = "Data Q3"
    book.create_sheet("Return", 0)["A1"] = "See the next sheet"
    ret = read(book)
    assert ret.sheet == "Data Q3" and [code for code, _ in found(ret)] == ["F13"]


def test_day_numbers_of_a_calendar_from_1904(read, trial_files):
    files = trial_files.returns["kent", "endline"]
    book = files.book()
    book.epoch = CALENDAR_MAC_1904
    day = datetime(2019, 11, 25)
    cell = book.active[files.cell("KEN-0003", "leaving_date")]
    cell.value, cell.number_format = int(to_excel(day, CALENDAR_MAC_1904)), "General"
    ret = read(book, "endline")
    assert found(ret) == []
    assert ret.frame.set_index("staff_id")["leaving_date"]["KEN-0003"] == day


@pytest.mark.parametrize("value", ["0,100", "12,5", "1.234,5", "0,5 days"])
def test_a_decimal_comma_is_refused(read, trial_files, value):
    book = kents(trial_files)
    book.active["F9"] = value
    assert ("C12", "F9") in found(read(book))


def test_in_a_file_with_decimal_commas_no_comma_is_taken_for_thousands(read, trial_files, tmp_path):
    rows = [[cell.value for cell in row] for row in kents(trial_files).active.iter_rows()]
    rows[8][5], rows[9][5] = "25,5", "1,250"
    path = tmp_path / "baseline.csv"
    path.write_text(
        "\n".join(";".join("" if v is None else str(v).split(" 00:")[0] for v in row) for row in rows), encoding="utf-8"
    )
    assert [code for code, cell in found(read(path)) if cell.endswith("(overall_absence_days)")] == ["C12", "C12"]


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("Illness related absence (hours)", "F24"),
        ("Illness related absence (calendar days)", "F24"),
        ("Illness related absence (no. of days, excluding long-term)", "F24"),
        ("Illness related absence [%]", "F24"),
        ("Illness related absence (last 3 months)", "F24"),
        ("Illness related absence (since April)", "F24"),
        ("Illness related absence (incl. holiday)", "F24"),
        ("Illness related absence (from payroll)", "F25"),
        ("Illness related absence (working days)", ""),
        ("Illness related absence (days)", ""),
    ],
)
def test_a_heading_that_says_something_else(read, trial_files, label, code):
    sheet = trial_files.returns["kent", "baseline"]
    sheet.labels["illness_days"] = label
    assert found(read(sheet.book())) == ([(code, "G7")] if code else [])


@pytest.mark.parametrize("label", ["Length of employment (years)", "Length of employment at LA (in weeks)"])
def test_service_in_another_unit(read, trial_files, label):
    sheet = trial_files.returns["kent", "baseline"]
    sheet.labels["service_months"] = label
    assert found(read(sheet.book())) == [("F24", "E7")]


def test_no_label_of_the_dictionary_contradicts_itself(root):
    for field in load_dictionary(root):
        assert remark(field.label, field) == ("", False)


def test_days_and_months_exchanged_by_a_program_are_refused(read, trial_files):
    sheet = trial_files.returns["kent", "endline"]
    true, text = [datetime(2019, 8, 9), datetime(2019, 9, 10)], "25/11/2019"
    for person, day in zip(sheet.people[:3], [*true, text], strict=True):
        person.update(left="yes", leaving_date=day)
    cells = [("C13", sheet.cell(str(person["staff_id"]), "leaving_date")) for person in sheet.people[:2]]
    assert [each for each in found(read(sheet.book(), "endline")) if each[0] == "C13"] == cells
    sheet.people[1]["leaving_date"] = datetime(2019, 9, 20)
    assert "C13" not in dict(found(read(sheet.book(), "endline")))


def test_two_orders_of_dates_in_a_column_are_refused(read, trial_files):
    sheet = trial_files.returns["kent", "endline"]
    for person, day in zip(sheet.people[:2], ["11/25/2019", "08/09/2019"], strict=True):
        person.update(left="yes", leaving_date=day)
    assert [code for code, _ in found(read(sheet.book(), "endline")) if code == "C13"] == ["C13", "C13"]


@pytest.mark.parametrize("team", ["05-Sep", "5 Sep 2019", "Sep-05", "1.20E+05", "12:30", "2019-09-05"])
def test_a_team_that_a_program_made_a_date_or_number_of(read, trial_files, team):
    sheet = trial_files.returns["kent", "baseline"]
    sheet.people[0]["team_id"] = sheet.people[1]["team_id"] = team
    problems = [problem for problem in read(sheet.book()).problems if problem.code == "R05"]
    assert [problem.cell for problem in problems] == ["B8"] and "in 2 rows" in problems[0].value


@pytest.mark.parametrize(
    "names", [("Team 1", "Assessment Team 2"), ("MAR-01", "MAR-02"), ("Children in Need North", "Duty")]
)
def test_names_of_teams_that_are_nobodys_are_read(read, trial_files, names):
    sheet = trial_files.returns["kent", "baseline"]
    for number, person in enumerate(sheet.people):
        person["team_id"] = names[number % 2]
    assert found(read(sheet.book())) == []


@pytest.mark.parametrize(
    ("content", "suffix", "word"),
    [
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + "Workbook".encode("utf-16-le"), ".xls", "old .xls format"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), ".xlsx", "password"),
        (b"%PDF-1.4", ".pdf", ".xlsx workbook"),
        (b"<html>", ".xls", "real .xlsx"),
    ],
)
def test_other_formats_are_refused_with_their_own_remedy(tmp_path, content, suffix, word):
    path = tmp_path / f"baseline{suffix}"
    path.write_bytes(content)
    with pytest.raises(Refused, match=word) as refused:
        read_grid(path)
    assert refused.value.remedy and ("password" in refused.value.remedy) == (word == "password")


def test_a_return_in_another_format_is_not_called_missing(trial_files):
    from hhp_stats.intake.gather import gather

    root = trial_files.write()
    path = trial_files.return_path("kent", "endline")
    path.unlink()
    path.with_suffix(".xls").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600)
    trial_files.seal()
    codes = [
        (p.code, p.file.rsplit("/", 1)[-1])
        for p in gather(root, STUDY).all_problems()
        if p.severity == "error" and "kent/" in p.file
    ]
    assert codes == [("F01", "endline.xls")]
