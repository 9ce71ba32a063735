"""The report in print: its chapters in one volume, its appendices in another, and what leads from one to the other.

A book without appendices is one volume. Each volume is a document of its own, with pages, contents and index; a link to
the other one opens its file, and a reference to something in it says in which volume it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from hhp_stats.publish.pandoc import words_of
from hhp_stats.publish.project import Project

REPORT, APPENDICES = "report.pdf", "appendices.pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One printed document."""

    number: int  # from one; 0 for the only volume of a book
    file: str  # its name beside the pages
    chapters: tuple[str, ...]  # slugs, in order


def volumes(project: Project) -> tuple[Volume, ...]:
    """The volumes of a book: chapters and appendices, or one of all chapters where there are no appendices."""
    chapters, appendices = (
        tuple(chapter.slug for chapter in project.chapters if chapter.appendix is wanted) for wanted in (False, True)
    )
    if not appendices:
        return (Volume(number=0, file=REPORT, chapters=chapters),)
    return (
        Volume(number=1, file=REPORT, chapters=chapters),
        Volume(number=2, file=APPENDICES, chapters=appendices),
    )


def numbers_of_volumes(project: Project) -> dict[str, int]:
    """By slug: in which volume a chapter stands."""
    return {slug: volume.number for volume in volumes(project) for slug in volume.chapters}


_LINK = re.compile(r'#link\(label\("((?:[^"\\]|\\.)*)"\)\)')


def body_of(volume: Volume, *, texts: Mapping[str, str], pages: Mapping[str, str], project: Project) -> str:
    """The text of a volume from those of the chapters (by slug); `pages` says in which chapter each label stands.

    Links to labels of the other volume open its file: a document cannot point at a page of another. Of references that
    stand beside each other the last says in which volume they all are.
    """
    file_of = {slug: each.file for each in volumes(project) for slug in each.chapters}

    def link(found: re.Match[str]) -> str:
        file = file_of.get(pages.get(found[1], ""), volume.file)
        return found[0] if file == volume.file else f'#link("{file}")'

    text = _LINK.sub(link, "\n".join(texts[slug] for slug in volume.chapters))
    return _said_once(words_of(project)["of_volume"]).sub("", text)


@cache
def _said_once(words: str) -> re.Pattern[str]:
    """Where a volume is named, and the reference behind a comma or a short word (and) names the same."""
    said = rf" {re.escape(words)}\u00a0(\d)"
    between = r",?\s+(?:\w{1,3}\s+)?"
    return re.compile(rf'{said}(?={between}#link\("[^"]*"\)\[(?:[^][\\]|\\.)*\] {re.escape(words)}\u00a0\1(?!\d))')


def files_of(project: Project) -> Sequence[str]:
    """The names of the printed documents."""
    return [volume.file for volume in volumes(project)]
