"""Rules about the figures of a plain table: what lies far from all others, and covariates that say the same.

A point that slipped, a code for "not known" and hours among minutes lie within no wrong limit where the limits were
taken from the file itself; a term that follows from the others leaves the planned model without an estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from hhp_stats.errors import CollinearTerms, EstimationError
from hhp_stats.intake.distribution import Figures, known
from hhp_stats.intake.findings import Finding, listed
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_table import TableCheck
from hhp_stats.plan.individual_schema import IndividualAnalysis, IndividualPlan
from hhp_stats.plan.table_plan import BASELINE, BASELINE_MISSING, NOT_KNOWN
from hhp_stats.plan.table_schema import ARM
from hhp_stats.plan.thresholds import Threshold
from hhp_stats.regression.model_matrix import Term, model_matrix

FAR = Rule(
    code="T31",
    severity="warning",
    rule=(
        "A number should not lie far from the middle half of its column: no further than the limit of the plan, else"
        " four times its width."
    ),
    remedy="Check for a slipped point, a code for what is not known, and another unit.",
)
APART = Rule(
    code="T32",
    severity="warning",
    rule=(
        "The numbers of a column should not fall into two groups, the larger ones all more than the limit of the plan,"
        " else five times, above the smaller."
    ),
    remedy="Check whether some are in another unit, such as hours among minutes.",
)
DETERMINED = Rule(
    code="T33",
    severity="warning",
    rule="Covariates of the planned model should not follow from each other, nor from the arm.",
    remedy="Take some out of the terms, those that are named where some are; else the analysis cannot be done.",
)
FIGURE_RULES = (FAR, APART, DETERMINED)
MOST_FAR = 10  # one in so many, or more: no strays but a column that mostly holds one value
FEWEST_PEOPLE = 10  # of an analysis; of fewer other rules say what is missing
FEWEST_APART = 5  # numbers that make a group; of fewer chance leaves such a gap near zero
USUAL = {
    FAR.code: Threshold(
        code=FAR.code, about="distance from the quartiles, in distances of the quartiles", limit=4.0, least=20
    ),
    APART.code: Threshold(
        code=APART.code, about="the smallest of the larger numbers over the largest of the smaller", limit=5.0, least=20
    ),
}


def figure_findings(check: TableCheck, thresholds: Mapping[str, Threshold]) -> Iterator[Finding]:
    """What the columns of numbers and the terms of the plan say; the limits are those of the plan, else the usual."""
    limits = {code: thresholds.get(code, usual) for code, usual in USUAL.items()}
    for name, column in check.plan.columns.items():
        if column.kind == "number":
            values = check.frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
            yield from _far(check, name, values, limits[FAR.code])
            yield from _apart(check, name, values, limits[APART.code])
    yield from _determined(check)


def _far(check: TableCheck, name: str, values: Figures, limit: Threshold) -> Iterator[Finding]:
    far = beyond_quartiles(values, limit.limit) if len(known(values)) >= limit.least else np.zeros(len(values), bool)
    places = np.flatnonzero(far)
    if 0 < MOST_FAR * len(places) <= len(known(values)):
        low, high = np.nanquantile(values, (0.25, 0.75))
        said = listed(f"{values[place]:.6g}" for place in places)
        yield Finding(
            rule=FAR,
            file=check.table.file,
            cell=listed(check.table.cell(name, int(place)) for place in places),
            value=f"{said}, where half of {name} lies between {low:.6g} and {high:.6g}",
            units=(name,),
        )


def beyond_quartiles(values: Figures, limit: float) -> np.ndarray:
    """Which numbers lie more than `limit` times the distance of the quartiles beyond a quartile (n,)?

    Of numbers of which none is negative also on a scale on which skewed ones are even, log(1 + x / median of those
    above zero): costs and counts have a long tail, and are far only where they are on both scales. Nothing is far where
    the quartiles are one number.
    """
    found = _beyond(values, limit)
    there = known(values)
    if len(there) and there.min() >= 0 and (there > 0).any():
        found &= _beyond(np.log1p(values / np.median(there[there > 0])), limit)
    return found


def _beyond(values: Figures, limit: float) -> np.ndarray:
    low, high = np.nanquantile(values, (0.25, 0.75)) if len(known(values)) else (0.0, 0.0)
    reach = limit * (high - low)
    with np.errstate(invalid="ignore"):
        return ((values < low - reach) | (values > high + reach)) & (reach > 0)


def _apart(check: TableCheck, name: str, values: Figures, limit: Threshold) -> Iterator[Finding]:
    there = np.sort(known(values))
    if len(there) < limit.least or there[0] < 0:  # what may be negative has no unit that only multiplies it
        return
    there = there[there > 0]
    steps = (there[1:] / there[:-1])[FEWEST_APART - 1 : max(len(there) - FEWEST_APART, 0)]
    if len(steps) and steps.max() > limit.limit:
        below = int(steps.argmax()) + FEWEST_APART  # how many are in the smaller group
        said = (
            f"{below} from {there[0]:.6g} to {there[below - 1]:.6g} and {len(there) - below} from {there[below]:.6g} to"
            f" {there[-1]:.6g} in {name}"
        )
        yield Finding(rule=APART, file=check.table.file, cell=f"column {name}", value=said, units=(name,))


def _determined(check: TableCheck) -> Iterator[Finding]:
    """The planned analyses whose covariates determine each other among those whose outcome is known."""
    found: dict[str, list[str]] = {}
    for analysis in check.plan.analyses:
        if analysis.kind == "planned" and analysis.terms:
            people, terms = _equation(check.frame, check.plan, analysis)
            if len(people) < FEWEST_PEOPLE:
                continue
            try:
                model_matrix(people, terms)
            except CollinearTerms as refused:
                found.setdefault(str(refused), []).append(analysis.id)
            except EstimationError:
                continue  # nobody, or one arm alone: other rules say so
    for reason, analyses in found.items():
        said = f"in {listed(analyses)}: {reason.rstrip('.')}"
        yield Finding(rule=DETERMINED, file=check.table.file, value=said, units=tuple(analyses))


def _equation(
    frame: pd.DataFrame, plan: IndividualPlan, analysis: IndividualAnalysis
) -> tuple[pd.DataFrame, list[Term]]:
    """People and terms as the analysis has them: what is not known is the mean, or a level of its own."""
    outcome, (arm, other) = plan.outcomes[analysis.outcome], plan.compared(analysis)
    people = frame.loc[frame[ARM].isin([arm.id, other.id]) & frame[outcome.column].notna()]
    columns: dict[str, pd.Series] = {"treatment": people[ARM].eq(arm.id).astype("float64")}
    terms = []
    for name in analysis.terms:
        source = outcome.baseline if name in (BASELINE, BASELINE_MISSING) else name
        term, values = plan.terms[name], people[source]
        if name == BASELINE_MISSING:
            columns[name] = values.isna().astype("float64")
        elif term.kind == "categorical":
            columns[name] = values.astype("object").where(values.notna(), NOT_KNOWN).astype("str")
        else:
            columns[name] = values.astype("float64").fillna(values.astype("float64").mean())
        terms.append(Term(column=name, kind=term.kind, base=None, levels=()))
    return pd.DataFrame(columns), terms
