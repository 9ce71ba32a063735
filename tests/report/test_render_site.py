"""The site: facts that readers look up, links that hold, nothing from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from book_tools import Rendered, facts, text_of


def test_headings_captions_references_and_citations_are_the_known_ones(rendered: Rendered) -> None:
    known = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))
    assert facts(rendered) == known


def test_pages_are_named_by_their_sources(rendered: Rendered) -> None:
    expected = [
        "index.html",
        "01-tables.html",
        "02-figures.html",
        "03-text.html",
        "04-results.html",
        "references.html",
        "A-methods.html",
    ]
    assert list(rendered.report.pages) == expected
    assert all((rendered.output / name).is_file() for name in expected)


def test_every_inner_link_has_a_target(rendered: Rendered) -> None:
    ids = {name: set(rendered.page(name).xpath("//@id")) for name in rendered.report.pages}
    links = 0
    for name in rendered.report.pages:
        for href in rendered.page(name).xpath("//a/@href"):
            if re.match(r"https?:", href):
                continue
            links += 1
            target, _, anchor = href.partition("#")
            if anchor:
                assert unquote(anchor) in ids[target or name], f"{name}: {href}"
            else:
                assert (rendered.output / target).is_file(), f"{name}: {href}"
    assert links > 100  # the check is no check if the pages have lost their links


def test_ids_are_unique_within_each_page(rendered: Rendered) -> None:
    for name in rendered.report.pages:
        ids = rendered.page(name).xpath("//@id")
        assert len(ids) == len(set(ids)), name


def test_nothing_is_loaded_from_elsewhere(rendered: Rendered) -> None:
    for name in rendered.report.pages:
        page = rendered.page(name)
        loaded = page.xpath("//link/@href | //script/@src | //img/@src | //source/@srcset | //iframe/@src")
        for address in loaded:
            assert address == "data:," or (rendered.output / address).is_file(), f"{name}: {address}"
    style = (rendered.output / "assets" / "page.css").read_text(encoding="utf-8")
    for address in re.findall(r"url\(\"?([^)\"]+)", style):
        assert (rendered.output / "assets" / address).is_file(), address
    assert "@import" not in style
    script = (rendered.output / "assets" / "page.js").read_text(encoding="utf-8")
    assert "fetch(" not in script and "XMLHttpRequest" not in script


def test_no_page_holds_a_path_of_this_machine(rendered: Rendered) -> None:
    places = [str(rendered.root), str(rendered.output), str(Path.home()), "site-packages", "ipython-input"]
    for file in rendered.output.rglob("*"):
        if file.is_file() and file.suffix in (".html", ".js", ".svg", ".css"):
            text = file.read_text(encoding="utf-8")
            assert not [place for place in places if f"{place}/" in text], file.name


def test_notice_of_synthetic_data_heads_and_foots_every_page(rendered: Rendered) -> None:
    for name in rendered.report.pages:
        page = rendered.page(name)
        assert text_of(page.xpath("//p[@class='data-notice']")[0]).startswith("Synthetic data:")
        assert "Synthetic data:" in text_of(page.xpath("//footer")[0])


def test_current_chapter_neighbours_and_downloads_are_shown(rendered: Rendered) -> None:
    page = rendered.page("02-figures.html")
    assert [text_of(item) for item in page.xpath("//nav//a[@aria-current='page']")] == ["2 Figures"]
    around = page.xpath("//nav[@class='around']/a")
    assert [item.get("href") for item in around] == ["01-tables.html", "03-text.html"]
    assert page.xpath("//ul[@class='downloads']//@href") == [
        "report.pdf",
        "appendices.pdf",
        "tables.xlsx",
        "results.csv",
    ]
    assert (rendered.output / "results.csv").read_text(encoding="utf-8").startswith("result_id")
    assert len(rendered.page("index.html").xpath("//nav[@class='around']/a")) == 1


def test_code_in_code_is_left_alone_and_inline_code_is_replaced(rendered: Rendered) -> None:
    text = text_of(rendered.page("index.html").find(".//article"))
    assert "The effect was -0.31 days (95% CI -0.52 to -0.10; p < 0.01), and for leavers no clear difference." in text
    assert "There were 4 studies" in text
    assert "Inside code nothing is replaced: `{python} shown` and {{< meta contact.desk >}}." in text
    assert "`{python} not_run` and {{< meta nothing >}} stay" in text
    assert "Write to the evaluation desk." in text


def test_conditional_content_of_the_site(rendered: Rendered) -> None:
    text = text_of(rendered.page("03-text.html").find(".//article"))
    assert "Only on the site." in text
    assert "Only on paper." not in text


def test_great_tables_keeps_structure_and_loses_its_stylesheet(rendered: Rendered) -> None:
    page = rendered.page("01-tables.html")
    assert not page.xpath("//style")
    table = page.xpath("//figure[@id='tbl-primary']//table")[0]
    assert table.xpath(".//th[@scope='colgroup'][@colspan='2']")
    assert len(table.xpath(".//th[@scope='row']")) == 3
    assert not table.xpath(".//@id | .//@headers")


def test_figures_have_text_size_and_a_dark_twin(rendered: Rendered) -> None:
    light, dark = rendered.page("02-figures.html").xpath("//figure[@id='fig-trend']//img")
    assert light.get("alt").endswith('ends "lower" than the control group.')
    assert dark.get("alt") == ""  # only a script shows it, and gives it the words of the other
    for image in (light, dark):
        assert int(image.get("width")) == pytest.approx(6.3 * 96, abs=25)  # the tight box trims or adds a little
    drawn = {name: (rendered.output / image.get("src")).read_text() for name, image in (("l", light), ("d", dark))}
    assert "#0b5c8a" in drawn["l"] and "#0b5c8a" not in drawn["d"]
    assert "#ffffff" in drawn["l"] and "#ffffff" not in drawn["d"]


def test_search_index_knows_every_page_and_words_of_tables_and_notes(rendered: Rendered) -> None:
    script = (rendered.output / "assets" / "search-index.js").read_text(encoding="utf-8")
    index = json.loads(script.removeprefix("window.searchIndex=").removesuffix(";\n"))["entries"]
    assert {entry[0] for entry in index} == set(rendered.report.pages)
    words = " ".join(entry[4] for entry in index)
    for expected in ("Long-term absence", "The first note of the book", "Satterthwaite degrees of freedom"):
        assert expected in words
    assert "mathbf" not in words  # the TeX source of formulas is no text
    places = {(entry[0], entry[1]) for entry in index}
    assert ("03-text.html", "sec-maths") in places
