"""The command that accepts raw files: what changed since the manifest was written, and whether it may stand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hhp_stats.cli.shared import app, out, plural, print_json, screen
from hhp_stats.files.project_root import find_root

if TYPE_CHECKING:
    from hhp_stats.intake.accept import FileChange

LISTED = 40  # cells of one file that --cells prints; --json has them all


@app.command(epilog="Examples: `hhp accept` · `hhp accept data/returns/goal_setting/kent/endline.xlsx --cells`")
def accept(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Raw files, or folders of them; default: all that changed.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Record without asking; needed where nobody can be asked.")
    ] = False,
    cells: Annotated[
        bool, typer.Option("--cells", help="Show the cells that differ, with their values: personal data.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document; asks nothing.")] = False,
) -> None:
    """Show what changed in the raw files since they were recorded, and record them as they are now.

    Status 1 where something changed and was not accepted.
    """
    from hhp_stats.intake.accept import accept as record
    from hhp_stats.intake.accept import known_headings, pending

    root = find_root()
    found = pending(root, _names(root, files or []))
    words = known_headings(root) if found else frozenset()
    if not as_json:
        for change in found:
            _show(change, cells, words)
    may = yes or (bool(found) and not as_json and sys.stdin.isatty() and typer.confirm("Record these files?"))
    if may or not found:
        record(root, found)
    if as_json:
        print_json({"accepted": may, "changes": [change.record(values=cells, known=words) for change in found]})
    elif not found:
        out.print("Every raw file is as the manifest records it: there is nothing to accept.")
    elif may:
        out.print(f"Recorded {plural(len(found), 'file')} in data/manifest.toml; `hhp check` looks at what is in them.")
    if found and not may:
        screen.print("Nothing was recorded. Give --yes to record what is shown.")
        raise typer.Exit(1 if as_json or sys.stdin.isatty() else 2)


def _names(root: Path, files: list[Path]) -> list[str] | None:
    """The files asked for as paths from the project root; None: all."""
    from hhp_stats.intake.manifest import LEDGER, read_manifest
    from hhp_stats.intake.raw_files import raw_files

    if not files:
        return None
    known = {*raw_files(root), *read_manifest(root).files, LEDGER}
    names: list[str] = []
    for file in files:
        places = [
            path.parent.resolve().joinpath(path.name).relative_to(root.resolve()).as_posix()
            for path in ((Path.cwd() / file), root / file)
            if path.parent.resolve().is_relative_to(root.resolve())
        ]
        inside = [name for place in places for name in sorted(known) if name == place or name.startswith(f"{place}/")]
        if not inside:
            raise typer.BadParameter(
                f"{file} is no raw file of this project: those lie below data/, see data/README.md."
            )
        names += inside
    return names


def _show(change: FileChange, cells: bool, words: frozenset[str]) -> None:
    record = change.record(values=cells, known=words)
    sizes = [
        f"{plural(rows, 'row')} and {plural(columns, 'column')} {word}"
        for word, rows, columns in (
            ("before", change.rows_before, change.columns_before),
            ("now", change.rows_now, change.columns_now),
        )
        if rows is not None and columns is not None
    ]
    out.print(f"{change.file}: {change.state}. Compared with {change.compared}.", markup=False)
    if sizes:
        out.print(f"  {', '.join(sizes)}")
    parts = [
        plural(number, f"row {word}") if number == 1 else f"{number} rows {word}"
        for word, number in (("added", change.rows_added), ("removed", change.rows_removed))
        if number
    ]
    parts += [
        f"{plural(len(names), 'column')} {word}{': ' + ', '.join(names) if cells else ''}"
        for word, names in (("added", change.columns_added), ("removed", change.columns_removed))
        if names
    ]
    if change.above:
        parts.append(f"{plural(change.above, 'line')} above the table")
    parts += [f"{plural(number, 'cell')} of {head}" for head, number in record["cells"].items()]
    if parts:
        out.print(f"  {'; '.join(parts)}", markup=False)
    elif change.state == "changed" and change.rows_added is not None and change.columns_now is not None:
        out.print("  no value differs: the layout, the order of rows or the file itself does")
    if cells:
        for each in change.changes[:LISTED]:
            out.print(f"    row {each.row}, {each.column}: {each.before!r} -> {each.now!r}", markup=False)
        if len(change.changes) > LISTED:
            out.print(f"    and {len(change.changes) - LISTED} more; --json lists all")
