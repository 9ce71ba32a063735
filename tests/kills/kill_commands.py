"""Kill every writing command at random moments: is what it wrote before still whole, and is every process gone?

    python tests/kills/kill_commands.py COPY [--kills 30] [--only render,bundle] [--seed 1]

COPY is a throwaway copy of the project that was rendered once; the program changes and damages it. Linux, for `/proc`.
Prints a table: kills, in how many of them a process was left after five seconds, in how many an output was not whole,
and what was left of unfinished files after the next whole run. Status 1 where anything was.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
TAG = "HHP_KILLED_RUN"
_ADDED = re.compile(r"\n+```\{python\}\n#\| output: false\n# run \d+\n[^\n]*\n```\n")
PATIENCE = 5.0  # seconds a process may take to notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is run, what it writes (below the copy), and what has to be changed so that it has something to do."""

    words: Sequence[str]
    writes: Sequence[str]
    prepare: Callable[[Path, int], None] = lambda copy, number: None


def edit_chapters(copy: Path, number: int) -> None:
    """Other code in three chapters, so that kernels run, and other words in one."""
    for path in sorted((copy / "report").glob("0[3-5]-*.qmd")):
        text = _ADDED.sub("\n", path.read_text(encoding="utf-8"))
        path.write_text(f"{text}\n```{{python}}\n#| output: false\n# run {number}\nNone\n```\n", encoding="utf-8")


def remove(*names: str) -> Callable[[Path, int], None]:
    """A path that the command would refuse to overwrite is taken away first."""

    def prepare(copy: Path, number: int) -> None:
        for name in names:
            shutil.rmtree(copy / name, ignore_errors=True) if (copy / name).is_dir() else (copy / name).unlink(
                missing_ok=True
            )

    return prepare


COMMANDS: Mapping[str, Command] = {
    "template": Command(words=("template", "goal_setting", "Kent", "--to", "out"), writes=("out",)),
    "check": Command(words=("check", "--write-back", "back"), writes=("back",)),
    "randomise": Command(
        words=("randomise", "--seed", "5", "--to", "drawn.csv"),
        writes=("drawn.csv", "drawn_log.csv"),
        prepare=remove("drawn.csv", "drawn_log.csv"),
    ),
    "bundle": Command(words=("bundle", "review.zip"), writes=("review.zip",)),
    "bundle --blind": Command(words=("bundle", "blind.zip", "--blind", "--seed", "3"), writes=("blind.zip",)),
    "release": Command(
        words=("release", "--date", "2031-01-01"),
        writes=("data/releases/2031-01-01",),
        prepare=remove("data/releases/2031-01-01"),
    ),
    "results": Command(words=("results", "--fresh"), writes=(".report/results",)),
    "render": Command(words=("render",), writes=("_output",), prepare=edit_chapters),
    "preview": Command(words=("preview",), writes=(".report/preview",), prepare=edit_chapters),
    "synthesise": Command(words=("synthesise",), writes=("data/returns", "data/surveys", "data/manifest.toml")),
}


def state(path: Path) -> str:
    """One checksum of a file, or of a folder with all that is not hidden in it; empty where there is nothing."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = [each for each in sorted(path.rglob("*")) if each.is_file() and not is_unfinished(each.relative_to(path))]
    total = hashlib.sha256()
    for each in files:
        total.update(each.relative_to(path).as_posix().encode() + b"\0" + each.read_bytes())
    return total.hexdigest() if files else ""


def is_unfinished(name: Path) -> bool:
    return any(part.endswith((".partial", ".old", ".part")) for part in name.parts)


def processes(tag: str) -> list[int]:
    """The processes of one run that are still there; those that only wait to be counted do not count."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if f"{TAG}={tag}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
                found += [] if dead else [int(entry.name)]
        except OSError:
            continue
    return found


def leftovers(copy: Path) -> list[str]:
    """Unfinished files of runs that are gone: beside the outputs, below `.report`, in the folder for temporary
    files.
    """
    found = [
        path.relative_to(copy).as_posix()
        for path in copy.rglob("*")
        if not path.name.endswith(".lock")
        and (is_unfinished(Path(path.name)) or ".new-" in path.name or ".old-" in path.name)
    ]
    found += [path.relative_to(copy).as_posix() for path in (copy / ".report/unfinished").glob("*")]
    found += [
        path.name
        for path in Path(tempfile.gettempdir()).glob("hhp-*")
        if (number := path.name.split("-")[1]).isdigit() and not Path(f"/proc/{number}").exists()
    ]
    return found + [path for path in ("data/.replacing",) if (copy / path).exists()]


def start(copy: Path, words: Sequence[str], tag: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "hhp_stats", *words],
        cwd=copy,
        env=os.environ | {TAG: tag},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def whole_run(copy: Path, name: str, number: int) -> float:
    """Run the command to its end and return the seconds; a preview is ended when it has rendered."""
    command = COMMANDS[name]
    command.prepare(copy, number)
    begun = time.monotonic()
    process = start(copy, command.words, "whole")
    if name == "preview":
        asked = time.time()
        while process.poll() is None and not written_since(copy / command.writes[0], asked):
            time.sleep(0.3)
        seconds = time.monotonic() - begun
        process.send_signal(signal.SIGINT)
        process.wait()
        return seconds
    status = process.wait()
    if status not in (0, 1):
        raise SystemExit(f"hhp {' '.join(command.words)} ended with {status}")
    return time.monotonic() - begun


def written_since(folder: Path, moment: float) -> bool:
    """Is there a rendering in the folder that was made after this moment, even if it has the same bytes as the one
    before?
    """
    from hhp_stats.files import rendering_marker

    marker = folder / rendering_marker.MARKER
    return marker.is_file() and marker.stat().st_mtime > moment


def kill_all(copy: Path, name: str, *, kills: int, chance: random.Random) -> dict[str, object]:
    """Kill one command `kills` times; what was found, and what a whole run afterwards left."""
    command, number = COMMANDS[name], chance.randrange(10**6, 10**7)
    seconds = whole_run(copy, name, number)
    left_processes = not_whole = in_time = 0
    slowest = 0.0
    for kill in range(kills):
        command.prepare(copy, number + kill + 1)
        before = [state(copy / path) for path in command.writes]
        tag = uuid.uuid4().hex
        process = start(copy, command.words, tag)
        time.sleep(chance.uniform(0.02, 1.0) * seconds)
        in_time += process.poll() is None
        process.send_signal(SIGNALS[kill % len(SIGNALS)])
        begun = time.monotonic()
        while process.poll() is None or processes(tag):
            if time.monotonic() - begun > PATIENCE:
                left_processes += 1
                print(f"  left after {SIGNALS[kill % len(SIGNALS)].name}: {processes(tag)}", flush=True)
                subprocess.run(
                    ["ps", "-o", "pid,ppid,stat,etimes,wchan:20,args", "-p", ",".join(map(str, processes(tag)))],
                    check=False,
                )
                for pid in processes(tag):
                    os.kill(pid, signal.SIGKILL)
                process.wait()
                break
            time.sleep(0.05)
        slowest = max(slowest, time.monotonic() - begun)
        not_whole += not is_whole(copy, name, before)
    whole_run(copy, name, number + kills + 1)
    return {
        "command": name,
        "seconds": round(seconds, 1),
        "kills": kills,
        "while it ran": in_time,
        "process left": left_processes,
        "slowest end": round(slowest, 1),
        "not whole": not_whole,
        "left over": len(leftovers(copy)),
    }


def is_whole(copy: Path, name: str, before: Sequence[str]) -> bool:
    """Is every output as it was, or a whole new one?"""
    from hhp_stats.files import rendering_marker
    from hhp_stats.synthetic.study_files import SYNTHETIC

    command = COMMANDS[name]
    now = [state(copy / path) for path in command.writes]
    if now == list(before):
        return True
    if name in ("render", "preview"):
        output = copy / command.writes[0]
        retired = [path for path in output.parent.glob(f".{output.name}.old-*") if path.is_dir()]
        stands = [path for path in (output, *retired) if path.is_dir()]
        return any(rendering_marker.what_speaks_against(path, None) is None for path in stands)
    if name == "results":
        from hhp_stats.results.frame import read_results

        return bool(len(read_results(copy / ".report/results/results.csv")))
    if name == "synthesise":  # finished or refused by the next command, never a mixture that is read
        return (copy / "data/.replacing").exists() or SYNTHETIC in (copy / "data/manifest.toml").read_text()
    if name == "randomise":  # a list has its log
        return (copy / "drawn_log.csv").exists() or not (copy / "drawn.csv").exists()
    return all(opens(path) for root in command.writes for path in files_of(copy / root))


def files_of(path: Path) -> list[Path]:
    return (
        [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file() and not is_unfinished(each)]
    )


def opens(path: Path) -> bool:
    """Can the file be read to its end? Zips and workbooks by their checksums."""
    import zipfile

    if path.suffix in (".zip", ".xlsx"):
        try:
            with zipfile.ZipFile(path) as archive:
                return archive.testzip() is None
        except zipfile.BadZipFile:
            return False
    return path.stat().st_size > 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("copy", type=Path)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--only", default=",".join(COMMANDS))
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for number in SIGNALS[1:]:  # in the background, or below nohup, some are ignored, and would be by the commands
        signal.signal(number, signal.SIG_DFL)
    rows = []
    for name in asked.only.split(","):
        rows.append(
            kill_all(asked.copy.resolve(), name, kills=asked.kills, chance=random.Random(f"{asked.seed} {name}"))
        )
        print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    return int(any(row["process left"] or row["not whole"] or row["left over"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
