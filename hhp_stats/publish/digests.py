"""Checksums of what a rendering is made from: files, the environment, settings."""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hhp_stats.errors import RenderError


def digest_files(root: Path, declared: Sequence[Path], *, left_out: Callable[[str], bool] | None = None) -> str:
    """One checksum over the names and bytes of files and of all files in folders, but for names that are `left_out`.

    Names count relative to `root` (or to the declared folder where it lies elsewhere), so that the
    digest does not depend on where the project is. Compiled and hidden files do not count. Raises
    RenderError where a declared path does not exist.
    """
    total = hashlib.sha256()
    for path in declared:
        path = path if path.is_absolute() else root / path
        if not path.exists():
            raise RenderError(str(path), None, "declared as an input of the report, but it does not exist")
        base = root if path.is_relative_to(root) else path.parent
        start = len(os.path.join(base, ""))  # noqa: PTH118  texts, as below
        for file in _counted(path):
            name = file[start:].replace(os.sep, "/")
            if left_out is not None and left_out(name):
                continue
            with open(file, "rb") as content:  # noqa: PTH123  to make a Path takes as long as to read a small file
                total.update(name.encode() + b"\0" + hashlib.sha256(content.read()).digest())
    return total.hexdigest()


def _counted(path: Path) -> Iterator[str]:
    """A file, or the files in a folder in order, without compiled and hidden ones. As texts: a thousand files are
    looked at whenever somebody asks for a report that stands, and to take a path apart takes as long as to read it.
    """
    if _passed_over(path.name):
        return
    if not path.is_dir():
        yield str(path)
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not _passed_over(name))
        files = (os.path.join(folder, name) for name in sorted(names) if not _passed_over(name))  # noqa: PTH118
        yield from filter(os.path.isfile, files)


def _passed_over(name: str) -> bool:
    return name == "__pycache__" or name.startswith(".") or name.endswith((".pyc", ".pyo"))


def digest_environment() -> str:
    """One checksum over Python's version and the installed packages with their versions."""
    # Not sys.path: libraries add folders of their own to it while they are imported.
    places = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    installed = {found.name for place in places for found in place.glob("*.dist-info")}
    return hashlib.sha256("\n".join([sys.version, *sorted(installed)]).encode()).hexdigest()


def digest_settings() -> str:
    """One checksum over the environment variables that this package reads, and over the key file one of them names."""
    total = hashlib.sha256()
    for name in sorted(name for name in os.environ if name.startswith("HHP_")):
        value = os.environ[name]
        total.update(f"{name}={value}\n".encode())
        if Path(value).is_file():
            total.update(hashlib.sha256(Path(value).read_bytes()).digest())
    return total.hexdigest()
