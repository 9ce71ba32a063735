"""How the package is built: rooms stand on each other in one order, and nothing imports what stands above it.

A room is a folder or a file of `hhp_stats`; the table of CONTRIBUTING.md gives their order from the ground up. Imports
count wherever they stand: at the head of a module, within a function, for types alone, or as the name of a module in
a text from which it is imported later.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "hhp_stats"
DOORS = (PACKAGE, f"{PACKAGE}.__main__")  # the library and the program: whoever comes from outside enters here
VERSION = (PACKAGE, "__version__")  # what stands on the door may be read from anywhere
_NAME = re.compile(rf"{PACKAGE}(?:\.\w+)+(?=$|:\w+$|\.$)")
_ROOM = re.compile(r"^\| `(\w+?)(?:\.py|/)` \|", re.MULTILINE)


class Modules:
    """The modules of a package on disk, and what each imports of the others."""

    def __init__(self, root: Path) -> None:
        self.paths = {}
        for path in sorted((root / PACKAGE).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            self.paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        self.imports = {name: set(self._imports(name)) - {name} for name in self.paths}

    def folder(self, name: str) -> str:
        """The package in which a module lies; a package lies in itself, and so does a module of the ground floor."""
        alone = self.paths[name].stem == "__init__" or name.count(".") == 1
        return name if alone else name.rpartition(".")[0]

    def _imports(self, name: str) -> Iterator[str]:
        for node in ast.walk(ast.parse(self.paths[name].read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                asked = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{name} imports by dots: write the whole name"
                names = [each.name for each in node.names if (node.module, each.name) != VERSION]
                asked = [f"{node.module}.{name}" for name in names]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found = _NAME.match(node.value)
                asked = [found[0]] if found else []
            else:
                continue
            yield from (module for each in asked if (module := self._nearest(each)))

    def _nearest(self, name: str) -> str:
        while name and name not in self.paths:
            name = name.rpartition(".")[0]
        return name


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Sets of nodes each of which leads to every other (Tarjan's strongly connected components of two or more)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = lowest[node] = len(number)
        open_.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in number:
                visit(other)
            if other in open_:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == number[node]:
            at = open_.index(node)
            if len(open_) - at > 1:
                found.append(sorted(open_[at:]))
            del open_[at:]

    for node in graph:
        if node not in number:
            visit(node)
    return found


def mutual_folders(modules: Modules) -> list[str]:
    """Pairs of folders that import each other, each with one of its imports."""
    between: dict[tuple[str, str], str] = {}
    for name, others in modules.imports.items():
        for other in others:
            if name not in DOORS:
                between.setdefault((modules.folder(name), modules.folder(other)), f"{name} imports {other}")
    return [
        f"{found}, and {between[there, here]}"
        for (here, there), found in sorted(between.items())
        if here < there and (there, here) in between
    ]


def upward(modules: Modules, order: list[str]) -> list[str]:
    """Imports of what stands above in the order of rooms."""
    level = {room: place for place, room in enumerate(order)}
    return [
        f"{name} imports {other}"
        for name, others in modules.imports.items()
        for other in sorted(others)
        if name not in DOORS and (other in DOORS or level[_room(name)] < level[_room(other)])
    ]


def _room(name: str) -> str:
    return name.split(".")[1]


def rooms() -> list[str]:
    return _ROOM.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def package() -> Modules:
    return Modules(ROOT)


def test_the_list_of_rooms_is_whole(package: Modules) -> None:
    order = rooms()
    assert len(set(order)) == len(order)
    assert set(order) == {_room(name) for name in package.paths if name not in DOORS}


def test_nothing_imports_what_stands_above_it(package: Modules) -> None:
    assert upward(package, rooms()) == []


def test_every_module_that_is_asked_for_exists(package: Modules) -> None:
    """Also where a function imports it when it is called: mypy passes over modules that it does not find."""
    lacking = [
        f"{name} imports {node.module}"
        for name, path in package.paths.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and _of_package(node.module) and node.module not in package.paths
    ]
    assert lacking == []


def _of_package(module: str | None) -> bool:
    return module is not None and module.split(".")[0] == PACKAGE


def test_no_module_imports_itself_by_way_of_others(package: Modules) -> None:
    assert circles(package.imports) == []


def test_no_two_folders_import_each_other(package: Modules) -> None:
    assert mutual_folders(package) == []


KINDS_OF_IMPORT = {
    "a name": "from hhp_stats.high.one import x\n",
    "a module of a package": "from hhp_stats.high import one\n",
    "a whole module": "import hhp_stats.high.one\n",
    "within a function": "def f():\n    from hhp_stats.high.one import x\n    return x\n",
    "for types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hhp_stats.high.one import x\n",
    "by its name": 'from importlib import import_module\n\nx = import_module("hhp_stats.high.one")\n',
    "with a function": 'RUNS = "hhp_stats.high.one:run"\n',
    "with a part to come": 'x = f"hhp_stats.high.{name}"\n',
}


@pytest.mark.parametrize("kind", KINDS_OF_IMPORT)
def test_an_arrow_upwards_is_found_however_it_is_written(tmp_path: Path, kind: str) -> None:
    files = {
        "__init__": "",
        "__main__": "import hhp_stats.high.one\n",
        "low/__init__": "",
        "low/one": KINDS_OF_IMPORT[kind],
        "high/__init__": "x = 1\n",
        "high/one": "from hhp_stats.low import two\n\nx = two.y\n",
        "low/two": "y = 1\n",
    }
    for name, text in files.items():
        path = tmp_path / PACKAGE / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    modules = Modules(tmp_path)
    assert len(upward(modules, ["low", "high"])) == 1
    assert len(mutual_folders(modules)) == 1
    assert circles(modules.imports) == []
    (tmp_path / PACKAGE / "low/two.py").write_text("import hhp_stats.low.one\n", encoding="utf-8")
    whole = kind != "with a part to come"  # which module it will be is not known, only its folder
    assert bool(circles(Modules(tmp_path).imports)) is whole
