"""Data sets whose missing outcomes were drawn: what is imputed from what in one analysis of a field trial.

Predictive mean matching (logistic regression of an outcome of zeros and ones) in each arm apart, from the terms of the
model and the auxiliaries: those of the plan, or else every other outcome, in whatever wave. Auxiliaries with gaps are
imputed with it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, impute
from hhp_stats.plan.individual import IndividualAnalysis, IndividualPlan
from hhp_stats.plan.table_plan import NOT_KNOWN
from hhp_stats.regression.model_matrix import Array, Term


def completed_outcomes(analysis: IndividualAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Array:
    """The outcome (m, n) of everyone in `frame` in each completed data set; the plan's seed gives the same ones each
    time.
    """
    model = imputation_plan(analysis, frame, plan)
    names = [*(variable.name for variable in model.variables), *(term.column for term in model.terms), "treatment"]
    names += [plan.design.cluster] if plan.design.cluster else []
    completed = impute(_complete_terms(frame[list(dict.fromkeys(names))], model.terms), model)
    return np.stack([completed.column("outcome", number).astype(np.float64) for number in range(len(completed))])


def imputation_plan(analysis: IndividualAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> ImputationPlan:
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


def _auxiliary(analysis: IndividualAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Sequence[str]:
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
