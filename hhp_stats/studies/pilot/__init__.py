"""The pilots, which share one shape: people of whom the plan counts and describes. Nothing is compared or tested."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hhp_stats.disclosure.crowd import Crowd, crowd
from hhp_stats.disclosure.declared import Columns, Declared, other
from hhp_stats.intake.pilots import PilotPeople, load_pilot
from hhp_stats.intake.themes import Themes, load_themes, themes_of
from hhp_stats.plan.pilot_plan import load_pilot_plan
from hhp_stats.plan.pilot_schema import PilotPlan
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.results.frame import result_frame
from hhp_stats.studies.intake_columns import correction_columns, intake_columns
from hhp_stats.studies.output import StudyOutput
from hhp_stats.studies.pilot import class_tables, descriptives


def run_pilot(root: Path, study: str, *, progress: Progress = silent) -> StudyOutput:
    """Read one pilot's files below `root`, and return every number and table that its plan asks for.

    Raises DataError where the files break rules, PlanError where the plan contradicts itself.
    """
    plan = load_pilot_plan(root, study)
    themes = load_themes(root, study) if (root / themes_of(study)).is_file() else None
    found = described(load_pilot(root, plan), plan, themes=themes)
    progress(1, 1)
    return found


def described(read: PilotPeople, plan: PilotPlan, *, themes: Themes | None = None) -> StudyOutput:
    """The numbers and tables of a pilot, from validated data: `run_pilot` without the files."""
    people = read.people
    inputs = pd.concat([read.inputs, *([] if themes is None else [themes.inputs])], ignore_index=True)
    tables = {name: class_tables.class_table(people, table, plan) for name, table in plan.tables.items()}
    return StudyOutput(
        study=plan.study,
        results=result_frame(descriptives.all_rows(people, plan)),
        conduct=(),
        declared=_declared(crowd(people), plan, inputs, read.corrections),
        tables={
            **tables,
            **({} if themes is None else {"themes": themes.frame}),
            **({} if read.corrections is None else {"corrections": read.corrections}),
            "inputs": inputs,
            "problems": read.problems,
        },
    )


def _declared(c: Crowd, plan: PilotPlan, inputs: pd.DataFrame, corrections: pd.DataFrame | None) -> Declared:
    """Whom the tables and rows count."""
    listed = {each.file: c.everyone() for each in plan.lists.values() if each is next(iter(plan.lists.values()))}
    if plan.data is not None:
        listed = {plan.data.file: c.everyone()}
    columns: dict[str, Columns] = {
        **intake_columns(inputs, known=listed),
        "themes": {"people": other()},
        **{name: class_tables.members_of(c, table, plan) for name, table in plan.tables.items()},
    }
    if corrections is not None:
        columns["corrections"] = correction_columns()
    rows = {
        key: row for entry in plan.descriptives.values() for key, row in descriptives.members_of(c, entry, plan).items()
    }
    return Declared(people=c.there, columns=columns, rows=rows)
