"""What a chapter's source consists of: lines with their places, prose, inline code and cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hhp_stats.publish.project import Chapter

_FENCE = re.compile(r"^(?P<indent>[ >]*)(?P<fence>`{3,}|~{3,})(?P<info>.*)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of source, however many includes it came through."""

    text: str
    file: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """Inline code: its value takes its place in the sentence."""

    expression: str
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Markdown between cells."""

    parts: tuple[str | Inline, ...]
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A block of code to execute: `code` is without the option lines."""

    code: tuple[Line, ...]
    options: Mapping[str, Any]  # the cell's own over the chapter's over the project's
    indent: str
    file: str
    line: int

    @property
    def source(self) -> str:
        """The code as one text."""
        return "\n".join(line.text for line in self.code)

    @property
    def label(self) -> str:
        """The cell's label, or nothing."""
        return str(self.options.get("label", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A chapter as read: `lines` are kept to find the place of what Pandoc complains about later."""

    chapter: Chapter
    pieces: tuple[Prose | Cell, ...]
    lines: tuple[Line, ...]
    used_metadata: frozenset[str]  # top-level keys that `meta` shortcodes ask for

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells in order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Cell))

    @property
    def has_code(self) -> bool:
        """Whether anything of the chapter is executed."""
        return any(
            piece.options["eval"] if isinstance(piece, Cell) else any(isinstance(part, Inline) for part in piece.parts)
            for piece in self.pieces
        )


def steps(source: Source) -> list[Cell | Inline]:
    """Everything in a chapter that is executed, in the order of the source."""
    found: list[Cell | Inline] = []
    for piece in source.pieces:
        if isinstance(piece, Cell):
            if piece.options["eval"]:
                found.append(piece)
        else:
            found.extend(part for part in piece.parts if isinstance(part, Inline))
    return found


def locate(lines: Sequence[Line], needle: str) -> Line | None:
    """The first line in which the needle stands as a whole word, else None."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(needle)}(?![\w-])")
    return next((line for line in lines if pattern.search(line.text)), None)


def opens(text: str) -> re.Match[str] | None:
    """A line that begins a code block; a backtick after backticks means a code span instead."""
    match = _FENCE.match(text)
    return None if match is None or (match["fence"][0] == "`" and "`" in match["info"]) else match


def closes(fence: re.Match[str], text: str) -> bool:
    """A line that ends the open code block: the same mark, at least as often."""
    content = text.strip(" >\t")
    return len(content) >= len(fence["fence"]) and set(content) == {fence["fence"][0]}


def follow(fence: re.Match[str] | None, text: str) -> tuple[re.Match[str] | None, bool]:
    """The code block that is open after a line, and whether the line closed one."""
    if fence is None:
        return opens(text), False
    return (None, True) if closes(fence, text) else (fence, False)


def prose_lines(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines of a chapter with everything blanked out that is not prose.

    Blank are front matter, code blocks and comments; code spans keep their length as spaces. A
    checker sees each remaining word with its own file and line.
    """
    fence: re.Match[str] | None = None
    front = bool(lines) and lines[0].text.rstrip() == "---"
    paragraph: list[Line] = []
    for at, line in enumerate(lines):
        if front:
            front = at == 0 or line.text.rstrip() not in ("---", "...")
            yield Line("", line.file, line.number)
            continue
        inside = fence is not None
        fence, _ = follow(fence, line.text)
        if inside or fence is not None or not line.text.strip():
            yield from _blanked(paragraph)
            paragraph = []
            yield Line("", line.file, line.number)
        else:
            paragraph.append(line)
    yield from _blanked(paragraph)


_COMMENT_OR_SPAN = re.compile(r"\\`|<!--.*?(?:-->|\Z)|(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)", re.DOTALL)


def _blanked(paragraph: Sequence[Line]) -> Iterator[Line]:
    text = "\n".join(line.text for line in paragraph)
    if "`" not in text and "<" not in text:
        yield from paragraph
        return
    text = _COMMENT_OR_SPAN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for line, content in zip(paragraph, text.split("\n") if paragraph else [], strict=True):
        yield Line(content, line.file, line.number)
