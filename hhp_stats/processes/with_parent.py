"""No process outlives the one that started it, however that one ends.

Every process that this package starts calls `end_with_parent`, or is started through `processes.children`. On Linux the
system itself sends a signal to the child when its parent is gone; elsewhere a thread of the child looks. Standard
library
alone: kernels load this file without the package.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

SECONDS = 0.5  # between two looks, where the system does not tell
_PR_SET_PDEATHSIG = 1  # prctl(2)


def parent_gone(parent: int) -> bool:
    """Has the process `parent`, which started this one, ended? Where a system never says so (Windows): no."""
    return os.name == "posix" and os.getppid() != parent


def end_with_parent(parent: int, *, with_signal: int = getattr(signal, "SIGKILL", signal.SIGTERM)) -> None:
    """In a child: end when the process `parent` ends, on Linux by `with_signal`; at once where it has ended already.

    On Linux the signal also comes when the thread ends that started this process: only for children that are not to
    outlive that thread.
    """
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, with_signal, 0, 0, 0) == 0:
        if parent_gone(parent):  # before the call
            os._exit(1)
        return
    watch_parent(parent)


def watch_parent(parent: int, end: Callable[[], object] = lambda: os._exit(1)) -> None:
    """In a child: a thread looks whether `parent` is still there, and calls `end` when it is not.

    For children that several threads of the parent use in turn, and where the system has no signal for it.
    """

    def watch() -> None:
        while not parent_gone(parent):
            time.sleep(SECONDS)
        end()

    if os.name == "posix":
        threading.Thread(target=watch, daemon=True, name="watch_parent").start()


def as_worker(parent: int) -> None:
    """Initializer of the processes of a pool: signals meant for the one who waits are not theirs, its end is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    end_with_parent(parent)
