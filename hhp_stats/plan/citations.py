"""Which clauses of the protocol may a plan cite?"""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from pathlib import Path

from hhp_stats.plan.records import plan_text

CLAUSES = "data/published/protocol_clauses.csv"


def known_clauses(root: Path) -> frozenset[str]:
    """Ids of all protocol clauses, from `data/published/protocol_clauses.csv`."""
    return _clause_ids(plan_text(root, CLAUSES))


@lru_cache(maxsize=8)
def _clause_ids(text: str) -> frozenset[str]:
    return frozenset(row["clause_id"] for row in csv.DictReader(io.StringIO(text, newline="")))
