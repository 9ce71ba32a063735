"""Write each chapter in a format: its tree through the filters, its tables in their places.

Chapters are read and written one by one: the footnotes of one never meet those of another, several are written
at once, and one that did not change is not written again. What they must know of each other comes from `numbering`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

from hhp_stats.files.remember import code_of
from hhp_stats.plan.glossary import Term
from hhp_stats.present import column_widths
from hhp_stats.publish import codes, html_tables, typst_tables, well_formed
from hhp_stats.publish.chapter_trees import Parsed
from hhp_stats.publish.codes import linked_codes
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.named_places import names_in_trees, numbers_for
from hhp_stats.publish.numbering import Numbers
from hhp_stats.publish.pandoc import ASSETS, filters, metadata, run_pandoc, words_of
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source
from hhp_stats.publish.typst_tables import with_tables

Target = Literal["html", "typst", "docx"]
_NO_METADATA = '"meta": {}'  # of a tree, before its blocks
_FORMULA = '"Math"'  # in a tree


def write_chapter(
    project: Project,
    source: Source,
    parsed: Parsed,
    *,
    numbers: Numbers,
    citations: str,
    references: str,
    glossary: Sequence[Term],
    target: Target,
    kept: KeptTexts,
) -> str:
    """One chapter in one format: `html` gives the JSON of its page, `typst` its part of a printed volume, `docx` its
    tree as JSON.

    `numbers` is what the chapter must know of the book; `citations` and `references` are trees in JSON, as
    `citations.write_citations` makes them; pages explain the words of the `glossary`. Raises RenderError for references
    and links that lead nowhere.
    """
    options = {
        "html": ["--to", "html5", "--mathml", "--lua-filter", str(ASSETS / "html.lua")],
        "typst": [
            "--to",
            "typst-citations",
            "--syntax-highlighting",
            "idiomatic",
            "--lua-filter",
            str(ASSETS / "typst.lua"),
        ],
        "docx": ["--to", "json", "--lua-filter", str(ASSETS / "docx.lua")],
    }[target]
    arguments = ["--from", "json", "--lua-filter", str(ASSETS / "book.lua"), *options]
    book: dict[str, Any] = {
        "words": words_of(project),
        "register": numbers_for(numbers, parsed.names | names_in_trees([citations, references])),
        "citations": citations,
        "references": references,
    }
    if target == "html":
        book["glossary"] = [
            {"slug": term.slug, "forms": list(term.forms), "words": term.words}
            for term in _mentioned(glossary, parsed.tree)
        ]
    elif target == "typst":
        book["long-word"] = column_widths.LONG_WORD
        book["formulas"] = _FORMULA in parsed.tree
    else:
        book["tables"] = _with_links(source, parsed, numbers)
    given = json.dumps(book, ensure_ascii=False, sort_keys=True)

    def write() -> str:
        # Into the text of the tree: to read it and write it again takes as long as Pandoc takes for some chapters.
        about = json.dumps(metadata({"lang": project.lang, "book": given}), ensure_ascii=False)
        tree = parsed.tree.replace(_NO_METADATA, f'"meta": {about}', 1)
        return run_pandoc(arguments, tree, root=project.root, sources=[source], where=source.chapter.path)

    text = kept.text([target, filters("book.lua", f"{target}.lua"), project.lang, given, parsed.tree], write)
    if target != "typst":
        return text
    tables = _with_links(source, parsed, numbers)
    return kept.text(
        [
            "tables",
            code_of(typst_tables, html_tables, column_widths, well_formed, codes),
            source.chapter.path,
            text,
            json.dumps(tables),
        ],
        lambda: with_tables(text, tables, file=source.chapter.path, remember=kept.text),
    )


def _mentioned(glossary: Sequence[Term], tree: str) -> list[Term]:
    """The terms that the chapter may mention: another's explanation need not be looked for, nor writes it anew."""
    words = tree.casefold()

    def begins(form: str) -> bool:
        first = form.casefold().split()[0]
        return json.dumps(first, ensure_ascii=False)[1:-1] in words

    return [term for term in glossary if any(map(begins, term.forms))]


def _with_links(source: Source, parsed: Parsed, numbers: Numbers) -> dict[str, str]:
    """The tables that were set aside, their codes as links within one document."""
    own = _own_places(source, numbers)
    return {
        name: linked_codes(table, numbers["codes"], lambda place: f"#{place}", own)
        for name, table in parsed.tables.items()
    }


def _own_places(source: Source, numbers: Numbers) -> Callable[[str], bool]:
    """Whether a place is this chapter's, when its tables are gone through in their order: the first that has an entry
    keeps it, also among the tables of one chapter.
    """
    met: set[str] = set()

    def own(place: str) -> bool:
        first = place not in met
        met.add(place)
        return first and numbers["pages"].get(place) == source.chapter.slug

    return own


def linked_tables(source: Source, parsed: Parsed, numbers: Numbers) -> dict[str, str]:
    """The same for a page of the site: links to other chapters name their pages."""
    own = _own_places(source, numbers)

    def target(place: str) -> str:
        page = numbers["pages"][place]
        return f"#{place}" if page == source.chapter.slug else f"{page}.html#{place}"

    return {name: linked_codes(table, numbers["codes"], target, own) for name, table in parsed.tables.items()}
