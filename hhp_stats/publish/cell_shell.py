"""The process in which a chapter's cells run: a program of its own, which must not import this package.

It is given the cells as JSON and answers with what they printed, in the form in which notebooks keep outputs. The
cells run in IPython's own shell, so that values are displayed as in any notebook. A Jupyter kernel around the shell
would do the same: but its sockets, threads and messages took longer than most chapters' code.

As a program it runs one chapter, read from its standard input. `kernel_server.py` runs one in each of its forks.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    sys.path.pop(0)  # our folder: its modules must not stand in for others of the same name

import base64
import gc
import importlib.util
import io
import json
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

Output = dict[str, Any]
_NEW_OBJECTS = 50_000  # after which garbage is looked for, as in processes/garbage.py: modules and pages stay


def run(request: dict[str, Any]) -> bytes:
    """Run the cells of a `request` and give the answer: for each cell that ran its outputs, and the error it ended
    with.

    The request holds `cells` (code, whether it may fail, and whether it is an inline value), the `folder` to run in,
    the whole `environment`, and the shell's `settings`. The first cell that fails although it may not is the last one
    to run.
    """
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    # As in every notebook, modules beside the project's files can be imported.
    sys.path[:] = ["", *(path for path in sys.path if path)]
    shell = _Shell.instance(config=Config(request["settings"]))
    outputs = shell.recorded
    outside = [_Outside(outputs, name, number) for name, number in (("stdout", 1), ("stderr", 2))]
    sys.stdout, sys.stderr = (_Stream(outputs, name, number) for name, number in (("stdout", 1), ("stderr", 2)))
    ran = []
    for cell in request["cells"]:
        outputs.begin()
        error = shell.evaluate(cell["code"]) if cell["inline"] else shell.execute(cell["code"])
        for file in outside:
            file.collect()
        ran.append({"outputs": outputs.cell, "error": f"{type(error).__name__}: {error}" if error else ""})
        if error and not cell["may_fail"]:
            break
    return json.dumps(ran).encode()


def _kept(data: dict[str, Any]) -> dict[str, Any]:
    """Displayed data as JSON has them, a picture's bytes as text. Raises TypeError for what cannot be kept."""
    for value in data.values():
        if not isinstance(value, (str, bytes)):
            json.dumps(value)
    return {
        name: base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
        for name, value in data.items()
    }


class _Outputs:
    """What the cells printed so far, as notebooks keep it."""

    def __init__(self) -> None:
        self.cell: list[Output] = []
        self.named: dict[str, list[Output]] = {}  # by the display id that code may use to change them later
        self.clearing = False

    def begin(self) -> None:
        """From now on, what is printed belongs to the next cell."""
        self.cell, self.clearing = [], False

    def add(self, output: Output, display_id: str = "") -> None:
        """Enter one output of the cell that runs."""
        if self.clearing:
            self.clear()
        self.cell.append(output)
        if display_id:
            self.named.setdefault(display_id, []).append(output)

    def change(self, display_id: str, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Show something else in all places of that name."""
        for shown in self.named.get(display_id, []):
            shown.update(data=data, metadata=metadata)

    def clear(self) -> None:
        """Forget what the cell has printed."""
        self.cell.clear()
        self.clearing = False

    def text(self, name: str, text: str) -> None:
        """Printed text; what follows text of the same stream belongs to it."""
        last = self.cell[-1] if self.cell and not self.clearing else None
        if last is not None and last["output_type"] == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self.add({"output_type": "stream", "name": name, "text": text})


class _Stream(io.TextIOBase):
    """Standard output or errors of the cells."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, outputs: _Outputs, name: str, number: int) -> None:
        self.outputs, self.stream, self.number = outputs, name, number

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() needs a string, not {type(text).__name__}")
        if text:
            self.outputs.text(self.stream, text)
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.number


class _Outside:
    """What other programs, and libraries that are not Python, print: it goes past Python's streams, into a file."""

    def __init__(self, outputs: _Outputs, name: str, number: int) -> None:
        self.outputs, self.stream = outputs, name
        self.file = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the process lives
        os.dup2(self.file.fileno(), number)
        self.read = 0

    def collect(self) -> None:
        """Enter what was printed since the last time."""
        end = os.fstat(self.file.fileno()).st_size
        if end > self.read:
            # Others go on writing where they were: at the end.
            self.file.seek(self.read)
            found = self.file.read(end - self.read)
            self.file.seek(end)
            self.read = end
            self.outputs.text(self.stream, found.decode("utf-8", "replace"))


class _Hook(DisplayHook):
    """What the last line of a cell gives."""

    def write_output_prompt(self) -> None:
        """Notebooks have no prompt in their outputs."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        recorded: _Outputs = self.shell.recorded  # type: ignore[union-attr]
        recorded.add(
            {
                "output_type": "execute_result",
                "execution_count": self.prompt_count,
                "data": _kept(format_dict),
                "metadata": md_dict or {},
            }
        )

    def finish_displayhook(self) -> None:
        self._is_active = False


class _Publisher(DisplayPublisher):
    """What cells display themselves."""

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: Any = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        self._validate_data(data, metadata)  # type: ignore[no-untyped-call]
        outputs: _Outputs = self.shell.recorded
        shown, more = _kept(data), metadata or {}
        display_id = (transient or {}).get("display_id", "")
        if update:
            outputs.change(display_id, shown, more)
        else:
            outputs.add({"output_type": "display_data", "data": shown, "metadata": more}, display_id)

    def clear_output(self, wait: bool = False) -> None:
        outputs: _Outputs = self.shell.recorded
        if wait:
            outputs.clearing = True
        else:
            outputs.clear()


class _Shell(InteractiveShell):
    """IPython's shell with its outputs recorded."""

    __module__ = "cell_shell"  # also where this file is the program: code could print it

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.recorded = _Outputs()
        super().__init__(*arguments, **named)  # type: ignore[no-untyped-call]

    def execute(self, code: str) -> BaseException | None:
        """Run a cell as in any notebook; the error it ended with."""
        done = self.run_cell(code, store_history=True)  # type: ignore[no-untyped-call]
        error: BaseException | None = done.error_before_exec or done.error_in_exec
        return error

    def evaluate(self, code: str) -> BaseException | None:
        """Run the code of an inline value: plain Python, of which a chapter has a hundred, without a cell's
        ceremony.
        """
        try:
            exec(compile(code, "<inline>", "exec"), self.user_ns)
        except BaseException as error:
            self.showtraceback()
            return error
        finally:
            self.events.trigger("post_execute")  # figures that are still open are shown
        return None

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        self.recorded.add(
            {"output_type": "error", "ename": etype.__name__, "evalue": str(evalue), "traceback": list(stb)}
        )

    def enable_gui(self, gui: str | None = None) -> None:
        """For `%matplotlib inline`, which asks for none."""
        if gui:
            raise RuntimeError(f"{gui}: a report has no windows")

    def ask_exit(self) -> None:
        """For `exit()` in a cell."""
        raise RuntimeError("a chapter's code cannot end its process")


def end(*_: Any) -> None:
    """End this process at once, and whatever it started; nobody needs what it would do on its way out."""
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _main() -> None:
    # Asked to end, it takes with it what the chapter started.
    file = Path(__file__).parents[1] / "processes" / "with_parent.py"
    spec = importlib.util.spec_from_file_location("with_parent", file)
    assert spec is not None and spec.loader is not None
    with_parent = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(with_parent)
    parent = int(sys.argv[1])
    signal.signal(signal.SIGTERM, end)
    if sys.platform == "linux":
        with_parent.end_with_parent(parent, with_signal=signal.SIGTERM)
    else:
        with_parent.watch_parent(parent, end)
    # What is printed goes elsewhere from now on; the answer goes where standard output went.
    with os.fdopen(os.dup(1), "wb") as answer:
        request = json.load(sys.stdin.buffer)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        answer.write(run(request))
    end()


if __name__ == "__main__":
    _main()
