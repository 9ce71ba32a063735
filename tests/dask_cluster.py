"""A scheduler and workers of Dask, each a process of its own as on machines of their own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DASK = Path(sys.executable).with_name("dask")


class Cluster:
    """A scheduler and workers, each a process of its own as on machines of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(folder / "at.json"))
        self.wait(lambda: (folder / "at.json").is_file() and (folder / "at.json").stat().st_size)
        self.address = json.loads((folder / "at.json").read_text())["address"]

    def start(self, kind: str, *words: str, **env: str) -> subprocess.Popen:
        log = (self.folder / f"{kind}{len(self.processes)}.txt").open("w")
        one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        done = subprocess.Popen(
            [sys.executable, str(DASK), kind, *words, "--no-dashboard"],
            stdout=log,
            stderr=log,
            env=os.environ | one | env,
            cwd=self.folder,
        )
        self.processes.append(done)
        return done

    def worker(self, **env: str) -> subprocess.Popen:
        return self.start("worker", self.address, "--nthreads", "1", "--no-nanny", **env)

    def two_workers(self) -> subprocess.Popen:
        """One of two workers that are ready."""
        from distributed import Client

        first, _ = self.worker(), self.worker()
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        return first

    def wait(self, ready) -> None:
        end = time.monotonic() + 60
        while not ready():
            assert time.monotonic() < end, [path.read_text() for path in self.folder.glob("*.txt")]
            time.sleep(0.05)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()
