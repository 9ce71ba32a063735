"""Commands around a release: freeze it, compare two, pack it for a reviewer, preview it while writing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hhp_stats.cli.report import declared_inputs, run_all_studies, shown_in_pages
from hhp_stats.cli.shared import Forced, app, out, print_json, screen
from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.files.project_root import find_root
from hhp_stats.processes.at_work import at_work


@app.command(epilog="Example: `hhp release --date 2026-05-31`")
def release(
    date: Annotated[
        str | None, typer.Option(help="Name of the release; default: the date in data/manifest.toml.")
    ] = None,
    with_report: Annotated[bool, typer.Option("--report/--no-report", help="Keep the rendered report too.")] = True,
) -> None:
    """Freeze results, manifest and report below `data/releases/`; render first."""
    from hhp_stats.intake.manifest import read_manifest
    from hhp_stats.publish.release import freeze_release, is_release_date

    if date is not None and not is_release_date(date):
        raise typer.BadParameter(f"a release is named by its date, such as 2026-05-31, not {date!r}.")
    root = find_root()
    name = date or str(read_manifest(root).release)
    with at_work(root, "release"):
        made = freeze_release(root, date=name, output=root / "_output", with_report=with_report)
    out.print(
        f"froze {made.results} results and {made.inputs} inputs as {made.folder} ({made.size / 1e6:.1f} MB)",
        markup=False,
    )


@app.command(epilog="Examples: `hhp changes` · `hhp changes --cells` · `hhp changes 2026-05-31 2026-11-21 --json`")
def changes(
    earlier: Annotated[str | None, typer.Argument(help="A release; default: the last one.")] = None,
    later: Annotated[str, typer.Argument(help="A release, or now.")] = "now",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; holds what may be published.")
    ] = False,
    cells: Annotated[
        bool, typer.Option("--cells", help="Also show the values of changed cells of returns, on this terminal only.")
    ] = False,
) -> None:
    """What moved between two releases: inputs, results, conclusions, printed figures and sentences.

    Of raw files it says how many cells of which field differ, and whether the ledger explains them. Values of single
    people are shown with `--cells` alone, and never as JSON.
    """
    from hhp_stats.publish.changes import compare_releases, compared_names, private_cells
    from hhp_stats.publish.changes_text import terminal, terminal_cells

    if as_json and cells:
        raise typer.BadParameter(
            "--cells shows values of single people on the terminal and cannot be combined with --json"
        )
    root = find_root()
    compared_names(root, earlier, later)  # before the studies run
    if later == "now":
        run_all_studies(root, fresh=False)
    report = compare_releases(root, earlier, later)
    if as_json:
        print_json(report.record())
        return
    # Not softly wrapped as other output: the box and the tables have to fit the window.
    out.print(terminal(report), soft_wrap=False)
    if cells:
        screen.print("Values of single people follow: they must not leave this machine.", markup=False)
        out.print(terminal_cells(private_cells(root, earlier, later)), soft_wrap=False)


@app.command(epilog="Examples: `hhp bundle` · `hhp bundle blind.zip --blind --seed 20261121`")
def bundle(
    target: Annotated[Path, typer.Argument(help="The zip to write.")] = Path("hhp_stats-review.zip"),
    blind: Annotated[
        bool, typer.Option("--blind", help="Arms called A and B, everything that tells them apart left out.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Secret seed of the blinding; needed with --blind.", min=0)] = None,
    force: Forced = None,
) -> None:
    """Pack sources, data, locks, results and an index of tables and figures for a reviewer."""
    root = find_root()
    if blind and seed is None:
        raise typer.BadParameter("--blind needs --seed, which the reviewer must not know")
    guard = OutputGuard(root=root, command="hhp bundle", force=tuple(force or ()))
    guard.file(target)

    from hhp_stats.publish.blind_bundle import write_blind_bundle
    from hhp_stats.publish.bundle import write_bundle

    made = (
        write_blind_bundle(root, target, seed=seed or 0, guard=guard)
        if blind
        else write_bundle(root, target, output=root / "_output", guard=guard)
    )
    out.print(f"wrote {made.path}: {made.files} files, {made.size / 1e6:.1f} MB", markup=False)
    if made.blinding is not None:
        arms = "; ".join(f"{study}: treatment is {names['treatment']}" for study, names in made.blinding.arms.items())
        screen.print(f"Keep from the reviewer: {arms}", markup=False)


@app.command(epilog="Example: `hhp preview --port 8000`")
def preview(
    port: Annotated[int, typer.Option(help="Port on this machine; default: a free one.", min=0, max=65535)] = 0,
) -> None:
    """Serve the report on this machine, render again whenever a source is saved, and reload the page."""
    from hhp_stats.publish.kernels import warm_process
    from hhp_stats.publish.preview import FOLDER as PAGES
    from hhp_stats.publish.preview import preview_of
    from hhp_stats.publish.preview_server import check_port
    from hhp_stats.studies.output import FOLDER

    root = find_root()
    check_port(port)  # before the studies run
    OutputGuard(root=root, command="hhp preview", for_folders=(str(PAGES),)).folder(root / PAGES)
    run_all_studies(root, fresh=False)
    with warm_process() as warm:  # a changed cell must not wait until libraries are loaded
        shown = preview_of(
            root,
            port=port,
            declared=declared_inputs(),
            attachments=[root / FOLDER / "results.csv"],
            **shown_in_pages(root),
            warm=warm,
        )
        shown.start()
        out.print(f"{shown.address}  (Ctrl-C to stop)", markup=False)
        try:
            shown.wait()
        except KeyboardInterrupt as asked:
            shown.stop()
            if getattr(asked, "status", 130) != 130:  # not by the one who watches
                raise
