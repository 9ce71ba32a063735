"""The same inputs give the same bytes, wherever the project lies and whichever process renders it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

from book_tools import Rendered

RENDER = """
import pickle, sys
from pathlib import Path
from book_tools import render_copy

folder = Path(sys.argv[1])
made = render_copy(folder)
(folder / "rendered").write_bytes(pickle.dumps(made))
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_second_rendering_elsewhere_gives_the_same_bytes(rendered: Rendered, tmp_path: Path) -> None:
    """By a process that puts what is in sets in another order."""
    place = tmp_path / "another" / "deeper place"
    place.mkdir(parents=True)
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, (here, here.parent, here.parents[1])))
    seeds = {"PYTHONHASHSEED": "7", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", RENDER, str(place)], cwd=tmp_path, env=os.environ | seeds, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    again = pickle.loads((place / "rendered").read_bytes())
    assert again.report.executed == rendered.report.executed  # its code ran again: it had no kept outputs
    first, second = contents(rendered.output), contents(again.output)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert len(first["report.pdf"]) > 50_000
