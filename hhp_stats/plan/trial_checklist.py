"""The CONSORT items of any trial on a plain table: which its design asks for, and where its chapter answers them.

Every standard chapter has the same parts, so that most items are answered at the same place in each. What only those
who ran the trial can say stands in the table `[consort]` of its plan, by item: `"2" = "ISRCTN00000000, May 2023"`.
The items are those of `plan.consort`; what each asks for is put in our own words, for any trial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.errors import PlanError
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.catalogue import StudyEntry
from hhp_stats.plan.consort import CLUSTER, ChecklistItem, checklist_order
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.records import read_plan_file

TABLE = "consort"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """What an item asks for, which parts of a standard chapter answer it, and what these leave open ("": nothing).

    A part is the end of a section's label, `#` the chapter itself; a whole label is a section of an appendix.
    """

    asks: str
    parts: tuple[str, ...] = ()
    open: str = ""


def _ask(asks: str, parts: str = "", left_open: str = "") -> _Ask:
    return _Ask(asks=asks, parts=tuple(parts.split()), open=left_open)


ASKS: Mapping[str, _Ask] = {
    "1a": _ask("Call the study a randomised trial in its title.", "#"),
    "cluster-1a": _ask("Call it a cluster randomised trial in its title.", "#"),
    "1b": _ask("Sum up design, methods, results and conclusions under headings.", "summary", "Headings are missing."),
    "cluster-1b": _ask("Give clusters as well as people in the summary.", "summary"),
    "2": _ask("Name the registry, the number and the date of registration."),
    "3": _ask("Say where protocol and statistical analysis plan can be read.", "deviations", "Only the plan as data."),
    "4": _ask(
        "Say where and how data of persons, their dictionary, code and materials can be had.",
        "sec-reproducibility",
        "How data of persons can be had is not said.",
    ),
    "5a": _ask("Name sources of money and support, and what funders had to do with the trial."),
    "5b": _ask("Declare financial and other interests of the authors."),
    "6": _ask("Give background, and reasons for the trial.", "background"),
    "cluster-2a": _ask("Say why clusters were randomised and not persons."),
    "7": _ask("State what the trial set out to learn about benefits and harms.", "summary", "Harms are not named."),
    "cluster-2b": _ask("Say whether the questions are about clusters, persons or both.", "results"),
    "8": _ask("Describe how the public, or those concerned, took part in design, conduct and reporting."),
    "9": _ask("Describe the type of trial, the allocation ratio and the framework, such as superiority.", "design"),
    "cluster-3a": _ask("Define the cluster and say how the design applies to it.", "design"),
    "10": _ask("List important changes after the trial began, with reasons.", "deviations"),
    "11": _ask("Describe the kind of places, and which they were."),
    "12a": _ask("State which people could take part."),
    "12b": _ask("State which sites could take part, and who could deliver the intervention."),
    "cluster-4a": _ask("State which clusters could take part."),
    "13": _ask("Describe what each arm was to receive so that others could repeat it.", "intervention"),
    "cluster-5": _ask("Say whether the intervention acts on clusters, persons or both."),
    "14": _ask("Define primary and secondary outcomes: variable, metric, way of aggregating, and time.", "outcomes"),
    "cluster-6a": _ask("Say whether outcomes are measured on clusters, persons or both.", "outcomes"),
    "15": _ask("Say how harms were defined and looked for."),
    "16a": _ask(
        "Explain the sample size with everything assumed for it.",
        "design",
        "Detectable effects are given, not how the size was chosen.",
    ),
    "cluster-7a": _ask(
        "Give number and size of clusters, and the intracluster correlation with its uncertainty.",
        "participants sensitivities",
    ),
    "16b": _ask("Explain interim analyses and rules for stopping."),
    "17a": _ask("Say who made the random sequence, and how."),
    "17b": _ask("Say what kind of randomisation it was, and how it was restricted.", "design"),
    "cluster-8b": _ask("Describe strata or matching of clusters.", "design"),
    "18": _ask("Say how the sequence was put into practice, and how it was concealed."),
    "cluster-9": _ask("Say that clusters were allocated, and how that was concealed.", "design", "Concealment."),
    "19": _ask("Say whether those who enrolled participants and those who assigned arms could see the sequence."),
    "cluster-10a": _ask("Say who made the sequence, who enrolled clusters and who assigned them."),
    "cluster-10b": _ask("Say how persons came to be included in a cluster, such as all of them or a sample."),
    "cluster-10c": _ask("Say who was asked for consent, and whether before or after randomisation."),
    "20a": _ask("Say who did not know the arms after assignment."),
    "20b": _ask("If anybody was blind, say how that was achieved."),
    "21a": _ask("Describe the methods that compare the arms for primary and secondary outcomes.", "results"),
    "cluster-12a": _ask("Say how the analysis takes clusters into account.", "results sec-m-clusters"),
    "21b": _ask("Define who enters each analysis, and in which arm.", "missing results"),
    "21c": _ask("Say how missing data were dealt with.", "missing"),
    "21d": _ask("Describe additional analyses, and tell planned ones from those thought of later.", "versions"),
    "22a": _ask(
        "Show for each arm how many were assigned, received what was intended, and were analysed; with a diagram.",
        "participants",
        "Who received what was intended is not in the table.",
    ),
    "cluster-13a": _ask("Show the same for clusters.", "participants"),
    "22b": _ask(
        "Give losses and exclusions in each arm after randomisation, with reasons.",
        "participants missing",
        "Reasons of single losses are not in the table.",
    ),
    "cluster-13b": _ask("Give losses and exclusions of clusters as well as of persons.", "participants"),
    "23a": _ask("Give the dates of recruitment and follow-up."),
    "23b": _ask("If the trial ended early, say why."),
    "24a": _ask("Describe what was really delivered, by whom, and how far people took part."),
    "24b": _ask("Describe what else each arm received meanwhile."),
    "25": _ask("Tabulate what the arms were like at the start.", "balance"),
    "cluster-15": _ask("Tabulate clusters as well as persons.", "participants"),
    "26": _ask(
        "Give for each outcome and arm who was analysed, the result, the effect and its precision; for binary outcomes"
        " both absolute and relative.",
        "results",
    ),
    "cluster-16": _ask("Give the number of clusters in each analysis.", "participants sec-reproducibility-results"),
    "cluster-17a": _ask("Give the intracluster correlation of each primary outcome.", "sensitivities"),
    "27": _ask("Give all harms and unintended events in each arm."),
    "28": _ask("Give results of all other analyses.", "versions sensitivities"),
    "29": _ask("Interpret the results, weigh benefits against harms, and consider other evidence.", "discussion"),
    "30": _ask("Discuss limits: bias, imprecision, how far results carry over, and multiplicity.", "limits"),
    "cluster-21": _ask("Discuss how far results carry over to other clusters and other persons.", "discussion"),
}
_IN_TITLE = {"1a": "randomi", "cluster-1a": "cluster"}
_NOT_IN_TITLE = "The title does not say so."
_NOT_SAID = "Not said"


def trial_checklist(root: Path, entry: StudyEntry, *, clustered: bool) -> tuple[ChecklistItem, ...]:
    """Where does the chapter of a trial answer each item that its design asks for?

    Reported where the plan's `[consort]` says it in words, or where the chapter (or an appendix) has the part that
    answers it; partly where that part leaves something open; a gap where nothing does.

    Refuses (PlanError) a table `[consort]` that holds anything but words by item, and items that the design of this
    trial does not ask for.
    """
    items, file = _items(clustered), f"data/plan/{entry.study}.toml"
    words = words_of_items(file, read_plan_file(root, file).get(TABLE, {}), clustered=clustered)
    sections_of_book = book_sections(root)
    own = [name for name, section in sections_of_book.items() if section.file == entry.chapter]
    found = []
    for item in items:
        ask = ASKS[item]
        labels = [_label(part, entry, own) for part in ask.parts]
        # A part of an appendix counts wherever it stands; one of a chapter only in this trial's own.
        sections = tuple(
            label
            for label, part in zip(labels, ask.parts, strict=True)
            if label in (sections_of_book if part.startswith("sec-") else own)
        )
        left_open = "" if item in words else _left_open(item, ask, entry, sections)
        found.append(
            ChecklistItem(
                id=item,
                asks=ask.asks,
                status="gap" if not sections and item not in words else "partly" if left_open else "reported",
                sections=sections,
                results=(),
                note=words.get(item, left_open),
            )
        )
    return tuple(found)


def _label(part: str, entry: StudyEntry, own: Sequence[str]) -> str:
    if part == "#":
        return own[0] if own else ""
    return part if part.startswith("sec-") else f"sec-{entry.short}-{part}"


def _left_open(item: str, ask: _Ask, entry: StudyEntry, sections: tuple[str, ...]) -> str:
    if not sections:
        wanted = [f"sec-{entry.short}-{part}" for part in ask.parts if part != "#" and not part.startswith("sec-")]
        return f"{_NOT_SAID}: the chapter has no section {' or '.join(wanted)}." if wanted else f"{_NOT_SAID}."
    if item in _IN_TITLE:
        return "" if _IN_TITLE[item] in entry.title.casefold() else _NOT_IN_TITLE
    return ask.open


def _items(clustered: bool) -> list[str]:
    return [item for item in checklist_order() if clustered or not item.startswith(CLUSTER)]


def words_of_items(file: str, table: Any, *, clustered: bool) -> dict[str, str]:
    """What the table `[consort]` of a plan says, by item; refuses (PlanError) what `trial_checklist` refuses."""
    items = _items(clustered)
    if not isinstance(table, Mapping):
        raise PlanError(file, TABLE, "must be a table of words.", 'Write, for an item, "2" = "what is to be said".')
    for item, said in table.items():
        if item not in items:
            raise PlanError(file, f"{TABLE} {item}", "is no item of this trial's checklist.", allowed(items, item))
        if not isinstance(said, str) or not said.strip():
            raise PlanError(file, f"{TABLE} {item}", "holds no words.", "Say it in a sentence, or take the line out.")
    return {item: " ".join(said.split()) for item, said in table.items()}
