"""Numbers of the whole book, made of what each chapter says it defines.

A chapter is read by Pandoc on its own, so it knows its second figure but not that it is chapter four. Here
the chapters are put in a row: their numbers, labels that two of them use, headings of the same words, the citations
in their order. What comes out is handed to every chapter when it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hhp_stats.errors import RenderError
from hhp_stats.publish.codes import ENTRY, codes_of
from hhp_stats.publish.source import Source, locate

_PLACE = "@"  # stands for the chapter's number in what a chapter registers

Register = Mapping[str, Any]
"""What book.lua registers of a chapter in one format: entries, ids, cites (each as a tree), lists, numbered."""
Numbers = Mapping[str, Any]
"""What one chapter must know of the book in one format, for the filters."""


def cited_keys(register: Register) -> Iterator[str]:
    """What a chapter cites, in its order."""
    for tree in register["cites"]:
        cite = tree["blocks"][0]["c"][0]
        yield from (citation["citationId"] for citation in cite["c"][0])


def number_book(
    sources: Sequence[Source],
    registers: Sequence[Register],
    *,
    volumes: Mapping[str, int],
    studies: Mapping[str, str] | None = None,
) -> list[Numbers]:
    """The numbers that each chapter needs, in the order of the chapters; `registers` are of one format, `volumes` says
    by slug in which printed volume a chapter stands, `studies` by its source which study a page is about.

    Raises RenderError for a label that is used twice, for two lists of references, and for citations in a book
    that has no list.
    """
    problems: list[RenderError] = []
    defined: dict[str, dict[str, str]] = {}
    files: dict[str, str] = {}  # id: chapter that defines it
    pages: dict[str, str] = {}
    titles: dict[str, str] = {}
    cites: dict[str, Source] = {}
    own: list[dict[str, Any]] = []
    alone = {"fig": 0, "tbl": 0, "eq": 0}
    chapters = appendices = 0
    list_in: Source | None = None
    for source, register in zip(sources, registers, strict=True):
        chapter = source.chapter
        number = ""
        if register["numbered"] and chapter.appendix:
            number, appendices = chr(ord("A") + appendices), appendices + 1
        elif register["numbered"]:
            chapters += 1
            number = str(chapters)
        before = dict(alone)
        renamed: dict[str, str] = {}
        for entry in register["entries"]:
            name = entry["id"]
            if entry["heading"] and name in defined and not name.startswith("sec-"):
                renamed[name] = name = f"{chapter.slug}-{name}"
            if name in defined:
                message = f"the label '{name}' is also used in {files[name]}"
                problems.append(problem_at(source, name, message))
                continue
            defined[name] = {"kind": entry["kind"], "number": _full(entry, number, before)}
            files[name] = chapter.path
            if entry["heading"]:
                titles.setdefault(chapter.path, name)
            if not number and entry["kind"] in _FLOATS:
                alone[_FLOATS[entry["kind"]]] += 1
        for name in register["ids"]:
            # An entry of a code that a second list repeats stays where it was first.
            if name not in pages or not name.startswith(ENTRY):
                pages[renamed.get(name, name)] = chapter.slug
        for key in cited_keys(register):
            cites.setdefault(key, source)
        if register["lists"]:
            if list_in is not None or register["lists"] > 1:
                problems.append(problem_at(source, "#refs", "a second list of references: one book, one '::: {#refs}'"))
            list_in = source
        own.append({"number": number, "alone": before, "renamed": renamed})
    if cites and list_in is None:
        key, source = next(iter(cites.items()))
        problems.append(
            problem_at(
                source,
                f"@{key}",
                "the book cites sources, but no chapter has a block '::: {#refs}' for the list of references",
            )
        )
    if problems:
        raise joined(problems)
    if list_in is not None:
        pages |= {f"ref-{key}": list_in.chapter.slug for key in cites}
    whole = {"defined": defined, "pages": pages, "chapters": titles, "volumes": dict(volumes)}
    about = {source.chapter.slug: (studies or {}).get(source.chapter.path, "") for source in sources}
    codes = codes_of(pages, about)
    return [{**whole, **mine, "codes": codes[source.chapter.slug]} for source, mine in zip(sources, own, strict=True)]


_FLOATS = {"figure": "fig", "table": "tbl", "equation": "eq"}


def _full(entry: Mapping[str, Any], number: str, before: Mapping[str, int]) -> str:
    given: str = entry["number"]
    if given.startswith(_PLACE):
        return number + given.removeprefix(_PLACE)
    kind = _FLOATS.get(entry["kind"])
    return str(before[kind] + int(given)) if kind and given else given


def problem_at(source: Source, needle: str, message: str) -> RenderError:
    """A problem at the place of a word in a chapter's source."""
    place = locate(source.lines, needle)
    return RenderError(place.file if place else source.chapter.path, place.number if place else None, message)


def joined(problems: Sequence[RenderError]) -> RenderError:
    """Several problems as one error, at the place of the first."""
    first, *more = problems
    rest = "".join(f"\n{error}" for error in more)
    return RenderError(first.file, first.line, first.message + rest)
