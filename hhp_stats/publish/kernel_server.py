"""The process that forks kernels: a program of its own, which must not import this package.

It listens at the socket whose number it is given. Whoever connects sends a chapter as `cell_shell` wants it and is sent
the number of the process that runs it, then the answer. It ends, and its kernels with it, when its standard input
closes.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    sys.path.pop(0)  # our folder: its modules must not stand in for others of the same name

import gc
import importlib.util
import json
import os
import selectors
import signal
import socket
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

# What most chapters import beside this package. What one of them imports alone, it imports itself.
LIBRARIES = (
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "pandas",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "pandas.io.formats.string",
    "great_tables",
    "great_tables._scss",
    "scipy.optimize",
    "scipy.stats",
    "tomllib",
    "inspect",
    "IPython.display",
    "IPython.core.application",
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.crashhandler",
    "IPython.core.magics",
)


def _loaded(path: Path) -> ModuleType:
    """The module in a file of the package; chapters do not find it among theirs."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _serve(listener: socket.socket, parent: int) -> None:
    kernels: list[int] = []

    def end(*_: object) -> None:
        _end_kernels(kernels)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    with_parent = _loaded(Path(__file__).parents[1] / "processes" / "with_parent.py")
    with_parent.end_with_parent(parent, with_signal=signal.SIGTERM)
    cell_shell = _loaded(Path(__file__).with_name("cell_shell.py"))
    gc.disable()  # modules stay: while they load, nothing is garbage
    # Not matplotlib's backend: the first figure loads it, in the kernel, since it binds figures to that kernel's shell.
    for name in LIBRARIES:
        import_module(name)
    shelf = _loaded(Path(__file__).with_name("module_shelf.py")).Shelf(Path(__file__).parents[1], "present")
    # Nobody waits for the kernels: the system takes their remains away.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is there already is no garbage: a kernel that looked through it would also copy all of it.
    gc.collect()
    gc.freeze()
    gc.enable()
    here = os.getpid()
    ready = selectors.DefaultSelector()
    ready.register(sys.stdin, selectors.EVENT_READ)
    ready.register(listener, selectors.EVENT_READ)
    while all(key.fileobj is listener for key, _ in ready.select()):
        connection, _ = listener.accept()
        pid = os.fork()
        if pid == 0:
            listener.close()
            _become_kernel(connection, cell_shell, with_parent, here, shelf)
        kernels.append(pid)
        connection.close()
    _end_kernels(kernels)


def _end_kernels(kernels: list[int]) -> None:
    """End those that still run, and what they started."""
    for pid in kernels:
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):  # it runs: its number is not another's yet
                os.killpg(pid, signal.SIGKILL)
        except (ChildProcessError, ProcessLookupError):
            continue


def _become_kernel(
    connection: socket.socket, cell_shell: ModuleType, with_parent: ModuleType, parent: int, shelf: Any
) -> None:
    """In the child: run the one chapter that comes through the connection, with modules from the `Shelf`."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with_parent.end_with_parent(parent)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        connection.sendall(f"{os.getpid()}\n".encode())
        shelf.open()
        with connection.makefile("rb") as request:
            answer = cell_shell.run(json.load(request))
        connection.sendall(answer)
    finally:
        cell_shell.end()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
