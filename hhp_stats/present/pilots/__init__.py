"""Tables, figures and sentences of the pilots' chapters: numbers of people, classes, themes; no effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import study_entry
from hhp_stats.plan.pilot_plan import load_pilot_plan
from hhp_stats.present.embed import EmbeddedFigure
from hhp_stats.present.marks import shown
from hhp_stats.present.pilots.classes import bars, classes
from hhp_stats.present.pilots.descriptives import (
    amount,
    counted,
    how_many,
    in_per_cent,
    in_words,
    numbers,
    ratio,
    with_interval,
)
from hhp_stats.present.pilots.report import PilotReport, conflict, fact, people, reproduced, theme_count, themes
from hhp_stats.present.stand_in import drawn_or_said
from hhp_stats.studies.output import open_output

Made = TypeVar("Made")

TABLES: Mapping[str, Callable[..., GT]] = {"themes": themes, "numbers": numbers, "classes": classes}
FIGURES: Mapping[str, Callable[..., EmbeddedFigure]] = {"classes": bars}
SENTENCES: Mapping[str, Callable[..., str]] = {
    "count": how_many,
    "words": in_words,
    "counted": counted,
    "amount": amount,
    "percent": in_per_cent,
    "share": with_interval,
    "ratio": ratio,
    "people": people,
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

    def figure(self, name: str, *, caption: str = "") -> EmbeddedFigure:
        """A figure with its caption, the plan's words or the chapter's, and alternative text."""
        report = self.report
        draw = partial(_made, FIGURES, name, report, **({"caption": caption} if caption else {}))
        label = f"{study_entry(report.root, report.plan.study).short}-{name.partition('/')[2]}"
        clean = label.replace("_", "-").replace("/", "-")
        return drawn_or_said(draw, root=report.root, document=report.document, label=lambda: clean)

    def say(self, name: str) -> str:
        """A sentence or number for inline code."""
        return _made(SENTENCES, name, self.report)


def _made(registry: Mapping[str, Callable[..., Made]], name: str, report: PilotReport, **named: str) -> Made:
    head, _, argument = name.partition("/")
    if head not in registry:
        raise UnknownName(f"nothing is called {head!r} here; known: {', '.join(sorted(registry))}")
    arguments: tuple[Any, ...] = (argument,) if argument else ()
    return shown(registry[head], report, *arguments, **named)


def chapter(study: str, *, document: str = "", root: Path | None = None) -> PilotChapter:
    """Open the results of a pilot for the chapter `document` (default: the one the plan names)."""
    home = root or find_root()
    plan = load_pilot_plan(home, study)
    return PilotChapter(
        report=PilotReport(root=home, plan=plan, output=open_output(home, study), document=document or plan.chapter)
    )
