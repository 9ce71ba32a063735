"""How long does a rendering of the whole report take: from nothing, with nothing changed, after a correction, after
an edit?

Each call is the command a user types, in a process of its own, on a copy of this project. Memory is that of the
process and everything it started, together, looked at twice a second in the first call, which is not timed where there
are others: looking takes time of the cores that are measured.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
from openpyxl import load_workbook

ROOT = Path(__file__).resolve().parents[1]
RETURN = "data/returns/goal_setting/bromley/endline.xlsx"
LABELS = ("Illness related absence", "Overall absence", "Left the authority", "Start date")
SHAPE = "9 studies, 21 pages, HTML and PDF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a call needed beside time."""

    peak_mib: float


def memory_of(process: psutil.Process) -> float:
    """Memory of a process and its descendants in MiB; pages that they share count once."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            rollup = Path(f"/proc/{one.pid}/smaps_rollup")
            if rollup.exists():
                total += (
                    sum(int(line.split()[1]) for line in rollup.read_text().splitlines() if line.startswith("Pss:"))
                    / 1024
                )
            else:
                total += one.memory_info().rss / 2**20
        except (psutil.Error, OSError):
            continue
    return total


def compiled_environment(code: Path) -> dict[str, str]:
    """Of a process that runs the package at `code`, compiled as the Makefile installs it: not by each process anew."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment | {"PYTHONPATH": str(code)}


class Project:
    """A copy of the project in which `hhp render` is called again and again.

    `code` is the checkout that is measured, sources and data included, and `python` the interpreter that runs it:
    this one and ours, unless another commit is measured beside it (`benchmarks.against`).
    """

    def __init__(self, code: Path = ROOT, python: str = sys.executable) -> None:
        self.code, self.python = code, python
        self.home: Path | None = None
        self.days = 0
        self.looked = False

    def copy(self) -> Path:
        """Sources and data, nothing that was made."""
        home = Path(tempfile.mkdtemp(prefix="hhp-bench")) / "project"
        skipped = shutil.ignore_patterns("figures", "releases")
        for name in ("data", "report"):
            shutil.copytree(self.code / name, home / name, ignore=skipped)
        for file in [*self.code.glob("*.qmd"), self.code / "_quarto.yml", self.code / "requirements.lock"]:
            shutil.copy(file, home / file.name)
        return home

    def render(self, home: Path) -> Measured:
        process = psutil.Popen(
            [self.python, "-m", "hhp_stats", "render"],
            cwd=home,
            env=compiled_environment(self.code),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        peak = 0.0
        if self.looked:
            process.wait()
        self.looked = True
        while process.returncode is None:
            try:
                process.wait(timeout=0.2 if peak == 0 else 0.5)
            except psutil.TimeoutExpired:
                peak = max(peak, memory_of(process))
        if process.returncode:
            raise SystemExit(process.stderr.read().decode())
        return Measured(peak_mib=peak)

    def prepare(self, rendered: Path | None = None) -> None:
        """A project that was rendered before: that of another case, where there is one."""
        self.home = rendered or self.copy()
        self.render(self.home)
        self.looked = False

    def done(self) -> None:
        """Leave nothing behind."""
        if self.home is not None:
            shutil.rmtree(self.home.parent)


class FromNothing(Project):
    """No results, no kept outputs."""

    def prepare(self, rendered: Path | None = None) -> None:
        """Nothing to prepare."""

    def __call__(self) -> Measured:
        home = self.copy()
        try:
            return self.render(home)
        finally:
            shutil.rmtree(home.parent)


class NothingChanged(Project):
    """The second of two renderings."""

    def __call__(self) -> Measured:
        return self.render(self.home)


class SentenceEdited(Project):
    """A sentence more in the chapter of the flagship trial."""

    def __call__(self) -> Measured:
        with (self.home / "report/02-goal-setting.qmd").open("a", encoding="utf-8") as chapter:
            self.days += 1
            chapter.write(f"\nA sentence that is new{' indeed' * self.days}.\n")
        return self.render(self.home)


class AuthorityCorrected(Project):
    """One more day of illness for one member of staff, through the ledger: most results of the trial move."""

    def prepare(self, rendered: Path | None = None) -> None:
        """A project that was rendered before, and who was ill."""
        super().prepare(rendered)
        self.someone = someone(self.home)

    def __call__(self) -> Measured:
        correct(self.home, *self.someone, before=self.days)
        self.days += 1
        return self.render(self.home)


def correct(home: Path, staff: str, found: dict[str, float], *, before: int) -> None:
    """Enter a day of illness for a member of staff of one authority; `before` days have been entered so far."""
    with (home / "data/corrections.csv").open("a", encoding="utf-8") as ledger:
        for field, old in found.items():
            ledger.write(
                f"B{before}-{field},2020-04-20,goal_setting,endline,Bromley,{staff},{field},{old + before:g},"
                f"{old + before + 1:g},a day was missed,authority\n"
            )


def someone(home: Path) -> tuple[str, dict[str, float]]:
    """A member of staff who was ill: identifier, and days by field as returned."""
    rows = list(load_workbook(home / RETURN, data_only=True)["Return"].iter_rows(values_only=True))
    top = next(n for n, row in enumerate(rows) if row[0] == "Unique Staff ID")
    place = {label: next(n for n, text in enumerate(rows[top]) if text and label in str(text)) for label in LABELS}
    for row in rows[top + 1 :]:
        ill, total, left, started = (row[place[label]] for label in LABELS)
        known = isinstance(ill, int | float) and isinstance(total, int | float)
        if known and 3 <= ill <= 20 and str(left).lower() == "no" and started is None:
            return str(row[0]), {"illness_days": float(ill), "overall_absence_days": float(total)}
    raise SystemExit(f"nobody in {RETURN} has the pattern that this case corrects")


KINDS: tuple[tuple[str, type[Project]], ...] = (
    ("render, from nothing", FromNothing),
    ("render, nothing changed", NothingChanged),
    ("render, one sentence edited", SentenceEdited),
    ("render, one authority corrected", AuthorityCorrected),
)


def cases() -> list[tuple[str, str, Project]]:
    """Every case to be timed: name, shape, call."""
    return [(name, SHAPE, kind()) for name, kind in KINDS]
