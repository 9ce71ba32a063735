"""The goal-setting trial: walks its plan from the authorities' returns to the result frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hhp_stats.intake.load import load_trial
from hhp_stats.plan.load import load_plan
from hhp_stats.processes.blocks import beside
from hhp_stats.processes.progress import Progress, silent

if TYPE_CHECKING:
    from hhp_stats.studies.output import StudyOutput

STUDY = "goal_setting"


def run(root: Path, study: str = STUDY, *, progress: Progress = silent) -> StudyOutput:
    """Read the trial's raw files below `root`, run every planned analysis, and return rows and tables.

    Raises DataError where the files break rules, PlanError where the plan contradicts itself.
    """
    plan = load_plan(root, study)
    with beside(load_trial, root, study) as trial:
        # The estimators and their libraries take as long to import as the returns take to be read.
        from hhp_stats.studies.goal_setting.analyse import analyse

        return analyse(trial(), plan, progress=progress)
