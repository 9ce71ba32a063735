"""Kernels: a chapter's code in a process of its own, with nothing of the user's set-up.

What is called a kernel here is IPython's shell without Jupyter's messages (`cell_shell`). It runs all cells of one
chapter and answers once.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hhp_stats.errors import RenderError
from hhp_stats.files.scratch import scratch_folder
from hhp_stats.processes import children, threads
from hhp_stats.publish import dependencies, warm_kernels
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Cell, Inline, Source

INLINE_MIME = "application/vnd.hhp.inline+json"
PROGRAM = Path(__file__).with_name("cell_shell.py")
_FORK_FROM = 3  # chapters: importing the libraries once pays when several chapters run

# The kernel turns an inline value into Markdown as Quarto does: Markdown stays, text is escaped later.
SETUP = f"""
def __hhp_inline(value):
    from IPython.display import publish_display_data
    markdown = getattr(value, "_repr_markdown_", None)
    text = markdown() if callable(markdown) else None
    publish_display_data({{{INLINE_MIME!r}: {{
        "markdown": text if text is not None else str(value),
        "escape": text is None and isinstance(value, str),
    }}}})
"""

SETTINGS: dict[str, dict[str, Any]] = {
    "HistoryManager": {"enabled": False},
    "InlineBackend": {
        "figure_formats": ["svg"],
        # Dates and random ids would make every rendering differ.
        "rc": {"svg.hashsalt": "report"},
        "print_figure_kwargs": {"bbox_inches": "tight", "metadata": {"Date": None, "Creator": None}},
    },
}
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CELL_LINE = re.compile(r"Cell In\[\d+\], line (\d+)")

ChapterState = Literal["reused", "running", "executed"]

Output = Mapping[str, Any]
"""Something a cell showed, as notebooks keep it: `output_type`, and `data` or `text`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a chapter's steps showed, and the files they read: a checksum by absolute path."""

    outputs: Sequence[Sequence[Output]]
    read: Mapping[str, str]


async def run_all(
    project: Project,
    chapters: Sequence[tuple[Source, Sequence[Cell | Inline]]],
    workers: int,
    on_chapter: Callable[[Source, ChapterState], None],
    on_ran: Callable[[int, Ran], None],
    warm: warm_kernels.WarmProcess | None = None,
) -> None:
    """Run steps of the chapters, `workers` chapters at a time; kernels are forked from `warm` where it was started
    before. `on_ran` is told what the steps of a chapter, by its place among them, showed and read, as soon as they ran.

    Raises RenderError with file and line of the first failing statement; the other kernels are stopped.
    """
    free = asyncio.Semaphore(max(1, workers))

    few = len(chapters) < _FORK_FROM
    with nullcontext(warm) if warm or few else warm_process() as source_of_kernels:

        async def run(at: int) -> None:
            source, planned = chapters[at]
            async with free:
                on_chapter(source, "running")
                ran = await _run(project, source, planned, source_of_kernels)
                on_chapter(source, "executed")
            on_ran(at, ran)

        try:
            async with asyncio.TaskGroup() as group:
                # Those with most steps begin, so that no kernel works alone at the end.
                for at in sorted(range(len(chapters)), key=lambda at: -len(chapters[at][1])):
                    group.create_task(run(at))
        except BaseExceptionGroup as failures:
            # The first failure cancelled the rest; the reader needs that one, not the group.
            raise failures.exceptions[0] from None


@contextmanager
def warm_process() -> Iterator[warm_kernels.WarmProcess | None]:
    """A process to fork kernels from, where that is possible: started early it imports beside other work."""
    if not warm_kernels.can_fork():
        yield None
        return
    process = warm_kernels.WarmProcess({**os.environ, **_SAME_EVERYWHERE})
    try:
        yield process
    finally:
        process.close()


async def _run(
    project: Project, source: Source, planned: Sequence[Cell | Inline], warm: warm_kernels.WarmProcess | None
) -> Ran:
    """Execute steps of one chapter in a kernel of its own, which has ended when this returns or raises."""
    cells = list(_cells(planned))
    with scratch_folder() as folder:
        environment = _environment(project, folder)
        request = {"cells": cells, "folder": str(project.root), "environment": environment, "settings": SETTINGS}
        message = json.dumps(request).encode()
        answer = await (_started(message, environment) if warm is None else _forked(message, warm.address))
    try:
        ran = json.loads(answer)
    except ValueError:  # nothing, or the first part of an answer
        raise RenderError(source.chapter.path, None, "the kernel died while it ran this chapter") from None
    if len(ran) < len(cells):  # a failing cell is the last that ran
        raise _located(source, planned, ran)
    _, *outputs, noted = (cell["outputs"] for cell in ran)
    return Ran(outputs=outputs, read=noted[0]["data"][dependencies.MIME])


async def _started(message: bytes, environment: Mapping[str, str]) -> bytes:
    """The answer of a kernel in a newly started Python."""
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        str(os.getpid()),
        stdin=pipe,
        stdout=pipe,
        stderr=nowhere,
        env=environment,
        start_new_session=os.name == "posix",
    )
    leads = os.name == "posix"
    with children.known(process.pid, leads_group=leads):
        try:
            answer, _ = await process.communicate(message)
        except BaseException:
            children.end(process.pid, group=leads)  # and what it started
            await process.wait()
            raise
    return answer


async def _forked(message: bytes, address: str) -> bytes:
    """The answer of a kernel that is forked from the warm process; nothing where that process is gone."""
    pid = b""
    try:
        reader, writer = await asyncio.open_unix_connection(address)
        try:
            writer.write(message)
            writer.write_eof()
            pid = await reader.readline()
            return await reader.read()
        except asyncio.CancelledError:
            # It has to be gone before its folder is taken away: the connection ends with it.
            if pid := pid or await reader.readline():
                with suppress(ProcessLookupError):
                    os.killpg(int(pid), signal.SIGKILL)
                await reader.read()
            raise
        finally:
            writer.close()
    except OSError:
        return b""


_SAME_EVERYWHERE = {
    **dict.fromkeys(threads.NAMES, "1"),
    "PYTHONHASHSEED": "0",
    "PYTHONIOENCODING": "utf-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}


def _environment(project: Project, folder: str) -> dict[str, str]:
    """One thread per kernel, and nothing of the user's own set-up that could change an output."""
    seconds = (project.date - type(project.date)(1970, 1, 1)).days * 86400
    return {
        **os.environ,
        **_SAME_EVERYWHERE,
        "SOURCE_DATE_EPOCH": str(seconds),
        "TZ": "UTC",
        "IPYTHONDIR": str(Path(folder) / "ipython"),
    }


def _cells(planned: Iterable[Cell | Inline]) -> Iterator[dict[str, Any]]:
    """What the kernel runs: the set-up, the chapter's own steps, and the list of what they read."""
    yield {"code": SETUP + dependencies.WATCH, "may_fail": False, "inline": False}
    for step in planned:
        if isinstance(step, Cell):
            yield {"code": step.source, "may_fail": bool(step.options["error"]), "inline": False}
        else:
            yield {"code": f"__hhp_inline(\n{step.expression}\n)", "may_fail": False, "inline": True}
    yield {"code": dependencies.REPORT, "may_fail": False, "inline": False}


def _located(source: Source, planned: Sequence[Cell | Inline], ran: Sequence[Mapping[str, Any]]) -> RenderError:
    """The failing statement's own file and line, in one short message; it stands in the last cell that ran."""
    message = _ANSI.sub("", ran[-1]["error"])
    at = len(ran) - 2  # the first cell is not the chapter's, nor is the one after all steps
    if not 0 <= at < len(planned):
        return RenderError(source.chapter.path, None, message)
    step = planned[at]
    if isinstance(step, Inline):
        return RenderError(step.file, step.line, f"{message} (inline code `{step.expression}`)")
    traces = [part for output in ran[-1]["outputs"] for part in output.get("traceback", ())]
    within = _CELL_LINE.search(_ANSI.sub("", "\n".join(traces)))
    line = int(within[1]) - 1 if within else 0
    place = step.code[line] if line < len(step.code) else None
    return RenderError(place.file if place else step.file, place.number if place else step.line, message)
