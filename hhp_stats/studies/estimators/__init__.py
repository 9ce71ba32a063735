"""The function that answers to each estimator of `plan.estimators`, and what each gives beside its effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hhp_stats.results.frame import Estimate
from hhp_stats.studies.estimators import linear, missing, probability, resampling, standardised
from hhp_stats.studies.estimators.analysis_data import AnalysisData

ESTIMATORS: Mapping[str, Callable[[AnalysisData], Mapping[str, Estimate]]] = {
    "ols": linear.ordinary,
    "imputation": linear.imputed,
    "welch": linear.unequal_variances,
    "pooled": linear.one_variance,
    "cluster-means": linear.means_of_clusters,
    "iv": linear.complier,
    "hedges-g": standardised.standardised,
    "hedges-g-clustered": standardised.standardised_clustered,
    "wild-bootstrap": resampling.wild,
    "randomisation": resampling.randomisation,
    "logit": probability.logistic,
    "firth": probability.penalised,
    "heckman": missing.selection,
    "heckman-two-step": missing.selection_two_step,
    "weighted": missing.weighted,
    "lee-bounds": missing.lee,
    "worst-case-bounds": missing.worst_case,
}
