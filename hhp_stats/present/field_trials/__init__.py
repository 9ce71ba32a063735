"""Tables, figures and sentences of the field-trial chapters, each by a short name.

A chapter cell says `trial.table("outcomes")` or `trial.figure("arms/burnout")`; what stands after the slash goes
to the function as its argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.present.embed import EmbeddedFigure
from hhp_stats.present.field_trials.figures import FIGURES
from hhp_stats.present.field_trials.on_table import ON_TABLE
from hhp_stats.present.field_trials.report import FieldTrialReport, open_field_trial
from hhp_stats.present.field_trials.sentences import SENTENCES
from hhp_stats.present.field_trials.tables import TABLES
from hhp_stats.present.field_trials.tables_on_table import TABLES_ON_TABLE
from hhp_stats.present.marks import shown

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
        return _made(FIGURES_ON_TABLE if self.report.on_table else FIGURES, name, self.report)

    def say(self, name: str) -> str:
        """A sentence or number for inline code."""
        return _made(SAID_ON_TABLE if self.report.on_table else SENTENCES, name, self.report)


def _made(registry: Mapping[str, Callable[..., Made]], name: str, report: FieldTrialReport) -> Made:
    head, _, argument = name.partition("/")
    if head not in registry:
        raise UnknownName(f"nothing is called {head!r} here; known: {', '.join(sorted(registry))}")
    arguments: tuple[Any, ...] = (argument,) if argument else ()
    return shown(registry[head], report, *arguments)


def chapter(study: str, *, document: str = "", root: Path | None = None) -> FieldTrialChapter:
    """Open the results of one field trial for the chapter `document` (default: the one the plan names)."""
    return FieldTrialChapter(report=open_field_trial(study, document=document, root=root))
