"""Outcomes that many did not give: selection models, weights and bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hhp_stats.errors import NonConvergence, NoObservations
from hhp_stats.estimate.bounds import lee_bounds, worst_case_bounds
from hhp_stats.estimate.selection import SelectionFit, heckman_likelihood, heckman_two_step
from hhp_stats.estimate.selection_fit import said_of_several
from hhp_stats.estimate.weights import response_weights, weighted_effect
from hhp_stats.regression.model_matrix import model_matrix
from hhp_stats.results.frame import Estimate
from hhp_stats.studies.estimators.analysis_data import AnalysisData, Model
from hhp_stats.studies.estimators.beside import RHO, bounded
from hhp_stats.studies.estimators.linear import pooled


def selection(data: AnalysisData) -> dict[str, Estimate]:
    """Heckman's model by maximum likelihood, the same terms in both equations; rho beside the effect, or pooled over
    completed data sets.

    Pooled are the highest maxima of all completed data sets. Where one has no maximum nothing is pooled: the estimate
    would be that of the sets in which the model happens to work (NonConvergence, which says how many those are).
    """
    fits, failed = [], []
    for model in data.sets():
        try:
            fits.append(selection_fit(data, model))
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


def selection_fit(data: AnalysisData, model: Model) -> SelectionFit:
    """The model of one data set; clustered where the plan says CR1."""
    clusters = data.of(model.people) if data.analysis.covariance == "CR1" else None
    return heckman_likelihood(outcome=model.outcome, matrix=model.matrix, clusters=clusters, conf_level=data.conf_level)


def selection_two_step(data: AnalysisData) -> dict[str, Estimate]:
    """Heckman's two steps with corrected standard errors (which take people as independent)."""
    model = data.sets().only(data.analysis.id)
    fit = heckman_two_step(outcome=model.outcome, matrix=model.matrix, conf_level=data.conf_level)
    return {"": fit.coefficient(df="normal")}


def weighted(data: AnalysisData) -> dict[str, Estimate]:
    """Answers weighted by the inverse of the chance of answering; a person drawn alone is a cluster of one."""
    model = data.sets().only(data.analysis.id)
    response = response_weights(answered=~np.isnan(model.outcome), matrix=model.matrix)
    found = weighted_effect(
        outcome=model.outcome,
        matrix=model.matrix,
        response=response,
        clusters=data.units(model.people),
        conf_level=data.conf_level,
    )
    return {"": data.without_clusters(found)}


def lee(data: AnalysisData) -> dict[str, Estimate]:
    """Bounds for those who would answer in either arm; the effect row carries their middle."""
    found = lee_bounds(
        outcome=data.values,
        treatment=data.treatment,
        clusters=data.clusters,
        draws=data.draws,
        seed=data.seed,
        conf_level=data.conf_level,
    )
    return bounded(found, n_clusters=found.lower.n_clusters)


def worst_case(data: AnalysisData) -> dict[str, Estimate]:
    """Bounds whatever those whose outcome is not known would have given, from the ends of its scale alone.

    Where people were drawn one by one, each is a cluster: CR1 with n clusters is HC1.
    """
    if np.isnan(data.values).all():
        raise NoObservations("no outcome is known")
    low, high = data.scale()
    found = worst_case_bounds(
        outcome=data.values,
        matrix=model_matrix(data.people, ()),
        lowest=low,
        highest=high,
        clusters=data.units(data.people),
        conf_level=data.conf_level,
    )
    found = replace(found, lower=data.without_clusters(found.lower), upper=data.without_clusters(found.upper))
    return bounded(found, n_clusters=found.lower.n_clusters)
