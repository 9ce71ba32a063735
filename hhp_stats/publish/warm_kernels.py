"""A process that has imported what every chapter imports, and becomes a chapter's kernel by forking.

Starting Python and importing pandas, matplotlib and great_tables took half of a chapter's time. Here it is done once.
A forked kernel is as fresh as a started one: only libraries are loaded, nothing of this package, and nothing of theirs
has been called. Where a system cannot fork, kernels are started one by one; the outputs are the same.

Run as a program it reads requests, one JSON object a line, and answers each with the process number of a kernel.
It ends, and its kernels with it, when its standard input closes.
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
# What chapters import beside this package. matplotlib_inline binds figures to the kernel's output.
LIBRARIES = (
    "ipykernel.kernelapp", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "pandas", "great_tables", "scipy.stats",
    "IPython.display", "inspect", "tomllib",
)  # fmt: skip


def can_fork() -> bool:
    """Whether kernels may be forked: elsewhere than on Linux, system libraries may not survive it."""
    return sys.platform == "linux"


class WarmProcess:
    """The process that forks, from the side of the one who renders."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hhp_stats.publish.warm_kernels"], env=environment, text=True,
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
