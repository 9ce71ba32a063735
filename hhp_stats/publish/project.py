"""What does `_quarto.yml` ask for? Read once, checked, frozen.

Keys are honoured, known to matter to the Quarto CLI alone, or refused by name and line. A key of
the project's own at top level is accepted when a `meta` shortcode of a chapter uses it.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hhp_stats.errors import RenderError
from hhp_stats.plan.imprint import IMPRINT, Imprint, has_imprint, read_imprint
from hhp_stats.publish.quarto_keys import BESIDE_THE_SCHEMA, quarto_keys

CONFIG = "_quarto.yml"
BANNER = "synthetic-banner"

EXECUTE_OPTIONS = {"echo", "eval", "include", "output", "warning", "error"}
"""The options of `execute:`; a cell may set each for itself."""

PREPARE = "report/prepare.py"
TOC_DEPTH = 3  # Quarto's default
_HONOURED: dict[str, set[str]] = {
    "project": {"type", "output-dir", "execute-dir", "pre-render"},
    "book": {"title", "subtitle", "author", "date", "description", "chapters", "appendices", "output-file"},
    "execute": EXECUTE_OPTIONS,
    "format": {"html", "typst"},
}
_TOP_LEVEL = {
    *_HONOURED,
    "bibliography",
    "csl",
    "lang",
    "link-citations",
    "number-sections",
    "toc-depth",
    BANNER,
}
# Appearance that the Quarto CLI takes and the embedded engine's own templates decide.
_CLI_ONLY = {"mainfont", "fontsize", "toc", "grid"}
_FORMAT_HONOURED = {
    "html": {"code-fold", "code-summary", "number-sections", "toc-depth", "theme", "css", "code-copy", *_CLI_ONLY},
    "typst": {
        "citeproc",
        "include-in-header",
        "number-sections",
        "toc-depth",
        "papersize",
        "margin",
        *_CLI_ONLY,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One file of the book; `slug` names its page and its kept outputs."""

    path: str  # relative to the project's root, with forward slashes
    slug: str
    appendix: bool

    @property
    def page(self) -> str:
        """The name of the chapter's page."""
        return f"{self.slug}.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The book as `_quarto.yml` declares it; paths are relative to `root`."""

    root: Path
    title: str
    subtitle: str
    description: str
    authors: tuple[str, ...]
    date: datetime.date
    lang: str
    number_sections: bool
    toc_depth: Mapping[str, int]  # the deepest heading that the lists of contents show, by format
    typst_header: tuple[str, ...]  # files with Typst's own rules, which come before the template's
    banner: str
    chapters: tuple[Chapter, ...]
    bibliography: tuple[str, ...]
    csl: str | None
    execute: Mapping[str, Any]
    code_fold: bool
    code_summary: str
    metadata: Mapping[str, Any]  # all of the file, for the shortcode `meta`
    variables: Mapping[str, Any]  # `_variables.yml`, for the shortcode `var`
    own_keys: Mapping[str, int]  # the project's own top-level keys and their lines
    imprint: Imprint | None = None  # who answers for the report; None for a book that does not say
    banners: Mapping[str, str] = field(default_factory=dict)  # of chapters, by path, where it is not `banner`

    def banner_of(self, chapter: Chapter) -> str:
        """The notice at the head and foot of one chapter."""
        return self.banners.get(chapter.path, self.banner)


def _key_lines(node: yaml.Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """Every key of the file as a path, with its line counted from one."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*path, str(key.value))
            yield place, key.start_mark.line + 1
            yield from _key_lines(value, place)


def read_yaml(file: Path, name: str) -> tuple[dict[str, Any], dict[tuple[str, ...], int]]:
    """Read a YAML file whose top is a mapping, together with the line of each key.

    Raises RenderError where the file is missing, is no YAML, holds a key twice, or is no mapping.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RenderError(name, None, "the file does not exist") from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        loaded = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise RenderError(name, line, f"not valid YAML: {error.problem}") from None
    if node is None:
        return {}, {}
    if not isinstance(loaded, dict):
        raise RenderError(name, 1, "the file must hold keys and values")
    lines: dict[tuple[str, ...], int] = {}
    for place, line in _key_lines(node):
        if place in lines:
            raise RenderError(name, line, f"the key '{'.'.join(place)}' is given twice (first on line {lines[place]})")
        lines[place] = line
    return loaded, lines


def load_project(root: Path) -> Project:
    """What does the book's `_quarto.yml` ask for?

    Refuses keys that neither engine would honour alike, a project that is no book, chapters that do
    not exist or would share a page name, a moving or missing date, and citations left to Typst.
    Raises RenderError with the line of `_quarto.yml`.
    """
    config, lines = read_yaml(root / CONFIG, CONFIG)

    def fail(message: str, *place: str) -> RenderError:
        while place and place not in lines:
            place = place[:-1]
        return RenderError(CONFIG, lines.get(place), message)

    schema = quarto_keys()

    def unknown(section: str, key: str) -> str:
        """What to say of a key that the embedded engine does not honour."""
        name = f"{section}.{key}" if section else key
        known = section == "format" or key in schema[section or "top"]  # formats are Pandoc's, not the schema's
        if known or (not section and key in BESIDE_THE_SCHEMA):
            return f"the key '{name}' is not honoured by the embedded engine; remove it"
        near = difflib.get_close_matches(key, _honoured(section), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "; remove it"
        return f"Quarto {schema['version']} has no key '{name}', and neither has the embedded engine{hint}"

    for top in config:
        if top not in _TOP_LEVEL and (top in schema["top"] or top in BESIDE_THE_SCHEMA):
            raise fail(unknown("", top), top)
    for section, known in _HONOURED.items():
        value = config.get(section)
        if not isinstance(value, dict):
            raise fail(
                f"'{section}:' must hold keys and values" if section in config else f"'{section}:' is missing", section
            )
        for key in value:
            if key not in known:
                raise fail(unknown(section, key), section, key)
    formats = {name: value if isinstance(value, dict) else {} for name, value in config["format"].items()}
    for name, value in formats.items():
        for key in value:
            if key not in _FORMAT_HONOURED[name]:
                raise fail(unknown(f"format.{name}", key), "format", name, key)
    if "typst" in formats and formats["typst"].get("citeproc") is not True:
        raise fail(
            "'format.typst.citeproc: true' is needed, else Quarto lets Typst format the citations", "format", "typst"
        )

    project, book = config["project"], config["book"]
    if project.get("type") != "book":
        raise fail("'project.type' must be 'book'", "project", "type")
    if project.get("execute-dir") != "project":
        raise fail("'project.execute-dir' must be 'project', so that code runs in one place", "project", "execute-dir")
    if project.get("pre-render", PREPARE) != PREPARE:
        raise fail(
            f"'project.pre-render' may only be '{PREPARE}', which makes results ready for the Quarto CLI as `hhp"
            " render` does by itself; other scripts would run in one engine only",
            "project",
            "pre-render",
        )
    for needed in ("title", "author", "date", "chapters"):
        if not book.get(needed):
            why = ": the Quarto CLI makes no PDF of a book without one" if needed == "author" else ""
            raise fail(f"'book.{needed}' is missing{why}", "book", needed)
    date = book["date"]
    if isinstance(date, str):
        try:
            date = datetime.date.fromisoformat(date)
        except ValueError:
            raise fail(f"'book.date' must be a fixed date such as 2024-05-31, not {date!r}", "book", "date") from None
    if not isinstance(date, datetime.date):
        raise fail("'book.date' must be a fixed date such as 2024-05-31", "book", "date")
    bibliography = config.get("bibliography", [])
    bibliography = tuple(bibliography) if isinstance(bibliography, list) else (str(bibliography),)
    csl = config.get("csl")
    for key, files in (("bibliography", bibliography), ("csl", (csl,) if csl else ())):
        for file in files:
            if not (root / file).is_file():
                raise fail(f"the file '{file}' does not exist", key)
    authors = _authors(book.get("author", []), fail)
    imprint = read_imprint(root) if has_imprint(root) else None
    if imprint is not None:
        for key, ours, theirs in (
            ("author", authors, tuple(author.name for author in imprint.authors)),
            ("date", date, imprint.date),
        ):
            if ours != theirs:
                said = ", ".join(theirs) if isinstance(theirs, tuple) else theirs.isoformat()
                raise fail(f"'book.{key}' must be what {IMPRINT} says: {said}", "book", key)
    html = formats.get("html", {})
    variables = read_yaml(root / "_variables.yml", "_variables.yml")[0] if (root / "_variables.yml").exists() else {}
    return Project(
        root=root,
        title=_words(book["title"]),
        subtitle=_words(book.get("subtitle", "")),
        description=_words(book.get("description", "")),
        authors=authors,
        date=date,
        lang=str(config.get("lang", "en")),
        number_sections=bool(config.get("number-sections", True)),
        toc_depth={
            name: int(formats.get(name, {}).get("toc-depth", config.get("toc-depth", TOC_DEPTH)))
            for name in _FORMAT_HONOURED
        },
        typst_header=_header_files(root, formats.get("typst", {}).get("include-in-header", []), fail),
        banner=_words(config.get(BANNER) or ""),
        chapters=_chapters(root, book, fail),
        bibliography=bibliography,
        csl=csl,
        execute={"echo": True, "eval": True, "include": True, "output": True, "warning": True, "error": False}
        | config["execute"],
        code_fold=bool(html.get("code-fold", False)),
        code_summary=str(html.get("code-summary", "Code")),
        metadata=config,
        variables=variables,
        own_keys={key: lines[(key,)] for key in config if key not in _TOP_LEVEL},
        imprint=imprint,
    )


def _honoured(section: str) -> set[str]:
    """The keys that both engines take at a place."""
    if section.startswith("format."):
        return _FORMAT_HONOURED[section.removeprefix("format.")]
    return _HONOURED[section] if section else _TOP_LEVEL


def _header_files(root: Path, given: Any, fail: Any) -> tuple[str, ...]:
    """The files of `include-in-header`; text of its own would hide Typst in YAML."""
    place = ("format", "typst", "include-in-header")
    files: list[str] = []
    for entry in given if isinstance(given, list) else [given]:
        file = entry.get("file") if isinstance(entry, dict) and set(entry) == {"file"} else entry
        if not isinstance(file, str):
            raise fail("'format.typst.include-in-header' takes files only: a name, or 'file: name'", *place)
        if not (root / file).is_file():
            raise fail(f"the file '{file}' does not exist", *place)
        files.append(file)
    return tuple(files)


def _words(value: Any) -> str:
    """Text of a setting on one line, with the apostrophes that Markdown would set."""
    return re.sub(r"(?<=\w)'(?=\w)", "\u2019", " ".join(str(value).split()))


def _authors(given: Any, fail: Any) -> tuple[str, ...]:
    """Names as plain text, from a name, a list of names, or a list of records with a name."""
    names: list[str] = []
    for author in given if isinstance(given, list) else [given]:
        name = author.get("name") if isinstance(author, dict) else author
        if not isinstance(name, str):
            raise fail("'book.author' must be names, or records with a 'name'", "book", "author")
        names.append(name)
    return tuple(names)


def _chapters(root: Path, book: Mapping[str, Any], fail: Any) -> tuple[Chapter, ...]:
    chapters: list[Chapter] = []
    seen: dict[str, str] = {}
    for key in ("chapters", "appendices"):
        for entry in book.get(key, []):
            if not isinstance(entry, str) or not entry.endswith(".qmd"):
                raise fail(f"'book.{key}' takes .qmd files only; found {entry!r}", "book", key)
            if not (root / entry).is_file():
                raise fail(f"the chapter '{entry}' does not exist", "book", key)
            slug = Path(entry).stem
            if slug in seen:
                raise fail(f"'{entry}' and '{seen[slug]}' would share the page name {slug}.html", "book", key)
            seen[slug] = entry
            chapters.append(Chapter(path=entry, slug=slug, appendix=key == "appendices"))
    if not chapters or chapters[0].path != "index.qmd":
        raise fail("'book.chapters' must begin with index.qmd", "book", "chapters")
    return tuple(chapters)
