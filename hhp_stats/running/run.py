"""Run studies and leave their results where the chapters read them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hhp_stats.plan.catalogue import catalogue, study_entry
from hhp_stats.processes.at_work import at_work
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.running.study import Ran, Study, runnable
from hhp_stats.studies.kept import whole_stands

if TYPE_CHECKING:
    from hhp_stats.studies.output import StudyOutput


def studies_of(root: Path) -> tuple[Study, ...]:
    """Every study of the report in its order, by the catalogue; raises PlanError where that is wrong
    (`plan.catalogue`).
    """
    return tuple(runnable(entry) for entry in catalogue(root))


def run_study(root: Path, study: str, *, progress: Progress = silent) -> StudyOutput:
    """One study by its key; nothing is written. Refuses a key that no plan has (UnknownName)."""
    return runnable(study_entry(root, study)).run(root, progress)


def run_studies(
    root: Path,
    *,
    progress: Callable[[str], Progress],
    fresh: bool = False,
    kept: Callable[[str], None] = lambda study: None,
    on_estimated: Callable[[], None] = lambda: None,
    workers: int = 2,
) -> Ran:
    """Bring the results of every study up to date, and the whole result frame in `.report/results/results.csv`.

    A study whose inputs, plan and code have not changed since its results were written is not run again (`kept(study)`
    is told), unless `fresh`. Of those that run, the first runs here and reports through the callback that
    `progress(study)` gives, the others meanwhile in processes beside it; `on_estimated` is called when it has its
    results and only their checks are left, which leave a core free. The studies' folders below `.report/results/` are
    replaced one by one when complete; the whole frame is written last. Raises PlanError where conduct and plan differ
    without a deviation, or a deviation is unused; ProjectBusy where another process runs them, and NotWritten where
    the disk is full or read only.
    """
    with at_work(root, "results"):
        studies = studies_of(root)
        keys = {study.key: study.key_now(root) for study in studies}
        compared = {**keys, "": _digest_of_conduct_plans(root)}
        stands = None if fresh else whole_stands(root, compared)
        if stands is not None:
            for study in studies:
                kept(study.key)
            return Ran(rows=stands[0], estimated=stands[1], studies=())
        # Only here, for pandas: to find that the results stand, it is not needed.
        from hhp_stats.running.rerun import run_again

        return run_again(
            root,
            studies,
            keys,
            compared,
            progress=progress,
            fresh=fresh,
            kept=kept,
            on_estimated=on_estimated,
            workers=workers,
        )


def _digest_of_conduct_plans(root: Path) -> str:
    """What was planned and what was left, beside the studies' own plans: conduct is compared with it."""
    total = hashlib.sha256()
    for path in sorted((root / "data/plan").glob("*.toml")):
        if path.name.startswith(("commitments", "deviations")):
            total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
