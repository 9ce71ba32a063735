"""What all tests share: where the project is, and copies of it that a test may damage."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own folder; read only."""
    return ROOT


@pytest.fixture
def project(tmp_path) -> Path:
    """A copy of the data, for tests that change a plan or a raw file."""
    home = tmp_path / "project"
    home.mkdir()
    shutil.copytree(ROOT / "data", home / "data")
    shutil.copy(ROOT / "_quarto.yml", home / "_quarto.yml")
    return home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of the whole book first: they take minutes one after another, while the other worker does the rest."""
    items.sort(key=lambda item: item.path.name != "test_whole_report.py")
