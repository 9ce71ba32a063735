"""What each result of a field trial rests on, for second programmes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from hhp_stats.consistency.second.frames import AnalysisFrames, Shelf, base_of, varies
from hhp_stats.consistency.second.recipe import FIELDS, Recipe, RecipeTerm
from hhp_stats.estimate.model_matrix import Term
from hhp_stats.plan.individual import IndividualPlan, StudyAnalysis
from hhp_stats.results import ResultRow
from hhp_stats.studies.field_trial.cells import analysed, in_population, outcome_column

PEOPLE, TREATMENT = "people", "treatment"
LINEAR, WELCH = "ols", "welch"


def analysis_frames(people: pd.DataFrame, plan: IndividualPlan, rows: Sequence[ResultRow]) -> AnalysisFrames:
    """The frame and the recipes of every estimated row that statsmodels or R can compute."""
    made = {row.result_id for row in rows if row.status == "estimated"}
    shelf = Shelf(people)
    shelf.put(TREATMENT, people[TREATMENT], "; ".join(f"{arm.code} {arm.label}" for arm in plan.arms))
    recipes = [
        _recipe(analysis, people, plan, shelf)
        for analysis in plan.analyses
        if plan.result_id(analysis) in made and analysis.estimator in (LINEAR, WELCH)
    ]
    return AnalysisFrames(people={PEOPLE: shelf.frame()}, meanings={PEOPLE: shelf.meanings}, recipes=tuple(recipes))


def _recipe(analysis: StudyAnalysis, people: pd.DataFrame, plan: IndividualPlan, shelf: Shelf) -> Recipe:
    frame = analysed(analysis, people, plan)
    planned = plan.outcomes[analysis.outcome]
    outcome = shelf.put(outcome_column(plan, analysis.outcome), people[outcome_column(plan, analysis.outcome)],
                        f"{planned.label} ({planned.unit})")  # fmt: skip
    terms = [RecipeTerm(column=TREATMENT)]
    for name in analysis.terms:
        term = plan.terms[name].term
        if varies(frame[term.column]):
            terms.append(
                RecipeTerm(column=_column(term, analysis, frame, shelf), base=base_of(frame[term.column], term))
            )
    more: dict[str, Any] = {}
    if analysis.moderator:
        column = _interaction(plan.terms[analysis.moderator].term, frame, shelf)
        terms.append(RecipeTerm(column=column))
        more["weights"] = {column: 1.0}
    if analysis.covariance.startswith("CR"):
        number = f"{plan.design.cluster}_number"
        more["clusters"] = (
            shelf.put_number(number, people[plan.design.cluster], f"number of the {plan.design.cluster}"),
        )
    if analysis.covariance in ("CR2", "CR3") or analysis.df == "satterthwaite":
        more |= {"compared": ("estimate",), "in_r": FIELDS,
                 "shortfall": f"statsmodels has no {analysis.covariance}: R's clubSandwich computes the rest"}  # fmt: skip
    inside = in_population(people, analysis.population, plan)
    if not inside.all():
        label = plan.populations[analysis.population].label
        more["only"] = (shelf.put(f"in_{analysis.population}", inside.astype(bool), f"1 for {label}"),)
    return Recipe(
        result_id=plan.result_id(analysis), estimator="welch" if analysis.estimator == WELCH else "ols", frame=PEOPLE,
        outcome=outcome, terms=tuple(terms), known=(outcome,), covariance=analysis.covariance, df=analysis.df,
        conf_level=plan.conf_level, **more,
    )  # fmt: skip


def _column(term: Term, analysis: StudyAnalysis, frame: pd.DataFrame, shelf: Shelf) -> str:
    """Where a term stands in the frame; the two made of the outcome's own baseline carry its name."""
    if term.column == "baseline":
        group = "" if analysis.population in ("randomised", "responders") else f"_{analysis.population}"
        return shelf.put(
            f"{analysis.outcome}_t1_filled{group}", frame[term.column], "baseline, the mean where it is missing"
        )
    if term.column == "baseline_missing":
        return shelf.put(f"{analysis.outcome}_t1_missing", frame[term.column], "1 where the baseline is missing")
    return shelf.put(term.column, frame[term.column])


def _interaction(moderator: Term, frame: pd.DataFrame, shelf: Shelf) -> str:
    """The product of the arm and the dummy of the moderator's other level."""
    base = base_of(frame[moderator.column], moderator)
    other = (frame[moderator.column] != base).astype("float64")
    return shelf.put(f"treatment_and_{moderator.column}", frame[TREATMENT] * other,
                     f"treatment, for those whose {moderator.column} is not {base}")  # fmt: skip
