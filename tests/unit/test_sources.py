"""Every row of a study names functions that its run entered: seen by a profile, not read off the code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from hhp_stats.studies.run import STUDIES

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = f"{ROOT / 'hhp_stats'}/"
PROFILED = ("hiring", "swing", "dictation")  # a run of each kind that takes seconds; the goal-setting trial by cells


def entered_while(run: Any) -> tuple[Any, set[str]]:
    """What `run` returned, and the full names of the package's functions that were entered."""
    seen: set[tuple[str, str]] = set()

    def profile(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            seen.add((frame.f_code.co_filename, frame.f_code.co_qualname))

    sys.setprofile(profile)
    try:
        found = run()
    finally:
        sys.setprofile(None)
    root = f"{ROOT}/"
    return found, {f"{file.removeprefix(root).removesuffix('.py').replace('/', '.')}.{name}" for file, name in seen}


@pytest.mark.parametrize("key", PROFILED)
def test_the_source_of_each_row_ran(key: str) -> None:
    study = next(each for each in STUDIES if each.key == key)
    output, entered = entered_while(lambda: study.run(ROOT, lambda done, total: None))
    named = {name for source in output.results["source"] for name in source.split(" + ")}
    assert named and not {name for name in named if name not in entered}
