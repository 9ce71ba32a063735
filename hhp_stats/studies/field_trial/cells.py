"""One planned analysis of a field trial at a time; what cannot be estimated keeps its row, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hhp_stats.calls.ran import name_of
from hhp_stats.plan.conduct import NOT_ESTIMATED
from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.plan.individual import IndividualAnalysis, IndividualPlan
from hhp_stats.results.contrast import contrast_of
from hhp_stats.results.frame import not_estimated
from hhp_stats.studies.field_trial.analysed import analysis_data, gaps
from hhp_stats.studies.planned import Cell, conduct_of, run_planned


def run_cell(analysis: IndividualAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> Cell:
    """Estimate one planned analysis as the plan says it; an estimation error becomes a row with its reason."""
    outcome, key, contrast = plan.outcomes[analysis.outcome], plan.result_id(analysis), analysis.contrast
    if outcome.missing:
        row = not_estimated(
            result_id=key,
            reason=outcome.missing,
            method=analysis.estimator,
            contrast=contrast_of(key, contrast or plan.contrast),
            source=name_of(run_cell),
            population=plan.populations[analysis.population].label,
            analysis=analysis.kind,
            clause=" ".join(analysis.clauses),
        )
        return Cell(rows=(row,), conduct=conduct_of(plan.study, analysis.id, {"estimator": "not run: no data"}))
    rows = run_planned(
        plan,
        analysis,
        lambda: analysis_data(analysis, people, plan),
        contrast=contrast or plan.contrast,
        made_by=run_cell,
        note=lambda: " ".join(filter(None, (analysis.note, _filled(gaps(analysis, people, plan), plan)))),
    )
    done = what_was_done(analysis, plan) if rows[0].status != "not_estimated" else {"estimator": NOT_ESTIMATED}
    return Cell(rows=rows, conduct=conduct_of(plan.study, analysis.id, done))


def what_was_done(analysis: IndividualAnalysis, plan: IndividualPlan) -> dict[str, str]:
    """The properties of an analysis as it ran, for the comparison with the protocol's commitments."""
    estimator, model = ESTIMATORS[analysis.estimator], plan.model_of(analysis)
    terms = model.terms if estimator.terms or ESTIMATORS[model.estimator].least_squares else ()
    done = {
        "estimator": analysis.estimator,
        "covariance": analysis.covariance,
        "df": analysis.df,
        "population": analysis.population,
        "terms": " + ".join(terms),
    }
    return done | ({"clusters": plan.design.cluster} if plan.design.cluster else {})


def _filled(names: Sequence[str], plan: IndividualPlan) -> str:
    """In words: which covariates were not known of somebody, and what took their place. No numbers: they may be small
    ones.
    """
    if not names:
        return ""
    own = any(name in plan.terms and plan.terms[name].kind == "categorical" for name in names)
    said = ", ".join(name.replace("_", " ") for name in names)
    return f"Where not known, set to the mean{' or, of categories, to a level of its own' if own else ''}: {said}."
