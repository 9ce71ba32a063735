"""Standard output and errors of the command: what happens when nobody reads them, or they cannot be written."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, TextIO

CLOSED = 141  # as the shell says of a program whose reader has gone: 128 and the number of SIGPIPE


class OutputClosed(SystemExit):
    """Whoever read standard output has gone, as `head` does: the command ends without a word."""

    def __init__(self) -> None:
        super().__init__(CLOSED)


class Stream:
    """A standard stream that ends the command quietly when its reader has gone, and names itself where it is full.

    With `goes_on`, for what is said beside the output, nobody need listen.
    """

    def __init__(self, inner: TextIO, name: str, *, goes_on: bool) -> None:
        self._inner, self._name, self._goes_on = inner, name, goes_on

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, text: str) -> int:
        """Write text."""
        try:
            return self._inner.write(text)
        except OSError as error:
            self._failed(error)
            return len(text)

    def flush(self) -> None:
        """Write what is waiting."""
        try:
            self._inner.flush()
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        closed = isinstance(error, BrokenPipeError)
        _nowhere(self._inner)
        if self._goes_on:
            return
        if closed:
            raise OutputClosed from None
        error.filename = self._name
        raise error


def _nowhere(stream: TextIO) -> None:
    """What still waits, or will be written, goes nowhere: else the interpreter would complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    except OSError:
        return
    finally:
        os.close(nowhere)


def guard_streams() -> None:
    """Put such streams in the place of the standard ones; for a program's start. Closed ones (`>&-`) go nowhere."""
    for name, said, goes_on in (("stdout", "standard output", False), ("stderr", "standard errors", True)):
        inner = getattr(sys, name)
        if inner is None:
            inner = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  open as long as the process lives
        setattr(sys, name, Stream(inner, said, goes_on=goes_on))
