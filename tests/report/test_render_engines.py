"""The other engine: the Quarto CLI where a user has it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from book_tools import WriteBook

from hhp_stats.errors import RenderError
from hhp_stats.publish import render_book
from hhp_stats.publish.dependencies import digest_names
from hhp_stats.publish.unchanged import report_key

Stand = Callable[..., Path]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Put a script in the place of the CLI; it notes how it is called. What the real one makes of the book is not
    tested here: see test_quarto_contract.py.
    """

    def make(render: str, *, version: str = "1.9.38") -> Path:
        command = tmp_path / "bin" / "quarto"
        command.parent.mkdir(exist_ok=True)
        command.write_text(
            f'#!/bin/sh\nif [ "$1" = --version ]; then echo {version}; exit 0; fi\n'
            'echo "$QUARTO_PYTHON $@" >> "$CALLS"\n'
            'while [ "$1" != "--to" ]; do shift; done\nformat="$2"; output="$4"\n' + render,
            encoding="utf-8",
        )
        command.chmod(0o755)
        monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
        monkeypatch.setenv("PATH", f"{command.parent}:/bin:/usr/bin")
        return tmp_path / "calls"

    return make


WRITES = """\
[ "$format" = html ] && echo page > "$output/index.html"
[ "$format" = typst ] && echo paper > "$output/Small.pdf"
exit 0
"""


def test_without_the_cli_the_error_says_so(write_book: WriteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    root = write_book("# One {#sec-one}\n")
    with pytest.raises(RenderError, match=r"the Quarto CLI is not installed.*hhp_stats\[quarto\].*hhp render"):
        render_book(root=root, output=root / "_output", engine="quarto")
    assert not (root / "_output").exists()


@pytest.mark.parametrize("version", ["1.8.27", "0.9.1", "1.4"])
def test_a_cli_that_is_too_old_is_refused(write_book: WriteBook, stand_in: Stand, version: str) -> None:
    calls = stand_in(WRITES, version=version)
    root = write_book("# One {#sec-one}\n")
    with pytest.raises(RenderError, match=f"this is Quarto {version}; the book needs 1.9 or later"):
        render_book(root=root, output=root / "_output", engine="quarto")
    assert not calls.exists() and not (root / "_output").exists()


def test_a_program_of_that_name_that_says_no_version_is_refused(write_book: WriteBook, stand_in: Stand) -> None:
    stand_in(WRITES, version="hello")
    root = write_book("# One {#sec-one}\n")
    with pytest.raises(RenderError, match="names no version"):
        render_book(root=root, output=root / "_output", engine="quarto")


@pytest.mark.parametrize("version", ["1.9.38", "1.10.3", "2.0.1", "99.9.9"])
def test_the_cli_is_called_for_each_format_with_this_python(
    write_book: WriteBook, stand_in: Stand, version: str
) -> None:
    calls = stand_in(WRITES, version=version)
    root = write_book("# One {#sec-one}\n")
    (root / "results.csv").write_text("a\n1\n", encoding="utf-8")
    report = render_book(root=root, output=root / "_output", engine="quarto", attachments=[root / "results.csv"])
    called = [line.split() for line in calls.read_text(encoding="utf-8").splitlines()]
    assert [line[0] for line in called] == [sys.executable] * 2  # the interpreter, whatever environment is active
    assert [line[4] for line in called] == ["html", "typst"]
    assert report.pages == ("index.html",)
    assert report.pdf is not None and report.pdf.read_text(encoding="utf-8") == "paper\n"
    assert (root / "_output" / "results.csv").is_file()


def test_the_error_is_shown_and_not_the_warnings(write_book: WriteBook, stand_in: Stand) -> None:
    stand_in(
        """\
echo "(W) (  12 times) invalid font weight initial" >&2
echo "warning: unknown font family: segoe ui" >&2
echo "  + index.typ:12:3" >&2
printf '\\033[31merror: expected content, found array\\033[0m\\n' >&2
echo "  + index.typ:40:1" >&2
echo "warning: unknown font family: roboto" >&2
echo "  + index.typ:99:3" >&2
printf '\\033[91mERROR: Typst could not compile\\033[39m\\n' >&2
exit 1
"""
    )
    root = write_book("# One {#sec-one}\n")
    with pytest.raises(RenderError) as caught:
        render_book(root=root, output=root / "_output", engine="quarto", formats=["pdf"])
    assert caught.value.message == (
        "quarto render --to typst failed:\nerror: expected content, found array\n  + index.typ:40:1\n"
        "ERROR: Typst could not compile"
    )
    assert not (root / "_output").exists()


def test_a_run_without_a_pdf_is_an_error(write_book: WriteBook, stand_in: Stand) -> None:
    stand_in("exit 0\n")
    root = write_book("# One {#sec-one}\n")
    with pytest.raises(RenderError, match="wrote no PDF"):
        render_book(root=root, output=root / "_output", engine="quarto", formats=["pdf"])


def test_what_quarto_leaves_behind_changes_nothing_for_the_other_engine(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n")
    (root / "report").mkdir()
    (root / "report/a.qmd").write_text("# A\n", encoding="utf-8")
    before = digest_names(root), report_key(root, formats=["html"], engine="embedded")
    for name in ("report/a_files/figure-html/cell-2.svg", "report/a.quarto_ipynb", "report/site_libs/x.js"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x", encoding="utf-8")
    assert (digest_names(root), report_key(root, formats=["html"], engine="embedded")) == before
    (root / "report/b.qmd").write_text("# B\n", encoding="utf-8")
    assert digest_names(root) != before[0]


def test_unknown_engine_and_format(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n")
    with pytest.raises(ValueError, match="unknown engine"):
        render_book(root=root, output=root / "_output", engine="latex")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown formats"):
        render_book(root=root, output=root / "_output", formats=["epub"])  # type: ignore[list-item]


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
