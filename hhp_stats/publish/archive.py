"""Archives and folders that come out the same, byte for byte, and are there whole or not at all."""

from __future__ import annotations

import datetime as dt
import io
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hhp_stats.processes.at_work import located

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_SAVED = re.compile(rb"(<dcterms:(?:modified|created)[^>]*>)[^<]*(</dcterms:)")


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


def stamped(raw: bytes, day: dt.date, *, change: Mapping[str, Callable[[bytes], bytes]] | None = None) -> bytes:
    """An office document with `day` in place of the time at which it was saved, so that its bytes depend on its content
    alone; `change` gives a part by name another content.
    """
    stamp = f"{day.isoformat()}T00:00:00Z".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if change and name in change:
                content = change[name](content)
            if name == "docProps/core.xml":
                content = _SAVED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            member = zipfile.ZipInfo(name, date_time=EPOCH)
            member.create_system, member.external_attr = 3, 0o644 << 16
            target.writestr(member, content, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


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
