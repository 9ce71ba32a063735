"""Passages of shared texts that are about single studies, and go when a study goes.

In a source of the report, or in a text of `data/plan/*.toml`, such a passage stands between two comments:

    <!-- study: swing -->What the text says of it.<!-- end of study -->

Both render engines pass over comments. A passage may name several studies, and goes with the first of them; what then
stands in its place, if anything, is said at its end: `<!-- end of study, else: Two trials -->`. Passages may lie
inside each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

_MARK = re.compile(
    r"<!--[ \t]*(?:study:[ \t]*(?P<studies>[\w ,]*?)|(?P<end>end of study)(?:,[ \t]*else:[ \t]*(?P<instead>.*?))?)["
    r" \t]*-->",
)
_LOOSE = re.compile(r"<!--[ \t]*(?:study:|end of study)")
_ALONE = re.compile(r"^[ \t]*(?:<!--[ \t]*(?:study:|end of study)(?:(?!-->)[^\n])*-->[ \t]*)+\n", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One passage: the studies it is about, where it begins and ends with its marks, and what else may stand there."""

    studies: tuple[str, ...]
    start: int
    end: int
    instead: str


class UnevenMarks(ValueError):
    """A mark without its fellow; `line` is its line, counted from one."""

    def __init__(self, message: str, line: int) -> None:
        self.line = line
        super().__init__(message)


def passages(text: str) -> list[Passage]:
    """Every passage of a text, those inside others too, in the order of their ends. Raises UnevenMarks."""
    marks = [mark.start() for mark in _MARK.finditer(text)]
    for loose in _LOOSE.finditer(text):
        if loose.start() not in marks:
            raise UnevenMarks(
                "this mark of a passage is not on one line, or not written as the others", _line(text, loose.start())
            )
    found: list[Passage] = []
    waiting: list[re.Match[str]] = []
    for mark in _MARK.finditer(text):
        line = _line(text, mark.start())
        if not mark["end"]:
            if not mark["studies"].strip(" ,"):
                raise UnevenMarks("a passage begins here that names no study", line)
            waiting.append(mark)
            continue
        if not waiting:
            raise UnevenMarks("a passage ends here that does not begin", line)
        begin = waiting.pop()
        keys = tuple(re.split(r"[ ,]+", begin["studies"].strip(" ,")))
        found.append(Passage(studies=keys, start=begin.start(), end=mark.end(), instead=mark["instead"] or ""))
    if waiting:
        raise UnevenMarks("a passage begins here that does not end", _line(text, waiting[-1].start()))
    return found


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def without(text: str, study: str) -> str:
    """The text without what is said of a study; the blank lines and spaces around what went are closed up."""
    for passage in sorted(
        (each for each in passages(text) if study in each.studies), key=lambda each: each.start, reverse=True
    ):
        if any(
            passage.start > other.start and passage.end < other.end and study in other.studies
            for other in passages(text)
        ):
            continue  # goes with the one around it
        text = _joined(text[: passage.start], passage.instead, text[passage.end :])
    return text


def _joined(before: str, instead: str, after: str) -> str:
    if instead:
        return before + instead + after
    at_start, at_end = not before or before.endswith("\n"), not after or after.startswith("\n")
    if at_start and at_end:  # whole lines went
        gaps = [len(re.search(r"\n*\Z", before)[0]), len(re.match(r"\n*", after)[0])]  # type: ignore[index]
        blank = "\n" * min(max(gaps), 2 if before.strip() and after.strip() else 1)
        return before.rstrip("\n") + blank + after.lstrip("\n")
    if at_start or before.endswith(" "):
        return before + after.lstrip(" ")
    return before + (after if at_end or after[0] in " .,;:)" else f" {after}")


def unmarked(text: str) -> str:
    """The text with the marks taken out: what a reader sees while every study is there."""
    if "<!--" not in text:
        return text
    return _MARK.sub("", _ALONE.sub("", text))


def unmarked_line(line: str) -> str | None:
    """One line of a source with the marks taken out; None where nothing else stood there."""
    if "<!--" not in line:
        return line
    rest = _MARK.sub("", line)
    return rest if rest.strip() or rest == line else None


def unknown_studies(text: str, known: Collection[str]) -> Iterator[tuple[str, int]]:
    """Studies that passages name and no plan has, with their lines. Raises UnevenMarks."""
    for passage in passages(text):
        for study in passage.studies:
            if study not in known:
                yield study, _line(text, passage.start)


Refuse = Callable[[str, int, str], None]


def check_passages(file: str, text: str, known: Collection[str], refuse: Refuse) -> None:
    """Tell `refuse` (file, line, message) of marks without their fellows and of studies that do not exist."""
    from hhp_stats.plan.nearest import allowed

    try:
        for study, line in unknown_studies(text, known):
            refuse(
                file,
                line,
                f"a passage is about the study '{study}', of which there is no plan. {allowed(known, study)}",
            )
    except UnevenMarks as error:
        refuse(file, error.line, str(error))
