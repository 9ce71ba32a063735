"""What a workbook holds beside the cells of a trial's table is named as in a return: other sheets, hidden and merged
cells, remarks; with an error what stops nothing is said too, since it may be the cause.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import openpyxl
import pytest

from hhp_stats.errors import DataError
from hhp_stats.intake.check import check_returns
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.plain_table import load_plain_table
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.scaffold.columns import TableRefused, guess_table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from table_trials import KEY, PLAN, walks, with_a_key, without_other_trials, write_walks


@pytest.fixture(scope="module")
def small(root, tmp_path_factory):
    return without_other_trials(root, tmp_path_factory.mktemp("workbooks") / "project")


@pytest.fixture
def home(small, tmp_path):
    shutil.rmtree(small / "data/tables", ignore_errors=True)
    with with_a_key(tmp_path):
        yield small


def workbook(change):
    """The made-up table as a workbook, changed by `change(workbook, sheet)`."""
    table = walks().astype(object)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "people"
    fill(sheet, table)
    change(book, sheet)
    return book


def fill(sheet, table):
    sheet.append(list(table.columns))
    for row in table.itertuples(index=False):
        sheet.append([None if value != value else value for value in row])


def found(home, change):
    """Code, place and what was found of a changed workbook, and the people where nothing stops the run."""
    write_walks(home, None, plan=PLAN.replace("walks.csv", "walks.xlsx"))
    workbook(change).save(home / f"data/tables/{KEY}.xlsx")
    record_files(home)
    try:
        read = load_plain_table(home, load_individual_plan(home, KEY))
        rows = read.problems.to_dict("records")
        return {row["code"]: (row["cell"], row["value"]) for row in rows}, read.people
    except DataError as error:
        return {each.code: (each.cell, each.value) for each in (*error.problems, *error.beside)}, None


def test_a_table_in_sight_is_read_and_a_hidden_one_named(home):
    def change(book, sheet):
        old = book.create_sheet("old", 0)
        fill(old, walks().assign(steps_6=1.0))
        old.sheet_state = "hidden"
        book.create_sheet("notes", 0).append(["These are the data as of May."])

    codes, people = found(home, change)
    assert codes["F27"][1] == "1 hidden sheet with the headings of the table"
    assert codes["F13"][1] == "2 other sheets, 1 of them hidden"
    assert people["steps_6"].sum() == pytest.approx(walks()["steps_6"].sum(), rel=1e-12)


def test_two_tables_in_sight_are_refused(home, tmp_path):
    """One sheet of several would be read, and the people of the others left out."""

    def change(book, sheet):
        fill(book.create_sheet("Hills"), walks(6))

    codes, people = found(home, change)
    assert people is None and codes["F29"][1] == "1 more sheet with the headings of the table"
    workbook(change).save(tmp_path / "two.xlsx")
    with pytest.raises(TableRefused, match="1 more sheet with the headings of the first"):
        guess_table(tmp_path / "two.xlsx", clustered=True, arm="offered")


def test_hidden_and_merged_cells_and_remarks_are_named(home):
    def change(book, sheet):
        for row in (5, 6):
            sheet.row_dimensions[row].hidden = True
        sheet.column_dimensions["F"].hidden = True
        sheet.cell(9, 14).value = "check with the surgery"

    codes, people = found(home, change)
    assert codes["F14"][1] == "2 rows, first row 5; columns F"
    assert codes["F31"] == ("N9", "1 cell next to the table")
    assert len(people) == 240


def test_what_explains_an_error_is_said_with_it(home):
    """Of merged arms only the first cell holds one: the blanks stop the run, and the check says why."""

    def change(book, sheet):
        sheet.merge_cells("B2:B4")

    codes, _ = found(home, change)
    assert {"T12", "F15"} <= set(codes)
    assert codes["F15"] == ("B2:B4", "1 merged area")
    said = {problem.code for problem in check_returns(home, root=home, study=KEY).problems}
    assert {"T12", "F15"} <= said


def test_headings_over_two_rows_are_refused_by_hhp_new(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "arm", "score", None])
    sheet.append([None, None, "before", "after"])
    sheet.merge_cells("C1:D1")
    for number in range(40):
        sheet.append([number, "ab"[number % 2], number, number + 1])
    book.save(tmp_path / "merged.xlsx")
    with pytest.raises(TableRefused, match="values without a heading in column D"):
        guess_table(tmp_path / "merged.xlsx", clustered=False)


def test_numbers_as_programs_write_them_in_csv(home):
    """R writes 1e+05 for a hundred thousand."""
    table = walks().assign(steps_6=lambda t: [f"{value:.3e}" for value in t["steps_6"]])
    write_walks(home, table)
    people = load_plain_table(home, load_individual_plan(home, KEY)).people
    assert people["steps_6"].sum() == pytest.approx(table["steps_6"].astype(float).sum(), rel=1e-12)
