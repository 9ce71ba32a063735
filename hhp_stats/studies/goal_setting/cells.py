"""One planned analysis at a time: estimate as the plan says, and hand back rows and what was really done.

A cell that cannot be estimated keeps its row, with the reason.
"""

from __future__ import annotations

from dataclasses import replace

from hhp_stats.plan.conduct import NOT_ESTIMATED, Conduct
from hhp_stats.plan.returns_schema import ReturnsAnalysis, ReturnsOutcome, ReturnsPlan
from hhp_stats.studies.estimators.beside import RATIO
from hhp_stats.studies.goal_setting.analysed import Material, analysis_data, model_terms
from hhp_stats.studies.planned import Cell, conduct_of, run_planned

BEYOND = (RATIO,)  # estimands that an analysis gives beside what the protocol asks for


def run_cell(analysis: ReturnsAnalysis, material: Material) -> Cell:
    """Estimate one planned analysis; an estimation error becomes a row with its reason."""
    plan, outcome = material.plan, material.plan.outcomes[analysis.outcome]
    rows = run_planned(
        plan,
        analysis,
        lambda: analysis_data(analysis, material),
        contrast=plan.contrast,
        several=analysis.baseline_absence in plan.imputation.models,
        made_by=run_cell,
    )
    rows = tuple(replace(row, analysis="exploratory") if row.estimand in BEYOND else row for row in rows)
    done = what_was_done(analysis, outcome, plan)
    fitted = NOT_ESTIMATED if rows[0].status == "not_estimated" else fitted_as(rows[0].method)
    return Cell(rows=rows, conduct=(*done, *conduct_of(plan.study, analysis.id, {"fitted": fitted})))


def fitted_as(method: str) -> str:
    """What the estimate says about itself, without how often it was imputed: read off the fit, not off the plan."""
    return method.split(";")[0]


def what_was_done(analysis: ReturnsAnalysis, outcome: ReturnsOutcome, plan: ReturnsPlan) -> tuple[Conduct, ...]:
    """The properties of an analysis as it ran, for the comparison with the protocol's commitments."""
    done = {
        "estimator": analysis.estimator,
        "covariance": analysis.covariance,
        "df": analysis.df,
        "population": analysis.population,
        "leavers": analysis.leavers,
        "leaver_floor": f"{analysis.leaver_floor:g}",
        "average": analysis.average,
        "weight": outcome.weight,
        "missing_outcome": analysis.missing_outcome,
        "baseline_absence": analysis.baseline_absence,
        "summary": analysis.summary,
        # Indicators of missing baselines belong to the rule for baselines, which stands above.
        "terms": " + ".join(
            term.column for term in model_terms(analysis, outcome, plan) if not term.column.endswith("_missing")
        ),
    }
    model = plan.imputation.models.get(analysis.baseline_absence)
    if model is not None:
        done["imputed_arms"] = model.baselines
    return conduct_of(plan.study, analysis.id, done)
