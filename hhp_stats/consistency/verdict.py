"""What recomputation says about one printed figure, and why."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Literal

import pandas as pd

from hhp_stats.consistency.figures import Figures
from hhp_stats.errors import InvalidInput

Kind = Literal[
    "two_sample",
    "rate_or_sum",
    "detectable_effect",
    "direction",
    "significance",
    "spread",
    "granularity",
    "interval",
    "repeat",
    "none",
]
Finding = Literal["reproduces", "another_reading", "does_not_reproduce", "not_checkable"]

_SMALLEST = 0.0001


def in_figures(value: float, figures: int) -> str:
    """A number in so many significant figures and without exponents: `0.143`, `1,665`, `under 0.0001`."""
    if 0 < abs(value) < _SMALLEST:
        return f"{'under ' if value > 0 else 'above -'}{_SMALLEST}"
    text = f"{value:,.{figures}g}"
    return f"{value:,.0f}" if "e" in text else text


FINDINGS: dict[Finding, str] = {
    "reproduces": "reproduces",
    "another_reading": "reproduces under another reading",
    "does_not_reproduce": "does not reproduce",
    "not_checkable": "cannot be checked",
}

# A figure with several checks is as good as its worst kind, but a kind with several readings as good as its
# best.
_RANK: dict[Finding, int] = {"not_checkable": 0, "reproduces": 1, "another_reading": 2, "does_not_reproduce": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of one printed figure.

    `recomputed` with `low` and `high`, what the rounding of the inputs allows, are missing where the check is
    about words or about what is possible at all. `reading` says how the inputs were taken; "as reported" needs
    no excuse.
    """

    id: str  # of the printed figure
    kind: Kind
    finding: Finding
    reason: str
    reading: str = "as reported"
    recomputed: float = math.nan
    low: float = math.nan
    high: float = math.nan

    def __post_init__(self) -> None:
        if not self.reason:
            raise InvalidInput(f"{self.id}: a verdict needs its reason")
        if self.finding == "another_reading" and self.reading == "as reported":
            raise InvalidInput(f"{self.id}: another reading must be named")


CHECK_COLUMNS = tuple(field.name for field in fields(Check))
VERDICT_COLUMNS = (
    "id",
    "trial",
    "outcome",
    "research_question",
    "group",
    "statistic",
    "value",
    "as_printed",
    "unit",
    "kind",
    "verdict",
    "reading",
    "recomputed",
    "low",
    "high",
    "reason",
    "n_checks",
    "source_file",
    "source_line",
)


def verdicts(
    figures: Figures, checks: Iterable[Check], *, used_for: Mapping[str, Collection[str]] | None = None
) -> pd.DataFrame:
    """One verdict for every printed figure, also for those that nothing determines.

    Within one kind of check the best reading counts; over kinds the worst finding. Rows in the order of the
    file. `used_for` names, for a figure that is only an input, the figures that were recomputed from it.
    """
    by_id: dict[str, list[Check]] = {}
    for check in checks:
        by_id.setdefault(check.id, []).append(check)
    rows = []
    for printed in figures.frame.to_dict("records"):
        own = by_id.get(str(printed["id"]), [])
        best: dict[str, Check] = {}
        for check in own:
            if check.finding == "not_checkable":
                best.setdefault(check.kind, check)
            elif check.kind not in best or _better(check, best[check.kind]):
                best[check.kind] = check
        worst = max(best.values(), key=lambda check: _RANK[check.finding], default=None)
        if worst is None:
            uses = sorted((used_for or {}).get(str(printed["id"]), ()))
            reason = "No other printed figure determines it" + (
                f"; it serves to recompute {', '.join(uses)}." if uses else "."
            )
            worst = Check(id=str(printed["id"]), kind="none", finding="not_checkable", reason=reason)
        tried = [c for c in own if c.kind == worst.kind and c is not worst and c.finding != "not_checkable"]
        reason = worst.reason
        if worst.finding != "reproduces" and tried:
            reason += " Also tried: " + "; ".join(f"{c.reading} ({in_figures(c.recomputed, 3)})" for c in tried) + "."
        row = {name: printed[name] for name in VERDICT_COLUMNS if name in printed}
        rows.append(
            row
            | {
                "kind": worst.kind,
                "verdict": worst.finding,
                "reading": worst.reading,
                "recomputed": worst.recomputed,
                "low": worst.low,
                "high": worst.high,
                "reason": reason,
                "n_checks": len(own),
            }
        )
    return pd.DataFrame(rows, columns=list(VERDICT_COLUMNS))


def _better(new: Check, old: Check) -> bool:
    return old.finding == "not_checkable" or _RANK[new.finding] < _RANK[old.finding]
