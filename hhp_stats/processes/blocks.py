"""Long random work in blocks: the same numbers in series, on all cores, or on a cluster.

Blocks and their seeds depend on the amount of work alone, never on how many workers share it. The
caller may choose the workers outside, with `joblib.parallel_config(backend=..., n_jobs=...)`, Dask among
them; where nobody has, long work takes every core and short work stays in this process (`workers`). Work of
seconds is shared with copies of this process, which start at once, where that is safe (`_may_fork`).
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from joblib import Parallel, cpu_count, delayed, parallel_config
from joblib.externals.loky.backend.process import LokyProcess
from joblib.parallel import BACKENDS, DEFAULT_BACKEND, get_active_backend

from hhp_stats.errors import InvalidInput
from hhp_stats.processes.progress import Progress
from hhp_stats.processes.with_parent import as_worker, watch_parent

Result = TypeVar("Result")


# Starting processes takes a second or two: shorter work is done before they are up.
LONG_SECONDS = 4.0
# A copy of this process is up in a moment. Longer work goes through joblib all the same, whose processes share
# the cores with the threads of the linear algebra.
FORK_SECONDS, FORK_SECONDS_AT_MOST = 0.5, 60.0
# Sending work to another machine takes longer than this much work takes here.
FAR_SECONDS = 0.5
TASKS = 24  # enough to keep the cores of a large machine busy to the end and to move a progress bar


def workers(seconds: float) -> int | None:
    """How many workers should work of about `seconds` on one core have? For joblib's `n_jobs`.

    None, which is whatever configuration of joblib is in force, where there is one; else every core (-1) for
    long work and one for short. `seconds` is an estimate from the amount of work, never a measurement, and
    the numbers do not depend on it.
    """
    backend, chosen = get_active_backend()
    # Inside a worker the nesting level is above zero, and another backend was chosen by somebody.
    if chosen is not None or backend.nesting_level or not isinstance(backend, BACKENDS[DEFAULT_BACKEND]):
        return None
    return -1 if seconds > LONG_SECONDS else 1


def in_blocks(
    task: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    progress: Progress,
    *,
    seconds: float,
    n_jobs: int | None = None,
) -> list[Result]:
    """Run `task(*job)` for each job, in order of the result, whoever does it; report progress.

    `seconds`: about how long all jobs take on one core; see `workers`. `n_jobs` chooses joblib's workers.
    """
    count = workers(seconds) if n_jobs is None else n_jobs
    results: Iterable[list[Result]]
    if n_jobs is None and count is not None and FORK_SECONDS < seconds < FORK_SECONDS_AT_MOST and _may_fork():
        results = _in_copies(task, jobs)
    elif n_jobs is None and count is None and seconds < FAR_SECONDS and _far_away():
        results = ([task(*job)] for job in jobs)
    else:
        # What the jobs share is sent along with each task: a few tasks of many jobs rather than one of each.
        step = 1 if count == 1 else -(-len(jobs) // TASKS) or 1
        tasks = [jobs[start : start + step] for start in range(0, len(jobs), step)]
        results = Parallel(n_jobs=count, return_as="generator")(
            delayed(_in_turn)(task, part, os.getpid()) for part in tasks
        )
    done: list[Result] = []
    for found in results:
        done.extend(found)
        progress(len(done), len(jobs))
    return done


@contextmanager
def beside(task: Callable[..., Result], *given: Any) -> Iterator[Callable[[], Result]]:
    """Run `task(*given)` in a copy of this process while the caller goes on; what it gets waits for the result.

    Where a copy is not safe the task runs when its result is asked for.
    """
    if not _may_fork():
        yield lambda: task(*given)
        return
    pool = _copies(1)
    running = pool.submit(task, *given)

    def result() -> Result:
        try:
            return running.result()
        finally:
            pool.shutdown()  # its thread would keep this process from being copied again

    try:
        yield result
    finally:
        pool.shutdown()


def _far_away() -> bool:
    """Are the workers those of a Dask cluster?"""
    return type(get_active_backend()[0]).__name__ == "DaskDistributedBackend"


def _may_fork() -> bool:
    """May this process be copied? On Linux, and only without threads: a lock that one held would stay shut in the
    copy.
    """
    return sys.platform == "linux" and threading.active_count() == 1 and cpu_count() > 1


# What the copies of this process find in their memory, so that nothing need be sent to them.
_inherited: tuple[Callable[..., Any], Sequence[tuple[Any, ...]]] | None = None


def _in_copies(task: Callable[..., Result], jobs: Sequence[tuple[Any, ...]]) -> Iterator[list[Result]]:
    """The results of the jobs in order, by as many copies of this process as there are cores."""
    global _inherited
    _inherited = (task, jobs)
    with _copies(min(cpu_count(), len(jobs)) or 1) as pool:
        try:
            for result in pool.map(_inherited_job, range(len(jobs))):
                yield [result]
        except BaseException:
            pool.shutdown(cancel_futures=True)  # those that run already come to their end
            raise
        finally:
            _inherited = None


def _copies(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("fork"), initializer=_as_copy, initargs=(os.getpid(),)
    )


def _as_copy(original: int) -> None:
    as_worker(original)
    parallel_config(n_jobs=1)  # the other cores have copies of their own


def _inherited_job(number: int) -> Any:
    assert _inherited is not None
    task, jobs = _inherited
    return task(*jobs[number])


_watching = False


def _in_turn(task: Callable[..., Result], jobs: Sequence[tuple[object, ...]], asked_by: int) -> list[Result]:
    """Do some of the jobs; a process of joblib's that was started by the process that asks ends with it."""
    global _watching
    if not _watching and isinstance(multiprocessing.current_process(), LokyProcess):
        _watching = True
        watch_parent(asked_by)  # a thread: joblib's processes serve several threads of ours in turn
    return [task(*job) for job in jobs]


def block_sizes(draws: int, block: int) -> list[int]:
    """Sizes of the blocks that `draws` fall into: fixed by the numbers alone, so any backend agrees."""
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
        raise InvalidInput(f"draws must be a whole number, at least one, not {draws!r}")
    return [min(block, draws - start) for start in range(0, draws, block)]


def seed_sequence(seed: int) -> np.random.SeedSequence:
    """The stream of a seed that can be written down and used again; None and negatives are refused (InvalidInput)."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InvalidInput(f"a seed must be a whole number from zero, so that the draws can be repeated; not {seed!r}")
    return np.random.SeedSequence(int(seed))


def child_seeds(rng: np.random.Generator, count: int) -> list[np.random.SeedSequence]:
    """Seeds for `count` blocks; a second call on the same `rng` gives others."""
    if not isinstance(rng, np.random.Generator):
        raise InvalidInput(f"`rng` must be a generator, np.random.default_rng(seed), not {type(rng).__name__}")
    sequence = rng.bit_generator.seed_seq
    if not isinstance(sequence, np.random.SeedSequence):
        raise InvalidInput("the random generator must be made from a seed, as np.random.default_rng(seed) is")
    return sequence.spawn(count)
