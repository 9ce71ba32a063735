"""What should the authority fill in? An empty return with drop-downs, units, notes and known IDs."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from hhp_stats.errors import DataError, PlanError
from hhp_stats.files.spreadsheet import write_cell
from hhp_stats.intake.dictionary import WAVES, Field, Site, fields_of, load_dictionary, load_study
from hhp_stats.intake.gather import check_return
from hhp_stats.intake.manifest import study_status, verify_manifest
from hhp_stats.intake.raw_files import MANIFEST
from hhp_stats.intake.return_layout import HEADING_ROW, Return
from hhp_stats.intake.returns import RETURN_TYPES, read_return
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.spellings import load_spellings

SPARE_ROWS = 500
INSTRUCTIONS = (
    "One person a row. Use anonymous staff and team codes only: no names, no email addresses. Keep your own record "
    "of whose code is whose until the trial has ended, and do not send it.",
    "The same person keeps the same code in every return. Leave a cell blank where you do not record something; "
    "columns marked [extra] were added to the printed form because the analysis needs them.",
)
WAVE_NOTES = {
    "baseline": "Absence: the 12 months before the date above.",
    "interim": "Absence: from the launch of the programme to the date above. List those who left since launch as well.",
    "endline": "Absence: from the launch of the programme to the date above, the whole 24 weeks. List those who left "
    "since the interim return; leave out anyone who was reported as a leaver then.",
}
_GREY = PatternFill("solid", start_color="FFE7E6E6", end_color="FFE7E6E6")
_IDENTIFIERS = ("R02", "R03", "R04", "R05", "F10")  # rules without which codes must not be handed on
NO_EARLIER_RETURN = Rule(
    code="F23",
    severity="error",
    rule="The codes of a later template come from the earlier return.",
    remedy="Put the baseline return in its place first.",
)
_KEPT = ("staff_id", "team_id", "role", "gender", "part_time", "agency")


def template(*, study: str, authority: str, wave: str, root: Path) -> Any:
    """What should the authority fill in for this wave?

    An openpyxl workbook with one sheet "Return": the block of authority and date, headings of the dictionary with
    units and notes, drop-downs and limits, headings locked and cells open. For interim and endline the people of the
    last return are listed with code, team, role, gender and hours, except those who had left by then.

    Refuses an unknown authority or wave (`PlanError`) and, for later waves, an earlier return that cannot be read or
    whose identifiers are no codes (`DataError`): a name must not be handed on.
    """
    root = Path(root)
    plan = load_study(root, study)
    site = plan.site(authority) or plan.by_slug(authority)
    if site is None or wave not in WAVES:
        raise PlanError(
            f"data/plan/{study}.toml",
            "sites",
            "No such authority or wave in the plan.",
            f"Authorities: {', '.join(plan.authorities)}; waves: {', '.join(WAVES)}.",
        )
    fields = load_dictionary(root)
    table = tuple(each for each in fields_of(fields, "return", wave) if not each.kind.startswith("header"))
    people = _known_people(root, study, site, wave) if wave != "baseline" else []
    recorded = (root / MANIFEST).exists()
    if recorded and people and (wrong := verify_manifest(root, below=f"data/returns/{study}/{site.slug}/")):
        raise DataError(wrong)
    synthetic = recorded and study_status(root, study) == "synthetic"
    return _workbook(site, wave, table, people, synthetic)


def _known_people(root: Path, study: str, site: Site, wave: str) -> list[dict[str, Any]]:
    fields = load_dictionary(root)
    plan, spellings = load_study(root, study), load_spellings(root, fields)
    for earlier in reversed(WAVES[: WAVES.index(wave)]):
        names = [f"data/returns/{study}/{site.slug}/{earlier}{suffix}" for suffix in RETURN_TYPES]
        for file in (name for name in names if (root / name).is_file()):
            ret = read_return(
                root / file, file=file, wave=earlier, study=plan, fields=fields, spellings=spellings, site=site
            )
            if ret.readable:
                check_return(ret)
            unsafe = [
                problem
                for problem in ret.problems
                if problem.severity == "error" and (not ret.readable or problem.code in _IDENTIFIERS)
            ]
            if unsafe:
                raise DataError(unsafe)
            return _staying(ret)
    raise DataError([NO_EARLIER_RETURN.problem(file=f"data/returns/{study}/{site.slug}/baseline.xlsx")])


def _staying(ret: Return) -> list[dict[str, Any]]:
    frame = ret.frame
    if "left" in frame:
        frame = frame[frame["left"] != 1]
    frame = frame.dropna(subset=["staff_id"])
    known = [name for name in (*_KEPT, "start_date") if name in frame]
    return [
        {str(name): value for name, value in row.items() if value is not None and value == value}
        for row in frame[known].to_dict(orient="records")
    ]


def _workbook(site: Site, wave: str, table: tuple[Field, ...], people: list[dict[str, Any]], synthetic: bool) -> Any:
    book: Any = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Return"
    for row, text in enumerate(INSTRUCTIONS, start=1):
        sheet.cell(row=row, column=1, value=text).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(table))
        sheet.row_dimensions[row].height = 32
    for row, (label, value) in enumerate(
        (("Local Authority:", site.local_authority), ("Date data retrieved:", None)), 3
    ):
        sheet.cell(row=row, column=1, value=label).font = Font(bold=True)
        write_cell(sheet.cell(row=row, column=2), value)
    sheet["B4"].number_format = "yyyy-mm-dd"
    sheet["B4"].protection = Protection(locked=False)
    if synthetic:
        sheet["A5"] = "SYNTHETIC RELEASE: for trying out, not for real staff records"
    sheet["A6"] = WAVE_NOTES[wave]
    last = HEADING_ROW + max(SPARE_ROWS, len(people) + 100)
    for column, field in enumerate(table, start=1):
        fill_column(sheet, column, field, heading_row=HEADING_ROW, last=last)
    for row, person in enumerate(people, start=HEADING_ROW + 1):
        for column, field in enumerate(table, start=1):
            if field.name in person:
                value = person[field.name]
                if field.kind == "yes/no":
                    value = "yes" if value == 1 else "no"
                cell = write_cell(sheet.cell(row=row, column=column), value)
                if isinstance(value, date):
                    cell.number_format = "yyyy-mm-dd"
    sheet.freeze_panes = sheet.cell(row=HEADING_ROW + 1, column=3)
    sheet.protection.sheet = True  # without a password: it keeps headings from being changed by mistake
    sheet.protection.formatColumns = sheet.protection.sort = sheet.protection.autoFilter = False
    return book


def fill_column(sheet: Any, number: int, field: Field, *, heading_row: int, last: int) -> None:
    """The heading of one column with its note, and drop-down or limits for the cells below, which stay open."""
    letter = get_column_letter(number)
    head = write_cell(sheet.cell(row=heading_row, column=number), field.label)
    head.font, head.fill = Font(bold=True), _GREY
    head.alignment = Alignment(wrap_text=True, vertical="top")
    head.comment = Comment(_note(field), "hhp template")
    sheet.column_dimensions[letter].width = 18
    area = f"{letter}{heading_row + 1}:{letter}{last}"
    rule = validation(field)
    if rule is not None:
        rule.add(area)
        sheet.add_data_validation(rule)
    for row in range(heading_row + 1, last + 1):
        cell = sheet.cell(row=row, column=number)
        cell.protection = Protection(locked=False)
        if field.kind == "date":
            cell.number_format = "yyyy-mm-dd"
        elif field.kind == "identifier":
            cell.number_format = "@"  # text: keeps leading zeros and stops codes such as 3-5 from becoming dates


def _note(field: Field) -> str:
    limits = f" Between {field.minimum:g} and {field.maximum:g}." if field.minimum is not None else ""
    options = f" One of: {', '.join(field.allowed)}." if field.allowed else ""
    unit = f" In {field.unit}." if field.unit else ""
    period = f" Period: {field.period}." if field.period else ""
    return f"{field.meaning}.{unit}{period}{limits}{options}{' Required.' if field.required else ''}"


def validation(field: Field) -> Any:
    """The drop-down or limits of a column, None where anything may be typed."""
    shared: dict[str, Any] = {"allow_blank": True, "showErrorMessage": True, "errorTitle": "Please check"}
    if field.allowed:
        listed = ",".join(field.allowed)
        return DataValidation(type="list", formula1=f'"{listed}"', error="Choose from the list.", **shared)
    if field.kind in ("number", "integer"):
        kind = "whole" if field.kind == "integer" else "decimal"
        error = (
            f"A number between {field.minimum:g} and {field.maximum:g}." if field.maximum is not None else "A number."
        )
        return DataValidation(
            type=kind,
            operator="between",
            formula1=f"{field.minimum or 0:g}",
            formula2=f"{field.maximum or 1e9:g}",
            error=error,
            **shared,
        )
    if field.kind == "date":
        return DataValidation(type="date", operator="greaterThan", formula1="36526", error="Enter a date.", **shared)
    return None


def template_path(directory: Path, *, authority: str, wave: str) -> Path:
    """The usual name of a template file."""
    return Path(directory) / f"{re.sub(r'[^a-z0-9]+', '-', authority.casefold()).strip('-')}-{wave}.xlsx"
