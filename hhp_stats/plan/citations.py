"""Which clauses of the protocols and reports may a plan cite, and what does each commit to?"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hhp_stats.plan.records import plan_text

CLAUSES = "data/published/protocol_clauses.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedClause:
    """One commitment of a protocol, or of a report that says what its protocol was."""

    id: str
    about: str  # the study, "" for a whole phase
    commitment: str  # in our words, as it is printed
    conflicts: tuple[str, ...]


def known_clauses(root: Path) -> frozenset[str]:
    """Ids of all protocol clauses, from `data/published/protocol_clauses.csv`."""
    return frozenset(clause.id for clause in cited_clauses(root))


def cited_clauses(root: Path) -> tuple[CitedClause, ...]:
    """Every clause of `data/published/protocol_clauses.csv`, in its order."""
    return _clauses(plan_text(root, CLAUSES))


@lru_cache(maxsize=8)
def _clauses(text: str) -> tuple[CitedClause, ...]:
    return tuple(
        CitedClause(
            id=row["clause_id"],
            about=row["about"],
            commitment=row["commitment"],
            conflicts=tuple(name for name in row["conflicts_with"].split(";") if name),
        )
        for row in csv.DictReader(io.StringIO(text, newline=""))
    )
