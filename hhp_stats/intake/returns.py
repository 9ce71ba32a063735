"""What does a return say? One workbook read into a typed frame, with every habit and every unreadable cell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.intake import values as v
from hhp_stats.intake.columns import Manner
from hhp_stats.intake.container import Refused, check_container
from hhp_stats.intake.days import read_day
from hhp_stats.intake.dictionary import Field, Site, Study, fields_of
from hhp_stats.intake.findings import rows_of
from hhp_stats.intake.grid import NO_STORED_VALUE, CellError, Grid
from hhp_stats.intake.headings import (
    Headings,
    find_headings,
    heading_labels,
    is_total,
    repeats_headings,
)
from hhp_stats.intake.masking import shown, words_of
from hhp_stats.intake.ods import read_ods
from hhp_stats.intake.return_layout import Return, check_columns, say_how_it_is_laid_out
from hhp_stats.intake.rules_file import (
    NO_DATE,
    NO_HEADINGS,
    NO_PEOPLE,
    ROW_OF_TOTALS,
    UNKNOWN_AUTHORITY,
    UNREADABLE_FILE,
)
from hhp_stats.intake.seen import comment_problems, identifiers_as_seen, refused_cells, remark_problems
from hhp_stats.intake.spellings import Spellings, same
from hhp_stats.intake.table import comma_in_numbers, empty_frame
from hhp_stats.intake.text_file import read_csv_grid
from hhp_stats.intake.tolerance import Tolerance
from hhp_stats.intake.workbook_layout import say_what_else_is_there
from hhp_stats.intake.xlsx import read_xlsx

SYNTHETIC_MARK = "synthetic release"
TEAM_WORDS = "team word"  # in the file of spellings: words of which names of teams are made
RETURN_TYPES = (".xlsx", ".csv", ".ods", ".xlsm")
_OTHER_WORKBOOKS = (".xls", ".xlsb", ".xltx", ".xltm")
# What authorities send instead: looked at only in order to say what they should send.
OTHER_TYPES = (*_OTHER_WORKBOOKS, ".numbers", ".pdf", ".docx", ".doc", ".tsv", ".txt")


def read_return(
    path: Path,
    *,
    file: str,
    wave: str,
    study: Study,
    fields: tuple[Field, ...],
    spellings: Spellings,
    site: Site | None = None,
) -> Return:
    """What does one return workbook (.xlsx, .ods or .csv) say?

    Never raises for what is wrong with the file: problems are collected in the result, so that all files can be
    reported together. Values are read by kind and field (see values.py); nothing is guessed.
    """
    specs = tuple(each for each in fields_of(fields, "return", wave))
    table = tuple(each for each in specs if not each.kind.startswith("header"))
    result = Return(
        file=file,
        path=path,
        wave=wave,
        site=site,
        sheet="",
        fields={each.name: each for each in table},
        frame=empty_frame(table, []),
        vocabulary=words_of(
            *(each.label for each in specs),
            *(a for each in specs for a in each.allowed),
            *study.authorities,
            *(
                form
                for name in ("blank", "number", "yes/no", *(each.name for each in specs))
                for form in spellings.of(name)
            ),
            *spellings.of(TEAM_WORDS),
        ),
    )
    try:
        grid = read_grid(path, holds_table=lambda each: _holds_people(each, table, spellings))
        raw_bytes = path.read_bytes()
        result.sha256, result.size = hashlib.sha256(raw_bytes).hexdigest(), len(raw_bytes)
    except Refused as refused:
        result.problems.append(UNREADABLE_FILE.refused(file=file, refused=refused))
        return result
    except OSError as error:
        result.problems.append(UNREADABLE_FILE.problem(file=file, value=type(error).__name__))
        return result
    result.sheet = grid.sheet
    headings = find_headings(grid, table, spellings)
    if headings is None:
        result.problems.append(NO_HEADINGS.problem(file=file, sheet=grid.sheet))
        return result
    say_what_else_is_there(
        result,
        grid,
        head=headings.row,
        first_data_row=headings.first_data_row,
        columns=headings.columns.values(),
    )
    say_how_it_is_laid_out(result, grid, headings)
    _read_block(result, grid, headings, study, spellings)
    check_columns(result, headings, table)
    _read_table(result, grid, headings, table, spellings)
    return result


def read_grid(path: Path, *, sheet: str = "Return", holds_table: Callable[[Grid], bool] | None = None) -> Grid:
    """The cells of a return by the type of its file, `sheet` and `holds_table` as in `read_xlsx`; refuses (`Refused`)
    others.
    """
    suffix = path.suffix.casefold()
    if suffix in (".xlsx", ".xlsm"):
        return read_xlsx(path, sheet=sheet, holds_table=holds_table)
    if suffix == ".ods":
        return read_ods(path, sheet=sheet, holds_table=holds_table)
    if suffix == ".csv":
        return read_csv_grid(path)
    if suffix in _OTHER_WORKBOOKS and path.stat().st_size:
        check_container(path)  # says of passwords and old formats what is to be done
    remedy = "Open it in the program that wrote it, save it as “Excel workbook (.xlsx)” and send it again."
    raise Refused("A return must be an .xlsx workbook (or .ods, .csv).", remedy, f"a {suffix} file")


def _holds_people(grid: Grid, table: tuple[Field, ...], spellings: Spellings) -> bool:
    """Whether the first rows of a sheet hold the headings of a return and a person below them."""
    headings = find_headings(grid, table, spellings)
    if headings is None:
        return False
    column = headings.columns["staff_id"]
    return any(row >= headings.first_data_row and cells.get(column) is not None for row, cells in grid.rows.items())


def _read_block(result: Return, grid: Grid, headings: Headings, study: Study, spellings: Spellings) -> None:
    """Authority and date above the table: beside their label, or after its colon in the same cell."""
    labels = {
        form: name for form, name in spellings.of("heading").items() if name in ("local_authority", "date_retrieved")
    }
    found: dict[str, tuple[Any, str]] = {}
    for row in sorted(number for number in grid.rows if number < headings.row):
        for column, value in sorted(grid.rows[row].items()):
            if not isinstance(value, str):
                continue
            if same(value).startswith(SYNTHETIC_MARK):
                result.synthetic = True
            label, _, rest = value.partition(":")
            name = labels.get(same(label).rstrip(" :"))
            if name is None or name in found:
                continue
            if rest.strip():
                found[name] = (rest, result.address(row, column))
            else:
                beside = min((each for each in grid.rows[row] if each > column), default=None)
                value = None if beside is None else grid.rows[row][beside]
                found[name] = (value, result.address(row, column + 1 if beside is None else beside))
    authority, result.authority_cell = found.get("local_authority", (None, ""))
    known = {same(name): name for name in study.authorities} | spellings.of("local_authority")
    text = same(authority) if isinstance(authority, str) else ""
    result.local_authority = known.get(text, "")
    if result.local_authority not in study.authorities:
        result.local_authority = ""
        result.problems.append(
            UNKNOWN_AUTHORITY.problem(
                file=result.file,
                sheet=grid.sheet,
                cell=result.authority_cell,
                value=shown(authority if text else None, vocabulary=result.vocabulary),
            )
        )
    elif authority != result.local_authority:
        result.tolerances.append(
            Tolerance(
                file=result.file,
                sheet=grid.sheet,
                cell=result.authority_cell,
                field="local_authority",
                habit=v.SPELLING,
                found=shown(authority, vocabulary=result.vocabulary),
                read_as=result.local_authority,
                count=1,
            )
        )
    day, result.date_cell = found.get("date_retrieved", (None, ""))
    try:
        read = (
            v.Read(None)
            if day is None
            else read_day(day, spellings=spellings, typed=grid.typed, from_1904=grid.from_1904)
        )
    except v.Unreadable:
        read = v.Read(None)
    if read.value is None:
        result.problems.append(
            NO_DATE.problem(
                file=result.file,
                sheet=grid.sheet,
                cell=result.date_cell,
                value=shown(day.text if isinstance(day, CellError) else day if day is not NO_STORED_VALUE else None),
            )
        )
        return
    result.date_retrieved = pd.Timestamp(read.value)
    if read.habit:
        result.tolerances.append(
            Tolerance(
                file=result.file,
                sheet=grid.sheet,
                cell=result.date_cell,
                field="date_retrieved",
                habit=read.habit,
                found=shown(day),
                read_as=f"{read.value:%Y-%m-%d}",
                count=1,
            )
        )


def _read_table(result: Return, grid: Grid, headings: Headings, table: tuple[Field, ...], spellings: Spellings) -> None:
    labels = heading_labels(table, spellings)
    used = set(headings.columns.values())
    rows = [number for number in sorted(grid.rows) if number >= headings.first_data_row]
    ignored: list[Tolerance] = []

    def ignore(number: int, found: str) -> None:
        ignored.append(
            Tolerance(
                file=result.file,
                sheet=grid.sheet,
                cell=f"row {number}",
                field="",
                habit=found,
                found="the whole row",
                read_as="left out",
                count=1,
            )
        )

    kept: list[int] = []
    totals: list[int] = []
    for number in rows:
        cells = grid.rows[number]
        if not any(column in used and not _is_nothing(value, spellings) for column, value in cells.items()):
            if any(column not in used for column in cells):
                ignore(number, "a row without a value in any known column")
        elif repeats_headings(cells, headings, labels):
            ignore(number, "the headings repeated within the table")
        elif is_total(cells, headings):
            totals.append(number)
        else:
            kept.append(number)
    notes: list[int] = []
    while kept and _is_note(grid.rows[kept[-1]], used, headings.columns["staff_id"]):
        notes.append(kept.pop())
        ignore(notes[-1], "a note below the table")
    if not kept:
        result.problems.append(NO_PEOPLE.problem(file=result.file, sheet=grid.sheet))
    if totals:
        result.problems.append(ROW_OF_TOTALS.problem(file=result.file, sheet=grid.sheet, cell=rows_of(totals)))
    result.columns = dict(headings.columns)
    result.frame = empty_frame(table, kept)
    raws = {name: [grid.rows[number].get(column) for number in kept] for name, column in headings.columns.items()}
    manner = Manner(
        typed=grid.typed,
        from_1904=grid.from_1904,
        decimal_comma=not grid.typed and comma_in_numbers((result.fields[name], raws[name]) for name in raws),
    )
    for each in table:
        column = headings.columns.get(each.name)
        if column is None:
            continue
        raw = raws[each.name]
        refused = refused_cells(grid, each, kept, column, id_column=headings.columns["staff_id"])
        result.seen[each.name] = {position: seen for position, (_, seen) in refused.items()}
        filled: list[int] = []
        if each.kind == "identifier":
            raw, filled = identifiers_as_seen(grid, kept, column, raw)
        formulas = [i for i, number in enumerate(kept) if (number, column) in grid.formulas] if grid.formulas else []
        result.fill(
            spec=each,
            raw=raw,
            spellings=spellings,
            manner=manner,
            heading=headings.found[each.name],
            formulas=formulas,
            filled=filled,
            refused={position: code for position, (code, _) in refused.items()},
        )
    result.tolerances += ignored
    result.problems += comment_problems(result, grid, first_row=headings.first_data_row)
    headed = {*used, *(column for column, _ in headings.unknown), *(column for _, column in headings.doubled)}
    result.problems += remark_problems(result, grid, rows=kept, below=notes, headed=headed)


def _is_nothing(value: Any, spellings: Spellings) -> bool:
    return isinstance(value, str) and (not same(value) or spellings.is_blank(value))


def _is_note(cells: dict[int, Any], used: set[int], id_column: int) -> bool:
    """A row below the table with one text that is no identifier, such as a remark on the source."""
    filled = [(column, value) for column, value in cells.items() if column in used and str(value).strip()]
    if len(filled) != 1 or not isinstance(filled[0][1], str):
        return False
    column, text = filled[0]
    looks_like_id = column == id_column and " " not in text.strip() and any(map(str.isdigit, text))
    return not looks_like_id
