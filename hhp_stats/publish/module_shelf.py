"""Modules that the process that forks kernels has run, for kernels to take as they import them: loaded by that process,
this file must not import this package.

A chapter imports some hundred modules of the package, and to run them took as long as the chapter's own code. They are
run once, then put aside: a kernel imports what its chapter asks for, and with it what that imported in its turn, so
that the list of modules a chapter used (`dependencies`) is the same as if it had run them itself.
"""

from __future__ import annotations

import builtins
import importlib.util
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


class Shelf(MetaPathFinder):
    """The modules of a package, run and put aside. A kernel that opens the shelf finds them there first."""

    def __init__(self, folder: Path, room: str) -> None:
        """Run all modules of the package in `folder` that lie in one of its rooms, and those that they import; an empty
        shelf where Python finds another copy of the package, or where one of them fails.
        """
        self.package = folder.name
        self.modules: dict[str, ModuleType] = {}
        self.imported: dict[str, dict[str, None]] = {}  # by each module, in its order
        self.facts: dict[str, tuple[int, int]] = {}  # of each file, when it had been run
        found = importlib.util.find_spec(self.package)
        if found is None or found.origin != str(folder / "__init__.py"):
            return
        ordinary = builtins.__import__
        builtins.__import__ = self._noting(ordinary)
        try:
            self._run(f"{self.package}.{room}")
        except Exception:
            self.imported.clear()  # the chapter that needs it will say what is wrong
        finally:
            builtins.__import__ = ordinary
            self._put_aside(keep=bool(self.imported))

    def open(self) -> None:
        """From now on, imports take from the shelf; not where a file has changed since it was run."""
        if self.modules and all(_facts(file) == facts for file, facts in self.facts.items()):
            sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Where a module is, if it is on the shelf."""
        module = self.modules.get(name)
        if module is None:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None or module.__spec__ is None or spec.origin != module.__spec__.origin:
            self.modules.clear()  # a project with a copy of its own: none of ours may be among its modules
            return spec
        spec.loader = _Taken(module, self.imported.get(name, {}))
        return spec

    def _run(self, room: str) -> None:
        place = import_module(room).__path__
        for module in pkgutil.walk_packages(place, f"{room}."):
            import_module(module.name)

    def _is_ours(self, name: str) -> bool:
        return name == self.package or name.startswith(f"{self.package}.")

    def _noting(self, ordinary: Any) -> Any:
        """Python's `__import__`, which also takes down which of our modules imported which."""

        def noting(
            name: str,
            globals: Mapping[str, Any] | None = None,
            locals: Mapping[str, Any] | None = None,
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> Any:
            made = ordinary(name, globals, locals, fromlist, level)
            importer = str((globals or {}).get("__name__", ""))
            if self._is_ours(importer):
                within = str((globals or {}).get("__package__", ""))
                whole = importlib.util.resolve_name("." * level + name, within) if level else name
                asked = [whole, *(f"{whole}.{part}" for part in fromlist or ())]
                names = self.imported.setdefault(importer, {})
                names.update(dict.fromkeys(each for each in asked if self._is_ours(each) and each in sys.modules))
            return made

        return noting

    def _put_aside(self, *, keep: bool) -> None:
        found = {name: sys.modules.pop(name) for name in list(sys.modules) if self._is_ours(name)}
        for name, module in found.items():
            room, _, last = name.rpartition(".")
            # A package knows its modules as soon as they are imported, not before.
            if room and vars(found[room]).get(last) is module:
                delattr(found[room], last)
        if keep:
            self.modules = found
            self.facts = {file: _facts(file) for module in found.values() if (file := module.__file__)}


class _Taken(Loader):
    """Hands out a module from the shelf in place of running its file."""

    def __init__(self, module: ModuleType, imported: Mapping[str, None]) -> None:
        self.module, self.imported = module, imported
        self.names = dict(vars(module))  # where it came from among them, which importing sets anew

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module that was run."""
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """Import what it imported; where it gave a name of one of its modules to something else, that stands."""
        for name in self.imported:
            import_module(name)
        vars(module).update(self.names)


def _facts(file: str) -> tuple[int, int]:
    """Time of change and size; zeros where it is gone."""
    try:
        facts = Path(file).stat()
    except OSError:
        return 0, 0
    return facts.st_mtime_ns, facts.st_size
