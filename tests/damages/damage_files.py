"""Damage one raw file at a time, at random: is it refused in words, read right, or does a number move in silence?

    python tests/damages/damage_files.py [--damages 2000] [--seed 1] [--study swing] [--other-formats] [--record]

Works in a copy of `data/` below the folder for temporary files; the project is not touched. Each damage is a file of a
study (or one that all read: dictionary, spellings, ledger, manifest), one of the damages of `files.py`, and what the
study's reader says of it: refused (errors), warned (a new warning that names the column or the cell), silent (the same data, or data from which no planned
comparison moves by more than 0.2 standard errors), MOVED (one does, without a word), CRASH (anything but a refusal in
words), SLOW (more than ten seconds of processor time). Prints a table by study and kind of damage; status 1 where
anything moved, crashed or was slow. What was run, and what came of it, stands in `runs.csv` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import files
import studies
from project import COMMON, kept_readings, whole_project
from pyreadstat import PyreadstatError
from studies import READERS, Reading

from hhp_stats.errors import DataError, PlanError
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.raw_files import MANIFEST, raw_files_of

LIMIT = 0.2  # standard errors
SECONDS = 10.0
BAD = ("MOVED", "CRASH", "SLOW")
OUTCOMES = ("refused", "warned", "silent", *BAD)
RUNS = Path(__file__).parent / "runs.csv"


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
    made: str  # what tells two damages of a file apart (`files.digest`)


def _words(problems: object) -> Counter:
    said = problems.to_dict("records")  # type: ignore[attr-defined]
    return Counter((p["code"], p["severity"], p["file"], p["cell"], f"{p['value']} {p['remedy']}") for p in said)


def _moved(clean: dict[str, tuple[float, float]], now: dict[str, tuple[float, float]]) -> tuple[str, float]:
    """The estimate that moved most, in standard errors of the clean one."""
    gaps = {
        name: abs(now.get(name, (float("nan"), 0))[0] - estimate) / error if error > 0 else 0.0
        for name, (estimate, error) in clean.items()
    }
    gaps = {name: 99.0 if gap != gap else gap for name, gap in gaps.items()}
    return max(gaps.items(), key=lambda each: each[1], default=("", 0.0))


def _names(new: Counter, damaged: files.Damaged) -> bool:
    """Whether a new error or warning names one of the columns, by heading or letter (or the damage concerns none)."""
    told = [f"{cell} {value}".casefold() for _, severity, _, cell, value in new if severity != "note"]
    headings = [each.casefold() for each in damaged.columns.split("|") if each]
    letters = [re.compile(rf"\b{each.casefold()}\d*\b") for each in damaged.letters]
    return not headings or any(
        any(head in text for head in headings) or any(letter.search(text) for letter in letters) for text in told
    )


class Trials:
    """A copy of the data, the clean reading of each study, and one damage after the other."""

    def __init__(
        self,
        root: Path,
        *,
        turn_off: Callable[[bool], None],
        other_formats: bool = False,
        suffixes: tuple[str, ...] = (),
    ) -> None:
        self.root, self._turn_off, self._suffixes = root, turn_off, suffixes
        whole_project(root, other_formats=other_formats)
        self._clean: dict[str, tuple[Reading, dict[str, tuple[float, float]]]] = {}

    def clean(self, study: str) -> tuple[Reading, dict[str, tuple[float, float]]]:
        """The reading of the undamaged files, made once."""
        if study not in self._clean:
            reading = READERS[study](self.root)
            self._clean[study] = (reading, reading.estimates())
        return self._clean[study]

    def _file(self, study: str, rng: random.Random) -> str:
        """A raw file of the study; one time in eight its plan, or what every study reads: dictionary, spellings, ledger,
        manifest.
        """
        plan = [f"data/plan/{study}{end}" for end in (".toml", ".dictionary.csv")]
        common = [*COMMON, *(own for own in plan if (self.root / own).is_file())]
        raw = [name for name in raw_files_of(self.root, study) if not name.endswith((".json", ".toml"))]
        if self._suffixes:
            return rng.choice([each for each in (*common, *raw) if each.endswith(self._suffixes)])
        return rng.choice(common if rng.random() < 1 / 8 else raw)

    def one(self, number: int, study: str, rng: random.Random) -> Result:
        """One damage, what the reader says, and the files put back."""
        self.clean(study)
        file = self._file(study, rng)
        path, kept = self.root / file, (self.root / file).read_bytes()
        manifest, recorded = self.root / MANIFEST, (self.root / MANIFEST).read_bytes()
        kind, name = rng.choice(files.names_of(path))
        damaged, made, before = files.Damaged(), "", files.digest(path)
        try:
            try:
                damaged = files.damage(path, kind, name, rng)
            except (StopIteration, UnicodeError, IndexError, ValueError, OverflowError, PyreadstatError) as error:
                outcome, said = "silent", f"not applicable: {type(error).__name__}"
            else:
                made = "" if files.digest(path) == before else files.digest(path)  # nothing was there to change
                if file != MANIFEST:
                    record_files(self.root)
                self._turn_off(file in COMMON or file.startswith("data/plan/"))
                started = time.process_time()
                outcome, said = self._judge(study, damaged)
                if time.process_time() - started > SECONDS:
                    outcome, said = "SLOW", f"{time.process_time() - started:.0f} s; {outcome} {said}"
        finally:
            self._turn_off(False)
            path.with_suffix(".xls").unlink(missing_ok=True)
            path.write_bytes(kept)
            manifest.write_bytes(recorded)
        return Result(
            number=number,
            study=study,
            file=file,
            kind=kind,
            name=name,
            column=damaged.columns,
            outcome=outcome,
            said=said,
            made=made,
        )

    def _judge(self, study: str, damaged: files.Damaged) -> tuple[str, str]:
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
        if warnings and _names(new, damaged):
            return "warned", " ".join(warnings)
        if now.frame.shape == reading.frame.shape and now.frame.equals(reading.frame):
            return "silent", "the same data"
        try:
            name, gap = _moved(estimates, now.estimates())
        except PlanError as error:
            return "refused", f"plan: {error}"[:90]
        except Exception as error:
            return "MOVED", f"no estimates: {type(error).__name__}"
        others = sorted({code for code, *_ in new})
        return ("MOVED" if gap > LIMIT else "silent"), f"{name} by {gap:.2f} standard errors" + (
            f"; beside {' '.join(others)}" if others else ""
        )


def run(
    *,
    damages: int,
    seed: int,
    only: tuple[str, ...] = (),
    other_formats: bool = False,
    suffixes: tuple[str, ...] = (),
    say: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """So many damages, the studies at random; every third one of the trial with returns, which has most files.

    With `other_formats` some returns are CSV, OpenDocument or .xlsm, some exports SPSS and the plain table is a workbook;
    `suffixes` leaves only files of these types.
    """
    rng = random.Random(seed)
    others = [study for study in READERS if study != "goal_setting"]
    results = []
    with tempfile.TemporaryDirectory(prefix="hhp-damages-") as folder, kept_readings() as turn_off:
        trials = Trials(Path(folder) / "project", turn_off=turn_off, other_formats=other_formats, suffixes=suffixes)
        for number in range(damages):
            study = rng.choice(only) if only else "goal_setting" if number % 3 == 1 else rng.choice(others)
            result = trials.one(number, study, random.Random(f"{seed} {number}"))
            results.append(result)
            say(result)
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


def record(results: list[Result], *, seed: int, form: str, seen: set[tuple[str, ...]]) -> None:
    """A line of `runs.csv`: how many damages, how many of them no earlier seed of this call made, and what came of
    them.
    """
    made = {(result.study, result.file, result.name, result.made) for result in results if result.made}
    counts = Counter(result.outcome for result in results)
    with RUNS.open("a", encoding="utf-8", newline="") as file:
        line = [seed, len(results), len(made - seen), form, *(counts[name] for name in OUTCOMES), ""]
        csv.writer(file, lineterminator="\n").writerow(line)
    seen |= made


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--damages", type=int, default=2000, help="of each seed")
    parser.add_argument("--seed", type=int, action="append", help="each is a run of its own")
    parser.add_argument("--study", action="append", default=[], choices=sorted(studies.READERS))
    parser.add_argument("--other-formats", action="store_true", help="some files as CSV, OpenDocument and SPSS")
    parser.add_argument("--suffix", action="append", default=[], help="only files of this type: .qsf")
    parser.add_argument("--json", type=Path, help="add every result there, a line each")
    parser.add_argument("--record", action="store_true", help="add a line for each seed to runs.csv")
    asked = parser.parse_args()

    def say(result: Result) -> None:
        line = json.dumps(asdict(result))
        if result.outcome in BAD:
            print(line, flush=True)
        if asked.json:
            with asked.json.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    everything: list[Result] = []
    seen: set[tuple[str, ...]] = set()
    form = (
        "some as CSV, OpenDocument, SPSS and .xlsm, one export with its definition"
        if asked.other_formats
        else "as they are"
    )
    only, suffixes = tuple(asked.study), tuple(asked.suffix)
    if suffixes and not only:
        parser.error("--suffix needs the --study that has such files")
    form += f"; {' '.join(suffixes)} alone" if suffixes else ""
    for seed in asked.seed or [1]:
        results = run(
            damages=asked.damages,
            seed=seed,
            only=only,
            other_formats=asked.other_formats,
            suffixes=suffixes,
            say=say,
        )
        everything += results
        if asked.record:
            record(results, seed=seed, form=form, seen=seen)
    print(table(everything))
    return int(any(result.outcome in BAD for result in everything))


if __name__ == "__main__":
    sys.exit(main())
