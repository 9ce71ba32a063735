"""The processes that this one has started, so that all of them can be ended together.

Pools of `multiprocessing` and joblib are known to the standard library; programs are known here while they run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_AT_ONCE = getattr(signal, "SIGKILL", signal.SIGTERM)
_running: dict[
    int, tuple[bool, int]
] = {}  # by number: whether it leads a group of its own, and the signal that ends it
_ending = False
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)


@contextlib.contextmanager
def known(pid: int, *, leads_group: bool = False, by: int = _AT_ONCE) -> Iterator[None]:
    """While this lasts, `end_all` ends the process `pid` with the signal `by`, and where it leads one, its whole
    group.
    """
    _running[pid] = (leads_group, by)
    if _ending:  # threads go on for a moment, and may begin what nobody wants any more
        end(pid, group=leads_group, by=by)
    try:
        yield
    finally:
        _running.pop(pid, None)


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    given: bytes = b"",
    tied: bool = False,
    settings: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program in `folder` to its end and return what it wrote; `end_all` ends it. `settings` are variables of its
    environment beside ours.

    A filter, which reads what it is `given` and then writes, ends by itself when this process is gone: nobody holds its
    pipes. Others are `tied`: they lead a group of processes, and on Linux the system ends it with us.
    """
    leads = tied and os.name == "posix"
    if tied and sys.platform == "linux":
        program = Path(__file__).with_name("tied_program.py")
        arguments = [sys.executable, "-I", "-S", str(program), str(os.getpid()), *arguments]
    with (
        subprocess.Popen(
            arguments,
            cwd=folder,
            env=os.environ | settings if settings else None,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=leads,
        ) as process,
        known(process.pid, leads_group=leads),
    ):
        try:
            written, said = process.communicate(given)
        except BaseException:
            end(process.pid, group=leads)
            raise
    return subprocess.CompletedProcess(arguments, process.returncode, written, said)


def end(pid: int, *, group: bool, by: int = _AT_ONCE) -> None:
    """End one process, or its whole group, at once."""
    with contextlib.suppress(OSError):
        if group:
            os.killpg(pid, by)
        else:
            os.kill(pid, by)


def end_all() -> None:
    """End every process that was started here, and those that still will be: programs, and the workers of every
    pool.
    """
    global _ending
    _ending = True
    for pid, (group, by) in list(_running.items()):
        end(pid, group=group, by=by)
    multiprocessing = sys.modules.get("multiprocessing")  # whoever has workers has loaded it
    for worker in multiprocessing.active_children() if multiprocessing else ():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            worker.kill()
