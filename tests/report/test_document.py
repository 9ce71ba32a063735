"""report.docx: headings, tables, captions, formulas and links of a word processor, the same bytes each time."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from book_tools import Rendered, text_of

from hhp_stats.publish.render import render_book

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"


@pytest.fixture(scope="module")
def document(rendered: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("draft")
    made = render_book(root=rendered.root, output=folder / "out", formats=("docx",))
    assert [path.name for path in made.printed] == ["report.docx"] and made.pdf is None
    return made.printed[0]


@pytest.fixture(scope="module")
def body(document: Path) -> ElementTree.Element:
    with zipfile.ZipFile(document) as archive:
        return ElementTree.fromstring(archive.read("word/document.xml"))


def words(element: ElementTree.Element) -> str:
    return " ".join("".join(part.text or "" for part in element.iter() if part.tag in (f"{W}t", f"{M}t")).split())


def styles(body: ElementTree.Element, pattern: str) -> list[str]:
    found = []
    for paragraph in body.iter(f"{W}p"):
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        if style is not None and re.fullmatch(pattern, style.get(f"{W}val", "")):
            found.append(words(paragraph))
    return found


def test_headings_are_those_of_the_site(rendered: Rendered, body: ElementTree.Element) -> None:
    shown = []
    for name in rendered.report.pages:
        article = rendered.page(name).find(".//article")
        shown += [text_of(item) for item in article.xpath(".//header[@class='chapter-head']//h1")]
        shown += [text_of(item) for item in article.xpath(".//*[@class='heading']")]
    made = styles(body, r"Heading\d")
    assert len(made) == len(shown) > 5
    for ours, theirs in zip(made, shown, strict=True):
        assert re.sub(r"\s", "", ours).endswith(re.sub(r"\s", "", theirs)), (ours, theirs)
    assert any(title.startswith("Appendix A.") for title in made) and any(t.startswith("Chapter 1.") for t in made)


def test_the_contents_are_links_to_the_headings(body: ElementTree.Element) -> None:
    names = {mark.get(f"{W}name") for mark in body.iter(f"{W}bookmarkStart")}
    contents = next(part for part in body.iter(f"{W}sdtContent"))
    links = [(link.get(f"{W}anchor"), words(link)) for link in contents.iter(f"{W}hyperlink")]
    deepest = re.search(r"1-(\d)", "".join(part.text or "" for part in contents.iter(f"{W}instrText")))[1]
    assert [title for _, title in links] == styles(body, rf"Heading[1-{deepest}]") and len(links) > 5
    assert {anchor for anchor, _ in links} <= names
    # Field begins before, and ends after them: a word processor that is asked puts its own list in their place.
    kinds = [mark.get(f"{W}fldCharType") for mark in contents.iter(f"{W}fldChar")]
    assert kinds == ["begin", "separate", "end"]


def test_tables_figures_and_formulas_are_real_and_have_their_captions(
    rendered: Rendered, body: ElementTree.Element, document: Path
) -> None:
    pages = [rendered.page(name) for name in rendered.report.pages]
    tables = sum(len(page.xpath("//article//table")) for page in pages)
    assert sum(1 for _ in body.iter(f"{W}tbl")) >= tables > 2
    for page in pages:
        for caption in page.xpath("//figure[contains(@class, 'float')]/figcaption"):
            label = caption.xpath("./span[@class='float-label']")
            if label:
                number = text_of(label[0])
                assert any(line.startswith(f"{number}.") for line in styles(body, r"(Image)?Caption")), number
    assert sum(1 for _ in body.iter(f"{M}oMath")) > 1
    with zipfile.ZipFile(document) as archive:
        pictures = [name for name in archive.namelist() if name.startswith("word/media/")]
    assert pictures and not [name for name in pictures if name.endswith(".svg")]


def style_of(paragraph: ElementTree.Element) -> str:
    style = paragraph.find(f"{W}pPr/{W}pStyle")
    return "" if style is None else style.get(f"{W}val", "")


def test_heads_of_tables_are_bold_and_repeated_on_the_next_page(body: ElementTree.Element, document: Path) -> None:
    heads = 0
    for table in body.iter(f"{W}tbl"):
        for row in table.findall(f"{W}tr"):
            if row.find(f"{W}trPr/{W}tblHeader") is not None:
                heads += 1
                assert {style_of(paragraph) for paragraph in row.iter(f"{W}p") if words(paragraph)} <= {"TableHead"}
    assert heads >= sum(1 for _ in body.iter(f"{W}tbl"))
    with zipfile.ZipFile(document) as archive:
        styles_xml = ElementTree.fromstring(archive.read("word/styles.xml"))
    look = {style.get(f"{W}styleId"): style for style in styles_xml.iter(f"{W}style")}
    assert look["TableHead"].find(f"{W}rPr/{W}b") is not None
    assert look["TableHead"].find(f"{W}pPr/{W}keepNext") is not None
    assert look["Caption"].find(f"{W}pPr/{W}keepNext") is not None
    assert look["ImageCaption"].find(f"{W}pPr/{W}keepNext").get(f"{W}val") == "0"


def test_numbers_stand_to_the_right_as_on_the_pages(rendered: Rendered, body: ElementTree.Element) -> None:
    right = {
        words(paragraph)
        for paragraph in body.iter(f"{W}p")
        if paragraph.find(f"{W}pPr/{W}jc[@{W}val='right']") is not None
    }
    shown = set()
    for name in rendered.report.pages:
        for cell in rendered.page(name).xpath(
            "//table[contains(@class, 'gt_table')]/tbody/tr[not(@class)]/td[not(@class)]"
        ):
            shown.add(" ".join(text_of(cell).split()))
    shown -= {""}
    assert len(shown) > 10 and shown <= right


def test_a_caption_stands_over_its_table_and_notes_below_it(body: ElementTree.Element) -> None:
    before = None
    captioned = noted = 0
    for element in body.find(f"{W}body"):
        if element.tag == f"{W}tbl" and before is not None and style_of(before) == "Caption":
            captioned += words(before).startswith("Table")
        if element.tag == f"{W}p" and before is not None and before.tag == f"{W}tbl":
            noted += style_of(element) == "TableNote"
        before = element
    assert captioned > 2 and noted > 0


def test_a_figure_stays_with_its_caption(body: ElementTree.Element, document: Path) -> None:
    before, figures = None, 0
    for element in body.find(f"{W}body"):
        if element.tag == f"{W}p" and style_of(element) == "ImageCaption":
            figures += 1
            assert style_of(before) == "CaptionedFigure" and before.find(f".//{W}drawing") is not None
        before = element
    assert figures > 1
    with zipfile.ZipFile(document) as archive:
        styles_xml = ElementTree.fromstring(archive.read("word/styles.xml"))
    (look,) = (style for style in styles_xml.iter(f"{W}style") if style.get(f"{W}styleId") == "CaptionedFigure")
    assert look.find(f"{W}pPr/{W}keepNext") is not None


def test_no_column_is_narrower_than_its_longest_word(body: ElementTree.Element) -> None:
    columns = 0
    for table in body.iter(f"{W}tbl"):
        grid = [int(column.get(f"{W}w")) for column in table.findall(f"{W}tblGrid/{W}gridCol")]
        for row in table.findall(f"{W}tr"):
            cells = row.findall(f"{W}tc")
            if len(cells) != len(grid) or any(cell.find(f"{W}tcPr/{W}gridSpan") is not None for cell in cells):
                continue
            for width, cell in zip(grid, cells, strict=True):
                letters = max(map(len, re.findall(r"[^ -]+", words(cell))), default=0)
                columns += 1
                # Letters of 7.5 points are half as wide; the edges of a cell take six. In twips, of a line of A4.
                assert 20 * (3.75 * letters + 6) <= 9026 * width / sum(grid), (words(cell), width, grid)
    assert columns > 20


def test_every_reference_resolves(body: ElementTree.Element) -> None:
    marks = {mark.get(f"{W}name") for mark in body.iter(f"{W}bookmarkStart")}
    links = {link.get(f"{W}anchor") for link in body.iter(f"{W}hyperlink") if link.get(f"{W}anchor")}
    assert len(links) > 3 and links <= marks


def test_the_same_sources_give_the_same_bytes(rendered: Rendered, document: Path, tmp_path: Path) -> None:
    again = render_book(root=rendered.root, output=tmp_path / "out", formats=("docx",))
    assert again.printed[0].read_bytes() == document.read_bytes()
    with zipfile.ZipFile(document) as archive:
        core = archive.read("docProps/core.xml").decode()
    assert "2024-03-01T00:00:00Z" in core and "A small book" in core
