"""The PDF: valid for archiving and for screen readers, with the same content as the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import page as validator
import pikepdf
import pytest
from book_tools import Rendered, text_of, typst_body

# A compressed stream may end with a carriage return; the validator then miscounts its length by one.
FALSE_ALARM = "STREAM-LENGTH-001"


@pytest.mark.parametrize("volume", ["report.pdf", "appendices.pdf"])
@pytest.mark.parametrize("profile", ["PDF_UA_1", "PDF_A_2A"])
def test_standards_hold(rendered: Rendered, profile: str, volume: str) -> None:
    assert [path.name for path in rendered.report.printed] == ["report.pdf", "appendices.pdf"]
    file = str(rendered.output / volume)
    report = validator.validate_pdf(file, profile=getattr(validator.ValidationProfile, profile))
    failures = [failure for failure in report.to_dict()["failures"] if FALSE_ALARM not in str(failure)]
    assert failures == []
    assert report.to_dict()["rules"]["passed"] > 50  # a report without rules proves nothing


def elements(node: Any) -> Iterator[Any]:
    """All elements of the tag tree below a node."""
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from elements(kid)


@pytest.fixture(scope="module")
def tags(rendered: Rendered) -> Iterator[list[Any]]:
    with ExitStack() as opened:
        pdfs = [opened.enter_context(pikepdf.open(path)) for path in rendered.report.printed]
        yield [element for pdf in pdfs for element in elements(pdf.Root.StructTreeRoot)]


def test_document_says_its_language_title_and_date(rendered: Rendered) -> None:
    for path, which in zip(rendered.report.printed, ("Volume 1: chapters", "Volume 2: appendices"), strict=True):
        with pikepdf.open(path) as pdf:
            assert str(pdf.Root.Lang) == "en-GB"
            assert bool(pdf.Root.MarkInfo.Marked)
            assert str(pdf.docinfo["/Title"]) == f"A small book: costs under $5 and other tests. {which}"
            assert str(pdf.docinfo["/CreationDate"]).startswith("D:20240301")


def test_tables_figures_and_formulas_are_tagged(rendered: Rendered, tags: list[Any]) -> None:
    kinds = [str(tag.S) for tag in tags]
    pages = [rendered.page(name) for name in rendered.report.pages]
    assert kinds.count("/Table") == sum(len(page.xpath("//article//table")) for page in pages)
    assert kinds.count("/Formula") == sum(len(page.xpath("//article//*[local-name()='math']")) for page in pages)
    pictures = sum(len(page.xpath("//article//img[not(contains(@class, 'on-dark'))]")) for page in pages)
    described = [tag for tag in tags if str(tag.S) == "/Figure" and "/Alt" in tag]
    assert len(described) >= pictures > 0
    for tag in tags:
        if str(tag.S) == "/Formula":
            assert str(tag.Alt).strip()
    alts = {str(tag.Alt) for tag in tags if "/Alt" in tag}
    assert "Y equals alpha plus beta times T plus covariates plus error" in alts
    assert "Three dots in a row" in alts


def test_bookmarks_are_the_headings_of_the_site(rendered: Rendered) -> None:

    def titles(items: list[Any]) -> list[str]:
        return [title for item in items for title in [item.title, *titles(item.children)]]

    found = []
    for path in rendered.report.printed:
        with pikepdf.open(path) as pdf, pdf.open_outline() as outline:
            found += titles(outline.root)
    wanted = []
    for name in rendered.report.pages:
        article = rendered.page(name).find(".//article")
        number = article.xpath(".//p[@class='chapter-label']")
        headings = [text_of(item) for item in article.xpath(".//h1 | .//*[@class='heading']")]
        wanted += [f"{text_of(number[0]).split()[-1]} {headings[0]}" if number else headings[0], *headings[1:]]

    # Typst may leave the number out of a bookmark or put another space: words decide.
    def words(title: str) -> str:
        return re.sub(r"^(?:Chapter |Appendix )?[A-Z\d](?:\.\d+)*\s+", "", title)

    lists = ["Contents", "Figures", "Tables", "Index of results"]
    assert [words(title) for title in found if title not in lists] == [
        words(title) for title in wanted if title not in lists
    ]


def test_long_table_goes_over_pages_with_its_heading(rendered: Rendered, tags: list[Any]) -> None:
    tables = [tag for tag in tags if str(tag.S) == "/Table"]
    long = max(tables, key=lambda tag: sum(1 for _ in elements(tag)))
    rows = [tag for tag in elements(long) if str(tag.S) == "/TR"]
    assert len(rows) == 61
    cells = [tag for tag in elements(long) if str(tag.S) in ("/TD", "/TH")]
    assert len({cell.Pg.objgen for cell in cells if "/Pg" in cell}) >= 2


def test_conditional_content_of_the_paper(rendered: Rendered) -> None:
    text = typst_body(rendered.root)
    assert "Only on paper." in text
    assert "Only on the site." not in text
