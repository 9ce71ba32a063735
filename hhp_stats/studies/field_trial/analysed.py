"""Who is analysed, and with which columns: the frame that every estimator of a field trial gets."""

from __future__ import annotations

import pandas as pd

from hhp_stats.errors import NoObservations, UnknownName
from hhp_stats.plan.conditions import parse_condition
from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.plan.individual import IndividualPlan, StudyAnalysis
from hhp_stats.plan.runnable import known_populations
from hhp_stats.plan.table_plan import BASELINE, BASELINE_MISSING, NOT_KNOWN


def outcome_column(plan: IndividualPlan, outcome: str) -> str:
    """The column that holds an outcome: its key for survey scores, else the one the plan names."""
    return plan.outcomes[outcome].column or outcome


def in_population(people: pd.DataFrame, population: str, plan: IndividualPlan) -> pd.Series:
    """Who of the people belongs to a population of the plan; whether they have the outcome is asked later."""
    blocks = known_populations(plan)
    if population not in blocks:
        raise UnknownName(f"the study does not know how to select the population {population!r}")
    if plan.data is not None:
        where = plan.populations[population].where
        return parse_condition(where).holds(people) if where else pd.Series(True, index=people.index)
    block = blocks[population]
    return people[plan.design.within] == block if block else pd.Series(True, index=people.index)


def baseline_column(plan: IndividualPlan, outcome: str) -> str:
    """The column that holds an outcome's value before the trial."""
    return plan.outcomes[outcome].baseline or f"{outcome}_t1"


def in_arms(people: pd.DataFrame, analysis: StudyAnalysis, plan: IndividualPlan) -> pd.Series:
    """Who of the people is in one of the two arms that the analysis compares."""
    return people["treatment"].isin([arm.code for arm in plan.compared(analysis)])


def analysed(analysis: StudyAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
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


def _refuse_empty_arms(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> None:
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


def gaps(analysis: StudyAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> tuple[str, ...]:
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
