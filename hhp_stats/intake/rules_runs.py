"""Rules about values that were drawn down over many lines: of surveys, lists, returns and tables.

A value that was copied down stays within the limits of its column and hardly moves its mean; that so many lines one
after the other have it gives it away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from hhp_stats.intake.findings import Finding
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_correlation import figures_of
from hhp_stats.intake.runs import Run, runs_beyond
from hhp_stats.intake.survey import SurveyFile
from hhp_stats.intake.table import Table
from hhp_stats.plan.thresholds import Threshold

_RULE = (
    "A column of figures should not hold one value, or a series, over many lines one after the other, unless the column"
    " is in order of size; the plan says how unlikely such a run may be."
)
_REMEDY = "Check whether a cell was copied down, and get the values that were there before."
OF_A_SURVEY = Rule(code="S51", severity="warning", rule=_RULE, remedy=_REMEDY)
OF_A_LIST = Rule(code="L12", severity="warning", rule=_RULE, remedy=_REMEDY)
OF_A_RETURN = Rule(code="X38", severity="warning", rule=_RULE, remedy=_REMEDY)
OF_A_TABLE = Rule(
    code="T25",
    severity="warning",
    rule=f"{_RULE[:-1]}, else one in a hundred thousand.",
    remedy=_REMEDY,
)
USUAL_RUN = Threshold(
    code=OF_A_TABLE.code, about="runs of one value of such a length that chance makes", limit=1e-5, least=8
)


def run_findings(
    rule: Rule, tables: Iterable[Table], thresholds: Mapping[str, Threshold], *, columns: Collection[str] | None = None
) -> list[Finding]:
    """Runs in all columns of figures of files, or in `columns`, by the limit under the code of `rule`."""
    limit = thresholds.get(rule.code)
    return [] if limit is None else list(_findings(rule, tables, limit, columns))


def _findings(
    rule: Rule, tables: Iterable[Table], limit: Threshold, columns: Collection[str] | None
) -> Iterator[Finding]:
    for table in tables:
        names: Sequence[str] = (
            [name for name in columns if name in table.frame]
            if columns is not None
            else (figures_of(table) if isinstance(table, ListFile | SurveyFile) else ())
        )
        for name in names:
            values = table.frame[name].to_numpy(dtype=float, na_value=np.nan)
            for run in runs_beyond(values, limit=limit.limit, least=limit.least):
                yield Finding(
                    rule=rule, file=table.file, cell=_cells(table, name, run), value=_said(name, run), units=(name,)
                )


def _cells(table: Table, name: str, run: Run) -> str:
    return f"{table.cell(name, run.first)}:{table.cell(name, run.first + run.lines - 1)}"


def _said(name: str, run: Run) -> str:
    each = f"each {run.step:g} more than the one before" if run.step else f"all {run.value:g}"
    return f"{name} in {run.lines} lines one after the other, {each}"
