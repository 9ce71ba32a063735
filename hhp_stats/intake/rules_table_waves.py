"""Rules about a plain table: an outcome against the same measure before.

A column in another unit, turned round, slipped by a line or sorted by itself lies within the limits of its dictionary;
what was measured on the same people before does not go with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hhp_stats.intake.distribution import standardised_difference
from hhp_stats.intake.findings import Finding
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_table import TableCheck
from hhp_stats.plan.thresholds import Threshold

OTHER_LEVEL = Rule(
    code="T23",
    severity="warning",
    rule=(
        "An outcome should be on average as it was before, within the limit of the plan, else 1.2 standard deviations"
        " of both together."
    ),
    remedy="Check the unit of both columns, and whether one of them is turned round.",
)
OTHER_ORDER = Rule(
    code="T24",
    severity="warning",
    rule="An outcome should go with itself before: its correlation must not be below the limit of the plan, else 0.1.",
    remedy="Check whether one of the columns is turned round, slipped by a line or was sorted by itself.",
)
WAVE_RULES_OF_TABLES = (OTHER_LEVEL, OTHER_ORDER)
USUAL = {
    OTHER_LEVEL.code: Threshold(
        code=OTHER_LEVEL.code,
        about="distance of the mean from that before, in standard deviations",
        limit=1.2,
        least=30,
    ),
    OTHER_ORDER.code: Threshold(
        code=OTHER_ORDER.code, about="correlation of an outcome with the same measure before", limit=0.1, least=50
    ),
}


def waves_findings(check: TableCheck, thresholds: Mapping[str, Threshold]) -> Iterator[Finding]:
    """Where an outcome lies elsewhere than before, or in another order of the people.

    Of each outcome of numbers with a baseline, among those known at both: the difference of the means in standard
    deviations (`distribution.standardised_difference`) and Pearson's correlation.
    """
    level, order = (thresholds.get(code, usual) for code, usual in USUAL.items())
    plan = check.plan
    pairs = {outcome.column: outcome.baseline for outcome in plan.outcomes.values() if outcome.baseline}
    for column, baseline in pairs.items():
        kinds = {plan.columns[name].kind for name in (column, baseline) if name in plan.columns}
        if kinds != {"number"}:
            continue
        both = check.frame[[baseline, column]].astype("float64").dropna()
        before, after = both[baseline].to_numpy(), both[column].to_numpy()
        gap = standardised_difference(after, before) if len(both) >= level.least else 0.0
        if gap > level.limit:
            said = f"{column} is {after.mean():.3g} on average, {baseline} {before.mean():.3g}"
            yield _finding(OTHER_LEVEL, check, column, f"{said} ({gap:.2f} standard deviations)")
        if len(both) >= order.least and min(np.ptp(before), np.ptp(after)) > 0:
            found = float(np.corrcoef(before, after)[0, 1])
            if found < order.limit:
                said = f"{column} correlates by {found:.2f} with {baseline} ({len(both)} people)"
                yield _finding(OTHER_ORDER, check, column, said)


def _finding(rule: Rule, check: TableCheck, column: str, value: str) -> Finding:
    return Finding(rule=rule, file=check.table.file, cell=f"column {column}", value=value, units=(column,))
