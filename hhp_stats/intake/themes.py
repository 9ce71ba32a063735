"""Coded themes of interviews and focus groups: `data/qualitative/<study>.csv`, read strictly.

The themes are our summaries of what the published documents report, each with its place. They are no raw data and not
synthetic; `release` says "documents". Real coded themes of a new evaluation would say "real".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.container import Refused
from hhp_stats.intake.text_file import read_text, split_rows
from hhp_stats.plan.conflicts import PLACE, load_sources

COLUMNS = ("theme", "question", "topic", "finding", "voices", "people", "stated", "leaning", "sources", "release")
LEANINGS = ("benefit", "problem", "condition", "context")
RELEASES = ("documents", "real")
_THEME = re.compile(r"[A-Z]\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Themes:
    """`frame` has the columns `COLUMNS`, `people` a number or missing; `inputs` says what was read."""

    frame: pd.DataFrame
    inputs: pd.DataFrame


def themes_of(study: str) -> str:
    """Where the coded themes of a study lie."""
    return f"data/qualitative/{study}.csv"


def load_themes(root: Path, study: str) -> Themes:
    """Which themes were coded, from whom, and where do the documents say so?

    Raises DataError, with every problem, for a missing file, other columns, empty or doubled themes, a number of
    people that is none, a leaning or release that does not exist, and places outside the documents.
    """
    file = themes_of(study)
    path = root / file
    if not path.is_file():
        raise DataError([_problem(file, "", "The table of themes must be there.", "Put it in its place.")])
    raw = path.read_bytes()
    try:
        rows = split_rows(read_text(path).text, ",")
    except Refused as refused:
        raise DataError([_problem(file, "", refused.rule, refused.remedy, refused.found)]) from None
    if not rows or tuple(rows[0]) != COLUMNS:
        raise DataError(
            [_problem(file, "row 1", f"The columns must be {', '.join(COLUMNS)}.", "Restore the first line.")]
        )
    lengths = {document.code: document.lines for document in load_sources(root)}
    seen: set[str] = set()
    problems: list[Problem] = []
    for number, row in enumerate(rows[1:], start=2):
        problems += _row_problems(file, number, row, lengths, seen)
    if problems:
        raise DataError(problems)
    frame = pd.DataFrame(rows[1:], columns=list(COLUMNS))
    frame["people"] = pd.to_numeric(frame["people"].replace("", None)).astype("Int64")
    inputs = pd.DataFrame(
        [(file, hashlib.sha256(raw).hexdigest(), len(raw), len(frame))], columns=["path", "sha256", "bytes", "rows"]
    )
    return Themes(frame=frame, inputs=inputs)


def _problem(file: str, cell: str, rule: str, remedy: str, value: str = "") -> Problem:
    return Problem(code="K21", severity="error", file=file, cell=cell, rule=rule, remedy=remedy, value=value)


def _row_problems(file: str, number: int, row: list[str], lengths: dict[str, int], seen: set[str]) -> Iterator[Problem]:
    place = f"row {number}"
    if len(row) != len(COLUMNS):
        yield _problem(
            file, place, "Every line must have as many fields as the first.", "Complete the line.", f"{len(row)} fields"
        )
        return
    entry = dict(zip(COLUMNS, row, strict=True))
    if not _THEME.fullmatch(entry["theme"]) or entry["theme"] in seen:
        yield _problem(file, place, "A theme has an id of its own, such as D07.", "Give it one.", entry["theme"])
    seen.add(entry["theme"])
    for name in ("question", "topic", "finding", "voices"):
        if not entry[name].strip():
            yield _problem(file, f"{place}, {name}", "A theme says what was found and who said it.", "Fill the field.")
    if entry["people"] and not (entry["people"].isdigit() and int(entry["people"]) > 0):
        yield _problem(
            file,
            f"{place}, people",
            "The number of people is a whole number, or empty where none is printed.",
            "Correct it.",
            entry["people"],
        )
    for name, known in (("leaning", LEANINGS), ("release", RELEASES)):
        if entry[name] not in known:
            yield _problem(
                file, f"{place}, {name}", f"This must be one of {', '.join(known)}.", "Correct it.", entry[name]
            )
    places = entry["sources"].split()
    wrong = [code for code in places if not (m := PLACE.fullmatch(code)) or int(m[2]) > lengths.get(m[1], 0)]
    if wrong or not places:
        yield _problem(
            file,
            f"{place}, sources",
            "Sources are places in the documents, such as 001:912.",
            "Correct them.",
            " ".join(wrong),
        )
