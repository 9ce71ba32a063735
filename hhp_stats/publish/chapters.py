"""From woven chapters to the texts of a format: read by Pandoc, numbered as a book, written, several at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from hhp_stats.errors import RenderError
from hhp_stats.files.remember import code_of
from hhp_stats.plan.glossary import read_glossary
from hhp_stats.publish import chapter_texts, codes
from hhp_stats.publish.chapter_texts import Target, linked_tables, write_chapter
from hhp_stats.publish.chapter_trees import Parsed, parse
from hhp_stats.publish.citations import Bibliography, read_bibliography, write_citations
from hhp_stats.publish.execute import Executed
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.numbering import Numbers, Register, joined, number_book
from hhp_stats.publish.page_studies import studies_of_pages
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Cell, Source
from hhp_stats.publish.volumes import Volume, body_of, numbers_of_volumes, volumes
from hhp_stats.publish.weave import put_back, weave

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBook:
    """All chapters as trees, with what they cite and the files of their pictures."""

    project: Project
    sources: Sequence[Source]
    parsed: Sequence[Parsed]
    bibliography: Bibliography
    numbered: dict[str, list[Numbers]] = field(default_factory=dict)  # by format, as soon as they were asked for

    @property
    def figures(self) -> dict[str, bytes]:
        """Pictures of all chapters, by name."""
        return {name: content for chapter in self.parsed for name, content in chapter.figures.items()}

    @property
    def cells(self) -> dict[str, Cell]:
        """The code behind each labelled figure and table of all chapters."""
        return {label: cell for chapter in self.parsed for label, cell in chapter.cells.items()}

    def registers(self, target: Target) -> list[Register]:
        """What the chapters define, in the words of a format: those of the site, or of a document."""
        return [chapter.registers["html" if target == "html" else "typst"] for chapter in self.parsed]

    def numbers(self, target: Target) -> list[Numbers]:
        """What each chapter must know of the book; raises RenderError where the numbers of the book clash."""
        kind = "html" if target == "html" else "typst"
        if kind not in self.numbered:
            self.numbered[kind] = number_book(
                self.sources,
                self.registers(target),
                volumes=numbers_of_volumes(self.project),
                studies=studies_of_pages(self.project.root),
            )
        return self.numbered[kind]


def start_reading(
    project: Project, source: Source, executed: Executed, *, kept: KeptTexts, pool: Executor
) -> Future[Parsed]:
    """A chapter's tree, on its way: what the code printed is put in its places, and Pandoc reads the whole."""
    return pool.submit(lambda: parse(project, source, weave(project, source, executed), kept=kept))


def read_chapters(
    project: Project, sources: Sequence[Source], reading: Sequence[Future[Parsed]], *, kept: KeptTexts
) -> ReadBook:
    """Every chapter's tree. Raises RenderError with the problems of all chapters."""
    bibliography = read_bibliography(project, kept=kept)
    return ReadBook(project=project, sources=sources, parsed=all_of(reading), bibliography=bibliography)


def start_writing(book: ReadBook, *, target: Target, kept: KeptTexts, pool: Executor) -> list[Future[str]]:
    """The chapters' texts in one format, on their way.

    Raises RenderError where the numbers of the book clash, and for a citation that is not in the bibliography.
    """
    numbers = book.numbers(target)
    glossary = read_glossary(book.project.root)
    cited = write_citations(book.project, book.sources, book.registers(target), book.bibliography, kept=kept)
    return [
        pool.submit(
            write_chapter,
            book.project,
            source,
            chapter,
            numbers=mine,
            citations=written.citations,
            references=written.references,
            glossary=glossary,
            target=target,
            kept=kept,
        )
        for source, chapter, mine, written in zip(book.sources, book.parsed, numbers, cited, strict=True)
    ]


def printed_bodies(book: ReadBook, texts: Sequence[Future[str]]) -> Iterator[tuple[Volume, str]]:
    """The printed volumes, each with its document's body as soon as its own chapters are written; where one of them
    cannot be, the problems of all chapters (RenderError).
    """
    pages = book.numbers("typst")[0]["pages"]
    written = {source.chapter.slug: text for source, text in zip(book.sources, texts, strict=True)}
    for volume in volumes(book.project):
        if any(written[slug].exception() for slug in volume.chapters):
            all_of(texts)
        own = {slug: written[slug].result() for slug in volume.chapters}
        yield volume, body_of(volume, texts=own, pages=pages, project=book.project)


def html_pages(book: ReadBook, texts: Sequence[Future[str]], *, kept: KeptTexts) -> Mapping[str, dict[str, Any]]:
    """By slug: what html.lua says of each chapter, its tables in their places."""
    pages = {}
    numbers = book.numbers("html")
    places = json.dumps(numbers[0]["pages"]) if numbers else ""
    for source, chapter, mine, text in zip(book.sources, book.parsed, numbers, all_of(texts), strict=True):
        page = json.loads(text)
        made_of = (source.chapter.slug, places, json.dumps(mine["codes"]), *chapter.tables, *chapter.tables.values())
        parts = ["linked", code_of(chapter_texts, codes), *made_of]
        linked = partial(_linked, source, chapter, mine)
        page["body"] = put_back(page["body"], json.loads(kept.text(parts, linked)))
        pages[source.chapter.slug] = page
    return pages


def _linked(source: Source, chapter: Parsed, numbers: Numbers) -> str:
    return json.dumps(linked_tables(source, chapter, numbers))


def all_of(work: Sequence[Future[T]]) -> list[T]:
    """Every result, or all problems of the chapters as one error."""
    found = [problem for part in work if isinstance(problem := part.exception(), RenderError)]
    if found:
        raise joined(found)
    return [part.result() for part in work]
