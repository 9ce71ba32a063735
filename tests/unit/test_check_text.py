"""What `hhp check` says first: what blocks, whose it is and by which rule, within ten lines; then each rule once."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from hhp_stats.cli.check_text import CELLS, LINES, details, summary
from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.check import CheckReport
from hhp_stats.intake.rule import LISTED

AUTHORITIES = [f"Authority {letter}" for letter in "ABCDEFGHIJKL"]
RULE = "Days of illness must be numbers of days between nought and the days in post, as the dictionary says."


def problem(code: str, file: str, cell: str = "D9", severity: str = "error", value: str = "“lots”") -> Problem:
    return Problem(
        code=code, severity=severity, file=file, cell=cell, rule=RULE, remedy="Give days.", value=value, sheet="Return"
    )


def report(problems: list[Problem], authorities: list[str] = AUTHORITIES) -> CheckReport:
    paths = [(f"data/returns/t/{name[-1]}/endline.xlsx", name, "endline", 20, "") for name in authorities]
    inputs = pd.DataFrame(paths, columns=["path", "authority", "wave", "people", "sha256"])
    return CheckReport(study="t", problems=tuple(problems), tolerances=(), inputs=inputs)


def of(name: str) -> str:
    return f"data/returns/t/{name[-1]}/endline.xlsx"


def test_nothing_that_blocks_is_one_line():
    assert summary(report([]), width=100) == ["Nothing blocks the analysis in 12 returns."]
    warned = report([problem("X28", of("A"), severity="warning")])
    assert summary(warned, width=100) == [
        "Nothing blocks the analysis in 12 returns: 1 warning. Warnings ask for a look."
    ]


def test_few_rules_stand_each_in_a_line_the_worst_owner_first():
    found = [problem("C05", of("B"))] + [problem("X13", of("C"), f"E{row}") for row in range(9, 30)]
    lines = summary(report([*found, problem("L05", "data/allocation/t.csv")]), width=400)
    assert lines == [
        "23 errors in 12 returns block the analysis.",
        f"Authority C: [X13] 21 times: {RULE}",
        f"Authority B: [C05] {RULE}",
        f"allocation/t.csv: [L05] {RULE}",
    ]


@pytest.mark.parametrize("more", [1, 340])
def test_the_rest_of_very_many_cells_counts_cell_by_cell(more):
    """Some cells of a column are listed, those behind them told in one line: each is one error still."""
    found = [problem("X13", of("C"), f"E{row}") for row in range(9, 9 + LISTED)]
    found.append(replace(problem("X13", of("C"), f"E{9 + LISTED}:E{8 + LISTED + more}"), cells=more))
    told = report([*found, problem("C05", of("B"))])
    total = LISTED + more
    assert told.counts()["error"] == total + 1
    assert summary(told, width=400) == [
        f"{total + 1} errors in 12 returns block the analysis.",
        f"Authority C: [X13] {total} times: {RULE}",
        f"Authority B: [C05] {RULE}",
    ]
    assert str(DataError(found)).startswith(f"{total} problems in the data:")
    lines = [line for table in details(told, every=False) for line in getattr(table, "rows", ())]
    assert any(f"and {total - CELLS} more" in where and f"{total} times" in what for where, what, _ in lines)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_many_errors_are_summed_by_owner_within_ten_lines(width):
    found = [
        problem(code, of(name), f"D{row}")
        for place, name in enumerate(AUTHORITIES)
        for code in ("C05", "X13", "T02")
        for row in range(9, 12 + place)
    ]
    lines = summary(report(found), width=width)
    assert len(lines) <= LINES and max(map(len, lines)) <= width
    assert lines[0].startswith("306 errors in 12 returns")
    first = next(at for at, line in enumerate(lines) if line.startswith("Authority"))
    assert " ".join(lines[:first]).endswith("block the analysis.")  # in full at any width
    assert lines[first].startswith("Authority L: 42 errors by")
    if width == 200:
        assert lines[1] == "Authority L: 42 errors by 3 rules: C05 (14), X13 (14), T02 (14)"
        assert lines[-1] == "5 others: 75 errors, listed below"
        # Whoever is named and the rest together are all errors.
        assert sum(int(line.split(": ")[1].split()[0]) for line in lines[1:]) == 306


def shown(made: CheckReport, *, every: bool, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width)
    for part in details(made, every=every):
        console.print(part)
    return console.file.getvalue()


def test_a_rule_of_a_file_is_one_line_unless_every_cell_is_asked_for():
    made = report([problem("X13", of("C"), f"E{row}") for row in range(9, 39)])
    short, whole = shown(made, every=False), shown(made, every=True)
    assert f"and {30 - CELLS} more (--all)" in " ".join(short.split()) and "[X13] 30 times" in short
    assert short.count("[X13]") == 1 and whole.count("[X13]") == 30
    assert "E38" in whole and "E38" not in short
    assert "Nothing to mend in 11 returns of Authority A, Authority B" in short
    assert "Give days." in short and "Found “lots” and others" in " ".join(short.split())


@pytest.mark.parametrize("width", [40, 80])
def test_details_keep_words_whole_in_a_narrow_window(width):
    text = shown(report([problem("X13", of("C"), f"E{row}") for row in range(9, 39)]), every=False, width=width)
    assert max(map(len, text.splitlines())) <= width
    for word in RULE.split():
        assert word in text.split() or any(word in part for part in text.split())
