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
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import nbformat

from hhp_stats.errors import RenderError
from hhp_stats.publish import dependencies, warm_kernels
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Cell, Inline, Source, steps

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

# nbformat has no type annotations.
_formats: Any = nbformat.v4
_node: Callable[[Any], Any] = nbformat.from_dict

ChapterState = Literal["reused", "running", "executed"]


async def run_all(
    project: Project, sources: Sequence[Source], workers: int, on_chapter: Callable[[Source, ChapterState], None]
) -> list[Any]:
    """The chapters' notebooks with their outputs, `workers` at a time.

    Raises RenderError with file and line of the first failing statement; the other kernels are stopped.
    """
    free = asyncio.Semaphore(max(1, workers))

    with _warm(len(sources)) as warm:

        async def run(source: Source) -> Any:
            async with free:
                on_chapter(source, "running")
                notebook = await _run(project, source, warm)
                on_chapter(source, "executed")
                return notebook

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(run(source)) for source in sources]
        except BaseExceptionGroup as failures:
            # The first failure cancelled the rest; the reader needs that one, not the group.
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]


@contextmanager
def _warm(chapters: int) -> Iterator[warm_kernels.WarmProcess | None]:
    """A process to fork kernels from, where that is possible and pays."""
    if chapters < _FORK_FROM or not warm_kernels.can_fork():
        yield None
        return
    process = warm_kernels.WarmProcess({**os.environ, **_SAME_EVERYWHERE})
    try:
        yield process
    finally:
        process.close()


def dependencies_of(notebook: Any) -> dict[str, str]:
    """Files that a notebook's code read, by absolute path, and what stood in them: a checksum."""
    found: dict[str, str] = notebook.cells[-1].outputs[0].data[dependencies.MIME]
    return found


async def _run(project: Project, source: Source, warm: warm_kernels.WarmProcess | None) -> Any:
    """Execute one chapter in a kernel of its own, which has ended when this returns or raises."""
    planned = steps(source)
    notebook = _notebook(planned)
    with tempfile.TemporaryDirectory(prefix="hhp") as folder:
        environment = _environment(project, folder)
        request = {
            "cells": [{"code": cell.source, "may_fail": "raises-exception" in cell.metadata.get("tags", [])}
                      for cell in notebook.cells],
            "folder": str(project.root), "environment": environment, "settings": SETTINGS,
        }  # fmt: skip
        message = json.dumps(request).encode()
        answer = await (_started(message, environment) if warm is None else _forked(message, warm.address))
    try:
        ran = json.loads(answer)
    except ValueError:  # nothing, or the first part of an answer
        raise RenderError(source.chapter.path, None, "the kernel died while it ran this chapter") from None
    for cell, done in zip(notebook.cells, ran, strict=False):  # a failing cell is the last that ran
        cell.outputs = [_node(output) for output in done["outputs"]]
    if len(ran) < len(notebook.cells):
        raise _located(source, planned, ran)
    return notebook


async def _started(message: bytes, environment: Mapping[str, str]) -> bytes:
    """The answer of a kernel in a newly started Python."""
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), stdin=pipe, stdout=pipe, stderr=nowhere, env=environment,
        start_new_session=os.name == "posix",
    )  # fmt: skip
    try:
        answer, _ = await process.communicate(message)
    except BaseException:
        with suppress(ProcessLookupError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)  # and what it started
            else:
                process.kill()
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
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
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


def _notebook(planned: Iterable[Cell | Inline]) -> Any:
    cells = [_formats.new_code_cell(SETUP + dependencies.WATCH, id="setup")]
    for at, step in enumerate(planned):
        code = step.source if isinstance(step, Cell) else f"__hhp_inline(\n{step.expression}\n)"
        cell = _formats.new_code_cell(code, id=f"step-{at}")
        if isinstance(step, Cell) and step.options["error"]:
            cell.metadata["tags"] = ["raises-exception"]
        cells.append(cell)
    cells.append(_formats.new_code_cell(dependencies.REPORT, id="read"))
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    return _formats.new_notebook(cells=cells, metadata=metadata)


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
