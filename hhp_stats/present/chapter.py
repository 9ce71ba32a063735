"""What a chapter of the report calls: tables, figures and sentences of one study, by name.

The cells of a chapter stay one line long; this module says which rows each name stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.returns_schema import ReturnsOutcome, ReturnsPlan
from hhp_stats.present.study_results import StudyResults
from hhp_stats.studies.output import open_output


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyReport(StudyResults[ReturnsPlan]):
    """The results of a trial on returns. Nothing here estimates anything."""

    def rows(self, outcome: str, *, estimand: str = "itt") -> pd.DataFrame:
        """All rows of one outcome and estimand, in the order of the plan."""
        frame = self.output.results
        return frame.loc[(frame["outcome"] == outcome) & (frame["estimand"] == estimand)]

    def outcome(self, key: str) -> ReturnsOutcome:
        """The plan's entry of an outcome."""
        if key not in self.plan.outcomes:
            raise UnknownName(f"the plan of {self.plan.study} has no outcome {key!r}")
        return self.plan.outcomes[key]

    def planned(self, outcome: str) -> Mapping[str, Any]:
        """The row of the planned analysis of an outcome."""
        for analysis in self.plan.analyses:
            if analysis.outcome == outcome and analysis.kind == "planned":
                return self.row(analysis.id)
        raise UnknownName(f"the plan of {self.plan.study} has no planned analysis of {outcome!r}")

    def label(self, result_id: str) -> str:
        """The plan's label of an analysis, by its result id."""
        return self.plan.analysis(result_id.split("/", 1)[1]).label

    def labels(self, rows: pd.DataFrame) -> Sequence[str]:
        """Labels of several rows."""
        return [self.label(result_id) for result_id in rows["result_id"]]


def open_study(study: str, *, document: str = "", root: Path | None = None) -> StudyReport:
    """The study's plan and results; `document` defaults to the chapter the plan names."""
    home = root or find_root()
    plan = load_plan(home, study)
    return StudyReport(root=home, plan=plan, output=open_output(home, study), document=document or plan.chapter)
