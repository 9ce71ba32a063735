"""A trial whose data are one table: one row a person, in CSV, XLSX, ODS or SAV, checked against the dictionary of its
plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.errors import Problem, refuse_errors
from hhp_stats.intake.columns import Manner
from hhp_stats.intake.container import Refused
from hhp_stats.intake.corrections import applied_frame, apply_to_table
from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.findings import Finding, judged
from hhp_stats.intake.grid import Grid, column_letter
from hhp_stats.intake.headings import is_personal
from hhp_stats.intake.ledger import LEDGER, Ledger, read_ledger
from hhp_stats.intake.load import problem_frame
from hhp_stats.intake.manifest import study_status, verify_manifest
from hhp_stats.intake.masking import shown, words_of
from hhp_stats.intake.ods import read_ods
from hhp_stats.intake.participants import Participants, load_participants
from hhp_stats.intake.pseudonym import load_pseudonyms
from hhp_stats.intake.raw_files import studies
from hhp_stats.intake.rule import breach_problems
from hhp_stats.intake.rules_file import MARKED_SYNTHETIC, NOT_MARKED_SYNTHETIC
from hhp_stats.intake.rules_read import rules_read
from hhp_stats.intake.rules_table import (
    COLUMN_MISSING,
    FORMS,
    NO_PEOPLE,
    PERSONAL_COLUMN,
    RAGGED,
    TABLE_MISSING,
    TABLE_RULES,
    TABLE_UNREADABLE,
    UNKNOWN_COLUMN,
    PlainTable,
    TableCheck,
)
from hhp_stats.intake.rules_table_figures import figure_findings
from hhp_stats.intake.rules_table_names import name_findings
from hhp_stats.intake.rules_table_sizes import size_findings
from hhp_stats.intake.rules_table_waves import waves_findings
from hhp_stats.intake.seen import comment_problems, refused_cells, remark_problems
from hhp_stats.intake.spellings import SPELLINGS, Spellings, same, tidy
from hhp_stats.intake.survey_export import read_sav_export
from hhp_stats.intake.table import comma_in_numbers, empty_frame
from hhp_stats.intake.table_spellings import spellings_of_table
from hhp_stats.intake.text_file import likely_delimiter, read_csv_grid, read_text, split_rows
from hhp_stats.intake.workbook_layout import headed_by, say_what_else_is_there
from hhp_stats.intake.xlsx import read_xlsx
from hhp_stats.plan.conduct import deviations_of_data
from hhp_stats.plan.individual_schema import IndividualPlan
from hhp_stats.plan.table_schema import ARM, TableColumn
from hhp_stats.plan.thresholds import load_thresholds

RELEASE, SYNTHETIC = "release", "synthetic"  # the column that marks a synthetic table, and what stands in it
LINKAGE = ("wave", "responses", "consented", "duplicates", "matched", "unmatched")
_READ_AS = {"number": "number", "0/1": "yes/no", "date": "date"}  # the others are text, or one of the allowed values


def participants_of(root: Path, plan: IndividualPlan) -> Participants:
    """Who was randomised, and what is known of them: from the plain table, or from the allocation list and the
    surveys.
    """
    return load_participants(root, plan) if plan.data is None else load_plain_table(root, plan)


def load_plain_table(root: Path, plan: IndividualPlan) -> Participants:
    """Who was randomised to which arm, and what is known of them? Reads the table that the plan names below `root`.

    `people` has one row a person: `person`, of a trial `arm` (the id that results use) and `treatment` (its code), and
    every column of the dictionary but the identifier. Raises DataError, with every problem, where the table is missing,
    unreadable or breaks a rule.
    """
    assert plan.data is not None
    status = study_status(root, plan.study)
    ledger = read_ledger(root, studies=studies(root))
    table = read_plain_table(root, plan, ledger=ledger)
    # What is wrong with lines about other studies is for those to say.
    own = sum(line.study == plan.study for _, line in ledger.lines)
    others = {f"row {number}" for number, line in ledger.lines if line.study != plan.study}
    found = [*table.problems, *(each for each in ledger.problems if each.cell not in others)]
    if table.readable:
        if status == SYNTHETIC and table.unmarked and len(table.frame):
            found.append(NOT_MARKED_SYNTHETIC.problem(file=table.file))
        elif status != SYNTHETIC and table.synthetic:
            found.append(MARKED_SYNTHETIC.problem(file=table.file))
        found += broken_rules(root, table, plan)
    found += verify_manifest(root, known={table.file: table.sha256} if table.sha256 else {}, study=plan.study)
    refuse_errors(found)
    people, more = _people(root, table, plan, status)
    names = {each.correction.id: str(people["person"].iloc[each.position]) for each in table.applied}
    read = [(table.file, table.sha256, table.size, len(table.frame))]
    if own:
        read.append((LEDGER, ledger.sha256, ledger.size, own))
    read += rules_read(root, plan.study, plan.data.dictionary, SPELLINGS)
    return Participants(
        people=people,
        inputs=pd.DataFrame(read, columns=["path", "sha256", "bytes", "rows"]),
        problems=problem_frame([*found, *more]),
        linkage=pd.DataFrame(columns=list(LINKAGE)),
        corrections=applied_frame(table.applied, people=names, person=plan.data.person),
    )


def broken_rules(root: Path, table: PlainTable, plan: IndividualPlan) -> list[Problem]:
    """What breaks a rule about the cells of a table that could be read, but for what a deviation explains."""
    check, found = TableCheck(table=table, plan=plan), []
    for rule in (*FORMS, *TABLE_RULES) if table.readable and len(table.frame) else ():
        if rule.find is not None:
            found += breach_problems(rule, table, rule.find(check))
    if not table.readable:
        return found
    of_the_columns: list[Finding] = []
    if len(table.frame):
        limits = load_thresholds(root, plan.study)
        of_the_columns += [*waves_findings(check, limits), *name_findings(check), *figure_findings(check, limits)]
    return found + judged([*size_findings(check), *of_the_columns], deviations_of_data(root, plan.study))


def _people(root: Path, table: PlainTable, plan: IndividualPlan, status: str) -> tuple[pd.DataFrame, list[Problem]]:
    """The rows as people; identifiers become keyed pseudonyms, and rows without them are numbered."""
    assert plan.data is not None
    frame, name = table.frame.drop(columns="row"), plan.data.person
    problems: list[Problem] = []
    if name:
        pseudonyms = load_pseudonyms(root, status=status)
        problems += pseudonyms.problems
        people = [pseudonyms.of(plan.study, each) for each in frame[name]]
    else:
        people = [f"row {number}" for number in table.frame["row"]]
    found = frame[[each for each in frame if each != name]].assign(person=people)
    if plan.arms:
        codes = {arm.id: arm.code for arm in plan.arms}
        found = found.assign(treatment=frame[ARM].map(codes).astype("float64"))
    return found.copy(), problems


def read_plain_table(root: Path, plan: IndividualPlan, *, ledger: Ledger | None = None) -> PlainTable:
    """What does the trial's table say, with the corrections of a ledger? Never raises for what is wrong with the file:
    problems are collected in the result, those of corrections in the ledger.
    """
    assert plan.data is not None
    path, file = root / plan.data.file, plan.data.file
    specs = table_fields(plan)
    allowed = [value for column in plan.columns.values() for value in (*column.words, *column.missing)]
    headings = [plan.data.heading(name) for name in plan.columns]
    result = PlainTable(
        file=file,
        path=path,
        frame=empty_frame(specs, []),
        fields={each.name: each for each in specs},
        vocabulary=words_of(
            *allowed, *headings, *(str(arm.value) for arm in plan.arms), *(arm.id for arm in plan.arms)
        ),
    )
    if not path.is_file():
        result.problems.append(TABLE_MISSING.problem(file=file))
        return result
    try:
        figures = [plan.data.heading(name) for name, column in plan.columns.items() if column.kind == "number"]
        grid = table_grid(path, [*headings, RELEASE], numbers=figures)
        raw = path.read_bytes()
        result.sha256, result.size = hashlib.sha256(raw).hexdigest(), len(raw)
        ragged = _ragged(path) if path.suffix.casefold() == ".csv" else []
    except Refused as refused:
        result.problems.append(TABLE_UNREADABLE.refused(file=file, refused=refused))
        return result
    except OSError as error:
        result.problems.append(TABLE_UNREADABLE.problem(file=file, value=type(error).__name__))
        return result
    if not grid.rows:
        result.problems.append(TABLE_UNREADABLE.problem(file=file, value="an empty table"))
        return result
    for number, fields in ragged:
        result.problems.append(RAGGED.problem(file=file, cell=f"row {number}", value=f"{fields} fields"))
    result.sheet = grid.sheet
    _find_columns(result, grid, plan)
    if any(problem.severity == "error" for problem in result.problems):
        result.columns = {}
        return result
    spellings = spellings_of_table(root, plan)
    _fill(result, grid, plan, spellings)
    if ledger is not None:
        person = plan.data.person
        result.applied = apply_to_table(ledger, result, study=plan.study, spellings=spellings, person=person)
    if plan.arms:  # only now: a correction writes an arm as the table does
        by_value = {str(arm.value): arm.id for arm in plan.arms}
        result.frame[ARM] = result.frame[ARM].map(by_value).astype("str")
    return result


def table_fields(plan: IndividualPlan) -> tuple[Field, ...]:
    """The columns of the dictionary as intake knows fields, in its order."""
    return tuple(_field(column, plan) for column in plan.columns.values())


def _field(column: TableColumn, plan: IndividualPlan) -> Field:
    """A line of the dictionary as intake knows fields."""
    assert plan.data is not None
    drawn = {ARM, plan.data.person, plan.design.cluster, *plan.strata}
    allowed = column.allowed or column.zero_one[::-1]  # as in data/dictionary.csv, that for one first
    if column.column == ARM:
        allowed = tuple(str(arm.value) for arm in plan.arms)
    return Field(
        file="table",
        waves=(),
        name=column.column,
        label=plan.data.heading(column.column),
        kind=_READ_AS.get(column.kind, "category" if allowed else "identifier"),
        unit=column.unit,
        period="",
        minimum=column.minimum,
        maximum=column.maximum,
        allowed=allowed,
        required=column.column in drawn,
        in_template=False,
        clause="",
        meaning=column.meaning,
    )


def table_grid(path: Path, wanted: list[str], *, numbers: Collection[str] = ()) -> Grid:
    """The cells of the table by the ending of its file, headings in row 1 (row 0 of an SPSS file, whose cases count
    from 1).

    `numbers` are the headings of columns that hold numbers: an SPSS file may have labels for those, as for the answers
    of a scale, which are then left aside.
    """
    suffix = path.suffix.casefold()
    if suffix == ".xlsx":
        return read_xlsx(path, holds_table=headed_by(set(wanted) - {RELEASE}))
    if suffix == ".ods":
        return read_ods(path, holds_table=headed_by(set(wanted) - {RELEASE}))
    if suffix == ".csv":
        return read_csv_grid(path)
    if suffix == ".sav":
        export = read_sav_export(path, wanted=wanted, unlabelled=numbers)
        rows: dict[int, dict[int, Any]] = {0: dict(enumerate(export.heads, start=1))}
        for number, cells in export.body:
            rows[number] = {place: cell for place, cell in enumerate(cells, start=1) if cell.strip()}
        return Grid(sheet="", rows=rows, typed=False, encoding=export.encoding)
    raise Refused("A table must be a .csv, .xlsx, .ods or .sav file.", "Save it as CSV in UTF-8.", suffix)


def _ragged(path: Path) -> list[tuple[int, int]]:
    """Rows of a CSV with another number of fields than its first: number and fields."""
    text = read_text(path).text
    rows = split_rows(text, likely_delimiter(text))
    return [
        (number, len(row))
        for number, row in enumerate(rows[1:], start=2)
        if any(map(str.strip, row)) and len(row) != len(rows[0])
    ]


def _find_columns(result: PlainTable, grid: Grid, plan: IndividualPlan) -> None:
    """Where each column of the dictionary stands; says which are missing, doubled or not described."""
    assert plan.data is not None
    head = min(grid.rows)
    heads = {column: tidy(str(value)) for column, value in grid.rows[head].items()}
    wanted = {tidy(plan.data.heading(name)): name for name in plan.columns}
    places: dict[str, list[int]] = {}
    for column, text in heads.items():
        places.setdefault(text, []).append(column)
    lacking = [name for text, name in wanted.items() if len(places.get(text, [])) != 1]
    for name in lacking:
        there = len(places.get(tidy(plan.data.heading(name)), []))
        said = (
            f"the heading “{plan.data.heading(name)}” {there or 'no'} times"
            if there
            else f"no heading “{plan.data.heading(name)}”"
        )
        result.problems.append(
            COLUMN_MISSING.problem(file=result.file, sheet=result.sheet, cell=f"column {name}", value=said)
        )
    for text, columns in places.items():
        if text in wanted or same(text) == RELEASE:
            continue
        rule = PERSONAL_COLUMN if is_personal(text) else UNKNOWN_COLUMN
        for column in columns:
            found = shown(text, vocabulary=result.vocabulary)
            result.undescribed.append(text)
            result.problems.append(
                rule.problem(file=result.file, sheet=result.sheet, cell=f"column {column_letter(column)}", value=found)
            )
    result.columns = {name: places[text][0] for text, name in wanted.items() if text in places}


def _fill(result: PlainTable, grid: Grid, plan: IndividualPlan, spellings: Spellings) -> None:
    """Reads every column of the dictionary; rows without any value are no people."""
    assert plan.data is not None
    head = min(grid.rows)
    used = set(result.columns.values())
    kept = [number for number in sorted(grid.rows) if number > head and used & grid.rows[number].keys()]
    specs = tuple(result.fields.values())
    result.frame = empty_frame(specs, kept)
    if not kept:
        result.problems.append(NO_PEOPLE.problem(file=result.file, sheet=grid.sheet))
    raws = {
        name: [_known(grid.rows[number].get(column), plan.columns[name].missing) for number in kept]
        for name, column in result.columns.items()
    }
    comma = not grid.typed and comma_in_numbers((spec, raws[spec.name]) for spec in specs)
    manner = Manner(typed=grid.typed, decimal_comma=comma, from_1904=grid.from_1904)
    for spec in specs:
        column = result.columns[spec.name]
        refused = refused_cells(grid, spec, kept, column, id_column=result.columns.get(plan.data.person, 0))
        result.seen[spec.name] = {position: seen for position, (_, seen) in refused.items()}
        result.fill(
            spec=spec,
            raw=raws[spec.name],
            spellings=spellings,
            manner=manner,
            refused={position: code for position, (code, _) in refused.items()},
        )
    result.problems += comment_problems(result, grid, first_row=head + 1)
    below = [number for number in grid.rows if number > head and number not in kept]
    result.problems += remark_problems(result, grid, rows=kept, below=below, headed=grid.rows[head].keys())
    say_what_else_is_there(result, grid, head=head, first_data_row=head + 1, columns=used)
    marks = {same(str(grid.rows[number].get(place, ""))) for place in _release(grid, head) for number in kept}
    result.synthetic, result.unmarked = SYNTHETIC in marks, not marks or bool(marks - {SYNTHETIC})


def _release(grid: Grid, head: int) -> list[int]:
    return [column for column, text in grid.rows[head].items() if same(str(text)) == RELEASE]


def _known(value: Any, codes: tuple[str, ...]) -> Any:
    """A cell, or None where it holds one of the codes for missing: numbers by their value, so that -9.0 is -9."""
    if value is None or not codes:
        return value
    text = tidy(value) if isinstance(value, str) else f"{value:.12g}" if type(value) in (int, float) else ""
    return (
        None if text in codes or (text and _as_number(text) in {_as_number(code) for code in codes} - {None}) else value
    )


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
