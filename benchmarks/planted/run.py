"""Plant one bug at a time in a throwaway copy of the project and see whether the tests notice.

    python -m benchmarks.planted.run --only present --only keys
    python -m benchmarks.planted.run --check

The bugs stand in `bugs.toml`: `id`, `kind`, `file`, `old` (which must stand there once) and `new`, and `tests`, the test files
that are the most likely to notice, with `only` (as for `pytest -k`) where few of their tests are. Without `tests`, those test files run that name the module. A bug counts as noticed
where a test fails; where the tests cannot even be collected it says so. Exit status: 0 all noticed, 1 not all, 2 a bug
does not fit the sources any more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUGS = Path(__file__).with_name("bugs.toml")
LEFT_OUT = (".git", ".venv", ".report", "_output", ".*_cache", "__pycache__", "figures", "releases", ".hypothesis")
SECONDS = 300  # of one bug's tests: an endless loop is noticed too


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


def try_bug(bug: Bug, root: Path) -> str:
    """Plant it in the copy `root`, run its tests, take it out again."""
    path = root / bug.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(bug.old, bug.new), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *bug.likely_tests(root)]
    command += ["-k", bug.only] if bug.only else []
    try:
        done = subprocess.run(
            command, cwd=root, env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "noticed"
    finally:
        path.write_text(whole, encoding="utf-8")
    broken = "errors during collection" in done.stdout or "ERROR collecting" in done.stdout
    return {0: "not noticed", 1: "noticed"}.get(done.returncode, "no tests") if not broken else "cannot be imported"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the chosen bugs and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planted.run", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", default=[], help="a kind, an id, or part of a file's path")
    parser.add_argument("--check", action="store_true", help="only whether every bug fits the sources")
    given = parser.parse_args(arguments)
    bugs = [
        bug
        for bug in load_bugs()
        if not given.only or any(w in (bug.kind, bug.id) or w in bug.file for w in given.only)
    ]
    unfit = [bug for bug in bugs if not bug.fits(ROOT)]
    for bug in unfit:
        print(f"{bug.id}: {bug.file} does not hold this once: {bug.old!r}")
    if given.check or not bugs or unfit:
        return 2 if unfit or not bugs else 0
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        home = Path(folder) / "project"
        shutil.copytree(ROOT, home, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for bug in bugs:
            began = time.monotonic()
            found[bug.id] = try_bug(bug, home)
            print(
                f"{bug.id:5} {bug.kind:12} {bug.file:55} {found[bug.id]:20} {time.monotonic() - began:4.0f} s",
                flush=True,
            )
    noticed = sum(result == "noticed" for result in found.values())
    print(
        f"\n{noticed} of {len(found)} noticed; not: {', '.join(key for key, result in found.items() if result != 'noticed') or 'none'}"
    )
    return 0 if noticed == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
