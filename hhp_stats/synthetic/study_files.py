"""What each study adds to the synthetic release: its generator and the files that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.intake.dictionary import load_dictionary, returns_planned
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.exports import (
    allocation_files,
    course_log_file,
    linkage_file,
    survey_file,
)
from hhp_stats.synthetic.field_trial import draw_field_trial
from hhp_stats.synthetic.field_trial_files import files_of
from hhp_stats.synthetic.field_trial_files import planted_truth as field_trial_truth
from hhp_stats.synthetic.goal_setting import draw_trial
from hhp_stats.synthetic.hiring import hiring_files
from hhp_stats.synthetic.phase_one import phase_one_files
from hhp_stats.synthetic.pilots import pilot_files
from hhp_stats.synthetic.returns import return_files
from hhp_stats.synthetic.truth import planted_truth

SYNTHETIC, REAL = "synthetic", "real"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFiles:
    """What one study adds: raw files by path below the project, a folder to swap whole, the planted truth."""

    files: Mapping[str, bytes]
    folder: str  # every file below it is replaced together, and those no longer made disappear
    truth: Mapping[str, Any]


def goal_setting_files(root: Path, seed: int | None) -> StudyFiles:
    """The raw files of the goal-setting trial; without a seed that of its assumptions."""
    a = load_assumptions(root)
    seed = a.release.seed if seed is None else seed
    fields = load_dictionary(root)
    draw = draw_trial(
        assumptions=a,
        seed=seed,
        allocation_seed=a.release.allocation_seed,
        n_people=a.plan.design.recruited,
        exact=True,
        contaminated=a.programme.contaminated,
    )
    folder = "data/returns/goal_setting"
    allocation, log = allocation_files(draw)
    returns = return_files(draw=draw, fields=fields, release=a.release.date)
    files = {f"{folder}/{path}": content for path, content in returns.items()}
    files |= {
        "data/allocation/goal_setting.csv": allocation,
        "data/allocation/goal_setting_log.csv": log,
        "data/course_log/goal_setting.csv": course_log_file(draw),
        "data/surveys/goal_setting/linkage.csv": linkage_file(draw),
    }
    for wave in ("baseline", "endline"):
        files[f"data/surveys/goal_setting/{wave}.csv"] = survey_file(draw=draw, fields=fields, wave=wave)
    return StudyFiles(files=files, folder=folder, truth=planted_truth(draw))


def _field_trial(root: Path, study: str, seed: int | None) -> StudyFiles:
    draw = draw_field_trial(root, study, seed=seed)
    return StudyFiles(files=files_of(draw), folder=f"data/surveys/{study}", truth=field_trial_truth(draw))


def _phase_one(root: Path, study: str, seed: int | None) -> StudyFiles:
    return StudyFiles(files=phase_one_files(root, study, seed=seed), folder=f"data/surveys/{study}", truth={})


def _pilot(root: Path, study: str, seed: int | None) -> StudyFiles:
    return StudyFiles(files=pilot_files(root, study, seed=seed), folder=f"data/surveys/{study}", truth={})


def _hiring(root: Path, study: str, seed: int | None) -> StudyFiles:
    return StudyFiles(files=hiring_files(root, seed=seed), folder="data/decisions", truth={})


def _trial_on_returns(root: Path, study: str, seed: int | None) -> StudyFiles:
    return goal_setting_files(root, seed)


# What draws a study's files, by what its plan says of it.
GENERATORS: dict[str, Callable[[Path, str, int | None], StudyFiles]] = {
    "returns": _trial_on_returns,
    "surveys without effect": _phase_one,
    "surveys": _field_trial,
    "experiment": _hiring,
    "pilot": _pilot,
}


def synthetic_studies(root: Path) -> dict[str, str]:
    """The studies whose files are drawn, with the key of what draws each: those with
    `data/plan/synthetic_<study>.toml`.
    """
    found = {}
    for entry in catalogue(root):
        if not (root / f"data/plan/synthetic_{entry.study}.toml").is_file():
            continue
        if returns_planned(root, entry.study):
            found[entry.study] = "returns"
        elif entry.kind in ("experiment", "pilot"):
            found[entry.study] = entry.kind
        else:
            found[entry.study] = "surveys without effect" if entry.simulated_without_effect else "surveys"
    return found
