"""A failing statement is named by its own file and line; the last good report stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from book_tools import WriteBook

from hhp_stats.errors import RenderError
from hhp_stats.files import rendering_marker
from hhp_stats.publish import render, render_book


def failure(root: Path) -> RenderError:
    with pytest.raises(RenderError) as caught:
        render_book(root=root, output=root / "_output", formats=["html"])
    return caught.value


def test_line_within_an_included_file(write_book: WriteBook) -> None:
    included = (
        "Words.\n\n```{python}\n#| label: deep\nfine = 1\n\n\ndef f():\n    raise ValueError('too deep')\n\nf()\n```\n"
    )
    root = write_book("# One {#sec-one}\n\nWords.\n\n{{< include part.qmd >}}\n\nMore.\n", part=included)
    error = failure(root)
    assert (error.file, error.line) == ("part.qmd", 11)
    assert error.message == "ValueError: too deep"


def test_inline_code_and_syntax(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n\nWords and\nthen `{python} missing_name` here.\n")
    error = failure(root)
    assert (error.file, error.line) == ("one.qmd", 4)
    assert error.message.startswith("NameError: name 'missing_name' is not defined")
    root = write_book("# One {#sec-one}\n\n```{python}\n#| echo: false\nx = 1\ny = (\n```\n")
    error = failure(root)
    assert error.file == "one.qmd" and error.line in (5, 6)
    assert "SyntaxError" in error.message


def test_failed_render_leaves_the_last_good_one(write_book: WriteBook, tmp_path: Path) -> None:
    good = "# One {#sec-one}\n\nGood words.\n"
    root = write_book(good)
    output = root / "_output"
    render_book(root=root, output=output, formats=["html"])
    before = {file: file.read_bytes() for file in output.rglob("*") if file.is_file()}
    write_book("# One {#sec-one}\n\n```{python}\n1 / 0\n```\n")
    assert "ZeroDivisionError" in failure(root).message
    assert {file: file.read_bytes() for file in output.rglob("*") if file.is_file()} == before
    write_book(good)
    table = tmp_path / "only-this-time.csv"
    table.write_text("a\n", encoding="utf-8")
    render_book(root=root, output=output, formats=["html"], attachments=[table])
    assert (output / table.name).exists()
    render_book(root=root, output=output, formats=["html"])
    assert not (output / table.name).exists()
    assert [file.name for file in root.iterdir() if file.name.startswith("._output")] == []


def test_interrupted_render_leaves_the_last_good_one(write_book: WriteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_book("# One {#sec-one}\n\nGood words.\n")
    output = root / "_output"
    render_book(root=root, output=output, formats=["html"])
    before = (output / "one.html").read_bytes()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(render, "write_site", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render_book(root=root, output=output, formats=["html"])
    assert (output / "one.html").read_bytes() == before
    assert [file.name for file in root.iterdir() if file.name.startswith("._output")] == []


def test_render_killed_between_the_two_renames_is_put_right(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n\nWords with an @unknown citation.\n")
    killed = 2**22 + 1  # beyond the greatest process id of Linux: no such process
    old = root / f"._output.old-{killed}"
    old.mkdir()
    (old / "one.html").write_text("the last good one", encoding="utf-8")
    rendering_marker.mark(old, rendering_marker.place_of(root / "_output", root))
    (root / f"._output.new-{killed}").mkdir()
    failure(root)
    assert (root / "_output" / "one.html").read_text(encoding="utf-8") == "the last good one"
    assert [file.name for file in root.iterdir() if file.name.startswith("._output")] == []
