"""The planned difference in standard deviations: Hedges' g, with the planned model's standard error."""

from __future__ import annotations

from typing import cast

from hhp_stats.estimate.effect_size import hedges_g, hedges_g_adjusted, hedges_g_clustered
from hhp_stats.estimate.icc import icc_anova
from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.regression.cluster_robust import ClusterKind, DegreesOfFreedom, cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import model_matrix
from hhp_stats.results.frame import Estimate
from hhp_stats.studies.estimators.analysis_data import AnalysisData
from hhp_stats.studies.estimators.linear import effect_in


def standardised(data: AnalysisData) -> dict[str, Estimate]:
    """The difference of people drawn one by one, in pooled standard deviations; adjusted where the planned model is."""
    model = data.model
    sets = model.sets() if model is not None and ESTIMATORS[model.analysis.estimator].least_squares else None
    if model is not None and sets is not None and len(sets.matrix.names) > 2:
        effect = effect_in(model, sets.only(model.analysis.id), effect=sets.effect)
        return {"": hedges_g_adjusted(effect, outcome=data.values, treatment=data.treatment).g}
    return {"": hedges_g(outcome=data.values, treatment=data.treatment, conf_level=data.conf_level).g}


def standardised_clustered(data: AnalysisData) -> dict[str, Estimate]:
    """The same where clusters were drawn, with the clustered standard error of the planned difference.

    Where the planned analysis is no regression, the difference is that of the arms, CR2 with Satterthwaite's df.
    """
    clusters, model = data.drawn(data.people), data.model
    matrix, kind, df = model_matrix(data.people, ()), "CR2", "satterthwaite"
    if model is not None and ESTIMATORS[model.analysis.estimator].least_squares:
        matrix, kind, df = model.sets().matrix, model.analysis.covariance, model.analysis.df
    fit = ols(outcome=data.values, matrix=matrix)
    covariance = cluster_covariance(fit, clusters=clusters, kind=cast(ClusterKind, kind))
    effect = coefficient(fit, covariance, df=cast(DegreesOfFreedom, df), conf_level=data.conf_level)
    icc = max(0.0, icc_anova(outcome=data.values, clusters=clusters, treatment=data.treatment).estimate)
    found = hedges_g_clustered(effect, outcome=data.values, treatment=data.treatment, clusters=clusters, icc=icc)
    return {"": found.g}
