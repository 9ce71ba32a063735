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
from hhp_stats.lacking import note
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.returns_schema import ReturnsOutcome, ReturnsPlan
from hhp_stats.results import row_of
from hhp_stats.studies.output import NOT_MADE, StudyOutput, open_output


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyReport:
    """The results of one study as its chapter reads them. Nothing here estimates anything."""

    root: Path
    plan: ReturnsPlan
    output: StudyOutput
    document: str  # source file of the chapter, relative to the root

    def row(self, analysis: str) -> Mapping[str, Any]:
        """The result row of `outcome/estimand/method`."""
        return row_of(self.output.results, f"{self.plan.study}/{analysis}")

    def rows(self, outcome: str, *, estimand: str = "itt") -> pd.DataFrame:
        """All rows of one outcome and estimand, in the order of the plan."""
        frame = self.output.results
        return frame.loc[(frame["outcome"] == outcome) & (frame["estimand"] == estimand)]

    def table(self, name: str) -> pd.DataFrame:
        """A descriptive table the study wrote; of one that could not be made, or has no line, the reason is noted."""
        if name in self.output.tables and self.output.tables[name].empty:
            note(f"the table {name} has no line")
        elif name not in self.output.tables and NOT_MADE in self.output.tables:
            note(self.not_made(name).get("", f"there is no table {name}"))
        if name not in self.output.tables:
            raise UnknownName(
                f"{self.plan.study} wrote no table {name!r}; it wrote {', '.join(sorted(self.output.tables))}"
            )
        return self.output.tables[name]

    def not_made(self, name: str) -> dict[str, str]:
        """Why a descriptive table lacks lines, by line; by the empty text why there is none at all."""
        if NOT_MADE not in self.output.tables:
            return {}
        listed = self.output.tables[NOT_MADE].to_dict("records")
        return {
            "" if pd.isna(each["line"]) else str(each["line"]): str(each["reason"])
            for each in listed
            if each["table"] == name
        }

    def part(self, name: str, key: str, *, by: str) -> pd.DataFrame:
        """The rows of a descriptive table with one value of a column; of what the data do not allow, the reason is
        noted.
        """
        table = self.table(name)
        found = table.loc[table[by] == key]
        if found.empty:
            note(self.not_made(name).get(key, f"the table {name} has no line for {key.replace('_', ' ')}"))
            raise UnknownName(f"the table {name!r} has no line {key!r}; it has {', '.join(map(str, table[by]))}")
        return found

    def line(self, name: str, key: str, *, by: str) -> dict[str, Any]:
        """The one row of `part`."""
        (row,) = self.part(name, key, by=by).to_dict("records")
        return {str(column): value for column, value in row.items()}

    def lines(self, name: str, *, by: str) -> dict[str, dict[str, Any]]:
        """The rows of a descriptive table by the value of one of its columns, which must not repeat."""
        rows = [{str(key): value for key, value in row.items()} for row in self.table(name).to_dict("records")]
        found = {str(row[by]): row for row in rows}
        if len(found) != len(rows):
            raise UnknownName(f"table {name!r} has several rows with the same {by}")
        return found

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
