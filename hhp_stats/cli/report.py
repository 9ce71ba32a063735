"""Commands that make and explain the report: results, render, explain, lint, synthesise."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hhp_stats.cli.shared import Forced, app, out, plural, print_json, progress_bar, screen
from hhp_stats.errors import HhpError, UnknownName
from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.files.project_root import find_root
from hhp_stats.studies.kept import FOLDER

if TYPE_CHECKING:
    from rich.progress import Progress

    from hhp_stats.publish.kept_text import KeptTexts
    from hhp_stats.publish.warm_kernels import WarmProcess

PACKAGE = Path(__file__).resolve().parent.parent


Cluster = Annotated[
    str | None,
    typer.Option(
        "--dask", metavar="ADDRESS", help="Share long work with the workers of this Dask scheduler: tcp://HOST:PORT."
    ),
]


def run_all_studies(
    root: Path, *, fresh: bool, on_estimated: Callable[[], None] = lambda: None, dask: str | None = None
) -> None:
    """Bring all results up to date, with a bar for each study that runs; `on_estimated` is called when the first of
    those has its results (`run_studies`). With the address `dask` the studies run one after the other here and share
    their work with that cluster.
    """
    from hhp_stats.plan.book_studies import check_book
    from hhp_stats.processes.cluster import on_cluster
    from hhp_stats.running.run import run_studies

    check_book(root)
    begun = time.perf_counter()
    # Without a thread of the bar's own, a process may be copied to share the work: see hhp_stats.processes.blocks.
    with progress_bar(ticking=False) as bar, on_cluster(dask):

        def progress(study: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
            task = bar.add_task(f"Estimating: {study.replace('_', ' ')}", total=None)
            bar.refresh()
            return lambda done, total: bar.update(task, completed=done, total=total, refresh=True)

        def kept(study: str) -> None:
            screen.print(f"  {study.replace('_', ' ')}: unchanged since the last run, its results stand", markup=False)

        ran = run_studies(
            root, progress=progress, fresh=fresh, kept=kept, on_estimated=on_estimated, workers=2 if dask is None else 1
        )
    screen.print(f"Results: {ran.rows} rows, {ran.estimated} of them estimates ({time.perf_counter() - begun:.1f} s)")
    from hhp_stats.studies.second_table import coverage_in_words

    screen.print(f"Second programme: {coverage_in_words(root)}", markup=False)


@app.command(epilog="Example: `hhp results`")
def results(
    fresh: Annotated[bool, typer.Option("--fresh", help="Run every study again, changed or not.")] = False,
    dask: Cluster = None,
) -> None:
    """Run every study that changed and write the result frame below `.report/results/`."""
    run_all_studies(find_root(), fresh=fresh, dask=dask)


def declared_inputs() -> list[Path]:
    """What every chapter depends on without opening it as a file: the others are noted while the cells run."""
    return [PACKAGE / "publish/assets/fonts"]


def kept_texts(root: Path, *, fresh: bool) -> KeptTexts:
    """Where texts are kept that are slow to make."""
    from hhp_stats.publish.kept_text import FOLDER as TEXTS
    from hhp_stats.publish.kept_text import KeptTexts

    return KeptTexts(root / TEXTS, fresh=fresh)


def shown_in_pages(root: Path, *, fresh: bool = False) -> dict[str, Any]:
    """What the pages show beside the chapters: the panel behind each number, and the notice of synthetic data on
    those that it holds for.
    """
    from hhp_stats.present.release import banners
    from hhp_stats.publish.project import load_project

    def explain(*, results: Collection[str], functions: Collection[str]) -> dict[str, Any]:
        # pandas is imported while Typst is at work already.
        from hhp_stats.present.explanations import explanations

        remember = kept_texts(root, fresh=fresh).text
        return explanations(root, results=results, functions=functions, remember=remember)

    return {"explain": explain, "banner": banners(root, load_project(root).banner)}


def _answered_for(root: Path) -> None:
    """A report with real data of any study says who answers for it, and none is older than its data (PlanError)."""
    from hhp_stats.plan.imprint import refuse_older, refuse_unconfirmed
    from hhp_stats.present.release import standing
    from hhp_stats.present.status import read_release

    release = read_release(root)
    if standing(root).real or not release.synthetic:
        refuse_unconfirmed(root)
    refuse_older(root, release.date)


class _Lines:
    """Shows the stages of a rendering: a live line on a terminal, plain lines elsewhere."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.task = bar.add_task("Rendering", total=None)

    def stage(self, name: str, seconds: float | None) -> None:
        """A stage begins, or has ended after `seconds`."""
        if seconds is None:
            self.bar.update(self.task, description=f"Rendering: {name}")
        else:
            screen.print(f"  {name:<12} {seconds:5.1f} s", markup=False)

    def chapter(self, path: str, state: str, done: int, total: int) -> None:
        """A chapter's code is reused, starts, or has run."""
        self.bar.update(self.task, description=f"Rendering: {path} ({state})", completed=done, total=total)
        if not screen.is_terminal:
            screen.print(f"  {path} {state} ({done}/{total})", markup=False)


@app.command(epilog="Example: `hhp render --format html --fresh`")
def render(
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "--to",
            help="html or pdf; default: both. docx: a draft for Word, beside whatever else is asked for.",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="embedded, or quarto where the Quarto command line is installed.")
    ] = "embedded",
    fresh: Annotated[bool, typer.Option("--fresh", help="Run all code again, whatever was kept.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the report, new or an earlier rendering; default: _output, of quarto _output_quarto."
        ),
    ] = None,
    dask: Cluster = None,
    force: Forced = None,
) -> None:
    """Estimate, then render the report as an HTML site and a PDF."""
    from hhp_stats.publish.quarto_cli import FOLDER as QUARTO_FOLDER
    from hhp_stats.publish.unchanged import note_report, report_key, still_stands

    asked = tuple(dict.fromkeys(only or ()))
    # A draft alone would take the place of the whole report.
    formats = ("html", "pdf", *asked) if set(asked) <= {"docx"} else asked
    if engine not in ("embedded", "quarto") or not set(formats) <= {"html", "pdf", "docx"}:
        raise typer.BadParameter("the engine is embedded or quarto, a format html, pdf or docx")
    if engine == "quarto" and "docx" in formats:
        raise typer.BadParameter("the draft for Word is made by the embedded engine")
    root = find_root()
    target = output or root / (QUARTO_FOLDER if engine == "quarto" else "_output")
    # First of all: a folder that must not be written to is wrong use, whatever else the project lacks.
    guard = OutputGuard(root=root, command="hhp render", force=tuple(force or ()))
    guard.folder(target)
    key = report_key(root, formats=formats, engine=engine)
    if not fresh and still_stands(root, target, key):
        screen.print(f"Nothing has changed since the last rendering: {target} stands as it is", markup=False)
        return
    _answered_for(root)

    from hhp_stats.publish.glyphs import named
    from hhp_stats.publish.kernels import warm_process
    from hhp_stats.publish.render import render_book

    def check(pages: Path) -> None:
        from hhp_stats.publish.checks.self_check import check_report

        # Quarto's pages are built in another way: of them the results and the flows are checked.
        own = pages if engine == "embedded" else None
        check_report(root, own, remember=kept_texts(root, fresh=fresh).text)

    with ExitStack() as open_now:
        warm: WarmProcess | None = None

        def on_estimated() -> None:
            # Where a study runs, chapters will: their libraries are imported beside its checks.
            nonlocal warm
            if engine == "embedded":
                warm = open_now.enter_context(warm_process())

        run_all_studies(root, fresh=fresh, on_estimated=on_estimated, dask=dask)
        made = render_book(
            root=root,
            output=target,
            formats=formats,  # type: ignore[arg-type]
            engine=engine,  # type: ignore[arg-type]
            fresh=fresh,
            declared=declared_inputs(),
            attachments=[root / FOLDER / "results.csv"],
            warm=warm,
            progress=_Lines(open_now.enter_context(progress_bar())),
            inspect=check if "html" in formats else None,
            guard=guard,
            **shown_in_pages(root, fresh=fresh),
        )
    note_report(root, target, key)
    if engine == "quarto":
        screen.print("The results are checked; the numbers on Quarto's pages are not compared with them one by one.")
    screen.print(" and ".join([f"Rendered {len(made.pages)} pages", *map(str, made.printed)]), markup=False)
    if made.unprinted:
        screen.print(
            "The PDF names characters of the data that none of its fonts has, in the manner of ‹U+1F600›:"
            f" {named(made.unprinted)}. The site shows them.",
            markup=False,
        )


@app.command(epilog="Example: `hhp synthesise --seed 7`")
def synthesise(
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the release; default: the one in data/manifest.toml.")
    ] = None,
    force: Forced = None,
) -> None:
    """Write the synthetic release of all raw files into `data/` again."""
    from hhp_stats.synthetic.release import synthesise as write_release

    with progress_bar() as bar:
        task = bar.add_task("Synthesising", total=None)
        report = write_release(
            find_root(),
            seed=seed,
            force=tuple(force or ()),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    out.print(
        f"Wrote {len(report.files)} files ({report.size / 1e6:.1f} MB) of release {report.release} from seed"
        f" {report.seed}: {', '.join(report.studies)}. Their checksums are in data/manifest.toml, what was planted in"
        " data/synthetic_truth.toml.",
        markup=False,
    )


@app.command(
    epilog=(
        "Examples: `hhp explain goal_setting/sickness_absence/itt/cr1`, "
        "`hhp explain goal_setting/sickness_absence/itt/cr1 --code r > primary.R`"
    )
)
def explain(
    result_id: Annotated[str, typer.Argument(help="An id as printed in appendix F, study/outcome/estimand/method.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    code: Annotated[
        str | None,
        typer.Option(
            help=(
                "python or r: print a short programme that computes the row with statsmodels, linearmodels or R"
                " instead."
            )
        ),
    ] = None,
) -> None:
    """Show where one printed number comes from: clause, formula, code, inputs and the row."""
    from hhp_stats.plan.catalogue import study_entry
    from hhp_stats.present.provenance import explain as explained
    from hhp_stats.present.provenance import programme

    try:
        study_entry(find_root(), result_id.split("/")[0])
    except UnknownName as error:
        raise typer.BadParameter(f"{error} An id begins with the key of a study.", param_hint="RESULT_ID") from None
    if code is not None:
        if code not in ("python", "r"):
            raise typer.BadParameter("a programme is in python or in r", param_hint="--code")
        if as_json:
            raise typer.BadParameter("a programme is text: leave out --json", param_hint="--code")
        sys.stdout.write(programme(find_root(), result_id, code))
        return
    found = explained(find_root(), result_id)
    if as_json:
        print_json(found.record())
    else:
        out.print(found.text(), markup=False)


@app.command(epilog="Example: `hhp lint`")
def lint() -> None:
    """Name everything in the report's sources that only one of the two render engines understands, and every phrase
    that is not plain English.
    """
    from hhp_stats.publish.lint import lint_book

    problems = lint_book(find_root())
    for problem in problems:
        out.print(str(problem), markup=False)
    if problems:
        raise HhpError(f"{plural(len(problems), 'problem')} in the sources of the report: mend each line named above.")
    out.print("The sources are inside the syntax that both engines share, and in plain words.")
