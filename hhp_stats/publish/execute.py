"""Run the code of the chapters, or reuse what it printed before.

A chapter's outputs are kept under a digest of its code, of the declared files and of the installed
packages, together with a list of the files that the code read (`dependencies`). Nothing of these changed means that
no kernel starts; where only the code of some steps did, only these run, and what they rest on (`kept_outputs`). Prose,
captions and options are no part: they are applied to the outputs later.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.publish.dependencies import WATCH, Files, digest_names, relative
from hhp_stats.publish.digests import digest_environment, digest_files
from hhp_stats.publish.kept_outputs import Waiting, keep, standing, waiting
from hhp_stats.publish.kernels import PROGRAM, SETTINGS, SETUP, ChapterState, Output, Ran, run_all
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Cell, Source, steps
from hhp_stats.publish.warm_kernels import WarmProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What a chapter's code printed; `steps` and `outputs` have the same order."""

    outputs: Sequence[Sequence[Output]]
    reused: bool


def digest_chapter(source: Source, *, inputs: str) -> str:
    """The name under which a chapter's outputs are kept: its code, and the digest of all inputs."""
    watch = WATCH.replace(str(Path(__file__).parents[1]), "")
    total = hashlib.sha256((inputs + SETUP + watch + json.dumps(SETTINGS)).encode() + PROGRAM.read_bytes())
    for step in steps(source):
        if isinstance(step, Cell):
            total.update(f"\0cell {bool(step.options['error'])}\0{step.source}".encode())
        else:
            total.update(f"\0inline\0{step.expression}".encode())
    return total.hexdigest()[:20]


def execute(
    project: Project,
    sources: Sequence[Source],
    *,
    declared: Sequence[Path] = (),
    fresh: bool = False,
    workers: int = 2,
    on_chapter: Callable[[Source, ChapterState], None] = lambda source, state: None,
    on_outputs: Callable[[int, Executed], None] = lambda at, executed: None,
    warm: WarmProcess | None = None,
) -> list[Executed]:
    """Run all chapters, several at a time, each in a kernel of its own.

    A chapter whose code, `declared` files and packages are the same, and whose files read then are the same now, is not
    run, and of another no step that only shows what it showed before; with `fresh` everything runs. `on_chapter` hears
    "reused", "running" and "executed"; `on_outputs` is given a chapter's outputs, by its place, as soon as they are
    there, while others still run. `warm` is the process to fork kernels from where one was started before. Raises
    RenderError with the file and line of the first failing statement; the other kernels are stopped and nothing of the
    failing chapter is kept.
    """
    inputs = digest_files(project.root, declared) + digest_environment() + digest_names(project.root)
    files = Files(project.root)
    results: dict[int, Executed] = {}
    asked: list[tuple[int, Waiting]] = []

    def found(at: int, executed: Executed) -> None:
        results[at] = executed
        on_outputs(at, executed)

    for at, source in enumerate(sources):
        if not steps(source):
            found(at, Executed(outputs=(), reused=True))
            continue
        name = f"{source.chapter.slug}-{digest_chapter(source, inputs=inputs)}"
        outputs = None if fresh else standing(project, source, name, files)
        if outputs is not None:
            on_chapter(source, "reused")
            found(at, Executed(outputs=outputs, reused=True))
        else:
            asked.append((at, waiting(project, source, name, inputs=inputs, files=None if fresh else files)))
    if asked:

        def on_ran(place: int, ran: Ran) -> None:
            at, chapter = asked[place]
            whole = chapter.completed(ran.outputs)
            keep(project, chapter, whole, read={**chapter.read, **relative(project.root, ran.read)}, inputs=inputs)
            found(at, Executed(outputs=whole, reused=False))

        chapters = [(chapter.source, chapter.to_run) for _, chapter in asked]
        _complete(run_all(project, chapters, workers, on_chapter, on_ran, warm))
    return [results[at] for at in range(len(sources))]


def _complete(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, also where the caller (a notebook, a browser test) has an event loop running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work).result()
