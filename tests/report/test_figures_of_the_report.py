"""Every figure of the rendered report: its words, its letters, its colours."""

from __future__ import annotations

import re
from pathlib import Path

import lxml.html
import pytest

from hhp_stats.present.style import GRID, MEANINGS, PAPER, PHONE, TINTS

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


def test_the_first_figure_speaks_in_everyday_words(figures: dict[str, lxml.html.HtmlElement]) -> None:
    (alt, *_) = figures["fig-front-primary"].xpath(".//img/@alt")
    assert "wellbeing" in alt and "subjective" not in alt


def test_colours_are_those_of_the_table_of_meanings(figures: dict, whole_report: Path) -> None:
    allowed = {colour.lower() for colour in (*MEANINGS.values(), PAPER, GRID, *TINTS, "#ffffff", "#000000")}
    seen: set[str] = set()
    for figure in figures.values():
        text = (whole_report / "first" / figure.xpath(".//img[not(contains(@class, 'on-dark'))]/@src")[0]).read_text()
        seen |= {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", text)}
    assert seen - allowed == set() and len(seen) > 8


# One line of words as matplotlib draws it: where it begins, the size of its letters in hundredths, its letters.
LINE = re.compile(
    r'<!-- (?P<words>[^\n]*) -->\s*<g style="[^"]*" transform="translate\((?P<x>[-\d.]+) [-\d.]+\)'
    r'(?P<turn> rotate\([-\d.]+\))? scale\((?P<size>[\d.]+) [-\d.]+\)">(?P<letters>.*?)</g>',
    re.DOTALL,
)
LETTER = re.compile(r'<use [^>]*?transform="translate\(([\d.]+) ')


def test_every_figure_can_be_read_on_a_telephone_of_360_pixels(figures: dict, whole_report: Path) -> None:
    """Letters of nine pixels at least, in a drawing that is no wider than the window, with no word cut off."""
    wide = 0
    for name, figure in figures.items():
        (light,) = figure.xpath(".//img[contains(@class, 'on-light')]")
        files = figure.xpath(".//picture[.//img[contains(@class, 'on-light')]]//source/@srcset") or [light.get("src")]
        wide += files != [light.get("src")]
        text = (whole_report / "first" / files[0]).read_text(encoding="utf-8")
        width = float(re.search(r'<svg [^>]*width="([\d.]+)pt"', text)[1])
        shrinks = min(1.0, 320 / (width * 96 / 72))  # the text of a page 360 pixels wide
        lines = list(LINE.finditer(text))
        assert lines and text.count("<!-- ") == len(lines), name
        assert min(100 * float(line["size"]) for line in lines) * 96 / 72 * shrinks >= 9, name
        ends = {
            line["words"]: float(line["x"]) + float(line["size"]) * float([0, *LETTER.findall(line["letters"])][-1])
            for line in lines
            if not line["turn"]
        }
        assert {words: end for words, end in ends.items() if not 0 < end < width} == {}, name
        assert min(float(line["x"]) for line in lines) > -0.5, name
        assert width <= 72 * PHONE + 0.5 or files == [light.get("src")], name
    assert wide > 40
