"""A study in one box at the head of its chapter, and its research questions: from its plan, for any study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.files.project_root import find_root
from hhp_stats.plan.any_plan import AnyPlan, plan_of
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.catalogue import Kind, StudyEntry, study_entry
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.glance import Glance, study_glance
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.records import read_plan_file
from hhp_stats.plan.study_facts import SITES, StudyFacts, load_questions, load_study_facts
from hhp_stats.present import programme
from hhp_stats.present.listing import capital
from hhp_stats.present.markdown import escaped, pipe_table, section_reference

NOT_STATED = "Not stated"
KINDS: Mapping[Kind, str] = {
    "cluster trial": "Cluster randomised trial",
    "individual trial": "Individually randomised trial",
    "experiment": "Randomised experiment",
    "pilot": "Pilot; no one was randomised",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the box reads of one study."""

    entry: StudyEntry
    glance: Glance
    plan: AnyPlan
    facts: StudyFacts | None
    said: Mapping[str, Any]  # `[consort]` of the plan: what those who ran the trial say, by item


def box(study: str, *, root: Path | None = None) -> str:
    """What kind of study, of whom, where, when, with which outcomes, under which registration? A Markdown table.

    Every line comes from the study's plan, its line in the table of studies, or `data/plan/study_facts.toml`; what none
    of them says is called not stated. Refuses a key that no plan has (UnknownName), and what its readers refuse.
    """
    home = root or find_root()
    entry = study_entry(home, study)
    table = read_plan_file(home, f"data/plan/{study}.toml").get("consort", {})
    read = _Read(
        entry=entry,
        glance=study_glance(home, study),
        plan=plan_of(home, study),
        facts=load_study_facts(home).get(study),
        said=table if isinstance(table, Mapping) else {},
    )
    people = programme.chapter(root=home).filled(read.glance.participants)
    one_primary = entry.kind in ("cluster trial", "individual trial")
    primary, _, others = read.glance.outcomes.partition(";") if one_primary else (read.glance.outcomes, "", "")
    lines = {
        "Type of study": _kind(read),
        "Design": read.glance.design,
        "Participants": people,
        "Where": _where(read),
        "When": read.facts.took_place if read.facts else str(read.said.get("23a", NOT_STATED)),
        "Primary outcome" if one_primary else "Outcomes": capital(primary.strip()),
        "Other outcomes": capital(others.strip()),
        "Registration": read.facts.registration if read.facts else str(read.said.get("2", NOT_STATED)),
        "Ethics": read.facts.ethics if read.facts else NOT_STATED,
        "Published results": read.glance.known,
    }
    return pipe_table(
        ["At a glance", escaped(entry.name)],
        [[name, escaped(words)] for name, words in lines.items() if words],
        label=f"tbl-{entry.short}-glance",
        caption=f"{entry.name} at a glance",
        widths=[22, 78],
    )


def questions(study: str, *, root: Path | None = None) -> str:
    """The research questions as the documents number them, each with the section that answers it; a Markdown list.

    A sentence where none are entered. Refuses as `load_questions`.
    """
    home = root or find_root()
    entry, sections = study_entry(home, study), book_sections(home)
    found = load_questions(home, study)
    if not found:
        return f"The question: {escaped(study_glance(home, study).asks)}\n"
    # Numbered 1, 2, 3 they are a numbered list; other numbers ("1a") are words at the head of an item.
    plain = [question.number for question in found] == [str(at) for at in range(1, len(found) + 1)]
    lines = [
        f"{f'{question.number}.' if plain else f'- **{question.number}.**'} {escaped(question.asks)}"
        f" ({section_reference(sections[question.section], document=entry.chapter)})"
        for question in found
    ]
    return "The research questions, in our words and with the numbers of the documents:\n\n" + "\n".join(lines) + "\n"


def _kind(read: _Read) -> str:
    kind = KINDS[read.entry.kind]
    if read.entry.kind == "pilot":
        return kind
    return f"{kind}; unit of randomisation: {_unit(read)}"


def _unit(read: _Read) -> str:
    """What was randomised: the plan's word for a group drawn whole, else for a person."""
    plan = read.plan
    if isinstance(plan, ExperimentPlan):
        return "participant"
    if isinstance(plan, IndividualPlan):
        return plan.design.unit or (plan.words.cluster[0] if plan.design.cluster else plan.words.person[0])
    return plan.design.cluster.removesuffix("_id").replace("_", " ")


def _where(read: _Read) -> str:
    plan = read.plan
    if isinstance(plan, ExperimentPlan):
        sites: list[str] = []
    elif isinstance(plan, IndividualPlan):
        sites = [block.label for block in plan.blocks]
    else:
        sites = [site.local_authority for site in plan.sites]
    if read.facts:
        return read.facts.place.replace(SITES, ", ".join(sites))  # names hold an "and" of their own
    return ", ".join(sites) if sites else str(read.said.get("11", NOT_STATED))
