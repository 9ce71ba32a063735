"""Tables, figures and sentences of the goal-setting chapter.

A chapter cell says `gs.table("primary")`: that is the function `primary` or `primary_table` marked with
`@table` in one of the `TOPICS`, each of which holds sentences, tables and figures of one subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.present.chapter import StudyReport, open_study
from hhp_stats.present.embed import EmbeddedFigure
from hhp_stats.present.goal_setting import (
    absence,
    arm_means,
    averages,
    balance,
    baselines,
    bradford,
    compliers,
    costs,
    imputation,
    participants,
    pictures,
    power,
    randomisation,
    timeline,
    turnover,
    unanswered,
    unknown,
    wellbeing,
)
from hhp_stats.present.goal_setting.named import FIGURES, SENTENCES, TABLES
from hhp_stats.present.marks import shown
from hhp_stats.present.stand_in import drawn_or_said

TOPICS = (
    absence,
    arm_means,
    averages,
    balance,
    baselines,
    bradford,
    compliers,
    costs,
    imputation,
    participants,
    pictures,
    power,
    randomisation,
    timeline,
    turnover,
    unanswered,
    unknown,
    wellbeing,
)
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalSettingChapter:
    """The three things a chapter asks for; an unknown name is refused with the list of known ones."""

    report: StudyReport

    def table(self, name: str) -> GT:
        """A table for a cell labelled `tbl-...`."""
        return shown(_named(TABLES, name), self.report)

    def figure(self, name: str) -> EmbeddedFigure:
        """A figure with its caption and alternative text."""
        draw = partial(shown, _named(FIGURES, name), self.report)
        return drawn_or_said(
            draw, root=self.report.root, document=self.report.document, label=lambda: f"gs-{name}".replace("_", "-")
        )

    def say(self, name: str) -> str:
        """A sentence or number for inline code."""
        return shown(_named(SENTENCES, name), self.report)


def _named(registry: Mapping[str, Made], name: str) -> Made:
    if name not in registry:
        raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(registry))}")
    return registry[name]


def chapter(*, document: str = "", root: Path | None = None) -> GoalSettingChapter:
    """Open the goal-setting results for the chapter `document` (default: the one the plan names)."""
    return GoalSettingChapter(report=open_study("goal_setting", document=document, root=root))
