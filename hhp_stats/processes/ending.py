"""An orderly end when the user, the terminal or the system asks for one, and within seconds.

Interrupted (SIGINT), terminated (SIGTERM) and hung up (SIGHUP) are treated alike: what was begun is put right as for
any failure, the processes that were started are ended, and the status is the shell's usual one, 128 and the signal's
number. What cannot be interrupted (a library at work on a page) is given `GRACE` seconds; what is then left half
made, the next run removes.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import NoReturn

from hhp_stats.processes import children

GRACE = 3.0  # seconds
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_asked = False


class Ended(KeyboardInterrupt):
    """This process was asked to end; `status` is the exit status that says so."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number
        super().__init__(signal.Signals(number).name)


def end_in_order() -> None:
    """From now on, the signals that ask for an end raise `Ended` in the main thread; for a program's start, not a
    library's.

    A signal that is ignored (`nohup`) stays ignored.
    """
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    global _asked
    if _asked:  # for the second time: no more waiting
        _at_once(128 + number)
    _asked = True
    threading.Thread(target=_when_late, args=[128 + number], daemon=True).start()
    children.end_all()
    raise Ended(number)


def _when_late(status: int) -> None:
    time.sleep(GRACE)
    _at_once(status)


def _at_once(status: int) -> NoReturn:
    children.end_all()
    os._exit(status)
