"""hhp remove: what goes with a study, that nothing is lost, and that what is left is whole."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hhp_stats.errors import UnknownName
from hhp_stats.intake.manifest import verify_manifest
from hhp_stats.intake.raw_files import raw_files
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.book_studies import check_book
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.clauses import CLAUSE_STATUS, load_clause_status
from hhp_stats.plan.conflicts import load_conflicts, load_departures
from hhp_stats.plan.consort import load_checklist
from hhp_stats.plan.estimands import load_estimands
from hhp_stats.plan.every_file import check_plan_files
from hhp_stats.publish.lint import lint_sources
from hhp_stats.publish.project import load_project
from hhp_stats.scaffold.removal import REMOVED, RemovalRefused, removal, remove, without_entries

ROOT = Path(__file__).resolve().parents[2]
STUDIES = [entry.study for entry in catalogue(ROOT)]


def one_of_each_kind() -> list[Any]:
    """Every study; those whose kind came before take their time in the slow tests."""
    kinds: set[str] = set()
    studies = []
    for entry in catalogue(ROOT):
        studies.append(pytest.param(entry.study, marks=[pytest.mark.slow] if entry.kind in kinds else []))
        kinds.add(entry.kind)
    return studies


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The project without its code."""
    for name in ("data", "report"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("figures", "releases", ".removed"))
    for name in ("_quarto.yml", "index.qmd"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def contents(home: Path) -> dict[str, bytes]:
    files = (path for path in home.rglob("*") if path.is_file() and path.relative_to(home).parts[0] != ".report")
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("study", one_of_each_kind())
def test_what_is_left_is_whole_and_nothing_is_lost(home: Path, study: str) -> None:
    before = contents(home)
    found = removal(home, study)
    assert contents(home) == before  # asking changes nothing
    folder = remove(home, study)
    after = contents(home)
    kept = {
        name.split("/", 2)[2]: content
        for name, content in contents(folder.parent).items()
        if name.startswith(f"{study}/")
    }
    assert kept == {name: before[name] for name in (*found.moved, *found.edited)}
    left = {name: content for name, content in after.items() if not name.startswith(REMOVED)}
    assert set(before) - set(left) == set(found.moved)
    assert {name for name in left if left[name] != before[name]} == set(found.edited)
    assert check_book(home) and study not in [entry.study for entry in catalogue(home)]
    assert not lint_sources(load_project(home))  # every reference has its section still
    assert not verify_manifest(home)
    for entry in catalogue(home):
        plan_of(home, entry.study)
    check_plan_files(home)
    if (home / CLAUSE_STATUS).is_file():
        assert load_clause_status(home) and load_checklist(home) and load_estimands(home)
    assert study not in {entry.study for entry in (*load_conflicts(home), *load_departures(home))}
    assert not any(f"/{study}." in name or f"/{study}/" in name for name in raw_files(home))
    for path in sorted((home / "data/plan").glob("*.toml")):
        tomllib.loads(path.read_text(encoding="utf-8"))


def test_the_command_says_what_it_does_and_asks_first(home: Path) -> None:
    def hhp(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hhp_stats", *words],
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(ROOT), "COLUMNS": "300", "PATH": ""},
        )

    before = contents(home)
    dry, asked = hhp("remove", "coffee", "--dry-run"), hhp("remove", "coffee")
    assert (dry.returncode, asked.returncode) == (0, 2) and contents(home) == before
    assert (
        "move   data/plan/coffee.toml" in dry.stdout
        and "Nothing was changed" in dry.stdout + dry.stderr
        and "--yes" in asked.stderr
    )
    done = hhp("remove", "coffee", "--yes")
    assert done.returncode == 0 and f"{REMOVED}/coffee" in done.stdout and not (home / "data/plan/coffee.toml").exists()
    unknown = hhp("remove", "cofee", "--yes")
    assert unknown.returncode == 2 and "no study 'cofee'" in unknown.stdout + unknown.stderr


def test_refusals(home: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'letters'"):
        removal(home, "leters")
    (home / REMOVED / "letters").mkdir(parents=True)
    before = contents(home)
    with pytest.raises(RemovalRefused, match="exists already"):
        remove(home, "letters")
    assert contents(home) == before
    for study in STUDIES[1:]:
        if study != "letters":
            remove(home, study)
    shutil.rmtree(home / REMOVED / "letters")
    remove(home, "letters")
    with pytest.raises(RemovalRefused, match="the only study"):
        remove(home, STUDIES[0])


def test_entries_of_lists_go_and_comments_of_others_stay() -> None:
    text = (
        '# head\n\n[[one]]\nid = 1\nstudy = "a"\n\n# of the next\n[[one]]\nid = 2\nstudy = "b"\ntext = """\n[not a'
        ' table]\n"""\n\n[[one]]\nid = 3\nstudy = "a"\ntext = """\n[[one]]\n"""\n'
    )
    assert (
        without_entries(text, "a")
        == '# head\n\n# of the next\n[[one]]\nid = 2\nstudy = "b"\ntext = """\n[not a table]\n"""\n\n'
    )
    assert without_entries(text, "c") == text
