"""An empty table of a trial to fill in: the headings of its dictionary with meanings, units, limits and drop-downs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Font

from hhp_stats.errors import PlanError
from hhp_stats.intake.manifest import study_status
from hhp_stats.intake.plain_table import RELEASE, SYNTHETIC, table_fields
from hhp_stats.intake.template import SPARE_ROWS, fill_column
from hhp_stats.plan.individual import load_individual_plan


def table_template(root: Path, study: str) -> Any:
    """What is to be filled in? An openpyxl workbook with one sheet: headings in the first row, one row a person.

    Headings are those of the file (`[data.columns]` of the plan); each has a note with what the dictionary says, and a
    drop-down or limits. Of a trial whose data are synthetic a column marks every row as such. Raises PlanError for a
    study whose data are no plain table.
    """
    plan = load_individual_plan(root, study)
    if plan.data is None:
        raise PlanError(
            f"data/plan/{study}.toml",
            "data",
            "is missing: the data of this study are no plain table.",
            "Its surveys and lists come from where they are collected; there is nothing to fill in.",
        )
    book: Any = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Table"
    fields = table_fields(plan)
    last = 1 + max(SPARE_ROWS, plan.design.randomised + 100)
    for column, field in enumerate(fields, start=1):
        fill_column(sheet, column, field, heading_row=1, last=last)
    if study_status(root, study) == SYNTHETIC:
        sheet.cell(row=1, column=len(fields) + 1, value=RELEASE).font = Font(bold=True)
        for row in range(2, plan.design.randomised + 2):
            sheet.cell(row=row, column=len(fields) + 1, value=SYNTHETIC)
    sheet.freeze_panes = "B2"
    return book
