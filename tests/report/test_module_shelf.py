"""Kernels take modules of the package from a shelf: they must be those that they would have run themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import hhp_stats

PACKAGE = Path(hhp_stats.__file__).parent

# A package with what imports can do: by names of modules, by names in them, relative, within a function, and a name
# of a module that the package itself gives to something else.
FILES = {
    "__init__.py": "",
    "plan.py": "LOADED = []\n",
    "room/__init__.py": "from small.room.named import named\n",
    "room/named.py": "def named():\n    return 'a function'\n",
    "room/tables.py": "from small import plan\nfrom . import words\nplan.LOADED.append('tables')\n",
    "room/words.py": "from small.plan import LOADED\nLOADED.append('words')\n",
    "room/figures.py": "import small.room.words\n\ndef draw():\n    from small.room import alone\n    return alone\n",
    "room/alone.py": "from small.plan import LOADED\nLOADED.append('alone')\n",
    "other.py": "",
}
ASKED = "import small.room.figures as figures, small.room.tables as tables, small.plan as plan"

PROGRAM = """
import importlib.util, json, os, sys
folder, shelf_file, asked, spoil = sys.argv[1:]
if shelf_file:
    spec = importlib.util.spec_from_file_location("module_shelf", shelf_file)
    module_shelf = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module_shelf)
    sys.path.insert(0, folder)
    shelf = module_shelf.Shelf(__import__("pathlib").Path(folder) / "small", "room")
    filled = len(shelf.modules)
    left = [name for name in sys.modules if name.startswith("small")]
    exec(spoil)
    shelf.open()
else:
    sys.path.insert(0, folder)
    filled, left = 0, []
exec(asked)
first = sorted(name for name in sys.modules if name.startswith("small"))
known = sorted(name for name in vars(sys.modules["small.room"]) if not name.startswith("_"))
figures.draw()
import small.room
print(json.dumps({
    "filled": filled, "left": left, "first": first, "known": known,
    "then": sorted(name for name in sys.modules if name.startswith("small")),
    "named": small.room.named(), "loaded": plan.LOADED, "file": figures.__file__,
    "loader": type(figures.__spec__.loader).__name__, "tables": tables.words is sys.modules["small.room.words"],
}))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "small" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def imported(folder: Path, *, shelf: bool = True, spoil: str = "") -> dict[str, object]:
    """What a process knows of the package after the imports, with or without a shelf; `spoil` runs before it opens."""
    file = str(PACKAGE / "publish" / "module_shelf.py") if shelf else ""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), file, ASKED, spoil], capture_output=True, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_modules_from_the_shelf_are_those_that_would_have_been_run(package: Path) -> None:
    taken, run = imported(package), imported(package, shelf=False)
    assert taken["filled"] == len(FILES) - 1  # not the one that nobody imports
    assert taken["left"] == []  # nothing of the package is imported before a chapter asks for it
    for what in ("first", "known", "then", "named", "file", "loader", "tables"):
        assert taken[what] == run[what], what
    assert "small.room.alone" not in run["first"]  # type: ignore[operator]  # what only a call imports comes with it
    assert "small.room.alone" in run["then"]  # type: ignore[operator]
    # Each has been run once, before.
    assert sorted(taken["loaded"]) == sorted(run["loaded"]) == ["alone", "tables", "words"]  # type: ignore[call-overload]


def test_a_changed_file_is_run_anew(package: Path) -> None:
    change = "open(folder + '/small/plan.py', 'a').write('LOADED.append(0)  # longer')"
    assert 0 in imported(package, spoil=change)["loaded"]  # type: ignore[operator]


def test_another_copy_of_the_package_is_not_mixed_with_ours(package: Path) -> None:
    other = package / "copy"
    (package / "small").rename(package / "kept")
    subprocess.run(["cp", "-r", package / "kept", package / "small"], check=True)
    other.mkdir()
    (package / "kept").rename(other / "small")
    found = imported(package, spoil=f"sys.path.insert(0, {str(other)!r}); sys.path_importer_cache.clear()")
    assert found["file"] == str(other / "small" / "room" / "figures.py")
    assert found["named"] == "a function"
    assert found["loaded"] == ["words", "tables", "alone"]


def test_where_a_module_fails_nothing_is_put_aside(package: Path) -> None:
    (package / "small" / "room" / "zigzag.py").write_text("raise ValueError('wrong')\n")
    found = imported(package)
    assert (found["filled"], found["left"]) == (0, [])
    assert found["loaded"] == ["words", "tables", "alone"]


def test_modules_read_nothing_when_they_are_imported() -> None:
    """What one of them read then would not be among the files that a chapter rests on."""
    program = """
import os, pkgutil, sys, importlib
root, read = sys.argv[1] + os.sep, []
def heard(event, given):
    if event == "open" and isinstance(given[0], str) and os.path.realpath(given[0]).startswith(root):
        libraries = "site-packages" in given[0]  # the environment may lie in the project
        if not libraries and os.path.splitext(given[0])[1] not in (".py", ".pyc") and "__pycache__" not in given[0]:
            read.append(given[0])
sys.addaudithook(heard)
import hhp_stats.present as room
for module in pkgutil.walk_packages(room.__path__, "hhp_stats.present."):
    importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("hhp_stats.")]), read)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(PACKAGE.parent)], capture_output=True, text=True, check=True
    )
    count, _, read = done.stdout.strip().partition(" ")
    assert int(count) > 100
    assert read == "[]"
