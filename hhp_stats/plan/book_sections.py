"""The sections of the report, as far as its sources tell: what a plan file may point to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import PlanError
from hhp_stats.files.file_parts import as_part

SOURCES = ("index.qmd", "report/*.qmd")
_HEADING = re.compile(r"^(#{1,6})\s+(?P<title>.*?)\s*\{(?P<attributes>[^{}]*)\}\s*$")
_ID = re.compile(r"#(sec-[\w-]+)")
_FENCE = re.compile(r"^\s*(```|~~~)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSection:
    """A heading that carries a label."""

    id: str  # sec-...
    title: str
    file: str  # source, relative to the project, with forward slashes
    numbered: bool  # without a number it can be linked to, but not referred to


@as_part
def book_sections(root: Path) -> dict[str, BookSection]:
    """Which labelled sections do `index.qmd` and `report/*.qmd` have?

    Reads headings alone, outside code blocks; included files (`_*.qmd`) bring none. Sections of an
    unnumbered chapter are unnumbered themselves. Refuses (PlanError) a label that is used twice.
    """
    found: dict[str, BookSection] = {}
    paths = [path for pattern in SOURCES for path in sorted(root.glob(pattern)) if not path.name.startswith("_")]
    for path in paths:
        file, within, chapter_numbered = path.relative_to(root).as_posix(), False, True
        for line in path.read_text(encoding="utf-8").splitlines():
            if _FENCE.match(line):
                within = not within
            heading = None if within else _HEADING.match(line)
            if heading is None:
                continue
            numbered = ".unnumbered" not in heading["attributes"].split()
            if len(heading[1]) == 1:
                chapter_numbered = numbered
            label = _ID.search(heading["attributes"])
            if label is None:
                continue
            if label[1] in found:
                raise PlanError(
                    file,
                    label[1],
                    f"is also the label of a section of {found[label[1]].file}.",
                    "Give every section its own label.",
                )
            found[label[1]] = BookSection(
                id=label[1], title=heading["title"], file=file, numbered=numbered and chapter_numbered
            )
    return found
