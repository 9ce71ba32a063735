"""Who is analysed, and with which columns: the data that every estimator of a field trial gets."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pandas as pd

from hhp_stats.errors import NoObservations, UnknownName
from hhp_stats.plan.conditions import members
from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.plan.individual import IndividualAnalysis, IndividualOutcome, IndividualPlan
from hhp_stats.plan.table_plan import BASELINE, BASELINE_MISSING, NOT_KNOWN
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.studies.estimators.analysis_data import AnalysisData, CompletedSets
from hhp_stats.studies.field_trial.completed import completed_outcomes
from hhp_stats.studies.field_trial.draws import redrawing


def outcome_column(plan: IndividualPlan, outcome: str) -> str:
    """The column that holds an outcome: its key for survey scores, else the one the plan names."""
    return plan.outcomes[outcome].column or outcome


def in_population(people: pd.DataFrame, population: str, plan: IndividualPlan) -> pd.Series:
    """Who of the people belongs to a population of the plan; whether they have the outcome is asked later."""
    if population not in plan.populations:
        raise UnknownName(f"the plan of {plan.study} has no population {population!r}")
    return members(people, plan.populations[population].where)


def baseline_column(plan: IndividualPlan, outcome: str) -> str:
    """The column that holds an outcome's value before the trial."""
    return plan.outcomes[outcome].baseline or f"{outcome}_t1"


def in_arms(people: pd.DataFrame, analysis: IndividualAnalysis, plan: IndividualPlan) -> pd.Series:
    """Who of the people is in one of the two arms that the analysis compares."""
    return people["treatment"].isin([arm.code for arm in plan.compared(analysis)])


def analysed(analysis: IndividualAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """The people of the analysis, with `outcome` and, where the model has them, `baseline` and `baseline_missing`.

    `treatment` is one in the arm whose estimate above zero means more. On a plain table covariates that are not known
    are set to the mean of the frame, or to a level of their own (White and Thompson 2005, Statistics in Medicine 24,
    993-1007: in a randomised trial this leaves the effect unbiased); the note of the row says how many.
    """
    frame = people.loc[in_population(people, analysis.population, plan) & in_arms(people, analysis, plan)]
    treated, control = plan.compared(analysis)
    if (treated.code, control.code) != (1, 0):
        frame = frame.assign(treatment=(frame["treatment"] == treated.code).astype("float64"))
    frame = frame.assign(outcome=frame[outcome_column(plan, analysis.outcome)])
    terms = plan.model_of(analysis).terms
    if BASELINE in terms:
        before = frame[baseline_column(plan, analysis.outcome)]
        frame = frame.assign(baseline=before.fillna(before.mean()), baseline_missing=before.isna().astype("float64"))
    if plan.data is not None:
        frame = _without_gaps(frame, terms, plan)
    if plan.data is not None:
        _refuse_empty_arms(analysis, frame, plan)
    if not ESTIMATORS[analysis.estimator].everyone:
        frame = frame.loc[frame["outcome"].notna()]
    if frame.empty:
        raise NoObservations(f"nobody is left to analyse for {analysis.id}")
    return frame


def _refuse_empty_arms(analysis: IndividualAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> None:
    """Refuses, by the arm's label, an arm of which the outcome is known for nobody: there is nothing to compare with.

    Worst-case bounds take the ends of the scale for everybody, and need none.
    """
    known = frame.loc[frame["outcome"].notna(), "treatment"]
    for arm, code in zip(plan.compared(analysis), (1.0, 0.0), strict=True):
        if not (known == code).any() and analysis.estimator != "worst-case-bounds":
            raise NoObservations(
                f"{plan.outcomes[analysis.outcome].label} is known for nobody in \u201c{arm.label}\u201d"
            )


def _without_gaps(frame: pd.DataFrame, terms: tuple[str, ...], plan: IndividualPlan) -> pd.DataFrame:
    filled = {}
    for name in terms:
        if name not in (BASELINE, BASELINE_MISSING) and frame[name].isna().any():
            numeric = plan.terms[name].kind != "categorical"
            filled[name] = frame[name].fillna(frame[name].mean() if numeric else NOT_KNOWN)
    return frame.assign(**filled) if filled else frame


def gaps(analysis: IndividualAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> tuple[str, ...]:
    """Which covariates of the model somebody analysed lacks."""
    if plan.data is None:
        return ()
    known = people[outcome_column(plan, analysis.outcome)].notna() | ESTIMATORS[analysis.estimator].everyone
    own = people.loc[in_population(people, analysis.population, plan) & in_arms(people, analysis, plan) & known]
    terms = {
        name: baseline_column(plan, analysis.outcome) if name == BASELINE else name
        for name in plan.model_of(analysis).terms
    }
    return tuple(name for name, column in terms.items() if column in own and own[column].isna().any())


BOOTSTRAP_DRAWS = 999  # behind Lee's bounds


def analysis_data(analysis: IndividualAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> AnalysisData:
    """The data of one planned analysis. Refuses an empty selection (NoObservations)."""
    frame = analysed(analysis, people, plan)
    found = _data(analysis, frame, plan)
    if not ESTIMATORS[analysis.estimator].effect_size:
        return found
    return replace(found, model=_data(plan.model_of(analysis), frame, plan, imputed=False))


def _data(
    analysis: IndividualAnalysis, frame: pd.DataFrame, plan: IndividualPlan, *, imputed: bool = True
) -> AnalysisData:
    return AnalysisData(
        analysis=analysis,
        people=frame,
        outcome="outcome",
        sets=lambda: _sets(analysis, frame, plan, imputed=imputed),
        conf_level=plan.conf_level,
        entropy=(plan.seed, zlib.crc32(analysis.id.encode())),
        seed=plan.seed,
        draws=BOOTSTRAP_DRAWS,
        cluster=plan.design.cluster,
        called=plan.words.cluster[0] if plan.data is not None else "",
        scale=lambda: _scale(plan.outcomes[analysis.outcome]),
        redraws=lambda: redrawing(analysis, frame, plan),
        takeup=plan.design.takeup,
    )


def _scale(outcome: IndividualOutcome) -> tuple[float, float]:
    if not outcome.range:
        raise UnknownName(f"the plan gives no range for {outcome.id}; bounds need one")
    low, high = outcome.range
    return low, high


def _sets(analysis: IndividualAnalysis, frame: pd.DataFrame, plan: IndividualPlan, *, imputed: bool) -> CompletedSets:
    """The data sets of an analysis: those whose missing outcomes were drawn, or one; without those whose outcome is not
    known unless the estimator models who answered.
    """
    estimator, missing = ESTIMATORS[analysis.estimator], frame["outcome"].isna()
    if estimator.imputes and imputed and missing.any():
        outcomes = completed_outcomes(analysis, frame, plan)
    else:
        frame = frame if estimator.response else frame.loc[~missing]
        outcomes = frame["outcome"].to_numpy(dtype=np.float64)[None]
    if frame.empty:
        raise NoObservations(f"nobody is left to analyse for {analysis.id}")
    terms = [plan.terms[name].term for name in analysis.terms]
    matrix = model_matrix(frame, terms)
    if not analysis.moderator:
        return CompletedSets(matrix=matrix, outcomes=outcomes, people=frame)
    matrix, term = _with_interaction(matrix, plan.terms[analysis.moderator].term)
    return CompletedSets(matrix=matrix, outcomes=outcomes, people=frame, effect={term: 1.0})


def _with_interaction(matrix: ModelMatrix, moderator: Term) -> tuple[ModelMatrix, str]:
    """The model matrix with the product of the arm and the one dummy of a moderator of two levels."""
    dummies = [name for name in matrix.names if name.startswith(f"{moderator.column}[")]
    if len(dummies) != 1:
        raise UnknownName(f"{moderator.column} has {len(dummies) + 1} levels here; an interaction needs two")
    product = matrix.values[:, matrix.position("treatment")] * matrix.values[:, matrix.position(dummies[0])]
    name = f"treatment:{dummies[0]}"
    return ModelMatrix(values=np.column_stack([matrix.values, product]), names=(*matrix.names, name)), name
