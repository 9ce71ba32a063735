"""Which raw files are there, and which of them concern a study?"""

from __future__ import annotations

from pathlib import Path

MANIFEST = "data/manifest.toml"
_RAW = ("data/returns", "data/surveys", "data/allocation", "data/course_log")


def raw_files(root: Path) -> list[str]:
    """The raw files of all studies as paths from the project root, sorted."""
    found = [path for folder in _RAW for path in (root / folder).rglob("*") if path.is_file()]
    names = (path.relative_to(root).as_posix() for path in found if not path.name.startswith((".", "~$")))
    return sorted(names)


def concerns(name: str, study: str | None) -> bool:
    """Whether a file matters for a study: its own raw files and everything that is not raw."""
    if study is None or not name.startswith(_RAW):
        return True
    parts = name.rsplit(".", 1)[0].split("/")
    return study in parts or parts[-1] == f"{study}_log"
