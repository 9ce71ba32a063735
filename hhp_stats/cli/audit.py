"""The command that checks printed figures against each other: `hhp audit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hhp_stats.cli.shared import Forced, app, print_json, screen
from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.files.project_root import find_root, root_above


@app.command(epilog="Examples: `hhp audit manuscript.docx --page audit.html`, `hhp audit figures.csv`")
def audit(
    file: Annotated[
        Path | None,
        typer.Argument(
            help=(
                "A manuscript (.docx, .odt, .html, .md, .tex, .txt, .pdf), or a CSV with the columns of"
                " data/published/published_results.csv; default: that file."
            )
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write the manuscript's words as an HTML page with every figure marked.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every figure, not only those that need a word.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    force: Forced = None,
) -> None:
    """Recompute every printed figure that follows from others; status 1 where one does not come back."""
    from hhp_stats.consistency.command import AuditReport, run_audit
    from hhp_stats.manuscript.report import ManuscriptReport, audit_manuscript

    if file is not None and not file.is_file():
        raise typer.BadParameter(f"there is no file {file}: check the path.", param_hint="FILE")
    if file is not None and file.suffix.lower() != ".csv":
        found: AuditReport | ManuscriptReport = audit_manuscript(file)
    elif page is not None:
        raise typer.BadParameter("A page is made of a manuscript, not of a CSV.", param_hint="--page")
    else:
        found = run_audit(find_root(), file)
    if page is not None and isinstance(found, ManuscriptReport):
        # Outside a project no folder of ours is left, so that there a page is replaced only when it is named.
        project = root_above()
        guard = OutputGuard(
            root=project or Path.cwd(),
            command="hhp audit --page",
            force=tuple(force or ()),
            noting=project is not None,
        )
        with guard.written(page) as partial:
            partial.write_text(found.page(), encoding="utf-8")
        screen.print(f"Wrote {page}.", markup=False)
    if as_json:
        print_json(found.record())
    else:
        found.show(Console(highlight=False, width=None if sys.stdout.isatty() else 140), everything=everything)
    raise typer.Exit(found.exit_status)
