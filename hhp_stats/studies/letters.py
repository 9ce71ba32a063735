"""Letters of appreciation (chapter 3): walks its plan from the raw files to the result frame."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.progress import Progress, silent
from hhp_stats.studies.field_trial import run_field_trial
from hhp_stats.studies.output import StudyOutput

STUDY = "letters"


def run(root: Path, *, progress: Progress = silent) -> StudyOutput:
    """Read the trial's raw files below `root`, run every planned analysis, and return rows and tables."""
    return run_field_trial(root, STUDY, progress=progress)
