"""The dictionary of a trial's plain table: which columns it has, what they mean, and which values they may take."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from hhp_stats.errors import PlanError
from hhp_stats.plan.nearest import meant
from hhp_stats.plan.table_schema import ColumnKind, TableColumn

HEADINGS = ("column", "meaning", "kind", "unit", "minimum", "maximum", "allowed", "missing")
KINDS: tuple[str, ...] = get_args(ColumnKind)
ZERO_ONE = "0/1"
_NUMBERS = ("number", ZERO_ONE)
_BAR = re.compile(r"(?<!\\)\|")


def read_table_dictionary(root: Path, file: str) -> dict[str, TableColumn]:
    """The columns of the dictionary `file` below `root`, by name.

    Raises PlanError, naming file and line, for a dictionary that is missing or damaged, other headings, a column that
    stands twice or has no name or meaning, unknown kinds, limits of what is no number, and allowed values of what is
    neither a category nor words for numbers.
    """
    path = root / file
    if not path.is_file():
        raise PlanError(
            file,
            "the dictionary",
            "does not exist.",
            f"Write a CSV with the columns {', '.join(HEADINGS)}, a line for each column of the table.",
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            lines = list(csv.reader(source, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise PlanError(
            file, "the dictionary", f"cannot be read ({type(error).__name__}).", "Save it as CSV in UTF-8."
        ) from None
    heads = tuple(cell.strip() for cell in lines[0]) if lines else ()
    if heads != HEADINGS:
        raise PlanError(
            file, "line 1", f"has the headings {', '.join(heads) or 'none'}.", f"Write {','.join(HEADINGS)}."
        )
    found: dict[str, TableColumn] = {}
    for number, line in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in line):
            entry = _column(file, number, line)
            if entry.column in found:
                raise PlanError(file, f"line {number}", f"describes {entry.column!r} a second time.", "Keep one line.")
            found[entry.column] = entry
    if not found:
        raise PlanError(file, "the dictionary", "describes no column.", "Add a line for each column of the table.")
    return found


def words_of_codes(columns: Mapping[str, TableColumn]) -> dict[str, tuple[str, str]]:
    """Of every column of zeros and ones what stands for zero and for one: its own words, or no and yes."""
    return {name: column.no_yes for name, column in columns.items() if column.kind == ZERO_ONE}


def _column(file: str, number: int, line: list[str]) -> TableColumn:
    place = f"line {number}"
    if len(line) != len(HEADINGS):
        raise PlanError(file, place, f"has {len(line)} fields.", f"Write {len(HEADINGS)}: {','.join(HEADINGS)}.")
    cells = {name: cell.strip() for name, cell in zip(HEADINGS, line, strict=True)}
    name, kind = cells["column"], cells["kind"]
    place = f"{place} ({name})" if name else place
    if not name.isidentifier() or not name.isascii() or name != name.casefold():
        raise PlanError(
            file,
            place,
            f"has the column name {name!r}.",
            "Use small letters, digits and underscores; [data.columns] of the plan gives the heading in the file.",
        )
    if not cells["meaning"]:
        raise PlanError(
            file, place, "says nothing under meaning.", "Say in words what the column holds: reports print it."
        )
    if kind not in KINDS:
        raise PlanError(
            file, place, f"has an unknown kind {kind!r}.", f"{meant(kind, KINDS)}Known: {', '.join(KINDS)}."
        )
    limits = {side: _limit(file, place, side, cells[side], kind) for side in ("minimum", "maximum")}
    low, high = limits["minimum"], limits["maximum"]
    if low is not None and high is not None and low > high:
        raise PlanError(
            file, place, f"has the limits {low:g} and {high:g}.", "Write a minimum that is not above the maximum."
        )
    allowed, missing = _several(file, place, cells["allowed"]), _several(file, place, cells["missing"])
    if allowed and kind not in ("category", *_NUMBERS):
        raise PlanError(
            file,
            place,
            f"lists allowed values of a column of kind {kind}.",
            "Leave allowed empty, or make it kind category.",
        )
    if allowed and kind == ZERO_ONE and (len(allowed) != 2 or allowed[0].casefold() == allowed[1].casefold()):
        raise PlanError(
            file,
            place,
            f"lists the values {', '.join(allowed)} of a column of zeros and ones.",
            "Write two: what stands for zero, then what stands for one, as in poor|good; or leave allowed empty.",
        )
    both = set(allowed) & set(missing)
    if both:
        raise PlanError(
            file, place, f"has {sorted(both)[0]!r} as an allowed value and as a code for missing.", "Keep one."
        )
    return TableColumn(
        column=name,
        meaning=cells["meaning"],
        kind=kind,  # type: ignore[arg-type]
        unit=cells["unit"],
        minimum=low,
        maximum=high,
        allowed=allowed if kind == "category" else (),
        zero_one=allowed if kind == ZERO_ONE else (),
        scale=_scale(file, place, allowed) if kind == "number" else (),
        missing=missing,
    )


def _scale(file: str, place: str, allowed: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """Words that stand for numbers, written as `low=1`; none of them twice, whatever its capitals."""
    found: dict[str, tuple[str, float]] = {}
    for text in allowed:
        word, _, number = (part.strip() for part in text.rpartition("="))
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not word or not math.isfinite(value) or word.casefold() in found:
            raise PlanError(
                file,
                place,
                f"lists the value {text!r} of a column of numbers.",
                "Write what each word counts as, each word once, as in low=1|medium=2|high=3; or leave allowed empty:"
                " numbers have minimum and maximum.",
            )
        found[word.casefold()] = (word, value)
    return tuple(found.values())


def _limit(file: str, place: str, side: str, text: str, kind: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise PlanError(file, place, f"has the {side} {text!r}.", "Write a number, or leave it empty.")
    if kind not in _NUMBERS:
        raise PlanError(file, place, f"has a {side}, but is of kind {kind}.", "Leave it empty, or make it kind number.")
    return value


def _several(file: str, place: str, text: str) -> tuple[str, ...]:
    parts = tuple(part.strip().replace(r"\|", "|") for part in _BAR.split(text)) if text else ()
    if "" in parts or len(set(parts)) != len(parts):
        raise PlanError(
            file,
            place,
            f"has the list {text!r}.",
            r"Divide values by |, none empty and none twice; \| is a bar in one.",
        )
    return parts


def listed(values: Iterable[str]) -> str:
    """Values as the dictionary writes a list of them, with the bars that stand in one."""
    return "|".join(value.replace("|", r"\|") for value in values)
