"""Reading returns as they are really filled in: habits accepted and reported, everything else refused."""

from datetime import date, datetime

import openpyxl
import pytest
from intake_builder import STUDY

from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.gather import check_return
from hhp_stats.intake.returns import read_return
from hhp_stats.intake.spellings import load_spellings


@pytest.fixture
def read(written_trial, tmp_path):
    """Reads a workbook object (or path) as a return of Kent."""
    root = written_trial.root
    fields = load_dictionary(root)
    study, spellings = load_study(root, STUDY), load_spellings(root, fields)

    def reader(book, wave="baseline", name=None):
        path = book
        if isinstance(book, openpyxl.Workbook):
            path = tmp_path / (name or f"{wave}.xlsx")
            book.save(path)
        ret = read_return(
            path, file=path.name, wave=wave, study=study, fields=fields, spellings=spellings, site=study.by_slug("kent")
        )
        if ret.readable:
            check_return(ret)
        return ret

    return reader


@pytest.fixture
def kent(trial_files):
    return trial_files.returns["kent", "baseline"]


def habits(ret):
    return {(each.field, each.habit) for each in ret.tolerances}


def codes(ret):
    return [problem.code for problem in ret.problems]


def test_a_plain_return_needs_no_tolerance(read, kent):
    ret = read(kent.book())
    assert ret.tolerances == []
    assert ret.problems == []
    assert len(ret.frame) == 20
    assert ret.local_authority == "Kent"
    assert str(ret.date_retrieved.date()) == "2019-04-29"
    assert ret.synthetic


@pytest.mark.parametrize(
    ("field", "found", "meant", "habit"),
    [
        ("illness_days", " 3 ", 3, "a number typed as text"),
        ("illness_days", "3.5", 3.5, "a number typed as text"),
        ("illness_days", "3 days", 3, "a unit typed after the number"),
        ("illness_days", "nil", 0, "another spelling"),
        ("illness_days", "N/A", None, "a word or sign for “no value”"),
        ("illness_days", "-", None, "a word or sign for “no value”"),
        ("illness_days", "\u200b", None, "blanks or invisible characters around or within the text"),
        ("illness_days", "３", 3, "a number typed as text"),  # full-width digit
        ("service_months", "24 months", 24, "a unit typed after the number"),
        ("service_months", "'36", 36, "a number typed as text"),
        ("part_time", "Y", 1, "another spelling"),
        ("part_time", 1, 1, "another spelling"),
        ("part_time", True, 1, "another spelling"),
        ("part_time", "FALSE", 0, "another spelling"),
        ("part_time", "Part-time", 1, "another spelling"),
        ("agency", "Locum", 1, "another spelling"),
        ("role", "NQSW", "newly qualified social worker", "another spelling"),
        ("role", "Newly  Qualified Social Worker ", "newly qualified social worker", "another spelling"),
        ("role", "SW", "social worker", "another spelling"),
        ("role", "Social Work Team Manager", "team manager", "another spelling"),
        ("gender", "F", "female", "another spelling"),
        ("gender", " Male", "male", "another spelling"),
        ("staff_id", " KEN-0777 ", "KEN-0777", "blanks or invisible characters around or within the text"),
        ("staff_id", "\ufeffKEN-0777", "KEN-0777", "blanks or invisible characters around or within the text"),
        ("staff_id", 777, "777", "an identifier typed as a number"),
        ("staff_id", 777.0, "777", "an identifier typed as a number"),
    ],
)
def test_a_typing_habit_is_read_and_reported(read, kent, field, found, meant, habit):
    kent.people[4][field] = found
    if field == "illness_days":
        kent.people[4] |= {"illness_spells": None, "overall_absence_days": 40}
    ret = read(kent.book())
    value = ret.frame[field].iloc[4]
    if habit is None:
        assert ret.frame[field].iloc[4] == 120
        return
    assert value == meant or (meant is None and value != value)
    assert (field, habit) in habits(ret)
    assert not [problem for problem in ret.problems if problem.severity == "error"], ret.problems


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("03/05/2019", "2019-05-03"),
        ("3.5.2019", "2019-05-03"),
        ("03-05-19", "2019-05-03"),
        ("2019-05-03", "2019-05-03"),
        ("3 May 2019", "2019-05-03"),
        ("3rd May 2019", "2019-05-03"),
        ("Friday 3 May 2019", "2019-05-03"),
        ("3-May-19", "2019-05-03"),
        ("May 3, 2019", "2019-05-03"),
        ("3 Sept 2019", "2019-09-03"),
        (43588, "2019-05-03"),
        (datetime(2019, 5, 3, 14, 30), "2019-05-03"),
        (date(2019, 5, 3), "2019-05-03"),
    ],
)
def test_dates_as_people_type_them(read, kent, found, meant):
    kent.day = found
    ret = read(kent.book())
    assert str(ret.date_retrieved.date()) == meant
    assert ("date_retrieved" in {field for field, _ in habits(ret)}) == (
        not isinstance(found, date) or bool(isinstance(found, datetime))
    )


@pytest.mark.parametrize("found", ["05/13/2019", "May 2019", "03/05", "yesterday", "2019", 3, "31/04/2019", "", None])
def test_days_that_cannot_be_told_are_refused(read, kent, found):
    kent.day = found
    assert codes(read(kent.book())) == ["F05"]


def test_full_time_equivalents_become_part_time(read, kent):
    for person, share in zip(kent.people, ("0.6", 0.5, 1, "100%", "80%", "1.0 FTE", *["no"] * 14), strict=True):
        person["part_time"] = share
    ret = read(kent.book())
    assert ret.frame["part_time"].tolist()[:6] == [1, 1, 0, 0, 1, 0]
    assert ("part_time", "full-time equivalent instead of yes or no") in habits(ret)


def test_a_column_of_ones_headed_fte_means_full_time(read, kent):
    kent.labels["part_time"] = "Part-time (FTE)"
    for person in kent.people:
        person["part_time"] = 1
    assert read(kent.book()).frame["part_time"].eq(0).all()


@pytest.mark.parametrize("rows", [1, 3, 25])
def test_the_headings_may_stand_anywhere_in_the_first_rows(read, kent, rows):
    book = kent.book()
    book.active.insert_rows(1, rows)
    ret = read(book)
    assert ret.problems == []
    assert ret.frame["row"].iloc[0] == 8 + rows


def test_headings_below_the_first_forty_rows_are_refused(read, kent):
    book = kent.book()
    book.active.insert_rows(1, 40)
    assert codes(read(book)) == ["F02"]


def test_the_printed_wording_of_the_headings(read, kent):
    kent.labels |= {
        "team_id": "Team ID (Please use a unique identifier for each team)",
        "role": "Role (Please select the option which best describes the role)",
        "overall_absence_days": "Over the last 12 months:\nOverall absence, incl. holiday (no. of days)",
        "illness_days": "ILLNESS RELATED ABSENCE\n(no. of days)",
        "part_time": "part-time",
        "staff_id": "  unique   staff id * ",
    }
    ret = read(kent.book())
    assert ret.problems == []
    assert ret.frame["illness_days"].notna().all()


def test_headings_over_two_lines(read, kent):
    book = kent.book()
    sheet = book.active
    sheet.insert_rows(8)
    sheet["E7"], sheet["E8"] = "Length of employment", "at LA (months)"
    sheet["F7"], sheet["F8"] = "Over the last 12 months:", "Overall absence, incl. holiday (no. of days)"
    sheet["G7"], sheet["G8"] = None, "Illness related absence (no. of days)"
    sheet["H7"], sheet["H8"] = None, "Number of illness related spells of absence"
    sheet.merge_cells("F7:H7")
    ret = read(book)
    assert ret.problems == []
    assert ret.frame["row"].iloc[0] == 9
    assert ret.frame[["service_months", "overall_absence_days", "illness_days"]].notna().all(axis=None)


def test_columns_in_another_order(read, kent):
    expected = read(kent.book()).frame
    kent.labels = dict(reversed(kent.labels.items()))
    assert read(kent.book()).frame.equals(expected)


def test_the_authority_beside_or_within_its_label(read, kent):
    book = kent.book()
    book.active["A3"], book.active["B3"] = "Local Authority: Kent County Council", None
    book.active["A4"], book.active["B4"] = None, None
    book.active["C4"], book.active["D4"] = "DATE DATA RETRIEVED", datetime(2019, 4, 29)
    ret = read(book)
    assert ret.problems == []
    assert ret.local_authority == "Kent"
    assert ("local_authority", "another spelling") in habits(ret)


@pytest.mark.parametrize("name", ["Atlantis", "", None, 7])
def test_an_unknown_authority_is_refused(read, kent, name):
    kent.authority = name
    assert codes(read(kent.book())) == ["F03"]


def test_notes_blank_rows_and_repeated_headings(read, kent):
    book = kent.book()
    sheet = book.active
    for column, label in enumerate(kent.labels.values(), start=1):
        sheet.cell(row=30, column=column, value=label)
    sheet["A40"] = "Source: the personnel system, without volunteers"
    sheet["C43"] = "end of list"
    ret = read(book)
    assert len(ret.frame) == 20
    assert [(each.code, each.severity, each.cell) for each in ret.problems] == [("F31", "warning", "A40, C43")]
    left_out = {(each.cell, each.habit) for each in ret.tolerances}
    assert left_out == {
        ("row 30", "the headings repeated within the table"),
        ("row 40", "a note below the table"),
        ("row 43", "a note below the table"),
    }


@pytest.mark.parametrize("word", ["Total", "Grand total:", "Sub-total KEN-T01", "SUBTOTAL", "Average", "Totals"])
@pytest.mark.parametrize("column", [0, 1])
def test_rows_of_totals_are_left_out_and_noted(read, kent, word, column):
    book = kent.book()
    row: list[object] = [None, None, None, None, 900, 300, 60, 20]
    row[column] = word
    book.active.insert_rows(12)
    for at, value in enumerate(row, start=1):
        book.active.cell(12, at, value)
    ret = read(book)
    assert [(problem.code, problem.cell) for problem in ret.problems] == [("F28", "row 12")]
    assert len(ret.frame) == len(kent.people)


def test_an_id_alone_is_a_person_and_refused(read, kent):
    book = kent.book()
    book.active.append(["KEN-0999"])
    assert set(codes(read(book))) == {"R01"}


def test_unknown_and_personal_columns(read, kent):
    book = kent.book()
    book.active["M7"], book.active["M8"] = "Shoe size", 42
    book.active["N7"], book.active["N8"] = "Employee name", "Quentin Ashgrove"
    ret = read(book)
    assert sorted(codes(ret)) == ["F09", "F10"]
    assert "Quentin" not in str(ret.problems)
    assert "Quentin" not in str(ret.frame.to_dict())


def test_missing_and_doubled_columns(read, kent):
    del kent.labels["gender"]
    del kent.labels["illness_spells"]
    book = kent.book()
    book.active["Z7"] = "Role"
    ret = read(book)
    assert sorted(codes(ret)) == ["F06", "F07", "F08"]
    assert ret.frame["illness_spells"].isna().all()


def test_the_period_of_a_column_must_be_clear(read, trial_files):
    sheet = trial_files.returns["kent", "endline"]
    sheet.labels["illness_days"] = "Illness related absence (no. of days)"
    assert codes(read(sheet.book(), "endline")) == ["F11"]


def test_other_and_hidden_sheets_rows_and_columns_are_said(read, kent):
    book = kent.book()
    book.create_sheet("Lists").sheet_state = "hidden"
    book.create_sheet("Scratch")
    book.active.row_dimensions[12].hidden = True
    book.active.column_dimensions["H"].hidden = True
    ret = read(book)
    assert [(problem.code, problem.value) for problem in ret.problems] == [
        ("F13", "2 other sheets, 1 of them hidden"),
        ("F14", "1 rows, first row 12; columns H"),
    ]
    assert len(ret.frame) == 20


def test_the_sheet_called_return_is_read_even_if_it_is_not_the_first(read, kent):
    book = kent.book()
    book.create_sheet("Cover", 0)["A1"] = "about this workbook"
    assert len(read(book).frame) == 20


def test_merged_cells_in_the_table(read, kent):
    book = kent.book()
    book.active.merge_cells("B8:B12")
    ret = read(book)
    assert "F15" in codes(ret)
    assert codes(ret).count("R01") == 4  # the four cells that merging emptied


def test_an_empty_table(read, kent):
    kent.people = []
    assert codes(read(kent.book())) == ["F12"]


def test_csv_and_ods_say_the_same_as_xlsx(read, kent, tmp_path):
    import csv

    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    kent.people[3] |= {"illness_days": None, "illness_spells": None}
    expected = read(kent.book())
    rows = list(kent.book().active.iter_rows(values_only=True))
    with (tmp_path / "baseline.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(
            [each.date().isoformat() if isinstance(each, datetime) else each for each in row] for row in rows
        )
    document, table = OpenDocumentSpreadsheet(), Table(name="Return")
    for row in rows:
        line = TableRow()
        for each in row:
            if each is None:
                line.addElement(TableCell())
            elif isinstance(each, datetime):
                line.addElement(TableCell(valuetype="date", datevalue=each.date().isoformat()))
            elif isinstance(each, int | float):
                line.addElement(TableCell(valuetype="float", value=each))
            else:
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=each))
                line.addElement(cell)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    document.save(tmp_path / "baseline.ods")
    for name in ("baseline.csv", "baseline.ods"):
        ret = read(tmp_path / name)
        assert ret.problems == []
        assert [each.habit for each in ret.tolerances] == ["another format than .xlsx"]
        assert ret.frame.equals(expected.frame)
        assert ret.synthetic
    assert read(tmp_path / "baseline.csv").cell("role", 0) == "row 8, column C (role)"


def test_the_layout_of_another_form_is_said(read, kent):
    kent.labels["role"] = "Job role"
    book = kent.book()
    book["Return"].insert_rows(1, 3)
    book["Return"].title = "Staff"
    ret = read(book)
    assert ret.problems == [] and ret.sheet == "Staff"
    said = {each.habit: each for each in ret.tolerances}
    assert set(said) == {
        "the table on a sheet of another name",
        "the headings in another row than in the template",
        "a heading in other words",
    }
    heading = said["a heading in other words"]
    assert (heading.cell, heading.field, heading.read_as) == ("C10", "role", "role")
    assert said["the headings in another row than in the template"].cell == "row 10"


@pytest.mark.parametrize("code", ["2019-05-03", "03/05/2019", "3.5", "7,8"])
def test_codes_that_a_program_has_turned_into_dates_or_fractions_are_refused(read, kent, code):
    from hhp_stats.intake.rules_wave import looks_like_code

    assert not looks_like_code(code) and looks_like_code(f"K{code.replace(',', '.')}")
