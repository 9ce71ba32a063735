"""The report in a browser while it is written: save a chapter, see the page.

A server on this machine alone serves the pages, a watcher renders them again when a source changed, and a script that
is added on the way to the browser (never to a file) reloads the page or shows what went wrong.
"""

from __future__ import annotations

import errno
import json
import mimetypes
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from hhp_stats.errors import HhpError
from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.processes.at_work import ProjectBusy
from hhp_stats.publish.render import Explain, render_book

PACKAGE = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
EVENTS = "/preview-events"
FOLDER = Path(".report") / "preview"  # not _output: a preview has no PDF and must not replace a whole report
SUFFIXES = {
    ".qmd",
    ".yml",
    ".yaml",
    ".bib",
    ".csl",
    ".md",
    ".py",
    ".css",
    ".js",
    ".html",
    ".lua",
    ".csv",
    ".toml",
    ".svg",
}
INTERVAL = 0.25  # seconds between two looks at the sources
_HEARTBEAT = 1.0  # seconds; how long a waiting connection takes to notice that the server stops
_LONGEST_ERROR = 8_000

_SCRIPT = """
<script>
(function () {
  var seen = null, box = null;
  function show(text, busy) {
    if (!box) {
      box = document.createElement("div");
      box.setAttribute("role", "status");
      box.style.cssText = "position:fixed;left:0;right:0;bottom:0;z-index:9999;max-height:60vh;overflow:auto;" +
        "margin:0;padding:.8rem 1.2rem;white-space:pre-wrap;font:14px/1.4 ui-monospace,monospace;color:#fff";
      document.body.appendChild(box);
    }
    box.style.background = busy ? "#31566b" : "#8c1d18";
    box.hidden = !text;
    box.textContent = text;
  }
  var source = new EventSource("EVENTS");
  source.onmessage = function (event) {
    var state = JSON.parse(event.data);
    if (state.state === "error") { seen = state.version; show(state.message, false); return; }
    if (state.state === "rendering") { show("Rendering ...", true); return; }
    show("", false);
    if (seen !== null && seen !== state.version || SERVED < state.version) location.reload();
    seen = state.version;
  };
  source.onerror = function () { show("The preview has stopped.", false); };
  source.onopen = function () { show("", false); };
  window.addEventListener("beforeunload", function () { source.close(); });
})();
</script>
"""
_EMPTY = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Preview</title><body><p>The report is not rendered"
    " yet.</p></body></html>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What every open page is told. `version` grows with each finished rendering, good or bad."""

    version: int
    state: str  # rendering, ready, error
    message: str = ""
    seconds: float = 0.0


def render_pages(
    root: Path,
    output: Path,
    *,
    declared: Sequence[Path] = (),
    attachments: Sequence[Path] = (),
    banner: str | Mapping[str, str] | None = None,
    explain: Explain | None = None,
) -> None:
    """Render the book's pages, without the PDF, into `output`; the arguments are those of `render_book`."""
    render_book(
        root=root,
        output=output,
        formats=["html"],
        declared=declared,
        attachments=attachments,
        banner=banner,
        explain=explain,
        guard=OutputGuard(root=root, command="hhp preview", for_folders=(str(FOLDER),)),
    )


class Preview:
    """Serves the pages and keeps them up to date between `start` and `stop`.

    `render` writes the pages into `output`; it is called once at the start and again whenever a file of `watched`
    (files, or folders with all that is below them) is new, gone or changed. Until the first rendering is done,
    `until_ready` is served, where it exists. `heard` is called with each new state, from the watching thread.
    """

    def __init__(
        self,
        *,
        render: Callable[[], object],
        output: Path,
        watched: Sequence[Path],
        port: int = 0,
        until_ready: Path | None = None,
        heard: Callable[[State], object] = lambda state: None,
    ) -> None:
        self.render, self.output, self.watched, self.until_ready, self.heard = (
            render,
            output,
            watched,
            until_ready,
            heard,
        )
        self.state = State(version=0, state="rendering")
        self._news = threading.Condition()
        self._ending = threading.Event()
        self._server = _serving(port, _handler(self))
        self._threads = [
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True),
            threading.Thread(target=self._watch, daemon=True),
        ]

    @property
    def address(self) -> str:
        """Where the pages are."""
        return f"http://{HOST}:{self._server.server_address[1]}/"

    def start(self) -> None:
        """Begin to serve, render and watch; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the watching and the serving; waits for a rendering that is under way."""
        self._ending.set()
        with self._news:
            self._news.notify_all()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    def wait(self) -> None:
        """Return when stopped."""
        while not self._ending.wait(0.5):
            pass

    @property
    def served(self) -> Path | None:
        """The folder whose pages are served at this moment."""
        if self.output.is_dir():
            return self.output
        return self.until_ready if self.until_ready is not None and self.until_ready.is_dir() else None

    def news(self, known: State | None) -> State | None:
        """The state, once it is another than `known`; None after a while without news and at the end."""
        with self._news:
            if self.state == known and not self._ending.is_set():
                self._news.wait(_HEARTBEAT)
            return None if self.state == known or self._ending.is_set() else self.state

    @property
    def ended(self) -> bool:
        """Whether `stop` was called."""
        return self._ending.is_set()

    def _tell(self, state: State) -> None:
        with self._news:
            self.state = state
            self._news.notify_all()
        self.heard(state)

    def _watch(self) -> None:
        known: dict[Path, tuple[int, int]] | None = None
        while not self._ending.is_set():
            now = fingerprints(self.watched)
            if now != known:
                while True:  # an editor may write a file in several steps
                    if self._ending.wait(INTERVAL / 2):
                        return
                    again = fingerprints(self.watched)
                    if again == now:
                        break
                    now = again
                # Figures and such that the rendering writes itself are no reason to render again.
                known = now if self._render() else None
            self._ending.wait(INTERVAL if known is not None else 4 * INTERVAL)

    def _render(self) -> bool:
        """Render once and tell; False if another process was in the way and it should be tried again."""
        version = self.state.version + 1
        self._tell(State(version=self.state.version, state="rendering"))
        begun = time.monotonic()
        try:
            self.render()
        except ProjectBusy as error:
            self._tell(State(version=version, state="error", message=str(error)))
            return False
        except HhpError as error:
            self._tell(State(version=version, state="error", message=str(error)[:_LONGEST_ERROR]))
        except Exception:  # the writer of a chapter must see what happened, and may mend it
            self._tell(State(version=version, state="error", message=traceback.format_exc()[-_LONGEST_ERROR:]))
        else:
            self._tell(State(version=version, state="ready", seconds=time.monotonic() - begun))
        return True


def fingerprints(watched: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """Time of change and size of every source among files and folders; hidden and compiled ones do not count."""
    found = {}
    for path in watched:
        for file in _sources(path):
            try:
                facts = file.stat()
            except OSError:  # gone between listing and looking
                continue
            found[file] = (facts.st_mtime_ns, facts.st_size)
    return found


def _sources(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in path.rglob("*") if path.is_dir() else ():
        hidden = any(
            part.startswith(".") or part in ("__pycache__", "figures") for part in file.relative_to(path).parts
        )
        if not hidden and file.suffix in SUFFIXES:
            yield file


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class PortTaken(HhpError):
    """Another program, perhaps another preview, serves on the port that was asked for."""

    exit_status = 2


def check_port(port: int) -> None:
    """Raises PortTaken where another program serves on the port; 0 stands for any that is free."""
    _serving(port, BaseHTTPRequestHandler).server_close()


def _serving(port: int, handler: type[BaseHTTPRequestHandler]) -> _Server:
    try:
        return _Server((HOST, port), handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "is in use by another program" if error.errno == errno.EADDRINUSE else "is reserved to the system"
        raise PortTaken(f"Port {port} {why}: name another with --port, or stop the other program.") from None


def _handler(preview: Preview) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing of single requests."""

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            name = (self.headers.get("Host") or "").rsplit(":", 1)[0]
            if name not in (HOST, "localhost"):  # a page elsewhere must not read the report through its own name
                self._send(HTTPStatus.FORBIDDEN, b"This preview is for this machine only.", "text/plain")
                return
            path = unquote(urlsplit(self.path).path)
            try:
                if path == EVENTS:
                    self._events()
                else:
                    self._page(path)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the reader has gone on

        def _page(self, path: str) -> None:
            version = preview.state.version
            content = _read(preview, path.lstrip("/") or "index.html")
            if content is None and path in ("/", "/index.html"):
                content = _EMPTY.encode()
            if content is None:
                self._send(
                    HTTPStatus.NOT_FOUND,
                    _with_script(b"<!doctype html><p>There is no such page.</p>", version),
                    "text/html",
                )
                return
            kind = mimetypes.guess_type(path)[0] or ("text/html" if path.endswith("/") else "application/octet-stream")
            if kind == "text/html":
                content = _with_script(content, version)
            self._send(HTTPStatus.OK, content, kind)

        def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
            self.send_response(status)
            charset = "; charset=utf-8" if kind.startswith("text/") or kind.endswith("javascript") else ""
            self.send_header("Content-Type", kind + charset)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def _events(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            known: State | None = None
            while not preview.ended:
                state = preview.news(known)
                if state is None:
                    self.wfile.write(b": still here\n\n")
                else:
                    known = state
                    said = {"version": state.version, "state": state.state, "message": state.message}
                    self.wfile.write(f"data: {json.dumps(said)}\n\n".encode())
                self.wfile.flush()

    return Handler


def _with_script(page: bytes, version: int) -> bytes:
    script = _SCRIPT.replace("EVENTS", EVENTS).replace("SERVED", str(version)).encode()
    head, body, tail = page.rpartition(b"</body>")
    return head + script + body + tail if body else page + script


def _read(preview: Preview, name: str) -> bytes | None:
    """A file of the pages; waits a moment where the folder is just being replaced."""
    for _ in range(20):
        folder = preview.served
        if folder is not None:
            file = (folder / name).resolve()
            if not file.is_relative_to(folder.resolve()):
                return None
            try:
                return file.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                if folder.is_dir():
                    return None
            except (IsADirectoryError, ValueError):
                return None
        elif preview.state.state != "rendering":
            return None
        if preview.until_ready is None and preview.state.version == 0:
            return None  # nothing to wait for: the first rendering may take minutes
        time.sleep(0.05)
    return None


def preview_of(
    root: Path,
    *,
    port: int = 0,
    declared: Sequence[Path] = (),
    attachments: Sequence[Path] = (),
    banner: str | Mapping[str, str] | None = None,
    explain: Explain | None = None,
    package: Path = PACKAGE,
    heard: Callable[[State], object] = lambda state: None,
) -> Preview:
    """A preview of the book in `root`; port 0 takes a free one. Pages go to `.report/preview`, not to `_output`.

    `banner` and `explain` are those of the report, so that a preview shows the same notice and panels. Watched are
    the chapters, the configuration, the package's code and the `attachments` (the results). Raises OSError where the
    port is taken.
    """
    root = root.resolve()
    output = root / FOLDER
    watched = [
        root / "_quarto.yml",
        root / "_variables.yml",
        root / "report",
        *sorted(root.glob("*.qmd")),
        package,
        *attachments,
    ]

    def render() -> None:
        render_pages(root, output, declared=declared, attachments=attachments, banner=banner, explain=explain)

    return Preview(render=render, output=output, watched=watched, port=port, until_ready=root / "_output", heard=heard)
