"""Run studies and leave their results where the chapters read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pandas as pd

from hhp_stats.at_work import at_work
from hhp_stats.errors import HhpError
from hhp_stats.plan.conduct import check_deviations, differences, load_commitments, load_deviations
from hhp_stats.progress import Progress
from hhp_stats.results import result_frame, write_results
from hhp_stats.studies.kept import is_kept, note_key, study_key
from hhp_stats.studies.output import FOLDER, StudyOutput, read_output

COMMON = ("data/manifest.toml", "data/dictionary.csv", "data/spellings.csv", "data/corrections.csv",
          "data/published/protocol_clauses.csv")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One study of the report: the module whose `run` makes it, and the files it reads."""

    key: str
    module: str
    patterns: tuple[str, ...]

    def run(self, root: Path, progress: Progress) -> StudyOutput:
        """Read the raw files and estimate everything the plan asks for."""
        output: StudyOutput = import_module(self.module).run(root, progress=progress)
        return output


def _smaller(key: str, *more: str) -> Study:
    """A study with one file or folder of each kind under its own name."""
    patterns = (
        f"data/surveys/{key}/*", f"data/allocation/{key}.csv", f"data/usage/{key}.csv", f"data/qualitative/{key}.csv",
        f"data/plan/{key}.toml", *more, *COMMON,
    )  # fmt: skip
    return Study(key=key, module=f"hhp_stats.studies.{key}", patterns=patterns)


STUDIES: tuple[Study, ...] = (
    Study(
        key="goal_setting",
        module="hhp_stats.studies.goal_setting",
        patterns=(
            "data/returns/goal_setting/**/*", "data/surveys/goal_setting/*", "data/allocation/goal_setting*",
            "data/course_log/goal_setting.csv", "data/plan/goal_setting.toml", *COMMON,
        ),
    ),
    _smaller("letters"),
    _smaller("coffee"),
    _smaller("beneficiaries"),
    _smaller("swing"),
    _smaller("mod_ing"),
    _smaller("hiring", "data/decisions/hiring*.csv"),
    _smaller("dictation", "data/plan/sources.toml"),
    _smaller("flexitime", "data/plan/sources.toml"),
)  # fmt: skip


def run_studies(
    root: Path,
    *,
    progress: Callable[[str], Progress],
    fresh: bool = False,
    kept: Callable[[str], None] = lambda study: None,
) -> pd.DataFrame:
    """Bring the results of every study up to date; returns and writes the whole result frame.

    A study whose inputs, plan and code have not changed since its results were written is not run
    again (`kept(study)` is told), unless `fresh`. `progress(study)` gives the callback for one that runs. The
    studies' folders below `.report/results/` are replaced one by one when complete; the whole frame is written last.
    Raises PlanError where conduct and plan differ without a deviation, or a deviation is unused; ProjectBusy where
    another process runs them, and NotWritten where the disk is full or read only.
    """
    with at_work(root, "results"):
        return _run_studies(root, progress=progress, fresh=fresh, kept=kept)


def _run_studies(
    root: Path, *, progress: Callable[[str], Progress], fresh: bool, kept: Callable[[str], None]
) -> pd.DataFrame:
    commitments, deviations = load_commitments(root), load_deviations(root)
    frames = []
    for study in STUDIES:
        key = study_key(root, module=study.module, patterns=study.patterns)
        stands = _standing(root, study.key) if not fresh and is_kept(root, study.key, key) else None
        again = stands is None
        if stands is None:
            output = study.run(root, progress(study.key))
        else:
            kept(study.key)
            output = stands
        found = differences([entry for entry in commitments if entry.study == study.key], output.conduct)
        check_deviations(found, deviations, study=study.key)
        if again:
            output.write(root)
            note_key(root, study.key, key)
        frames.append(output.results)
    whole = pd.concat(frames, ignore_index=True) if frames else result_frame([])
    write_results(whole, root / FOLDER / "results.csv")
    return whole


def _standing(root: Path, study: str) -> StudyOutput | None:
    """The kept results of a study, or None where a file of them is damaged: then the study runs again."""
    try:
        return read_output(root, study)
    except (HhpError, OSError, ValueError, KeyError, TypeError):
        return None
