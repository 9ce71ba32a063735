"""What a plan on a plain table may not ask for: names that the analysis takes itself, conditions and contrasts of
nothing.

Part of `runnable.check_runnable`.
"""

from __future__ import annotations

import re

from hhp_stats.errors import PlanError
from hhp_stats.plan.conditions import condition_of
from hhp_stats.plan.individual_schema import IndividualAnalysis, IndividualPlan
from hhp_stats.plan.nearest import meant, refuse_unknown
from hhp_stats.plan.schema import Population
from hhp_stats.plan.table_plan import RESPONSE
from hhp_stats.plan.table_schema import ARM, TERM_KINDS

COLUMNS = frozenset(
    {"treatment", "arm", "person", "responded", "week", "outcome", "baseline", "baseline_missing", "recorded", "opened"}
)  # of the frame of people, which an outcome would overwrite
# No column of a table may be called like one that the analysis makes.
OWN = COLUMNS - {ARM} | {"opened_t1", "opened_t2", "recorded_t1", "recorded_t2", "stratum", "row"}


def check_table(file: str, plan: IndividualPlan) -> None:
    """Names of a plan on a plain table: no column that the analysis makes itself, outcomes that may be parts of a
    result's name.
    """
    for name in plan.columns:
        if name in OWN:
            raise PlanError(
                file,
                "data.columns",
                f"leaves a column called {name!r}, as a column of the analysis is.",
                f"Give it another name in the dictionary, and its heading: another_name = {name!r}.",
            )
    for outcome in plan.outcomes.values():
        if (
            outcome.id != RESPONSE
            and outcome.id != outcome.column
            and (outcome.id in plan.columns or outcome.id in OWN)
        ):
            raise PlanError(
                file,
                f"outcomes {outcome.id}",
                "has the name of another column.",
                "Call it otherwise, or as its own column.",
            )
        if not re.fullmatch(r"[a-z][a-z0-9_]*", outcome.id):
            raise PlanError(
                file, f"outcomes {outcome.id}", "is no name for a result.", "Use small letters, digits and underscores."
            )
    for place, names in (("balance", plan.balance), ("model auxiliary", plan.model.auxiliary)):
        for name in names:
            usable = [column.column for column in plan.columns.values() if column.kind in TERM_KINDS]
            refuse_unknown(file, place, "column", [name], usable, "the numbers and categories of the dictionary")


# Populations without a condition: everybody; who has no outcome is left out of an analysis in any case.
EVERYBODY = ("randomised", "responders")


def selectable(plan: IndividualPlan) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The columns that a condition may be about, with kind and allowed values: those of the dictionary of a plain
    table, else the blocks, the clusters and the categories of the allocation list.
    """
    if plan.data is not None:
        return {name: (column.kind, tuple(column.allowed)) for name, column in plan.columns.items()}
    drawn = {plan.design.cluster: ("cluster", ())} if plan.design.cluster else {}
    within = {plan.design.within: ("category", tuple(block.id for block in plan.blocks))} if plan.design.within else {}
    levels = {term.column: (term.kind, term.levels) for term in plan.terms.values() if term.kind == "categorical"}
    return drawn | levels | within


def check_condition(file: str, plan: IndividualPlan, population: Population) -> None:
    """Refuses a condition that cannot be read, or compares a column with what it cannot hold; everyone needs none."""
    place = f"populations {population.id}"
    if not population.where:
        if population.id not in (EVERYBODY[:1] if plan.data is not None else EVERYBODY):
            raise PlanError(
                file, place, "has no condition.", "Add where = \"column == 'value'\"; everyone is there as randomised."
            )
        return
    known = selectable(plan)
    for part in condition_of(file, place, population.where).comparisons():
        refuse_unknown(file, place, "column", [part.column], known, "those of the dictionary or the list")
        if not part.of_value:
            continue
        (kind, allowed), text = known[part.column], isinstance(part.value, str)
        numeric = kind in ("number", "0/1")
        if kind == "date" or numeric == text:
            raise PlanError(
                file,
                place,
                f"compares {part.column} (kind {kind}) with {part.value!r}.",
                "Compare numbers with numbers, and categories with a text in quotation marks; dates are not compared.",
            )
        if text and part.sign not in ("==", "!="):
            raise PlanError(
                file, place, f"asks for {part.column} {part.sign} {part.value!r}.", "Of texts ask == or != only."
            )
        if allowed and text:
            refuse_unknown(file, place, "value", [str(part.value)], allowed, f"those of {part.column}")


def check_contrast(file: str, plan: IndividualPlan, analysis: IndividualAnalysis) -> None:
    """Two arms of the plan, by the names that results use; words are for a moderator's difference alone."""
    names = [arm.id for arm in plan.arms]
    known = [f"{a} minus {b}" for a in names for b in names if a != b]
    if analysis.contrast and analysis.contrast not in known and not analysis.moderator:
        raise PlanError(
            file,
            f"analyses {analysis.id}",
            f"has the contrast {analysis.contrast!r}.",
            f'{meant(analysis.contrast, known)}Use "a minus b" with two arms of the plan.',
        )
