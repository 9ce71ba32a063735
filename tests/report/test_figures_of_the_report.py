"""Every figure of the rendered report: its words, its letters, its colours."""

from __future__ import annotations

import re
from pathlib import Path

import lxml.html
import pytest

from hhp_stats.present.style import GRID, MEANINGS, PAPER, TINTS

DESCRIBES = re.compile(
    r"(?:Bars?|Estimates? and|Means? of|Flow of|Curves?|Map of|Lines?|Two bar|Three hist|Figure|Chart)\b"
)


@pytest.fixture(scope="module")
def figures(whole_report: Path) -> dict[str, lxml.html.HtmlElement]:
    found = {}
    for file in sorted((whole_report / "first").glob("*.html")):
        for figure in lxml.html.fromstring(file.read_bytes()).xpath("//figure[contains(@class, 'fig')][.//img]"):
            found[figure.get("id")] = figure
    assert len(found) > 30
    return found


def test_alternative_texts_begin_with_what_the_figure_shows(figures: dict[str, lxml.html.HtmlElement]) -> None:
    """A conclusion first, then what is drawn: readers who hear it may stop after the first sentence."""
    texts = {name: figure.xpath(".//img/@alt")[0] for name, figure in figures.items()}
    assert {name: text[:80] for name, text in texts.items() if DESCRIBES.match(text)} == {}
    firsts = {name: re.split(r"\. (?=[A-Z])", text)[0] for name, text in texts.items()}
    assert {name: first for name, first in firsts.items() if not 10 <= len(first) <= 240 or first == texts[name]} == {}


def test_colours_are_those_of_the_table_of_meanings(figures: dict, whole_report: Path) -> None:
    allowed = {colour.lower() for colour in (*MEANINGS.values(), PAPER, GRID, *TINTS, "#ffffff", "#000000")}
    seen: set[str] = set()
    for figure in figures.values():
        text = (whole_report / "first" / figure.xpath(".//img[not(contains(@class, 'on-dark'))]/@src")[0]).read_text()
        seen |= {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", text)}
    assert seen - allowed == set() and len(seen) > 8
