"""One return, and what of it is not as in the template, said to whoever sent it: format, sheet, headings, columns."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from hhp_stats.intake.dictionary import Field, Site
from hhp_stats.intake.grid import Grid
from hhp_stats.intake.headings import (
    Headings,
    is_personal,
    remark,
)
from hhp_stats.intake.masking import shown
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_file import (
    DOUBLED_HEADING,
    HEADING_REMARK,
    OTHER_UNIT,
    PERIOD_HEADING,
    PERSONAL_COLUMN,
    REQUIRED_COLUMN,
    UNKNOWN_COLUMN,
    USEFUL_COLUMN,
)
from hhp_stats.intake.spellings import same
from hhp_stats.intake.table import Table
from hhp_stats.intake.tolerance import Tolerance

HEADING_ROW = 7  # of the template
OTHER_FORMAT = "another format than .xlsx"
OTHER_ENCODING = "another character encoding than UTF-8"
OTHER_SHEET_NAME = "the table on a sheet of another name"
OTHER_HEADING_ROW = "the headings in another row than in the template"
TWO_HEADING_ROWS = "headings over two rows"
OTHER_HEADING = "a heading in other words"


@dataclass(slots=True, kw_only=True)
class Return(Table):
    """One return as read: a table of people with the block of authority and date above it."""

    wave: str
    site: Site | None
    local_authority: str = ""
    authority_cell: str = ""
    date_retrieved: pd.Timestamp | None = None
    date_cell: str = ""
    synthetic: bool = False


def say_how_it_is_laid_out(result: Return, grid: Grid, headings: Headings) -> None:
    """Where file, sheet and headings differ from the template, for the list of tolerances."""

    def say(habit: str, found: str, read_as: str, cell: str = "whole file", name: str = "") -> None:
        result.tolerances.append(
            Tolerance(
                file=result.file,
                sheet=grid.sheet,
                cell=cell,
                field=name,
                habit=habit,
                found=found,
                read_as=read_as,
                count=1,
            )
        )

    suffix = result.path.suffix.casefold()
    if suffix != ".xlsx":
        say(OTHER_FORMAT, f"a {suffix} file", "a workbook")
    if grid.encoding and not grid.encoding.startswith("UTF-8"):
        say(OTHER_ENCODING, grid.encoding, "text")
    if grid.sheet and same(grid.sheet) != "return":
        say(OTHER_SHEET_NAME, shown(grid.sheet, vocabulary=result.vocabulary), "the return")
    if headings.row != HEADING_ROW:
        say(OTHER_HEADING_ROW, f"row {headings.row}", "the headings", f"row {headings.row}")
    two = headings.first_data_row - headings.row > 1
    if two:
        say(TWO_HEADING_ROWS, "two rows", "the headings joined", f"rows {headings.row} and {headings.row + 1}")
    for name, column in headings.columns.items():
        label, heading = result.fields[name].label, headings.found[name]
        if heading.strip() != label:
            say(
                OTHER_HEADING,
                shown(heading, vocabulary=result.vocabulary),
                name,
                result.address(headings.row, column),
                name,
            )


def check_columns(result: Return, headings: Headings, table: tuple[Field, ...]) -> None:
    """Are all columns of the dictionary there, each once, and none that it does not know or that names people?"""

    def say(rule: Rule, value: str, column: int | None = None) -> None:
        cell = result.address(headings.row, column) if column else ""
        result.problems.append(rule.problem(file=result.file, sheet=result.sheet, value=value, cell=cell))

    for name, column in headings.doubled:
        say(DOUBLED_HEADING, f"a second column for {name}", column)
    for column, text in headings.unknown:
        rule = PERSONAL_COLUMN if is_personal(text) else UNKNOWN_COLUMN
        say(rule, shown(text, vocabulary=result.vocabulary), column)
    for name, column in headings.columns.items():
        extra, contradicts = remark(headings.found[name], result.fields[name])
        if extra:
            said = shown(extra, vocabulary=result.vocabulary)
            say(OTHER_UNIT if contradicts else HEADING_REMARK, f"{name}: the heading says {said}", column)
    for each in table:
        if each.name not in headings.columns:
            if each.required:
                say(REQUIRED_COLUMN, f"no column “{each.label}”")
            elif each.in_template or each.name in ("illness_days", "leaving_date"):
                say(USEFUL_COLUMN, f"no column “{each.label}”")
            continue
        since_launch = "launch" in same(headings.found[each.name])
        if each.kind in ("number", "integer") and each.period and since_launch != ("launch" in each.period):
            say(PERIOD_HEADING, f"the heading must say “{each.label}”", headings.columns[each.name])
