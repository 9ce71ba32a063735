"""Kernels: a chapter's code in a process of its own, with nothing of the user's set-up."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from hhp_stats.errors import RenderError
from hhp_stats.publish import dependencies, warm_kernels
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Cell, Inline, Source, steps

INLINE_MIME = "application/vnd.hhp.inline+json"
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

KERNEL_ARGUMENTS = [
    "--HistoryManager.enabled=False",
    "--InlineBackend.figure_formats={'svg'}",
    # Dates and random ids would make every rendering differ.
    "--InlineBackend.rc={'svg.hashsalt': 'report'}",
    "--InlineBackend.print_figure_kwargs={'bbox_inches': 'tight', 'metadata': {'Date': None, 'Creator': None}}",
]
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CELL_LINE = re.compile(r"Cell In\[\d+\], line (\d+)")

# nbformat has no type annotations.
_formats: Any = nbformat.v4

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
    warm_kernels.register()
    process = warm_kernels.WarmProcess({**os.environ, **_SAME_EVERYWHERE})
    try:
        yield process
    finally:
        process.close()


class _KernelManager(AsyncKernelManager):
    """A kernel manager that knows the process its kernel may be forked from."""

    warm: warm_kernels.WarmProcess | None = None


def dependencies_of(notebook: Any) -> dict[str, str]:
    """Files that a notebook's code read, by absolute path, and what stood in them: a checksum."""
    found: dict[str, str] = notebook.cells[-1].outputs[0].data[dependencies.MIME]
    return found


class _OwnInterpreter(KernelSpecManager):
    """Kernels run in this interpreter, whatever kernels the user has installed."""

    def __init__(self, *, forked: bool) -> None:
        super().__init__()
        self.forked = forked

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *KERNEL_ARGUMENTS]
        metadata = {"kernel_provisioner": {"provisioner_name": warm_kernels.NAME}} if self.forked else {}
        return KernelSpec(argv=command, display_name="Python", language="python", metadata=metadata)


async def _run(project: Project, source: Source, warm: warm_kernels.WarmProcess | None) -> Any:
    """Execute one chapter in a kernel of its own, always stopped at the end."""
    planned = steps(source)
    notebook = _notebook(planned)
    with tempfile.TemporaryDirectory(prefix="hhp") as folder:
        manager = _KernelManager(
            kernel_spec_manager=_OwnInterpreter(forked=warm is not None),
            connection_file=str(Path(folder) / "k.json"),
            # Sockets in a folder of one's own: the default name is shared by all kernels of a folder.
            **({} if os.name == "nt" else {"transport": "ipc", "ip": str(Path(folder) / "s")}),
        )
        manager.warm = warm
        client = NotebookClient(
            notebook, km=manager, timeout=None, record_timing=False, resources={"metadata": {"path": str(project.root)}}
        )
        try:
            await client.async_execute(env=_environment(project, folder))
        except CellExecutionError as error:
            raise _located(planned, notebook, error) from None
        except DeadKernelError:
            raise RenderError(source.chapter.path, None, "the kernel died while it ran this chapter") from None
        finally:
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)
    return notebook


_SAME_EVERYWHERE = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
    "PYTHONHASHSEED": "0",
    "PYTHONIOENCODING": "utf-8",
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


def _located(planned: Sequence[Cell | Inline], notebook: Any, error: CellExecutionError) -> RenderError:
    """The failing statement's own file and line, in one short message."""
    for step, cell in zip(planned, notebook.cells[1:-1], strict=True):
        for output in cell.get("outputs", []):
            if output.output_type != "error" or "raises-exception" in cell.metadata.get("tags", []):
                continue
            message = _ANSI.sub("", f"{output.ename}: {output.evalue}")
            if isinstance(step, Inline):
                return RenderError(step.file, step.line, f"{message} (inline code `{step.expression}`)")
            within = _CELL_LINE.search(_ANSI.sub("", "\n".join(output.traceback)))
            at = int(within[1]) - 1 if within else 0
            place = step.code[at] if at < len(step.code) else None
            return RenderError(place.file if place else step.file, place.number if place else step.line, message)
    return RenderError("", None, f"{error.ename}: {error.evalue}")
