"""A process that has imported what every chapter imports, and becomes a chapter's kernel by forking.

Starting Python and importing pandas, matplotlib and great_tables took half of a chapter's time. Here it is done once.
A forked kernel is as fresh as a started one: only libraries are loaded, nothing of this package, and nothing of theirs
has been called. Where a system cannot fork, kernels are started one by one; the outputs are the same.

This module is the side of the one who renders; `kernel_server.py` is the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

NAME = "hhp-forked"


def can_fork() -> bool:
    """Whether kernels may be forked: elsewhere than on Linux, system libraries may not survive it."""
    return sys.platform == "linux"


class WarmProcess:
    """The process that forks, from the side of the one who renders."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("kernel_server.py"))], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.one_at_a_time = threading.Lock()

    def fork(self, *, arguments: list[str], environment: dict[str, str], folder: str) -> int:
        """A new kernel's process number. Raises ChildProcessError where the process is gone."""
        assert self.process.stdin is not None and self.process.stdout is not None
        request = {"arguments": arguments, "environment": environment, "folder": folder}
        try:
            with self.one_at_a_time:
                self.process.stdin.write(json.dumps(request) + "\n")
                self.process.stdin.flush()
                answer = self.process.stdout.readline()
        except OSError as error:
            raise ChildProcessError(f"the process that starts kernels is gone: {error}") from error
        if not answer:
            raise ChildProcessError("the process that starts kernels ended before it answered")
        return int(answer)

    def close(self) -> None:
        """End it and every kernel that is left."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class _Forked:
    """A kernel's process as Popen would show it; it is the child of the warm process, not ours."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        return None if _alive(self.pid) else 0

    def wait(self) -> int:
        return 0

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class ForkedProvisioner(LocalProvisioner):
    """Launches a kernel by asking the warm process that the kernel manager carries as `warm`."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork instead of starting the command; its arguments are the same."""
        warm: WarmProcess = self.parent.warm  # type: ignore[union-attr]
        folder = str(kwargs.get("cwd") or Path.cwd())
        at = cmd.index("ipykernel_launcher") + 1
        pid = await asyncio.to_thread(
            warm.fork, arguments=cmd[at:], environment=dict(kwargs.get("env") or os.environ), folder=folder
        )
        self.process = _Forked(pid)  # type: ignore[assignment]
        self.pid = self.pgid = pid
        self.cwd = folder
        return self.connection_info


def register() -> None:
    """Make the provisioner known to Jupyter under `NAME`."""
    factory = KernelProvisionerFactory.instance()
    factory.provisioners[NAME] = EntryPoint(
        NAME, "hhp_stats.publish.warm_kernels:ForkedProvisioner", KernelProvisionerFactory.GROUP_NAME
    )
