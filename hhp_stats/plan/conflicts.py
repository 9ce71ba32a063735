"""What the source documents contradict, and where they say that a plan was left.

`data/plan/conflicts.toml` holds every contradiction with the reading chosen, `departures.toml` every
departure from a plan that the documents reveal, `sources.toml` the documents themselves. Departures of
this report from the plan are another matter: `plan.conduct`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hhp_stats.errors import PlanError
from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.plan.catalogue import check_study, study_names
from hhp_stats.plan.citations import known_clauses
from hhp_stats.plan.programme import programme_plan
from hhp_stats.plan.records import read_records

CONFLICTS = "data/plan/conflicts.toml"
DEPARTURES = "data/plan/departures.toml"
SOURCES = "data/plan/sources.toml"

Grade = Literal["high", "medium", "low"]
PLACE = re.compile(r"(\d{3}):([1-9]\d*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDocument:
    """One of the documents that the plan and the published figures come from."""

    code: str  # "000"; the part before the colon in 000:337
    kind: str
    title: str  # "" where the text has none
    publisher: str
    date: str  # as printed, "" where none is
    date_note: str
    covers: str
    cite: str  # key in report/references.bib
    lines: int  # length of the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A place where the documents contradict themselves or each other, and the reading chosen.

    `grade`: high changes a result or a required analysis, medium a fact of the design or a label,
    low is wording or bookkeeping.
    """

    id: str
    study: str  # a study, or a subject of data/plan/programme.toml
    grade: Grade
    topic: str
    finding: str  # what contradicts what
    consequence: str  # why it matters, "" where it hardly does
    reading: str
    sensitivity: str  # what is run beside the reading, "" for nothing
    clauses: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Something done otherwise than planned, as far as the documents show it.

    `status`: stated means that the authors call it a departure from plan or expectation, shown that
    it follows from two printed facts.
    """

    id: str
    study: str  # a study, or a subject of data/plan/programme.toml
    planned: str
    done: str
    status: Literal["stated", "shown"]
    consequence: str  # what it means for the reading of the result
    conflicts: tuple[str, ...]
    sources: tuple[str, ...]


@kept_reading
def load_sources(root: Path) -> tuple[SourceDocument, ...]:
    """Which documents do the codes name? Refuses unknown or missing keys, doubled codes, a length below one."""
    found = read_records(
        root, file=SOURCES, key="source", kind=SourceDocument, may_be_empty=frozenset({"title", "date", "date_note"})
    )
    for document in found:
        if not re.fullmatch(r"\d{3}", document.code):
            raise PlanError(SOURCES, f"source {document.code}", "has a code of another form.", "Use three digits.")
        if document.lines < 1:
            raise PlanError(SOURCES, f"source {document.code}", f"has {document.lines} lines.", "Count them.")
    return found


@kept_reading
def load_conflicts(root: Path) -> tuple[Conflict, ...]:
    """Where do the documents contradict themselves, and which reading was chosen?

    Refuses (PlanError) what `read_records` refuses, ids that are not C and a number, clauses that are
    not in `data/published/protocol_clauses.csv`, and sources that are no document and line of
    `data/plan/sources.toml`.
    """
    found = read_records(
        root, file=CONFLICTS, key="conflict", kind=Conflict, may_be_empty=frozenset({"consequence", "sensitivity"})
    )
    clauses, lengths, about = known_clauses(root), _lengths(root), _subjects(root)
    for conflict in found:
        place = f"conflict {conflict.id}"
        check_study(CONFLICTS, place, conflict.study, about)
        _check_id(CONFLICTS, place, conflict.id, "C")
        _check_sources(CONFLICTS, place, conflict.sources, lengths)
        _check_known(CONFLICTS, place, "clause", conflict.clauses, clauses, "data/published/protocol_clauses.csv")
    return found


def load_departures(root: Path) -> tuple[Departure, ...]:
    """Which departures from a plan do the documents reveal?

    Refuses (PlanError) what `read_records` refuses, ids that are not D and a number, conflicts that are
    not in `data/plan/conflicts.toml`, and sources that are no document and line.
    """
    found = read_records(
        root, file=DEPARTURES, key="departure", kind=Departure, may_be_empty=frozenset({"consequence"})
    )
    conflicts, lengths = {conflict.id for conflict in load_conflicts(root)}, _lengths(root)
    about = _subjects(root)
    for departure in found:
        place = f"departure {departure.id}"
        check_study(DEPARTURES, place, departure.study, about)
        _check_id(DEPARTURES, place, departure.id, "D")
        _check_sources(DEPARTURES, place, departure.sources, lengths)
        _check_known(DEPARTURES, place, "conflict", departure.conflicts, conflicts, CONFLICTS)
    return found


def _subjects(root: Path) -> tuple[str, ...]:
    """What an entry may be about: the studies, and the subjects of the programme."""
    return (*study_names(root), *programme_plan(root).subject_names())


def _lengths(root: Path) -> dict[str, int]:
    return {document.code: document.lines for document in load_sources(root)}


def _check_id(file: str, place: str, given: str, letter: str) -> None:
    if not re.fullmatch(letter + r"\d{2,}", given):
        raise PlanError(file, place, "has an id of another form.", f"Use {letter} and a number, as in {letter}01.")


def _check_known(file: str, place: str, what: str, given: Iterable[str], known: Iterable[str], where: str) -> None:
    for name in sorted(set(given).difference(known)):
        raise PlanError(file, place, f"names {what} {name!r}, which does not exist.", f"Use an id of {where}.")


def check_sources(root: Path, file: str, place: str, given: tuple[str, ...]) -> None:
    """Refuses (PlanError) an entry of `file` whose sources are none, or no document and line of the list of sources."""
    _check_sources(file, place, given, _lengths(root))


def _check_sources(file: str, place: str, given: tuple[str, ...], lengths: dict[str, int]) -> None:
    if not given:
        raise PlanError(file, place, "names no source.", "Give document and line, as in 000:337.")
    for code in given:
        match = PLACE.fullmatch(code)
        if match is None or match[1] not in lengths:
            raise PlanError(file, place, f"has the source {code!r}.", "Give document and line, as in 000:337.")
        if int(match[2]) > lengths[match[1]]:
            raise PlanError(
                file,
                place,
                f"has the source {code!r}, but that text has {lengths[match[1]]} lines.",
                "Correct the line.",
            )
