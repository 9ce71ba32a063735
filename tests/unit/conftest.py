"""One synthetic release in a folder of its own, written once for all tests that read it. Do not write into it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hhp_stats.synthetic.assumptions import PROJECT
from hhp_stats.synthetic.release import synthesise

FILES = ("data/dictionary.csv", "data/spellings.csv")
FOLDERS = ("data/plan", "data/published", "data/qualitative")


def new_project(root: Path) -> Path:
    """A project folder with everything that synthesising reads, and nothing else."""
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, root / name)
    for name in FILES:
        shutil.copy(PROJECT / name, root / name)
    return root


@pytest.fixture(scope="session")
def synthetic_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = new_project(tmp_path_factory.mktemp("synthetic"))
    synthesise(root)
    return root


@pytest.fixture
def empty_project(tmp_path: Path) -> Path:
    return new_project(tmp_path / "project")
