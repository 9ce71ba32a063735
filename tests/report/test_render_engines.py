"""The other engine: the Quarto CLI where a user has it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from book_tools import WriteBook

from hhp_stats.errors import RenderError
from hhp_stats.publish import render_book


def test_without_the_cli_the_error_says_so(write_book: WriteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    root = write_book("# One {#sec-one}\n")
    with pytest.raises(RenderError, match="the Quarto CLI is not installed"):
        render_book(root=root, output=root / "_output", engine="quarto")
    assert not (root / "_output").exists()


def test_the_cli_is_called_for_each_format(
    write_book: WriteBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Stands in for the CLI: writes what it was asked for, as `quarto render` does.
    command = tmp_path / "bin" / "quarto"
    command.parent.mkdir()
    command.write_text(
        '#!/bin/sh\necho "$@" >> "$CALLS"\n'
        'while [ "$1" != "--to" ]; do shift; done\n'
        '[ "$2" = html ] && echo page > "$4/index.html"\n'
        '[ "$2" = typst ] && echo paper > "$4/Small.pdf"\nexit 0\n',
        encoding="utf-8",
    )
    command.chmod(0o755)
    calls = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(calls))
    monkeypatch.setenv("PATH", f"{command.parent}:/bin:/usr/bin")
    root = write_book("# One {#sec-one}\n")
    report = render_book(root=root, output=root / "_output", engine="quarto")
    assert [line.split()[3] for line in calls.read_text(encoding="utf-8").splitlines()] == ["html", "typst"]
    assert report.pages == ("index.html",)
    assert report.pdf is not None and report.pdf.read_text(encoding="utf-8") == "paper\n"


def test_unknown_engine_and_format(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n")
    with pytest.raises(ValueError, match="unknown engine"):
        render_book(root=root, output=root / "_output", engine="latex")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown formats"):
        render_book(root=root, output=root / "_output", formats=["docx"])  # type: ignore[list-item]


def test_only_the_script_that_both_engines_have_may_run_before(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n")
    config = root / "_quarto.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("  type: book\n", "  type: book\n  pre-render: report/prepare.py\n"), encoding="utf-8"
    )
    assert render_book(root=root, output=root / "_output", formats=["html"]).pages
    config.write_text(text.replace("  type: book\n", "  type: book\n  pre-render: other.py\n"), encoding="utf-8")
    with pytest.raises(RenderError, match="pre-render' may only be"):
        render_book(root=root, output=root / "_output", formats=["html"])


def test_the_script_before_quarto_makes_the_results_ready() -> None:
    script = (Path(__file__).resolve().parents[2] / "report/prepare.py").read_text(encoding="utf-8")
    ran: list[list[str]] = []

    def main() -> None:
        ran.append(list(sys.argv))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hhp_stats.__main__.main", main)
        patched.setattr(sys, "argv", ["prepare.py"])
        exec(compile(script, "prepare.py", "exec"), {"__name__": "__main__"})
    assert ran == [["hhp", "results"]]
