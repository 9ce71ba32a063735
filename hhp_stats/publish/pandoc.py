"""Call Pandoc: each chapter to a tree, and the tree through the filters to a format.

Chapters are read and written one by one: the footnotes of one never meet those of another, several are written
at once, and one that did not change is not written again. What they must know of each other comes from `numbering`.
Problems found by the filters come back with the chapter and a word of the offending place, which is
looked up in the sources to give the file and line.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from hhp_stats.errors import RenderError
from hhp_stats.files.remember import code_of
from hhp_stats.plan.glossary import read_glossary
from hhp_stats.present import column_widths
from hhp_stats.processes import children
from hhp_stats.publish import codes, html_tables, typst_tables, well_formed
from hhp_stats.publish.codes import linked_codes, places
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.named_places import names_in_trees, numbers_for
from hhp_stats.publish.numbering import Numbers, Register, joined
from hhp_stats.publish.pictures import keep_picture
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source, locate
from hhp_stats.publish.typst_tables import with_tables
from hhp_stats.publish.weave import Woven

Target = Literal["html", "typst", "docx"]
ASSETS = Path(__file__).resolve().parent / "assets"
# The one in the wheel: pypandoc's own search takes the newest on the machine and is not thread-safe. Nothing of it is
# loaded, which would take as long as to write a short chapter.
_WHEEL = importlib.util.find_spec("pypandoc")
assert _WHEEL is not None and _WHEEL.origin is not None
_PANDOC = Path(_WHEEL.origin).parent / "files" / ("pandoc.exe" if os.name == "nt" else "pandoc")
_READER = "markdown"
_NO_METADATA = '"meta": {}'  # of a tree, before its blocks
_TEX = re.compile(r"Could not convert TeX math (.+?)(?:, rendering as TeX|$)", re.MULTILINE)


def words_of(project: Project) -> dict[str, str]:
    """The engine's own words (Figure, Contents, Search …) in the book's language."""
    known: dict[str, dict[str, str]] = json.loads((ASSETS / "words.json").read_text(encoding="utf-8"))
    language = project.lang.split("-")[0].lower()
    if language not in known:
        raise RenderError("_quarto.yml", None, f"no words for the language '{project.lang}'; known: {', '.join(known)}")
    return known[language]


def run_pandoc(arguments: Sequence[str], text: str, *, root: Path, sources: Sequence[Source], where: str = "") -> str:
    """What Pandoc makes of the text. Raises RenderError with the place in `sources`, or `where`, that it complains
    of.
    """
    done = children.run(
        [str(_PANDOC), *arguments, "--fail-if-warnings", "--wrap=none"], folder=root, given=text.encode()
    )
    if done.returncode:
        raise _error(done.stderr.decode(errors="replace"), sources, where)
    return done.stdout.decode()


def _error(report: str, sources: Sequence[Source], where: str) -> RenderError:
    """What the filters or Pandoc itself said, with the place in the sources where it can be found."""
    by_file = {source.chapter.path: source for source in sources}
    found: list[RenderError] = []
    for line in report.splitlines():
        if "HHP\t" not in line:
            continue
        _, file, needle, message = line[line.index("HHP\t") :].split("\t", 3)
        candidates = [by_file[file]] if file in by_file else list(sources)
        places = (locate(source.lines, needle) for source in candidates if needle)
        place = next((place for place in places if place), None)
        found.append(RenderError(place.file if place else file or where, place.number if place else None, message))
    tex = _TEX.search(report)
    if tex:
        place = next((line for source in sources for line in source.lines if tex[1] in line.text), None)
        message = f"this TeX is not understood: {tex[1]}"
        return RenderError(place.file if place else where or "the book", place.number if place else None, message)
    if not found:
        return RenderError(where or "the book", None, f"Pandoc: {' '.join(report.split())[:600]}")
    return joined(found)


def metadata(values: Mapping[str, str | bool]) -> dict[str, Any]:
    """Values as Pandoc's metadata."""
    return {
        key: {"t": "MetaBool" if isinstance(value, bool) else "MetaString", "c": value} for key, value in values.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A chapter as Pandoc reads it: its tree as JSON, what it defines in each format, its pictures and tables."""

    tree: str
    names: frozenset[str]  # words of the tree that may be labels, ids and codes
    registers: Mapping[str, Register]
    figures: Mapping[str, bytes]  # by file name
    tables: Mapping[str, str]  # in HTML, by the name that stands in the tree


def parse(project: Project, source: Source, woven: Woven, *, kept: KeptTexts) -> Parsed:
    """Read one chapter's Markdown.

    Raises RenderError where Pandoc or the filters find something, and where a picture is missing or lies
    elsewhere on the network.
    """
    book = {
        "words": words_of(project),
        "number-sections": project.number_sections,
        "attributes": {
            "file": source.chapter.path,
            "slug": source.chapter.slug,
            "appendix": str(source.chapter.appendix).lower(),
        },
    }
    given = json.dumps(book, ensure_ascii=False, sort_keys=True)
    filters = ["--lua-filter", str(ASSETS / "book.lua"), "--metadata", f"book={given}"]

    def read() -> str:
        return run_pandoc(
            ["--from", _READER, "--to", "json", *filters],
            woven.markdown,
            root=project.root,
            sources=[source],
            where=source.chapter.path,
        )

    read_tree = kept.text(["parse", _filters("book.lua"), given, woven.markdown], read)
    tree = json.loads(read_tree)
    registers = json.loads(tree["meta"].pop("register")["c"])
    brought = places(woven.tables.values())
    for register in registers.values():
        register["cites"] = [json.loads(text) for text in register["cites"]]
        register["ids"] += brought
    figures = dict(woven.figures)
    if '"Image"' in read_tree:  # to walk a tree of none takes as long
        for image in _images(tree["blocks"]):
            _fetch(project, source, image, figures)
    tree["meta"] = {}
    text = json.dumps(tree, ensure_ascii=False)
    names = names_in_trees([text])
    return Parsed(tree=text, names=names, registers=registers, figures=figures, tables=woven.tables)


def _filters(*names: str) -> str:
    """Pandoc and the bytes of our filters: other ones write another text."""
    return pandoc_digest() + "".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


@cache
def pandoc_digest() -> str:
    """Which Pandoc this is."""
    stat = _PANDOC.stat()
    return f"{importlib.metadata.version('pypandoc-binary')} {stat.st_size}"


def _images(node: Any) -> list[Any]:
    """Every picture within a part of the tree."""
    if isinstance(node, list):
        return [image for inner in node for image in _images(inner)]
    if isinstance(node, dict):
        return ([node] if node.get("t") == "Image" else []) + _images(node.get("c", []))
    return []


def _fetch(project: Project, source: Source, image: Any, figures: dict[str, bytes]) -> None:
    """Point a picture that code or authors left in a file, and its drawing for telephones, at copies named by their
    content.
    """
    target, attributes = image["c"][2], image["c"][0][2]
    if target[0] in figures:
        return
    given = {key for key, _ in attributes}
    target[0], extra = _kept(project, source, target[0], figures)
    attributes.extend(
        [key, value] for key, value in extra.items() if not (given & {"width", "height"} and key != "dark")
    )
    for attribute in attributes:
        if attribute[0] == "phone":
            attribute[1], extra = _kept(project, source, attribute[1], figures, phone=True)
            attributes.extend([f"phone-{key}", value] for key, value in extra.items())
            break


def _kept(
    project: Project, source: Source, path: str, figures: dict[str, bytes], *, phone: bool = False
) -> tuple[str, dict[str, str]]:
    """The copy of one file, and what `keep_picture` says of it."""
    place = locate(source.lines, path)
    file, line = (place.file, place.number) if place else (source.chapter.path, None)
    if ":" in path:
        raise RenderError(file, line, f"the image '{path}' is not in the project; the report makes no network requests")
    folder = project.root if path.startswith("/") else project.root / PurePosixPath(source.chapter.path).parent
    found = folder / path.lstrip("/")
    if not found.is_file():
        raise RenderError(file, line, f"the image '{path}' does not exist")
    suffix = found.suffix.lower().removeprefix(".")
    if suffix not in ("svg", "png", "jpg", "jpeg", "gif"):
        raise RenderError(file, line, f"the image '{path}' is of a kind that not both formats can show")
    return keep_picture(figures, content=found.read_bytes(), stem=found.stem, suffix=suffix, phone=phone)


def write_chapter(
    project: Project,
    source: Source,
    parsed: Parsed,
    *,
    numbers: Numbers,
    citations: str,
    references: str,
    target: Target,
    kept: KeptTexts,
) -> str:
    """One chapter in one format: `html` gives the JSON of its page, `typst` its part of a printed volume, `docx` its
    tree as JSON.

    `numbers` is what the chapter must know of the book; `citations` and `references` are trees in JSON, as
    `citations.write_citations` makes them. Raises RenderError for references and links that lead nowhere.
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
            {"slug": term.slug, "forms": list(term.forms), "words": term.words} for term in read_glossary(project.root)
        ]
    elif target == "typst":
        book["long-word"] = column_widths.LONG_WORD
    else:
        book["tables"] = _with_links(source, parsed, numbers)
    given = json.dumps(book, ensure_ascii=False, sort_keys=True)

    def write() -> str:
        # Into the text of the tree: to read it and write it again takes as long as Pandoc takes for some chapters.
        about = json.dumps(metadata({"lang": project.lang, "book": given}), ensure_ascii=False)
        tree = parsed.tree.replace(_NO_METADATA, f'"meta": {about}', 1)
        return run_pandoc(arguments, tree, root=project.root, sources=[source], where=source.chapter.path)

    text = kept.text([target, _filters("book.lua", f"{target}.lua"), project.lang, given, parsed.tree], write)
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
        lambda: with_tables(text, tables, file=source.chapter.path),
    )


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
