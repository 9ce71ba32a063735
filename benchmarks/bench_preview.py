"""How long does `hhp preview` take from a saved chapter to the page that a browser is told to load?

The command runs as a user starts it, on a copy of this project; the time is from the end of the writing of the file to
the event with the next version, looking for changes included.
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from pathlib import Path

from benchmarks.bench_render import SHAPE, Project, compiled_environment

CHAPTER = "report/02-goal-setting.qmd"


class Previewed(Project):
    """A preview that has shown the report once; each call saves the flagship chapter, changed."""

    def prepare(self, rendered: Path | None = None) -> None:
        """Starts the command and waits until the report is there."""
        self.home = rendered or self.copy()
        self.process = subprocess.Popen(
            [self.python, "-m", "hhp_stats", "preview"],
            cwd=self.home,
            env=compiled_environment(self.code) | {"COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "http://127.0.0.1:" in line:
                break
        else:
            raise SystemExit("".join(said))
        port = int("".join(said).partition("http://127.0.0.1:")[2].partition("/")[0])
        # Nobody reads what it says of later renderings: let it not fill the pipe.
        self.drain = subprocess.Popen(["cat"], stdin=self.process.stdout, stdout=subprocess.DEVNULL)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=900)
        connection.request("GET", "/preview-events")
        self.events = connection.getresponse()
        self.wait_for_next()

    def wait_for_next(self) -> None:
        """Returns at the next page that is ready; stops where a rendering failed."""
        while True:
            line = self.events.readline().decode()
            if not line:
                raise SystemExit("the preview has ended")
            if not line.startswith("data:"):
                continue
            state = json.loads(line.removeprefix("data:"))
            if state["state"] == "error":
                raise SystemExit(state["message"])
            if state["state"] == "ready":
                return

    def text(self) -> str:
        """What is added to the chapter."""
        return f"\nA sentence that is new{' indeed' * self.days}.\n"

    def __call__(self) -> None:
        with (self.home / CHAPTER).open("a", encoding="utf-8") as chapter:
            self.days += 1
            chapter.write(self.text())
        self.wait_for_next()

    def done(self) -> None:
        """Ends the command and leaves nothing behind."""
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.home.parent)


class CellAdded(Previewed):
    """A cell more in place of a sentence: the code of the chapter runs again."""

    def text(self) -> str:
        """What is added to the chapter."""
        return f"\n```{{python}}\n#| echo: false\n#| output: asis\nprint('Cell {self.days}.')\n```\n"


def cases() -> list[tuple[str, str, Previewed]]:
    """Every case to be timed: name, shape, call."""
    return [("preview, one sentence saved", SHAPE, Previewed()), ("preview, one cell saved", SHAPE, CellAdded())]
