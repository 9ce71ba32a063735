"""One planned analysis at a time: estimate as the plan says, and hand back rows and what was really done.

A cell calls one function of `estimate` and one of `infer`. A cell that cannot be estimated keeps its
row, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from hhp_stats.plan.conduct import NOT_ESTIMATED, Conduct
from hhp_stats.plan.schema import Outcome, Plan, PlannedAnalysis
from hhp_stats.studies.beside import ALWAYS, RATIO, RHO
from hhp_stats.studies.goal_setting import linear_cells, missing_cells, probability_cells
from hhp_stats.studies.goal_setting.analysed import Material, model_terms
from hhp_stats.studies.planned import Cell, Estimates, conduct_of, rows_of

BEYOND = (RATIO,)  # estimands that an analysis gives beside what the protocol asks for
# {own} is the estimand of the effect.
BESIDE: Mapping[str, tuple[str, ...]] = {**ALWAYS, "iv": ("uptake", "{own}/iv-anderson-rubin")}
Estimator = Callable[[PlannedAnalysis, Outcome, Material], Estimates]

ESTIMATORS: Mapping[str, Estimator] = {
    "ols": linear_cells.ordinary,
    "wild-bootstrap": linear_cells.wild,
    "randomisation": linear_cells.randomisation,
    "iv": linear_cells.complier,
    "logit": probability_cells.logistic,
    "firth": probability_cells.penalised,
    "heckman-ml": missing_cells.selection_likelihood,
    "heckman-two-step": missing_cells.selection_two_step,
    "weighted": missing_cells.weighted,
    "lee-bounds": missing_cells.lee,
    "worst-case-bounds": missing_cells.worst_case,
}


def run_cell(analysis: PlannedAnalysis, material: Material) -> Cell:
    """Estimate one planned analysis; an estimation error becomes a row with its reason."""
    plan, outcome = material.plan, material.plan.outcomes[analysis.outcome]
    estimator = ESTIMATORS[analysis.estimator]
    rows = rows_of(
        plan.result_id(analysis),
        lambda: estimator(analysis, outcome, material),
        estimator=analysis.estimator,
        contrast=plan.contrast,
        about={
            "population": plan.populations[analysis.population].label,
            "analysis": analysis.kind,
            "clause": " ".join(analysis.clauses),
        },
        made_by=estimator,
        refused_by=estimator,
        beside=_beside(analysis, plan),
        note=lambda: analysis.note,
    )
    rows = tuple(replace(row, analysis="exploratory") if row.estimand in BEYOND else row for row in rows)
    done = what_was_done(analysis, outcome, plan)
    fitted = NOT_ESTIMATED if rows[0].status == "not_estimated" else fitted_as(rows[0].method)
    return Cell(rows=rows, conduct=(*done, *conduct_of(plan.study, analysis.id, {"fitted": fitted})))


def _beside(analysis: PlannedAnalysis, plan: Plan) -> list[str]:
    """What goes with the effect where it is refused; a selection model has its correlation beside a single fit."""
    names = [name.format(own=analysis.id.split("/")[1]) for name in BESIDE.get(analysis.estimator, ())]
    single = analysis.baseline_absence not in plan.imputation.models
    return [*names, RHO] if analysis.estimator == "heckman-ml" and single else names


def fitted_as(method: str) -> str:
    """What the estimate says about itself, without how often it was imputed: read off the fit, not off the plan."""
    return method.split(";")[0]


def what_was_done(analysis: PlannedAnalysis, outcome: Outcome, plan: Plan) -> tuple[Conduct, ...]:
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
