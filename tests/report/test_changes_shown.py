"""The change report as it is shown: what was stands before what is, and each number under its heading."""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from rich.console import Console

from hhp_stats.publish.changes import ChangeReport, PrintedChange
from hhp_stats.publish.changes_text import SHOWN, terminal, terminal_cells
from hhp_stats.publish.input_changes import CellChange, FileChange, InputChanges, LedgerChange
from hhp_stats.publish.result_changes import Flip, ResultChange, flips, result_changes
from hhp_stats.publish.row_marks import RowMarks, mark_changes, packed_marks, unpacked_marks
from hhp_stats.results.frame import ResultRow, result_frame


def report(**parts) -> ChangeReport:
    nothing = InputChanges(files=(), fields=(), rows=(), ledger=(), unknown=())
    given = {
        "a": "2026-01-01",
        "b": "now",
        "inputs": nothing,
        "threshold": 5,
        "results": (),
        "flips": (),
        "figures": (),
        "sentences": (),
        "software": {},
        "code_changed": False,
    }
    return ChangeReport(**(given | parts))


def lines(shown: object) -> list[str]:
    """The lines of a terminal wide enough for every table."""
    console = Console(file=io.StringIO(), width=240)
    console.print(shown)
    return [re.sub(r"\s{2,}", " | ", line.strip()) for line in console.file.getvalue().splitlines() if line.strip()]


def below(heading: str, found: list[str], n: int = 1) -> list[str]:
    at = next(place for place, line in enumerate(found) if line.startswith(heading))
    return found[at + 1 : at + 2 + n]


def change(old: float, new: float, kind: str = "moved") -> ResultChange:
    return ResultChange(
        result_id="a/b/itt/ols",
        analysis="planned",
        change=kind,  # type: ignore[arg-type]
        columns=("estimate",),
        old=old,
        new=new,
        std_error=0.5,
        primary=True,
    )


def test_what_was_stands_before_what_is() -> None:
    made = report(
        results=(change(2.0, 3.0),),
        flips=(Flip(result_id="a/b/itt/ols", analysis="planned", kind="direction", was="lower", now="higher"),),
        sentences=(PrintedChange(places=("index.qmd say",), cell="", old="It fell.", new="It rose."),),
        figures=(PrintedChange(places=("tbl-one",), cell="Line / Column", old="1.11", new="2.22"),),
        software={"numpy": ("1.0", "2.0")},
    )
    found = lines(terminal(made))
    assert below("Conclusions that flipped (1)", found) == [
        "Result | Kind | Was | Is",
        "a/b/itt/ols (planned) | direction | lower | higher",
    ]
    assert below("Results (1)", found) == [
        "Result | Kind | Was | Is | Change | In standard errors",
        "a/b/itt/ols | planned, primary outcome | 2.0000 | 3.0000 | 1.0000 | 2.00",
    ]
    assert below("Sentences (1)", found) == ["Was | Is | Where", "It fell. | It rose. | index.qmd say"]
    assert below("Published figures (1)", found) == ["Table | Cell | Was | Is", "tbl-one | Line / Column | 1.11 | 2.22"]
    assert below("Software (1)", found) == ["Package | Was | Is", "numpy | 1.0 | 2.0"]
    cells = lines(
        terminal_cells([CellChange(path="a.xlsx", row="8", field="illness_days", old="3", new="4", ledger="C001")])
    )
    assert cells[1:] == ["File | Row | Field | Was | Is | Ledger", "a.xlsx | 8 | illness_days | 3 | 4 | C001"]


def test_counts_of_cells_and_people_stand_under_their_heading() -> None:
    place = SimpleNamespace(here="data/a.xlsx", public="a return")
    inputs = InputChanges(
        files=(FileChange(path="data/a.xlsx", public="a return", change="changed", note="12 cells"),),
        fields=(SimpleNamespace(place=place, field="illness_days", cells=9, explained=2),),  # type: ignore[arg-type]
        rows=(SimpleNamespace(place=place, added=3, gone=4),),  # type: ignore[arg-type]
        ledger=(LedgerChange(change="added", id="C001", received_on="2026-02-03", field="illness_days", cells=6),),
        unknown=(),
    )
    found = lines(terminal(report(inputs=inputs, results=(change(1.0, 2.0),))))
    assert below("Input files (1)", found)[1] == "data/a.xlsx | changed | 12 cells"
    assert below("Cells of raw files (1)", found)[1] == "data/a.xlsx | illness_days | 9 | 2 | 7"
    assert below("People and lines (1)", found)[1] == "data/a.xlsx | 3 | 4"
    assert below("Corrections ledger (1)", found)[1] == "added | C001 | 2026-02-03 | illness_days | 6"


@pytest.mark.parametrize("extra", [0, 1])
def test_long_lists_end_with_how_many_are_left(extra: int) -> None:
    figures = tuple(PrintedChange(places=("t",), cell=str(n), old="1", new="2") for n in range(SHOWN + extra))
    found = lines(terminal(report(figures=figures)))
    assert [line for line in found if line.startswith("... and")] == [
        f"... and {extra} more (`--json` lists them all)"
    ] * extra


# ---------------------------------------------------------------- conclusions on their border
def row(estimate: float, low: float, high: float, *, estimand: str = "itt", study: str = "a") -> ResultRow:
    return ResultRow(
        result_id=f"{study}/b/{estimand}/ols",
        study=study,
        outcome="b",
        estimand=estimand,
        population="all",
        contrast="",
        method="",
        analysis="planned",
        estimate=estimate,
        conf_low=low,
        conf_high=high,
        p_value=0.3,
    )


def flipped(was: ResultRow, now: ResultRow) -> list[tuple[str, str, str]]:
    return [(each.kind, each.was, each.now) for each in flips(result_frame([was]), result_frame([now]))]


def test_an_interval_that_ends_at_no_difference_includes_it() -> None:
    inside = row(1.0, 0.0, 2.0)
    assert flipped(row(1.0, -0.1, 2.0), inside) == []
    assert flipped(inside, row(1.0, 0.1, 2.0)) == [("interval", "includes 0", "excludes 0")]
    assert flipped(row(-1.0, -2.0, -0.1), row(-1.0, -2.0, 0.0)) == [("interval", "excludes 0", "includes 0")]
    ratio = row(1.5, 1.0, 2.0, estimand="ratio")
    assert flipped(row(1.5, 0.5, 2.0, estimand="ratio"), ratio) == []
    assert flipped(ratio, row(1.5, 1.1, 2.0, estimand="ratio")) == [("interval", "includes 1", "excludes 1")]


def test_directions_turn_at_no_difference() -> None:
    assert flipped(row(1.0, 0.1, 2), row(0.0, -1, 1)) == [("direction", "higher", "the same")]
    assert flipped(row(0.1, -1, 1), row(-1.0, -2, -0.1)) == [("direction", "higher", "lower")]
    assert flipped(row(0.9, 0.8, 0.95, estimand="ratio"), row(1.1, 0.1, 2, estimand="ratio")) == [
        ("direction", "lower", "higher")
    ]


def test_a_sign_that_nothing_was_concluded_from_is_no_flip() -> None:
    assert flipped(row(-0.0037, -0.3, 0.3), row(0.0025, -0.3, 0.3)) == []
    assert flipped(row(0.9, 0.1, 2, estimand="ratio"), row(1.1, 0.1, 2, estimand="ratio")) == []


WIDE = "goal_setting/sickness_absence_without_the_largest/itt_north_tyneside/wild-bootstrap-by-team"


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_words_stay_whole_at_any_width(width: int) -> None:
    said = "People who were offered the programme were absent for 3.29 days more than those who were not."
    found = report(
        results=(change(2.0, 3.0), replace(change(-1234.5678, 0.25), result_id=WIDE, primary=False)),
        flips=(Flip(result_id=WIDE, analysis="exploratory", kind="interval", was="includes 0", now="excludes 0"),),
        sentences=(PrintedChange(places=("report/02-goal-setting.qmd gs.say('primary')",), cell="", old=said, new=""),),
    )
    console = Console(file=io.StringIO(), width=width)
    console.print(terminal(found))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    shown = text.replace("\u2502", " ").split()
    for word in (*said.split(), *found.headline().split(), "exploratory", "includes", "-1,234.5678".lstrip("-")):
        assert any(word in part for part in shown), word
    # A name longer than the line ends it at one of its joints.
    assert WIDE in "".join(shown) and (width < 100 or WIDE in shown)


def test_results_that_moved_came_or_went() -> None:
    old, new = (
        result_frame([row(1.0, 0, 2), row(1.0, 0, 2, study="gone")]),
        result_frame([row(1.5, 0, 2), row(2.0, 0, 3, study="new")]),
    )
    found = {each.result_id: each for each in result_changes(old, new)}
    assert {key: (each.change, each.columns) for key, each in found.items()} == {
        "a/b/itt/ols": ("moved", ("estimate",)),
        "gone/b/itt/ols": ("gone", ()),
        "new/b/itt/ols": ("new", ()),
    }
    moved = found["a/b/itt/ols"]
    assert (moved.old, moved.new, moved.absolute, moved.relative) == (1.0, 1.5, 0.5, 0.5)
    assert math.isnan(found["new/b/itt/ols"].old) and math.isnan(found["gone/b/itt/ols"].new)


# ---------------------------------------------------------------- marks of lists
EMPTY, ONE, TWO = "    ", "AAAA", "BBBB"


@pytest.mark.parametrize(
    ("old", "new", "cells"),
    [
        ({"a": ONE}, {"a": ONE}, {}),
        ({"a": ONE}, {"a": TWO}, {"a": 1}),
        ({"a": ONE}, {"a": EMPTY}, {"a": 1}),
        ({"a": EMPTY}, {"a": ONE}, {"a": 1}),
        ({"a": ONE}, {"a": ONE, "b": TWO}, {"b": 1}),
        ({"a": ONE, "b": TWO}, {"a": ONE}, {"b": 1}),
        ({"a": ONE}, {"a": ONE, "b": EMPTY}, {}),
        ({"a": ONE, "b": EMPTY}, {"a": ONE}, {}),
    ],
)
def test_cells_of_a_list_that_differ(old: dict[str, str], new: dict[str, str], cells: dict[str, int]) -> None:
    """A heading that only one state has counts where its cells are filled."""
    from hhp_stats.publish import row_marks

    def marks(row: dict[str, str]) -> RowMarks:
        filled = [row_marks.EMPTY if mark == EMPTY else mark for mark in row.values()]
        return RowMarks(fields=tuple(row), rows={"who": filled})

    found = mark_changes(marks(old), marks(new))
    assert (found.cells, found.added, found.gone) == (cells, 0, 0)
    back = unpacked_marks(packed_marks({"a.csv": marks(old)}))["a.csv"]
    assert (back.fields, {key: list(each) for key, each in back.rows.items()}) == (
        marks(old).fields,
        dict(marks(old).rows),
    )


def test_lines_that_came_and_went_are_counted() -> None:
    one, other = (
        RowMarks(fields=("a",), rows={"p": [ONE], "q": [ONE]}),
        RowMarks(fields=("a",), rows={"q": [ONE], "r": [ONE], "s": [ONE]}),
    )
    assert (mark_changes(one, other).added, mark_changes(one, other).gone) == (2, 1)
    assert pd.Series(mark_changes(one, other).cells).empty
