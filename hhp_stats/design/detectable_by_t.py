"""How small an effect could a trial of few clusters have found, by Student's t in place of normal quantiles?"""

from __future__ import annotations

from hhp_stats.calls.typed import typed
from hhp_stats.design.detectable_effect import CONVENTIONAL, Clustering, ErrorRates, cluster_detectable_effect
from hhp_stats.design.individual_power import needed_shift


@typed
def cluster_detectable_effect_t(
    *,
    clustering: Clustering,
    rates: ErrorRates = CONVENTIONAL,
    std_dev: float = 1.0,
    baseline_correlation: float = 0.0,
) -> float:
    """What is the smallest difference in means that a t test of the clusters' means finds with the given power?

    Estimator: c se, se the standard error behind `cluster_detectable_effect` and c the noncentrality at which a t test
    on 2k - 2 degrees of freedom has the power (`individual_power.needed_shift`), k clusters an arm. With clusters of
    one person that is the two-sample t test. Normal quantiles take the variance between clusters as known: of two
    clusters an arm their effect is less than half of what this test finds.

    Assumptions and refusals: as `cluster_detectable_effect`, with cluster means that are normal; a power no higher than
    alpha (EstimationError).
    Source: Donner and Klar (2000), Design and Analysis of Cluster Randomization Trials, ch. 5.
    """
    by_normal = cluster_detectable_effect(
        clustering=clustering, rates=rates, std_dev=std_dev, baseline_correlation=baseline_correlation
    )
    return by_normal * needed_shift(2 * clustering.clusters_per_arm - 2, rates=rates) / rates.reach
