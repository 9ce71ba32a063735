"""Beyond what is a raw file not plausible? The limits of the checks that need one: data of the plan, each under its
rule's code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import PlanError
from hhp_stats.plan.records import Amount, Count, read_plan_file, records_of

KEY = "thresholds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One limit: the code of the rule that uses it, what it limits, and from how many cases on it is looked at.

    `expected` is the value that a document reports, where the rule holds the data against one (`sources` says where).
    """

    code: str
    about: str
    limit: Amount
    least: Count = 1
    expected: float | None = None
    sources: tuple[str, ...] = ()


def load_thresholds(root: Path, study: str, *, needed: Collection[str] = ()) -> Mapping[str, Threshold]:
    """The limits in the plan of a study by their codes.

    Refuses (PlanError) what `records_of` refuses, and a plan without the limits that are `needed`.
    """
    file = f"data/plan/{study}.toml"
    entries = records_of(read_plan_file(root, file), file=file, key=KEY, kind=Threshold, optional=True)
    found = {entry.code: entry for entry in entries}
    lacking = sorted(set(needed) - set(found))
    if lacking:
        raise PlanError(
            file, KEY, f"has no limit of rule {lacking[0]}.", "Add it: without it the rule cannot be checked."
        )
    return found
