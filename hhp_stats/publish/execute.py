"""Run the code of the chapters, or reuse what it printed before.

A chapter's outputs are kept under a digest of its code, of the declared files and of the installed
packages. Nothing changed means that no kernel starts. Prose, captions and options are no part of the
digest: they are applied to the outputs later.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import os
import re
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from hhp_stats.errors import RenderError
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Cell, Inline, Source

CACHE = Path(".report") / "cache"
INLINE_MIME = "application/vnd.hhp.inline+json"
_KEPT_PER_CHAPTER = 3

# The kernel turns an inline value into Markdown as Quarto does: Markdown stays, text is escaped later.
_SETUP = f"""
def __hhp_inline(value):
    from IPython.display import publish_display_data
    markdown = getattr(value, "_repr_markdown_", None)
    text = markdown() if callable(markdown) else None
    publish_display_data({{{INLINE_MIME!r}: {{
        "markdown": text if text is not None else str(value),
        "escape": text is None and isinstance(value, str),
    }}}})
"""

_KERNEL_ARGUMENTS = [
    "--HistoryManager.enabled=False",
    "--InlineBackend.figure_formats={'svg'}",
    # Dates and random ids would make every rendering differ.
    "--InlineBackend.rc={'svg.hashsalt': 'report'}",
    "--InlineBackend.print_figure_kwargs={'bbox_inches': 'tight', 'metadata': {'Date': None, 'Creator': None}}",
]
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_CELL_LINE = re.compile(r"Cell In\[\d+\], line (\d+)")

# nbformat has no type annotations.
_formats: Any = nbformat.v4
_read_notebook: Callable[..., Any] = nbformat.read
_write_notebook: Callable[..., None] = nbformat.write

ChapterState = Literal["reused", "running", "executed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What a chapter's code printed; `steps` and `outputs` have the same order."""

    outputs: tuple[tuple[Any, ...], ...]
    reused: bool


def steps(source: Source) -> list[Cell | Inline]:
    """Everything in a chapter that is executed, in the order of the source."""
    found: list[Cell | Inline] = []
    for piece in source.pieces:
        if isinstance(piece, Cell):
            if piece.options["eval"]:
                found.append(piece)
        else:
            found.extend(part for part in piece.parts if isinstance(part, Inline))
    return found


def digest_files(root: Path, declared: Sequence[Path]) -> str:
    """One checksum over the names and bytes of files and of all files in folders.

    Names count relative to `root` (or to the declared folder where it lies elsewhere), so that the
    digest does not depend on where the project is. Compiled and hidden files do not count. Raises
    RenderError where a declared path does not exist.
    """
    total = hashlib.sha256()
    for path in declared:
        path = path if path.is_absolute() else root / path
        if not path.exists():
            raise RenderError(str(path), None, "declared as an input of the report, but it does not exist")
        base = root if path.is_relative_to(root) else path.parent
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = file.relative_to(base)
            if not file.is_file() or file.suffix in (".pyc", ".pyo"):
                continue
            if any(part == "__pycache__" or part.startswith(".") for part in file.relative_to(path.parent).parts):
                continue
            total.update(name.as_posix().encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def digest_environment() -> str:
    """One checksum over Python's version and the installed packages with their versions."""
    installed = sorted({f"{found.name}=={found.version}" for found in importlib.metadata.distributions()})
    return hashlib.sha256("\n".join([sys.version, *installed]).encode()).hexdigest()


def digest_chapter(source: Source, *, inputs: str) -> str:
    """The name under which a chapter's outputs are kept: its code, and the digest of all inputs."""
    total = hashlib.sha256(inputs.encode() + _SETUP.encode() + "".join(_KERNEL_ARGUMENTS).encode())
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
) -> list[Executed]:
    """Run all chapters, several at a time, each in a kernel of its own.

    `on_chapter` hears "reused", "running" and "executed". With `fresh` kept outputs are not read.
    Raises RenderError with the file and line of the first failing statement; the other kernels are
    stopped and nothing of the failing chapter is kept.
    """
    inputs = digest_files(project.root, declared) + digest_environment()
    results: dict[int, Executed] = {}
    waiting: list[tuple[int, Source, Path]] = []
    for at, source in enumerate(sources):
        if not steps(source):
            results[at] = Executed(outputs=(), reused=True)
            continue
        kept = project.root / CACHE / f"{source.chapter.slug}-{digest_chapter(source, inputs=inputs)}.ipynb"
        notebook = None if fresh else _kept_notebook(kept)
        if notebook is not None and _has_files(project, source, notebook):
            os.utime(kept)  # recently used outputs are kept longest
            results[at] = Executed(outputs=_outputs(notebook), reused=True)
            on_chapter(source, "reused")
        else:
            waiting.append((at, source, kept))
    if waiting:
        ran = _completed(_run_all(project, [source for _, source, _ in waiting], workers, on_chapter))
        for (at, source, kept), notebook in zip(waiting, ran, strict=True):
            _keep(notebook, kept, slug=source.chapter.slug)
            results[at] = Executed(outputs=_outputs(notebook), reused=False)
    return [results[at] for at in range(len(sources))]


def _completed(work: Coroutine[Any, Any, list[Any]]) -> list[Any]:
    """Run to the end, also where the caller (a notebook, a browser test) has an event loop running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


def _has_files(project: Project, source: Source, notebook: Any) -> bool:
    """Whether the pictures that kept Markdown refers to are still there: code may write them aside."""
    folder = project.root / PurePosixPath(source.chapter.path).parent
    for cell in notebook.cells:
        for output in cell.outputs:
            text = output.get("data", {}).get("text/markdown", "") or output.get("text", "")
            for path in _PICTURE.findall(text):
                if not ((project.root / path[1:]) if path.startswith("/") else folder / path).is_file():
                    return False
    return True


def _kept_notebook(file: Path) -> Any:
    """What was kept, or None where nothing was or where it cannot be read: then the code runs again."""
    try:
        notebook = _read_notebook(file, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, KeyError, AttributeError, nbformat.ValidationError):
        return None
    return notebook


def _outputs(notebook: Any) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(cell.outputs) for cell in notebook.cells[1:])


def _keep(notebook: Any, file: Path, *, slug: str) -> None:
    """Write a whole notebook or none, and forget all but the latest of its chapter."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.part")
    _write_notebook(notebook, partial)
    partial.replace(file)
    pattern = re.compile(rf"{re.escape(slug)}-[0-9a-f]{{20}}\.ipynb")
    older = [old for old in file.parent.iterdir() if pattern.fullmatch(old.name)]
    for old in sorted(older, key=lambda old: old.stat().st_mtime, reverse=True)[_KEPT_PER_CHAPTER:]:
        old.unlink(missing_ok=True)


async def _run_all(
    project: Project, sources: Sequence[Source], workers: int, on_chapter: Callable[[Source, ChapterState], None]
) -> list[Any]:
    free = asyncio.Semaphore(max(1, workers))

    async def run(source: Source) -> Any:
        async with free:
            on_chapter(source, "running")
            notebook = await _run(project, source)
            on_chapter(source, "executed")
            return notebook

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(source)) for source in sources]
    except BaseExceptionGroup as failures:
        # The first failure cancelled the rest; the reader needs that one, not the group.
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


class _OwnInterpreter(KernelSpecManager):
    """Kernels run in this interpreter, whatever kernels the user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *_KERNEL_ARGUMENTS]
        return KernelSpec(argv=command, display_name="Python", language="python")


async def _run(project: Project, source: Source) -> Any:
    """Execute one chapter in a kernel of its own, always stopped at the end."""
    planned = steps(source)
    notebook = _notebook(planned)
    with tempfile.TemporaryDirectory(prefix="hhp") as folder:
        manager = AsyncKernelManager(
            kernel_spec_manager=_OwnInterpreter(),
            connection_file=str(Path(folder) / "k.json"),
            # Sockets in a folder of one's own: the default name is shared by all kernels of a folder.
            **({} if os.name == "nt" else {"transport": "ipc", "ip": str(Path(folder) / "s")}),
        )
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


def _environment(project: Project, folder: str) -> dict[str, str]:
    """One thread per kernel, and nothing of the user's own set-up that could change an output."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
    seconds = (project.date - type(project.date)(1970, 1, 1)).days * 86400
    return {
        **os.environ,
        **single,
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8",
        "SOURCE_DATE_EPOCH": str(seconds),
        "TZ": "UTC",
        "IPYTHONDIR": str(Path(folder) / "ipython"),
    }


def _notebook(planned: Iterable[Cell | Inline]) -> Any:
    cells = [_formats.new_code_cell(_SETUP, id="setup")]
    for at, step in enumerate(planned):
        code = step.source if isinstance(step, Cell) else f"__hhp_inline(\n{step.expression}\n)"
        cell = _formats.new_code_cell(code, id=f"step-{at}")
        if isinstance(step, Cell) and step.options["error"]:
            cell.metadata["tags"] = ["raises-exception"]
        cells.append(cell)
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    return _formats.new_notebook(cells=cells, metadata=metadata)


def _located(planned: Sequence[Cell | Inline], notebook: Any, error: CellExecutionError) -> RenderError:
    """The failing statement's own file and line, in one short message."""
    for step, cell in zip(planned, notebook.cells[1:], strict=True):
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
