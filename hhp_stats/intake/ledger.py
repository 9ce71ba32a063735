"""The ledger of corrections as a list of lines: read, and held to its own form."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

from hhp_stats.errors import Problem
from hhp_stats.files.spreadsheet import from_csv
from hhp_stats.intake.container import Refused
from hhp_stats.intake.dictionary import WAVES, Study
from hhp_stats.intake.free_text import free_text, unfit
from hhp_stats.intake.masking import shown
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_ledger import (
    ADDRESS,
    BAD_DAY,
    BAD_ID,
    BAD_LEDGER,
    BAD_PLACE,
    BAD_STEP,
    NO_REASON,
    OUT_OF_ORDER,
    UNENDED,
    UNFIT_CHARACTER,
)
from hhp_stats.intake.spellings import tidy
from hhp_stats.intake.text_file import read_text, split_rows

LEDGER = "data/corrections.csv"
ROW_OF_TABLE = re.compile(r"(?:row|case) (?P<row>\d{1,9})")
_ON_TABLE = re.compile(r"^\[data\]", re.MULTILINE)
_STEP = re.compile(r"(C\d+)\.([1-9]\d*)/([1-9]\d*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One line of the ledger, its fields in the order of the columns."""

    id: str
    received_on: str
    study: str
    wave: str
    authority: str
    staff_id: str
    field: str
    old_value: str
    new_value: str
    reason: str
    requested_by: str


LEDGER_COLUMNS = tuple(each.name for each in fields(Correction))
FREE_TEXT = ("reason", "requested_by")  # everything else is a key, a value or a date


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The ledger as read: (line number, correction) in order, and what is wrong with it."""

    lines: list[tuple[int, Correction]]
    problems: list[Problem]
    sha256: str = ""
    size: int = 0


def read_ledger(root: Path, *, study: Study | None = None, studies: Iterable[str] = ()) -> Ledger:
    """What does `data/corrections.csv` say? A missing file is an empty ledger; schema breaches are collected.

    `study` is the one on returns that reads it, None where another does; `studies` the keys of all there are.
    """
    path = root / LEDGER
    ledger = Ledger(lines=[], problems=[])
    if not path.exists():
        return ledger
    try:
        text = read_text(path).text
        rows = split_rows(text, ",")
    except (Refused, OSError) as refused:
        found = refused.found if isinstance(refused, Refused) else type(refused).__name__
        ledger.problems.append(BAD_LEDGER.problem(file=LEDGER, value=found))
        return ledger
    raw_bytes = path.read_bytes()
    ledger.sha256, ledger.size = hashlib.sha256(raw_bytes).hexdigest(), len(raw_bytes)
    if not rows or tuple(map(tidy, rows[0])) != LEDGER_COLUMNS:
        ledger.problems.append(BAD_LEDGER.problem(file=LEDGER, cell="row 1"))
        return ledger
    for number, row in enumerate(rows[1:], start=2):
        if not any(map(str.strip, row)):
            continue
        if len(row) != len(LEDGER_COLUMNS):
            ledger.problems.append(BAD_LEDGER.problem(file=LEDGER, cell=f"row {number}", value=f"{len(row)} fields"))
            continue
        ledger.lines.append((number, _correction(row)))
    if len(rows) > 1 and not text.endswith(("\n", "\r")):
        ledger.problems.append(UNENDED.problem(file=LEDGER, cell=f"row {len(rows)}", value="no line break at the end"))
    known = frozenset(studies) | ({study.name} if study else set())
    ledger.problems += check_schema(ledger.lines, study=study, studies=known, tables=studies_on_tables(root, known))
    return ledger


def studies_on_tables(root: Path, studies: Iterable[str]) -> frozenset[str]:
    """The studies whose data are one plain table: their plan has the table `[data]`."""
    found = set()
    for study in studies:
        path = root / f"data/plan/{study}.toml"
        if path.is_file() and _ON_TABLE.search(path.read_text(encoding="utf-8", errors="replace")):
            found.add(study)
    return frozenset(found)


def _correction(row: list[str]) -> Correction:
    found = {
        name: (free_text if name in FREE_TEXT else tidy)(from_csv(text))
        for name, text in zip(LEDGER_COLUMNS, row, strict=True)
    }
    return Correction(**found)


def _misplaced(line: Correction, study: Study | None, studies: frozenset[str], tables: frozenset[str]) -> bool:
    """Whether study, wave and authority of a line do not go together; the authority is checked by its own study."""
    if line.study not in studies:
        return True
    if line.study in tables:
        return bool(line.wave or line.authority)
    here = study is not None and line.study == study.name
    return line.wave not in WAVES or (here and study is not None and study.site(line.authority) is None)


def check_schema(
    lines: list[tuple[int, Correction]],
    *,
    study: Study | None,
    studies: frozenset[str],
    tables: frozenset[str] = frozenset(),
) -> list[Problem]:
    """What is wrong with the lines themselves, whatever the returns say?"""
    problems = []
    seen: set[str] = set()
    latest = date.min
    for number, line in lines:

        def say(rule: Rule, value: str, number: int = number) -> None:
            problems.append(rule.problem(file=LEDGER, cell=f"row {number}", value=value))

        if not line.id or line.id in seen:
            say(BAD_ID, f"the id {shown(line.id)} again" if line.id else "no id")
        seen.add(line.id)
        day = _iso(line.received_on)
        if day is None:
            say(BAD_DAY, shown(line.received_on or None))
        elif day < latest:
            say(OUT_OF_ORDER, f"{day} after {latest}")
        latest = max(latest, day or latest)
        if _misplaced(line, study, studies, tables):
            say(BAD_PLACE, f"study {shown(line.study)}, wave {shown(line.wave)}")
        if not line.reason or not line.requested_by:
            say(NO_REASON, "an empty field")
        if "@" in line.reason + line.requested_by:
            say(ADDRESS, "the sign “@”")
        if found := unfit(line.reason + line.requested_by):
            say(UNFIT_CHARACTER, ", ".join(found))
    torn = [step[0] for step in steps(lines) if not _whole(step)]
    problems += [BAD_STEP.problem(file=LEDGER, cell=f"row {row}", value=f"the id {line.id}") for row, line in torn]
    return problems


def steps(lines: Iterable[tuple[int, Correction]]) -> Iterator[list[tuple[int, Correction]]]:
    """The lines of the ledger by step: those that are applied together, most often one alone."""
    open_step: list[tuple[int, Correction]] = []
    for number, line in lines:
        if open_step and _step_of(number, line) != _step_of(*open_step[0]):
            yield open_step
            open_step = []
        open_step.append((number, line))
    if open_step:
        yield open_step


def _step_of(number: int, line: Correction) -> str:
    found = _STEP.fullmatch(line.id)
    return found[1] if found else f"row {number}"


def _whole(step: list[tuple[int, Correction]]) -> bool:
    found = [_STEP.fullmatch(line.id) for _, line in step]
    if found[0] is None:
        return True
    numbers = [(int(each[2]), int(each[3])) for each in found if each]
    whose = {(line.study, line.wave, line.authority, line.staff_id) for _, line in step}
    return numbers == [(place, len(step)) for place in range(1, len(step) + 1)] and len(whose) == 1


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
