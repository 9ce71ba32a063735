"""What all tests share: where the project is, and copies of it that a test may damage."""

import gc
import re
import shutil
from collections import Counter
from collections.abc import Generator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hhp_stats.processes.garbage import look_seldom

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


@pytest.fixture(scope="session")
def whole_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real project, rendered twice: `first` in it is the first report, and `again.txt` beside it what was said the
    second time. No test may change anything in it.
    """
    from whole_tools import hhp, made_once, small_project  # which a bundle without the report's tests does not have

    def make(folder: Path) -> None:
        project = small_project(folder / "project")
        hhp(project, "render")
        shutil.copytree(project / "_output", project / "first")
        (folder / "again.txt").write_text(hhp(project, "render").stderr, encoding="utf-8")

    return made_once(tmp_path_factory, "whole", make) / "project"


# Fixtures of the session that are made once for all workers, or that another worker may make once more.
CHEAP = frozenset({"root", "warm", "browser", "site", "whole_report", "prepared_once"})
_SESSION = re.compile(r'^@pytest\.fixture\(scope="session"[^)]*\)\ndef (\w+)', re.M)
_DEF = re.compile(r"^def (\w+)\(([^)]*)\)", re.M)


def _asked(file: Path) -> dict[str, set[str]]:
    """The functions of a file, and the words with which each asks for its arguments; of two with one name, both."""
    found: dict[str, set[str]] = {}
    for made, asked in _DEF.findall(file.read_text(encoding="utf-8")):
        found.setdefault(made, set()).update(re.findall(r"\w+", asked))
    return found


@cache
def files_together() -> Mapping[str, str]:
    """For each file of tests the first of those with which it shares a fixture of the session; itself where it shares
    none.

    Read off the sources: the process that shares out the tests knows their names alone.
    """
    asked_in = {path: _asked(path) for path in sorted(ROOT.glob("tests/**/test_*.py"))}
    first = {path: path for path in asked_in}
    shared = sorted(ROOT.glob("tests/**/conftest.py"))
    for conftest in shared:
        below = [_asked(path) for path in shared if path.is_relative_to(conftest.parent)]
        for name in set(_SESSION.findall(conftest.read_text(encoding="utf-8"))) - CHEAP:
            names = {name}  # and fixtures, beside it or in folders below, that ask for it
            while more := {made for fixtures in below for made, asked in fixtures.items() if names & asked} - names:
                names |= more
            users = [
                path
                for path, own in asked_in.items()
                if path.is_relative_to(conftest.parent) and any((names - own.keys()) & asked for asked in own.values())
            ]
            groups = {first[path] for path in users}
            first |= {path: min(groups) for path in first if first[path] in groups}
    return {path.relative_to(ROOT).as_posix(): one.relative_to(ROOT).as_posix() for path, one in first.items()}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of the whole book first: they take minutes one after another, while the other worker does the rest.

    Then files that stay together; single files fill the end.
    """
    together = files_together()
    size = Counter(together.values())

    def place(item: pytest.Item) -> tuple[bool, bool, str]:
        group = together[item.nodeid.partition("::")[0]]
        alone = size[group] == 1
        return item.path.name != "test_whole_report.py", alone, "" if alone else group

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests and all libraries stay to the end: garbage is looked for after they are there, without going
    through them each time, and as seldom as a command does: it took six seconds in a hundred.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
        look_seldom()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadscope`: a file is never split, and files that share a fixture of the session go to one worker.

    A rendered book, or the results of a study, is then made once and not by every worker. (`loadgroup` does not see
    marks
    that are set here: pytest-xdist 3.8 writes them into names that pytest 9 no longer reads.)
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return files_together()[nodeid.partition("::")[0]]

    return Together(config, log)
