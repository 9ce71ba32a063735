"""Tables, figures and sentences of the pilots' chapters: counts, answers, themes; no effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.present.embed import EmbeddedFigure
from hhp_stats.present.marks import shown
from hhp_stats.present.pilots.dictation import (
    access,
    brent,
    concentration,
    coventry,
    goes_on,
    survey,
    usage,
    usage_figure,
)
from hhp_stats.present.pilots.flexitime import experience, interviewees
from hhp_stats.present.pilots.report import PilotReport, conflict, fact, reproduced, roles, theme_count, themes
from hhp_stats.present.stand_in import drawn_or_said
from hhp_stats.studies.output import open_output

Made = TypeVar("Made")

TABLES: Mapping[str, Callable[..., GT]] = {
    "themes": themes,
    "roles": roles,
    "experience": experience,
    "usage": usage,
    "survey": survey,
}
FIGURES: Mapping[str, Callable[..., EmbeddedFigure]] = {"usage": usage_figure}
SENTENCES: Mapping[str, Callable[..., str]] = {
    "access": access,
    "brent": brent,
    "concentration": concentration,
    "coventry": coventry,
    "goes_on": goes_on,
    "interviewees": interviewees,
    "themes": theme_count,
    "fact": fact,
    "conflict": conflict,
    "reproduced": reproduced,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotChapter:
    """What a chapter calls, by name or name/argument."""

    report: PilotReport

    def table(self, name: str) -> GT:
        """A table for a cell labelled `tbl-...`."""
        return _made(TABLES, name, self.report)

    def figure(self, name: str) -> EmbeddedFigure:
        """A figure with its caption and alternative text."""
        draw, report = partial(_made, FIGURES, name, self.report), self.report
        label = f"{report.plan.study[:3]}-{name}".replace("_", "-").replace("/", "-")
        return drawn_or_said(draw, root=report.root, document=report.document, label=lambda: label)

    def say(self, name: str) -> str:
        """A sentence or number for inline code."""
        return _made(SENTENCES, name, self.report)


def _made(registry: Mapping[str, Callable[..., Made]], name: str, report: PilotReport) -> Made:
    head, _, argument = name.partition("/")
    if head not in registry:
        raise UnknownName(f"nothing is called {head!r} here; known: {', '.join(sorted(registry))}")
    arguments: tuple[Any, ...] = (argument,) if argument else ()
    return shown(registry[head], report, *arguments)


def chapter(study: str, *, document: str = "", root: Path | None = None) -> PilotChapter:
    """Open the results of a pilot for the chapter `document` (default: the one the plan names)."""
    home = root or find_root()
    plan = load_individual_plan(home, study)
    return PilotChapter(
        report=PilotReport(root=home, plan=plan, output=open_output(home, study), document=document or plan.chapter)
    )
