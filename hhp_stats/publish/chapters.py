"""From woven chapters to the texts of a format: read by Pandoc, numbered as a book, written, several at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

from hhp_stats.errors import RenderError
from hhp_stats.publish import pandoc
from hhp_stats.publish.citations import Bibliography, read_bibliography, write_citations
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.numbering import joined, number_book
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source
from hhp_stats.publish.volumes import Volume, body_of, numbers_of_volumes, volumes
from hhp_stats.publish.weave import Woven, put_back

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBook:
    """All chapters as trees, with what they cite and the files of their pictures."""

    project: Project
    sources: Sequence[Source]
    parsed: Sequence[pandoc.Parsed]
    bibliography: Bibliography

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
    bibliography = read_bibliography(project, kept=kept)
    return ReadBook(project=project, sources=sources, parsed=parsed, bibliography=bibliography)


def start_writing(book: ReadBook, *, target: pandoc.Target, kept: KeptTexts, pool: Executor) -> list[Future[str]]:
    """The chapters' texts in one format, on their way.

    Raises RenderError where the numbers of the book clash, and for a citation that is not in the bibliography.
    """
    registers = [chapter.registers["html" if target == "html" else "typst"] for chapter in book.parsed]
    numbers = number_book(book.sources, registers, volumes=numbers_of_volumes(book.project))
    cited = write_citations(book.project, book.sources, registers, book.bibliography, kept=kept)
    return [
        pool.submit(
            pandoc.write_chapter,
            book.project,
            source,
            chapter,
            numbers=mine,
            citations=written.citations,
            references=written.references,
            target=target,
            kept=kept,
        )
        for source, chapter, mine, written in zip(book.sources, book.parsed, numbers, cited, strict=True)
    ]


def printed_bodies(book: ReadBook, texts: Sequence[Future[str]]) -> list[tuple[Volume, str]]:
    """The printed volumes, each with its document's body."""
    registers = [chapter.registers["typst"] for chapter in book.parsed]
    pages = number_book(book.sources, registers, volumes=numbers_of_volumes(book.project))[0]["pages"]
    by_slug = {source.chapter.slug: text for source, text in zip(book.sources, all_of(texts), strict=True)}
    return [
        (volume, body_of(volume, texts=by_slug, pages=pages, project=book.project)) for volume in volumes(book.project)
    ]


def html_pages(book: ReadBook, texts: Sequence[Future[str]]) -> Mapping[str, dict[str, Any]]:
    """By slug: what html.lua says of each chapter, its tables in their places."""
    pages = {}
    registers = [chapter.registers["html"] for chapter in book.parsed]
    numbers = number_book(book.sources, registers, volumes=numbers_of_volumes(book.project))
    for source, chapter, mine, text in zip(book.sources, book.parsed, numbers, all_of(texts), strict=True):
        page = json.loads(text)
        page["body"] = put_back(page["body"], pandoc.linked_tables(source, chapter, mine))
        pages[source.chapter.slug] = page
    return pages


def all_of(work: Sequence[Future[T]]) -> list[T]:
    """Every result, or all problems of the chapters as one error."""
    found = [problem for part in work if isinstance(problem := part.exception(), RenderError)]
    if found:
        raise joined(found)
    return [part.result() for part in work]
