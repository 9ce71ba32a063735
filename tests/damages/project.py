"""A copy of the data in which there is something to damage of every kind: a trial on a plain table and lines of the
ledger too. And readers that do not read again what no damage has touched.
"""

from __future__ import annotations

import hashlib
import pickle
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import formats
import openpyxl

from hhp_stats.intake import gather, participants
from hhp_stats.intake.correct import Change, append_corrections
from hhp_stats.intake.correct_table import append_table_corrections
from hhp_stats.intake.ledger import LEDGER
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.raw_files import MANIFEST

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests/unit"))
from table_trials import DICTIONARY as WALKS_DICTIONARY  # noqa: E402
from table_trials import KEY, walks, write_trial  # noqa: E402
from table_trials import PLAN as WALKS_PLAN  # noqa: E402

COMMON = ("data/dictionary.csv", "data/spellings.csv", LEDGER, MANIFEST)  # what every study reads beside its own files
AUTHORITY, WAVE = "Kent", "endline"


def whole_project(root: Path, *, other_formats: bool) -> None:
    """The copy. With `other_formats` some returns are CSV or OpenDocument, some exports SPSS, and the plain table is a
    workbook.
    """
    shutil.copytree(PROJECT / "data", root / "data", ignore=shutil.ignore_patterns("releases"))
    table = walks().assign(release="synthetic")
    plan = _with_sizes(WALKS_PLAN, table["offered"].value_counts().to_dict())
    plan = plan.replace("walks.csv", "walks.xlsx") if other_formats else plan
    write_trial(root, key=KEY, plan=plan, dictionary=WALKS_DICTIONARY, table=table, status="synthetic")
    if other_formats:
        csv_file = root / f"data/tables/{KEY}.csv"
        table.to_excel(csv_file.with_suffix(".xlsx"), index=False)
        csv_file.unlink()
    _correct(root)
    if other_formats:
        formats.other_formats(root)
    record_files(root)


def _with_sizes(plan: str, sizes: dict[str, int]) -> str:
    """A plan of the made-up trial that says how many people each arm has, as `hhp new` writes it."""
    for value, size in sizes.items():
        line = next(line for line in plan.splitlines() if line in (f'value = "{value}"', f"value = {value}"))
        plan = plan.replace(line, f"{line}\nrandomised = {size}")
    return plan


def _correct(root: Path) -> None:
    """Three lines of the ledger about people of a return, and one about a person of the plain table."""
    said = {"received_on": "2020-04-20", "reason": "counted again", "requested_by": "HR"}
    book = openpyxl.load_workbook(root / f"data/returns/goal_setting/{AUTHORITY.casefold()}/{WAVE}.xlsx").active
    rows = [list(row) for row in book.iter_rows(values_only=True)]
    heads = next(row for row in rows if row and row[0] == "Unique Staff ID")
    days = next(at for at, name in enumerate(heads) if name and "overall" in str(name).casefold())
    absent = [row for row in rows[rows.index(heads) + 1 :] if isinstance(row[days], int | float) and row[days] > 3]
    record_files(root)
    for row in absent[:3]:
        change = Change(field="overall_absence_days", new_value=str(row[days] + 0.5))
        append_corrections(root, wave=WAVE, authority=AUTHORITY, staff_id=str(row[0]), changes=[change], **said)
    change = Change(field="steps_6", new_value="7.5")
    append_table_corrections(root, study=KEY, person="P0003", changes=[change], **said)


@contextmanager
def kept_readings() -> Iterator[Callable[[bool], None]]:
    """While this lasts, what a reader said of a file is kept until the file changes, and plans are parsed once.

    Gives a function that turns the memory off (True) while a file that decides how others are read is damaged.
    """
    memory: dict[Any, bytes] = {}
    off = False

    def remembered(reader: Callable[..., Any]) -> Callable[..., Any]:
        def read(path: Path, **how: Any) -> Any:
            if off or not Path(path).is_file():
                return reader(path, **how)
            key = (str(path), hashlib.sha256(Path(path).read_bytes()).digest(), how.get("wave"))
            if key not in memory:
                memory[key] = pickle.dumps(reader(path, **how))
            return pickle.loads(memory[key])

        return read

    places = [(gather, "read_return"), (gather, "read_survey"), (participants, "read_survey")]
    before = [(module, name, getattr(module, name)) for module, name in places]
    loads = tomllib.loads

    @lru_cache(maxsize=256)
    def parsed(text: str) -> bytes:
        return pickle.dumps(loads(text))

    def turn_off(now: bool) -> None:
        nonlocal off
        off = now

    for module, name, reader in before:
        setattr(module, name, remembered(reader))
    tomllib.loads = lambda text: pickle.loads(parsed(text))  # type: ignore[assignment]
    try:
        yield turn_off
    finally:
        for module, name, reader in before:
            setattr(module, name, reader)
        tomllib.loads = loads
