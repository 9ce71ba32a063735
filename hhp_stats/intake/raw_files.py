"""Which raw files are there, and which of them concern a study?

Raw is everything below data/ that is not one of the project's own sources (`SOURCES`): what authorities, survey
platforms and the trial team delivered. So a file in an unexpected folder is a raw file too, and the manifest must
list it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

MANIFEST = "data/manifest.toml"
DATA = "data"
SOURCES = (
    "plan",
    "published",
    "releases",
    "dictionary.csv",
    "imprint.toml",
    "spellings.csv",
    "manifest.toml",
    "corrections.csv",
    "synthetic_truth.toml",
    "README.md",
)
# What file managers, office programs and version control leave behind. Nothing reads it, so it is no raw file; any
# other hidden file is one.
CLUTTER = (".DS_Store", "._*", "~$*", ".~lock.*", "Thumbs.db", "desktop.ini", ".gitkeep", ".gitignore", "*.partial")
_STUDY = re.compile(r"^study\s*=\s*[\"'](\w+)[\"']", re.MULTILINE)


def raw_files(root: Path) -> list[str]:
    """The raw files of all studies as paths from the project root, sorted; a link counts as a file and is not
    followed.
    """
    return sorted(_walk(root / DATA, root))


def _walk(folder: Path, root: Path) -> Iterator[str]:
    if not folder.is_dir():
        return
    top = folder == root / DATA
    for entry in os.scandir(folder):
        # Hidden entries of data/ itself are this package's own: a replacement under way, a lock.
        if (top and (entry.name in SOURCES or entry.name.startswith("."))) or is_clutter(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), root)
        else:
            yield Path(entry.path).relative_to(root).as_posix()


def is_clutter(name: str) -> bool:
    """Whether a file of this name is left behind by a program and read by nobody."""
    return any(fnmatch(name, pattern) for pattern in CLUTTER)


def is_link(root: Path, name: str) -> bool:
    """Whether a path below `root`, or a folder on the way to it, is a symbolic link."""
    path = root
    for part in Path(name).parts:
        path = path / part
        if path.is_symlink():
            return True
    return False


def studies(root: Path) -> tuple[str, ...]:
    """The keys of all studies: `study` at the head of a plan that has the name of the key."""
    found = []
    for path in sorted((root / "data/plan").glob("*.toml")):
        key = _study_of_plan(path.read_bytes())
        if key == path.stem:
            found.append(key)
    return tuple(found)


@lru_cache(maxsize=64)
def _study_of_plan(content: bytes) -> str:
    match = _STUDY.search(content.decode("utf-8", errors="replace"))
    return match[1] if match else ""


def study_of(name: str, known: Collection[str]) -> str:
    """The study that a raw file belongs to, by a folder or by the beginning of its name; empty where neither says
    so.
    """
    parts = name.casefold().rsplit(".", 1)[0].split("/")
    fitting = [key for key in known for part in parts if part == key or part.startswith(f"{key}_")]
    return max(fitting, key=len, default="")


def concerns(name: str, study: str | None, known: Collection[str]) -> bool:
    """Whether a file matters for a study: its own raw files, those of no study, and everything that is not raw."""
    if study is None:
        return True
    parts = name.split("/")
    if parts[0] != DATA or len(parts) < 2 or parts[1] in SOURCES:
        return True
    return study_of(name, known) in ("", study)


def raw_files_of(root: Path, study: str) -> list[str]:
    """The raw files that matter for one study."""
    known = studies(root)
    return [name for name in raw_files(root) if concerns(name, study, known)]
