"""What the last frozen release printed and withheld: readers hold it beside the new one.

A number that was withheld stays withheld: printed now, it would give away what it protected then. A number that was
printed and has not changed hides nothing any more, so it cannot protect another one.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hhp_stats.results.withheld import WITHHELD

Where = tuple[str, str, str]  # table, row, column
RELEASES = "data/releases"
FILE = "people.csv"  # of a release: every place where a number of people stands, by study
COLUMNS = ("study", "table", "row", "column", "people")


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Places of one study in the last release: the numbers printed, and those withheld."""

    printed: Mapping[Where, int] = field(default_factory=dict)
    withheld: frozenset[Where] = frozenset()


def nothing_released() -> Released:
    """Before the first release."""
    return Released()


def last_released(root: Path, study: str) -> Released:
    """The places of `study` in the newest release below `root`; none where there is no release, or one without the
    list.
    """
    folders = sorted(path.parent for path in (root / RELEASES).glob(f"*/{FILE}"))
    if not folders:
        return nothing_released()
    printed: dict[Where, int] = {}
    withheld: set[Where] = set()
    with (folders[-1] / FILE).open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            if line["study"] != study:
                continue
            where = (line["table"], line["row"], line["column"])
            if line["people"] == WITHHELD:
                withheld.add(where)
            else:
                printed[where] = int(line["people"])
    return Released(printed=printed, withheld=frozenset(withheld))
