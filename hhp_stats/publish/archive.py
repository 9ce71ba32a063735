"""Archives and folders that come out the same, byte for byte, and are there whole or not at all."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hhp_stats.processes.at_work import located

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold


def write_zip(target: Path, entries: Mapping[str, bytes]) -> None:
    """Write a zip whose bytes depend on names and contents alone; replaces `target` only when whole."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with located(target):
            fill_zip(partial, entries)
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def fill_zip(file: Path, entries: Mapping[str, bytes]) -> None:
    """As `write_zip`, but straight into `file`, for a caller that names it when it is whole."""
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, date_time=EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # the same on every system
            info.external_attr = 0o644 << 16
            archive.writestr(info, entries[name], compresslevel=9)


def files_below(folder: Path) -> Iterator[Path]:
    """Files in `folder` and its folders, sorted; without hidden, temporary and compiled ones."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith((".", "~$")) or part == "__pycache__" for part in parts) or path.suffix == ".partial":
            continue
        if path.is_file():
            yield path


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A hidden folder beside `target` to fill; it gets its name when all went well, else nothing remains of it.

    What an earlier process left half made is removed. Raises FileExistsError where `target` is there already.
    """
    if os.path.lexists(target):
        raise FileExistsError(target)
    building = target.with_name(f".{target.name}.partial")
    with located(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(building, ignore_errors=True)
        try:
            building.mkdir()
            yield building
            building.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
