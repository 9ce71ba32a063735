"""What a plan on a plain table may not ask for: names that the analysis takes itself, conditions and contrasts of
nothing.

Part of `runnable.check_runnable`.
"""

from __future__ import annotations

import re

from hhp_stats.errors import PlanError
from hhp_stats.plan.conditions import condition_of
from hhp_stats.plan.individual_schema import IndividualAnalysis, IndividualPlan
from hhp_stats.plan.nearest import allowed, meant, refuse_unknown
from hhp_stats.plan.schema import Population
from hhp_stats.plan.table_plan import RESPONSE
from hhp_stats.plan.table_schema import ARM, TERM_KINDS

_NAME = re.compile(r"[a-z][a-z0-9_]*")
COLUMNS = frozenset(
    {"treatment", "arm", "person", "responded", "week", "outcome", "baseline", "baseline_missing", "recorded", "opened"}
)  # of the frame of people, which an outcome would overwrite
# No column of a table may be called like one that the analysis makes.
OWN = COLUMNS - {ARM} | {"opened_t1", "opened_t2", "recorded_t1", "recorded_t2", "stratum", "row"}
# First parts of results that are about no outcome.
OF_NO_OUTCOME = frozenset({"sample", "power"})


def check_table(file: str, plan: IndividualPlan) -> None:
    """Names of a plan on a plain table: no column that the analysis makes itself, outcomes that may be parts of a
    result's name, arms and outcomes that a reader can tell apart, each column for one thing.
    """
    _check_headings(file, plan)
    _check_strata(file, plan)
    _check_waves(file, plan)
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
        if not _NAME.fullmatch(outcome.id):
            raise PlanError(
                file, f"outcomes {outcome.id}", "is no name for a result.", "Use small letters, digits and underscores."
            )
        if outcome.id in OF_NO_OUTCOME:
            raise PlanError(
                file, f"outcomes {outcome.id}", "is a name of results about no outcome.", "Call it otherwise."
            )
    for place, names in (("balance", plan.balance), ("model auxiliary", plan.model.auxiliary)):
        for name in names:
            usable = [
                column.column
                for column in plan.columns.values()
                if column.kind in TERM_KINDS and column.column != plan.design.cluster
            ]
            refuse_unknown(file, place, "column", [name], usable, "the numbers and categories of the dictionary")


def _check_headings(file: str, plan: IndividualPlan) -> None:
    """No two columns of the dictionary may be read from one column of the file."""
    assert plan.data is not None
    taken: dict[str, str] = {}
    for name in plan.columns:
        heading = plan.data.heading(name)
        if heading in taken:
            raise PlanError(
                file,
                "data.columns",
                f"reads {taken[heading]!r} and {name!r} from one column, {heading!r}.",
                "Give each its own heading, or take one out of the dictionary.",
            )
        taken[heading] = name


def _check_strata(file: str, plan: IndividualPlan) -> None:
    if plan.design.cluster in plan.design.strata:
        raise PlanError(
            file,
            "design",
            f"has its cluster {plan.design.cluster!r} among the strata: each would be in one arm.",
            "Name the columns within whose values the clusters were drawn, or leave it out.",
        )


def _check_waves(file: str, plan: IndividualPlan) -> None:
    """Waves that can be parts of a result's name and that an outcome has; a column for one wave of one outcome."""
    waves = {outcome.primary_wave for outcome in plan.measured} - {""}
    for outcome in plan.measured:
        if outcome.primary_wave and not _NAME.fullmatch(outcome.primary_wave):
            raise PlanError(
                file,
                f"outcomes {outcome.id}",
                f"has the wave {outcome.primary_wave!r}, which is no part of a result's name.",
                "Use small letters, digits and underscores; [waves] says what a wave is called in print.",
            )
    for name in plan.waves:
        if name not in waves:
            raise PlanError(
                file, "waves", f"names {name!r}, which no outcome has.", allowed(sorted(waves), name).strip()
            )
    taken: dict[str, str] = {}
    for outcome in plan.measured:
        place = f"outcomes {outcome.id}"
        if outcome.column == outcome.baseline:
            raise PlanError(
                file,
                place,
                f"has the column {outcome.column!r} before and after the trial.",
                "Name the column of each wave.",
            )
        if outcome.column in taken:
            raise PlanError(
                file,
                place,
                f"has the column {outcome.column!r}, which is that of {taken[outcome.column]}.",
                "Give each outcome and wave its own column.",
            )
        taken[outcome.column] = outcome.id


def check_terms(file: str, plan: IndividualPlan, analysis: IndividualAnalysis) -> None:
    """Refuses covariates of a plain table that are the outcome itself, its baseline a second time, or the clusters,
    each of which is in one arm; of a planned analysis also what was measured after the arms were drawn.
    """
    place, outcome = f"analyses {analysis.id}", plan.outcomes[analysis.outcome]
    after = {each.column: each.id for each in plan.measured}
    for term in analysis.terms:
        if term == plan.design.cluster:
            wrong, remedy = "each of which is in one arm: nothing of the effect is left", "Leave it out."
        elif term == outcome.column:
            wrong, remedy = "the outcome itself", "Leave it out; `baseline` is the outcome before the trial."
        elif term == outcome.baseline and "baseline" in analysis.terms:
            wrong, remedy = "which `baseline` stands for already", "Leave one of the two out."
        elif term in after and analysis.kind == "planned":
            wrong = f"which is measured after the arms were drawn, as the outcome {after[term]}"
            remedy = "Leave it out, or adjust for it in an analysis of kind exploratory."
        else:
            continue
        raise PlanError(file, place, f"adjusts for {term!r}, {wrong}.", remedy)


def check_whom(file: str, plan: IndividualPlan, analysis: IndividualAnalysis) -> None:
    """Refuses an analysis of those for whom an outcome is this or that, unless it is exploratory.

    The arm may decide who is among them, so that the people of the arms are no longer alike.
    """
    population = plan.populations[analysis.population]
    if not population.where or analysis.kind == "exploratory":
        return
    after = {each.column: each.id for each in plan.measured}
    parts = condition_of(file, f"populations {population.id}", population.where).comparisons()
    for column in dict.fromkeys(part.column for part in parts if part.column in after):
        raise PlanError(
            file,
            f"analyses {analysis.id}",
            f"is about the population {population.id!r}, whose condition asks for {column!r}: it is measured after the"
            f" arms were drawn, as the outcome {after[column]}, and the arm may decide who is in it.",
            "Use a condition on what was known before, or make the analysis of kind exploratory.",
        )


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
            f'{meant(analysis.contrast, known)}Use "a minus b" with two different arms of the plan; in results of two'
            " arms they are control and treatment.",
        )
