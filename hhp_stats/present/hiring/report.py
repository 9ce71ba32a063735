"""The results of the hiring experiments as their chapter reads them, beside the figures that were printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.consistency.figures import Figures, load_figures
from hhp_stats.consistency.reproduction import read_mapping, reproduction_table
from hhp_stats.errors import UnknownName
from hhp_stats.lacking import note
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.results import row_of
from hhp_stats.studies.output import StudyOutput
from hhp_stats.withheld import WITHHELD

PUBLISHED = "data/published/published_results.csv"
GROUP = "experiments"

Row = Mapping[str, Any]


def open_printed(root: Path) -> Figures:
    """The printed figures; the chapter sets them beside ours, the analysis never reads them."""
    return load_figures(root / PUBLISHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class HiringReport:
    """Rows, tables, plan and printed figures. Nothing here estimates anything."""

    root: Path
    plan: ExperimentPlan
    output: StudyOutput
    document: str  # source file of the chapter, relative to the root
    published: Figures

    def row(self, experiment: str, estimand: str, method: str = "") -> Row:
        """One result row; without a method, that of the planned one."""
        method = method or self.plan.main_method(experiment).id
        return row_of(self.output.results, self.plan.row_id(experiment, estimand, method))

    def count(self, experiment: str, estimand: str) -> Any:
        """A count of the study, or `WITHHELD`."""
        row = self.row(experiment, estimand, "count")
        return WITHHELD if row["status"] == "withheld" else round(row["estimate"])

    def table(self, name: str) -> pd.DataFrame:
        """A table of counts that the study wrote."""
        if name in self.output.tables and self.output.tables[name].empty:
            note(f"the table {name} has no line")
        if name not in self.output.tables:
            raise UnknownName(
                f"{self.plan.study} wrote no table {name!r}; it wrote {', '.join(sorted(self.output.tables))}"
            )
        return self.output.tables[name]

    def printed(self, figure_id: str) -> str:
        """A figure as it was printed, `0` set before a bare decimal point."""
        text = str(self.published.row(figure_id)["as_printed"])
        return f"0{text}" if text.startswith(".") else text

    def reproduced(self) -> pd.DataFrame:
        """Every printed figure of the experiments beside ours."""
        return reproduction_table(self.published, self.output.results, read_mapping(self.root, GROUP))

    def contrasts(self, experiment: str, method: str = "", *, planned: bool | None = None) -> pd.DataFrame:
        """Rows of the contrasts of an experiment by one method, in the order of the plan."""
        method = method or self.plan.main_method(experiment).id
        wanted = [
            self.plan.row_id(experiment, contrast.id, method)
            for contrast in self.plan.contrasts_of(experiment)
            if planned in (None, contrast.planned)
        ]
        return self.output.results.set_index("result_id", drop=False).loc[wanted].reset_index(drop=True)
