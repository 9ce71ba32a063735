"""Nothing stale stands: each kind of input and of code changes the key under which results, chapters and the report
are kept.
"""

from __future__ import annotations

import ast
import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from book_tools import WriteBook

from hhp_stats.publish import digests
from hhp_stats.publish import execute as execution
from hhp_stats.publish.dependencies import MIME, REPORT, WATCH, digest_names
from hhp_stats.publish.project import load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.publish.unchanged import report_key
from hhp_stats.running.run import studies_of
from hhp_stats.studies import kept

ROOT = Path(__file__).resolve().parents[2]
TRIAL = next(study for study in studies_of(ROOT) if study.key == "goal_setting")


@pytest.fixture
def forgetful() -> Iterator[None]:
    """What is remembered of versions and modules in this process is forgotten before and after."""

    def forget() -> None:
        for remembered in (kept._libraries, kept._code_of, kept._module, kept._source):
            remembered.cache_clear()

    forget()
    yield
    forget()


# ---------------------------------------------------------------- results of a study
@pytest.fixture
def data(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("releases"))
    return tmp_path


def _raw(root: Path) -> Path:
    return sorted((root / "data/returns").rglob("*.xlsx"))[0]


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


CHANGES: dict[str, Callable[[Path, pytest.MonkeyPatch], None]] = {
    "a raw file": lambda root, patch: _longer(_raw(root)),
    "a raw file gone": lambda root, patch: _raw(root).unlink(),
    "a raw file more": lambda root, patch: shutil.copy(_raw(root), _raw(root).with_name("another.xlsx")) and None,
    "the plan": lambda root, patch: _longer(root / "data/plan/goal_setting.toml"),
    "the dictionary": lambda root, patch: _longer(root / "data/dictionary.csv"),
    "the spellings": lambda root, patch: _longer(root / "data/spellings.csv"),
    "the ledger of corrections": lambda root, patch: _longer(root / "data/corrections.csv"),
    "the minor version of Python": lambda root, patch: patch.setattr(sys, "version_info", (3, 99, 0)),
    **{
        f"the version of {library}": lambda root, patch, library=library: _other_version(patch, library)
        for library in kept.LIBRARIES
    },
    "the key of the pseudonyms": lambda root, patch: _with_key(root, patch, "one"),
}


def _other_version(patch: pytest.MonkeyPatch, library: str) -> None:
    was = importlib.metadata.version
    patch.setattr(importlib.metadata, "version", lambda name: "99.0" if name == library else was(name))


def _with_key(root: Path, patch: pytest.MonkeyPatch, secret: str) -> None:
    (root / "secret").write_text(secret, encoding="utf-8")
    patch.setenv(kept.KEY_FILE, str(root / "secret"))


@pytest.mark.parametrize("change", CHANGES)
def test_results_do_not_stand_after_a_change_of(
    change: str, data: Path, monkeypatch: pytest.MonkeyPatch, forgetful: None
) -> None:
    monkeypatch.delenv(kept.KEY_FILE, raising=False)
    before = TRIAL.key_now(data)
    assert TRIAL.key_now(data) == before
    with monkeypatch.context() as patch:
        CHANGES[change](data, patch)
        kept._libraries.cache_clear()
        after = TRIAL.key_now(data)
    assert after != before


def test_another_key_of_the_pseudonyms_is_another_key(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_key(data, monkeypatch, "one")
    one = TRIAL.key_now(data)
    _with_key(data, monkeypatch, "two")
    assert TRIAL.key_now(data) != one


def test_the_libraries_that_numbers_rest_on_are_those_the_package_imports() -> None:
    """Every installed requirement that estimators, measures or designs import has its version in the key."""
    imported = set()
    for folder in ("regression", "estimate", "infer", "design", "measures", "studies"):
        for path in (ROOT / "hhp_stats" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Import):
                    imported |= {name.name.split(".")[0] for name in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(str(node.module).split(".")[0])
    others = imported - set(sys.stdlib_module_names) - {"hhp_stats"}
    assert others and others <= set(kept.LIBRARIES)


def test_code_of_a_study_counts_however_far_away_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgetful: None
) -> None:
    package = tmp_path / "hhp_stats"
    texts = {
        "__init__": "",
        "studies/__init__": "",
        "infer/__init__": "",
        "estimate/__init__": "",
        "studies/one": "from hhp_stats.infer import two\n",
        "infer/two": "def f():\n    import hhp_stats.estimate.three\n",
        "estimate/three": "x = 1\n",
        "estimate/four": "y = 1\n",
    }
    for name, text in texts.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(kept, "PACKAGE", package)

    def key() -> str:
        kept._code_of.cache_clear()
        kept._module.cache_clear()
        kept._source.cache_clear()
        return kept.study_key(tmp_path, study="one", module="hhp_stats.studies.one", patterns=())

    before = key()
    for name in ("studies/one", "infer/two", "estimate/three", "studies/__init__", "__init__"):
        (package / f"{name}.py").write_text(texts[name] + "# changed\n", encoding="utf-8")
        assert key() != before, name
        (package / f"{name}.py").write_text(texts[name], encoding="utf-8")
    (package / "estimate/four.py").write_text("y = 2\n", encoding="utf-8")
    assert key() == before


def test_the_real_studies_run_the_code_of_their_folder() -> None:
    for study in studies_of(ROOT):
        run = {path.relative_to(ROOT).as_posix() for path in kept.modules_run(study.module)}
        own = ROOT / study.module.replace(".", "/")
        files = own.rglob("*.py") if own.is_dir() else [own.with_suffix(".py")]
        assert {path.relative_to(ROOT).as_posix() for path in files} <= run, study.key


# ---------------------------------------------------------------- what is installed, settings
def test_what_is_installed_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    found = [digests.digest_environment()]
    (tmp_path / "one-1.0.dist-info").mkdir()
    found.append(digests.digest_environment())
    (tmp_path / "one-1.0.dist-info").rename(tmp_path / "one-1.1.dist-info")
    found.append(digests.digest_environment())
    monkeypatch.setattr(sys, "version", "4.0")
    found.append(digests.digest_environment())
    assert len(set(found)) == 4


def test_settings_count_with_the_file_they_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def both() -> tuple[str, str]:
        return digests.digest_settings(), digest_names(tmp_path)

    found = [both()]
    monkeypatch.setenv("HHP_SOMETHING", "one")
    found.append(both())
    monkeypatch.setenv("HHP_SOMETHING", str(tmp_path / "secret"))
    found.append(both())
    for text in ("one", "two"):
        (tmp_path / "secret").write_text(text, encoding="utf-8")
        found.append(both())
    assert len({settings for settings, _ in found}) == len({names for _, names in found}) == 5
    monkeypatch.setenv("OTHER_SETTING", "no matter")
    assert both() == found[-1]


# ---------------------------------------------------------------- chapters and the report
def test_a_chapter_does_not_stand_after_any_change(
    write_book: WriteBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_book("# One {#sec-one}\n\n```{python}\nx = 1\n```\n\n`{python} x`\n")
    declared = root / "data.txt"
    declared.write_text("old", encoding="utf-8")
    asked: list[str] = []

    def name(patch: pytest.MonkeyPatch) -> str:
        patch.setattr(execution, "standing", lambda project, source, name, files: asked.append(name) or ())
        project = load_project(root)
        sources = [read_chapter(project, chapter) for chapter in project.chapters]
        execution.execute(project, sources, declared=[declared])
        return asked[-1]

    before = name(monkeypatch)
    assert name(monkeypatch) == before
    found = {before}
    with monkeypatch.context() as patch:
        patch.setattr(execution, "digest_environment", lambda: "other packages")
        found.add(name(patch))
    with monkeypatch.context() as patch:
        patch.setenv("HHP_SOMETHING", "set")
        found.add(name(patch))
    with monkeypatch.context() as patch:
        patch.setattr(execution, "SETUP", "import that")
        found.add(name(patch))
    declared.write_text("new", encoding="utf-8")
    found.add(name(monkeypatch))
    (root / "report").mkdir()
    (root / "report/asked-for.csv").write_text("", encoding="utf-8")
    found.add(name(monkeypatch))
    assert len(found) == 6


def test_the_report_does_not_stand_after_any_change(write_book: WriteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_book("# One {#sec-one}\n\nWords.\n")
    (root / "data").mkdir()
    found = [report_key(root, formats=["html"], engine="embedded")]

    def changed() -> None:
        found.append(report_key(root, formats=["html"], engine="embedded"))
        assert found[-1] not in found[:-1]

    for name in ("data/new.csv", "requirements.lock", "report/new.qmd", "other.qmd"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("new", encoding="utf-8")
        changed()
    monkeypatch.setenv("HHP_SOMETHING", "set")
    changed()
    monkeypatch.setattr("hhp_stats.publish.unchanged.digest_environment", lambda: "other packages")
    changed()
    monkeypatch.setattr("hhp_stats.publish.unchanged.PACKAGE", root / "report")
    changed()


@pytest.mark.parametrize("compiled", [True, False])
def test_imported_modules_are_noted_with_and_without_compiled_files(tmp_path: Path, compiled: bool) -> None:
    """A module that Python loads compiled, or that was loaded before the watch began, is opened nowhere: it still
    counts.
    """
    program = f"""
import sys, types
shown = types.ModuleType("IPython.display")
shown.publish_display_data = lambda found: print("\\n".join(found[{MIME!r}]))
sys.modules["IPython"], sys.modules["IPython.display"] = types.ModuleType("IPython"), shown
import hhp_stats.errors
{WATCH}
import hhp_stats.tails
{REPORT}
"""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")} | (
        {} if compiled else {"PYTHONDONTWRITEBYTECODE": "1"}
    )
    for _ in range(2):  # the second time from what the first compiled
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
        )
        noted = {Path(line).name for line in done.stdout.splitlines()}
        assert {"tails.py", "errors.py"} <= noted
    assert any((tmp_path / "compiled").rglob("tails*.pyc")) is compiled
