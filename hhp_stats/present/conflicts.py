"""Contradictions in the documents and departures from plans, in a chapter's sentences and the tables of appendix A."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.plan.conflicts import Conflict, Departure, load_conflicts
from hhp_stats.present.marked_text import code_entry
from hhp_stats.present.numbers import MINUS, MISSING
from hhp_stats.present.tables import text_table

KNOWN = "Known: stated where the authors say so themselves, shown where it follows from two printed facts."

_HYPHEN = re.compile(r"(?<!\w)-(?=\d)")


def conflict_in_words(root: Path, key: str) -> str:
    """What conflicts and what is used, with the conflict's code, which the pages link to its entry.

    Raises UnknownName for a code that the list of conflicts does not have.
    """
    entry = conflict_of(root, key)
    finding, reading = (" ".join(text.split()).rstrip(".") for text in (entry.finding, entry.reading))
    return _HYPHEN.sub(MINUS, f"{finding}. {reading} ({entry.id}).")


def conflict_of(root: Path, key: str) -> Conflict:
    """The conflict of a code; UnknownName for one that the list does not have."""
    for entry in load_conflicts(root):
        if entry.id == key:
            return entry
    raise UnknownName(f"data/plan/conflicts.toml has no conflict {key!r}")


def conflict_table(conflicts: Sequence[Conflict]) -> GT:
    """A line a conflict: what conflicts, the reading chosen, and which other reading is run as well."""
    rows = [
        {
            "Id": code_entry(conflict.id),
            "Topic": conflict.topic,
            "What conflicts": " ".join(conflict.finding.split()),
            "Reading": " ".join(conflict.reading.split()),
            "Also run": " ".join(conflict.sensitivity.split()) or MISSING,
        }
        for conflict in conflicts
    ]
    note = f"Also run: another reading whose results are reported as well; {MISSING} where there is none."
    return text_table(pd.DataFrame(rows), stub="Id", notes=[note])


def departure_table(departures: Sequence[Departure]) -> GT:
    """A line a departure: what was planned, what was done, how it is known, what it means."""
    rows = [
        {
            "Id": code_entry(departure.id),
            "Planned": " ".join(departure.planned.split()),
            "Done": " ".join(departure.done.split()),
            "Known": departure.status,
            "What it means": " ".join(departure.consequence.split()),
        }
        for departure in departures
    ]
    return text_table(pd.DataFrame(rows), stub="Id", notes=[KNOWN])
