"""How a study's plan wants people protected: the table `[disclosure]`, which no plan may lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hhp_stats.errors import PlanError
from hhp_stats.plan.records import read_plan_file, record_of

Rule = Literal["withhold", "printed before", "none"]
MANIFEST = "data/manifest.toml"
LEAST = 3  # with a threshold of two only the count of one would be small, and its mark would tell it
MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureSettings:
    """Which counts of people are too small to be printed, and what is done about them.

    `withhold`: small counts, and those that would give them away, are not printed. `printed before`: a small count is
    printed where a document of the programme has printed it, and any other withheld. `none`: everything is printed,
    for `reason`.
    """

    rule: Rule
    threshold: int  # the smallest count that is printed
    zeros: Literal["published", "withheld"]
    reason: str = ""


ALLOWED = (
    'Add a table [disclosure] with rule ("withhold", "printed before", or "none" with a reason), threshold (a whole'
    f' number from {LEAST} to {MOST}) and zeros ("published" or "withheld").'
)


def disclosure_settings(raw: Mapping[str, Any], *, file: str) -> DisclosureSettings:
    """The settings in the tables of a plan; refuses (PlanError) a plan without a decision, or one that decides
    nothing.
    """
    table = raw.get("disclosure")
    if not isinstance(table, Mapping):
        raise PlanError(
            file, "disclosure", "is missing: nothing says how small counts of people are protected.", ALLOWED
        )
    found = record_of(table, file=file, place="disclosure", kind=DisclosureSettings, may_be_empty=frozenset({"reason"}))
    if not LEAST <= found.threshold <= MOST:
        raise PlanError(file, "disclosure", f"has a threshold of {found.threshold}.", ALLOWED)
    if found.rule == "none" and not found.reason:
        raise PlanError(
            file, "disclosure", "switches the protection off without a reason.", "Give the reason, or another rule."
        )
    return found


def load_disclosure(root: Path, study: str) -> DisclosureSettings:
    """The settings of one study's plan. Raises PlanError, naming file and key, where they are missing or wrong."""
    file = f"data/plan/{study}.toml"
    return disclosure_settings(read_plan_file(root, file), file=file)


def switched_off(root: Path) -> bool:
    """Is this an internal render, in which everything is printed: `disclosure = "off"` in the manifest?

    Any other value keeps the protection on: a typing error must not print small counts.
    """
    return bool(read_plan_file(root, MANIFEST).get("disclosure") == "off")
