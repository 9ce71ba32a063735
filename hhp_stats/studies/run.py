"""Run studies and leave their results where the chapters read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from hhp_stats.plan.conduct import check_deviations, differences, load_commitments, load_deviations
from hhp_stats.progress import Progress
from hhp_stats.results import result_frame, write_results
from hhp_stats.studies import goal_setting
from hhp_stats.studies.output import FOLDER, StudyOutput

Run = Callable[..., StudyOutput]
STUDIES: Mapping[str, Run] = {goal_setting.STUDY: goal_setting.run}


def run_studies(root: Path, *, progress: Callable[[str], Progress]) -> pd.DataFrame:
    """Run every study of the report; returns and writes the whole result frame.

    `progress(study)` gives the callback that is told how far that study is. The studies' folders
    below `.report/results/` are replaced one by one when complete; the whole frame is written last.
    Raises PlanError where conduct and plan differ without a deviation, or a deviation is unused.
    """
    commitments, deviations = load_commitments(root), load_deviations(root)
    frames = []
    for study, run in STUDIES.items():
        output = run(root, progress=progress(study))
        found = differences([entry for entry in commitments if entry.study == study], output.conduct)
        check_deviations(found, deviations, study=study)
        output.write(root)
        frames.append(output.results)
    whole = pd.concat(frames, ignore_index=True) if frames else result_frame([])
    write_results(whole, root / FOLDER / "results.csv")
    return whole
