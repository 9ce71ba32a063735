"""May a study's results of an earlier run stand? Only if its inputs, its plan and the code it runs are the same
bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from hhp_stats.intake.raw_files import MANIFEST, concerns, is_link, raw_files_of, studies

PACKAGE = Path(__file__).resolve().parent.parent
FOLDER = ".report/results"
DEVIATIONS = "data/plan/deviations*.toml"
INTERNAL = "internal"  # within a study's folder: the whole frames, which are never read again
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
        waiting += _module(path)[1]
    return tuple(sorted(found.values()))


_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(hhp_stats[\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n#]*)|import[ \t]+(hhp_stats[\w.]*))", re.M
)


def _imports(source: bytes) -> tuple[str, ...]:
    """Every name of this package that a module's source imports, wherever in it.

    Found as text, since parsing all modules took a second of every command. A line of a docstring that reads like an
    import counts too: a module more in the key does no harm.
    """
    found: list[str] = []
    for module, names, plain in _IMPORT.findall(source):
        if plain:
            found.append(plain.decode())
        else:
            words = re.findall(r"\w+", re.sub(r"#[^\n]*|\bas\s+\w+", "", names.decode()))
            found += [module.decode(), *(f"{module.decode()}.{word}" for word in words)]
    return tuple(found)


@cache
def _source(name: str) -> Path | None:
    first, *rest = name.split(".")
    if first != PACKAGE.name:
        return None
    base = PACKAGE.joinpath(*rest)
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def input_files(root: Path, patterns: Sequence[str]) -> tuple[Path, ...]:
    """Files below `root` that match, without folders."""
    return tuple(sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()}))


def study_key(root: Path, *, study: str, module: str, patterns: Sequence[str]) -> str:
    """One digest of inputs, plan, code, library versions and, for real data, the pseudonyms' key.

    Inputs are the study's raw files, whatever they are called, and the sources that match `patterns`. Of the manifest
    only what it says of the whole release and of the study's own files counts, of the deviations only those that
    explain what the checks of its files find.
    """
    digest = hashlib.sha256(f"{sys.version_info[:2]}\n{_libraries()}{_manifest_for(root, study)}".encode())
    digest.update(_deviations_for(root, study).encode())
    raw = raw_files_of(root, study)
    digest.update(repr([name for name in raw if is_link(root, name)]).encode())
    read = {*(root / name for name in raw if (root / name).is_file()), *input_files(root, patterns)}
    for name, path in _named(root, sorted(read)):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    digest.update(_code_of(root, module))
    secret = os.environ.get(KEY_FILE)
    if secret and Path(secret).is_file():
        digest.update(hashlib.sha256(Path(secret).read_bytes()).digest())
    return digest.hexdigest()


@cache  # most trials are run by the same module
def _code_of(root: Path, module: str) -> bytes:
    """Names and digests of all modules that run a study."""
    return b"".join(name.encode() + b"\0" + _module(path)[0] for name, path in _named(root, modules_run(module)))


def _manifest_for(root: Path, study: str) -> str:
    try:
        text = (root / MANIFEST).read_text(encoding="utf-8")
        manifest = tomllib.loads(text)
        known = studies(root)
        files = {name: digest for name, digest in manifest.pop("files", {}).items() if concerns(name, study, known)}
        return repr((manifest, files))
    except OSError:
        return "none"
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError):
        return "damaged"  # the study will say so


def _deviations_for(root: Path, study: str) -> str:
    try:
        tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(root.glob(DEVIATIONS))]
        entries = [entry for table in tables for entry in table.get("deviation", [])]
        return repr([entry for entry in entries if entry.get("study") == study and entry.get("rule")])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError):
        return "damaged"  # comparing plan and conduct will say so


@cache
def _libraries() -> str:
    from importlib.metadata import version  # not for a report that stands

    return "".join(f"{library} {version(library)}\n" for library in LIBRARIES)


@cache  # the studies share most of their modules
def _module(path: Path) -> tuple[bytes, tuple[str, ...]]:
    """The digest of a module's source, and what it imports."""
    source = path.read_bytes()
    return hashlib.sha256(source).digest(), _imports(source)


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


WHOLE = "whole.json"


def note_whole(root: Path, keys: Mapping[str, str], *, rows: int, estimated: int) -> None:
    """Say that all results belong together: the studies' keys, and a checksum of every file they wrote.

    `keys` by study, and of the plans they were compared with. Written last.
    """
    note = {"keys": dict(keys), "rows": rows, "estimated": estimated, "files": _written(root, keys)}
    partial = root / FOLDER / f"{WHOLE}.part"
    partial.write_text(json.dumps(note, indent=1, sort_keys=True), encoding="utf-8")
    partial.replace(root / FOLDER / WHOLE)


def whole_stands(root: Path, keys: Mapping[str, str]) -> tuple[int, int] | None:
    """Rows and estimates of the results, if all of them were written under these keys and nobody touched them."""
    try:
        note = json.loads((root / FOLDER / WHOLE).read_text(encoding="utf-8"))
        if note["keys"] != dict(keys) or note["files"] != _written(root, keys):
            return None
        return int(note["rows"]), int(note["estimated"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _written(root: Path, keys: Mapping[str, str]) -> dict[str, str]:
    files = [root / FOLDER / "results.csv"]
    files += [path for study in keys if study for path in sorted((root / FOLDER / study).rglob("*")) if path.is_file()]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
