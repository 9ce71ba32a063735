"""Tables, figures and sentences of the chapter on the hiring experiments, each by a short name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.experiments import load_experiment_plan
from hhp_stats.present.embed import EmbeddedFigure
from hhp_stats.present.hiring.figures import FIGURES
from hhp_stats.present.hiring.report import HiringReport
from hhp_stats.present.hiring.sentences import SENTENCES
from hhp_stats.present.hiring.tables import TABLES
from hhp_stats.present.marks import shown
from hhp_stats.present.stand_in import drawn_or_said
from hhp_stats.studies.output import open_output

STUDY = "hiring"
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class HiringChapter:
    """The three things a chapter asks for; an unknown name is refused with the list of known ones."""

    report: HiringReport

    def table(self, name: str) -> GT:
        """A table for a cell labelled `tbl-...`."""
        return shown(_named(TABLES, name), self.report)

    def figure(self, name: str) -> EmbeddedFigure:
        """A figure with its caption and alternative text."""
        draw, report = partial(shown, _named(FIGURES, name), self.report), self.report
        label = f"hiring-{name}".replace("_", "-")
        return drawn_or_said(draw, root=report.root, document=report.document, label=lambda: label)

    def say(self, name: str) -> str:
        """A sentence or number for inline code."""
        return shown(_named(SENTENCES, name), self.report)


def _named(registry: Mapping[str, Callable[[HiringReport], Made]], name: str) -> Callable[[HiringReport], Made]:
    if name not in registry:
        raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(registry))}")
    return registry[name]


def chapter(*, document: str = "", root: Path | None = None) -> HiringChapter:
    """Open the results of the hiring experiments for the chapter `document` (default: the one the plan names)."""
    home = root or find_root()
    plan = load_experiment_plan(home, STUDY)
    report = HiringReport(
        root=home,
        plan=plan,
        output=open_output(home, STUDY),
        document=document or plan.chapter,
    )
    return HiringChapter(report=report)
