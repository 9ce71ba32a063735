"""What a reader does with the site, in a real browser, from the disk."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PAGES = [
    "index.html",
    "01-tables.html",
    "02-figures.html",
    "03-text.html",
    "04-results.html",
    "references.html",
    "A-methods.html",
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_complaint_and_no_request_beyond_the_folder(open_page, theme: str) -> None:
    watched = open_page(PAGES[0], theme=theme)
    for name in PAGES[1:]:
        watched.open(name)
    watched.page.wait_for_timeout(100)
    assert watched.complaints == []
    outside = [url for url in watched.requests if not url.startswith((watched.site.output.as_uri(), "data:"))]
    assert outside == []
    assert any(url.endswith("report-serif.woff2") for url in watched.requests)


@pytest.mark.parametrize("width", [320, 768, 1280])  # 320: a wide screen at 400 per cent
def test_no_page_scrolls_sideways(open_page, width: int) -> None:
    watched = open_page(PAGES[0], width=width)
    widths = {name: watched.open(name).evaluate("document.documentElement.scrollWidth") for name in PAGES}
    assert {name: found for name, found in widths.items() if found > width} == {}


def test_wide_table_scrolls_in_a_region_that_takes_focus(open_page) -> None:
    page = open_page("01-tables.html", width=360).page
    region = page.locator("#tbl-wide .table-scroll")
    expect(region).to_have_attribute("tabindex", "0")
    expect(region).to_have_attribute("aria-label", re.compile("Thirteen columns"))
    assert region.evaluate("element => element.scrollWidth > element.clientWidth")
    narrow = page.locator("#tbl-pipe .table-scroll")
    expect(narrow).not_to_have_attribute("tabindex", "0")


def background(page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_dark_theme_follows_the_system_and_the_choice_is_remembered(open_page) -> None:
    watched = open_page("01-tables.html", theme="dark")
    page = watched.page
    assert background(page) == "rgb(23, 29, 33)"
    colour = page.locator("#tbl-primary td").first.evaluate("cell => getComputedStyle(cell).color")
    assert colour == "rgb(228, 233, 236)"
    page.get_by_role("button", name="Dark theme").click()
    assert background(page) == "rgb(255, 255, 255)"
    watched.open("02-figures.html")
    assert background(page) == "rgb(255, 255, 255)"  # although the system is dark
    expect(page.locator("#fig-trend > p img.on-light, #fig-trend img.on-light").first).to_be_visible()
    page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("#fig-trend img.on-light").first).to_be_hidden()
    expect(page.locator("#fig-trend img.on-dark").first).to_be_visible()
    words = page.locator("#fig-trend img.on-light").first.get_attribute("alt")
    assert words and page.locator("#fig-trend img.on-dark").first.get_attribute("alt") == words


def test_theme_is_set_before_the_first_paint(open_page) -> None:
    page = open_page("index.html", theme="dark").page
    order = page.evaluate("[...document.head.children].map(e => e.tagName + (e.rel || ''))")
    assert order.index("SCRIPT") < order.index("LINKstylesheet")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_search_finds_words_and_opens_the_place(open_page) -> None:
    page = open_page("index.html").page
    page.keyboard.press("/")
    page.keyboard.type("satterthwaite")
    option = page.get_by_role("option").first
    expect(option).to_contain_text("3.3 Citations and notes")
    expect(option.locator("mark")).to_have_text("Satterthwaite")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"03-text\.html\?find=satterthwaite#sec-cite$"))
    expect(page.locator("mark.sought").first).to_have_text("Satterthwaite")
    page.keyboard.press("Escape")
    expect(page.locator("mark.sought")).to_have_count(0)
    page.get_by_role("combobox").fill("long-term absence")
    expect(page.get_by_role("option").first).to_contain_text("Tables and their notes")
    page.get_by_role("combobox").fill("zzzz")
    expect(page.locator(".search-count")).to_have_text("Nothing found")
    page.keyboard.press("Escape")
    expect(page.locator(".search-panel")).to_be_hidden()


def test_figure_is_enlarged_by_key_and_by_click(open_page) -> None:
    page = open_page("02-figures.html").page
    button = page.get_by_role("button", name="Enlarge Figure 2.1")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Days of absence by month")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    page.locator("#fig-trend img.on-light").first.click()
    expect(dialog).to_be_visible()


def test_tabs_open_by_key_and_by_link(open_page) -> None:
    page = open_page("02-figures.html").page
    first, second = page.get_by_role("tab", name="First view"), page.get_by_role("tab", name="Second view")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("printed text in a block")).to_be_hidden()
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    expect(page.get_by_text("printed text in a block")).to_be_visible()
    expect(page.get_by_text("Words of the first view.")).to_be_hidden()


def test_menu_of_a_phone_opens_and_closes(open_page) -> None:
    page = open_page("02-figures.html", width=390).page
    button = page.get_by_role("button", name="Contents of the report")
    menu = page.get_by_role("navigation", name="Contents of the report")
    expect(menu).to_be_hidden()
    button.click()
    expect(menu).to_be_visible()
    expect(menu.get_by_role("link", name="2 Figures")).to_have_attribute("aria-current", "page")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()


def test_contents_of_the_page_mark_the_section_in_view(open_page) -> None:
    page = open_page("03-text.html#sec-cite").page
    marked = page.locator(".page-nav a[aria-current]")
    page.mouse.wheel(0, 50)
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text("Citations and notes")


def test_skip_link_leads_past_the_menu(open_page) -> None:
    page = open_page("01-tables.html").page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the text")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"


def test_without_scripts_everything_is_readable(open_page) -> None:
    page = open_page("02-figures.html", width=390, script=False).page
    expect(page.get_by_text("printed text in a block")).to_be_visible()
    expect(page.get_by_role("navigation", name="Contents of the report")).to_be_visible()
    expect(page.locator("#search")).to_be_hidden()
    expect(page.locator("#fig-trend img.on-light").first).to_be_visible()


def test_print_shows_all_tabs_and_no_menu(open_page) -> None:
    page = open_page("02-figures.html", theme="dark").page
    page.emulate_media(media="print")
    assert background(page) == "rgb(255, 255, 255)"
    expect(page.get_by_text("printed text in a block")).to_be_visible()
    expect(page.locator(".book-nav")).to_be_hidden()
    expect(page.locator("#fig-trend img.on-light").first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page, theme: str) -> None:
    watched = open_page(PAGES[0], theme=theme)
    violations = []
    for name in PAGES:
        page = watched.open(name)
        page.evaluate("document.fonts.ready")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert len(found["passes"]) > 15
        violations += [
            {"page": name, "rule": item["id"], "nodes": [node["html"][:160] for node in item["nodes"][:3]]}
            for item in found["violations"]
        ]
    assert violations == [], json.dumps(violations, indent=1)


SMALL = """() => [...document.querySelectorAll("a[href], button, input, summary, [role=button]")].filter(element => {
    const box = element.getBoundingClientRect();
    const hidden = !box.width || getComputedStyle(element).visibility === "hidden" || element.closest(".skip");
    return !hidden && !element.closest("p, li, dd, td, th, figcaption") && Math.min(box.width, box.height) < 24;
}).map(element => element.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("width", [390, 1280])
def test_everything_to_press_is_large_enough(open_page, width: int) -> None:
    watched = open_page(PAGES[0], width=width)
    found = {name: small for name in PAGES if (small := watched.open(name).evaluate(SMALL))}
    assert found == {}


def test_nothing_covers_what_has_the_focus(open_page) -> None:
    page = open_page("04-results.html").page
    covered = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen = page.evaluate("""() => {
            const element = document.activeElement, box = element.getBoundingClientRect();
            const top = document.elementFromPoint(box.left + Math.min(box.width, 20) / 2, box.top + box.height / 2);
            return element === document.body || (top && (element.contains(top) || top.contains(element)));
        }""")
        if not seen:
            covered.append(page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
    assert covered == []


def test_pictures_keep_their_place_before_they_are_loaded(open_page) -> None:
    page = open_page("02-figures.html", theme="dark").page
    heights = page.evaluate("""() => [...document.querySelectorAll("figure.fig img.on-dark")].map(image => {
        image.removeAttribute("src");
        return image.getBoundingClientRect().height;
    })""")
    assert len(heights) >= 1
    assert min(heights) > 50


def test_an_enlarged_picture_is_larger_than_a_telephone(open_page) -> None:
    page = open_page("02-figures.html", width=390).page
    page.get_by_role("button", name="Enlarge Figure 2.1").press("Enter")
    box = page.locator(".viewer-image")
    assert box.evaluate("element => element.scrollWidth > element.clientWidth")
    expect(box).to_have_attribute("tabindex", "0")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"] == []


def test_regions_that_scroll_have_names_of_their_own(open_page) -> None:
    watched = open_page(PAGES[0], width=320)
    several = 0
    for name in PAGES:
        names = watched.open(name).evaluate(
            "[...document.querySelectorAll('[role=region]')].map(region => region.getAttribute('aria-label'))"
        )
        assert len(set(names)) == len(names), name
        several += len(names) > 1
    assert several


def test_nothing_moves_for_readers_who_ask_for_it(open_page) -> None:
    page = open_page("03-text.html").page
    duration = "getComputedStyle(document.querySelector('.top-link')).transitionDuration"
    assert page.evaluate(duration) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(duration) == "0s"


def test_the_first_words_stand_in_the_first_screen_of_a_phone(open_page) -> None:
    """Title, authors, date and heading leave room for the key message on 360 by 740 pixels."""
    page = open_page("index.html", width=360).page
    first = page.locator("article > p").first.bounding_box()
    assert first is not None and first["y"] + first["height"] < 740
