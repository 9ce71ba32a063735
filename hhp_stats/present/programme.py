"""Chapter 1: the studies at a glance and the wider context. Every number is a printed figure or follows from some."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.figures import Figures, figures, published_figures, read_published
from hhp_stats.consistency.relations import Recomputed, recompute_relations
from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.book_studies import book_pages
from hhp_stats.plan.catalogue import StudyEntry, catalogue
from hhp_stats.plan.conflicts import load_sources
from hhp_stats.plan.glance import study_glance
from hhp_stats.plan.programme import programme_plan
from hhp_stats.present.conflicts import conflict_in_words
from hhp_stats.present.listing import listed_words
from hhp_stats.present.markdown import escaped, pipe_table, section_reference
from hhp_stats.present.numbers import DASH, SMALL, count, lowered, number, percent, spelled
from hhp_stats.present.tables import plain_table, text_table

DOCUMENT = "report/01-programme.qmd"
_SLOT = re.compile(r"\{([\w-]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Printed figures and facts of the designs, as chapter 1 reads them."""

    root: Path
    figures: Figures
    relations: Mapping[str, Recomputed]

    def value(self, figure_id: str) -> float:
        """One printed figure; facts of designs without their TD-."""
        key = figure_id if figure_id in self.figures.places else f"TD-{figure_id}"
        return float(self.figures.row(key)["value"])

    def fact(self, figure_id: str, digits: int | None = None) -> str:
        """The same for a sentence: whole numbers with commas, others with the digits that are printed."""
        value = self.value(figure_id)
        if digits is None and value.is_integer():
            return count(value)
        return number(value, len(f"{value:g}".partition(".")[2]) if digits is None else digits)

    def words(self, figure_id: str) -> str:
        """A small count as a word."""
        names = (*SMALL, "ten", "eleven", "twelve")
        value = self.value(figure_id)
        return names[int(value)] if value.is_integer() and 0 <= value < len(names) else self.fact(figure_id)

    def derived(self, relation_id: str, digits: int = 0) -> str:
        """A quantity recomputed from printed figures (`data/published/relations.csv`)."""
        if relation_id not in self.relations:
            raise UnknownName(f"no relation {relation_id!r}")
        return number(self.relations[relation_id].value, digits)

    def conflict(self, key: str) -> str:
        """What contradicts what, and what is used."""
        return conflict_in_words(self.root, key)

    def table(self, name: str) -> GT:
        """A table by name."""
        if name not in TABLES:
            raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(TABLES))}")
        return TABLES[name](self)

    def say(self, name: str) -> str:
        """A sentence by name."""
        if name not in SENTENCES:
            raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(SENTENCES))}")
        return SENTENCES[name](self)

    def studies(self, phase: str) -> str:
        """The studies of a phase as a Markdown table with links to their chapters, or nothing where it has none."""
        labels = self.phases
        if phase not in labels:
            raise UnknownName(f"no phase {phase!r}; known: {', '.join(labels)}")
        return self._table_of(phase, name=phase, caption=f"Studies of the {lowered(labels[phase])}")

    def further_studies(self, *told: str) -> str:
        """A section on the studies of every phase but those `told` elsewhere, and of none: a table each, as Markdown;
        nothing where there is no such study.
        """
        parts = [self.studies(phase) for phase in self.phases if phase not in told]
        if alone := self.of_phase(""):
            many = len(alone) > 1
            said = f"{spelled(len(alone)).capitalize()} more {'studies' if many else 'study'} in this report"
            parts += [
                f"{said} {'belong' if many else 'belongs'} to no phase of the programme.\n",
                self._table_of(
                    "",
                    name="further",
                    caption=f"{'Studies' if many else 'The study'} outside the phases of the programme",
                ),
            ]
        parts = [part for part in parts if part]
        return "\n".join(["### Further studies {#sec-programme-further}\n", *parts]) if parts else ""

    def _table_of(self, phase: str, *, name: str, caption: str) -> str:
        """The table of the studies of a phase, or of none."""
        chapters = {section.file: section for section in reversed(book_sections(self.root).values())}
        listed = book_pages(self.root)
        rows = []
        for entry in self.of_phase(phase):
            glance, section = study_glance(self.root, entry.study), chapters.get(entry.chapter)
            called = f"**{escaped(entry.name)}**"
            if section is not None and section.file in listed:
                called += f" {section_reference(section, document=DOCUMENT)}"
            cells = [glance.asks, glance.design, self.filled(glance.participants), glance.outcomes, glance.known]
            rows.append([called, *(escaped(cell) for cell in cells)])
        if not rows:
            return ""
        return pipe_table(
            ["Study", "Question", "Design", "Participants", "Outcomes", "Published results"],
            rows,
            label=f"tbl-programme-{name}",
            caption=caption,
            widths=[12, 22, 18, 22, 22, 12],
        )

    @property
    def phases(self) -> dict[str, str]:
        """What the phases of the programme are called, by id, in order."""
        return {entry.id: entry.label for entry in programme_plan(self.root).phases}

    def of_phase(self, phase: str) -> list[StudyEntry]:
        """The studies of a phase, in order; of none where it is ""."""
        return [entry for entry in catalogue(self.root) if entry.phase == phase]

    def filled(self, text: str) -> str:
        """Words of a plan with the printed figures that they name in braces."""
        return _SLOT.sub(lambda slot: self.fact(slot[1]), text)


def survey(programme: Programme) -> GT:
    """The two waves of the workforce survey on both scales."""
    rows = []
    for key, label in (("SWEM", "Mental wellbeing (SWEMWBS)"), ("WRQ", "Quality of working life (WRQoL)")):
        low, high = (programme.value(f"QUB-{key}-{end}") for end in ("MIN", "MAX"))
        waves = [[programme.value(f"QUB-{key}-W{wave}-{part}") for part in ("M", "SD")] for wave in (1, 2)]
        change = waves[1][0] - waves[0][0]
        spread = math.sqrt((waves[0][1] ** 2 + waves[1][1] ** 2) / 2)
        rows.append(
            {
                "Scale": label,
                "Range": f"{count(low)}{DASH}{count(high)}",
                "First wave": f"{number(waves[0][0])} ({number(waves[0][1])})",
                "Second wave": f"{number(waves[1][0])} ({number(waves[1][1])})",
                "Change": number(change),
                "In SDs": number(change / spread),
                "Second wave on the range": percent((waves[1][0] - low) / (high - low), 0),
            }
        )
    return plain_table(
        pd.DataFrame(rows),
        stub="Scale",
        notes=[
            "Means with standard deviations; higher is better on both scales. In SDs: the change over the root mean"
            " square of the two standard deviations, computed here. On the range: 0% is the lowest score possible, 100%"
            " the highest."
        ],
    )


def schwartz(programme: Programme) -> GT:
    """Costs of a Schwartz round by authority, with recomputed totals and the attendance they imply."""
    parts = {
        "PANEL": "Panel meeting",
        "ROUND": "The round itself",
        "STEER": "Steering group",
        "TOTAL": "Total, published",
    }
    places = ("LA1", "LA3", "LA4", "LA5", "LA6")
    rows = [
        {"\u00a3": label} | {f"Authority {la[2:]}": count(programme.value(f"SCH-{part}-{la}")) for la in places}
        for part, label in parts.items()
    ]
    rows.append(
        {"\u00a3": "Total, recomputed"}
        | {f"Authority {la[2:]}": programme.derived(f"schwartz_{la.lower()}") for la in places}
    )
    rows.append(
        {"\u00a3": "People a round, implied"} | {f"Authority {la[2:]}": _implied(programme, la) for la in places}
    )
    rows.append(
        {"\u00a3": "Training, once"}
        | {f"Authority {la[2:]}": count(programme.value(f"SCH-TRAIN-{la}")) for la in places}
    )
    return plain_table(
        pd.DataFrame(rows),
        stub="\u00a3",
        notes=[
            f"Mean costs. Implied: the published total divided by the published \u00a3{programme.fact('SCH-PP')} per"
            " person; in brackets what the rounding of that figure allows. No attendance is published."
        ],
    )


def _implied(programme: Programme, la: str) -> str:
    found = programme.relations[f"schwartz_people_{la.lower()}"]
    return f"{number(found.value, 0)} ({number(found.low, 0)}{DASH}{number(found.high, 0)})"


_RATES = (
    ("HHP1-TURN-WEB", "Turnover in a year", "Children\u2019s social workers, England"),
    ("CTX-TURN-PROT", "Turnover in a year", "The same rate, as the base of the power calculation"),
    ("CTX-TURN-PC", "Turnover in a year", "Year to September 2020, moves within an authority included"),
    ("CTX-SIXTH", "Turnover in a year", "Worded as leaving the profession"),
    ("HHP1-ABS-WEB", "Sickness absence", "Share of working time"),
    ("CTX-ABS", "Sickness absence", "Share of working time, year to September 2020"),
    ("CTX-TENURE", "Leavers with short service", "Left within five years of joining the authority"),
    ("CTX-WL58", "Workload too high", "Children\u2019s social workers who agreed"),
    ("CTX-WL55", "Too many roles", "Children\u2019s social workers who agreed"),
    ("CTX-BOI-40", "Meaning to leave the profession", "Respondents of a survey in 2018"),
    ("CTX-OT-H", "Hours beyond the contract, a week", "Respondents of the same survey, on average"),
    ("CTX-OT-D", "Unpaid overtime, days a year", "Respondents of the same survey, on average"),
    ("CTX-BOI-90", "Better working conditions", "Employees in public and private occupations, same survey"),
    ("CTX-PAPER", "Paperwork is a main pressure on time", "Social workers polled by the What Works centre"),
    ("CTX-DFE-10", "Less paperwork would keep them", "Those who think of leaving; the first reason of each"),
    ("CTX-TEACH", "Leaving rate compared with teachers", "On the programme\u2019s web page, without a source"),
    ("CTX-LEAVE12", "Expect to have left within a year", "Child and family social work at any authority; 2021"),
)


def rates(programme: Programme) -> GT:
    """Rates of turnover, absence and strain of the workforce, each with its document."""
    kinds = {source.code: source.kind for source in load_sources(programme.root)}
    rows = []
    for key, what, whom in _RATES:
        row = programme.figures.row(key)
        rows.append(
            {
                "Rate": what,
                "As published": str(row["as_printed"]),
                "Of whom, or what": whom,
                "Document": kinds[str(row["source_file"])[:3]],
            }
        )
    return text_table(
        pd.DataFrame(rows),
        stub="Rate",
        numeric=["As published"],
        notes=[
            f"Recomputed: {programme.fact('CTX-TURN-LEFT')} of {programme.fact('CTX-TURN-N')} full-time posts are "
            f"{programme.derived('turnover_2020', 2)}%."
        ],
    )


def totals(programme: Programme) -> str:
    """How many people took part in the second phase, by the printed counts."""
    glances = [study_glance(programme.root, entry.study) for entry in programme.of_phase("second")]
    randomised = sum(programme.value(glance.randomised) for glance in glances if glance.randomised)
    analysed = sum(programme.value(glance.analysed) for glance in glances if glance.analysed)
    said = f"The report says that the second phase had more than {programme.fact('HHP2-N-FW')} participants."
    if not randomised:  # none of its trials is in this report
        return said
    return (
        f"{said} By its own counts, {number(randomised, 0)} people were randomised in its trials, and the data of"
        f" {count(analysed)} were analysed."
    )


def answered(programme: Programme) -> str:
    """The share of those randomised who answered, by field trial."""
    shares = []
    for entry in programme.of_phase("second"):
        relation = study_glance(programme.root, entry.study).response
        if relation:
            shares.append(f"{programme.derived(relation, 1)}% in {entry.name}")
    return f"{listed_words(shares)} of those randomised."


def survey_words(programme: Programme) -> str:
    """What the two waves of the survey say, in a sentence that follows the numbers."""
    changes = [programme.value(f"QUB-{key}-W2-M") - programme.value(f"QUB-{key}-W1-M") for key in ("SWEM", "WRQ")]
    if all(change < 0 for change in changes):
        moved = f"Both scores were lower in the second wave, by {number(-changes[0])} and {number(-changes[1])} points"
    elif all(change > 0 for change in changes):
        moved = f"Both scores were higher in the second wave, by {number(changes[0])} and {number(changes[1])} points"
    else:
        moved = f"The scores moved in different directions, by {number(changes[0])} and {number(changes[1])} points"
    return (
        f"{moved}; {programme.fact('QUB-N')} people answered it. The slides do not give the number of answers"
        " in the first"
        " wave or how many people answered both, so the change cannot be tested."
    )


def schwartz_words(programme: Programme) -> str:
    """What the cost table adds up to."""
    names = ("la1", "la3", "la4", "la5", "la6")
    agree = sum(bool(programme.relations[f"schwartz_{name}"].reproduces) for name in names)
    people = [programme.relations[f"schwartz_people_{name}"].value for name in names]
    added = (
        "All published totals add up"
        if agree == len(names)
        else f"{count(agree)} of {count(len(names))} published totals add up"
    )
    return (
        f"{added}. A round cost \u00a3{count(min(programme.value(f'SCH-TOTAL-{n.upper()}') for n in names))} to"
        f" \u00a3{count(max(programme.value(f'SCH-TOTAL-{n.upper()}') for n in names))}. The figure of"
        f" \u00a3{programme.fact('SCH-PP')} per person implies {number(min(people), 0)} to {number(max(people), 0)}"
        " people at every round."
    )


TABLES: Mapping[str, Callable[[Programme], GT]] = {"survey": survey, "schwartz": schwartz, "rates": rates}
SENTENCES: Mapping[str, Callable[[Programme], str]] = {
    "totals": totals,
    "answered": answered,
    "survey": survey_words,
    "schwartz": schwartz_words,
}


def chapter(*, root: Path | None = None) -> Programme:
    """Open the printed figures for chapter 1."""
    home = root or find_root()
    folder = home / "data/published"
    printed = figures(published_figures(folder))
    found = {item.relation_id: item for item in recompute_relations(printed, read_published(folder, "relations.csv"))}
    return Programme(root=home, figures=printed, relations=found)
