"""Which counts are withheld: the rule, the register, and the small counts that documents printed before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.disclosure.places import RESULTS
from hhp_stats.disclosure.public_counts import public_counts
from hhp_stats.plan.catalogue import study_names
from hhp_stats.plan.disclosure import load_disclosure
from hhp_stats.present.data_appendix.own_trial import OfReturns
from hhp_stats.present.numbers import WITHHELD, plural, spelled
from hhp_stats.present.tables import text_table
from hhp_stats.studies.output import open_output

TITLES = {
    "flow": "Participant flow",
    "uptake": "Taking part",
    "attrition": "Records by arm and authority",
    "attrition_wellbeing": "Response by baseline wellbeing",
    "balance": "Characteristics of the arms",
    "absence_distribution": "Days absent by class",
    "modules": "Modules completed",
    "strata": "Strata",
    "missingness": "Map of missing values",
    "linkage": "Linkage of survey responses",
    "balance_differences": "Characteristics of those analysed",
    "item_nonresponse": "Unanswered items",
    "reliability": "Internal consistency",
    "recall": "Recall",
    "clusters": "Buildings",
    "results": "Results",
    "inputs": "Files read",
    "interim": "Interim return",
    "score_distribution": "Distribution of scores",
    "chosen_per_person": "Candidates shortlisted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld(OfReturns):
    """Which counts are withheld, by which rule, and which small ones are printed nevertheless."""

    root: Path
    registers: Mapping[str, pd.DataFrame]  # by study: every place of a number of people, with the number or `WITHHELD`
    internal: bool

    def summary(self) -> str:
        """How many counts are withheld, by which rule."""
        settings = load_disclosure(self.root, next(iter(self.registers)) if self.own is None else self.own.plan.study)
        rule = (
            "Counts of people below"
            f" {spelled(settings.threshold)}{', zero included,' if settings.zeros == 'withheld' else ' but above zero'}"
            " are not printed, nor are counts and shares from which one of them could be worked out."
        )
        if self.internal:
            return f"{rule} In this render the rule is switched off."
        gone = self._gone()
        cells = int((gone["table"] != RESULTS).sum())
        rows = gone.loc[gone["table"] == RESULTS, "row"].nunique()
        undefended = sum(int((register["table"] == "undefended").sum()) for register in self.registers.values())
        told = (
            f" {plural(undefended, 'count', 'counts')} could not be kept from a reader who compares with the last"
            " release, or with what documents of the programme printed."
            if undefended
            else ""
        )
        return (
            f"{rule} In this run {plural(cells, 'cell is', 'cells are')} withheld in the tables of all studies, marked"
            f" {WITHHELD}, and {plural(rows, 'result', 'results')} have no number of people, or no number at all.{told}"
        )

    def suppressed(self) -> GT:
        """The register: which counts were withheld. Not which of them are small: that could tell more than is meant."""
        return self._register([self.report.plan.study])

    def elsewhere(self) -> GT:
        """The register of the other chapters."""
        own = None if self.own is None else self.own.plan.study
        return self._register([study for study in self.registers if study != own])

    def _gone(self) -> pd.DataFrame:
        parts = [
            register.loc[register["people"] == WITHHELD].assign(study=study)
            for study, register in self.registers.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def _register(self, studies: Sequence[str]) -> GT:
        gone, names = self._gone(), study_names(self.root)
        gone = gone.loc[gone["study"].isin(studies)].drop_duplicates(["study", "table", "row", "column"])
        cells = pd.DataFrame(
            {
                "Study": [names[study] for study in gone["study"]],
                "Table": [TITLES.get(name, name.replace("_", " ").capitalize()) for name in gone["table"]],
                "Row": [
                    row if table == RESULTS else row.replace("_", " ")
                    for row, table in zip(gone["row"], gone["table"], strict=True)
                ],
                "Count": [column.replace("_", " ") for column in gone["column"]],
            }
        )
        if not len(cells):
            cells = pd.DataFrame([{"Study": "None", "Table": "", "Row": "", "Count": ""}])
        shown = cells.sort_values(["Study", "Table", "Row", "Count"], kind="stable")
        return text_table(
            shown if len(studies) > 1 else shown.drop(columns="Study"), stub="Study" if len(studies) > 1 else "Table"
        )

    def public(self) -> str:
        """Which small counts are printed nevertheless: those that documents have printed before."""
        found: list[str] = []
        for study in self.registers:
            if load_disclosure(self.root, study).rule == "printed before":
                rows = open_output(self.root, study).results
                small = rows.loc[
                    rows["estimate"].between(1, load_disclosure(self.root, study).threshold - 1), "result_id"
                ]
                figures = public_counts(self.root, rows)
                found += [figures[key] for key in small if key in figures]
        if not found:
            return "No small count is printed."
        return (
            f"The chapters of the pilots print {plural(len(found), 'small count')}, each of which the documents of the"
            f" programme have printed before ({', '.join(dict.fromkeys(found))}): nothing new is told. A small count"
            " without such a figure is withheld."
        )
