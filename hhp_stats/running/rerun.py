"""Run again the studies that changed, beside each other, and put the whole result frame together."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pandas as pd

from hhp_stats.errors import HhpError
from hhp_stats.intake.accepted_copies import keep_copies
from hhp_stats.plan.conduct import (
    Commitment,
    Deviation,
    check_deviations,
    differences,
    load_commitments,
    load_deviations,
)
from hhp_stats.processes.garbage import look_seldom
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.processes.with_parent import as_worker
from hhp_stats.results.frame import result_frame, write_results
from hhp_stats.running.study import Ran, Study
from hhp_stats.studies.kept import FOLDER, is_kept, note_key, note_whole
from hhp_stats.studies.output import StudyOutput, read_output

_PATIENCE = 10.0  # seconds: writing the results of a study takes less than one
_BEHIND = 5  # niceness: about a quarter of a core beside a process of the usual one


def run_again(
    root: Path,
    studies: Sequence[Study],
    keys: Mapping[str, str],
    compared: Mapping[str, str],
    *,
    progress: Callable[[str], Progress],
    fresh: bool,
    kept: Callable[[str], None],
    on_estimated: Callable[[], None],
    workers: int,
) -> Ran:
    """What `run_studies` does where the results do not stand: `keys` by study, `compared` with that of the plans."""
    work = _Work(root=root, keys=keys, commitments=load_commitments(root), deviations=load_deviations(root))
    standing = {
        study.key: None if fresh or not is_kept(root, study.key, keys[study.key]) else _standing(root, study.key)
        for study in studies
    }
    waiting = [study for study in studies if standing[study.key] is None]
    first = waiting[0].key if waiting else ""
    frames = []
    with _beside(work.results, waiting[1:] if workers > 1 else []) as others:
        for study in studies:
            output = standing[study.key]
            if output is not None:
                kept(study.key)
                work.compare(study, output)
                frames.append(output.results)
            elif study.key in others:
                frames.append(others[study.key]())
            else:
                told = on_estimated if study.key == first else None
                frames.append(work.results(study, progress(study.key), on_estimated=told))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What has to be done for each study, and what every one needs for it."""

    root: Path
    keys: Mapping[str, str]
    commitments: tuple[Commitment, ...]
    deviations: tuple[Deviation, ...]

    def results(
        self,
        study: Study,
        progress: Progress = silent,
        *,
        on_estimated: Callable[[], None] | None = None,
        writing: AbstractContextManager[object] | None = None,
    ) -> pd.DataFrame:
        """Run a study, compute its planned results again by another library, write what of it may be published (while
        `writing` lasts), and return the results that are. `on_estimated` is called once, as soon as every estimate is
        made: what follows needs one core.
        """
        waiting = [on_estimated] if on_estimated is not None else []

        def told(done: int, total: int) -> None:
            progress(done, total)
            if done == total and waiting:
                waiting.pop()()

        output = study.run(self.root, told)
        for tell in waiting:  # the study said nothing of its progress
            tell()
        self.compare(study, output)
        # Not at the head: where all results stand no estimator is needed.
        from hhp_stats.studies.second_programme import checking

        with checking(output) as checked:
            decided = output.decided(self.root)  # neither needs the other, and both take long
            output = checked()
        with writing or nullcontext():
            results = output.write(self.root, decided).results
            note_key(self.root, study.key, self.keys[study.key])
        return results

    def compare(self, study: Study, output: StudyOutput) -> None:
        """Refuse conduct that differs from the plan without an explanation (PlanError)."""
        found = differences([entry for entry in self.commitments if entry.study == study.key], output.conduct)
        check_deviations(found, self.deviations, study=study.key)


Task = Callable[..., pd.DataFrame]  # of a study, and what lasts `writing` while it writes


@contextmanager
def _beside(task: Task, studies: Sequence[Study]) -> Iterator[dict[str, Callable[[], pd.DataFrame]]]:
    """Do the task for these studies one after the other in another process, where there is a second core.

    By study, what waits for its result and raises what went wrong there. Not a pool: its threads would keep this
    process from being copied, and the first study, which takes longest, shares its work with copies
    (`hhp_stats.processes.blocks`).
    """
    if not studies or (os.cpu_count() or 1) < 2:
        yield {}
        return
    spawn = multiprocessing.get_context("spawn")  # started afresh, not forked: the caller may have threads
    here, there = spawn.Pipe(duplex=False)
    writing = spawn.Lock()
    process = spawn.Process(target=_in_turn, args=(task, studies, there, writing, os.getpid()))
    process.start()
    there.close()
    done: dict[str, pd.DataFrame | Exception] = {}

    def result(study: str) -> pd.DataFrame:
        if not done:
            try:
                done.update(here.recv())
            except EOFError:
                raise HhpError(f"the process that ran {study} was ended from outside: run the command again") from None
        found = done[study]
        if isinstance(found, Exception):
            raise found
        return found

    try:
        yield {study.key: partial(result, study.key) for study in studies}
    finally:
        # It has nothing left to do, or nobody waits for it; what it is writing it may finish.
        writing.acquire(timeout=_PATIENCE)
        process.kill()
        process.join()
        here.close()


def _in_turn(
    task: Task, studies: Sequence[Study], pipe: Connection, writing: AbstractContextManager[object], parent: int
) -> None:
    """In the other process: all results by study, or what went wrong with the last that ran."""
    as_worker(parent)
    look_seldom()
    if hasattr(os, "nice"):
        # The first study takes longest: its copies have the cores, and the others' work fills what they leave free.
        os.nice(_BEHIND)
    done: dict[str, pd.DataFrame | Exception] = {}
    for study in studies:
        try:
            done[study.key] = task(study, writing=writing)
        except Exception as error:
            if not isinstance(error, HhpError):
                error.add_note(traceback.format_exc())  # where it went wrong is lost on the way
            done[study.key] = error
            break
    pipe.send(done)  # at the end: nobody reads before the first study is done, and a pipe holds little


def _standing(root: Path, study: str) -> StudyOutput | None:
    """The kept results of a study, or None where a file of them is damaged: then the study runs again."""
    try:
        return read_output(root, study)
    except (HhpError, OSError, ValueError, KeyError, TypeError):
        return None
