"""What each result of a field trial rests on, for second programmes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.consistency.second.frames import AnalysisFrames, Shelf, base_of, stacked, varies
from hhp_stats.consistency.second.recipe import FIELDS, Quantity, Recipe, RecipeTerm
from hhp_stats.plan.individual import IndividualAnalysis, IndividualPlan
from hhp_stats.regression.model_matrix import Term
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.estimators.beside import RATIO, TREATED, UNTREATED
from hhp_stats.studies.field_trial.analysed import analysed, in_population, outcome_column
from hhp_stats.studies.field_trial.completed import completed_outcomes
from hhp_stats.studies.planned import tail_of

PEOPLE, TREATMENT = "people", "treatment"
LINEAR, WELCH, IMPUTED, LOGISTIC = "ols", "welch", "imputation", "logit"


def analysis_frames(people: pd.DataFrame, plan: IndividualPlan, rows: Sequence[ResultRow]) -> AnalysisFrames:
    """The frame and the recipes of every estimated row that statsmodels or R can compute."""
    made = {row.result_id for row in rows if row.status == "estimated"}
    shelf = Shelf(people)
    if len(plan.arms) == 2:
        shelf.put(TREATMENT, people[TREATMENT], "; ".join(f"{arm.code} {arm.label}" for arm in plan.arms))
    imputed: dict[str, pd.DataFrame] = {}
    recipes = [
        _recipe(analysis, people, plan, shelf, imputed)
        for analysis in plan.analyses
        if plan.result_id(analysis) in made and _computed(analysis)
    ]
    for analysis in plan.analyses:
        if analysis.estimator == LOGISTIC and analysis.covariance == "CR1" and plan.result_id(analysis) in made:
            recipes += _logistic(_recipe(analysis, people, plan, shelf, imputed))
    return AnalysisFrames(
        people={PEOPLE: shelf.frame()}, imputed=imputed, meanings={PEOPLE: shelf.meanings}, recipes=tuple(recipes)
    )


def _computed(analysis: IndividualAnalysis) -> bool:
    """Whether statsmodels computes it again; of imputed results the planned ones, whose completed values are kept."""
    return analysis.estimator in (LINEAR, WELCH) or (analysis.estimator == IMPUTED and analysis.kind == "planned")


def _logistic(recipe: Recipe) -> list[Recipe]:
    """The change of the probability, and what stands beside it."""
    study, outcome, effect, method = recipe.result_id.split("/")
    about = replace(recipe, estimator="logit", covariance="G/(G-1)", df="normal", at="people")
    beside: dict[str, Quantity] = {RATIO: "odds_ratio", UNTREATED: "probability_0", TREATED: "probability_1"}
    return [
        replace(about, quantity="change"),
        *(
            replace(about, result_id=f"{study}/{outcome}/{name}{tail_of(effect)}/{method}", quantity=quantity)
            for name, quantity in beside.items()
        ),
    ]


def _recipe(
    analysis: IndividualAnalysis,
    people: pd.DataFrame,
    plan: IndividualPlan,
    shelf: Shelf,
    imputed: dict[str, pd.DataFrame],
) -> Recipe:
    frame = analysed(analysis, people, plan)
    planned = plan.outcomes[analysis.outcome]
    outcome = shelf.put(
        outcome_column(plan, analysis.outcome),
        people[outcome_column(plan, analysis.outcome)],
        f"{planned.label} ({planned.unit})",
    )
    arm = _arm(analysis, frame, plan, shelf)
    terms = [RecipeTerm(column=arm)]
    for name in analysis.terms:
        term = plan.terms[name].term
        if varies(frame[term.column]):
            terms.append(
                RecipeTerm(column=_column(term, analysis, frame, people, shelf), base=base_of(frame[term.column], term))
            )
    more: dict[str, Any] = {} if arm == TREATMENT else {"treatment": arm, "weights": {arm: 1.0}}
    if analysis.moderator:
        column = _interaction(plan.terms[analysis.moderator].term, frame, shelf)
        terms.append(RecipeTerm(column=column))
        more["weights"] = {column: 1.0}
    if analysis.covariance.startswith("CR"):
        number = f"{plan.design.cluster}_number"
        more["clusters"] = (
            shelf.put_number(number, people[plan.design.cluster], f"number of the {plan.design.cluster}"),
        )
    if analysis.estimator != WELCH and (analysis.covariance in ("CR2", "CR3") or analysis.df == "satterthwaite"):
        more |= {
            "compared": ("estimate",),
            "in_r": FIELDS,
            "shortfall": f"statsmodels has no {analysis.covariance}: R's clubSandwich computes the rest",
        }
    inside = in_population(people, analysis.population, plan)
    known: tuple[str, ...] = (outcome,) if arm == TREATMENT else (outcome, arm)
    if analysis.estimator == IMPUTED and frame["outcome"].isna().any():
        known, name = known[1:], f"completed_{analysis.id.replace('/', '_').replace('-', '_')}"
        values = completed_outcomes(analysis, frame, plan)
        whole = np.tile(people[outcome].to_numpy(dtype=np.float64), (len(values), 1))
        whole[:, people.index.get_indexer(frame.index)] = values
        outside = ~people.index.isin(frame.index)
        imputed[name] = stacked({outcome: whole}, {outcome: people[outcome].notna().to_numpy() | outside})
        more |= {"imputed": name, "imputations": len(values), "filled": (outcome,)}
    if not inside.all():
        label = plan.populations[analysis.population].label
        more["only"] = (shelf.put(f"in_{analysis.population}", inside.astype(bool), f"1 for {label}"),)
    return Recipe(
        result_id=plan.result_id(analysis),
        estimator="welch" if analysis.estimator == WELCH else "ols",
        frame=PEOPLE,
        outcome=outcome,
        terms=tuple(terms),
        known=known,
        covariance=analysis.covariance,
        df=analysis.df,
        conf_level=plan.conf_level,
        **more,
    )


def _arm(analysis: IndividualAnalysis, frame: pd.DataFrame, plan: IndividualPlan, shelf: Shelf) -> str:
    """The column of the arm: of several arms, one for the two that are compared, empty for the others."""
    treated, control = plan.compared(analysis)
    if len(plan.arms) == 2 and treated.code == 1:
        return TREATMENT
    return shelf.put(f"{treated.id}_or_{control.id}", frame[TREATMENT], f"1 {treated.label}; 0 {control.label}")


def _column(term: Term, analysis: IndividualAnalysis, frame: pd.DataFrame, people: pd.DataFrame, shelf: Shelf) -> str:
    """Where a term stands in the frame; those made for one analysis carry its name."""
    group = "" if analysis.population in ("randomised", "responders") else f"_{analysis.population}"
    if analysis.contrast and not analysis.moderator:
        group += f"_{analysis.contrast.replace(' ', '_')}"
    if term.column == "baseline":
        return shelf.put(
            f"{analysis.outcome}_t1_filled{group}", frame[term.column], "baseline, the mean where it is missing"
        )
    if term.column == "baseline_missing":
        return shelf.put(f"{analysis.outcome}_t1_missing", frame[term.column], "1 where the baseline is missing")
    if term.column in people and people.loc[frame.index, term.column].isna().any():
        name = f"{term.column}_filled_{analysis.outcome}{group}"
        return shelf.put(name, frame[term.column], f"{term.column}, filled where it is not known")
    return shelf.put(term.column, frame[term.column])


def _interaction(moderator: Term, frame: pd.DataFrame, shelf: Shelf) -> str:
    """The product of the arm and the dummy of the moderator's other level."""
    base = base_of(frame[moderator.column], moderator)
    other = (frame[moderator.column] != base).astype("float64")
    return shelf.put(
        f"treatment_and_{moderator.column}",
        frame[TREATMENT] * other,
        f"treatment, for those whose {moderator.column} is not {base}",
    )
