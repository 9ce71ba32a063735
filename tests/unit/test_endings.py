"""No process outlives the command that started it: killed, terminated, hung up or interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from hhp_stats.files import scratch
from hhp_stats.processes.ending import Ended

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")
ROOT = Path(__file__).resolve().parents[2]
LONG = 900  # seconds: whoever is left sleeps longer than any test waits
SLEEPER = f"""
import os, time
from pathlib import Path

def sleep(folder, number=0, writing=None):
    (Path(folder) / f"started-{{os.getpid()}}").touch()
    time.sleep({LONG})
    return number

class Sleeper:
    key = "sleeper"
"""
STARTS = {
    "copies": (
        "from hhp_stats.processes.blocks import in_blocks\n"
        "in_blocks(sleep, [(folder, 1), (folder, 2)], lambda done, total: None, seconds=10)"
    ),
    "joblib": (
        "from hhp_stats.processes.blocks import in_blocks\n"
        "in_blocks(sleep, [(folder, 1), (folder, 2)], lambda done, total: None, seconds=100, n_jobs=2)"
    ),
    "studies": (
        "from functools import partial\nfrom hhp_stats.running.rerun import _beside\n"
        "with _beside(partial(sleep, folder), [sleeper.Sleeper()]) as others:\n    others['sleeper']()"
    ),
    "program": (
        "from hhp_stats.processes import children\n"
        "children.run(['/bin/sh', '-c', f'touch {folder}/started-$$; sleep 900; true'], folder=Path(folder), tied=True)"
    ),
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor\nfrom hhp_stats.processes import children\nwith ThreadPoolExecutor(1)"
        " as pool:\n    for _ in range(3):\n        pool.submit(children.run, ['/bin/sh', '-c', f'touch"
        " {folder}/started-$$; exec sleep 900'], folder=Path(folder))\n    sleep(folder)"
    ),
    "kernels": "from kernels_of_a_book import run\nrun(Path(folder), 3)",
    "kernel": "from kernels_of_a_book import run\nrun(Path(folder), 1)",
}
KERNELS = f"""
import asyncio
from types import SimpleNamespace
from hhp_stats.publish import kernels

CODE = "import os, subprocess, time, pathlib\\npathlib.Path(FOLDER, f'started-{{os.getpid()}}').touch()\\nsubprocess.run(['sleep', '{LONG}'])"

def run(folder, count):
    import datetime
    project = SimpleNamespace(root=folder, date=datetime.date(2024, 1, 1))
    cell = kernels.Cell.__new__(kernels.Cell)
    sources = [(SimpleNamespace(chapter=SimpleNamespace(path=f"{{n}}.qmd")), []) for n in range(count)]
    kernels._cells = lambda planned: iter([{{"code": CODE.replace("FOLDER", repr(str(folder))), "may_fail": False, "inline": False}}])
    asyncio.run(kernels.run_all(project, sources, 2, lambda *_: None, lambda *_: None))
"""


def left(tag: str) -> list[int]:
    """Processes with this mark in their environment that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"KILLED_TEST={tag}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                ended = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "ZX"
                found += [] if ended else [int(entry.name)]
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *((kind, signal.SIGKILL) for kind in STARTS if kind != "threads"),
        ("copies", signal.SIGTERM),
        ("studies", signal.SIGHUP),
        ("kernels", signal.SIGINT),
        ("kernel", signal.SIGTERM),
        ("threads", signal.SIGTERM),
        ("program", signal.SIGHUP),
    ],
)
def test_nothing_is_left_of_a_command_that_ends(tmp_path: Path, kind: str, number: signal.Signals) -> None:
    (tmp_path / "sleeper.py").write_text(SLEEPER, encoding="utf-8")
    (tmp_path / "kernels_of_a_book.py").write_text(KERNELS, encoding="utf-8")
    (tmp_path / "work").mkdir()
    program = (
        "import sys\nfrom pathlib import Path\nimport sleeper\nfrom sleeper import sleep\nfrom hhp_stats.processes.ending import"
        " end_in_order\n\nif __name__ == '__main__':\n    end_in_order()\n    folder = sys.argv[1]\n"
        + "".join(f"    {line}\n" for line in STARTS[kind].splitlines())
    )
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    tag = uuid.uuid4().hex
    environment = os.environ | {"KILLED_TEST": tag, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), str(tmp_path / "work")],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)],
    )
    try:
        until = time.monotonic() + 120
        while not list((tmp_path / "work").glob("started-*")):
            assert process.poll() is None and time.monotonic() < until, process.stderr.read()
            time.sleep(0.05)
        while len(left(tag)) < 2:  # the first may say so before the machine shows the others
            assert time.monotonic() < until, "nothing was started"
            time.sleep(0.05)
        process.send_signal(number)
        until = time.monotonic() + 60  # a busy machine; nothing ends by itself before
        while left(tag):
            assert time.monotonic() < until, f"left: {left(tag)}"
            time.sleep(0.05)
        assert process.wait() == (-signal.SIGKILL if number == signal.SIGKILL else process.returncode)
    finally:
        for pid in left(tag):
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()
        process.stderr.close()


def test_the_status_says_which_signal_asked() -> None:
    assert [Ended(number).status for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == [130, 143, 129]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_command_that_is_asked_to_end_puts_right_what_it_began(tmp_path: Path, number: int, status: int) -> None:
    program = (
        "import sys, time, typer\nfrom pathlib import Path\nfrom hhp_stats.cli.shared import Commands\nfrom"
        " hhp_stats.processes.ending import end_in_order\nfrom hhp_stats.files.output_guard import OutputGuard\napp ="
        " typer.Typer(cls=Commands)\n@app.callback()\ndef all(): pass\n@app.command()\ndef work():\n    with"
        f" OutputGuard(root=Path({str(tmp_path)!r}), command='hhp x').written(Path({str(tmp_path / 'a.zip')!r})) as"
        f" partial:\n        partial.write_text('half')\n        time.sleep({LONG})\nend_in_order()\napp()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "work"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)],
    )
    until = time.monotonic() + 60
    while not list(tmp_path.glob(".a.zip.*.partial")):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == status and "Interrupted" in said and "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == [".report"] and not list(
        (tmp_path / ".report/unfinished").iterdir()
    )


def test_folders_for_a_moment_of_dead_processes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    for name in (f"hhp-{2**22 + 1}-abc", "hhp-1-abc", "hhp-x", f"hhp-{os.getpid()}-mine"):
        (tmp_path / name).mkdir()
    with scratch.scratch_folder() as folder:
        assert Path(folder).name.startswith(f"hhp-{os.getpid()}-")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hhp-1-abc", f"hhp-{os.getpid()}-mine", "hhp-x"]
