"""Which outcomes are the primary ones of their studies?"""

from __future__ import annotations

from pathlib import Path

from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.catalogue import catalogue

PRIMARY = "primary"


def primary_outcomes(root: Path) -> frozenset[tuple[str, str]]:
    """Study and outcome, as in the ids of results, of each outcome to which a plan gives the role primary.

    Raises PlanError as the readers of the plans do.
    """
    return frozenset(
        (entry.study, outcome)
        for entry in catalogue(root)
        for outcome, about in getattr(plan_of(root, entry.study), "outcomes", {}).items()
        if about.role == PRIMARY
    )
