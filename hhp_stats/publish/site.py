"""The book as a site: one page for each chapter, everything local, working from a folder on disk."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from hhp_stats.files.remember import Remember, code_of
from hhp_stats.plan.glossary import read_alike
from hhp_stats.publish import slim_page, well_formed
from hhp_stats.publish.behind_pages import behind_pages
from hhp_stats.publish.cite import citation, long_date, version_words
from hhp_stats.publish.pandoc import ASSETS, words_of
from hhp_stats.publish.project import Chapter, Project
from hhp_stats.publish.slim_page import slimmed, styled
from hhp_stats.publish.source import Cell
from hhp_stats.publish.volumes import APPENDICES, REPORT
from hhp_stats.publish.well_formed import Reader

PDF_NAME = REPORT
TABLES_NAME = "tables.xlsx"  # the workbook of all tables
RESULTS_NAME = "results.csv"

Page = dict[str, Any]
"""What html.lua says of a chapter: title, plain, number, id, headings, body."""


def write_site(
    project: Project,
    *,
    pages: Mapping[str, Page],
    figures: Mapping[str, bytes],
    downloads: Sequence[str],
    cells: Mapping[str, Cell],
    explain: Callable[..., Mapping[str, Any]] | None,
    remember: Remember,
    target: Path,
) -> list[str]:
    """Write all pages, styles, scripts, fonts, pictures and what the scripts ask for; the names of the pages.

    `downloads` are the files beside the pages that every page links to (the PDF, the results), `cells` the
    code behind each labelled figure and table, `explain` what is asked about the results that pages mark. `remember`
    may keep the words of a page for the search.
    """
    words = words_of(project)
    assets = target / "assets"
    (assets / "fonts").mkdir(parents=True, exist_ok=True)
    for name in ("page.css", "dom.js", "page.js", "search.js", "tables.js", "panel.js", "keys.js"):
        (assets / name).write_text(_short((ASSETS / name).read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    for font in sorted((ASSETS / "fonts").iterdir()):
        if font.suffix == ".woff2" or font.name == "OFL.txt":
            shutil.copyfile(font, assets / "fonts" / font.name)
    for name, content in figures.items():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    index = [entry for chapter in project.chapters for entry in _search_entries(chapter, pages[chapter.slug], remember)]
    _write_script(assets / "search-index.js", "searchIndex", {"entries": index, "alike": read_alike(project.root)})
    bodies = {chapter.page: pages[chapter.slug]["body"] for chapter in project.chapters}
    behind = behind_pages(bodies, cells, explain, remember)
    _write_script(assets / "results.js", "report", behind)

    asked = " data-explained" if explain else ""
    template = Template((ASSETS / "page.html").read_text(encoding="utf-8"))
    written = []
    for at, chapter in enumerate(project.chapters):
        around = {
            "previous": project.chapters[at - 1] if at else None,
            "next": project.chapters[at + 1] if at + 1 < len(project.chapters) else None,
        }
        page = {**pages[chapter.slug], "body": _slimmed(pages[chapter.slug]["body"], behind["figures"], remember)}
        text = template.substitute(
            {**_page(project, chapter, page, pages, words, around, downloads), "explained": asked}
        )
        (target / chapter.page).write_text(text, encoding="utf-8", newline="\n")
        written.append(chapter.page)
    return written


def _slimmed(body: str, explained: Collection[str], remember: Remember) -> str:
    """The body of a page without what no browser needs, made anew where the page changed."""
    named = " ".join(sorted(explained))
    return remember(
        ["slim", code_of(slim_page), " ".join(sorted(styled())), named, body],
        lambda: slimmed(body, explained=explained),
    )


_OWN_NOTICE = 'class="callout callout-important"'


def _short(source: str) -> str:
    """A script or style sheet without indentation and lines that hold comments alone."""
    text = re.sub(r"^\s*/\*.*?\*/\s*$", "", source, flags=re.DOTALL | re.MULTILINE)
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def _write_script(file: Path, name: str, value: Any) -> None:
    """A value as a script beside the pages: pages opened from the disk may not read files."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    file.write_text(f"window.{name}={text};\n", encoding="utf-8", newline="\n")


def _page(
    project: Project,
    chapter: Chapter,
    page: Page,
    pages: Mapping[str, Page],
    words: Mapping[str, str],
    around: Mapping[str, Chapter | None],
    downloads: Sequence[str],
) -> dict[str, str]:
    notice = escape(project.banner_of(chapter))
    # A first page that says it in its own words, below the key message, says it once.
    by_itself = chapter.slug == "index" and _OWN_NOTICE in page["body"]
    banner = f'<p class="data-notice">{notice}</p>' if notice and not by_itself else ""
    label = ""
    if page["number"]:
        word = words["appendix" if chapter.appendix else "chapter"]
        label = f'<p class="chapter-label">{word} {page["number"]}</p>'
    title = project.title if chapter.slug == "index" else f"{page['plain']} – {project.title}"
    front = ""
    if chapter.slug == "index":
        facts = [*project.authors, long_date(project), *version_words(project, words)]
        subtitle = f'<p class="subtitle">{escape(project.subtitle)}</p>' if project.subtitle else ""
        front = (
            f'<div class="front"><p class="book-title">{escape(project.title)}</p>{subtitle}'
            f'<p class="facts">{escape(" · ".join(facts))}</p></div>'
        )
    return {
        **{f"word_{key}": escape(value) for key, value in words.items()},
        "lang": escape(project.lang),
        "page_title": escape(title),
        "authors": escape(", ".join(project.authors)),
        "description": escape(project.description or f"{project.title}: {page['plain']}"),
        "book_title": escape(project.title),
        "banner": banner,
        "links": "".join(
            f'<link rel="{"prev" if kind == "previous" else kind}" href="{near.page}">\n'
            for kind, near in around.items()
            if near
        ),
        "chapters": _chapters(project, chapter, pages, words),
        "contents": _contents(project, page, words),
        "front": front,
        "label": label,
        "id": f' id="{escape(page["id"])}"' if page["id"] else "",
        "title": page["title"],
        "body": page["body"].strip(),
        "citation": citation(project, words) if chapter.slug == "index" else "",
        "around": _around(around, pages, words),
        "downloads": _downloads(downloads, words),
        "footer": notice,
        "date": escape(long_date(project)),
        "script_words": escape(json.dumps({key: words[key] for key in _SCRIPT_WORDS}, ensure_ascii=False)),
    }


_SCRIPT_WORDS = (
    "low",
    "high",
    "brackets",
    "notes",
    "enlarge",
    "close",
    "table",
    "figure",
    "no_results",
    "results",
    "result",
    "copied",
    "search",
    "csv",
    "source",
    "sort",
    "unsorted",
    "ascending",
    "descending",
    "origin",
    "estimand",
    "contrast",
    "population",
    "method",
    "estimate",
    "std_error",
    "interval",
    "df",
    "p",
    "p_adjusted",
    "people",
    "clusters",
    "status",
    "note",
    "clauses",
    "formula",
    "code_in",
    "show_source",
    "inputs",
    "more_files",
    "index_row",
    "cell_source",
    "presenter",
    "results_behind",
    "analysis",
    "outcome",
    "statistic",
    "mc_error",
    "mc_error_p",
    "programmes",
    "programmes_note",
    "in_python",
    "in_r",
)


def _numbered(page: Page) -> str:
    number = f'<span class="number">{page["number"]}</span> ' if page["number"] else ""
    return f"{number}<span>{page['title']}</span>"


def _chapters(project: Project, current: Chapter, pages: Mapping[str, Page], words: Mapping[str, str]) -> str:
    def items(chapters: Sequence[Chapter]) -> str:
        lines = []
        for chapter in chapters:
            mark = ' aria-current="page"' if chapter == current else ""
            lines.append(f'<li><a href="{chapter.page}"{mark}>{_numbered(pages[chapter.slug])}</a></li>')
        return "\n".join(lines)

    main = [chapter for chapter in project.chapters if not chapter.appendix]
    appendices = [chapter for chapter in project.chapters if chapter.appendix]
    text = f"<ul>\n{items(main)}\n</ul>"
    if appendices:
        text += f'\n<p class="nav-part">{words["appendices"]}</p>\n<ul>\n{items(appendices)}\n</ul>'
    return text


def _contents(project: Project, page: Page, words: Mapping[str, str]) -> str:
    shown = [heading for heading in page["headings"] if heading["level"] <= project.toc_depth["html"]]
    if not shown:
        return ""
    items = "\n".join(
        f'<li class="level-{heading["level"]}"><a href="#{escape(heading["id"])}">{_numbered(heading)}</a></li>'
        for heading in shown
    )
    return (
        f'<nav class="page-nav" aria-label="{words["on_page"]}"><details open><summary>{words["on_page"]}</summary>\n'
        f"<ul>\n{items}\n</ul></details></nav>"
    )


def _around(around: Mapping[str, Chapter | None], pages: Mapping[str, Page], words: Mapping[str, str]) -> str:
    links = "".join(
        f'<a class="{kind}" rel="{"prev" if kind == "previous" else kind}" href="{near.page}">'
        f"<small>{words[kind]}</small> <span>{_numbered(pages[near.slug])}</span></a>\n"
        for kind, near in around.items()
        if near
    )
    label = f"{words['previous']}, {words['next']}"
    return f'<nav class="around" aria-label="{label}">\n{links}</nav>'


def _downloads(downloads: Sequence[str], words: Mapping[str, str]) -> str:
    named = {
        PDF_NAME: words["download_pdf"],
        APPENDICES: words["download_appendices"],
        TABLES_NAME: words["download_tables"],
        "report.docx": words["download_draft"],
        RESULTS_NAME: words["download_results"],
    }
    links = "".join(f'<li><a href="{escape(name)}">{escape(named.get(name, name))}</a></li>' for name in downloads)
    return f'<ul class="downloads">{links}</ul>' if links else ""


class _Text(Reader):
    """The words of a page by its sections, without mathematics' source, notes' arrows and anchors."""

    def __init__(self) -> None:
        self.sections: list[tuple[str, list[str], list[str]]] = [("", [], [])]  # place, heading, words
        self.skip = 0
        self.in_heading = False

    def handle_starttag(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "annotation":
            self.skip += 1
        elif tag in ("h2", "h3", "h4") and attributes.get("class") == "heading":
            self.sections.append((attributes.get("id", ""), [], []))
            self.in_heading = True
        elif tag == "img" and "on-dark" not in attributes.get("class", ""):
            self.sections[-1][2].append(f" {attributes.get('alt', '')} ")
        elif tag in ("p", "td", "th", "li", "div", "br", "figcaption", "dt", "dd"):
            self.sections[-1][2].append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "annotation":
            self.skip -= 1
        elif tag in ("h2", "h3", "h4"):
            self.in_heading = False

    def handle_data(self, data: str) -> None:
        if not self.skip:
            _, heading, text = self.sections[-1]
            (heading if self.in_heading else text).append(data)


def _search_entries(chapter: Chapter, page: Page, remember: Remember) -> list[list[str | int]]:
    """[page, place in the page, chapter, section, words, 1 in an appendix] of each section of a chapter."""
    name = f"{page['number']} {page['plain']}".strip()
    body, code = page["body"], code_of(sys.modules[__name__], well_formed)
    sections = json.loads(remember(["words for the search", code, body], lambda: json.dumps(_sections(body))))
    return [
        [chapter.page, anchor or page["id"] or "", name, title, flat, int(chapter.appendix)]
        for anchor, title, flat in sections
        if flat or title
    ]


def _sections(body: str) -> list[tuple[str, str, str]]:
    """Place, heading and words of each section of a page."""
    parser = _Text()
    parser.feed(body)
    return [
        (
            anchor,
            re.sub(r"\s+", " ", "".join(heading)).strip(),
            re.sub(r"\s+", " ", "".join(text).replace("\u21a9\ufe0e", "")).strip(),
        )
        for anchor, heading, text in parser.sections
    ]
