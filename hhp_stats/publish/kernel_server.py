"""The process that forks kernels: a program of its own, which must not import this package.

It listens at the socket whose number it is given. Whoever connects sends a chapter as `cell_shell` wants it and is sent
the number of the process that runs it, then the answer. It ends, and its kernels with it, when its standard input closes.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
cell_shell = import_module("cell_shell")  # takes our folder off the path again
del sys.modules["cell_shell"]  # it is not the chapter's

import gc
import json
import selectors
import signal
import socket

# What chapters import beside this package.
LIBRARIES = (
    "matplotlib.pyplot", "matplotlib_inline.config", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg",
    "pandas", "pandas.core.methods.to_dict", "pandas.io.formats.string", "great_tables", "scipy.stats",
    "IPython.core.application", "IPython.core.completer", "IPython.core.crashhandler", "IPython.core.magics", "bdb",
    "IPython.display", "inspect", "tomllib", "joblib", "linearmodels", "openpyxl", "statsmodels.api", "scipy.optimize",
)  # fmt: skip


def _serve(listener: socket.socket) -> None:
    # Not matplotlib's backend: the first figure loads it, in the kernel, since it binds figures to that kernel's shell.
    for name in LIBRARIES:
        import_module(name)
    # Nobody waits for the kernels: the system takes their remains away.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is there already is no garbage: a kernel that looked through it would also copy all of it.
    gc.collect()
    gc.freeze()
    kernels: list[int] = []
    ready = selectors.DefaultSelector()
    ready.register(sys.stdin, selectors.EVENT_READ)
    ready.register(listener, selectors.EVENT_READ)
    while all(key.fileobj is listener for key, _ in ready.select()):
        connection, _ = listener.accept()
        pid = os.fork()
        if pid == 0:
            listener.close()
            _become_kernel(connection)
        kernels.append(pid)
        connection.close()
    for pid in kernels:
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):  # it runs: its number is not another's yet
                os.killpg(pid, signal.SIGKILL)
        except (ChildProcessError, ProcessLookupError):
            continue


def _become_kernel(connection: socket.socket) -> None:
    """In the child: run the one chapter that comes through the connection."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        connection.sendall(f"{os.getpid()}\n".encode())
        with connection.makefile("rb") as request:
            answer = cell_shell.run(json.load(request))
        connection.sendall(answer)
    finally:
        cell_shell.end()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
