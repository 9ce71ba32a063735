"""Is a table one of people, a row each, and which of its columns names them?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from hhp_stats.errors import HhpError
from hhp_stats.intake.grid import Grid, column_letter
from hhp_stats.scaffold.column_kinds import FEW, Column, plain_name

_PERSON = re.compile(
    r"\b(\w*id|id\w*|subject|person|participant|patient|pupil|student|respondent|case|no|nr|num|number|key)\b"
)
_PERSON_ALONE = re.compile(
    r"\b(([up]|user|study|case|record)?id|subject|person|participant|patient|pupil|student|respondent)\b"
)  # of nothing but a person, so that a few values may stand twice
_MEASURED = re.compile(r"[+-]?\d*[.,]\d+")  # no identifier
GROUP = re.compile(
    r"cluster|team|school|site|class|centre|center|practice|ward|village|hospital|building", re.IGNORECASE
)
_NEARLY_ALL = 0.8  # different values in a column of people's numbers of which a few stand twice


class TableRefused(HhpError):
    """A file from which no trial can be set up: another format, or no table in it."""

    exit_status = 2


def refuse_title(path: Path, filled: Sequence[int]) -> None:
    """Refuses a sheet whose first row holds far fewer cells than one below: a title, and no headings."""
    if filled and 2 * filled[0] < max(filled):
        raise TableRefused(
            f"{path.name} has {filled[0]} filled cells in its first row and up to {max(filled)} below: headings must"
            " stand in the first row. Delete the rows above them."
        )


def refuse_unheaded(path: Path, grid: Grid, *, head: int) -> None:
    """Refuses a sheet with columns of values below no heading, as under one that was merged over several columns."""
    below = [number for number in grid.rows if number > head]
    counts = Counter(column for number in below for column in grid.rows[number] if column not in grid.rows[head])
    columns = sorted(column for column, cells in counts.items() if 2 * cells > len(below))
    if columns:
        raise TableRefused(
            f"{path.name} has values without a heading in column {', '.join(map(column_letter, columns))}: each column"
            " needs one of its own in the first row. Headings in two rows, or merged over several columns, must become"
            " one row."
        )


def refuse_two_tables(path: Path, grid: Grid) -> None:
    """Refuses a workbook of which another sheet that is shown holds a table with the same headings."""
    if twins := grid.other_tables.count("visible"):
        raise TableRefused(
            f"{path.name} has {twins} more {'sheet' if twins == 1 else 'sheets'} with the headings of the first: put"
            " all people on one sheet, with a column for what the sheets are, or delete the others."
        )


def words_of(heading: str) -> str:
    """A heading as single words: `patientID`, `Patient No` and `patient_no` are two."""
    return plain_name(re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])", "_", heading)).replace("_", " ")


def named_people(
    columns: Sequence[Column], values: Mapping[str, Sequence[str]], *, groups: Collection[str] = ()
) -> str:
    """The column that names everybody, "" for none: by its heading, and since each of its values stands once.

    Where there is none such, one that speaks of nothing but a person and in which a few values stand twice: whoever
    checks the table then says which.
    """
    able = [
        column
        for column in columns
        if _PERSON.search(words_of(column.heading))
        and column.name not in groups
        and not any(map(_MEASURED.fullmatch, values[column.name]))
        and column.kind != "date"
    ]
    share = {column.name: len(set(values[column.name])) / len(values[column.name]) for column in able}
    alone = [column.name for column in able if _of_people_alone(column)]
    whole = [name for name, each in share.items() if each == 1]
    return next(iter((*whole, *(name for name in alone if share[name] >= _NEARLY_ALL))), "")


def _of_people_alone(column: Column) -> bool:
    return bool(_PERSON_ALONE.search(words_of(column.heading))) and not GROUP.search(column.heading)


def refuse_rows_of_waves(
    path: Path,
    columns: Sequence[Column],
    values: Mapping[str, Sequence[str]],
    *,
    arm: str,
    person: str,
    groups: Collection[str] = (),
) -> None:
    """Refuses (TableRefused) a table in which people have several rows, a wave each.

    It is one where a column that speaks of a person has values in several rows, each in one arm alone, and another
    column tells the rows of each apart.
    """
    rows = len(values[arm])
    for named in columns:
        own = values[named.name]
        if person or named.name in groups or not _of_people_alone(named) or len(set(own)) > rows / 2:
            continue
        if len(set(own)) != len(set(zip(own, values[arm], strict=True))):
            continue
        for wave in columns:
            there = values[wave.name]
            if wave.name in (named.name, arm) or not (wave.kind == "date" or 2 <= len(set(there)) <= FEW):
                continue
            if len(set(zip(own, there, strict=True))) == rows:
                raise TableRefused(
                    f"{path.name} has {rows} rows of {len(set(own))} people: {named.heading} stands in several, told"
                    f" apart by {wave.heading}. A table has one row a person: give the values of each {wave.heading} a"
                    " column of their own, as in score_baseline and score_6; or if the numbers begin again with each"
                    f" {wave.heading}, give everybody a number of their own."
                )
