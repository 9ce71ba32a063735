"""A process that has imported what every chapter imports, and becomes a chapter's kernel by forking.

Starting Python and importing pandas, matplotlib and great_tables took half of a chapter's time. Here it is done once.
A forked kernel is as fresh as a started one: only libraries are loaded, nothing of this package, and nothing of theirs
has been called. Where a system cannot fork, kernels are started one by one; the outputs are the same.

This module is the side of the one who renders; `kernel_server.py` is the process.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from hhp_stats.files.scratch import scratch_folder
from hhp_stats.processes import children


def can_fork() -> bool:
    """Whether kernels may be forked: elsewhere than on Linux, system libraries may not survive it."""
    return sys.platform == "linux"


class WarmProcess:
    """The process that forks, from the side of the one who renders; `address` is where it takes chapters."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.folder = scratch_folder()
        self.address = str(Path(self.folder.name) / "s")
        # Listening begins here, so that chapters can come while the process still imports.
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.address)
            listener.listen(128)
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(Path(__file__).with_name("kernel_server.py")),
                    str(listener.fileno()),
                    str(os.getpid()),
                ],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        # Its own way to end also ends the kernels, and what chapters started.
        self.known = children.known(self.process.pid, by=signal.SIGTERM)
        self.known.__enter__()

    def close(self) -> None:
        """End it and every kernel that is left; nothing where it was ended before."""
        if self.process.returncode is not None:
            return
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.known.__exit__(None, None, None)
        self.folder.cleanup()
