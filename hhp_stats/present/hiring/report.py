"""The results of the hiring experiments as their chapter reads them, beside the figures that were printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.present.study_results import Row, StudyResults
from hhp_stats.results.withheld import WITHHELD

GROUP = "experiments"


@dataclass(frozen=True, slots=True, kw_only=True)
class HiringReport(StudyResults[ExperimentPlan]):
    """Rows, tables, plan and printed figures. Nothing here estimates anything."""

    def result(self, experiment: str, estimand: str, method: str = "") -> Row:
        """One result row; without a method, that of the planned one."""
        method = method or self.plan.main_method(experiment).id
        return self.row(f"{experiment}/{estimand}/{method}")

    def count(self, experiment: str, estimand: str) -> Any:
        """A count of the study, or `WITHHELD`."""
        row = self.result(experiment, estimand, "count")
        return WITHHELD if row["status"] == "withheld" else round(row["estimate"])

    def printed(self, figure_id: str) -> str:
        """A figure as it was printed, `0` set before a bare decimal point."""
        text = str(self.published().row(figure_id)["as_printed"])
        return f"0{text}" if text.startswith(".") else text

    def contrasts(self, experiment: str, method: str = "", *, planned: bool | None = None) -> pd.DataFrame:
        """Rows of the contrasts of an experiment by one method, in the order of the plan."""
        method = method or self.plan.main_method(experiment).id
        wanted = [
            self.plan.row_id(experiment, contrast.id, method)
            for contrast in self.plan.contrasts_of(experiment)
            if planned in (None, contrast.planned)
        ]
        return self.output.results.set_index("result_id", drop=False).loc[wanted].reset_index(drop=True)
