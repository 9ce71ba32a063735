"""What a reader without a mouse does, and how much a page loads before anybody asks for more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlparse

import pytest
from playwright.sync_api import Browser, Page, expect

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
ROOT = Path(__file__).parents[2]
PAGE = "04-results.html"
NOTES = """[...document.querySelectorAll("tfoot td > span")].map(note => note.getBoundingClientRect())
    .filter(place => place.width).map(place => [place.left, place.right])"""
LONGEST = "02-goal-setting.html"  # the chapter with the most numbers
STOPS = 120
# Two frames drawn, in which the browser looks for pictures near the window.
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
FIRST_LOAD = 500_000  # bytes of all files that a chapter opens with, as they lie on disk

FOCUSED = "(() => { const e = document.activeElement; return e === document.body ? '' : e.outerHTML.slice(0, 200); })()"


def test_arrow_keys_move_inside_a_table(open_page) -> None:
    page = open_page(PAGE).page
    first = page.locator("#tbl-effects tbody .result").first
    page.locator("#tbl-effects [tabindex='0']").focus()
    page.keyboard.press("ArrowDown")  # from a heading to the numbers below it
    place = "document.activeElement.closest('tr').rowIndex"
    row = page.evaluate(place)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(place) > row
    column = "document.activeElement.closest('td, th').cellIndex"
    before = page.evaluate(column)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(column) > before
    page.keyboard.press("End")
    expect(page.locator("#tbl-effects .tool").last).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#tbl-effects')") is None
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#tbl-effects .tool").last).to_be_focused()  # where the reader left it
    first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_line_says_that_there_is_more_and_covers_nothing(open_page) -> None:
    page = open_page(PAGE).page
    hint = page.locator("#keys-hint")
    expect(hint).to_be_hidden()
    stop = page.locator("#tbl-effects [tabindex='0']")
    assert hint.get_attribute("id") in stop.get_attribute("aria-describedby").split()
    page.locator("#search").focus()
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("Boolean(document.activeElement.closest('#tbl-effects'))"):
            break
    expect(hint).to_be_visible()
    focused = page.evaluate("document.activeElement.getBoundingClientRect().bottom")
    assert focused < hint.bounding_box()["y"]


def test_headings_are_announced_without_their_links(open_page) -> None:
    page = open_page("03-text.html").page
    names = page.get_by_role("heading", level=2).all()
    assert len(names) > 2
    for heading in page.locator(".heading").all():
        anchor = heading.locator("a.anchor")
        assert (anchor.get_attribute("aria-hidden"), anchor.get_attribute("tabindex")) == ("true", "-1")
    expect(page.get_by_role("heading", name="3.3 Citations and notes", exact=True)).to_have_count(1)


def test_the_enlarge_button_never_lies_on_a_picture(open_page) -> None:
    for width in (360, 1280):
        page = open_page("02-figures.html", width=width).page
        buttons = page.locator(".enlarge").all()
        assert buttons
        for button in buttons:
            picture = button.locator("xpath=ancestor::figure").locator("img:visible").first.bounding_box()
            assert button.bounding_box()["y"] >= picture["y"] + picture["height"]


def test_index_and_results_are_loaded_when_somebody_asks(open_page) -> None:
    watched = open_page(PAGE)
    page = watched.page
    page.wait_for_timeout(100)

    def loaded(name: str) -> bool:
        return any(url.endswith(name) for url in watched.requests)

    assert loaded("panel.js") and not loaded("results.js") and not loaded("search-index.js")
    page.locator("#search").focus()
    page.keyboard.type("absence")
    expect(page.get_by_role("option").first).to_be_visible()
    assert loaded("search-index.js") and not loaded("results.js")
    page.locator("p span.result").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert loaded("results.js")


@pytest.mark.parametrize("typed", ["long-term", "longterm", "long term", "LONG\u2011TERM"])
def test_hyphens_and_capitals_make_no_difference_to_the_search(open_page, typed: str) -> None:
    page = open_page(PAGE).page
    page.locator("#search").fill(typed)
    expect(page.get_by_role("option").first).to_contain_text("Tables and their notes")
    expect(page.get_by_role("option").first.locator("mark").first).to_have_text(re.compile("^long", re.IGNORECASE))


# ---------------------------------------------------------------- the report itself


@pytest.fixture
def report_page(browser: Browser, whole_report: Path):
    """Open a page of the rendered report: `report_page("index.html", width=320, theme="dark")`."""
    contexts = []

    def open_(name: str, *, width: int = 1280, theme: str = "light") -> tuple[Page, list[str]]:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        contexts.append(context)
        page, requests = context.new_page(), []
        page.on("request", lambda request: requests.append(request.url))
        page.goto((whole_report / "first" / name).as_uri())
        return page, requests

    yield open_
    for context in contexts:
        context.close()


def test_the_longest_chapter_is_tabbed_through_in_few_stops(report_page) -> None:
    page, _ = report_page(LONGEST)
    seen = []
    for _ in range(3 * STOPS):
        page.keyboard.press("Tab")
        if not (where := page.evaluate(FOCUSED)):
            break
        seen.append(where)
    assert 40 < len(seen) < STOPS, len(seen)
    numbers = page.locator("article span.result").count()
    assert numbers > 500 and all(
        page.evaluate("[...document.querySelectorAll('article span.result')].map(e => e.hasAttribute('tabindex'))")
    )


@pytest.mark.parametrize(
    ("typed", "chapter"),
    [
        ("limitations", "Limit"),
        ("burn-out", "Burnout"),
        ("well-being", "Wellbeing"),
        ("flexitime", "Flexible working"),
        ("sick leave", "absence"),
    ],
)
def test_the_search_knows_what_readers_type_and_puts_chapters_first(report_page, typed: str, chapter: str) -> None:
    page, _ = report_page("index.html")
    page.locator("#search").fill(typed)
    first = page.get_by_role("option").first
    expect(first.locator(".where")).to_contain_text(chapter)
    assert first.locator(".where").inner_text()[0].isdigit()  # not an appendix
    page.keyboard.press("Enter")
    expect(page.locator("mark.sought").first).to_be_attached()


def test_every_group_of_like_words_has_a_word_of_the_report(report_page) -> None:
    page, _ = report_page("index.html")
    page.locator("#search").focus()
    page.wait_for_function("window.searchIndex")
    groups = page.evaluate("window.searchIndex.alike")
    text = page.evaluate("window.searchIndex.entries.map(entry => entry.join(' ')).join(' ').toLowerCase()")
    text = text.replace("-", "")
    assert groups and [group for group in groups if not any(word.replace("-", "") in text for word in group)] == []


# Every element with whether it can be seen; of a picture for each theme, one can.
SEEN = """() => [...document.querySelectorAll("body *")].filter(element => element.tagName !== "IMG")
    .map(element => `${element.tagName}#${element.id} ${element.checkVisibility({visibilityProperty: true})}`)
    .join("\\n")"""
# Of all elements with words a few for each way to be coloured: its own style, a link's or not, and those of all that it
# stands in.
SOME_OF_EACH_COLOUR = """() => {
    const styles = new Map(), found = new Map();
    const style = element => {
        if (!element) return "";
        if (!styles.has(element)) {
            const {color, backgroundColor, backgroundImage, opacity, fontSize, fontWeight, textShadow} =
                getComputedStyle(element);
            const own = [element.matches("a[href]"), color, backgroundColor, backgroundImage, opacity, fontSize,
                fontWeight, textShadow].join(" ");
            styles.set(element, `${own}\\n${style(element.parentElement)}`);
        }
        return styles.get(element);
    };
    for (const element of document.querySelectorAll("body *")) {
        const words = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (!words || !element.checkVisibility({visibilityProperty: true})) continue;
        if (!found.has(style(element))) found.set(style(element), []);
        found.get(style(element)).push(element);
    }
    return [...found.values()].flatMap(alike => alike.filter((_, at) => at % Math.ceil(alike.length / 5) === 0));
}"""
# Rules about the colours of words, asked of a few for each way to be coloured: they take longer than all others together.
COLOURS = ("color-contrast", "link-in-text-block")


class Asked(NamedTuple):
    """What axe's rules say of a page."""

    passed: set[str]
    wrong: list[str]
    about: dict[str, set[str]]  # of every rule that was asked: its categories


def axe(page: Page, *rules: str, of: str = "() => document") -> Asked:
    """These of axe's rules, or all that it asks by itself but those about colours (`colours`); of the whole page, or of
    the elements that a function gives.
    """
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    others = {rule: {"enabled": False} for rule in COLOURS}
    which = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {"rules": others}
    said = page.evaluate(f"asked => axe.run(({of})(), asked)", {"resultTypes": ["violations"]} | which)
    return Asked(
        passed={each["id"] for each in said["passes"]},
        wrong=[f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in said["violations"]],
        about={
            each["id"]: set(each["tags"])
            for kind in ("passes", "violations", "incomplete", "inapplicable")
            for each in said[kind]
        },
    )


def colours(page: Page) -> Asked:
    """How well words stand out from what is behind them, and links from the words around them, of a few elements for
    each way to be coloured.

    The shade at the edges of tables is taken away: axe does not judge words on a gradient, and tables stand on one.
    """
    page.add_style_tag(content=".table-scroll { background-image: none !important; }")
    return axe(page, *COLOURS, of=SOME_OF_EACH_COLOUR)


class Visit(NamedTuple):
    """What was found of a page of the report, opened once."""

    loaded: int  # bytes of all files that it opens with, as they lie on disk
    asked: dict[str, list[Asked]]  # by theme; colours are the last
    seen: dict[str, str]  # by theme: the elements, a line each, and whether each can be seen
    widths: dict[int, int]  # by the width of the window: the page's

    def wrong(self, theme: str) -> list[str]:
        """What a theme is blamed for."""
        return [wrong for asked in self.asked[theme] for wrong in asked.wrong]


NARROW = (320, 360)


@pytest.fixture(scope="module")
def visits(browser: Browser, whole_report: Path) -> dict[str, Visit]:
    """Every page of the report, by its name: loaded, asked by axe in both themes, and made narrow.

    The theme changes colours, pictures and its own button in the frame of every page, and nothing else that can be
    seen: in the light one all rules are asked, in the dark one those about colours and pictures. Those about colours
    are all in `COLOURS`.
    """
    found = {}
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.goto((whole_report / "first/index.html").as_uri())
        first = axe(page)
    rules = {rule for rule, about in first.about.items() if "cat.text-alternatives" in about}
    assert "image-alt" in rules and not any("cat.color" in about for about in first.about.values())
    with browser.new_context() as context:  # one window for all: each of its own would start a process
        page = context.new_page()
        page.route("**/*", lambda route: route.continue_())  # what a page asks for is asked for of every page again
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        for file in sorted((whole_report / "first").glob("*.html")):
            page.set_viewport_size({"width": 1280, "height": 800})
            page.emulate_media(color_scheme="light")
            requests.clear()
            page.goto(file.as_uri())
            seen = {"light": page.evaluate(SEEN)}
            page.evaluate(DRAWN)
            # Before axe is at work, which scrolls: pictures further down are loaded when somebody comes near.
            files = {unquote(urlparse(url).path) for url in requests if url.startswith("file:")}
            asked = {"light": [axe(page), colours(page)]}
            page.emulate_media(color_scheme="dark")
            seen["dark"] = page.evaluate(SEEN)
            asked["dark"] = [*([first] if file.name == "index.html" else []), axe(page, *rules), colours(page)]
            widths = {}
            for width in reversed(NARROW):
                page.set_viewport_size({"width": width, "height": 800})
                widths[width] = page.evaluate("document.documentElement.scrollWidth")
            loaded = sum(Path(name).stat().st_size for name in files)
            found[file.name] = Visit(loaded=loaded, asked=asked, seen=seen, widths=widths)
    assert len(found) > 20
    return found


def test_a_chapter_loads_little_before_anybody_asks_for_more(visits: dict[str, Visit]) -> None:
    sizes = {name: visit.loaded for name, visit in visits.items() if re.match("[0-9i]", name)}
    assert len(sizes) > 10 and min(sizes.values()) > 100_000 and max(sizes.values()) < FIRST_LOAD, sizes


def test_axe_finds_nothing_on_any_page_of_the_report(visits: dict[str, Visit]) -> None:
    assert all(len(visit.asked["light"][0].passed) > 15 for visit in visits.values())
    answers = [visit.asked["light"][-1].passed for visit in visits.values()]
    assert all("color-contrast" in passed for passed in answers)
    assert sum("link-in-text-block" in passed for passed in answers) > 15
    assert {name: wrong for name, visit in visits.items() if (wrong := visit.wrong("light"))} == {}


def test_axe_finds_nothing_in_the_dark_theme_either(visits: dict[str, Visit]) -> None:
    answers = [visit.asked["dark"][-1].passed for visit in visits.values()]
    assert all("color-contrast" in passed for passed in answers)
    assert sum("link-in-text-block" in passed for passed in answers) > 15
    assert {name: wrong for name, visit in visits.items() if (wrong := visit.wrong("dark"))} == {}
    for visit in visits.values():
        assert visit.seen["dark"] == visit.seen["light"] and len(visit.seen["light"].splitlines()) > 50


def test_weak_words_are_found_among_those_of_other_colours(report_page) -> None:
    """One number of hundreds like it in tables, almost in the colour of what is behind it, is asked after."""
    page, _ = report_page(LONGEST, theme="dark")
    numbers = page.locator("article tbody span.result:visible")
    assert numbers.count() > 200 and colours(page).wrong == []
    numbers.nth(100).evaluate("number => { number.style.color = '#333'; }")
    assert [wrong.partition(":")[0] for wrong in colours(page).wrong] == ["color-contrast"]


def test_a_link_that_looks_like_the_words_around_it_is_found_among_others(report_page) -> None:
    page, _ = report_page(LONGEST)
    links = page.locator("article p a:visible")
    assert links.count() > 20 and colours(page).wrong == []
    links.nth(10).evaluate("link => { link.style.color = '#333'; link.style.textDecoration = 'none'; }")
    assert [wrong.partition(":")[0] for wrong in colours(page).wrong] == ["link-in-text-block"]


@pytest.mark.parametrize("width", NARROW)
def test_no_page_of_the_report_scrolls_sideways(visits: dict[str, Visit], width: int) -> None:
    assert {name: visit.widths[width] for name, visit in visits.items() if visit.widths[width] > width} == {}


def test_notes_of_tables_stay_in_the_window_of_a_telephone(report_page) -> None:
    """A table wider than the window scrolls, the notes below it do not; an indented label begins where it is indented."""
    page, _ = report_page(LONGEST, width=360)
    notes = page.evaluate(NOTES)
    assert len(notes) > 20 and max(right for _, right in notes) <= 360 and min(left for left, _ in notes) >= 0
    assert page.evaluate(
        "[...document.querySelectorAll('.table-scroll')].some(e => e.scrollWidth > e.clientWidth + 40)"
    )
    lines = page.evaluate(
        "[...document.querySelectorAll('tbody th .keep')].map(label => label.getClientRects().length)"
    )
    assert len(lines) > 5 and set(lines) == {1}


def test_figures_fit_a_telephone_and_are_those_of_paper_on_a_wide_screen(report_page) -> None:
    shown = """Promise.all([...document.querySelectorAll("figure.fig img")].filter(image => image.offsetParent).map(async image => {
        image.loading = "eager";
        await image.decode();
        const box = image.closest("p");
        return [image.currentSrc.includes("-phone"), box.scrollWidth <= box.clientWidth, image.getBoundingClientRect().width];
    }))"""
    page, _ = report_page(LONGEST, width=360)
    found = page.evaluate(shown)
    assert len(found) > 5 and all(fits and width > 300 for _, fits, width in found)
    assert sum(phone for phone, *_ in found) >= len(found) - 1  # one is as wide as a telephone anyhow
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page, _ = report_page(LONGEST, width=1280)
    found = page.evaluate(shown)
    assert not any(phone for phone, *_ in found) and max(width for *_, width in found) > 600
