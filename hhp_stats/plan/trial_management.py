"""Who ran the trial with a printed protocol, when, against which risks; and its amendments.

Read from `data/plan/trial_management.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hhp_stats.errors import PlanError
from hhp_stats.plan.catalogue import study_entry
from hhp_stats.plan.conflicts import check_sources
from hhp_stats.plan.records import read_plan_file, read_records

TRIAL_MANAGEMENT = "data/plan/trial_management.toml"
_LISTS = ("person", "milestone", "risk", "amendment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person whom the protocol names, and the parts it gives them."""

    name: str
    post: str
    parts: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One step of the timeline."""

    what: str
    dates: str
    who: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """A risk that was foreseen, what was to be done about it, and what became of it."""

    risk: str
    answer: str
    became: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A change of the protocol."""

    what: str
    change: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialManagement:
    """All that the file holds."""

    study: str
    people: tuple[Person, ...]
    milestones: tuple[Milestone, ...]
    risks: tuple[Risk, ...]
    amendments: tuple[Amendment, ...]


Entry = TypeVar("Entry", Person, Milestone, Risk, Amendment)


def load_trial_management(root: Path) -> TrialManagement:
    """Who did what, when, against which risks?

    Refuses (PlanError, UnknownName) what `read_records` refuses, a study that no plan has, and sources that are no
    document and line.
    """
    study = read_plan_file(root, TRIAL_MANAGEMENT).get("study")
    if not isinstance(study, str):
        raise PlanError(TRIAL_MANAGEMENT, "study", "is missing.", "Name the study that the file is about.")
    study_entry(root, study)

    def entries(key: str, kind: type[Entry]) -> tuple[Entry, ...]:
        beside = ("study", *(name for name in _LISTS if name != key))
        found: tuple[Entry, ...] = read_records(root, file=TRIAL_MANAGEMENT, key=key, kind=kind, beside=beside)
        for number, entry in enumerate(found, start=1):
            check_sources(root, TRIAL_MANAGEMENT, f"{key} {number}", entry.sources)
        return found

    return TrialManagement(
        study=study,
        people=entries("person", Person),
        milestones=entries("milestone", Milestone),
        risks=entries("risk", Risk),
        amendments=entries("amendment", Amendment),
    )
