"""The results of one study as its chapter reads them, whatever its kind. Nothing here estimates anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd

from hhp_stats.consistency.figures import Figures, load_figures
from hhp_stats.consistency.reproduction import read_mapping, reproduction_table
from hhp_stats.errors import UnknownName
from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.plan.any_plan import AnyPlan
from hhp_stats.results.frame import row_of
from hhp_stats.results.lacking import note
from hhp_stats.studies.output import NOT_MADE, StudyOutput

PUBLISHED = "data/published/published_results.csv"
PlanOf = TypeVar("PlanOf", bound=AnyPlan)
Row = Mapping[str, Any]


@kept_reading
def printed_figures(root: Path) -> Figures:
    """The printed figures of all studies, read once."""
    return load_figures(root / PUBLISHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResults(Generic[PlanOf]):
    """Plan, rows and tables of one study, and the printed figures beside them."""

    root: Path
    plan: PlanOf
    output: StudyOutput
    document: str  # source file of the chapter, relative to the root

    def row(self, key: str) -> Row:
        """The result row of `outcome/estimand/method`."""
        return row_of(self.output.results, f"{self.plan.study}/{key}")

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

    def published(self) -> Figures:
        """The printed figures of all studies; a chapter sets them beside ours, the analysis never reads them."""
        return printed_figures(self.root)

    def reproduction(self, group: str) -> pd.DataFrame:
        """Published against ours, for the figures of this study; `group` names the list that pairs them."""
        mapping = read_mapping(self.root, group)
        own = mapping.loc[mapping["result_id"].str.startswith(f"{self.plan.study}/")]
        return reproduction_table(self.published(), self.output.results, own)
