"""The preview: saving a chapter changes the page within seconds, errors are shown in it, and it ends cleanly."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from book_tools import WriteBook

from hhp_stats.processes.at_work import at_work
from hhp_stats.publish.preview import Preview, fingerprints, preview_of
from hhp_stats.publish.preview_server import EVENTS, PortTaken

GOOD = "# One {#sec-one}\n\nFirst words.\n"
PATIENCE = 60  # seconds: a busy machine; a rendering of two short pages takes about one


@contextmanager
def running(preview: Preview) -> Iterator[Preview]:
    preview.start()
    try:
        yield preview
    finally:
        preview.stop()


def get(preview: Preview, path: str = "/", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(preview.address).port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


class Listener:
    """What an open page hears."""

    def __init__(self, preview: Preview) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", urlsplit(preview.address).port, timeout=PATIENCE)
        self.connection.request("GET", EVENTS)
        self.answer = self.connection.getresponse()
        assert self.answer.headers["Content-Type"] == "text/event-stream"

    def until(self, state: str, *, after: int = 0) -> dict:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            line = self.answer.readline().decode()
            if line.startswith("data: "):
                said = json.loads(line.removeprefix("data: "))
                if said["state"] == state and said["version"] > after:
                    return said
        raise AssertionError(f"the page never heard {state!r}")


def test_saving_a_chapter_reloads_the_page_and_errors_are_shown(write_book: WriteBook) -> None:
    root = write_book(GOOD)
    with running(preview_of(root, package=root / "none")) as preview:
        page = Listener(preview)
        first = page.until("ready")
        status, text = get(preview, "/one.html")
        assert status == 200 and "First words." in text and f'new EventSource("{EVENTS}")' in text

        begun = time.monotonic()
        write_book(GOOD.replace("First", "Second"))
        second = page.until("ready", after=first["version"])
        assert time.monotonic() - begun < PATIENCE
        assert "Second words." in get(preview, "/one.html")[1]

        write_book("# One {#sec-one}\n\n```{python}\n1 / 0\n```\n")
        error = page.until("error", after=second["version"])
        assert error["message"] == "one.qmd:4: ZeroDivisionError: division by zero"
        assert "Second words." in get(preview, "/one.html")[1], "the last good page is gone"
        late = Listener(preview)  # a page opened now hears of the error at once
        assert late.until("error")["message"] == error["message"]

        write_book(GOOD.replace("First", "Mended"))
        page.until("ready", after=error["version"])
        assert "Mended words." in get(preview, "/one.html")[1]

        for file in (root / ".report/preview").rglob("*.html"):
            assert EVENTS not in file.read_text(encoding="utf-8"), "the script stands in a file"
    assert not (root / "_output").exists(), "a preview must not touch the report"


def nothing(tmp_path: Path, **more) -> Preview:
    folder = tmp_path / "site"
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text("<!doctype html><body>Words</body>", encoding="utf-8")
    return Preview(**{"render": lambda: None, "output": folder, "watched": [tmp_path / "src"]} | more)


def test_it_stops_cleanly_while_a_page_listens(tmp_path: Path) -> None:
    before = threading.active_count()
    preview = nothing(tmp_path)
    with running(preview):
        page = Listener(preview)
        page.until("ready")
    page.answer.read()  # ends: the connection was closed
    with pytest.raises(ConnectionRefusedError):
        get(preview)
    end = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert threading.active_count() == before


def test_only_this_machine_and_only_the_report(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("x", encoding="utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/results.csv").write_text("result_id\n", encoding="utf-8")
    with running(nothing(tmp_path)) as preview:
        Listener(preview).until("ready")
        assert preview.address.startswith("http://127.0.0.1:")
        assert get(preview, "/")[0] == 200 and get(preview, "/?x=1")[0] == 200
        assert get(preview, "/results.csv") == (200, "result_id\n")
        for path in ("/../secret.csv", "/%2e%2e/secret.csv", "/..%2fsecret.csv", "/missing.html"):
            status, text = get(preview, path)
            assert status == 404 and "x\n" not in text
        assert get(preview, "/", Host="example.org")[0] == 403
        assert get(preview, "/", Host="localhost:1")[0] == 200


def test_before_the_first_rendering_the_last_report_is_served(tmp_path: Path) -> None:
    go, last = threading.Event(), tmp_path / "last"
    last.mkdir()
    (last / "index.html").write_text("<body>Last report</body>", encoding="utf-8")
    made = tmp_path / "made"

    def render() -> None:
        assert go.wait(PATIENCE)
        made.mkdir()
        (made / "index.html").write_text("<body>Fresh report</body>", encoding="utf-8")

    with running(nothing(tmp_path, render=render, output=made, until_ready=last)) as preview:
        assert "Last report" in get(preview)[1]
        go.set()
        Listener(preview).until("ready")
        assert "Fresh report" in get(preview)[1]


def test_an_unexpected_error_is_shown_and_survived(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "a.qmd").write_text("bad", encoding="utf-8")

    def render() -> None:
        if (source / "a.qmd").read_text(encoding="utf-8") == "bad":
            raise RuntimeError("a mistake in the code")

    with running(nothing(tmp_path, render=render)) as preview:
        page = Listener(preview)
        error = page.until("error")
        assert "RuntimeError: a mistake in the code" in error["message"]
        (source / "a.qmd").write_text("good", encoding="utf-8")
        page.until("ready", after=error["version"])


def test_it_waits_for_another_render_of_the_project(tmp_path: Path) -> None:
    def render() -> None:
        with at_work(tmp_path, "render"):
            pass

    with at_work(tmp_path, "render"):
        preview = nothing(tmp_path, render=render)
        preview.start()
        page = Listener(preview)
        assert "wait until it is done" in page.until("error")["message"]
    try:
        page.until("ready")
    finally:
        preview.stop()


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with running(nothing(tmp_path)) as preview, pytest.raises(PortTaken, match=r"in use.*--port") as refused:
        nothing(tmp_path, port=urlsplit(preview.address).port)
    assert refused.value.exit_status == 2


def test_what_counts_as_a_source(tmp_path: Path) -> None:
    for name in ("a.qmd", "sub/b.py", "figures/c.svg", "__pycache__/d.py", ".hidden.qmd", "e.swp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    found = {Path(path).relative_to(tmp_path).as_posix() for path in fingerprints([tmp_path, tmp_path / "gone"])}
    assert found == {"a.qmd", "sub/b.py"}
