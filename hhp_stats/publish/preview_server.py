"""The server of a preview: the pages of a folder with a script that reloads them, and an address at which every open
page hears what happens.
"""

from __future__ import annotations

import errno
import json
import mimetypes
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from hhp_stats.errors import HhpError

HOST = "127.0.0.1"
EVENTS = "/preview-events"

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


class Shown(Protocol):
    """What the server asks of a preview."""

    @property
    def state(self) -> State:
        """What every open page is told now."""

    @property
    def served(self) -> Path | None:
        """The folder whose pages are served at this moment."""

    @property
    def until_ready(self) -> Path | None:
        """The folder that is served until the first rendering is done."""

    @property
    def ended(self) -> bool:
        """Whether it was stopped."""

    def news(self, known: State | None) -> State | None:
        """The state, once it is another than `known`; None after a while without news."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class PortTaken(HhpError):
    """Another program, perhaps another preview, serves on the port that was asked for."""

    exit_status = 2


def check_port(port: int) -> None:
    """Raises PortTaken where another program serves on the port; 0 stands for any that is free."""
    serving(port, BaseHTTPRequestHandler).server_close()


def serving(port: int, handler: type[BaseHTTPRequestHandler]) -> _Server:
    """A server on the port, 0 for any that is free; raises PortTaken where another program serves there."""
    try:
        return _Server((HOST, port), handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "is in use by another program" if error.errno == errno.EADDRINUSE else "is reserved to the system"
        raise PortTaken(f"Port {port} {why}: name another with --port, or stop the other program.") from None


def handler_of(preview: Shown) -> type[BaseHTTPRequestHandler]:
    """What answers requests for a preview's pages and events."""

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


def _read(preview: Shown, name: str) -> bytes | None:
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
