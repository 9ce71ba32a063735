"""Damage one raw file at a time, at random: is it refused in words, read right, or does a number move in silence?

    python tests/damages/damage_files.py [--damages 2000] [--seed 1] [--study swing] [--other-formats] [--json FILE]

Works in a copy of `data/` below the folder for temporary files; the project is not touched. Each damage is a file of a
study, one of the damages of `files.py`, and what the study's reader says of it: refused (errors), warned (a new
warning of the damaged file that names the column or the cell), silent (the same data, or data from which no planned
comparison moves by more than 0.2 standard errors), MOVED (one does, without a word), CRASH (anything but a refusal in
words), SLOW (more than ten seconds of processor time). Prints a table by study and kind of damage; status 1 where
anything moved, crashed or was slow. What was run, and what came of it, stands in `runs.csv` beside this file.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import files
import formats
import studies
from pyreadstat import PyreadstatError
from studies import READERS, Reading

from hhp_stats.errors import DataError, PlanError
from hhp_stats.intake import returns
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.raw_files import raw_files_of

PROJECT = Path(__file__).resolve().parents[2]
LIMIT = 0.2  # standard errors
SECONDS = 10.0
OUTCOMES = ("refused", "warned", "silent", "MOVED", "CRASH", "SLOW")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one damage."""

    number: int
    study: str
    file: str
    kind: str
    name: str
    column: str
    outcome: str
    said: str


def _words(problems: object) -> Counter:
    return Counter((p["code"], p["severity"], p["file"], p["cell"], p["value"]) for p in problems.to_dict("records"))  # type: ignore[attr-defined]


def _moved(clean: dict[str, tuple[float, float]], now: dict[str, tuple[float, float]]) -> tuple[str, float]:
    """The estimate that moved most, in standard errors of the clean one."""
    gaps = {
        name: abs(now.get(name, (float("nan"), 0))[0] - estimate) / error if error > 0 else 0.0
        for name, (estimate, error) in clean.items()
    }
    gaps = {name: 99.0 if gap != gap else gap for name, gap in gaps.items()}
    return max(gaps.items(), key=lambda each: each[1], default=("", 0.0))


class Trials:
    """A copy of the data, the clean reading of each study, and one damage after the other."""

    def __init__(self, root: Path, *, other_formats: bool = False) -> None:
        self.root = root
        shutil.copytree(PROJECT / "data", root / "data", ignore=shutil.ignore_patterns("releases"))
        if other_formats:
            formats.other_formats(root)
        record_files(root)
        self._clean: dict[str, tuple[Reading, dict[str, tuple[float, float]]]] = {}
        self._grids: dict[tuple[str, int, int], object] = {}
        self._read_grid = returns.read_grid
        returns.read_grid = self._kept_grid  # type: ignore[assignment]

    def close(self) -> None:
        """The reader of workbooks as it was."""
        returns.read_grid = self._read_grid

    def _kept_grid(self, path: Path, **how: object) -> object:
        """Workbooks that are as they were are not read again: they have no part in a damage."""
        key = (path.as_posix(), path.stat().st_mtime_ns, path.stat().st_size)
        if key not in self._grids:
            self._grids[key] = self._read_grid(path, **how)  # type: ignore[arg-type]
        return self._grids[key]

    def clean(self, study: str) -> tuple[Reading, dict[str, tuple[float, float]]]:
        """The reading of the undamaged files, made once."""
        if study not in self._clean:
            reading = READERS[study](self.root)
            self._clean[study] = (reading, reading.estimates())
        return self._clean[study]

    def one(self, number: int, study: str, rng: random.Random) -> Result:
        """One damage, what the reader says, and the file put back."""
        self.clean(study)
        file = rng.choice([name for name in raw_files_of(self.root, study) if not name.endswith((".json", ".toml"))])
        path, kept = self.root / file, (self.root / file).read_bytes()
        kind, name = rng.choice(files.names_of(path))
        column, outcome, said = "", "", ""
        try:
            try:
                column = files.damage(path, kind, name, rng)
            except (StopIteration, UnicodeError, IndexError, ValueError, OverflowError, PyreadstatError) as error:
                return Result(
                    number=number,
                    study=study,
                    file=file,
                    kind=kind,
                    name=name,
                    column="",
                    outcome="silent",
                    said=f"not applicable: {type(error).__name__}",
                )
            record_files(self.root)
            started = time.process_time()
            outcome, said = self._judge(study, file, column)
            if time.process_time() - started > SECONDS:
                outcome, said = "SLOW", f"{time.process_time() - started:.0f} s; {outcome} {said}"
        finally:
            path.write_bytes(kept)
        return Result(
            number=number, study=study, file=file, kind=kind, name=name, column=column, outcome=outcome, said=said
        )

    def _judge(self, study: str, file: str, column: str) -> tuple[str, str]:
        reading, estimates = self.clean(study)
        try:
            now = READERS[study](self.root)
        except DataError as error:
            codes = Counter(problem.code for problem in error.problems)
            return "refused", " ".join(sorted(codes))
        except PlanError as error:
            return "refused", f"plan: {error}"[:90]
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            return "CRASH", f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        new = _words(now.problems) - _words(reading.problems)
        warnings = sorted({code for code, severity, *_ in new if severity == "warning"})
        if warnings:
            return "warned", " ".join(warnings)
        if now.frame.shape == reading.frame.shape and now.frame.equals(reading.frame):
            return "silent", "the same data"
        try:
            name, gap = _moved(estimates, now.estimates())
        except Exception as error:
            return "MOVED", f"no estimates: {type(error).__name__}"
        notes = sorted({code for code, severity, *_ in new if severity == "note"})
        return ("MOVED" if gap > LIMIT else "silent"), f"{name} by {gap:.2f} standard errors" + (
            f"; notes {' '.join(notes)}" if notes else ""
        )


def run(
    *, damages: int, seed: int, only: tuple[str, ...] = (), quiet: bool = False, other_formats: bool = False
) -> list[Result]:
    """So many damages, the studies in turn; the trial with returns every second time, since it has most files.

    With `other_formats` some returns are CSV or OpenDocument and some exports SPSS (`formats.other_formats`).
    """
    rng = random.Random(seed)
    others = [study for study in READERS if study != "goal_setting"]
    results = []
    with tempfile.TemporaryDirectory(prefix="hhp-damages-") as folder:
        trials = Trials(Path(folder) / "project", other_formats=other_formats)
        try:
            for number in range(damages):
                study = rng.choice(only) if only else "goal_setting" if number % 2 else rng.choice(others)
                result = trials.one(number, study, random.Random(f"{seed} {number}"))
                results.append(result)
                if not quiet and (result.outcome in ("MOVED", "CRASH", "SLOW")):
                    print(
                        f"{result.number}: {result.outcome} {result.file}, {result.name} ({result.column}):"
                        f" {result.said}",
                        flush=True,
                    )
        finally:
            trials.close()
    return results


def table(results: list[Result]) -> str:
    """Outcomes by study and by kind of damage."""
    lines = [f"{'':34}" + "".join(f"{name:>9}" for name in OUTCOMES)]
    for key in ("study", "kind"):
        for value in sorted({getattr(result, key) for result in results}):
            counts = Counter(result.outcome for result in results if getattr(result, key) == value)
            lines.append(f"{value:34}" + "".join(f"{counts[name]:9}" for name in OUTCOMES))
    counts = Counter(result.outcome for result in results)
    return "\n".join([*lines, f"{'all':34}" + "".join(f"{counts[name]:9}" for name in OUTCOMES)])


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--damages", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--study", action="append", default=[], choices=sorted(studies.READERS))
    parser.add_argument("--other-formats", action="store_true", help="some files as CSV, OpenDocument and SPSS")
    parser.add_argument("--json", type=Path, help="write every result there")
    asked = parser.parse_args()
    results = run(damages=asked.damages, seed=asked.seed, only=tuple(asked.study), other_formats=asked.other_formats)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(result) for result in results], indent=1), encoding="utf-8")
    print(table(results))
    return int(any(result.outcome in ("MOVED", "CRASH", "SLOW") for result in results))


if __name__ == "__main__":
    sys.exit(main())
