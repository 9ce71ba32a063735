"""Render the book: the one call that `hhp render` makes.

The result is built in a folder beside the output and takes its place when whole, so a render that
fails or is interrupted leaves the last good one untouched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from hhp_stats.errors import RenderError
from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.files.remember import code_of
from hhp_stats.files.replaced_folder import replaced
from hhp_stats.files.unfinished import remove_parts
from hhp_stats.processes.at_work import at_work
from hhp_stats.publish import well_formed
from hhp_stats.publish.chapter_trees import Parsed
from hhp_stats.publish.chapters import all_of, html_pages, printed_bodies, read_chapters, start_reading, start_writing
from hhp_stats.publish.document import DOCUMENT_NAME, write_document
from hhp_stats.publish.execute import Executed, execute
from hhp_stats.publish.kept_text import FOLDER as TEXTS
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.lint import read_and_lint
from hhp_stats.publish.pdf import write_pdf
from hhp_stats.publish.project import Project, load_project
from hhp_stats.publish.quarto_cli import TARGETS, find_quarto, pages_of, render_format
from hhp_stats.publish.render_progress import Clock, RenderProgress, SilentProgress, told
from hhp_stats.publish.site import PDF_NAME, TABLES_NAME, write_site
from hhp_stats.publish.volumes import Volume, files_of
from hhp_stats.publish.warm_kernels import WarmProcess

VOLUMES = ".report/cache/volumes"  # below the project: printed volumes and workbooks, under what they were made from
_KEPT_VOLUMES = 8  # of four megabytes each

Format = Literal["html", "pdf", "docx"]
Engine = Literal["embedded", "quarto"]


class Explain(Protocol):
    """Says what stands behind the results and functions that the pages name; the answer must be JSON."""

    def __call__(self, *, results: Collection[str], functions: Collection[str]) -> Mapping[str, Any]:
        """Rows, clauses, code and inputs; see `present.explanations.explanations`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderReport:
    """What a rendering made, and from what."""

    output: Path
    pages: tuple[str, ...]  # names within the output folder
    pdf: Path | None  # the volume of the chapters
    printed: tuple[Path, ...]  # all volumes
    executed: tuple[str, ...]  # chapters whose code ran
    reused: tuple[str, ...]  # chapters with code whose kept outputs were used
    seconds: Mapping[str, float]  # by stage
    unprinted: str = ""  # characters of the data that no font has; the PDF names their code points


def render_book(
    *,
    root: Path,
    output: Path,
    formats: Sequence[Format] = ("html", "pdf"),
    engine: Engine = "embedded",
    fresh: bool = False,
    workers: int = 2,
    declared: Sequence[Path] = (),
    attachments: Sequence[Path] = (),
    banner: str | Mapping[str, str] | None = None,
    explain: Explain | None = None,
    inspect: Callable[[Path], None] | None = None,
    progress: RenderProgress | None = None,
    warm: WarmProcess | None = None,
    warm_stays: bool = False,
    guard: OutputGuard | None = None,
) -> RenderReport:
    """Render the Quarto book in `root` into the folder `output`.

    The output folder is replaced as a whole: it holds the asked-for `formats` and copies of the
    `attachments` (every page links to them), nothing of an earlier rendering. `declared` files and
    folders are inputs of the code: when their bytes, the code or the installed packages change, code
    runs again; otherwise kept outputs are used, unless `fresh`. `workers` kernels run at once. `banner`
    is the notice on every page and the cover: None takes the configuration's, "" shows none; a mapping gives it by
    chapter, and under "" for the cover and all other pages. `explain`
    gives what a reader is shown about a marked number; it is asked once, for all that the pages mark.
    `warm` is a process to fork kernels from that was started before (`kernels.warm_process`); it is ended as soon as
    the chapters have run, for it holds memory that Typst needs, unless it is for more renderings (`warm_stays`).
    `inspect` is called with the folder as soon as it holds the pages: what it raises keeps the last report. `guard`
    says which command renders, and what the user allowed it to replace.

    Raises RenderError, naming file and line where there is one: something outside the shared subset
    of Quarto, a failing statement, a missing label, citation or alternative text, or an engine that
    is not installed. Raises OutputRefused where `output` is, lies in or holds anything but an earlier rendering,
    ProjectBusy where another process renders this project, and NotWritten where the disk is full or read only; the
    last report then stays as it was.
    """
    root = root.resolve()
    if unknown := set(formats) - set(get_args(Format)):
        raise ValueError(f"unknown formats: {', '.join(sorted(unknown))}")
    if not formats:
        raise ValueError("no format asked for")
    if engine == "quarto" and "docx" in formats:
        raise RenderError("_quarto.yml", None, "the Word draft is made by the embedded engine")
    clock = Clock(progress or SilentProgress())
    guard = guard or OutputGuard(root=root, command="hhp render")
    with at_work(root, "render"), replaced(output, guard) as building:
        remove_parts(root)
        if engine == "embedded":
            made = _embedded(
                root,
                building,
                formats=formats,
                fresh=fresh,
                workers=workers,
                declared=declared,
                clock=clock,
                attachments=attachments,
                banner=banner,
                explain=explain,
                inspect=inspect,
                warm=warm,
                warm_stays=warm_stays,
            )
        elif engine == "quarto":
            made = _quarto(root, building, formats=formats, clock=clock)
            if inspect is not None:
                inspect(building)
        else:
            raise ValueError(f"unknown engine: {engine!r}")
        for file in attachments:
            shutil.copyfile(file, building / file.name)
    output = output.resolve()
    return RenderReport(
        output=output,
        pages=tuple(made.pages),
        pdf=output / PDF_NAME if "pdf" in formats else None,
        printed=tuple(output / name for name in made.printed),
        executed=tuple(made.executed),
        reused=tuple(made.reused),
        unprinted=made.unprinted,
        seconds=dict(clock.seconds),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    pages: Sequence[str]
    printed: Sequence[str] = ()  # names of the volumes
    executed: Sequence[str] = ()
    reused: Sequence[str] = ()
    unprinted: str = ""


def _embedded(
    root: Path,
    building: Path,
    *,
    formats: Sequence[Format],
    fresh: bool,
    workers: int,
    declared: Sequence[Path],
    attachments: Sequence[Path],
    banner: str | Mapping[str, str] | None,
    explain: Explain | None,
    inspect: Callable[[Path], None] | None,
    warm: WarmProcess | None,
    warm_stays: bool,
    clock: Clock,
) -> _Made:
    with clock.stage("read"):
        project = load_project(root)
        if banner is not None:
            notices = {"": banner} if isinstance(banner, str) else banner
            project = replace(project, banner=notices[""], banners=notices)
        sources, problems = read_and_lint(project)
        if problems:
            first, *more = problems
            rest = "".join(f"\n{problem}" for problem in more)
            raise RenderError(first.file, first.line, first.message + rest)

    kept = KeptTexts(root / TEXTS, fresh=fresh)
    with _threads(workers) as pool:
        reading: dict[int, Future[Parsed]] = {}

        def read(at: int, outputs: Executed) -> None:
            """Beside the kernels that still run."""
            reading[at] = start_reading(project, sources[at], outputs, kept=kept, pool=pool)

        with clock.stage("execute"):
            executed = execute(
                project,
                sources,
                declared=declared,
                fresh=fresh,
                workers=workers,
                on_chapter=told(sources, clock.progress),
                on_outputs=read,
                warm=warm,
            )
        if warm is not None and not warm_stays:
            warm.close()
        with clock.stage("read pages"):
            book = read_chapters(project, sources, [reading[at] for at in range(len(sources))], kept=kept)
    figures = book.figures

    printed = files_of(project) if "pdf" in formats else []
    workbook = [TABLES_NAME] if "html" in formats else []
    draft = [DOCUMENT_NAME] if "docx" in formats else []
    downloads = [*printed, *draft, *workbook, *(file.name for file in attachments)]
    pages: list[str] = []
    unprinted = ""

    # Pandoc and Typst are processes, so threads use all cores.
    with clock.stage("write"), _threads(workers) as pool:
        documents = KeptTexts(root / VOLUMES, fresh=fresh, most=_KEPT_VOLUMES)

        def pdf(texts: Sequence[Future[str]]) -> str:
            def write(volume: Volume, body: str) -> str:
                target = building / volume.file
                return write_pdf(
                    project, sources, volume=volume, body=body, figures=figures, kept=documents, target=target
                )

            # One volume after the other: each takes most of a gigabyte, and the other core writes the pages meanwhile.
            with ThreadPoolExecutor(max_workers=1) as presses:
                return "".join(all_of([presses.submit(write, *each) for each in printed_bodies(book, texts)]))

        # Typst takes longest: its text is written first, and it sets the document beside the pages.
        with ThreadPoolExecutor(max_workers=1) as beside:
            setting: Future[str] | None = None
            if "pdf" in formats:
                setting = beside.submit(pdf, start_writing(book, target="typst", kept=kept, pool=pool))
            if draft:
                trees = start_writing(book, target="docx", kept=kept, pool=pool)
                write_document(project, sources, texts=trees, figures=figures, target=building / DOCUMENT_NAME)
            if "html" in formats:
                written = html_pages(book, start_writing(book, target="html", kept=kept, pool=pool), kept=kept)
                pages.extend(
                    write_site(
                        project,
                        pages=written,
                        figures=figures,
                        downloads=downloads,
                        cells=book.cells,
                        explain=explain,
                        remember=kept.text,
                        target=building,
                    )
                )
                _write_workbook(project, written, documents, building / TABLES_NAME)
            if inspect is not None:  # Typst is still at work
                inspect(building)
            if setting is not None:
                unprinted = setting.result()
    kept.forget_oldest()
    documents.forget_oldest()
    code = [
        (source.chapter.path, done.reused) for source, done in zip(sources, executed, strict=True) if source.has_code
    ]
    return _Made(
        pages=pages,
        printed=[*printed, *draft],
        unprinted="".join(dict.fromkeys(unprinted)),
        executed=[path for path, reused in code if not reused],
        reused=[path for path, reused in code if reused],
    )


@contextmanager
def _threads(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads for work of other processes; where something fails, what waits for one is not begun."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _write_workbook(project: Project, pages: Mapping[str, Mapping[str, Any]], kept: KeptTexts, target: Path) -> None:
    """All tables of the pages in one workbook, made again where one of them changed: not for an edited sentence."""
    from hhp_stats.publish import table_workbook  # its libraries load while Typst is at work already

    bodies = {
        chapter.page: table_workbook.shown_tables(str(pages[chapter.slug]["body"])) for chapter in project.chapters
    }
    head = [code_of(table_workbook, well_formed), project.title, project.banner, project.date.isoformat()]
    parts = [*head, *project.authors, *(part for body in bodies.items() for part in body)]
    target.write_bytes(kept.data(parts, lambda: table_workbook.workbook_of_tables(project, bodies)))


def _quarto(root: Path, building: Path, *, formats: Sequence[Format], clock: Clock) -> _Made:
    """The same sources through the Quarto CLI, where a user has it."""
    quarto = find_quarto(root)
    for name, target in TARGETS.items():
        if name in formats:
            with clock.stage(f"quarto {target}"):
                render_format(quarto, root, building, target=target)
    if "pdf" in formats and not (building / PDF_NAME).exists():
        made = sorted(building.glob("*.pdf"))
        if not made:
            raise RenderError("_quarto.yml", None, "quarto render --to typst wrote no PDF")
        made[0].rename(building / PDF_NAME)
    return _Made(pages=pages_of(building), printed=[PDF_NAME] if "pdf" in formats else [])
