"""The change report on a terminal: first what a reader must know, then the lists."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from hhp_stats.present.numbers import MISSING, count, number
from hhp_stats.publish.changes import ChangeReport
from hhp_stats.publish.input_changes import CellChange
from hhp_stats.publish.result_changes import ResultChange
from hhp_stats.terminal_table import TerminalTable

RESULT_HEADINGS = ("Result", "Kind", "Was", "Is", "Change", "In standard errors")
SHOWN = 40  # lines of one list; `--json` and the report's page hold them all


def terminal(report: ChangeReport) -> RenderableType:
    """The report for `rich`: headline, flipped conclusions, inputs, results, sentences, figures."""
    alarm = "red" if report.flips else "green"
    parts: list[RenderableType] = [
        Panel(
            Text.assemble((report.headline(), f"bold {alarm}"), "\n", report.causes(exact=True)),
            title=f"{report.a} to {report.b}",
            title_align="left",
            border_style=alarm,
            expand=False,
        )
    ]
    parts += _table(
        "Conclusions that flipped",
        ("Result", "Kind", "Was", "Is"),
        [(f"{each.result_id} ({each.analysis})", each.kind, each.was, each.now) for each in report.flips],
    )
    inputs = report.inputs
    parts += _table(
        "Input files", ("File", "", "Extent"), [(each.path, each.change, each.note) for each in inputs.files]
    )
    parts += _table(
        "Cells of raw files",
        ("File", "Field", "Cells", "Explained", "Not explained"),
        [
            (each.place.here, each.field, count(each.cells), count(each.explained), count(each.cells - each.explained))
            for each in inputs.fields
        ],
        right=(2, 3, 4),
    )
    parts += _table(
        "People and lines",
        ("File", "Added", "Gone"),
        [(each.place.here, count(each.added), count(each.gone)) for each in inputs.rows],
        right=(1, 2),
    )
    parts += _table(
        "Corrections ledger",
        ("", "Id", "Received", "Field", "Cells"),
        [(each.change, each.id, each.received_on or MISSING, each.field, count(each.cells)) for each in inputs.ledger],
        right=(4,),
    )
    parts += _table(
        "Software", ("Package", "Was", "Is"), [(name, *versions) for name, versions in report.software.items()]
    )
    parts += _table(
        "Results",
        RESULT_HEADINGS,
        [result_cells(each) for each in report.results],
        right=(2, 3, 4, 5),
    )
    parts += _table(
        "Sentences",
        ("Was", "Is", "Where"),
        [(each.old or MISSING, each.new or MISSING, "\n".join(each.places)) for each in report.sentences],
    )
    parts += _table(
        "Published figures",
        ("Table", "Cell", "Was", "Is"),
        [(each.places[0], each.cell, each.old or MISSING, each.new or MISSING) for each in report.figures],
    )
    return Group(*parts)


def terminal_cells(cells: Sequence[CellChange]) -> RenderableType:
    """The cells of returns that differ, with their values, all of them: private."""
    rows = [(each.path, each.row, each.field, each.old or MISSING, each.new or MISSING, each.ledger) for each in cells]
    headings = ("File", "Row", "Field", "Was", "Is", "Ledger")
    return Group(*_table("Cells of returns", headings, rows, most=None)) if rows else "No cell of a return differs."


def result_cells(change: ResultChange) -> tuple[str, str, str, str, str, str]:
    """One moved result as text; the same digits in the terminal and in the report."""
    kind = f"{change.analysis}, primary outcome" if change.primary else change.analysis
    kind = kind if change.change == "moved" else f"{kind}, {change.change}"
    moved = change.in_std_errors
    size = MISSING if math.isnan(moved) else number(moved, 2)
    return (change.result_id, kind, number(change.old, 4), number(change.new, 4), number(change.absolute, 4), size)


def _table(
    title: str,
    headings: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    *,
    right: tuple[int, ...] = (),
    most: int | None = SHOWN,
) -> list[RenderableType]:
    found = list(rows)
    if not found:
        return []
    table = TerminalTable(title=f"{title} ({len(found)})", headings=headings, rows=found[:most], right=right)
    left = len(found) - (len(found) if most is None else most)
    return ["", table, *([f"... and {left} more (`--json` lists them all)"] if left > 0 else [])]
