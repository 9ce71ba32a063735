"""A reading is kept only while everything that it read is as before, and whoever watches hears of it each time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hhp_stats.files.file_parts import BEGIN, END, as_part
from hhp_stats.files.kept_reading import kept_reading

CALLS: list[str] = []
HEARD: list[tuple[str, object]] = []


@kept_reading
@as_part
def names(root: Path) -> tuple[str, ...]:
    """The names of the files that say yes."""
    CALLS.append("names")
    return tuple(sorted(path.name for path in root.glob("*.txt") if path.read_text() == "yes"))


@kept_reading
def whole(root: Path, name: str) -> str:
    """A file, and the names of all."""
    CALLS.append("whole")
    return (root / name).read_text() + " ".join(names(root))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    CALLS.clear()
    HEARD.clear()
    for name, text in (("a.txt", "yes"), ("b.txt", "no!")):
        (tmp_path / name).write_text(text)
    return tmp_path


def _listen(event: str, values: tuple[object, ...]) -> None:
    if event in (BEGIN, END) or (event == "open" and str(values[0]).endswith(".txt")):
        HEARD.append((event, values[0]))


def test_what_is_unchanged_is_not_read_again(project: Path) -> None:
    assert whole(project, "a.txt") == whole(project, "a.txt") == "yesa.txt"
    assert CALLS == ["whole", "names"]


def test_a_file_of_the_same_size_and_date_is_compared_by_its_content(project: Path) -> None:
    assert whole(project, "b.txt") == "no!a.txt"
    date = (project / "b.txt").stat()
    (project / "b.txt").write_text("now")
    os.utime(project / "b.txt", ns=(date.st_atime_ns, date.st_mtime_ns))
    assert whole(project, "b.txt") == "nowa.txt"


def test_what_a_kept_reading_within_another_read_counts_for_both(project: Path) -> None:
    assert whole(project, "a.txt") == "yesa.txt"
    (project / "b.txt").write_text("yes")
    assert whole(project, "a.txt") == "yesa.txt b.txt"


def test_a_new_file_and_one_that_is_gone_are_noticed(project: Path) -> None:
    assert names(project) == ("a.txt",)
    (project / "c.txt").write_text("yes")
    assert names(project) == ("a.txt", "c.txt")
    (project / "a.txt").unlink()
    assert names(project) == ("c.txt",)


def test_an_error_is_not_kept(project: Path) -> None:
    with pytest.raises(FileNotFoundError):
        whole(project, "d.txt")
    (project / "d.txt").write_text("there ")
    assert whole(project, "d.txt") == "there a.txt"


def test_a_watcher_hears_of_a_kept_reading_what_it_heard_of_the_first(project: Path) -> None:
    sys.addaudithook(_listen)
    whole(project, "a.txt")
    first = [heard for heard in HEARD if heard[0] != "open"]
    HEARD.clear()
    whole(project, "a.txt")
    again = [heard for heard in HEARD if heard[0] != "open"]
    assert first == again == [(BEGIN, f"{__name__}:names"), (END, f"{__name__}:names")]
    assert ("open", str(project / "a.txt")) in HEARD
