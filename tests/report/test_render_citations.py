"""Citations of the whole book are written by the style at once, and each chapter gets its own."""

from __future__ import annotations

import lxml.html
from book_tools import CONFIG, WriteBook, text_of

from hhp_stats.publish import render_book

NOTES = """\
<?xml version="1.0" encoding="utf-8"?>
<style xmlns="http://purl.org/net/xbiblio/csl" class="note" version="1.0">
  <info><title>Notes</title><id>notes</id><updated>2020-01-01T00:00:00+00:00</updated></info>
  <citation><layout suffix="."><text variable="title"/></layout></citation>
  <bibliography><layout suffix="."><text variable="title"/></layout></bibliography>
</style>
"""
NUMBERS = NOTES.replace('class="note"', 'class="in-text"').replace(
    '<citation><layout suffix="."><text variable="title"/>',
    '<citation><layout prefix="[" suffix="]"><text variable="citation-number"/>',
)
FIRST, SECOND = "bell2002", "pustejovsky2018"
INDEX = f"# Start {{#sec-start .unnumbered}}\n\nAs was found [@{FIRST}].\n"
ONE = (
    f"# One {{#sec-one}}\n\nMore was found [@{SECOND}], and once more [@{FIRST}]; see also [@{SECOND}].\n\n:::"
    " {#refs}\n:::\n"
)


def pages(write_book: WriteBook, style: str) -> tuple[lxml.html.HtmlElement, lxml.html.HtmlElement]:
    root = write_book(ONE, index=INDEX)
    (root / "style.csl").write_text(style, encoding="utf-8")
    (root / "_quarto.yml").write_text(CONFIG.replace("lang:", "csl: style.csl\nlang:"), encoding="utf-8")
    render_book(root=root, output=root / "_output", formats=("html",))
    start, one = (lxml.html.fromstring((root / "_output" / name).read_bytes()) for name in ("index.html", "one.html"))
    return start.find(".//article"), one.find(".//article")


def test_numbers_run_on_from_chapter_to_chapter(write_book: WriteBook) -> None:
    start, one = pages(write_book, NUMBERS)
    assert "As was found [1]." in text_of(start)
    assert "More was found [2], and once more [1]; see also [2]." in text_of(one)
    assert len(one.xpath(".//*[@id='refs']/div")) == 2
    assert start.xpath(f".//a[contains(@href, 'one.html#ref-{FIRST}')]")


def test_notes_of_a_style_stand_close_to_the_word_and_after_its_punctuation(write_book: WriteBook) -> None:
    start, one = pages(write_book, NOTES)
    assert "As was found.1" in text_of(start)
    assert "More was found,1 and once more;2 see also.3" in text_of(one)
    assert len(one.xpath(".//*[contains(@class, 'footnotes')]//li")) == 3


def test_a_year_with_a_letter_is_printed_and_no_date_is_missing(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n\nFound [@twin].\n\n::: {#refs}\n:::\n", index="# Start {.unnumbered}\n")
    book = next(root.rglob("*.bib"))
    entry = "@book{twin, author = {Grant, Ada}, title = {Fire}, publisher = {House}, year = {2008a}}\n"
    book.write_text(book.read_text(encoding="utf-8") + entry, encoding="utf-8")
    render_book(root=root, output=root / "_output", formats=("html",))
    said = text_of(lxml.html.fromstring((root / "_output" / "one.html").read_bytes()).find(".//article"))
    assert "(Grant 2008a)" in said and "2008a. Fire." in said and "n.d." not in said
