"""Parts that the chapter of every trial has, by the key of its study: design in a sentence, deviations, limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import StudyEntry, study_entry
from hhp_stats.plan.conduct import load_commitments, load_deviations
from hhp_stats.plan.disclosure import load_disclosure
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.plan.table_plan import RESPONSE
from hhp_stats.plan.table_schema import TableColumn
from hhp_stats.present.consort import trial_table
from hhp_stats.present.listing import capital, listed_words, opened
from hhp_stats.present.marks import presented
from hhp_stats.present.numbers import count, percent, plural, plural_in_words, spelled, withheld
from hhp_stats.present.status import read_release
from hhp_stats.present.tables import text_table
from hhp_stats.results.withheld import WITHHELD
from hhp_stats.studies.output import PEOPLE, StudyOutput, open_output
from hhp_stats.studies.second_table import Coverage, coverage

FEW_CLUSTERS = 40  # below it, clustered standard errors are usually too small (Cameron and Miller 2015, section VI)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardParts:
    """One trial as these parts read it."""

    entry: StudyEntry
    plan: IndividualPlan
    output: StudyOutput
    root: Path

    @presented
    def design(self) -> str:
        """How many were randomised, one by one or in whole groups, to how many arms."""
        plan = self.plan
        people = plural(plan.design.randomised, *plan.words.person)
        arms = listed_words([f"\u201c{arm.label}\u201d" for arm in plan.arms])
        if not plan.design.cluster:
            return f"{opened(people)} were randomised one by one to {spelled(len(plan.arms))} arms: {arms}."
        groups = (
            plan.words.cluster[1] if plan.design.clusters is None else plural(plan.design.clusters, *plan.words.cluster)
        )
        return f"{opened(groups)} with {people} were randomised whole to {spelled(len(plan.arms))} arms: {arms}."

    def deviations(self) -> str:
        """What was done otherwise than planned, with the reason; a sentence where nothing was."""
        own = [entry for entry in load_deviations(self.root) if entry.study == self.entry.study]
        if not own:
            bound = sum(entry.study == self.entry.study for entry in load_commitments(self.root))
            held = (
                f" The plan was compared with {plural(bound, 'commitment')} of the protocol."
                if bound
                else (
                    " There is no protocol to compare it with: data/plan commits this study to no more than its plan."
                )
            )
            return f"Every planned analysis was run as the plan says.{held}"
        told = [f"{entry.id}: planned was {entry.planned}, done was {entry.done}; {entry.reason}" for entry in own]
        return f"{capital(plural_in_words(len(own), 'deviation is', 'deviations are'))} explained. {' '.join(told)}"

    @presented
    def limits(self) -> str:
        """What limits the results, as far as the plan and the numbers say."""
        said = [self._known(), self._clusters(), self._many(), self._refused()]
        return (
            " ".join(sentence for sentence in said if sentence)
            + " The effects are those of being assigned to an arm, whether or not people took up what it offered."
        )

    def consort(self) -> str:
        """Where the chapter answers each item of CONSORT that the design asks for: a sentence and a table, as Markdown.

        What only those who ran the trial can say stands in the table `[consort]` of its plan.
        """
        items = trial_table(self.root, self.entry, clustered=bool(self.plan.design.cluster))
        table = items.whole(
            label=f"tbl-{self.entry.short}-consort",
            caption="CONSORT items: where the chapter answers each, and what is missing",
        )
        return f"{items.count()}\n\n{table}"

    def dictionary(self) -> GT:
        """What each column of the trial's table holds, by its dictionary."""
        rows = [
            {
                "Column": self._heading(column.column),
                "What it holds": column.meaning,
                "Kind": column.kind,
                "Unit": column.unit,
                "Limits or values": _limits(column),
            }
            for column in self.plan.columns.values()
        ]
        return text_table(
            pd.DataFrame(rows, columns=["Column", "What it holds", "Kind", "Unit", "Limits or values"]), stub="Column"
        )

    def _heading(self, column: str) -> str:
        return column if self.plan.data is None else self.plan.data.heading(column)

    @presented
    def provenance(self) -> str:
        """Which files the numbers come from, what their data are, and what the checks found in them."""
        inputs, problems = self.output.tables["inputs"], self.output.tables["problems"]
        raw = inputs.loc[inputs["path"].str.startswith(("data/tables/", "data/returns/", "data/surveys/"))]
        kind = (
            "synthetic"
            if read_release(self.root).is_synthetic(self.entry.study)
            else f"those that the {self.entry.sort} collected"
        )
        rules = [str(code) for code in dict.fromkeys(problems["code"])]
        found = (
            f"the checks left {plural(len(rules), 'warning or note', 'warnings and notes')} ({listed_words(rules)})"
            if rules
            else "the checks found nothing to say"
        )
        names = listed_words([f"{row['path']} ({plural(row['rows'], 'row')})" for row in raw.to_dict("records")])
        return (
            f"The numbers of this chapter come from {names}; the data are {kind}, and {found}. Plan and dictionary are"
            f" data/plan/{self.entry.study}.toml and what it names."
        )

    @presented
    def corrections(self) -> str:
        """How many corrections of the ledger were applied to the trial's table."""
        table = self.output.tables.get("corrections")
        number = 0 if table is None else len(table)
        if not number:
            return "The ledger has no correction: every value is the one that the table was sent with."
        said = opened(plural_in_words(number, "correction was", "corrections were"))
        return f"{said} applied; only the ledger has the values, people and reasons."

    @presented
    def disclosure(self) -> str:
        """By which rule numbers of few people are kept back, and how many cells of this study are."""
        settings = load_disclosure(self.root, self.entry.study)
        zero = ", zero included," if settings.zeros == "withheld" else " but above zero"
        people = self.output.tables[PEOPLE].astype("str")
        gone = people.loc[people["people"] == WITHHELD].drop_duplicates(["table", "row", "column"])
        return (
            f"Counts of {self.plan.words.person[1]} below {spelled(settings.threshold)}{zero} are not printed, nor is"
            " what would give one of them away:"
            f" {plural_in_words(len(gone), 'number is', 'numbers are')} withheld here."
        )

    @presented
    def second_programme(self) -> str:
        """How many planned results other libraries computed again."""
        table = coverage(self.root).table
        own = Coverage(table=table.loc[table["result_id"].str.startswith(f"{self.entry.study}/")])
        if own.covered.empty:
            return "No planned result of this chapter can be computed again by another library."
        again, every = len(own.covered), len(own.estimated)
        one = "The one planned result of this chapter"
        which = one if every == 1 else f"Of {count(every)} planned results of this chapter, {count(again)}"
        verb, agree = ("was", "agrees") if again == 1 else ("were", "agree")
        programmes = listed_words(sorted(set(own.covered["programme"])))
        return f"{which} {verb} computed a second time, by {programmes}, and {agree}."

    def _known(self) -> str:
        """For which share the primary outcome is not known."""
        flow = self.output.tables["flow"]
        analysed = flow.loc[(flow["kind"] == "stage") & (flow["stage"] == "analysed"), "people"]
        if withheld(*analysed):
            return ""
        share = 1 - sum(map(int, analysed)) / self.plan.design.randomised  # of all arms
        if share <= 0:
            return f"The primary outcome is known for all {self.plan.words.person[1]}."
        return (
            f"The primary outcome is not known for {percent(share)} of those randomised; the analysis uses the"
            " others, and depends on what it assumes about the rest."
        )

    def _clusters(self) -> str:
        if (
            not self.plan.design.cluster
            or self.plan.design.clusters is None
            or self.plan.design.clusters >= FEW_CLUSTERS
        ):
            return ""
        return (
            f"Only {count(self.plan.design.clusters)} {self.plan.words.cluster[1]} were randomised, few for"
            " large-sample standard errors."
        )

    def _many(self) -> str:
        n = sum(analysis.kind == "planned" for analysis in self.plan.analyses)
        return (
            f"{capital(spelled(n))} planned comparisons are reported: each would have a chance of 1 in"
            f" {1 / (1 - self.plan.conf_level):.0f} of being clear if there were no effect at all."
            if n > 1
            else ""
        )

    def _refused(self) -> str:
        rows = self.output.results
        # That a comparison of who is known has no result, since all are, is said where the outcome's share is.
        lacking = int(((rows["status"] == "not_estimated") & (rows["outcome"] != RESPONSE)).sum())
        made = opened(plural_in_words(lacking, "estimate"))
        return f"{made} could not be made; the tables say why." if lacking else ""


def _limits(column: TableColumn) -> str:
    """What a column may hold, in words."""
    ends = [
        f"{word} {value:g}" for word, value in (("from", column.minimum), ("to", column.maximum)) if value is not None
    ]
    missing = [f"{', '.join(column.missing)} for not known"] if column.missing else []
    listed = ", ".join((*column.allowed, *column.coded))
    return "; ".join(part for part in (" ".join(ends), listed, *missing) if part)


def parts(study: str, *, root: Path | None = None) -> StandardParts:
    """Open the standard parts of a trial; refuses a study whose results are not ready (HhpError)."""
    home = root or find_root()
    return StandardParts(
        entry=study_entry(home, study),
        plan=load_individual_plan(home, study),
        output=open_output(home, study),
        root=home,
    )
