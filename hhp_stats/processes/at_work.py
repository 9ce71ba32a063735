"""One piece of work on a project at a time, and plain words when its files cannot be written.

The lock belongs to the operating system: it ends with the process that holds it, however that ends. A lock file
left by a killed process is therefore no lock, and the next one takes it over.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from hhp_stats.errors import HhpError

FOLDER = ".report"
LEDGER_WORK = "corrections"  # who writes the corrections ledger works under this name
_LOOK_AGAIN = 0.05  # seconds between two looks at a lock that is waited for
_DISK = {
    errno.ENOSPC: "the disk is full: make room and run the command again",
    errno.EDQUOT: "your share of the disk is used up: make room and run the command again",
    errno.EROFS: "the place is read only: choose another folder, or make it writable",
    errno.EACCES: "you may not write there: choose another folder, or make it writable",
    errno.EPERM: "you may not write there: choose another folder, or make it writable",
}


class ProjectBusy(HhpError):
    """Another process does the same work on this project at this moment."""


class NotWritten(HhpError):
    """Results or report could not be written; what was there before is still there."""


@contextmanager
def at_work(
    root: Path, work: str, *, wait: float = 0, kept: str = "The last results and the last report stay as they were."
) -> Iterator[None]:
    """Do `work` ("render", "results") on the project in `root` alone, and say clearly where it cannot be written.

    Raises ProjectBusy where another process is still at it after `wait` seconds, and NotWritten for a full disk or a
    place that is read only, with `kept` saying what was left alone; both leave everything as it was. Other errors pass
    through.
    """
    try:
        with _locked(root / FOLDER / f"{work}.lock", work, wait):
            yield
    except OSError as error:
        said = what_to_do(error)
        if said is None:
            raise
        raise NotWritten(f"{error.filename or root / FOLDER}: {said}. {kept}") from error


@contextmanager
def located(place: Path) -> Iterator[None]:
    """Let an error of the system that names no file name `place`: writing to an open file says only what went wrong."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(place)
        raise


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Write `place`, and say clearly where that cannot be done. Raises NotWritten for a full disk or a place that is
    read only.
    """
    try:
        with located(place):
            yield
    except OSError as error:
        said = what_to_do(error)
        if said is None:
            raise
        raise NotWritten(f"{error.filename}: {said}. What was there before is still there.") from error


def what_to_do(error: OSError) -> str | None:
    """What is the matter with the place, and what to do about it? None where the error is of another kind."""
    return _DISK.get(error.errno or 0)


@contextmanager
def _locked(path: Path, work: str, wait: float) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + wait
    while True:
        with path.open("a+", encoding="ascii") as file:
            free = taken(file)
            if free and _still_there(path, file):
                file.truncate(0)
                file.write(f"{os.getpid()}\n")
                file.flush()
                try:
                    yield
                finally:
                    with suppress(OSError):  # a full disk must not hide what really happened
                        file.truncate(0)
                return
            if not free and time.monotonic() >= until:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise ProjectBusy(
                    f"another process ({holder}) is at work here ({work}): wait until it is done, or stop it"
                )
        time.sleep(_LOOK_AGAIN)


def _still_there(path: Path, file: IO[str]) -> bool:
    """Whether the open file is the one under its name: a lock on a file that was deleted meanwhile locks nobody out."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def taken(file: IO[str]) -> bool:
    """Take the lock of an open file, if it is free; closing the file gives it back."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0x7FFF)  # a byte beyond the text, so that others can still read who holds it
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True
