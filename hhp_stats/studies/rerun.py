"""Run again the studies that changed, beside each other, and put the whole result frame together."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from hhp_stats.errors import HhpError
from hhp_stats.intake.accepted_copies import keep_copies
from hhp_stats.plan.conduct import check_deviations, differences, load_commitments, load_deviations
from hhp_stats.progress import Progress, silent
from hhp_stats.results import result_frame, write_results
from hhp_stats.studies.kept import FOLDER, is_kept, note_key, note_whole
from hhp_stats.studies.output import StudyOutput, read_output
from hhp_stats.studies.run import Ran, Study
from hhp_stats.with_parent import as_worker


def run_again(
    root: Path,
    studies: Sequence[Study],
    keys: Mapping[str, str],
    compared: Mapping[str, str],
    *,
    progress: Callable[[str], Progress],
    fresh: bool,
    kept: Callable[[str], None],
    workers: int,
) -> Ran:
    """What `run_studies` does where the results do not stand: `keys` by study, `compared` with that of the plans."""
    commitments, deviations = load_commitments(root), load_deviations(root)
    standing = {
        study.key: None if fresh or not is_kept(root, study.key, keys[study.key]) else _standing(root, study.key)
        for study in studies
    }
    waiting = [study for study in studies if standing[study.key] is None]
    frames = []
    with _beside(waiting[1:], root, workers) as others:
        for study in studies:
            output = standing[study.key]
            if output is None:
                beside = others.get(study.key)
                output = study.run(root, progress(study.key)) if beside is None else beside.result()
            else:
                kept(study.key)
            found = differences([entry for entry in commitments if entry.study == study.key], output.conduct)
            check_deviations(found, deviations, study=study.key)
            results = output.results
            if standing[study.key] is None:
                results = output.write(root).results
                note_key(root, study.key, keys[study.key])
            frames.append(results)
    _forget_others(root, [study.key for study in studies])
    whole = pd.concat(frames, ignore_index=True) if frames else result_frame([])
    write_results(whole, root / FOLDER / "results.csv")
    estimated = int((whole["status"] == "estimated").sum())
    keep_copies(root)  # of files that every study has found to be those of the manifest
    note_whole(root, compared, rows=len(whole), estimated=estimated)
    return Ran(rows=len(whole), estimated=estimated, studies=tuple(study.key for study in waiting))


def _forget_others(root: Path, kept: Sequence[str]) -> None:
    """Results of studies that no plan has any more are derived from nothing that is there: they go."""
    for folder in sorted((root / FOLDER).iterdir()):
        if folder.is_dir() and folder.name.split(".")[0] not in kept:
            shutil.rmtree(folder)


@contextmanager
def _beside(studies: Sequence[Study], root: Path, workers: int) -> Iterator[dict[str, Future[StudyOutput]]]:
    """Studies that run in other processes, where there is more than one core and one study."""
    count = min(len(studies), workers - 1, (os.cpu_count() or 1) - 1)
    if count < 1:
        yield {}
        return
    # Started afresh, not forked: the caller may have threads.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=spawn, initializer=as_worker, initargs=(os.getpid(),)) as pool:
        try:
            yield {study.key: pool.submit(study.run, root, silent) for study in studies}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _standing(root: Path, study: str) -> StudyOutput | None:
    """The kept results of a study, or None where a file of them is damaged: then the study runs again."""
    try:
        return read_output(root, study)
    except (HhpError, OSError, ValueError, KeyError, TypeError):
        return None
