"""The report in a browser while it is written: save a chapter, see the page.

A server on this machine alone serves the pages, a watcher renders them again when a source changed, and a script that
is added on the way to the browser (never to a file) reloads the page or shows what went wrong.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from hhp_stats.errors import HhpError
from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.processes.at_work import ProjectBusy
from hhp_stats.publish.preview_server import HOST, State, handler_of, serving
from hhp_stats.publish.render import Explain, render_book
from hhp_stats.publish.warm_kernels import WarmProcess

PACKAGE = Path(__file__).resolve().parent.parent
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
HEARTBEAT = 1.0  # seconds; how long a waiting connection takes to notice that the server stops
INTERVAL = 0.1  # seconds between two looks at the sources
_LONGEST_ERROR = 8_000


def render_pages(
    root: Path,
    output: Path,
    *,
    declared: Sequence[Path] = (),
    attachments: Sequence[Path] = (),
    banner: str | Mapping[str, str] | None = None,
    explain: Explain | None = None,
    warm: WarmProcess | None = None,
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
        warm=warm,
        warm_stays=True,
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
        self._server = serving(port, handler_of(self))
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
                self._news.wait(HEARTBEAT)
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
        known: dict[str, tuple[int, int]] | None = None
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
            self._ending.wait(INTERVAL if known is not None else 10 * INTERVAL)

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


def fingerprints(watched: Sequence[Path]) -> dict[str, tuple[int, int]]:
    """Time of change and size of every source among files and folders; hidden and compiled ones do not count."""
    found = {}
    for path in watched:
        for file, facts in _sources(str(path)):
            found[file] = (facts.st_mtime_ns, facts.st_size)
    return found


def _sources(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Files and their facts; as texts, for hundreds of files are looked at several times a second."""
    try:
        with os.scandir(path) as entries:
            inner = list(entries)
    except NotADirectoryError:
        with suppress(OSError):
            yield path, Path(path).stat()
        return
    except OSError:  # gone between listing and looking, or never there
        return
    for entry in inner:
        if entry.name.startswith(".") or entry.name in ("__pycache__", "figures"):
            continue
        with suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                yield from _sources(entry.path)
            elif os.path.splitext(entry.name)[1] in SUFFIXES:  # noqa: PTH122
                yield entry.path, entry.stat()


def preview_of(
    root: Path,
    *,
    port: int = 0,
    declared: Sequence[Path] = (),
    attachments: Sequence[Path] = (),
    banner: str | Mapping[str, str] | None = None,
    explain: Explain | None = None,
    warm: WarmProcess | None = None,
    package: Path = PACKAGE,
    heard: Callable[[State], object] = lambda state: None,
) -> Preview:
    """A preview of the book in `root`; port 0 takes a free one. Pages go to `.report/preview`, not to `_output`.

    `banner` and `explain` are those of the report, so that a preview shows the same notice and panels; kernels are
    forked from `warm`, where it was started. Watched are
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
        render_pages(
            root, output, declared=declared, attachments=attachments, banner=banner, explain=explain, warm=warm
        )

    return Preview(render=render, output=output, watched=watched, port=port, until_ready=root / "_output", heard=heard)
