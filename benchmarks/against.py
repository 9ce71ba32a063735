"""Is this checkout faster than another commit? Both are timed in turn, on the same cores, in the same hour.

`make bench AGAINST=COMMIT` (or `python -m benchmarks.run --against COMMIT`) checks the commit out beside this one,
makes its environment by its own Makefile, and calls A B A B: a machine whose speed drifts is as slow for one as for
the other. Every rendering is one call of each; of the estimators each side times its own case, a call after a
warm-up, in a process of its own. Both sides run compiled, as the Makefile installs them. A case is called until its
time is up (`MINUTES`), twice at least; one that takes longer than that in a call is timed once, and the longest of all
(`TOO_LONG`, by `targets.csv`) only where `--only` names it. Writes `benchmarks/AGAINST.md`: the medians, the median of
the ratios pair by pair, and what is asked of them.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from time import perf_counter

from benchmarks.bench_render import compiled_environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TABLE = HERE / "AGAINST.md"
# Ratios at most: what was asked for of the renderings; of the estimators, a tenth for the noise.
ASKED: Mapping[str, float] = {
    "render, from nothing": 0.55,
    "render, nothing changed": 1.0,
    "render, one sentence edited": 0.45,
    "render, one authority corrected": 0.5,
}
ESTIMATORS = 1.1
MINUTES = {True: 2.0, False: 0.3}  # of calls of both sides: for a rendering, for an estimator
TOO_LONG = 100.0  # seconds: a case with a higher target is left out
RENDERINGS = "bench_render"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two: its checkout and the interpreter of its environment."""

    code: Path
    python: str

    def benchmarks(self, *words: str) -> str:
        """What the side's own `benchmarks.run` prints."""
        done = subprocess.run(
            [self.python, "-m", "benchmarks.run", *words],
            cwd=self.code,
            capture_output=True,
            text=True,
            env=compiled_environment(self.code),
        )
        if done.returncode:
            raise SystemExit(f"benchmarks of {self.code} failed:\n{done.stderr}")
        return done.stdout

    def cases(self) -> dict[str, tuple[str, str]]:
        """Module and number of every case beside the renderings, by title."""
        found = {}
        for path in sorted((self.code / "benchmarks").glob("bench_*.py")):
            if path.stem != RENDERINGS:
                titles = self.benchmarks("--list", path.stem).splitlines()
                found |= {title: (path.stem, str(at)) for at, title in enumerate(titles)}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case: seconds of this checkout and of the commit, in the order they were measured, and their peak memory."""

    title: str
    asked: float
    ours: Sequence[float]
    theirs: Sequence[float]
    peaks: tuple[float, float]

    @property
    def ratio(self) -> float:
        """The median of ours over theirs, pair by pair."""
        return statistics.median(one / other for one, other in zip(self.ours, self.theirs, strict=True))

    def line(self) -> str:
        """As a line of the table."""
        kept = "yes" if self.ratio <= self.asked else "no"
        return (
            f"| {self.title} | {statistics.median(self.ours):.3g} | {statistics.median(self.theirs):.3g} |"
            f" {self.ratio:.2f} | {self.asked:g} | {kept} | {len(self.ours)} | {self.peaks[0]:.0f} |"
            f" {self.peaks[1]:.0f} |"
        )


@contextmanager
def checked_out(commit: str) -> Iterator[Side]:
    """The commit in a worktree of its own, with the environment that its Makefile makes; both are removed at the
    end.
    """
    folder = Path(tempfile.mkdtemp(prefix="hhp-against"))
    code = folder / "code"
    try:
        subprocess.run(["git", "worktree", "add", "--detach", str(code), commit], cwd=ROOT, check=True)
        subprocess.run(["make", f"PYTHON={sys.executable}", ".venv/report.stamp"], cwd=code, check=True)
        yield Side(code=code, python=str(code / ".venv/bin/python"))
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(code)], cwd=ROOT, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def compare(commit: str, *, only: str, skip: Sequence[str], rounds: int) -> None:
    """Time every case whose title holds `only` and none of `skip`, print each row, and write the table where all were
    timed.
    """
    from benchmarks.run import machine, targets

    short = subprocess.run(
        ["git", "rev-parse", "--short", commit], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    ours = Side(code=ROOT, python=sys.executable)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "hhp_stats", "benchmarks"], cwd=ROOT, check=True)
    if not only:
        skip = [*skip, *(f"{name} [{shape}" for name, shape, seconds in targets() if seconds > TOO_LONG)]
    rows = []
    with checked_out(commit) as theirs:
        measured = (_renderings, _estimators)
        for row in chain.from_iterable(part(ours, theirs, only, skip, rounds) for part in measured):  # as each is done
            print(row.line(), file=sys.stderr, flush=True)
            rows.append(row)
    heads = ("work", "this, s", f"{short}, s", "ratio", "at most", "kept", "runs", "peak, MiB", f"{short}, MiB")
    left = f" Left out of this run: {'; '.join(word.replace(' [', ', ') for word in skip)}." if skip else ""
    text = "\n".join(
        [
            f"# Speed beside {short}",
            "",
            f"Machine: {machine()}.",
            "",
            f"Whole calls in turn, ours and theirs; medians, and the median of the ratios pair by pair.{left}",
            "",
            f"| {' | '.join(heads)} |",
            "|---" + "|---:" * (len(heads) - 1) + "|",
            *(row.line() for row in rows),
            "",
        ]
    )
    if only:
        print(text)
    else:
        TABLE.write_text(text, encoding="utf-8")
        print(f"wrote {HERE.name}/{TABLE.name}")


def _chosen(title: str, only: str, skip: Sequence[str]) -> bool:
    return only in title and not any(word in title for word in skip)


def _rounds(pair_seconds: float, most: int, *, rendering: bool) -> int:
    """How often both sides are called, when one call of each takes so long."""
    allowed = MINUTES[rendering] * 60
    return 1 if pair_seconds > allowed else max(2, min(most, int(allowed / pair_seconds)))


def _renderings(ours: Side, theirs: Side, only: str, skip: Sequence[str], rounds: int) -> Iterator[Row]:
    """The first call of each side is not timed: its memory is looked at. Cases that begin with a rendered project share
    one.
    """
    from benchmarks.bench_render import KINDS, SHAPE, Project

    rendered: dict[Path, Path] = {}
    try:
        for name, kind in KINDS:
            if not _chosen(f"{name} [{SHAPE}]", only, skip):
                continue
            pair: list[Project] = [kind(side.code, side.python) for side in (ours, theirs)]
            for project in pair:
                project.prepare(rendered.get(project.code))
                if project.home is not None:
                    rendered[project.code] = project.home
            begun = perf_counter()
            peaks = [project().peak_mib for project in pair]
            count = _rounds(perf_counter() - begun, rounds, rendering=True)
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(count):
                for project, found in zip(pair, times, strict=True):
                    begun = perf_counter()
                    project()
                    found.append(perf_counter() - begun)
            yield Row(title=name, asked=ASKED[name], ours=times[0], theirs=times[1], peaks=(peaks[0], peaks[1]))
    finally:
        for home in rendered.values():
            shutil.rmtree(home.parent, ignore_errors=True)


def _estimators(ours: Side, theirs: Side, only: str, skip: Sequence[str], rounds: int) -> Iterator[Row]:
    """Cases that both sides have; each of the rounds is a process a side, whose median counts."""
    places, other_places = ours.cases(), theirs.cases()
    for title in places:
        if title not in other_places or not _chosen(title, only, skip):
            continue
        times: tuple[list[float], list[float]] = ([], [])
        peaks = [0.0, 0.0]
        begun = perf_counter()
        while True:
            for at, (side, place) in enumerate(((ours, places[title]), (theirs, other_places[title]))):
                found = json.loads(side.benchmarks("--case", *place).splitlines()[-1])
                times[at].append(float(found["seconds"]))
                peaks[at] = max(peaks[at], float(found["peak_mib"]))
            done, spent = len(times[0]), perf_counter() - begun
            if done >= _rounds(spent / done, rounds, rendering=False):
                break
        yield Row(title=title, asked=ESTIMATORS, ours=times[0], theirs=times[1], peaks=(peaks[0], peaks[1]))
