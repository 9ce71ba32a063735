"""The same inputs give the same bytes, wherever the project lies."""

from __future__ import annotations

from pathlib import Path

from book_tools import Rendered, render_copy


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_second_rendering_elsewhere_gives_the_same_bytes(rendered: Rendered, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    again = render_copy(tmp_path / "another" / "deeper place")
    assert again.report.executed == rendered.report.executed  # its code ran again: it had no kept outputs
    first, second = contents(rendered.output), contents(again.output)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert len(first["report.pdf"]) > 50_000
