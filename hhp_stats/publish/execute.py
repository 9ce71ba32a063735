"""Run the code of the chapters, or reuse what it printed before.

A chapter's outputs are kept under a digest of its code, of the declared files and of the installed
packages, together with a list of the files that the code read (`dependencies`). Nothing of these changed means that
no kernel starts. Prose, captions and options are no part: they are applied to the outputs later.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hhp_stats.publish.dependencies import WATCH, Files, digest_names, relative
from hhp_stats.publish.digests import digest_environment, digest_files
from hhp_stats.publish.kept_text import read_checked, write_checked
from hhp_stats.publish.kernels import PROGRAM, SETTINGS, SETUP, ChapterState, Output, Ran, run_all
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Cell, Source, steps
from hhp_stats.publish.warm_kernels import WarmProcess

CACHE = Path(".report") / "cache"
_KEPT_PER_CHAPTER = 3

_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)|\bphone=\"([^\"]+)\"")


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
    warm: WarmProcess | None = None,
) -> list[Executed]:
    """Run all chapters, several at a time, each in a kernel of its own.

    A chapter whose code, `declared` files and packages are the same, and whose files read then are the same now, is not
    run; with `fresh` every chapter is. `on_chapter` hears "reused", "running" and "executed". `warm` is the process to
    fork kernels from where one was started before. Raises RenderError with
    the file and line of the first failing statement; the other kernels are stopped and nothing of the failing chapter
    is kept.
    """
    inputs = digest_files(project.root, declared) + digest_environment() + digest_names(project.root)
    files = Files(project.root)
    results: dict[int, Executed] = {}
    waiting: list[tuple[int, Source, str]] = []
    for at, source in enumerate(sources):
        if not steps(source):
            results[at] = Executed(outputs=(), reused=True)
            continue
        name = f"{source.chapter.slug}-{digest_chapter(source, inputs=inputs)}"
        outputs = None if fresh else _standing(project, source, name, files)
        if outputs is not None:
            results[at] = Executed(outputs=outputs, reused=True)
            on_chapter(source, "reused")
        else:
            waiting.append((at, source, name))
    if waiting:
        ran = _completed(run_all(project, [source for _, source, _ in waiting], workers, on_chapter, warm))
        for (at, source, name), done in zip(waiting, ran, strict=True):
            kept = {"read": relative(project.root, done.read), "outputs": done.outputs}
            _keep(kept, project.root / CACHE, name, slug=source.chapter.slug)
            results[at] = Executed(outputs=done.outputs, reused=False)
    return [results[at] for at in range(len(sources))]


def _standing(project: Project, source: Source, name: str, files: Files) -> Sequence[Sequence[Output]] | None:
    """Kept outputs of the same code that read what is there now, or None."""
    for file in sorted((project.root / CACHE).glob(f"{name}-*.json"), key=lambda file: -file.stat().st_mtime):
        data = read_checked(file)
        kept = None if data is None else json.loads(data)
        if kept is None or not files.unchanged(kept["read"]):
            continue
        outputs: Sequence[Sequence[Output]] = kept["outputs"]
        if _has_files(project, source, outputs):
            os.utime(file)  # recently used outputs are kept longest
            return outputs
    return None


def _completed(work: Coroutine[Any, Any, list[Ran]]) -> list[Ran]:
    """Run to the end, also where the caller (a notebook, a browser test) has an event loop running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


def _has_files(project: Project, source: Source, outputs: Sequence[Sequence[Output]]) -> bool:
    """Whether the pictures that kept Markdown refers to are still there: code may write them aside."""
    folder = project.root / PurePosixPath(source.chapter.path).parent
    for output in (output for step in outputs for output in step):
        text = output.get("data", {}).get("text/markdown", "") or output.get("text", "")
        for path in ("".join(found) for found in _PICTURE.findall(text)):
            if not ((project.root / path[1:]) if path.startswith("/") else folder / path).is_file():
                return False
    return True


def _keep(value: Mapping[str, Any], folder: Path, name: str, *, slug: str) -> None:
    """Write it, and forget all but the latest of the chapter."""
    read = hashlib.sha256(repr(sorted(value["read"].items())).encode()).hexdigest()[:12]
    write_checked(folder / f"{name}-{read}.json", json.dumps(value).encode())
    pattern = re.compile(rf"{re.escape(slug)}-[0-9a-f]{{20}}-[0-9a-f]{{12}}\.json")
    older = [old for old in folder.iterdir() if pattern.fullmatch(old.name)]
    for old in sorted(older, key=lambda old: old.stat().st_mtime, reverse=True)[_KEPT_PER_CHAPTER:]:
        old.unlink(missing_ok=True)
