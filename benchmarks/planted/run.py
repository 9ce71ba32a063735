"""Plant one bug at a time in a throwaway copy of the project and see whether the tests notice.

    python -m benchmarks.planted.run --only present --only keys
    python -m benchmarks.planted.run --only G03 --record
    python -m benchmarks.planted.run --check

The bugs stand in `bugs.toml`: `id`, `kind`, `file`, `old` (which must stand there once) and `new`, and `tests`, the
test files that are the most likely to notice, with `only` (as for `pytest -k`) where few of their tests are. Without
`tests`, those test files run that name the module; none of the tests marked slow, which `make test` leaves out as
well. A bug counts as noticed where a test fails; where the tests cannot even be collected it says so. `--record`
enters the verdicts in `VERDICTS.md`. At the end the tests that failed run once more without any bug: they must pass.
Exit status: 0 all noticed, 1 not all, 2 a bug does not fit the sources any more.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pytest

from benchmarks.planted import verdicts
from benchmarks.run import machine

ROOT = Path(__file__).resolve().parents[2]
BUGS = Path(__file__).with_name("bugs.toml")
LEFT_OUT = (".git", ".venv", ".report", "_output", ".*_cache", "__pycache__", "figures", "releases", ".hypothesis")
SECONDS = 300  # of one bug's tests: an endless loop is noticed too
LIBRARIES = (
    "pandas",
    "scipy.stats",
    "scipy.optimize",
    "scipy.linalg",
    "matplotlib.pyplot",
    "great_tables",
    "statsmodels.api",
    "openpyxl",
    "joblib",
    "typer",
    "lxml.html",
)
PLUGIN = "benchmarks.planted.kept_fixtures"
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", flags=re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One change of one line that a test should notice."""

    id: str
    kind: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    only: str = ""  # which of their tests: what `pytest -k` takes

    def fits(self, root: Path) -> bool:
        """Whether the text to be changed stands once in its file."""
        path = root / self.file
        return path.is_file() and path.read_text(encoding="utf-8").count(self.old) == 1

    def likely_tests(self, root: Path) -> list[str]:
        """The named tests, else every test file that names the module."""
        if self.tests:
            return list(self.tests)
        module = self.file.removesuffix(".py").replace("/", ".")
        parent, _, name = module.rpartition(".")
        return [
            path.relative_to(root).as_posix()
            for path in sorted((root / "tests").rglob("test_*.py"))
            for text in (path.read_text(encoding="utf-8"),)
            if module in text or (f"from {parent} import" in text and name in text)
        ]


def load_bugs(path: Path = BUGS) -> list[Bug]:
    """The table; refuses two bugs of one id."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["bug"]
    bugs = [Bug(**{**entry, "tests": tuple(entry.get("tests", ()))}) for entry in entries]
    if len({bug.id for bug in bugs}) != len(bugs):
        raise ValueError(f"{path.name}: an id stands twice")
    return bugs


def run_tests(home: Path, kept: Path, folder: str, chosen: Sequence[str]) -> tuple[int, str, list[str]]:
    """Run tests of the copy `home`: exit status, what was printed, ids of those that failed; 1 for an endless loop.

    In a copy of this process, which has the libraries loaded but no module of the project.
    """
    arguments = [
        "-q",
        "-m",
        "not slow",
        "-p",
        "no:cacheprovider",
        "-p",
        PLUGIN,
        "--basetemp",
        str(kept / folder),
        *chosen,
    ]
    said = kept / f"{folder}.txt"
    child = os.fork()
    if child == 0:
        _become_tests(home, kept, said, arguments)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            printed = said.read_text(encoding="utf-8", errors="replace")
            return os.waitstatus_to_exitcode(status), printed, FAILED.findall(printed)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 1, "", [f"no end after {SECONDS} s"]


def _become_tests(home: Path, kept: Path, said: Path, arguments: list[str]) -> NoReturn:
    """In the copied process: run the tests and end."""
    status = 3  # what pytest calls an internal error
    try:
        os.setsid()
        with said.open("w", encoding="utf-8") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.chdir(home)
        sys.path.insert(0, str(home))
        sys.dont_write_bytecode = True
        os.environ |= {"PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PLANTED_KEPT": str(kept)}
        status = int(pytest.main(arguments))
        sys.stdout.flush()
    finally:
        os._exit(status)


def try_bug(bug: Bug, home: Path, kept: Path) -> tuple[str, str]:
    """Plant it in the copy `home`, run its tests, take it out again; the verdict, and the test that failed."""
    path = home / bug.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(bug.old, bug.new), encoding="utf-8")
    try:
        chosen = ["-x", *bug.likely_tests(home), *(["-k", bug.only] if bug.only else [])]
        status, printed, failed = run_tests(home, kept, bug.id, chosen)
    finally:
        path.write_text(whole, encoding="utf-8")
    if "errors during collection" in printed or "ERROR collecting" in printed:
        return "cannot be imported", ""
    return {0: "not noticed", 1: "noticed"}.get(status, "no tests"), failed[0] if failed else ""


def fail_anyway(noticed_by: Sequence[str], home: Path, kept: Path) -> set[str]:
    """Those of the tests that fail in the unchanged sources too, so that they prove nothing."""
    tests = sorted({test for test in noticed_by if "::" in test})
    return set(run_tests(home, kept, "unchanged", tests)[2]) if tests else set()


def commit() -> str:
    """The commit that the sources stand at, with a mark where more than the table was changed since."""

    def asked(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    others = f":!{verdicts.TABLE.relative_to(ROOT).as_posix()}"
    changed = asked("status", "--porcelain", "--untracked-files=no", "--", ".", others)
    return asked("rev-parse", "--short=7", "HEAD") + ("-changed" if changed else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the chosen bugs and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planted.run", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", default=[], help="a kind, an id, or part of a file's path")
    parser.add_argument("--unrecorded", action="store_true", help="only those without a verdict in the table")
    parser.add_argument("--check", action="store_true", help="only whether every bug fits the sources")
    parser.add_argument("--record", action="store_true", help=f"enter the verdicts in {verdicts.TABLE.name}")
    given = parser.parse_args(arguments)
    known = load_bugs()
    recorded = verdicts.read()
    chosen = [
        bug
        for bug in known
        if (not given.only or any(word in (bug.kind, bug.id) or word in bug.file for word in given.only))
        and not (given.unrecorded and bug.id in recorded)
    ]
    unfit = [bug for bug in chosen if not bug.fits(ROOT)]
    for bug in unfit:
        print(f"{bug.id}: {bug.file} does not hold this once: {bug.old!r}")
    if given.check or not chosen:
        return 2 if unfit or not chosen else 0
    found: dict[str, verdicts.Verdict] = {}
    at = commit()
    for library in LIBRARIES:
        import_module(library)

    def enter() -> None:
        if given.record:
            verdicts.write({**recorded, **found}, order=[bug.id for bug in known], machine=machine())

    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        home, kept = Path(folder) / "project", Path(folder) / "kept"
        shutil.copytree(ROOT, home, ignore=shutil.ignore_patterns(*LEFT_OUT))
        kept.mkdir()
        for bug in chosen:
            if bug in unfit:
                continue
            began = time.monotonic()
            verdict, by = try_bug(bug, home, kept)
            took = f"{time.monotonic() - began:.0f}"
            print(f"{bug.id:5} {bug.kind:12} {bug.file:55} {verdict:12} {took:>4} s  {by}", flush=True)
            found[bug.id] = verdicts.Verdict(
                bug=bug.id,
                kind=bug.kind,
                file=bug.file.removeprefix("hhp_stats/"),
                verdict=verdict,
                noticed_by=by,
                seconds=took,
                day=f"{dt.date.today()}",
                commit=at,
            )
            enter()
        anyway = fail_anyway([one.noticed_by for one in found.values()], home, kept)
    for key, one in found.items():
        if one.noticed_by in anyway:
            print(f"{key}: {one.noticed_by} fails without the bug too")
            found[key] = dataclasses.replace(one, verdict="its test fails anyway")
    enter()
    missed = [key for key, one in found.items() if one.verdict != "noticed"]
    print(f"\n{len(found) - len(missed)} of {len(found)} noticed; not: {', '.join(missed) or 'none'}")
    return 2 if unfit else 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
