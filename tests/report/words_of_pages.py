"""What the rendered pages say: phrases that the report avoids, codes without a link, how easy the summaries are."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd

from hhp_stats.intake.rule_list import all_rules
from hhp_stats.plan.citations import known_clauses
from hhp_stats.plan.conduct import load_deviations
from hhp_stats.plan.conflicts import load_conflicts, load_departures
from hhp_stats.publish.checks.page_text import read_page
from hhp_stats.publish.plain_words import find_phrases, titles_of_works

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "prose"))
from reading_ease import reading_ease

TITLES = "references.html"  # titles of works, which are not ours
_NOT_WORDS = re.compile(r"<(code|math|script|style)\b.*?</\1>", re.S)
_ALT = re.compile(r'<img[^>]* alt="([^"]*)"')
_PART = re.compile(r"<h[23] ")
_TAGS = re.compile(r"<[^<>]+>")
BRIEF = "In brief"


def texts_of(page: Path) -> list[str]:
    """Paragraphs, cells, headings of columns and alternative texts of a page."""
    source = _NOT_WORDS.sub(" ", page.read_text(encoding="utf-8"))
    read = read_page(source)
    cells = [cell for table in read.tables for row in (table.headings, *table.rows) for cell in row]
    return [*read.paragraphs, *cells, *map(html.unescape, _ALT.findall(source))]


def phrases_of_pages(root: Path, folder: Path) -> list[str]:
    """Every phrase of the list on the pages of `folder`, with the words around it."""
    titles = titles_of_works(root, ["report/references.bib"])
    return [
        f"{page.name}: \u2026{text[max(found.start - 40, 0) : found.start + 60]}\u2026"
        for page in sorted(folder.glob("*.html"))
        if page.name != TITLES
        for text in texts_of(page)
        for found in find_phrases(text, titles=titles)
    ]


def repeated_in_a_section(folder: Path, phrase: str) -> list[str]:
    """Sections whose paragraphs say a phrase more than once."""
    return [
        f"{page.name}: {_words(part)[:80]}"
        for page in sorted(folder.glob("*.html"))
        for part in _PART.split(page.read_text(encoding="utf-8"))
        if sum(_words(text).count(phrase) for text in re.findall(r"<(?:p|li)\b[^>]*>.*?</(?:p|li)>", part, re.S)) > 1
    ]


_FIGURE_FIRST = re.compile(
    r"(?:^|(?<!\bal)(?<!\bn\.d)(?<=[a-z)%\u201d\u2019])[.?!] )(\d[\d,]*(?:\.\d+)?%? [a-z(][^.]{0,60})"
)


def begun_with_figures(folder: Path) -> list[str]:
    """Sentences of paragraphs that begin with a figure: after a full stop it is taken for a part of what went before."""
    return [
        f"{page.name}: {found[1]}"
        for page in sorted(folder.glob("*.html"))
        for piece in re.findall(r"<p\b[^>]*>(.*?)</p>", _NOT_WORDS.sub(" ", page.read_text(encoding="utf-8")), re.S)
        for found in _FIGURE_FIRST.finditer(_words(piece))
    ]


def ease_of_briefs(folder: Path) -> dict[str, float]:
    """The reading ease of every part called "In brief", by page."""
    found = {}
    for page in sorted(folder.glob("*.html")):
        for part in re.split(r"<h2 ", page.read_text(encoding="utf-8"))[1:]:
            if _words(part.partition("</h2>")[0].partition(">")[2]).endswith(BRIEF):
                pieces = re.findall(r"<(?:p|li)\b[^>]*>(.*?)</(?:p|li)>", part, re.S)
                found[page.name] = reading_ease(" ".join(map(_words, pieces)))
    return found


def _words(source: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(_TAGS.sub("", source))).strip()


# ---------------------------------------------------------------- codes
CODE = re.compile(r"(?<![\w/#.-])[A-Z](?:[A-Z0-9]|-(?=[A-Z0-9]))+(?![\w/-])")
_LEFT = {"a", "code", "pre", "script", "style", "svg", "math", "nav", "figcaption", "header", "footer", "template"}
_LEFT |= {"h1", "h2", "h3", "h4", "title"}
_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


def known_codes(root: Path) -> set[str]:
    """Codes of clauses, conflicts, departures, deviations, rules and published figures, as their lists have them."""
    return own_codes(root) | {rule.code for rule in all_rules()}


def own_codes(root: Path) -> set[str]:
    """The same without rules of the checks, whose codes look like those of clauses and conflicts."""
    listed = (load_conflicts(root), load_departures(root), load_deviations(root))
    figures = pd.read_csv(root / "data/published/published_results.csv", usecols=["id"])["id"]
    return {entry.id for entries in listed for entry in entries} | known_clauses(root) | set(figures)


def codes(text: str) -> set[str]:
    """What looks like a code in a text."""
    return set(CODE.findall(text))


class _Page(HTMLParser):
    """Text outside links and code, with whether it is an entry; links to codes; ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.loose: list[str] = []  # names in code that are no links
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        if tag == "a" and given.get("class") == "code":
            self.links.append(given["href"] or "")
        if tag not in _VOID:
            entry = (given.get("id") or "").startswith("code-")
            self.open.append((tag, tag in _LEFT or entry))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(left for _, left in self.open):
            self.texts.append(data)
        names = {tag for tag, _ in self.open}
        if "code" in names and not names & (_LEFT - {"code"}):
            self.loose.append(data.strip())


def read_codes(folder: Path) -> Iterator[tuple[str, _Page]]:
    """Every page of `folder`, read."""
    for file in sorted(folder.glob("*.html")):
        page = _Page()
        page.feed(file.read_text(encoding="utf-8"))
        yield file.name, page
