"""What became of every clause of the protocol: `data/plan/clause_status.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hhp_stats.errors import PlanError
from hhp_stats.plan.citations import known_clauses
from hhp_stats.plan.conduct import load_deviations
from hhp_stats.plan.conflicts import load_conflicts, load_departures
from hhp_stats.plan.records import read_plan_file, read_records

CLAUSE_STATUS = "data/plan/clause_status.toml"
CLAUSES_IN = "report/A-deviations.qmd"  # the page that lists them all
CLAUSE_LETTER = "P"  # clauses of the goal-setting protocol; R stands for those of the second phase's report
LIST_KEYS = ("id", "column", "slug", "key")  # what names a table within a list of tables
TEST = re.compile(r"tests/[\w/]+\.py::test_\w+")
PROVED = frozenset({"done", "deviated", "conflict"})  # statuses under which the plan's entries need a test

Status = Literal["done", "deviated", "conflict", "not_done", "context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseStatus:
    """One clause of the protocol and what was made of it.

    `status`: done as planned; deviated, as its departures (of the trial) or deviations (of this report) say;
    conflict, resolved by a reading; not_done, because it cannot be done (the note says why); context, where no
    analysis follows.
    """

    id: str
    status: Status
    where: tuple[str, ...]  # places in the plan that hold it, see `plan_entry`
    section: str  # id of the section that reports it
    says: tuple[str, ...]  # words that the section holds, as its reader sees it
    commitment: str
    note: str
    conflicts: tuple[str, ...]
    departures: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()  # of this report, by their ids in `data/plan/deviations.toml`
    tests: tuple[str, ...] = ()  # what shows that it holds: file::function, as pytest names it


def protocol_study(root: Path) -> str:
    """The study whose protocol is followed clause by clause, or "" where there is no list of clauses."""
    return str(read_plan_file(root, CLAUSE_STATUS).get("study", "")) if (root / CLAUSE_STATUS).is_file() else ""


def load_clause_status(root: Path) -> tuple[ClauseStatus, ...]:
    """What became of each clause, in the order of the protocol?

    Refuses (PlanError) what `read_records` refuses; a clause without an entry and an entry without a
    clause; places that the plan does not have; sections not listed at the head of the file; unknown
    conflicts and departures; clauses whose conflicts differ from those that name the clause in
    `data/plan/conflicts.toml`, and deviations that differ from those in `data/plan/deviations.toml`; tests of another
    form than file::function; an entry without words to look for in its section; and a status without its
    ground: deviated without a departure, conflict without a conflict, not_done without a note, context
    with a place in the plan, and what the plan holds without a test that shows it.
    """
    head = read_plan_file(root, CLAUSE_STATUS)
    plan = read_plan_file(root, f"data/plan/{head.get('study')}.toml")
    sections = head.get("sections")
    if not isinstance(sections, list) or not sections:
        raise PlanError(CLAUSE_STATUS, "sections", "is missing.", "List the ids of the chapter's sections.")
    entries = read_records(
        root,
        file=CLAUSE_STATUS,
        key="clause",
        kind=ClauseStatus,
        may_be_empty=frozenset({"note"}),
        beside=("study", "sections"),
    )
    _check_complete(entries, {clause for clause in known_clauses(root) if clause.startswith(CLAUSE_LETTER)})
    naming: dict[str, set[str]] = {}
    for conflict in load_conflicts(root):
        for clause in conflict.clauses:
            naming.setdefault(clause, set()).add(conflict.id)
    departures = {departure.id for departure in load_departures(root)}
    deviating: dict[str, set[str]] = {}
    for deviation in load_deviations(root):
        if deviation.study == head.get("study"):
            deviating.setdefault(deviation.clause, set()).add(deviation.id)
    for entry in entries:
        place = f"clause {entry.id}"
        if entry.section not in sections:
            raise PlanError(CLAUSE_STATUS, place, f"names section {entry.section!r}.", f"Known: {', '.join(sections)}.")
        for path in entry.where:
            try:
                plan_entry(plan, path)
            except KeyError:
                raise PlanError(
                    CLAUSE_STATUS,
                    place,
                    f"points to {path!r}, which the plan does not have.",
                    "Correct the path, or add the entry to the plan.",
                ) from None
        if set(entry.conflicts) != naming.get(entry.id, set()):
            named = ", ".join(sorted(naming.get(entry.id, set()))) or "none"
            raise PlanError(
                CLAUSE_STATUS,
                place,
                f"names conflicts {', '.join(entry.conflicts) or 'none'}, but those that name the clause are {named}.",
                "Make the two files agree.",
            )
        if set(entry.deviations) != deviating.get(entry.id, set()):
            named = ", ".join(sorted(deviating.get(entry.id, set()))) or "none"
            raise PlanError(
                CLAUSE_STATUS,
                place,
                f"names deviations {', '.join(entry.deviations) or 'none'}, but those of"
                f" data/plan/deviations.toml are {named}.",
                "Make the two files agree.",
            )
        for name in sorted(set(entry.departures) - departures):
            raise PlanError(
                CLAUSE_STATUS,
                place,
                f"names departure {name!r}, which does not exist.",
                "Use an id of data/plan/departures.toml.",
            )
        for test in entry.tests:
            if not TEST.fullmatch(test):
                raise PlanError(
                    CLAUSE_STATUS,
                    place,
                    f"names {test!r} as a test.",
                    "Write file::function, as in tests/unit/test_absence.py::test_rates.",
                )
        _check_ground(place, entry)
    return entries


def plan_entry(plan: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path of a plan file?

    A table in a list goes by its id, column, slug or key: `terms.role`,
    `analyses.sickness_absence/itt/cr1.covariance`. Ids may hold dots; the longest that fits is taken.
    Raises KeyError where nothing stands there.
    """
    here: Any = plan
    rest = path
    while rest:
        if isinstance(here, Mapping):
            names: dict[str, Any] = dict(here)
        elif isinstance(here, list):
            tables = [table for table in here if isinstance(table, Mapping)]
            names = {str(table[key]): table for key in LIST_KEYS for table in tables if key in table}
        else:
            raise KeyError(path)
        fitting = [name for name in names if rest == name or rest.startswith(f"{name}.")]
        if not fitting:
            raise KeyError(path)
        name = max(fitting, key=len)
        here, rest = names[name], rest[len(name) + 1 :]
    return here


def _check_complete(entries: tuple[ClauseStatus, ...], clauses: set[str]) -> None:
    given = {entry.id for entry in entries}
    for clause in sorted(given - clauses):
        raise PlanError(
            CLAUSE_STATUS, f"clause {clause}", "does not exist.", "Use an id of data/published/protocol_clauses.csv."
        )
    for clause in sorted(clauses - given):
        raise PlanError(CLAUSE_STATUS, f"clause {clause}", "has no entry.", "Say what became of it.")


def _check_ground(place: str, entry: ClauseStatus) -> None:
    rules = (
        (not entry.says, "has no words by which its section is known.", "Name some under says."),
        (
            entry.status == "deviated" and not (entry.departures or entry.deviations),
            "is deviated without a departure.",
            "Name one.",
        ),
        (
            entry.status != "deviated" and bool(entry.deviations),
            f"is {entry.status} with a deviation.",
            "Call it deviated.",
        ),
        (entry.status == "conflict" and not entry.conflicts, "is a conflict without a conflict.", "Name one."),
        (entry.status == "not_done" and not entry.note, "is not done without a reason.", "Give it as the note."),
        (entry.status == "context" and bool(entry.where), "is context, but the plan holds it.", "Change one of them."),
        (
            entry.status in PROVED and bool(entry.where) and not entry.tests,
            "is held by the plan without a test.",
            "Name one under tests, or write it.",
        ),
    )
    for broken, rule, remedy in rules:
        if broken:
            raise PlanError(CLAUSE_STATUS, place, rule, remedy)
