"""Appendices made from the plan and the run itself: deviations, clauses, conflicts, inputs, versions, all results."""

from __future__ import annotations

import importlib.metadata
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.estimate.selection_path import EDGE, LIMIT
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.catalogue import catalogue, study_entry
from hhp_stats.plan.clauses import CLAUSE_STATUS, CLAUSES_IN, load_clause_status, protocol_study
from hhp_stats.plan.conflicts import load_conflicts, load_departures
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.load import load_plan
from hhp_stats.present.bars import bars_in_words, labelled_bars
from hhp_stats.present.clause_table import STATUS, clause_table
from hhp_stats.present.conflicts import conflict_table, departure_table
from hhp_stats.present.deviation_table import deviation_count, deviation_table
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.listing import capital, listed_words
from hhp_stats.present.markdown import escaped, printed_table
from hhp_stats.present.marked_text import anchored
from hhp_stats.present.marks import presented
from hhp_stats.present.numbers import (
    WITHHELD,
    count,
    interval,
    level,
    number,
    p_value,
    percent,
    plural,
    withheld_note,
)
from hhp_stats.present.report_clauses import report_clauses
from hhp_stats.present.tables import aligned, filled, plain_table, text_table
from hhp_stats.present.versions import every_study, versions_in, versions_table
from hhp_stats.results.frame import Status, shown
from hhp_stats.results.traced import traced_records
from hhp_stats.results.withheld import decimals_kept
from hhp_stats.studies.output import StudyOutput, open_output

PACKAGES = (
    "pandas",
    "numpy",
    "scipy",
    "statsmodels",
    "linearmodels",
    "great-tables",
    "matplotlib",
    "openpyxl",
    "typst",
    "pypandoc-binary",
)
# What a reader has to know of a version, by its estimator or covariance: said below the tables that have one.
_RULES: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"wild-bootstrap", "randomisation"}),
        "Versions by wild bootstrap and by randomisation inference take missing baselines at zero with an indicator.",
    ),
    (
        frozenset({"lee-bounds", "worst-case-bounds"}),
        "Bounds: their middle, which is no estimate, with the interval for the effect.",
    ),
    (frozenset({"two-way"}), "Two-way clustering counts authorities."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appendix:
    """The run and the plan, as the appendices read them."""

    root: Path
    outputs: Mapping[str, StudyOutput]  # of every study, in order
    protocol: str  # the study whose protocol the clause and version tables are about, "" where none has one

    @property
    def output(self) -> StudyOutput:
        """The study with a protocol."""
        if not self.protocol:
            raise UnknownName(f"no study has a list of clauses ({CLAUSE_STATUS})")
        return self.outputs[self.protocol]

    @property
    def everything(self) -> pd.DataFrame:
        """The result rows of all studies."""
        return pd.concat([entry.results for entry in self.outputs.values()], ignore_index=True)

    @property
    def files(self) -> pd.DataFrame:
        """Every raw file that some study read, once."""
        read = pd.concat([entry.tables["inputs"] for entry in self.outputs.values()], ignore_index=True)
        return read.drop_duplicates("path").sort_values("path", ignore_index=True)

    # ------------------------------------------------------------ A: planned and done
    @presented
    def deviations(self) -> GT:
        """Deviations of this report from the plan, with planned and actual estimate where both exist."""
        table: GT = deviation_table(self.root, self.everything)
        return table

    def deviation_count(self) -> str:
        """How many deviations there are, in a sentence."""
        return deviation_count(self.root)

    def clauses(self, *, status: Sequence[str] = tuple(STATUS)) -> str:
        """Every clause of the protocol: commitment, what became of it, section, plan, results and tests; Markdown."""
        entries = [entry for entry in load_clause_status(self.root) if entry.status in status]
        return clause_table(
            entries,
            study=self.protocol,
            results=self.everything,
            sections=book_sections(self.root),
            document=CLAUSES_IN,
            label="tbl-a-clauses",
            caption=f"Clauses of the {self.name} protocol: what happened to each, and where to find it",
        )

    def clause_figure(self) -> EmbeddedFigure:
        """How many clauses of the protocol had which fate."""
        statuses = pd.Series([entry.status for entry in load_clause_status(self.root)]).value_counts()
        kept = [key for key in STATUS if key in statuses]
        labels, values = [capital(STATUS[key]) for key in kept], [int(statuses[key]) for key in kept]
        whole = sum(values)
        words = [f"{count(n)} ({percent(n / whole, 0)})" for n in values]
        conclusion = self.clause_count().rstrip(".")
        return embed(
            lambda width: labelled_bars(labels, values, words=words, unit="Clauses of the protocol", width=width),
            root=self.root,
            document=CLAUSES_IN,
            label="a-clauses",
            conclusion=conclusion,
            alt=f"Bars of clauses by status. {bars_in_words(labels, words)}.",
            caption=f"Status of the clauses of the {self.name} protocol",
        )

    @property
    def name(self) -> str:
        """What the study with a protocol is called."""
        return study_entry(self.root, self.protocol).inside

    def clause_count(self) -> str:
        """How many clauses have which status."""
        statuses = pd.Series([entry.status for entry in load_clause_status(self.root)]).value_counts()
        parts = [f"{count(statuses[key])} {words}" for key, words in STATUS.items() if key in statuses]
        return f"Of {count(statuses.sum())} clauses: {'; '.join(parts)}."

    @presented
    def report_clauses(self) -> GT:
        """Every clause of a document that is no protocol: what it says, the results that cite it, what to see."""
        table: GT = report_clauses(self.root, self.everything)
        return table

    @presented
    def conflicts(self, *studies: str) -> GT:
        """Conflicts inside and between the documents, with the reading chosen."""
        return conflict_table([entry for entry in load_conflicts(self.root) if entry.study in studies])

    @presented
    def departures(self, *studies: str) -> GT:
        """Departures from plans that the source documents reveal."""
        return departure_table([entry for entry in load_departures(self.root) if entry.study in studies])

    # ------------------------------------------------------------ B: all versions of all analyses
    def versions(self, *outcomes: str) -> GT:
        """Every analysis of some outcomes of the study with a protocol, planned ones marked."""
        plan = plan_of(self.root, self.protocol)
        found = [each for each in versions_in(plan) if each.outcome in outcomes]
        found.sort(key=lambda each: outcomes.index(each.outcome))
        used = {
            name
            for analysis in ([] if isinstance(plan, ExperimentPlan) else plan.analyses)
            if analysis.outcome in outcomes
            for name in (analysis.estimator, analysis.covariance)
        }
        rules = " ".join(words for names, words in _RULES if names & used)
        table: GT = versions_table(plan, self.output.results, found, notes=[rules] if rules else [])
        return table

    def versions_of_others(self) -> str:
        """Every analysis of every other study, a section and a table for each; Markdown."""
        return every_study(self.root, self.everything, without=self.protocol)

    def versions_of(self, role: str) -> GT:
        """Every analysis of the outcomes that the plan gives a role."""
        plan = load_plan(self.root, self.output.study)
        table: GT = self.versions(*(key for key, outcome in plan.outcomes.items() if outcome.role == role))
        return table

    @presented
    def maxima(self) -> GT:
        """Every maximum of the likelihood of the selection models, outcome by outcome, the reported one first."""
        plan = load_plan(self.root, self.output.study)
        rows = self.output.tables["maxima"].to_dict("records")
        cells = pd.DataFrame(
            {
                "Maximum": ["reported" if row["reported"] else _other(row) for row in rows],
                "Outcome": [
                    f"{plan.outcomes[row['outcome']].label} ({plan.outcomes[row['outcome']].unit})" for row in rows
                ],
                "Effect": aligned([number(row["estimate"], 3) for row in rows]),
                "Log likelihood": aligned([number(row["log_likelihood"]) for row in rows]),
                "Correlation": aligned(
                    [
                        number(row["rho"], 3) if row["stationary"] else f"to {number(math.copysign(1, row['rho']), 0)}"
                        for row in rows
                    ]
                ),
                f"Its {level(plan.conf_level)} interval": [
                    interval(row["rho_low"], row["rho_high"]) if row["reported"] else "" for row in rows
                ],
                "p": [p_value(row["p_value"]) if row["reported"] else "" for row in rows],
            }
        )
        return plain_table(
            cells,
            stub="Maximum",
            groups="Outcome",
            notes=[
                (
                    f"Reported: the highest maximum with a correlation up to {number(EDGE)} in size. Edge: a maximum"
                    " beyond that, or a likelihood that still rises where the correlation runs to \u22121 or 1 (log"
                    f" likelihood and effect there at {number(math.tanh(LIMIT), 4)} in size)."
                ),
                (
                    "Intervals of the correlation by profile likelihood; p of the likelihood-ratio test that it is nil."
                    " Both take people as independent, not teams. They are given for the reported maximum alone."
                ),
            ],
        )

    # ------------------------------------------------------------ F: reproducibility
    @presented
    def inputs(self) -> GT:
        """Every file that was read, with its checksum. How many lines one has is withheld where that would say how many
        people are listed and do not take part.
        """
        table = self.files
        rows = pd.DataFrame(
            {
                "File": table["path"],
                "Rows": [WITHHELD if pd.isna(n) else count(n) for n in table["rows"]],
                "Bytes": [count(n) for n in table["bytes"]],
                "SHA-256 (first 16)": table["sha256"].str[:16],
            }
        )
        lines = "Rows: people, answers or entries; of plans, dictionaries and logs the lines of the file."
        return text_table(rows, stub="File", numeric=("Rows", "Bytes"), notes=[lines, *withheld_note(rows)])

    @presented
    def software(self) -> GT:
        """Python and the packages that the numbers depend on."""
        rows = [{"Software": "Python", "Version": platform.python_version()}]
        rows += [{"Software": name, "Version": importlib.metadata.version(name)} for name in PACKAGES]
        return text_table(pd.DataFrame(rows), stub="Software")

    @presented
    def results(self, study: str) -> GT:
        """Every result of one study with its id; counts are whole numbers, and no column is empty."""
        frame = self.everything
        frame = frame.loc[frame["study"] == study]
        ids = list(frame["result_id"])
        rows = pd.DataFrame(
            {
                "Result": [anchored(key.split("/", 1)[1], key) for key in ids],
                "Estimate": aligned([_estimate(row) for row in traced_records(frame)]),
                self._interval(frame): [
                    "" if pd.isna(low) else interval(low, high, 3)
                    for low, high in zip(frame["conf_low"], frame["conf_high"], strict=True)
                ],
                "p": ["" if pd.isna(p) else p_value(p) for p in frame["p_value"]],
                "n": [count(WITHHELD if shown(row)["n"] == WITHHELD else row["n"]) for row in traced_records(frame)],
                "Kind": [
                    kind if status == "estimated" else status.replace("_", " ")
                    for kind, status in zip(frame["analysis"], frame["status"], strict=True)
                ],
            }
        )
        rows = filled(rows, stub="Result")
        numeric = [str(name) for name in rows if name not in ("Result", "Kind")]
        return text_table(rows, stub="Result", numeric=numeric, notes=withheld_note(rows))

    @staticmethod
    def _interval(frame: pd.DataFrame) -> str:
        """The heading of the intervals, with their level where all have one."""
        levels = frame.loc[frame["conf_low"].notna(), "conf_level"].unique()
        return f"{level(levels[0])} CI" if len(levels) == 1 else "Interval"

    def all_results(self) -> str:
        """Every result of every study with its id: a section and a table for each, as Markdown."""
        parts = []
        for entry in catalogue(self.root):
            slug = entry.study.replace("_", "-")
            heading = f"{entry.name} {entry.sort}" if entry.kind == "experiment" else entry.name
            parts.append(f"### {escaped(heading)} {{#sec-reproducibility-{slug}}}\n")
            caption = f"Every result of the {entry.noun} by its identifier"
            parts.append(printed_table(self.results(entry.study), label=f"tbl-f-results-{slug}", caption=caption))
        return "\n".join(parts)

    def counts(self) -> str:
        """How many files this run read, and how many results of each status it has."""
        found = self.everything["status"].value_counts()
        parts = [
            f"{plural(int(found[status]), one)}{more}" for status, (one, more) in _COUNTED.items() if found.get(status)
        ]
        return (
            f"This run computed {plural(int(found.sum()), 'result')} from {plural(len(self.files), 'file')}:"
            f" {listed_words(parts)}."
        )


_COUNTED: Mapping[Status, tuple[str, str]] = {
    "estimated": ("estimate", ""),
    "descriptive": ("descriptive figure", ""),
    "withheld": ("result", " withheld to protect a count of very few people"),
    "not_estimated": ("estimate", " that the data do not allow"),
}


def _estimate(row: Mapping[str, Any]) -> str:
    """An estimate with three decimals, or those that are published; a count of people or files as a whole number."""
    value, kept = row["estimate"], decimals_kept(str(row["note"]))
    counted = str(row["result_id"]).endswith("/count") and not isinstance(value, str) and float(value).is_integer()
    return count(value) if counted else number(value, 3 if kept is None else kept)


def appendix(*, root: Path | None = None) -> Appendix:
    """Open the appendices on the results of every study; refuses studies whose results are not ready (HhpError)."""
    home = root or find_root()
    outputs = {entry.study: open_output(home, entry.study) for entry in catalogue(home)}
    return Appendix(root=home, outputs=outputs, protocol=protocol_study(home))


def _other(row: Mapping[Any, Any]) -> str:
    """What to call a maximum that is not the reported one."""
    return "edge" if abs(row["rho"]) > EDGE else "further, inside"
