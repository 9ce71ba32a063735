"""Rules about a plain table: an outcome against the same measure before, and what was copied down.

A column in another unit, turned round, slipped by a line or sorted by itself lies within the limits of its dictionary;
what was measured on the same people before does not go with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hhp_stats.intake.distribution import cohens_h, share_zero, standardised_difference
from hhp_stats.intake.findings import Finding
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_runs import OF_A_TABLE, USUAL_RUN, run_findings
from hhp_stats.intake.rules_table import TableCheck
from hhp_stats.plan.table_schema import ARM
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
OTHER_ZEROS = Rule(
    code="T26",
    severity="warning",
    rule=(
        "An outcome should be zero as often as before, and in one arm as in the others, within the limit of the plan,"
        " else 0.5 (Cohen's h)."
    ),
    remedy="Check whether zeros stand for what is not known, or blanks for zero.",
)
ONE_OF_TWO = Rule(
    code="T27",
    severity="warning",
    rule="A column of 0 and 1 should hold both, where it has blanks.",
    remedy="Check whether blanks stand for the value that never occurs.",
)
WAVE_RULES_OF_TABLES = (OTHER_LEVEL, OTHER_ORDER, OTHER_ZEROS, OF_A_TABLE, ONE_OF_TWO)
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
    OTHER_ZEROS.code: Threshold(
        code=OTHER_ZEROS.code, about="distance of the shares of zeros, Cohen's h", limit=0.5, least=20
    ),
    OF_A_TABLE.code: USUAL_RUN,
}


def waves_findings(check: TableCheck, thresholds: Mapping[str, Threshold]) -> Iterator[Finding]:
    """What the columns of a table say; the limits are those of the plan, else the usual ones."""
    limits = {code: thresholds.get(code, usual) for code, usual in USUAL.items()}
    yield from _against_before(check, limits[OTHER_LEVEL.code], limits[OTHER_ORDER.code])
    yield from _zeros(check, limits[OTHER_ZEROS.code])
    figures = [name for name, column in check.plan.columns.items() if column.kind == "number"]
    yield from run_findings(OF_A_TABLE, [check.table], limits, columns=figures)
    for name in (name for name, column in check.plan.columns.items() if column.kind == "0/1"):
        values = check.frame[name].astype("float64")
        if values.isna().any() and values.nunique() == 1:
            said = f"{name} is {values.dropna().iloc[0]:g} or blank ({values.isna().mean():.0%})"
            yield _finding(ONE_OF_TWO, check, name, said)


def _zeros(check: TableCheck, limit: Threshold) -> Iterator[Finding]:
    """Shares of zeros among those known: of an outcome against the same before, and of each arm against the others."""
    plan, frame = check.plan, check.frame
    numbers = {name for name, column in plan.columns.items() if column.kind == "number"}
    for name, baseline in {
        each.column: each.baseline for each in plan.outcomes.values() if each.column in numbers
    }.items():
        values = frame[name].astype("float64")
        pairs = [("", values, frame[baseline].astype("float64"), f"as {baseline}")] if baseline in numbers else []
        for arm in plan.arms:
            own = frame[ARM].eq(arm.id)
            pairs.append((f" in the arm {arm.label}", values[own], values[~own], "in the others"))
        found = []
        for where, here, there, what in pairs:
            share, usual = (share_zero(np.asarray(each, dtype=np.float64)) for each in (here, there))
            if min(here.count(), there.count()) >= limit.least:
                found.append((cohens_h(share, usual), f"is zero for {share:.0%}{where}, {what} for {usual:.0%}"))
        gap, said = max(found, default=(0.0, ""))
        if gap > limit.limit:
            yield _finding(OTHER_ZEROS, check, name, f"{name} {said}")


def _against_before(check: TableCheck, level: Threshold, order: Threshold) -> Iterator[Finding]:
    """Where an outcome lies elsewhere than before, or in another order of the people.

    Of each outcome of numbers with a baseline, among those known at both: the difference of the means in standard
    deviations (`distribution.standardised_difference`) and Pearson's correlation.
    """
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
                said = f"{column} correlates by {found:.3f} with {baseline} ({len(both)} people)"
                yield _finding(OTHER_ORDER, check, column, said)


def _finding(rule: Rule, check: TableCheck, column: str, value: str) -> Finding:
    return Finding(rule=rule, file=check.table.file, cell=f"column {column}", value=value, units=(column,))
