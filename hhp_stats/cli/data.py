"""Commands for the data: check what authorities returned, send it back, correct it, write templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hhp_stats.cli.shared import app, out, print_json, progress_bar, screen
from hhp_stats.project_root import find_root

STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


@app.command(epilog="Examples: `hhp check` · `hhp check returns/kent --write-back to-kent` · `hhp check --json`")
def check(
    path: Annotated[
        Path | None, typer.Argument(help="A workbook, a folder of workbooks, or nothing: the whole project.")
    ] = None,
    study: Annotated[str, typer.Option(help="Key of the study's plan.")] = "goal_setting",
    write_back: Annotated[
        Path | None, typer.Option(help="Write each authority's workbook with marked cells there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check the raw files: what is wrong, in which cell, and what to do. Status 1 if anything blocks the analysis."""
    from hhp_stats.intake.check import check_returns
    from hhp_stats.intake.write_back import write_back as write_copies

    root = find_root()
    if path is not None and not path.exists():
        raise typer.BadParameter(f"{path} does not exist")
    with progress_bar() as bar:
        task = bar.add_task("Reading", total=None)
        report = check_returns(
            path or root,
            root=root,
            study=study,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json(report.to_json())
    else:
        for owner, problems in report.tables().items():
            _print_problems(owner, problems)
        counts = report.counts()
        out.print(
            f"{len(report.inputs)} files: {counts['error']} errors, {counts['warning']} warnings, {counts['note']} notes."
        )
    if write_back is not None:
        for copy in write_copies(report, write_back):
            screen.print(f"wrote {copy}", markup=False)
    if not report.ok:
        raise typer.Exit(1)


def _print_problems(owner: str, problems) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if problems.empty:
        return
    table = Table(title=owner, title_justify="left", expand=True, show_lines=False)
    for heading in ("where", "what", "remedy"):
        table.add_column(heading, overflow="fold", ratio={"where": 3, "what": 5, "remedy": 4}[heading])
    for row in problems.to_dict("records"):
        where = ", ".join(str(row[name]) for name in ("file", "cell") if row[name])
        found = f" Found {row['value']}." if row["value"] else ""
        table.add_row(
            where, f"[{row['code']}] {row['rule']}{found}", str(row["remedy"]), style=STYLES[str(row["severity"])]
        )
    out.print(table)


@app.command(epilog="Example: `hhp template goal_setting Kent --wave endline --to out`")
def template(
    study: Annotated[str, typer.Argument(help="Key of the study's plan.")],
    authority: Annotated[str, typer.Argument(help="Authority as in the plan.")],
    wave: Annotated[str, typer.Option(help="baseline, interim or endline.")] = "baseline",
    to: Annotated[Path, typer.Option(help="Folder to write into.")] = Path(),
) -> None:
    """Write an empty return workbook with drop-downs, units and notes; later waves with the people known so far."""
    from hhp_stats.intake.template import template as made
    from hhp_stats.intake.template import template_path

    workbook = made(study=study, authority=authority, wave=wave, root=find_root())
    to.mkdir(parents=True, exist_ok=True)
    target = template_path(to, authority=authority, wave=wave)
    partial = target.with_name(target.name + ".partial")
    workbook.save(partial)
    partial.replace(target)
    out.print(f"wrote {target}", markup=False)


@app.command(
    epilog="Example: `hhp correct --wave endline --authority Kent --staff-id KEN-0001 --field illness_days --old 3 --new 5 "
    "--reason 'typing error' --requested-by 'Kent HR' --received-on 2020-04-20`"
)
def correct(
    wave: Annotated[str, typer.Option(help="baseline, interim or endline.")],
    authority: Annotated[str, typer.Option(help="Authority as in the plan.")],
    staff_id: Annotated[str, typer.Option(help="Whose record it is.")],
    field: Annotated[str, typer.Option(help="Field as in data/dictionary.csv.")],
    old: Annotated[str, typer.Option(help="What the return says now.")],
    new: Annotated[str, typer.Option(help="What it should say.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    requested_by: Annotated[str, typer.Option(help="Who asked for it: an office, not a person's name.")],
    received_on: Annotated[str, typer.Option(help="When, YYYY-MM-DD.")],
    study: Annotated[str, typer.Option(help="Key of the study's plan.")] = "goal_setting",
) -> None:
    """Add a line to the corrections ledger, after checking that it fits and breaks no rule."""
    from hhp_stats.intake.correct import append_correction

    line = append_correction(
        find_root(), received_on=received_on, wave=wave, authority=authority, staff_id=staff_id, field=field, old_value=old,
        new_value=new, reason=reason, requested_by=requested_by, study=study,
    )  # fmt: skip
    out.print(f"added as {line.id}; `hhp render` applies it", markup=False)
