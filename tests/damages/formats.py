"""The synthetic files in the other formats that are read: returns as CSV and OpenDocument, survey exports of SPSS."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat
from odf.opendocument import OpenDocumentSpreadsheet, load
from odf.table import Table, TableCell, TableRow
from odf.text import P

from hhp_stats.intake.dictionary import Field, fields_of, load_dictionary

MOMENTS = ("StartDate", "EndDate", "RecordedDate")
SAV_NAMES = {"Duration (in seconds)": "Duration__in_seconds_"}
Rows = list[list[Any]]


def other_formats(root: Path) -> None:
    """In a copy of the data: of every three authorities one sends CSV, one OpenDocument and one .xlsm without macros, one
    wave of the surveys of every second study is a file of SPSS, and one export has its definition beside it.
    """
    for at, folder in enumerate(sorted(path for path in (root / "data/returns").glob("*/*") if path.is_dir())):
        for book in sorted(folder.glob("*.xlsx")):
            rows = [list(row) for row in openpyxl.load_workbook(book).active.iter_rows(values_only=True)]
            if at % 3 == 2:
                shutil.copyfile(book, book.with_suffix(".xlsm"))
            elif at % 3:
                write_ods(book.with_suffix(".ods"), rows)
            else:
                write_csv(book.with_suffix(".csv"), rows)
            book.unlink()
    define_survey(root, "goal_setting", "baseline")
    for at, folder in enumerate(sorted((root / "data/surveys").iterdir())):
        export = folder / ("endline.csv" if at % 4 == 3 else "baseline.csv")
        if at % 2 and (folder / "baseline.csv").is_file():
            export_as_sav(export)


def define_survey(root: Path, study: str, wave: str) -> None:
    """A definition of a survey as the platform exports it, that agrees with the dictionary and with the export."""
    export = root / f"data/surveys/{study}/{wave}.csv"
    names, texts, ids, *body = csv.reader(io.StringIO(export.read_text(encoding="utf-8-sig"), newline=""))
    elements = []
    for number, field in enumerate(fields_of(load_dictionary(root), "survey", wave), start=1):
        if field.name not in names:
            continue
        at = names.index(field.name)
        payload = {"QuestionID": f"QID{number}", "DataExportTag": field.name, "QuestionText": texts[at]}
        payload |= _choices(field, {row[at] for row in body})
        ids[at] = json.dumps({"ImportId": f"QID{number}" + ("_TEXT" if payload["QuestionType"] == "TE" else "")})
        elements.append({"Element": "SQ", "PrimaryAttribute": f"QID{number}", "Payload": payload})
    write_csv(export, [names, texts, ids, *body])
    whole = json.dumps({"SurveyEntry": {"SurveyID": "SV_1"}, "SurveyElements": elements})
    export.with_suffix(".qsf").write_text(whole, encoding="utf-8")


def _choices(field: Field, answers: set[str]) -> dict[str, Any]:
    """Type, choices and codes of a question."""
    if field.allowed:
        return {
            "QuestionType": "MC",
            "Choices": {str(n): {"Display": label} for n, label in enumerate(field.allowed, start=1)},
        }
    if field.unit == "points":
        low, high = int(field.minimum or 0), int(field.maximum or 0)
        codes = {str(n): str(low + n - 1) for n in range(1, high - low + 2)}
        shown = {answer.split()[0]: answer for answer in answers if answer}
        choices = {key: {"Display": shown.get(code, code)} for key, code in codes.items()}
        return {"QuestionType": "MC", "Choices": choices, "RecodeValues": codes}
    return {"QuestionType": "TE"}


def write_csv(path: Path, rows: Rows) -> None:
    """Rows as a CSV file; days without a time."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([[_plain(value) for value in row] for row in rows])
    path.write_bytes(text.getvalue().encode())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    return "" if value is None else value


def write_ods(path: Path, rows: Rows) -> None:
    """Rows as the only sheet of an OpenDocument file."""
    document, table = OpenDocumentSpreadsheet(), Table(name="Return")
    for row in rows:
        line = TableRow()
        for value in row:
            line.addElement(_ods_cell(value))
        table.addElement(line)
    document.spreadsheet.addElement(table)
    document.save(path)


def _ods_cell(value: Any) -> TableCell:
    if value in (None, ""):
        return TableCell()
    if isinstance(value, bool):
        return TableCell(valuetype="boolean", booleanvalue=str(value).lower())
    if isinstance(value, date):
        moment = value.isoformat() if getattr(value, "hour", 0) else value.isoformat()[:10]
        return TableCell(valuetype="date", datevalue=moment)
    if isinstance(value, int | float):
        return TableCell(valuetype="float", value=value)
    cell = TableCell(valuetype="string")
    cell.addElement(P(text=str(value)))
    return cell


def read_ods(path: Path) -> Rows:
    """The rows that `write_ods` wrote."""
    found = []
    for line in load(path).spreadsheet.getElementsByType(TableRow):
        row: list[Any] = []
        for cell in line.getElementsByType(TableCell):
            kind = cell.getAttribute("valuetype")
            if kind == "float":
                number = float(cell.getAttribute("value"))
                row.append(int(number) if number.is_integer() else number)
            elif kind == "date":
                row.append(datetime.fromisoformat(cell.getAttribute("datevalue")))
            else:
                row.append("".join(map(str, cell.getElementsByType(P))) or None)
        found.append(row)
    return found


def export_as_sav(path: Path) -> None:
    """A CSV export as the file that the platform gives for SPSS: its questions are the labels of the variables."""
    names, questions, _, *body = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    write_sav(path.with_suffix(".sav"), names, questions, body)
    path.unlink()


def write_sav(path: Path, names: Sequence[str], questions: Sequence[str], body: Rows) -> None:
    """A column of numbers is numeric, one of moments a date, any other text."""
    columns = {}
    for at, name in enumerate(names):
        values = [row[at] if len(row) > at else None for row in body]
        columns[SAV_NAMES.get(name, name)] = _column(name, values)
    # Two variables of one name are not possible in SPSS: `dict` keeps the last.
    pyreadstat.write_sav(pd.DataFrame(columns), path, column_labels=list(questions)[: len(columns)] or None)


def _column(name: str, values: Sequence[Any]) -> list[Any]:
    if name in MOMENTS:
        try:
            return [value if isinstance(value, datetime) else datetime.fromisoformat(str(value)) for value in values]
        except ValueError:
            return ["" if value is None else str(value) for value in values]
    try:
        return [None if value in (None, "") else float(value) for value in values]
    except (TypeError, ValueError):
        return ["" if value is None else str(value) for value in values]


def read_sav(path: Path) -> tuple[list[str], list[str], Rows]:
    """Names, questions and rows of what `write_sav` wrote."""
    frame, meta = pyreadstat.read_sav(str(path))
    back = {short: name for name, short in SAV_NAMES.items()}
    rows = [[None if pd.isna(value) else value for value in row] for row in frame.astype(object).to_numpy()]
    names = [back.get(name, name) for name in frame]
    return names, [label or "" for label in meta.column_labels], rows
