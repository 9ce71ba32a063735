"""A file of printed figures as its owner has it: read, or refused with every line that is wrong."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.consistency.comparisons import find_comparisons
from hhp_stats.consistency.figures import COLUMNS, figures
from hhp_stats.consistency.typography import plain
from hhp_stats.errors import DataError, Problem

STATISTICS = (
    "n",
    "n_planned",
    "count",
    "mean",
    "se",
    "sd",
    "p",
    "stated_direction",
    "stated_significant",
    "percent",
    "response_rate",
    "response_rate_planned",
    "mdes",
    "mdes_planned",
    "mdes_benchmark",
    "min",
    "max",
    "step",
    "difference",
    "conf_low",
    "conf_high",
    "cost_gbp",
    "design",
)


_FILLED = ("id", "trial", "outcome", "group", "statistic", "value", "as_printed")


_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")


def read_figures(file: Path) -> pd.DataFrame:
    """Read a file of printed figures, every row checked; refuses as `run_audit` does, all problems at once."""
    name = file.as_posix()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise DataError([no_file(name)]) from None
    except UnicodeDecodeError as error:
        raise DataError([not_text(name, error)]) from None
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    if not rows or not any(rows[0]):
        raise DataError([_nothing(name)])
    heading, body = [column.strip() for column in rows[0]], rows[1:]
    problems = list(_heading_problems(name, heading))
    if problems:
        raise DataError(problems)
    records: list[dict[str, str]] = []
    for number, row in enumerate(body, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(heading):
            problems.append(
                _problem(
                    name,
                    "B06",
                    f"A row must have {len(heading)} cells like the heading, this has {len(row)}.",
                    "Put cells that hold commas in double quotes.",
                    cell=f"row {number}",
                )
            )
            continue
        record = {column: cell.strip() for column, cell in zip(heading, row, strict=True)}
        record["value"] = plain(record["value"])  # a minus as typesetters write it is a minus
        problems += _row_problems(name, number, record)
        records.append(record | {"row": str(number)})
    problems += _doubled(name, records)
    if not records and not problems:
        problems.append(_nothing(name))
    if problems:
        raise DataError(problems)
    return pd.DataFrame(records)


def _nothing(name: str) -> Problem:
    return _problem(
        name, "B03", "The file must hold a heading and at least one figure.", "Give a heading and one row a figure."
    )


def _delimiter(text: str) -> str:
    """What parts the cells: a comma, or what spreadsheets in other languages write when the heading shows it."""
    heading = text.lstrip().partition("\n")[0]
    return next(
        (mark for mark in (",", ";", "\t") if f"{COLUMNS[0]}{mark}" in heading or f"{mark}{COLUMNS[0]}" in heading), ","
    )


def _heading_problems(name: str, heading: Sequence[str]) -> Iterator[Problem]:
    for column in COLUMNS:
        if column not in heading:
            near = [other for other in heading if other.lower().replace(" ", "_") == column]
            yield _problem(
                name,
                "B04",
                f"The heading must have a column {column!r}.",
                f"Rename {near[0]!r}." if near else "Add it; cells may be empty where nothing is known.",
                cell="row 1",
            )
    for column in sorted(column for column, times in Counter(heading).items() if times > 1 and column):
        yield _problem(name, "B05", f"Column {column!r} must stand once.", "Remove or rename the other.", cell="row 1")


def _row_problems(name: str, number: int, row: dict[str, str]) -> Iterator[Problem]:
    def found(column: str, code: str, rule: str, remedy: str) -> Problem:
        return _problem(name, code, rule, remedy, cell=f"row {number}, column {column}", value=row[column])

    for column in _FILLED:
        if not row[column]:
            yield found(column, "B07", f"{column} must not be empty.", "Fill it in, or leave the row out.")
    if not row["value"] or not row["statistic"]:
        return
    try:
        value, remedy = float(row["value"]), "Leave the row out where nothing is printed."
    except ValueError:
        value, remedy = math.nan, "Write 1969, not 1,969 or 29%; what was printed goes into as_printed."
    rule = _RULES.get(row["statistic"])
    if not math.isfinite(value):
        yield found("value", "B08", "A value must be a plain, finite number.", remedy)
    elif rule and not rule[0](value):
        yield found("value", "B09", f"{row['statistic']}: {rule[1]}", rule[2])


_RULES: dict[str, tuple[Any, str, str]] = {
    "p": (
        lambda v: 0 <= v <= 1,
        "a p-value lies between 0 and 1.",
        "Correct it; for p < .01 write 0.01 and <.01 in as_printed.",
    ),
    "n": (lambda v: v > 0 and v == int(v), "a number of people is a whole number above 0.", "Correct it."),
    "count": (lambda v: v >= 0, "a count is not negative.", "Correct it."),
    "step": (lambda v: v > 0, "the step of a scale is above 0.", "Correct it, or leave the row out."),
    "se": (lambda v: v > 0, "a standard error is above 0.", "Correct it; if it is printed as 0, leave the row out."),
    "sd": (
        lambda v: v > 0,
        "a standard deviation is above 0.",
        "Correct it; if it is printed as 0, leave the row out.",
    ),
    "stated_direction": (
        lambda v: v in (-1, 0, 1),
        "a direction in words is 1 (higher), -1 (lower) or 0 (the same).",
        "Write the sign of the first arm minus the second.",
    ),
    "stated_significant": (
        lambda v: v in (0, 1),
        "a claim of significance is 1 (claimed) or 0 (denied).",
        "Write 1 or 0.",
    ),
}


def _doubled(name: str, records: Sequence[dict[str, str]]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for row in records:
        if row["id"] and row["id"] in first:
            yield _problem(
                name,
                "B10",
                f"An id must stand once; this one is also in row {first[row['id']]}.",
                "Give each printed figure an id of its own.",
                cell=f"row {row['row']}, column id",
                value=row["id"],
            )
        first.setdefault(row["id"], row["row"])


def remarks_on(frame: pd.DataFrame, name: str) -> Iterator[Problem]:
    """Rows that are sound and will still not be checked as their author may expect."""
    compared = {comparison.p_id for comparison in find_comparisons(figures(frame))}
    for row in frame.to_dict("records"):
        line = f"row {row['row']}"
        if row["statistic"] not in STATISTICS:
            yield _problem(
                name,
                "B11",
                "No check knows this statistic.",
                f"Known are {', '.join(STATISTICS)}.",
                cell=f"{line}, column statistic",
                value=row["statistic"],
                severity="warning",
            )
        if row["statistic"] == "p" and row["id"] not in compared:
            yield _problem(
                name,
                "B12",
                "This p-value has no two arms to be recomputed from.",
                "Give both arms mean, se (or sd) and n of the same trial and outcome with ids PREFIX-M, PREFIX-SE (or"
                " PREFIX-SD) and PREFIX-N, and the p the group difference (treatment minus control) or"
                " difference_a_vs_b.",
                cell=line,
                value=row["id"],
                severity="warning",
            )
        numbers = [float(token.replace(",", "")) for token in _DIGITS.findall(plain(row["as_printed"]))]
        if (
            numbers
            and row["statistic"] not in ("stated_direction", "stated_significant")
            and not any(math.isclose(abs(float(row["value"])), number) for number in numbers)
        ):
            yield _problem(
                name,
                "B13",
                f"The value {row['value']} is not among the digits printed.",
                "Check the transcript: the rounding of the figure is read off as_printed.",
                cell=f"{line}, column as_printed",
                value=row["as_printed"],
                severity="warning",
            )


def no_file(name: str) -> Problem:
    """What is audited is not there."""
    return _problem(name, "B01", "There must be a file of this name.", "Check the path.")


def not_text(name: str, error: UnicodeDecodeError) -> Problem:
    """What is audited is in another code."""
    return _problem(name, "B02", f"The file must be text in UTF-8; byte {error.start} is not.", "Save it as UTF-8.")


def _problem(
    file: str, code: str, rule: str, remedy: str, *, cell: str = "", value: str = "", severity: Any = "error"
) -> Problem:
    return Problem(code=code, severity=severity, file=file, rule=rule, remedy=remedy, cell=cell, value=value)
