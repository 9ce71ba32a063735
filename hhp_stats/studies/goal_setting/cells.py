"""One planned analysis at a time: estimate as the plan says, and hand back rows and what was really done.

A cell calls one function of `estimate` and one of `infer`. A cell that cannot be estimated keeps its
row, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hhp_stats.contrast import contrast_of
from hhp_stats.plan.conduct import NOT_ESTIMATED, Conduct
from hhp_stats.plan.schema import Outcome, Plan, PlannedAnalysis
from hhp_stats.ran import name_of, recorded, source_of
from hhp_stats.results import NOT_ALLOWED, Estimate, ResultRow, not_estimated
from hhp_stats.studies.goal_setting import linear_cells, missing_cells, probability_cells
from hhp_stats.studies.goal_setting.analysed import Material, model_terms

BEYOND = ("ratio",)  # estimands that an analysis gives beside what the protocol asks for
# Estimands that an estimator always gives beside the effect, {own} that of the effect: they go with it where it is
# refused.
BESIDE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("logit", "firth"), ("ratio", "predicted_control", "predicted_treatment")),
    **dict.fromkeys(("lee-bounds", "worst-case-bounds"), ("lower_bound", "upper_bound")),
    "iv": ("uptake", "{own}/iv-anderson-rubin"),
}
Estimates = Mapping[str, Estimate]  # by estimand; "" is the effect itself
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Rows of one planned analysis (the effect first) and what was done."""

    rows: tuple[ResultRow, ...]
    conduct: tuple[Conduct, ...]


def run_cell(analysis: PlannedAnalysis, material: Material) -> Cell:
    """Estimate one planned analysis; an estimation error becomes a row with its reason."""
    plan, outcome = material.plan, material.plan.outcomes[analysis.outcome]
    about: dict[str, Any] = {
        "population": plan.populations[analysis.population].label,
        "contrast": contrast_of(plan.result_id(analysis), plan.contrast),
        "analysis": analysis.kind,
        "clause": " ".join(analysis.clauses),
    }
    conduct = what_was_done(analysis, outcome, plan)
    estimator = ESTIMATORS[analysis.estimator]
    try:
        with recorded() as ran:
            estimates = estimator(analysis, outcome, material)
    except NOT_ALLOWED as error:
        reason, about["source"] = f"{type(error).__name__}: {error}", source_of([name_of(estimator), *ran.names])
        own = plan.result_id(analysis)
        lost = [
            not_estimated(
                result_id=sibling(own, estimand), reason=reason, method=analysis.estimator, **about | _kind(estimand)
            )
            for estimand in ("", *(name.format(own=own.split("/")[2]) for name in BESIDE.get(analysis.estimator, ())))
        ]
        refused = Conduct(study=plan.study, analysis=analysis.id, aspect="fitted", value=NOT_ESTIMATED)
        return Cell(rows=tuple(lost), conduct=(*conduct, refused))
    rows = tuple(
        estimate.row(
            result_id=key,
            note=analysis.note,
            source=source_of([name_of(estimator), *ran.names]),
            **(about | {"contrast": contrast_of(key, plan.contrast, beside=estimates)} | _kind(estimand)),
        )
        for estimand, estimate in estimates.items()
        for key in (sibling(plan.result_id(analysis), estimand),)
    )
    fitted = Conduct(study=plan.study, analysis=analysis.id, aspect="fitted", value=fitted_as(estimates[""].method))
    return Cell(rows=rows, conduct=(*conduct, fitted))


def _kind(estimand: str) -> dict[str, str]:
    return {"analysis": "exploratory"} if estimand in BEYOND else {}


def fitted_as(method: str) -> str:
    """What the estimate says about itself, without how often it was imputed: read off the fit, not off the plan."""
    return method.split(";")[0]


def sibling(result_id: str, estimand: str) -> str:
    """The id of another estimand of the same analysis; the analysis's own where `estimand` is empty.

    `estimand` may name a method of its own, as in `cace/iv-anderson-rubin`.
    """
    study, outcome, effect, method = result_id.split("/")
    if "/" in estimand:
        return f"{study}/{outcome}/{estimand}"
    return f"{study}/{outcome}/{estimand or effect}/{method}"


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
    return tuple(
        Conduct(study=plan.study, analysis=analysis.id, aspect=aspect, value=value) for aspect, value in done.items()
    )
