"""Outcomes that many did not answer: selection models, weights and bounds. (Clauses P73-P76; beyond them, marked.)"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from hhp_stats.errors import EstimationError, NonConvergence, NothingUnknown, UnknownName
from hhp_stats.estimate.bounds import lee_bounds, worst_case_bounds
from hhp_stats.estimate.selection import SelectionFit, heckman_likelihood, heckman_two_step
from hhp_stats.estimate.selection_fit import said_of_several
from hhp_stats.estimate.weights import response_weights, weighted_effect
from hhp_stats.plan.schema import Outcome, PlannedAnalysis
from hhp_stats.regression.model_matrix import Array, model_matrix
from hhp_stats.results import Estimate
from hhp_stats.studies.beside import RHO, bounded
from hhp_stats.studies.goal_setting.analysed import Material, Model, lower_first, models, outcome_column
from hhp_stats.studies.goal_setting.linear_cells import pooled
from hhp_stats.studies.goal_setting.sample import ABSENCE, wellbeing_range

LEE_STREAM = 3
BOOTSTRAP_DRAWS = 1_000


def selection_likelihood(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """Heckman's model by maximum likelihood, clustered by team; rho beside the effect, or pooled over imputed
    baselines.

    Pooled are the highest maxima of all completed data sets. Where one has no maximum nothing is pooled: the estimate
    would be that of the sets in which the model happens to work (NonConvergence, which says how many those are).
    """
    fits, failed = [], []
    for model in models(analysis, outcome, material):
        try:
            fits.append(_selection_fit(model, material))
        except NonConvergence as problem:
            failed.append(problem)
    sets = len(fits) + len(failed)
    if failed and sets == 1:
        raise failed[0]
    if failed:
        raise NonConvergence(f"in {len(failed)} of {sets} completed data sets: {failed[0]}") from failed[0]
    effect = pooled([fit.coefficient(df="normal") for fit in fits])
    if sets > 1:
        return {"": replace(effect, note=said_of_several(fits))}
    return {"": effect, RHO: fits[0].correlation()}


def _selection_fit(model: Model, material: Material) -> SelectionFit:
    return heckman_likelihood(
        outcome=model.outcome,
        matrix=model.matrix,
        clusters=model.people["team_id"],
        conf_level=material.plan.conf_level,
    )


def maxima(material: Material) -> pd.DataFrame:
    """Where does the likelihood of each selection model have maxima? One row a maximum, the reported one of an
    outcome first.

    Columns: outcome, reported, rho with the ends of its profile-likelihood interval and the p of no correlation
    (reported ones only), log_likelihood, estimate (the effect there), stationary (False where rho runs to -1 or 1).
    Outcomes whose model cannot be fitted have no row; their result says why.
    """
    rows: list[dict[str, object]] = []
    for analysis in material.plan.analyses:
        if analysis.estimator != "heckman-ml" or analysis.baseline_absence in material.plan.imputation.models:
            continue
        try:
            (model,) = models(analysis, material.plan.outcomes[analysis.outcome], material)
            fit = _selection_fit(model, material)
        except EstimationError:
            continue
        place = fit.names.index("treatment")
        rows.append(
            {
                "outcome": analysis.outcome,
                "reported": True,
                "rho": fit.rho,
                "rho_low": fit.rho_conf_low,
                "rho_high": fit.rho_conf_high,
                "p_value": fit.lr_p_value,
                "log_likelihood": fit.log_likelihood,
                "estimate": float(fit.coefficients[place]),
                "stationary": True,
            }
        )
        rows += [
            {
                "outcome": analysis.outcome,
                "reported": False,
                "rho": other.rho,
                "rho_low": np.nan,
                "rho_high": np.nan,
                "p_value": np.nan,
                "log_likelihood": other.log_likelihood,
                "estimate": float(other.coefficients[place]),
                "stationary": other.stationary,
            }
            for other in fit.others
        ]
    return pd.DataFrame(
        rows,
        columns=[
            "outcome",
            "reported",
            "rho",
            "rho_low",
            "rho_high",
            "p_value",
            "log_likelihood",
            "estimate",
            "stationary",
        ],
    )


def selection_two_step(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """Heckman's two steps with corrected standard errors (which take people as independent)."""
    (model,) = models(analysis, outcome, material)
    fit = heckman_two_step(outcome=model.outcome, matrix=model.matrix, conf_level=material.plan.conf_level)
    return {"": fit.coefficient(df="normal")}


def identification(outcomes: tuple[str, ...], material: Material) -> pd.DataFrame:
    """On what does the selection model rest? One row an outcome whose model can be fitted: condition number, variance
    inflation, how many answered.

    Without a term that predicts response alone, only the curvature of the response model tells selection from effect.
    A scaled condition number above 30 is harmful (Belsley, Kuh and Welsch 1980).
    """
    rows = []
    for key in outcomes:
        analysis = material.plan.analysis(f"{key}/itt/heckman-two-step")
        try:
            (model,) = models(analysis, material.plan.outcomes[key], material)
            fit = heckman_two_step(outcome=model.outcome, matrix=model.matrix, conf_level=material.plan.conf_level)
        except EstimationError:  # the row of the result says why
            continue
        rows.append(
            {
                "outcome": key,
                "condition_number": fit.identification.condition_number,
                "variance_inflation": fit.identification.variance_inflation,
                "answered": fit.n_selected,
                "people": fit.n,
            }
        )
    return pd.DataFrame(rows, columns=["outcome", "condition_number", "variance_inflation", "answered", "people"])


def weighted(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """Answers weighted by the inverse of the chance of answering."""
    (model,) = models(analysis, outcome, material)
    response = response_weights(answered=~np.isnan(model.outcome), matrix=model.matrix)
    return {
        "": weighted_effect(
            outcome=model.outcome,
            matrix=model.matrix,
            response=response,
            clusters=model.people["team_id"],
            conf_level=material.plan.conf_level,
        )
    }


def lee(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """Bounds for those whose outcome would be known in either arm."""
    people, known = material.people, _partly_known(analysis, outcome, material)
    seed = int(np.random.SeedSequence([material.plan.seed, LEE_STREAM]).generate_state(1)[0])
    found = lee_bounds(
        outcome=known,
        treatment=people["treatment"].to_numpy(dtype=np.float64),
        clusters=people["team_id"],
        draws=BOOTSTRAP_DRAWS,
        seed=seed,
        conf_level=material.plan.conf_level,
    )
    return bounded(found, n_clusters=found.lower.n_clusters)


def worst_case(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """Bounds whatever the outcomes are that are not known, from the ends of what is possible alone.

    Everybody who was randomised counts. Of zeros and ones: all unknown of one arm a one and of the other a zero, and
    the reverse.
    """
    people, known = material.people, _partly_known(analysis, outcome, material)
    low, high = outcome_range(outcome, material)
    found = worst_case_bounds(
        outcome=known,
        matrix=model_matrix(people, ()),
        lowest=low,
        highest=high,
        clusters=people["team_id"],
        conf_level=material.plan.conf_level,
    )
    return bounded(found, n_clusters=found.lower.n_clusters)


def _partly_known(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> Array:
    """The outcome of everybody (n,), missing where it is not known; refuses one that is known of all
    (NothingUnknown).
    """
    values = material.people[outcome_column(analysis, outcome, material.plan)].to_numpy(dtype=np.float64)
    if not np.isnan(values).any():
        raise NothingUnknown(f"{lower_first(outcome.label)} is known of everybody, so that nothing unknown can move it")
    return values


def outcome_range(outcome: Outcome, material: Material) -> tuple[float, float]:
    """The ends of what is possible: zero and one, the plan's scale, for wellbeing those of its parts, for days absent
    none and all working days of the follow-up (a return may round a day up).
    """
    if outcome.kind == "binary":
        return 0.0, 1.0
    if outcome.scale_range:
        low, high = outcome.scale_range
        return low, high
    if outcome.column == ABSENCE:
        return 0.0, float(material.people[["follow_up_days", ABSENCE]].max().max())
    if outcome.key == "wellbeing":
        return wellbeing_range(material.people)
    raise UnknownName(f"the plan gives no range for {outcome.key}; bounds need one")
