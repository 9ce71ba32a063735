"""How the table of studies introduces a study: the table [glance] of its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.errors import PlanError
from hhp_stats.plan.catalogue import PLANS
from hhp_stats.plan.records import read_plan_file, record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One line of the table of studies. `{trial-item}` in `participants` is a fact of a design (`trial_design.csv`)."""

    asks: str
    design: str
    participants: str
    outcomes: str  # the primary one first
    known: str  # what is published of its results
    randomised: str = ""  # printed figures: people randomised, people analysed
    analysed: str = ""
    response: str = ""  # relation of printed figures: the share who answered
    plain: str = ""  # what was offered, for readers of the front page who know none of the names; else the study's name
    cost: str = ""  # what the documents say of costs, in a few words
    said: str = ""  # what those who took part said of it, in a few words


def study_glance(root: Path, study: str) -> Glance:
    """How the table of studies introduces a study: the table [glance] of its plan; a trial on a plain table need have
    none. Raises PlanError where it is missing or wrong.
    """
    file = f"{PLANS}/{study}.toml"
    raw = read_plan_file(root, file)
    table = raw.get("glance")
    if table is None and "data" in raw:
        return _glance_of(raw)
    if not isinstance(table, Mapping):
        raise PlanError(
            file, "glance", "is missing.", "Add a table [glance] with asks, design, participants, outcomes and known."
        )
    return record_of(table, file=file, place="glance", kind=Glance)


def _glance_of(raw: Mapping[str, Any]) -> Glance:
    """The line of a trial on a plain table whose plan has no table [glance]: what the plan says anyway."""
    design, words = raw.get("design", {}), raw.get("words", {})
    people = f"{design.get('randomised', 'an unknown number of')} {words.get('person', ('', 'people'))[1]}"
    groups = f" in {design['clusters']} {words.get('cluster', ('', 'groups'))[1]}" if "clusters" in design else ""
    outcomes = [str(outcome.get("label", "")) for outcome in raw.get("outcomes", [])]
    title, _, more = str(raw.get("title", "")).partition(":")
    return Glance(
        asks=f"What does {title.strip()} change?",
        design=more.strip().capitalize() or str(design.get("kind", "")).capitalize(),
        participants=f"{people}{groups}",
        outcomes=", ".join(outcomes),
        known="Nothing before this report",
    )
