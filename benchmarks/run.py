"""Time every case of the `bench_*` modules, each in a process of its own, and write the table.

`python -m benchmarks.run` (or `make bench`) writes `benchmarks/RESULTS.md`; `--only WORD` times the cases whose
name or shape holds the word and prints them without writing; `--skip WORD` leaves cases out and the table says so.
`--against COMMIT` (or `make bench AGAINST=COMMIT`) times this checkout and another commit in turn:
`benchmarks.against`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks import against

HERE = Path(__file__).resolve().parent
RUNS = 5
LONG = 30.0  # seconds: a case this slow is timed once, after no warm-up
WHOLE = 60.0  # seconds after which a case is not called again
TARGETS = HERE / "targets.csv"  # name, shape begins with, seconds


def modules() -> list[str]:
    """Names of the modules that hold cases."""
    return sorted(path.stem for path in HERE.glob("bench_*.py"))


def measure(module: str, index: int) -> None:
    """In the child: run one case and print its times and peak memory as JSON."""
    found = importlib.import_module(f"benchmarks.{module}").cases()
    name, shape, call = found[index]
    prepare = getattr(call, "prepare", None)
    if prepare is not None:
        prepare()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    measured = 0.0
    for _ in range(RUNS + 1):  # the first is the warm-up
        begun = perf_counter()
        found = call()
        times.append(perf_counter() - begun)
        measured = max(measured, getattr(found, "peak_mib", 0.0))
        if times[-1] > LONG or sum(times) > WHOLE:
            break
    done = getattr(call, "done", None)
    if done is not None:
        done()
    kept = times[1:] or times
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    scale = 1 if sys.platform == "darwin" else 1024
    print(
        json.dumps(
            {
                "name": name,
                "shape": shape,
                "seconds": statistics.median(kept),
                "runs": len(kept),
                "peak_mib": measured or (peak + children) * scale / 2**20,
                "before_mib": before * scale / 2**20,
            }
        )
    )


def targets() -> list[tuple[str, str, float]]:
    """What each case should take at most."""
    lines = TARGETS.read_text(encoding="utf-8").splitlines()[1:]
    return [(name, shape, float(seconds)) for name, shape, seconds in (line.rsplit(";", 2) for line in lines if line)]


def target_of(name: str, shape: str) -> float | None:
    """The target of one case, if it has one."""
    return next((seconds for who, size, seconds in targets() if who == name and shape.startswith(size)), None)


def machine() -> str:
    """Processor, memory, system, versions."""
    import numpy
    import scipy

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        cpu = next(
            (line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")),
            cpu,
        )
    memory = (
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else float("nan")
    )
    return (
        f"{os.cpu_count()} cores ({cpu}), {memory:.0f} GiB, {platform.system()} {platform.machine()}, Python"
        f" {platform.python_version()}, numpy {numpy.__version__}, scipy {scipy.__version__}, one BLAS thread a process"
    )


def run(only: str, skip: list[str]) -> tuple[list[dict[str, object]], list[str]]:
    """Every case in turn, and the titles of those left out; progress on standard error."""
    rows, left_out = [], []
    for module in modules():
        listed = subprocess.run(
            [sys.executable, "-m", "benchmarks.run", "--list", module],
            capture_output=True,
            text=True,
            check=True,
            cwd=HERE.parent,
        )
        for index, title in enumerate(listed.stdout.splitlines()):
            if only and only not in title:
                continue
            if any(word in title for word in skip):
                left_out.append(title)
                continue
            print(title, file=sys.stderr, flush=True)
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.run", "--case", module, str(index)],
                capture_output=True,
                text=True,
                cwd=HERE.parent,
            )
            if done.returncode:
                raise SystemExit(f"{title} failed:\n{done.stderr}")
            rows.append(json.loads(done.stdout.splitlines()[-1]))
    return rows, left_out


def beside_ours(row: dict[str, object], rows: list[dict[str, object]]) -> str:
    """How many times as long as ours a peer took for the same (`bench_peers`); "" of our own cases."""
    ours, _, peer = str(row["name"]).rpartition(", ")
    pair = [other for other in rows if other["name"] == ours and other["shape"] == row["shape"]]
    return f"{float(str(row['seconds'])) / float(str(pair[0]['seconds'])):.2g}" if peer and pair else ""


def table(rows: list[dict[str, object]]) -> str:
    """The rows as Markdown."""
    lines = [
        "| work | shape | median, s | target, s | times ours | runs | peak memory, MiB |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        target = target_of(str(row["name"]), str(row["shape"]))
        seconds = float(str(row["seconds"]))
        lines.append(
            f"| {row['name']} | {row['shape']} | {seconds:.3g} | {'' if target is None else f'{target:g}'} |"
            f" {beside_ours(row, rows)} | {row['runs']} | {float(str(row['peak_mib'])):.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a word of the name or shape")
    parser.add_argument("--skip", action="append", default=[], metavar="WORD", help="leave out cases with this word")
    parser.add_argument("--against", metavar="COMMIT", help="time another commit in turn with this checkout")
    parser.add_argument("--rounds", type=int, default=5, help="with --against: timed calls of each side")
    parser.add_argument("--case", nargs=2, metavar=("MODULE", "INDEX"), help=argparse.SUPPRESS)
    parser.add_argument("--list", metavar="MODULE", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        measure(given.case[0], int(given.case[1]))
    elif given.against:
        against.compare(given.against, only=given.only, skip=given.skip, rounds=given.rounds)
    elif given.list:
        for name, shape, _ in importlib.import_module(f"benchmarks.{given.list}").cases():
            print(f"{name} [{shape}]")
    else:
        rows, left_out = run(given.only, given.skip)
        notes = [
            f"Machine: {machine()}.",
            f"Medians of up to {RUNS} whole calls after a warm-up, in a minute at most (one call where a call takes"
            f" over {LONG:g} s).",
            *([f"Left out of this run: {'; '.join(left_out)}."] if left_out else []),
        ]
        text = "\n\n".join(["# Speed and memory", *notes, table(rows)]) + "\n"
        if given.only:
            print(text)
        else:
            (HERE / "RESULTS.md").write_text(text, encoding="utf-8")
            print(f"wrote {HERE.name}/RESULTS.md")


if __name__ == "__main__":
    main()
