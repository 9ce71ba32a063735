"""Which pages speak of one study alone: there a result may be named without its study."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.clauses import CLAUSES_IN, protocol_study
from hhp_stats.plan.programme import PROGRAMME


def studies_of_pages(root: Path) -> dict[str, str]:
    """By the source of a page its study: chapters, pages of their own, and the clauses of the protocol.

    Nothing for a book without plans. Refuses (PlanError) what `catalogue` refuses.
    """
    if not (root / PROGRAMME).is_file():
        return {}
    found = {page: entry.study for entry in catalogue(root) for page in (entry.chapter, *entry.pages)}
    own = protocol_study(root)
    return found | ({CLAUSES_IN: own} if own else {})
