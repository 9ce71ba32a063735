"""The fixture book of the rendering tests, opened from the disk in Debian's chromium."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "report"))

from book_tools import Rendered, rendered_once
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return rendered_once(tmp_path_factory)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "no chromium on this machine: install Debian's package 'chromium' to run the browser checks"
        # Where CI says that a browser must be there, a check that cannot run is a failure.
        if os.environ.get("HHP_REQUIRE_BROWSER") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


class Watched:
    """A page that remembers what it complained about and what it asked the network for."""

    def __init__(self, context: BrowserContext, site: Rendered) -> None:
        self.site = site
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _heard(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, name: str) -> Page:
        self.page.goto((self.site.output / name.partition("#")[0]).as_uri() + name[len(name.partition("#")[0]) :])
        return self.page


@pytest.fixture
def open_page(browser: Browser, site: Rendered) -> Iterator:
    """Open a page of the site in a window of its own: `open_page("index.html", width=390)`."""
    contexts: list[BrowserContext] = []

    def open_(name: str, *, width: int = 1280, theme: str = "light", script: bool = True) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=theme, java_script_enabled=script
        )
        contexts.append(context)
        watched = Watched(context, site)
        watched.open(name)
        return watched

    yield open_
    for context in contexts:
        context.close()
