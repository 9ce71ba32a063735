"""Seeded damage of valid files: each way takes a valid file apart in one place that somebody may take it apart.

A damage gets (sheet or rows, rng) and changes them in place; book damages get the workbook, byte damages the bytes.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from xml.sax.saxutils import escape

from openpyxl.worksheet.worksheet import Worksheet

from hhp_stats.intake.spellings import same

CANARY = "Zebedee Quillfeather"


def _set(name: str, *values: object) -> Callable:
    def damage(sheet, rng: random.Random) -> None:
        rng.choice(sheet.people)[name] = rng.choice(values)

    return damage


def _figures(**values: object) -> Callable:
    def damage(sheet, rng: random.Random) -> None:
        rng.choice(sheet.people).update(values)

    return damage


def _spelling(name: str, change: Callable[[str], object]) -> Callable:
    def damage(sheet, rng: random.Random) -> None:
        person = rng.choice(sheet.people)
        person[name] = change(str(person[name]))

    return damage


def _repeat_person(sheet, rng):
    one, other = rng.sample(range(len(sheet.people)), 2)
    sheet.people[one]["staff_id"] = sheet.people[other]["staff_id"]


def _row_again(sheet, rng):
    sheet.people.append(dict(rng.choice(sheet.people)))


def _lower_case_id(sheet, rng):
    one, other = rng.sample(range(len(sheet.people)), 2)
    sheet.people[one]["staff_id"] = str(sheet.people[other]["staff_id"]).lower()


def _shift_right(sheet, rng):
    person = rng.choice(sheet.people)
    names = list(sheet.labels)
    values = [person.get(name) for name in names]
    person.update(zip(names[2:], values[1:], strict=False))


def _swap(one: str, other: str) -> Callable:
    def damage(sheet, rng):
        person = rng.choice(sheet.people)
        person[one], person[other] = person[other], person[one]

    return damage


def _copy_down(*names: str) -> Callable:
    def damage(sheet, rng):
        start = rng.randrange(len(sheet.people) - 14)
        for person in sheet.people[start : start + 14]:
            person.update({name: sheet.people[start][name] for name in names})

    return damage


def _drag(sheet, rng):
    start = rng.randrange(len(sheet.people) - 12)
    for step, person in enumerate(sheet.people[start : start + 12]):
        person["service_months"] = 30 + step


def _drop_column(name: str) -> Callable:
    def damage(sheet, rng):
        sheet.labels = {each: label for each, label in sheet.labels.items() if each != name}

    return damage


def _rename(name: str, label: str) -> Callable:
    def damage(sheet, rng):
        if name in sheet.labels:
            sheet.labels[name] = label

    return damage


def _block(name: str, *values: object) -> Callable:
    def damage(sheet, rng):
        setattr(sheet, name, rng.choice(values))

    return damage


def _no_people(sheet, rng):
    sheet.people = []


SHEET_DAMAGES: dict[str, Callable] = {
    "negative days": _figures(illness_days=-2, illness_spells=1),
    "days beyond the year": _figures(overall_absence_days=400),
    "illness above overall": _figures(illness_days=90, illness_spells=2, overall_absence_days=3),
    "days without spells": _figures(illness_days=4, illness_spells=0, overall_absence_days=30),
    "spells without days": _figures(illness_days=0, illness_spells=2),
    "more spells than half days": _figures(illness_days=1, illness_spells=5, overall_absence_days=30),
    "half a spell": _figures(illness_days=2, illness_spells=1.5, overall_absence_days=30),
    "service in hundreds of years": _figures(service_months=9000),
    "negative service": _figures(service_months=-1),
    "days in words": _set("illness_days", "three", "a few", "about 5"),
    "days as a range": _set("illness_days", "3-4", "5/6", "10 to 12"),
    "decimal comma": _set("illness_days", "3,5", "12,25"),
    "exponent": _set("overall_absence_days", "1e2", "2E1"),
    "not a number": _set("overall_absence_days", "nan", "inf", "-inf", "NaN"),
    "percent": _set("illness_days", "5%", "0.5%"),
    "days as a date": _set("illness_days", datetime(2019, 3, 4)),
    "days as true": _set("illness_days", True, False),
    "error value": _set("illness_days", "#REF!", "#DIV/0!", "#VALUE!"),
    "formula as text": _set("role", "=1+1", "@SUM(A1)", "+1", "-1+2"),
    "number with blanks": _set("overall_absence_days", " 44 ", "44\u00a0", "\u200b44"),
    "number with unit": _set("overall_absence_days", "44 days", "44d"),
    "number with full-width digits": _set("overall_absence_days", "４４"),
    "months with unit": _set("service_months", "48 months", "48 mths"),
    "months in years": _set("service_months", "4 years", "4y"),
    "no value in words": _set("overall_absence_days", "N/A", "n/a", "-", "not recorded", "?"),
    "unknown role": _set("role", "plumber", "Head of Service", "SW2", "x"),
    "role in other words": _set("role", "NQSW", "SW", "ASYE", "Newly-qualified social worker", "Snr Practitioner"),
    "role with blanks": _spelling("role", lambda text: f"  {text.upper()} "),
    "role missing": _set("role", None, "", "  "),
    "role as number": _set("role", 3, 2.5),
    "unknown gender": _set("gender", "unknown gender", "X", 1),
    "gender as letter": _set("gender", "F", "M"),
    "gender missing": _set("gender", None, "N/A"),
    "part-time as letter": _set("part_time", "Y", "N", 1, 0, True),
    "part-time in words": _set("part_time", "mostly", "3 days a week"),
    "part-time as share": _set("part_time", 0.6, "60%", "0.6 FTE"),
    "part-time as impossible share": _set("part_time", 1.6, "160%", -0.5),
    "agency missing": _set("agency", None),
    "agency in words": _set("agency", "Locum", "perm"),
    "agency unreadable": _set("agency", "via a friend", 7),
    "id is a name": _set("staff_id", CANARY, "Quillfeather", "Z. Quillfeather"),
    "id is an address": _set("staff_id", "zebedee.quillfeather@example.invalid"),
    "id missing": _set("staff_id", None, "", "-"),
    "id with blanks inside": _set("staff_id", "KEN 0778"),
    "id with blanks outside": _spelling("staff_id", lambda text: f" {text}  "),
    "id with invisible characters": _spelling("staff_id", lambda text: f"\ufeff{text}\u200b"),
    "id as a number": _set("staff_id", 778, 778.0),
    "id as a fraction": _set("staff_id", 7.78),
    "id as a date": _set("staff_id", datetime(2019, 5, 3)),
    "id with other letters": _set("staff_id", "КEN-0778", "KÉN-0778"),
    "id like a formula": _set("staff_id", "-KEN-0778", "@KEN0778", "+44778"),
    "very long id": _set("staff_id", "K" * 60 + "1"),
    "person twice": _repeat_person,
    "row twice": _row_again,
    "id in small letters twice": _lower_case_id,
    "team missing": _set("team_id", None),
    "team is a name": _set("team_id", "Marple and Wimsey", CANARY),
    "team as a date": _set("team_id", datetime(2019, 5, 3)),
    "row shifted by a column": _shift_right,
    "role and gender exchanged": _swap("role", "gender"),
    "id and team exchanged with blanks": _spelling("team_id", lambda text: f"{text} {text}"),
    "rows copied down": _copy_down("service_months", "overall_absence_days", "illness_days", "illness_spells"),
    "service copied down": _copy_down("service_months"),
    "series dragged down": _drag,
    "required column dropped": _drop_column("role"),
    "useful column dropped": _drop_column("illness_spells"),
    "id column dropped": _drop_column("staff_id"),
    "heading misspelt": _rename("illness_days", "Ilness related absence"),
    "heading emptied": _rename("agency", ""),
    "heading doubled": _rename("gender", "Role (again)"),
    "heading is another one": _rename("gender", "Role"),
    "heading of another period": _rename("illness_days", "Illness related absence since launch (no. of days)"),
    "heading of names": _rename("gender", "Surname"),
    "authority unknown": _block("authority", "Atlantis", None, 7, CANARY),
    "authority in other words": _block("authority", "Kent County Council", " kent ", "KCC"),
    "date missing": _block("day", None, "", "N/A"),
    "date impossible": _block("day", "31/04/2019", "2019-13-01", "April 2019"),
    "date of other order": _block("day", "04/29/2019", "Apr 29"),
    "date as text": _block("day", "29/04/2019", "29 April 2019", "29.4.19"),
    "date as number": _block("day", 43584),
    "date with time": _block("day", datetime(2019, 4, 29, 16, 30)),
    "nobody": _no_people,
}


def _insert_rows(book, rng):
    book["Return"].insert_rows(1, rng.randint(1, 20))


def _too_deep(book, rng):
    book["Return"].insert_rows(1, 41)


def _note_below(book, rng):
    book["Return"].append([rng.choice(["Source: personnel system", "* excluding volunteers"])])


def _total_row(book, rng):
    book["Return"].append(["Total", None, None, None, 900, 300, 60, 20])


def _headings_again(book, rng):
    sheet: Worksheet = book["Return"]
    sheet.append([cell.value for cell in sheet[_heading_row(sheet)]])


def _heading_row(sheet: Worksheet) -> int:
    return next(row[0].row for row in sheet.iter_rows() if any(same(str(c.value)) == "team id" for c in row))


def _hidden_row(book, rng):
    book["Return"].row_dimensions[book["Return"].max_row].hidden = True


def _other_sheet(book, rng):
    book.create_sheet("Old figures").sheet_state = rng.choice(["visible", "hidden"])


def _merge(book, rng):
    sheet = book["Return"]
    sheet.merge_cells(start_row=sheet.max_row - 3, end_row=sheet.max_row, start_column=2, end_column=2)


def _formula(book, rng):
    sheet = book["Return"]
    sheet.cell(row=sheet.max_row, column=5, value="=1+2")


def _extra_column(book, rng):
    sheet = book["Return"]
    row, column = _heading_row(sheet), sheet.max_column + 2
    sheet.cell(row=row, column=column, value=rng.choice(["Shoe size", "E-mail", "Employee name"]))
    sheet.cell(row=row + 1, column=column, value=CANARY)


def _sheet_renamed(book, rng):
    book["Return"].title = "Sheet1"
    book.create_sheet("Cover", 0)["A1"] = "Return of figures"


def _stray_cell(book, rng):
    sheet = book["Return"]
    sheet.cell(row=sheet.max_row + 5, column=sheet.max_column, value="checked by the data team")


BOOK_DAMAGES: dict[str, Callable] = {
    "rows above": _insert_rows,
    "many rows above": _too_deep,
    "note below": _note_below,
    "row of totals": _total_row,
    "headings repeated": _headings_again,
    "hidden row": _hidden_row,
    "other sheet": _other_sheet,
    "merged cells": _merge,
    "formula without result": _formula,
    "extra column": _extra_column,
    "sheet renamed": _sheet_renamed,
    "stray cell": _stray_cell,
}


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def _noise(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content) - 16)
    return content[:start] + rng.randbytes(16) + content[start + 16 :]


BYTE_DAMAGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut short": _cut,
    "noise": _noise,
    "emptied": lambda content, rng: b"",
    "another file": lambda content, rng: b"%PDF-1.4 not a workbook",
    "old format": lambda content, rng: bytes.fromhex("d0cf11e0a1b11ae1") + rng.randbytes(600),
}


def _answer(name: str, *values: object) -> Callable:
    def damage(rows: list[dict[str, object]], rng: random.Random) -> None:
        rng.choice(rows)[name] = rng.choice(values)

    return damage


def _response_again(rows, rng):
    rows.append(dict(rng.choice(rows)))


def _second_response(rows, rng):
    rows.append(dict(rng.choice(rows)) | {"ResponseId": "R_second"})


def _bytes(book) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _rows(sheet) -> list[list[object]]:
    return [list(row) for row in sheet.book().active.iter_rows(values_only=True)]


def _csv(sheet, *, encoding: str = "utf-8", delimiter: str = ",", broken: str = "") -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter)
    for row in _rows(sheet):
        writer.writerow([each.date().isoformat() if isinstance(each, datetime) else each for each in row])
    return (stream.getvalue() + broken).encode(encoding)


def _ods(sheet, *, encrypted: bool = False, change: Callable[[str], str] = lambda xml: xml) -> bytes:
    office = "urn:oasis:names:tc:opendocument:xmlns:"
    lines = []
    for row in _rows(sheet):
        cells = []
        for each in row:
            if each is None:
                cells.append("<t:table-cell/>")
            elif isinstance(each, datetime):
                cells.append(f'<t:table-cell o:value-type="date" o:date-value="{each.date()}"/>')
            elif isinstance(each, int | float):
                cells.append(f'<t:table-cell o:value-type="float" o:value="{each}"/>')
            else:
                cells.append(f'<t:table-cell o:value-type="string"><x:p>{escape(str(each))}</x:p></t:table-cell>')
        lines.append(f"<t:table-row>{''.join(cells)}</t:table-row>")
    content = change(
        f'<o:document-content xmlns:o="{office}office:1.0" xmlns:t="{office}table:1.0" xmlns:x="{office}text:1.0">'
        f'<o:body><o:spreadsheet><t:table t:name="Return">{"".join(lines)}</t:table></o:spreadsheet></o:body>'
        "</o:document-content>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f"<manifest>{'<encryption-data/>' if encrypted else ''}</manifest>")
        archive.writestr("content.xml", content)
    return stream.getvalue()


def _with_part(sheet, name: str, content: bytes) -> bytes:
    stream = io.BytesIO(_bytes(sheet.book()))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def _rewritten(sheet, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one part of its zip archive changed."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(_bytes(sheet.book()))) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for each in old.infolist():
            content = old.read(each)
            new.writestr(each.filename, change(content) if each.filename == part else content)
    return stream.getvalue()


def _two_lines(sheet) -> bytes:
    """Headings split over two rows, the upper one merged over the columns of absence."""
    book = sheet.book()
    page = book.active
    page.insert_rows(8)
    for column in range(1, page.max_column + 1):
        first, _, rest = str(page.cell(row=7, column=column).value).partition(" ")
        page.cell(row=7, column=column, value=first)
        page.cell(row=8, column=column, value=rest or None)
    return _bytes(book)


def _as_formulas(sheet) -> bytes:
    """The days as formulas with the results that a spreadsheet program stored."""
    first = list(sheet.labels).index("overall_absence_days")
    letter = chr(65 + first)
    pattern = re.compile(rf'(<c r="{letter}(?:[89]|1\d)"[^>]*>)(<v>)'.encode())
    return _rewritten(sheet, SHEET_PART, lambda xml: pattern.sub(rb"\1<f>[1]Old!A1*1</f>\2", xml))


def _texts(sheet) -> bytes:
    """Every number as text, with thousands separators where it is long, as copied from a report."""
    for person in sheet.people:
        person["service_months"] = f"{person['service_months']}"
        person["overall_absence_days"] = f" {person['overall_absence_days']} days"
    return _bytes(sheet.book())


DOCTYPE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
SHEET_PART = "xl/worksheets/sheet1.xml"
FORMAT_DAMAGES: dict[str, Callable[..., tuple[str, bytes]]] = {
    "saved as CSV": lambda sheet: ("baseline.csv", _csv(sheet)),
    "CSV with semicolons": lambda sheet: ("baseline.csv", _csv(sheet, delimiter=";")),
    "CSV in UTF-16 with tabs": lambda sheet: ("baseline.csv", _csv(sheet, encoding="utf-16", delimiter="\t")),
    "CSV in Windows-1252": lambda sheet: ("baseline.csv", _csv(sheet, encoding="cp1252", broken="\nNote: café")),
    "CSV with an open quotation": lambda sheet: ("baseline.csv", _csv(sheet, broken='\n"open')),
    "CSV with a NUL": lambda sheet: ("baseline.csv", _csv(sheet, broken="\n\0")),
    "workbook under the name of a CSV": lambda sheet: ("baseline.csv", _bytes(sheet.book())),
    "CSV under the name of a workbook": lambda sheet: ("baseline.xlsx", _csv(sheet)),
    "web page under the name of a workbook": lambda sheet: (
        "baseline.xlsx",
        b"<html><table><tr><td>1</td></tr></table>",
    ),
    "saved as ODS": lambda sheet: ("baseline.ods", _ods(sheet)),
    "ODS with a password": lambda sheet: ("baseline.ods", _ods(sheet, encrypted=True)),
    "ODS with an entity": lambda sheet: ("baseline.ods", _ods(sheet, change=lambda xml: DOCTYPE.decode() + xml)),
    "ODS cut inside": lambda sheet: ("baseline.ods", _ods(sheet, change=lambda xml: xml[: len(xml) // 2])),
    "ODS with a number without value": lambda sheet: (
        "baseline.ods",
        _ods(
            sheet, change=lambda xml: xml.replace('o:value-type="float" o:value="', 'o:value-type="float" o:old="', 1)
        ),
    ),
    "ODS of a million repeated rows": lambda sheet: (
        "baseline.ods",
        _ods(
            sheet,
            change=lambda xml: xml.replace(
                '<t:table-row><t:table-cell o:value-type="string"><x:p>KEN-0001',
                '<t:table-row t:number-rows-repeated="1000000"><t:table-cell o:value-type="string"><x:p>KEN-0001',
            ),
        ),
    ),
    "old Excel workbook": lambda sheet: ("baseline.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)),
    "workbook with a password": lambda sheet: (
        "baseline.xlsx",
        bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le") * 40,
    ),
    "binary workbook": lambda sheet: ("baseline.xlsb", _bytes(sheet.book())),
    "workbook with macros": lambda sheet: ("baseline.xlsx", _with_part(sheet, "xl/vbaProject.bin", b"\0")),
    "macro workbook": lambda sheet: ("baseline.xlsm", _bytes(sheet.book())),
    "external link": lambda sheet: (
        "baseline.xlsx",
        _with_part(sheet, "xl/externalLinks/externalLink1.xml", b"<externalLink/>"),
    ),
    "zip bomb": lambda sheet: ("baseline.xlsx", _with_part(sheet, "xl/media/big.bin", bytes(17 * 1024 * 1024))),
    "outside entity": lambda sheet: ("baseline.xlsx", _rewritten(sheet, SHEET_PART, lambda xml: DOCTYPE + xml)),
    "entities of entities": lambda sheet: (
        "baseline.xlsx",
        _rewritten(sheet, "xl/styles.xml", lambda xml: LAUGHS + xml),
    ),
    "entity in EBCDIC": lambda sheet: (
        "baseline.xlsx",
        _rewritten(
            sheet,
            "xl/styles.xml",
            lambda xml: ('<?xml version="1.0" encoding="cp037"?>' + LAUGHS.decode()).encode("cp037"),
        ),
    ),
    "sheet without its end": lambda sheet: (
        "baseline.xlsx",
        _rewritten(sheet, SHEET_PART, lambda xml: xml[: len(xml) // 2]),
    ),
    "sheet gone": lambda sheet: (
        "baseline.xlsx",
        _rewritten(
            sheet,
            "xl/_rels/workbook.xml.rels",
            lambda xml: xml.replace(b"worksheets/sheet1.xml", b"worksheets/gone.xml"),
        ),
    ),
    "headings over two rows": lambda sheet: ("baseline.xlsx", _two_lines(sheet)),
    "days as formulas": lambda sheet: ("baseline.xlsx", _as_formulas(sheet)),
    "numbers as text": lambda sheet: ("baseline.xlsx", _texts(sheet)),
}


SURVEY_DAMAGES: dict[str, Callable] = {
    "answer beyond the scale": _answer("happiness", 11, -1, 99),
    "answer in words": _answer("ladder", "quite high", CANARY),
    "answer between points": _answer("affect_2", "3.5", "3,5"),
    "two answers": _answer("affect_3", "1, 2", "1;2"),
    "answer with label": _answer("happiness", "10 = Extremely", "0 - Not at all"),
    "label alone": _answer("burnout_1", "Never", "Frequently"),
    "seen but unanswered": _answer("need_4", "-99"),
    "unknown option": _answer("health", "splendid", "5", CANARY),
    "option in other words": _answer("contract", "Via an agency", "On a permanent contract"),
    "age of a child": _answer("age", 5, 150),
    "age in words": _answer("age", "forty", "40s"),
    "consent unreadable": _answer("consent", "maybe", CANARY),
    "consent missing": _answer("consent", ""),
    "consent refused with answers": _answer("consent", "disagree"),
    "response twice": _response_again,
    "second response": _second_response,
    "no code": _answer("ExternalReference", ""),
    "unknown code": _answer("ExternalReference", "nobody", CANARY),
    "no date": _answer("RecordedDate", "", "soon"),
    "preview": _answer("Status", "Survey Preview", "Spam"),
}
