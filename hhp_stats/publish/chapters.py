"""From woven chapters to the texts of a format: read by Pandoc, numbered as a book, written, several at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from hhp_stats.errors import RenderError
from hhp_stats.publish import pandoc
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.numbering import joined, number_book
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source
from hhp_stats.publish.weave import Woven

T = TypeVar("T")
Target = Literal["html", "typst"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBook:
    """All chapters as trees, with what they cite and the files of their pictures."""

    project: Project
    sources: Sequence[Source]
    parsed: Sequence[pandoc.Parsed]
    bibliography: pandoc.Bibliography

    @property
    def figures(self) -> dict[str, bytes]:
        """Pictures of all chapters, by name."""
        return {name: content for chapter in self.parsed for name, content in chapter.figures.items()}


def read_chapters(
    project: Project, sources: Sequence[Source], woven: Sequence[Woven], *, kept: KeptTexts, pool: Executor
) -> ReadBook:
    """Every chapter's tree. Raises RenderError with the problems of all chapters."""
    parsed = all_of(
        [
            pool.submit(pandoc.parse, project, source, text, kept=kept)
            for source, text in zip(sources, woven, strict=True)
        ]
    )
    bibliography = pandoc.read_bibliography(project, kept=kept)
    return ReadBook(project=project, sources=sources, parsed=parsed, bibliography=bibliography)


def start_writing(book: ReadBook, *, target: Target, kept: KeptTexts, pool: Executor) -> list[Future[str]]:
    """The chapters' texts in one format, on their way. Raises RenderError where the numbers of the book clash."""
    numbers = number_book(book.sources, [chapter.registers[target] for chapter in book.parsed])
    return [
        pool.submit(
            pandoc.write_chapter, book.project, source, chapter, mine, book.bibliography, target=target, kept=kept
        )
        for source, chapter, mine in zip(book.sources, book.parsed, numbers, strict=True)
    ]


def typst_body(texts: Sequence[Future[str]]) -> str:
    """The document's body of all chapters."""
    return "\n".join(all_of(texts))


def html_pages(book: ReadBook, texts: Sequence[Future[str]]) -> Mapping[str, dict[str, Any]]:
    """By slug: what html.lua says of each chapter."""
    return {
        source.chapter.slug: json.loads(text) for source, text in zip(book.sources, all_of(texts), strict=True)
    }  # fmt: skip


def all_of(work: Sequence[Future[T]]) -> list[T]:
    """Every result, or all problems of the chapters as one error."""
    found = [problem for part in work if isinstance(problem := part.exception(), RenderError)]
    if found:
        raise joined(found)
    return [part.result() for part in work]
