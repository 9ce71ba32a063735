"""Where the chapter of each other randomised study answers every CONSORT item: `data/plan/consort_trials.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hhp_stats.errors import PlanError
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.catalogue import StudyEntry, catalogue, check_study
from hhp_stats.plan.consort import CLUSTER, ChecklistItem, check_item, checklist_order
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.records import known_tables, list_of, read_plan_file, record_of
from hhp_stats.plan.trial_checklist import ASKS

CONSORT_TRIALS = "data/plan/consort_trials.toml"


def studies_answered(root: Path) -> tuple[StudyEntry, ...]:
    """The studies with an entry, in the order of the report; none where the project has no such file.

    Refuses (PlanError) entries of unknown studies.
    """
    entries = catalogue(root)
    given = [str(table.get("study")) for table in _tables(root)]
    for study in given:
        check_study(CONSORT_TRIALS, f"trial {study}", study, [entry.study for entry in entries])
    return tuple(entry for entry in entries if entry.study in given)


def trial_answers(root: Path, study: str) -> tuple[ChecklistItem, ...]:
    """Every item of one study in the order of the checklist, those of the cluster extension with it where its design
    asks for them.

    Refuses (PlanError) a study without an entry or with two, items that are missing or do not exist, sections that no
    source of the book has, and a status without its ground (`check_item`).
    """
    own = [table for table in _tables(root) if table.get("study") == study]
    if len(own) != 1:
        raise PlanError(CONSORT_TRIALS, f"trial {study}", f"stands {len(own)} times.", "Give each trial one entry.")
    given = {key: value for key, value in own[0].items() if key != "study"}
    design = read_plan_file(root, f"data/plan/{study}.toml").get("design", {})
    clustered = isinstance(design, Mapping) and design.get("kind") == "cluster trial"
    order = [item for item in checklist_order() if clustered or not item.startswith(CLUSTER)]
    for item in (*given, *order):
        if item not in order:
            raise PlanError(CONSORT_TRIALS, f"{study}, item {item}", "is no item of this trial.", allowed(order, item))
        if item not in given:
            raise PlanError(CONSORT_TRIALS, f"{study}, item {item}", "has no entry.", "Say where it is answered.")
        if not isinstance(given[item], Mapping):
            raise PlanError(CONSORT_TRIALS, f"{study}, item {item}", "is no table.", "Write { status = ..., ... }.")
    sections = book_sections(root)
    found = []
    for item in order:
        entry = {"id": item, "asks": ASKS[item].asks, "results": [], **given[item]}
        place = f"{study}, item {item}"
        read = record_of(entry, file=CONSORT_TRIALS, place=place, kind=ChecklistItem, may_be_empty=frozenset({"note"}))
        check_item(CONSORT_TRIALS, place, read, sections)
        found.append(read)
    return tuple(found)


def _tables(root: Path) -> list[Mapping[str, Any]]:
    if not (root / CONSORT_TRIALS).is_file():
        return []
    tables = known_tables(root, CONSORT_TRIALS, ("trial",))
    found = list_of(tables, file=CONSORT_TRIALS, key="trial") if tables else []
    for number, table in enumerate(found, start=1):
        if not isinstance(table, Mapping):
            raise PlanError(CONSORT_TRIALS, f"trial number {number}", f"is {table!r}.", "Write a table, [[trial]].")
    return found
