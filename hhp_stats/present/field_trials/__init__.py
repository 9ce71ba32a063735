"""Tables, figures and sentences of the field-trial chapters, each by a short name.

A chapter cell says `trial.table("outcomes")` or `trial.figure("arms/burnout")`; what stands after the slash goes
to the function as its argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.plan.catalogue import study_entry
from hhp_stats.present.embed import EmbeddedFigure
from hhp_stats.present.field_trials.effects_on_table import NO_BOUNDS
from hhp_stats.present.field_trials.figures import FIGURES
from hhp_stats.present.field_trials.on_table import ON_TABLE
from hhp_stats.present.field_trials.report import FieldTrialReport, label_of, open_field_trial
from hhp_stats.present.field_trials.sentences import SENTENCES
from hhp_stats.present.field_trials.tables import TABLES
from hhp_stats.present.field_trials.tables_on_table import TABLES_ON_TABLE
from hhp_stats.present.markdown import escaped, printed_table
from hhp_stats.present.marks import shown
from hhp_stats.present.stand_in import drawn_or_said
from hhp_stats.results.frame import LACKING

Made = TypeVar("Made")
# Of a trial on a plain table: sentences about the plan's own numbers are those of every trial.
SAID_ON_TABLE: Mapping[str, Callable[..., str]] = {
    **ON_TABLE,
    **{name: SENTENCES[name] for name in ("number", "fact", "words")},
}
FIGURES_ON_TABLE: Mapping[str, Callable[..., EmbeddedFigure]] = {
    name: FIGURES[name] for name in ("flow", "arms", "effects")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTrialChapter:
    """What a chapter calls."""

    report: FieldTrialReport

    def table(self, name: str) -> GT:
        """A table, by name or name/argument."""
        return _made(TABLES_ON_TABLE if self.report.on_table else TABLES, name, self.report)

    def figure(self, name: str) -> EmbeddedFigure:
        """A figure with its caption and alternative text."""
        draw = partial(_made, FIGURES_ON_TABLE if self.report.on_table else FIGURES, name, self.report)
        report = self.report
        return drawn_or_said(draw, root=report.root, document=report.document, label=lambda: label_of(report, name))

    def say(self, name: str) -> str:
        """A sentence or number for inline code."""
        return _made(SAID_ON_TABLE if self.report.on_table else SENTENCES, name, self.report)

    # ------------------------------------------------------------ all outcomes and arms, whatever the plan names
    def brief(self) -> str:
        """A line for every outcome and arm, as a Markdown list (for a cell with `output: asis`)."""
        lines = [escaped(self.say(f"short/{o.id}/{arm.id}")) for o, arm in self.report.comparisons]
        return "".join(f"- {line}\n" for line in lines)

    def each_outcome(self) -> str:
        """Every outcome under a heading of its own: what was found for each arm, whether other versions agree, and the
        arms side by side; Markdown (for a cell with `output: asis`).
        """
        short, said = study_entry(self.report.root, self.report.plan.study).short, []
        for outcome in self.report.measured:
            label = escaped(outcome.label)
            said.append(f"### {label} {{#sec-{short}-results-{outcome.id.replace('_', '-')}}}\n")
            for arm in self.report.plan.offered:
                name = f"{outcome.id}/{arm.id}"
                sentences = [self.say(f"effect/{name}")]
                if self.report.planned(outcome.id, arm)["status"] not in LACKING:  # else nothing is there to agree with
                    sentences.append(self.say(f"robustness/{name}"))
                said.append(escaped(" ".join(sentences)) + "\n")
            said.append(self.figure(f"arms/{outcome.id}")._repr_markdown_())
        return "\n".join(said)

    def each_balance(self) -> str:
        """The arms before the trial, a table for each arm that is compared with the control; Markdown (for a cell with
        `output: asis`).
        """
        short, arms = study_entry(self.report.root, self.report.plan.study).short, self.report.plan.offered
        tables = []
        for arm in arms:
            slug = f"-{re.sub(r'[^a-z0-9]+', '-', arm.id)}" if len(arms) > 1 else ""
            against = f": {arm.label} against {self.report.control.label}" if len(arms) > 1 else ""
            label, caption = f"tbl-{short}-balance{slug}", f"The arms before the trial{against}"
            tables.append(printed_table(self.table(f"balance/{arm.id}"), label=label, caption=caption))
        return "\n".join(tables)

    def each_bound(self) -> str:
        """What those whose outcome is not known could change, for every outcome and arm that the plan asks it of."""
        said = [
            f"*{escaped(self.report.named(o, arm))}.* {escaped(bounds)}"
            for o, arm in self.report.comparisons
            if (bounds := self.say(f"bounds/{o.id}/{arm.id}")) != NO_BOUNDS
        ]
        return "\n\n".join(said or [NO_BOUNDS]) + "\n"


def _made(registry: Mapping[str, Callable[..., Made]], name: str, report: FieldTrialReport) -> Made:
    head, _, argument = name.partition("/")
    if head not in registry:
        raise UnknownName(f"nothing is called {head!r} here; known: {', '.join(sorted(registry))}")
    arguments: tuple[Any, ...] = (argument,) if argument else ()
    return shown(registry[head], report, *arguments)


def chapter(study: str, *, document: str = "", root: Path | None = None) -> FieldTrialChapter:
    """Open the results of one field trial for the chapter `document` (default: the one the plan names)."""
    return FieldTrialChapter(report=open_field_trial(study, document=document, root=root))
