"""The process that forks kernels: a program of its own, which must not import this package.

It reads requests, one JSON object a line, and answers each with the process number of a kernel. It ends, and its
kernels with it, when its standard input closes.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.pop(0)  # our folder: its modules must not stand in for others of the same name

import json
import os
import signal
from typing import Any

# What chapters import beside this package. matplotlib_inline binds figures to the kernel's output.
LIBRARIES = (
    "ipykernel.kernelapp", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "pandas", "great_tables", "scipy.stats",
    "IPython.display", "inspect", "tomllib", "joblib", "linearmodels", "openpyxl", "statsmodels.api", "scipy.optimize",
)  # fmt: skip


def _serve() -> None:
    for name in LIBRARIES:
        __import__(name)
    # Nobody waits for the kernels: the system takes their remains away.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernels: list[int] = []
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become_kernel(request)
        kernels.append(pid)
        print(pid, flush=True)  # noqa: T201  the answer
    for pid in kernels:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _become_kernel(request: dict[str, Any]) -> None:
    """In the child: what `python -m ipykernel_launcher` does, without the imports."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY)):
            empty = os.open(os.devnull, mode)
            os.dup2(empty, number)
            os.close(empty)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.environ["JPY_PARENT_PID"] = str(os.getppid())
        os.chdir(request["folder"])
        sys.path[:] = ["", *(path for path in sys.path if path)]
        from ipykernel import kernelapp

        kernelapp.launch_new_instance(argv=request["arguments"])
    finally:
        os._exit(0)


if __name__ == "__main__":
    _serve()
