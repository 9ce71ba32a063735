"""What a reader asks of each study before the numbers: `data/plan/study_facts.toml`.

When and where it ran, where it was registered, who looked at its ethics, and its research questions in the order of the
documents. No analysis follows from any of it, so that it stands beside the plans and not in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import PlanError
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.catalogue import catalogue, check_study, study_names
from hhp_stats.plan.conflicts import check_sources
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.records import known_tables, records_of

STUDY_FACTS = "data/plan/study_facts.toml"
_LISTS = ("study", "question")
SITES = "{sites}"  # in `place`: the authorities or sites that the plan lists


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFacts:
    """When and where one study ran, and under which rules."""

    study: str
    took_place: str
    place: str
    registration: str
    ethics: str
    sources: tuple[str, ...]  # document and line


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One research question, and the section that answers it."""

    number: str  # as the documents number it
    study: str
    asks: str
    section: str


def load_study_facts(root: Path) -> dict[str, StudyFacts]:
    """The facts by study; none where the project has no such file.

    Refuses (PlanError) what `records_of` refuses, unknown studies, and sources that are no document and line.
    """
    if not (root / STUDY_FACTS).is_file():
        return {}
    tables = known_tables(root, STUDY_FACTS, _LISTS)
    found = records_of(tables, file=STUDY_FACTS, key="study", kind=StudyFacts, optional=True)
    for entry in found:
        check_study(STUDY_FACTS, f"study {entry.study}", entry.study, study_names(root))
        check_sources(root, STUDY_FACTS, f"study {entry.study}", entry.sources)
    return {entry.study: entry for entry in found}


def load_questions(root: Path, study: str) -> tuple[Question, ...]:
    """The research questions of one study in their order; none where nobody entered any.

    Refuses (PlanError) what `records_of` refuses, questions of unknown studies, and sections that the study's chapter
    does not have.
    """
    if not (root / STUDY_FACTS).is_file():
        return ()
    tables = known_tables(root, STUDY_FACTS, _LISTS)
    found = records_of(tables, file=STUDY_FACTS, key="question", kind=Question, optional=True, within=("study",))
    sections = book_sections(root)
    chapters = {entry.study: entry.chapter for entry in catalogue(root)}
    for entry in found:
        place = f"question {entry.number}"
        check_study(STUDY_FACTS, place, entry.study, chapters)
        own = [name for name, section in sections.items() if section.file == chapters[entry.study]]
        if entry.section not in own:
            raise PlanError(
                STUDY_FACTS,
                place,
                f"is answered in {entry.section!r}, which {chapters[entry.study]} does not have.",
                allowed(own, entry.section),
            )
    return tuple(entry for entry in found if entry.study == study)
