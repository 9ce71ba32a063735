"""The marker of a rendering: a file in its folder that says what the rendering wrote, and where.

Only a folder with this marker, at the place where it was rendered and with nothing else in it, is ever replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

MARKER = ".hhp-rendering.json"
LEFT_BY_DESKTOPS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # nobody's work
_WRITTEN = frozenset(
    [
        ".html",
        ".pdf",
        ".csv",
        ".js",
        ".css",
        ".json",
        ".svg",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".woff",
        ".woff2",
        ".ttf",
        ".otf",
        ".txt",
        ".xml",
    ]
)
# Office files are what people keep of their own: of these a rendering writes only files of these names.
_OFFICE_FILES = frozenset({"report.docx", "tables.xlsx"})


def place_of(output: Path, root: Path) -> str:
    """A checksum of where a rendering lies, seen from the project, which may move; the same wherever both lie."""
    output, root = output.resolve(), root.resolve()
    try:
        place = os.path.relpath(output, root)
    except ValueError:  # on another drive
        place = str(output)
    return hashlib.sha256(os.path.normcase(Path(place).as_posix()).encode()).hexdigest()[:20]


def begin(folder: Path) -> None:
    """Mark a folder that a rendering is being built in."""
    _write(folder, {"made_by": "hhp render", "unfinished": True})


def mark(folder: Path, place: str) -> None:
    """Mark a folder with all that it holds as a rendering that belongs at `place`."""
    _write(folder, {"made_by": "hhp render", "place": place, "files": digests_of_files(folder)})


def is_unfinished(folder: Path) -> bool:
    """Is this a folder that a rendering was being built in?"""
    note = _read(folder)
    return note is not None and note.get("unfinished") is True


def what_speaks_against(folder: Path, place: str | None) -> str | None:
    """Why is `folder` not simply an earlier rendering of ours? None where it is; `place` None: wherever it lies."""
    note = _read(folder) or {}
    files = note.get("files")
    if not isinstance(files, dict):
        return f"it does not carry the marker of an earlier rendering ({MARKER})"
    if place is not None and note.get("place") != place:
        return "it is a rendering that was renamed, moved or copied here, so somebody keeps it"
    folders = {parent for name in files for parent in _folders_of(name)}
    known = unchanged = 0
    for name, kind in entries(folder):
        if (kind == "folder" and name in folders) or name == MARKER:
            continue
        if kind != "file" or name not in files:
            return f"it holds {name}, which no rendering wrote"
        known += 1
        unchanged += digest_of_file(_below(folder, name)) == files[name]
    # A page that somebody edited is written anew, as a half deleted report is. Other files under the same names are
    # not.
    if known > 2 * unchanged:
        return "most of its files are not those that the rendering wrote"
    return None


def looks_like_rendering(folder: Path) -> bool:
    """Does an unmarked folder hold a report, and only kinds of files, and office files, that a rendering writes?"""
    found = list(entries(folder))
    names = {name for name, _ in found}
    kinds_fit = all(
        kind == "folder" or (kind == "file" and (name in _OFFICE_FILES or Path(name).suffix in _WRITTEN))
        for name, kind in found
    )
    return bool(names & {"index.html", "report.pdf"}) and MARKER not in names and kinds_fit


def entries(folder: Path) -> Iterator[tuple[str, str]]:
    """Everything below `folder` with its kind: file, folder, or other (links, pipes); what desktops leave does not
    count.
    """
    # As texts: hundreds of files are looked at several times in a rendering.
    start = len(os.path.join(folder, ""))  # noqa: PTH118
    for parent, folders, files in os.walk(folder, onerror=_raise):
        for name in sorted([*folders, *files]):
            path = os.path.join(parent, name)  # noqa: PTH118
            if name in LEFT_BY_DESKTOPS:
                continue
            yield path[start:].replace(os.sep, "/"), _kind_of(path)


def _kind_of(path: str) -> str:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return "other"
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def _folders_of(name: str) -> Iterator[str]:
    """The folders on the way to a file, without the one it is counted from."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _raise(error: OSError) -> None:
    raise error


@dataclass(frozen=True, slots=True)
class _Written:
    """A file as it was last written: `facts` change whenever somebody writes to it, not when its folder is renamed."""

    path: str = field(compare=False)
    facts: tuple[int, ...]


def _below(folder: Path, name: str) -> str:
    return os.path.join(folder, name)  # noqa: PTH118  a text, as in `entries`


def digests_of_files(folder: Path) -> dict[str, str]:
    """The checksum of every file below a folder, by its name from there."""
    return {name: digest_of_file(_below(folder, name)) for name, kind in entries(folder) if kind == "file"}


def digest_of_file(path: str) -> str:
    """The checksum of a file of a rendering, reckoned once for as long as nobody writes to it."""
    facts = os.stat(path)  # noqa: PTH116
    return _digest_of(_Written(path, (facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size)))


@lru_cache(maxsize=4096)
def _digest_of(file: _Written) -> str:
    """Of a file that is looked at several times in one rendering."""
    with open(file.path, "rb") as content:  # noqa: PTH123
        return hashlib.sha256(content.read()).hexdigest()


def _write(folder: Path, note: Mapping[str, object]) -> None:
    (folder / MARKER).write_text(json.dumps(note, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")


def _read(folder: Path) -> Mapping[str, object] | None:
    try:
        note = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and note.get("made_by") == "hhp render" else None
