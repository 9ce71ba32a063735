"""A copy of the real project in which chance is asked less often, and its commands.

A whole run takes seconds rather than minutes; nothing else differs from what `make report` does.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from hhp_stats import cli
from hhp_stats.processes.at_work import at_work

ROOT = Path(__file__).resolve().parents[1]


def hhp(project: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """One command of the project, as a user gives it; refuses an exit status other than 0 where `check` says so."""
    done = subprocess.run(
        [sys.executable, "-m", "hhp_stats", *words],
        cwd=project,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


def hhp_here(project: Path, *words: str, width: int = 200) -> subprocess.CompletedProcess[str]:
    """The same in this process, for tests of what a command says and writes and not of how it begins and ends: it need
    not import the libraries again.
    """
    said, told = io.StringIO(), io.StringIO()
    status: object = 0
    with (
        contextlib.chdir(project),
        mock.patch.object(sys, "argv", ["hhp", *words]),
        mock.patch.dict(os.environ, {"COLUMNS": str(width)}),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(told),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
    assert isinstance(status, int), status
    return subprocess.CompletedProcess(["hhp", *words], status, said.getvalue(), told.getvalue())


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills for all workers of one run of the tests: who comes first makes it, others wait.

    No test may change what is in it.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, done = base / name, base / f"{name}.done"
    with at_work(base, name, wait=600):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def small_project(home: Path) -> Path:
    """A copy of sources and data in which chance is asked less often."""
    home.mkdir(parents=True)
    for name in ("data", "report"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("figures"))
    for name in ("_quarto.yml", "index.qmd", "requirements.lock"):
        shutil.copy(ROOT / name, home / name)
    ask_chance_less(home)
    return home


def ask_chance_less(home: Path) -> None:
    """Three imputations and sixty draws are in the plan of the trial with the longest run."""
    plan = home / "data/plan/goal_setting.toml"
    text = plan.read_text(encoding="utf-8")
    text, found = re.subn(r"(\nm|\niterations) = \d+", r"\1 = 3", text)
    text, more = re.subn(r"\ndraws = \d+", "\ndraws = 60", text)
    assert (found, more) == (5, 1)  # four models and their rounds
    plan.write_text(text, encoding="utf-8")
