"""What those whose outcome is not known could change: bounds, a selection model, and multiple imputation."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from hhp_stats.errors import NoObservations
from hhp_stats.estimate.bounds import lee_bounds, worst_case_bounds
from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, impute
from hhp_stats.estimate.selection import heckman_likelihood
from hhp_stats.infer.pooling import pool
from hhp_stats.plan.individual import IndividualPlan, StudyAnalysis
from hhp_stats.plan.table_plan import NOT_KNOWN
from hhp_stats.regression.model_matrix import Array, Term, model_matrix
from hhp_stats.results import Estimate
from hhp_stats.studies.beside import MIDDLE_NOTE, RHO, bounded
from hhp_stats.studies.field_trial.linear_cells import fitted

DRAWS = 999  # of the bootstrap behind Lee's bounds

Estimated = tuple[Estimate | Mapping[str, Estimate], Mapping[str, str]]


def lee(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """Bounds for those who would answer in either arm; the effect row carries their middle."""
    clusters = frame[plan.design.cluster] if plan.design.cluster else None
    found = lee_bounds(
        outcome=frame["outcome"].to_numpy(dtype=np.float64),
        treatment=frame["treatment"].to_numpy(dtype=np.float64),
        clusters=clusters,
        draws=DRAWS,
        seed=plan.seed,
        conf_level=plan.conf_level,
    )
    # A plan that writes its analyses out says in its own note what the middle is.
    return bounded(found, note="" if plan.data is None else MIDDLE_NOTE), {
        "estimator": "lee-bounds",
        "covariance": "bootstrap",
        "df": "normal",
        "population": analysis.population,
        "terms": "",
    }


def worst_case(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """Bounds whatever the missing outcomes are, from the ends of the outcome's scale alone.

    Where people were drawn one by one, each is a cluster: CR1 with n clusters is HC1.
    """
    if not frame["outcome"].notna().any():
        raise NoObservations("no outcome is known")
    low, high = plan.outcomes[analysis.outcome].range
    clusters = frame[plan.design.cluster] if plan.design.cluster else pd.Series(range(len(frame)), index=frame.index)
    found = worst_case_bounds(
        outcome=frame["outcome"].to_numpy(dtype=np.float64),
        matrix=model_matrix(frame, ()),
        lowest=low,
        highest=high,
        clusters=clusters,
        conf_level=plan.conf_level,
    )
    if not plan.design.cluster:
        found = replace(found, lower=replace(found.lower, n_clusters=None), upper=replace(found.upper, n_clusters=None))
    return bounded(found, note=MIDDLE_NOTE), {
        "estimator": "worst-case-bounds",
        "covariance": analysis.covariance,
        "population": analysis.population,
        "terms": "",
    }


def selection(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """Heckman's model by maximum likelihood, the same terms in both equations; rho beside the effect."""
    matrix = model_matrix(frame, [plan.terms[name].term for name in analysis.terms])
    clusters = frame[plan.design.cluster] if analysis.covariance == "CR1" else None
    fit = heckman_likelihood(
        outcome=frame["outcome"].to_numpy(dtype=np.float64),
        matrix=matrix,
        clusters=clusters,
        conf_level=plan.conf_level,
    )
    return {"": fit.coefficient(df="normal"), RHO: fit.correlation()}, {
        "estimator": "heckman",
        "covariance": analysis.covariance,
        "df": "normal",
        "population": analysis.population,
        "terms": " + ".join(analysis.terms),
    }


def imputed(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """The model in data sets whose missing outcomes were drawn, pooled by Rubin's rules.

    Predictive mean matching (logistic regression of an outcome of zeros and ones) in each arm apart, from the terms
    of the
    model and the auxiliaries: those of the plan, or else every other outcome, in whatever wave. Auxiliaries with gaps
    are imputed with it.
    """
    facts = {
        "estimator": "imputation",
        "covariance": analysis.covariance,
        "df": analysis.df,
        "population": analysis.population,
        "terms": " + ".join(analysis.terms),
    }
    if frame["outcome"].notna().all():
        found, _ = fitted(analysis, frame, plan)
        return replace(found, note="No outcome is missing: nothing is imputed."), facts
    estimates = [
        fitted(analysis, frame.assign(outcome=values), plan)[0] for values in completed_outcomes(analysis, frame, plan)
    ]
    pooled = pool(estimates, complete_df=float(np.mean([each.df for each in estimates])))
    return pooled, facts


def completed_outcomes(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Array:
    """The outcome (m, n) of everyone in `frame` in each completed data set; the plan's seed gives the same ones each
    time.
    """
    model = imputation_plan(analysis, frame, plan)
    names = [*(variable.name for variable in model.variables), *(term.column for term in model.terms), "treatment"]
    names += [plan.design.cluster] if plan.design.cluster else []
    completed = impute(_complete_terms(frame[list(dict.fromkeys(names))], model.terms), model)
    return np.stack([completed.column("outcome", number).astype(np.float64) for number in range(len(completed))])


def imputation_plan(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> ImputationPlan:
    """What is imputed from what for one analysis: its outcome and the auxiliaries with gaps, in each arm apart."""
    outcome = plan.outcomes[analysis.outcome]
    terms: list[Term] = [plan.terms[name].term for name in analysis.terms]
    variables = [ImputedVariable(name="outcome", kind="binary" if outcome.kind == "binary" else "pmm")]
    for name in _auxiliary(analysis, frame, plan):
        if plan.columns[name].kind == "category" or frame[name].notna().all():
            terms.append(plan.terms[name].term)
        else:
            variables.append(ImputedVariable(name=name, kind="pmm"))
    seed = int(np.random.SeedSequence([plan.seed, zlib.crc32(analysis.id.encode())]).generate_state(1)[0])
    return ImputationPlan(
        variables=tuple(variables),
        terms=tuple(terms),
        within="treatment",
        clusters=plan.design.cluster or None,
        imputations=plan.model.imputations,
        iterations=plan.model.iterations,
        seed=seed,
    )


def _auxiliary(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Sequence[str]:
    """Columns that tell of the missing outcome: none of the model's own, and none without two values in each arm."""
    if plan.data is None:
        return ()
    outcome = plan.outcomes[analysis.outcome]
    others = [each.column for each in plan.measured] + [each.baseline for each in plan.measured if each.baseline]
    own = {outcome.column, *analysis.terms, *([outcome.baseline] if "baseline" in analysis.terms else [])}
    named = [name for name in dict.fromkeys(plan.model.auxiliary or others) if name not in own and name in plan.terms]
    return [name for name in named if frame.groupby("treatment")[name].nunique().min() > 1]


def _complete_terms(frame: pd.DataFrame, terms: Sequence[Term]) -> pd.DataFrame:
    """The frame with a level of its own where a category is not known."""
    names = [term.column for term in terms if term.kind == "categorical"]
    return frame.assign(**{name: frame[name].fillna(NOT_KNOWN) for name in names if frame[name].isna().any()})
