"""The planted bugs fit the sources: each can be planted as it stands, and its tests are there to notice it.

Whether they notice is what `python -m benchmarks.planted.run` finds out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.planted.run import Bug, load_bugs

ROOT = Path(__file__).resolve().parents[2]
BUGS = load_bugs()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_a_planted_bug_fits_the_sources(bug: Bug) -> None:
    path = ROOT / bug.file
    text = path.read_text(encoding="utf-8")
    assert text.count(bug.old) == 1, (
        f"{bug.file} does not hold {bug.old!r} once: bring {bug.id} in bugs.toml up to date"
    )
    planted = text.replace(bug.old, bug.new)
    assert planted != text
    if path.suffix == ".py":  # a source that cannot be read would be noticed by any test
        compile(planted, bug.file, "exec")
    assert all((ROOT / test).is_file() for test in bug.tests) and bug.likely_tests(ROOT)


def test_there_are_bugs_of_many_kinds_in_many_rooms() -> None:
    assert len(BUGS) > 100 and len({bug.kind for bug in BUGS}) > 10
    assert len({bug.file.split("/")[1] for bug in BUGS}) > 8
