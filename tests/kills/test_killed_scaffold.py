"""hhp new and hhp remove that are killed between two files: the next command finds the project as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.files.changed_together import change_together
from hhp_stats.files.output_guard import OutputRefused
from hhp_stats.files.unfinished import CHANGING, put_right

ROOT = Path(__file__).resolve().parents[2]
# Kills its own process before the n-th file takes its name, or is taken away.
KILLED = """
import os, signal, sys
from pathlib import Path
count = 0
def killing(original):
    def call(self, *rest, **more):
        global count
        if ".report" not in self.parts and ".report" not in str(self):
            count += 1
            if count == int(os.environ["KILL_AT"]):
                os.kill(os.getpid(), signal.SIGKILL)
        return original(self, *rest, **more)
    return call
Path.replace, Path.unlink = killing(Path.replace), killing(Path.unlink)
sys.argv = ["hhp", *sys.argv[1:]]
from hhp_stats.cli import main
main()
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of two studies without their raw files, and a table beside it."""
    home = tmp_path_factory.mktemp("killed") / "project"
    for name in ("data", "report"):
        skipped = shutil.ignore_patterns("figures", "releases", ".removed", "returns", "surveys", "allocation")
        shutil.copytree(ROOT / name, home / name, ignore=skipped)
    for name in ("_quarto.yml", "index.qmd"):
        shutil.copy(ROOT / name, home)
    frame = pd.DataFrame({"arm": ["a", "b"] * 20, "score": range(40)})
    frame.to_csv(home.parent / "table.csv", index=False)
    return home


def contents(home: Path) -> dict[str, bytes]:
    files = (path for path in home.rglob("*") if path.is_file() and ".report" not in path.parts)
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in files}


def hhp(home: Path, *words: str, kill_at: int = 0) -> subprocess.CompletedProcess[str]:
    program = ["-c", KILLED] if kill_at else ["-m", "hhp_stats"]
    more = {"PYTHONPATH": str(ROOT), "KILL_AT": str(kill_at), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *program, *words], cwd=home, capture_output=True, text=True, check=False, env=os.environ | more
    )


@pytest.mark.skipif(os.name != "posix", reason="kills by a signal of POSIX")
@pytest.mark.parametrize(("command", "kill_at"), [("new", 5), ("remove", 30)])
def test_after_a_kill_the_next_command_finds_the_project_as_it_was(source, tmp_path, command, kill_at):
    home = tmp_path / "project"
    shutil.copytree(source, home)
    words = (
        ["new", "extra", "--kind", "individual trial", "--data", str(source.parent / "table.csv")]
        if command == "new"
        else ["remove", "coffee", "--yes"]
    )
    before = contents(home)
    killed = hhp(home, *words, kill_at=kill_at)
    assert killed.returncode == -9 and contents(home) != before
    assert hhp(home, "remove", "letters", "--dry-run").returncode == 0
    assert contents(home) == before
    assert not list((home / CHANGING).glob("*"))


def test_a_change_that_fails_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "a.txt").write_text("old", encoding="utf-8")
    (tmp_path / "b.txt").write_text("goes", encoding="utf-8")
    (tmp_path / "folder").write_text("in the way", encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(Exception, match=r"folder|is a file"):
        change_together(
            tmp_path, new={"folder/c.txt": b"new"}, edited={"a.txt": b"edited"}, removed=["b.txt"], command="hhp new"
        )
    assert contents(tmp_path) == before
    change_together(
        tmp_path, new={"c/d.txt": b"new"}, edited={"a.txt": b"edited"}, removed=["b.txt"], command="hhp new"
    )
    assert contents(tmp_path) == {"a.txt": b"edited", "folder": b"in the way", "c/d.txt": b"new"}
    put_right(tmp_path)
    assert contents(tmp_path)["a.txt"] == b"edited"


def test_links_and_files_in_the_way_are_refused(tmp_path):
    project, outside = tmp_path / "project", tmp_path / "outside.txt"
    project.mkdir()
    outside.write_text("mine", encoding="utf-8")
    (project / "linked.txt").symlink_to(outside)
    (project / "there.txt").write_text("mine", encoding="utf-8")
    for asked in ({"edited": {"linked.txt": b"x"}, "new": {}}, {"edited": {}, "new": {"there.txt": b"x"}}):
        with pytest.raises(OutputRefused):
            change_together(project, command="hhp new", **asked)
    assert outside.read_text(encoding="utf-8") == (project / "there.txt").read_text(encoding="utf-8") == "mine"
