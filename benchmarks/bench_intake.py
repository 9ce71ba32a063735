"""How long does it take to read and check what authorities send? A return of 100,000 people, and the whole release."""

from __future__ import annotations

import atexit
import csv
import random
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import openpyxl

from hhp_stats.intake.check import CheckReport, check_returns
from hhp_stats.intake.dictionary import fields_of, load_dictionary

Case = tuple[str, str, Callable[[], object]]

ROOT = Path(__file__).resolve().parent.parent
PEOPLE = 100_000
MOST_MEMORY = 2 * 1024**3  # bytes, with everything that reads and checks


def rows(people: int, *, seed: int = 2019) -> Iterator[list[object]]:
    """A return as an authority fills it in: roles and gender in its own words, an error in every thousandth row."""
    fields = fields_of(load_dictionary(ROOT), "return", "endline")
    labels = {each.name: each.label for each in fields if not each.kind.startswith("header")}
    yield ["Local Authority:", "Kent"]
    yield ["Date data retrieved:", datetime(2019, 12, 23)]
    yield ["SYNTHETIC RELEASE"]
    yield list(labels.values())
    rng = random.Random(seed)
    for number in range(people):
        days = rng.choice((0, 0, 1, 2, 5))
        person = {
            "staff_id": f"KEN-{number:06d}",
            "team_id": f"KEN-T{number // 8:05d}",
            "role": rng.choice(("NQSW", "SW", "social worker")),
            "gender": "F" if number % 2 else "male",
            "service_months": rng.randint(1, 300),
            "illness_days": days,
            "overall_absence_days": -1 if number % 1000 == 999 else days + rng.randint(0, 20),
            "agency": "no",
            "left": "no",
            "illness_spells": int(days > 0),
            "part_time": "Y",
        }
        yield [person.get(name) for name in labels]


class CheckedReturn:
    """One return written before the clock starts, then read and checked; refuses to pass above the limit of memory."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.path = Path()

    def prepare(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="bench-intake-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self.path = folder / f"endline{self.suffix}"
        if self.suffix == ".xlsx":
            book = openpyxl.Workbook(write_only=True)
            sheet = book.create_sheet("Return")
            for row in rows(PEOPLE):
                sheet.append(row)
            book.save(self.path)
            return
        with self.path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerows(
                [each.date() if isinstance(each, datetime) else each for each in row] for row in rows(PEOPLE)
            )

    def __call__(self) -> CheckReport:
        report = check_returns(self.path, root=ROOT)
        if report.inputs["people"].tolist() != [PEOPLE] or report.counts()["error"] == 0:
            raise RuntimeError("the return was not read whole, or its errors were not found")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        if peak > MOST_MEMORY:
            raise RuntimeError(f"{peak / 2**30:.1f} GiB of memory, more than {MOST_MEMORY / 2**30:.0f} GiB")
        return report


def whole_release() -> CheckReport:
    """Every raw file of the goal-setting trial, as `hhp check` does."""
    return check_returns(ROOT)


def cases() -> list[Case]:
    """Every case to be timed: name, shape, call."""
    return [
        ("return read and checked", f"n={PEOPLE:,}, .xlsx", CheckedReturn(".xlsx")),
        ("return read and checked", f"n={PEOPLE:,}, .csv", CheckedReturn(".csv")),
        ("whole release checked", "24 returns, lists and surveys", whole_release),
    ]
