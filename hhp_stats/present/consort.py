"""The CONSORT checklist as the report prints it: every item with the sections and results that answer it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.book_sections import BookSection, book_sections
from hhp_stats.plan.catalogue import StudyEntry, catalogue
from hhp_stats.plan.consort import CLUSTER, CONSORT, ITEMS, ChecklistItem, ItemStatus, Part, load_checklist
from hhp_stats.plan.consort_trials import CONSORT_TRIALS, studies_answered, trial_answers
from hhp_stats.plan.records import read_plan_file
from hhp_stats.plan.trial_checklist import trial_checklist
from hhp_stats.present.listing import listed_words
from hhp_stats.present.markdown import escaped, pipe_table, result_code, section_reference
from hhp_stats.present.numbers import count
from hhp_stats.studies.output import open_output

DOCUMENT = "report/G-consort.qmd"
STATUS: Mapping[ItemStatus, str] = {
    "reported": "reported",
    "partly": "in part",
    "gap": "not reported",
    "not_applicable": "does not apply",
}
COUNTED: Mapping[ItemStatus, tuple[str, str]] = {  # of one item, and of several
    "reported": ("is reported", "are reported"),
    "partly": ("is reported in part", "are reported in part"),
    "gap": ("is not reported", "are not reported"),
    "not_applicable": ("does not apply", "do not apply"),
}
COLUMNS = {"Item": 9, "What it asks for": 30, "Status": 10, "Where, and what is missing": 51}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """The items, and what they may point to: sections of the book and results of this run."""

    study: str
    items: tuple[ChecklistItem, ...]
    sections: Mapping[str, BookSection]
    results: frozenset[str]  # result ids, with the study before them
    document: str = DOCUMENT

    def table(self, part: Part) -> str:
        """One part of the checklist as Markdown, to be printed by a cell with `output: asis`.

        Refuses a part that does not exist, and a result that this run did not make (UnknownName).
        """
        if part not in ITEMS:
            raise UnknownName(f"the checklist has no part {part!r}; known: {', '.join(ITEMS)}")
        rows = [self._row(item) for item in self.items if item.part == part]
        label = f"tbl-consort-{part.lower().replace(' ', '-')}"
        return pipe_table(
            list(COLUMNS),
            rows,
            label=label,
            caption=f"CONSORT checklist: {part.lower()}",
            widths=list(COLUMNS.values()),
        )

    def whole(self, *, label: str, caption: str) -> str:
        """All items as one table in Markdown, to be printed by a cell with `output: asis`."""
        rows = [self._row(item) for item in self.items]
        return pipe_table(list(COLUMNS), rows, label=label, caption=caption, widths=list(COLUMNS.values()))

    def _row(self, item: ChecklistItem) -> list[str]:
        for result in item.results:
            if f"{self.study}/{result}" not in self.results:
                raise UnknownName(f"item {item.id} of the checklist points to {result!r}, which this run did not make")
        places = sorted(item.sections, key=list(self.sections).index)  # as a reader comes to them
        where = ", ".join(section_reference(self.sections[name], document=self.document) for name in places)
        results = ", ".join(result_code(f"{self.study}/{name}", self.results) for name in item.results)
        parts = [f"{where}." if where else "", f"Results: {results}." if results else "", escaped(item.note)]
        return [item_name(item), escaped(item.asks), STATUS[item.status], " ".join(part for part in parts if part)]

    def count(self) -> str:
        """How many items have which status, in a sentence."""
        found = Counter(item.status for item in self.items)
        said = [f"{count(n)} {words[n > 1]}" for status, words in COUNTED.items() if (n := found[status])]
        added = sum(bool(item.extends) for item in self.items)
        extension = f", {count(added)} of them from the extension to cluster trials" if added else ""
        return f"Of {count(len(self.items))} items{extension}, {listed_words(said)}."

    def gaps(self) -> str:
        """What the report does not say at all, as a Markdown list; a sentence if there is nothing."""
        missing = [item for item in self.items if item.status == "gap"]
        if not missing:
            return "Every item is answered, at least in part.\n"
        return (
            "\n".join(f"- **{item_name(item)}.** {escaped(item.asks)} {escaped(item.note)}" for item in missing) + "\n"
        )


def item_name(item: ChecklistItem) -> str:
    """The number as printed: `9`, or `Cluster 3a` for an item of the extension."""
    return f"Cluster {item.id.removeprefix(CLUSTER)}" if item.extends else item.id


def trial_table(root: Path, entry: StudyEntry, *, clustered: bool) -> Checklist:
    """The checklist of any trial with a standard chapter; refuses what `trial_checklist` refuses."""
    items = trial_checklist(root, entry, clustered=clustered)
    return Checklist(
        study=entry.study, items=items, sections=book_sections(root), results=frozenset(), document=entry.chapter
    )


def other_trials(*, root: Path | None = None) -> str:
    """Every other randomised study: a section with a count and its whole checklist, as Markdown.

    A trial on a plain table prints its own checklist in its chapter and is named at the end. Refuses what
    `trial_answers` refuses, and (UnknownName) a randomised study that has no checklist anywhere.
    """
    home = root or find_root()
    sections, answered = book_sections(home), studies_answered(home)
    first = str(read_plan_file(home, CONSORT)["study"]) if (home / CONSORT).is_file() else ""
    parts, elsewhere = [], []
    for entry in catalogue(home):
        if entry.kind == "pilot" or entry.study == first:
            continue
        if entry.on_table:
            elsewhere.append(section_reference(_chapter_section(entry, sections), document=DOCUMENT))
            continue
        if entry not in answered:
            raise UnknownName(f"{CONSORT_TRIALS} has no entry for {entry.study}")
        shown = Checklist(
            study=entry.study, items=trial_answers(home, entry.study), sections=sections, results=frozenset()
        )
        slug = entry.study.replace("_", "-")
        parts += [
            f"### {escaped(entry.name)} {{#sec-consort-{slug}}}\n",
            f"{shown.count()}\n",
            shown.whole(label=f"tbl-consort-{slug}", caption=f"CONSORT checklist: {entry.noun}"),
        ]
    if elsewhere:
        parts.append(f"Trials on a plain table have their checklist in their own chapter: {', '.join(elsewhere)}.\n")
    return "\n".join(parts)


def _chapter_section(entry: StudyEntry, sections: Mapping[str, BookSection]) -> BookSection:
    return next(section for section in sections.values() if section.file == entry.chapter)


def checklist(*, root: Path | None = None) -> Checklist:
    """Open the checklist; refuses what `load_checklist` refuses, and a study whose results are not ready."""
    home = root or find_root()
    items = load_checklist(home)
    study = str(read_plan_file(home, CONSORT)["study"])
    results = frozenset(
        str(result_id) for entry in catalogue(home) for result_id in open_output(home, entry.study).results["result_id"]
    )
    return Checklist(study=study, items=items, sections=book_sections(home), results=results)
