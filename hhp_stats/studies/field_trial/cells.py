"""One planned analysis of a field trial at a time; what cannot be estimated keeps its row, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.contrast import contrast_of
from hhp_stats.estimate.effect_size import hedges_g, hedges_g_adjusted
from hhp_stats.estimate.two_sample import welch
from hhp_stats.plan.conduct import NOT_ESTIMATED
from hhp_stats.plan.individual import IndividualPlan, StudyAnalysis
from hhp_stats.ran import name_of
from hhp_stats.regression.model_matrix import Array
from hhp_stats.results import Estimate, not_estimated
from hhp_stats.studies.beside import ALWAYS, RHO
from hhp_stats.studies.field_trial import clusters, linear_cells, missing_cells, probability_cells
from hhp_stats.studies.field_trial.analysed import analysed, gaps
from hhp_stats.studies.field_trial.linear_cells import fitted
from hhp_stats.studies.planned import Cell, Estimates, conduct_of, rows_of


def run_cell(analysis: StudyAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> Cell:
    """Estimate one planned analysis as the plan says it; an estimation error becomes a row with its reason."""
    outcome, key, contrast = plan.outcomes[analysis.outcome], plan.result_id(analysis), analysis.contrast
    about: dict[str, Any] = {
        "population": plan.populations[analysis.population].label,
        "analysis": analysis.kind,
        "clause": " ".join(analysis.clauses),
    }
    if outcome.missing:
        row = not_estimated(
            result_id=key,
            reason=outcome.missing,
            method=analysis.estimator,
            contrast=contrast_of(key, contrast or plan.contrast),
            source=name_of(run_cell),
            **about,
        )
        return Cell(rows=(row,), conduct=conduct_of(plan.study, analysis.id, {"estimator": "not run: no data"}))
    estimator, done = ESTIMATORS[analysis.estimator], {"estimator": NOT_ESTIMATED}

    def estimate() -> Estimates:
        nonlocal done
        found, facts = estimator(analysis, analysed(analysis, people, plan), plan)
        done = dict(facts)
        return {"": found} if isinstance(found, Estimate) else found

    rows = rows_of(
        key,
        estimate,
        estimator=analysis.estimator,
        contrast=contrast or plan.contrast,
        about=about,
        made_by=estimator,
        beside=ALWAYS.get(analysis.estimator, ()),
        refused_by=run_cell,  # who is analysed is found out here; the estimator may not have been asked yet
        note=lambda: " ".join(filter(None, (analysis.note, _filled(gaps(analysis, people, plan), plan)))),
    )
    return Cell(rows=rows, conduct=conduct_of(plan.study, analysis.id, done))


def _filled(names: Sequence[str], plan: IndividualPlan) -> str:
    """In words: which covariates were not known of somebody, and what took their place. No numbers: they may be small
    ones.
    """
    if not names:
        return ""
    own = any(name in plan.terms and plan.terms[name].kind == "categorical" for name in names)
    said = ", ".join(name.replace("_", " ") for name in names)
    return f"Where not known, set to the mean{' or, of categories, to a level of its own' if own else ''}: {said}."


def _arrays(frame: pd.DataFrame) -> tuple[Array, Array]:
    return frame["outcome"].to_numpy(dtype=np.float64), frame["treatment"].to_numpy(dtype=np.float64)


# The estimands that an analysis gives beside its effect.
BESIDE_EFFECT: Mapping[str, tuple[str, ...]] = {**ALWAYS, "heckman": (RHO,)}
# One estimate, or several by estimand ("" is the effect itself); and what was done.
Estimated = tuple[Estimate | Mapping[str, Estimate], Mapping[str, str]]


def _welch(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    outcome, treatment = _arrays(frame)
    return welch(outcome=outcome, treatment=treatment, conf_level=plan.conf_level), {
        "estimator": "welch",
        "covariance": "by arm",
        "df": "satterthwaite",
        "population": analysis.population,
        "terms": "",
    }


def _hedges(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """The planned difference in standard deviations; with the planned model's standard error where it has
    covariates.
    """
    outcome, treatment = _arrays(frame)
    model = plan.model_of(analysis)
    if model.estimator in ("ols", "imputation") and model.terms:
        effect, _ = fitted(model, frame, plan)
        found, df = hedges_g_adjusted(effect, outcome=outcome, treatment=treatment), model.df
    else:
        found, df = hedges_g(outcome=outcome, treatment=treatment, conf_level=plan.conf_level), "normal"
    return found.g, {
        "estimator": "hedges-g",
        "covariance": "pooled",
        "df": df,
        "population": analysis.population,
        "terms": " + ".join(model.terms) if model.estimator in ("ols", "imputation") else "",
    }


ESTIMATORS: Mapping[str, Callable[[StudyAnalysis, pd.DataFrame, IndividualPlan], Estimated]] = {
    "ols": linear_cells.ordinary,
    "welch": _welch,
    "hedges-g": _hedges,
    "lee-bounds": missing_cells.lee,
    "worst-case-bounds": missing_cells.worst_case,
    "imputation": missing_cells.imputed,
    "heckman": missing_cells.selection,
    "logit": probability_cells.logistic,
    "firth": probability_cells.penalised,
    "wild-bootstrap": clusters.bootstrapped,
    "randomisation": clusters.rerandomised,
    "cluster-means": clusters.means_of_clusters,
    "hedges-g-clustered": clusters.standardised,
}
