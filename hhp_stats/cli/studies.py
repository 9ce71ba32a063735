"""Commands that enter a study into the project and take it out again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hhp_stats.cli.shared import app, out, screen
from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root


@app.command(epilog="Examples: `hhp remove coffee --dry-run` · `hhp remove coffee --yes`")
def remove(
    study: Annotated[str, typer.Argument(help="Key of the study's plan.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
) -> None:
    """Take a study out of the project: plan, data, chapter, and what is said of it elsewhere. Nothing is lost: it is
    moved.
    """
    from hhp_stats.scaffold.removal import REMOVED, removal
    from hhp_stats.scaffold.removal import remove as remove_study

    root = find_root()
    try:
        found = removal(root, study)
    except UnknownName as error:
        raise typer.BadParameter(str(error), param_hint="STUDY") from None
    for line in found.in_words(root):
        out.print(line, markup=False)
    if dry_run:
        out.print("Nothing was changed (--dry-run).")
        return
    if not yes:
        screen.print("Nothing was changed: add --yes to do it.", style="red")
        raise typer.Exit(2)
    remove_study(root, study, found=found)
    out.print(
        f"{study} is out. What went, and the files that were changed as they were before, lie in {REMOVED}/{study}; "
        "`hhp render` makes the report without it.",
        markup=False,
    )


@app.command(
    epilog=(
        'Example: `hhp new btheb --kind "individual trial" --data btheb.csv --title "Beat the Blues: randomised trial"`'
    )
)
def new(
    study: Annotated[str, typer.Argument(help="Key of the study: small letters, digits, underscores.")],
    kind: Annotated[str, typer.Option(help="cluster trial, individual trial, experiment or pilot.")],
    data: Annotated[Path, typer.Option(help="Its table, one row a person: CSV, XLSX, ODS or SAV.")],
    arm: Annotated[str, typer.Option(help="Heading of the column of arms; default: the one that looks like it.")] = "",
    title: Annotated[str, typer.Option(help="Title of the chapter; what stands before a colon is the name.")] = "",
    phase: Annotated[
        str, typer.Option(help="Phase of the programme, as in data/plan/programme.toml; default: of none.")
    ] = "",
) -> None:
    """Enter a study: a commented plan, a dictionary guessed from its table, a chapter with every standard part."""
    from hhp_stats.plan.book_studies import TO_CONFIRM
    from hhp_stats.scaffold.new_study import enter, new_study

    root = find_root()
    found = new_study(root, study, kind=kind, data=data, title=title, arm=arm, phase=phase)
    enter(root, found)
    for file in found.files:
        out.print(f"wrote  {file}", markup=False)
    for file in found.edited:
        out.print(f"edited {file}", markup=False)
    plan, dictionary, *_ = found.files
    out.print(
        f"Now go through {plan} and {dictionary}: correct each guess and take {TO_CONFIRM} out. Then `hhp check"
        f" {study}` and `hhp render`. `hhp remove {study}` undoes it.",
        markup=False,
    )
