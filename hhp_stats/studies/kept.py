"""May a study's results of an earlier run stand? Only if its inputs, its plan and the code it runs are the same bytes."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import os
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from hhp_stats.studies.output import FOLDER

PACKAGE = Path(__file__).resolve().parent.parent
KEY_FILE = "HHP_PSEUDONYM_KEY_FILE"
LIBRARIES = ("numpy", "scipy", "pandas", "statsmodels", "linearmodels", "joblib", "openpyxl")


def modules_run(module: str) -> tuple[Path, ...]:
    """Source files of `module` and of every module of this package that it imports, directly or not."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _source(name)
        if path is None or name in found:
            continue
        found[name] = path
        waiting += [".".join(name.split(".")[:depth]) for depth in range(1, name.count(".") + 1)]
        waiting += _imports(path.read_bytes())
    return tuple(sorted(found.values()))


@cache  # the studies share most of their modules
def _imports(source: bytes) -> tuple[str, ...]:
    """Every name that a module's source imports, wherever in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(found)


def _source(name: str) -> Path | None:
    first, *rest = name.split(".")
    if first != PACKAGE.name:
        return None
    base = PACKAGE.joinpath(*rest)
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def input_files(root: Path, patterns: Sequence[str]) -> tuple[Path, ...]:
    """Files below `root` that match, without folders."""
    return tuple(sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()}))


def study_key(root: Path, *, module: str, patterns: Sequence[str]) -> str:
    """One digest of inputs, plan, code, library versions and, for real data, the pseudonyms' key."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for library in LIBRARIES:
        digest.update(f"{library} {importlib.metadata.version(library)}\n".encode())
    for name, path in _named(root, (*input_files(root, patterns), *modules_run(module))):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    secret = os.environ.get(KEY_FILE)
    if secret and Path(secret).is_file():
        digest.update(hashlib.sha256(Path(secret).read_bytes()).digest())
    return digest.hexdigest()


def _named(root: Path, paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """Paths relative to the project or the package, so that a copy elsewhere has the same key."""
    named = []
    for path in paths:
        base = root if path.is_relative_to(root) else PACKAGE.parent
        named.append((path.relative_to(base).as_posix(), path))
    return named


def is_kept(root: Path, study: str, key: str) -> bool:
    """Does the study's folder hold complete results with this key?"""
    note = root / FOLDER / study / "key.txt"
    return note.is_file() and note.read_text(encoding="ascii", errors="replace").strip() == key


def note_key(root: Path, study: str, key: str) -> None:
    """Say which key the results in the study's folder have; written last, so that it vouches for the rest."""
    (root / FOLDER / study / "key.txt").write_text(key + "\n", encoding="ascii")
