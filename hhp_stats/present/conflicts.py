"""A contradiction in the documents as a sentence of a chapter: what contradicts what, and what this report uses."""

from __future__ import annotations

import re
from pathlib import Path

from hhp_stats.errors import UnknownName
from hhp_stats.plan.conflicts import Conflict, load_conflicts
from hhp_stats.present.numbers import MINUS

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
