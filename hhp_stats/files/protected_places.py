"""Which places must never be replaced, and where may a command not write?

Places are compared by what they are on the disk, not by how they are spelt: links, `..`, capitals where they do not
count, and folders that are mounted twice lead to the same place.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
# A top-level folder of a project that holds any of these is somebody's source, whatever it is called.
_SOURCES = frozenset([".py", ".qmd", ".lua", ".toml", ".yml", ".yaml", ".bib", ".typ", ".r", ".ipynb", ".sh"])


def resolved(path: Path) -> Path | None:
    """Where `path` really is, all links followed, whether or not it exists; None for links that lead in a circle."""
    try:
        found = Path(os.path.realpath(path))
        return None if any(each.is_symlink() for each in (found, *found.parents)) else found
    except (OSError, RuntimeError, ValueError):
        return None


def why_not_replaced(path: Path, root: Path) -> str | None:
    """Why must the folder at the resolved `path` never be replaced, whatever it holds? None where it might be.

    It is or holds the root of a file system, a home folder, a project, its sources or data, or a repository.
    """
    if path.parent == path or os.path.ismount(path):
        return "it is the root of a file system"
    for home in _homes():
        if _holds(path, home):
            return "it is, or holds, a home folder"
    for project in _projects(path, root):
        if _holds(path, project):
            return "it is, or holds, the project"
        for what, folder in _protected(project):
            if _holds(path, folder):
                return f"it is, or holds, {what}"
    if _holds(path, PACKAGE):
        return "it is, or holds, the program's own sources"
    if _is_repository(path):
        return "it is a repository"
    return None


def why_not_below(path: Path, root: Path, *, except_in: tuple[str, ...] = ()) -> str | None:
    """Why must no command write at the resolved `path`, new or not? None where it may.

    It lies in the data, the sources or the state of a project, or inside a repository's own files. `except_in` are
    folders below `root` that the command is for.
    """
    if any(path.is_relative_to(Path(os.path.realpath(root)) / folder) for folder in except_in):
        return None
    if any(part.casefold() == ".git" for part in path.parts):
        return "it lies in a repository's own files"
    if any(_is_bare(folder) for folder in path.parents):
        return "it lies in a repository's own files"
    for project in _projects(path, root):
        for what, folder in _protected(project):
            if _lies_in(path, folder):
                return f"it lies in {what}"
    if _lies_in(path, PACKAGE):
        return "it lies in the program's own sources"
    return None


def _homes() -> Iterator[Path]:
    with contextlib.suppress(RuntimeError):
        yield Path.home()
    with contextlib.suppress(ImportError):
        import pwd

        for entry in pwd.getpwall():
            if entry.pw_dir.startswith("/") and len(entry.pw_dir) > 1:
                yield Path(entry.pw_dir)


def _projects(path: Path, root: Path) -> list[Path]:
    """Our own project, and every other that `path` lies in."""
    around = (path, *path.parents)
    others = [folder for folder in around if (folder / "_quarto.yml").is_file() and (folder / "data").is_dir()]
    return [root, *(folder for folder in others if not _same(folder, root))]


def _protected(project: Path) -> Iterator[tuple[str, Path]]:
    """The folders of a project that somebody wrote, or that keep its state; and where links within its data lead."""
    with contextlib.suppress(OSError):
        for entry in sorted(project.iterdir()):
            if not entry.is_dir():
                continue
            if entry.name == "data":
                yield "the data", entry
                for link in _linked(entry):
                    yield "the data", link
            elif entry.name.startswith("."):
                yield f"{entry.name}, which keeps the project's state", entry
            elif _holds_sources(entry):
                yield f"the sources ({entry.name})", entry
                for link in _linked(entry):
                    yield f"the sources ({entry.name})", link


def _linked(folder: Path) -> Iterator[Path]:
    """Folders elsewhere that links within `folder` lead to."""
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            if Path(parent, name).is_symlink():
                yield Path(parent, name)


def _holds_sources(folder: Path) -> bool:
    return any(Path(name).suffix.lower() in _SOURCES for _, _, files in os.walk(folder) for name in files)


def _is_repository(path: Path) -> bool:
    return os.path.lexists(path / ".git") or path.name.casefold() == ".git" or _is_bare(path)


def _is_bare(path: Path) -> bool:
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def _holds(path: Path, thing: Path) -> bool:
    """Is `thing`, as spelt or where its links lead, at or below `path`?"""
    places = {thing.absolute(), Path(os.path.realpath(thing))}
    return any(_lies_in(place, path) for place in places)


def _lies_in(path: Path, folder: Path) -> bool:
    """Is `path`, which may not exist yet, `folder` or below it?"""
    return any(_same(each, folder) for each in (path, *path.parents))


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return one == other
