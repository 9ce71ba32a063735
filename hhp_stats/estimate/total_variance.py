"""How large is an effect on the total variance of a multilevel model, as the Education Endowment Foundation asks?"""

from __future__ import annotations

import math

from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput
from hhp_stats.estimate.effect_size import StandardisedEffect
from hhp_stats.estimate.icc import IntraclusterCorrelation, icc_anova, icc_reml
from hhp_stats.regression.clusters import refuse_thin_arms
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.model_matrix import Array, as_numbers
from hhp_stats.results.frame import Estimate


@typed
def total_variance_effect(
    effect: Estimate, *, outcome: Array, treatment: Array, clusters: ArrayLike
) -> StandardisedEffect:
    """How many total standard deviations is an effect estimated in a cluster-randomised trial?

    Estimator: effect / sqrt(s_b^2 + s_w^2), the variances between and within clusters of a model with a random
    intercept a cluster and the arm, without covariates, by restricted maximum likelihood (`icc_reml`); no
    small-sample correction. Its standard error and interval are those of the clustered effect over the same number:
    the denominator counts as known. `hedges_g_clustered` divides by the standard deviation pooled over people and
    corrects for both; the two differ little where clusters are many.

    Shapes: outcome, treatment (n,), clusters (n,) of those analysed in `effect`. Units: standard deviations.
    Refuses what `icc_reml` refuses, an arm of one cluster (SingleClusterArm), a treatment other than 0 and 1
    (InvalidInput).
    Source: Education Endowment Foundation (2022), Statistical Analysis Guidance for EEF Evaluations; Hedges (2007),
    Journal of Educational and Behavioral Statistics 32, 341-370, eq. 6 (the effect on the total variance).
    """
    same_people(outcome=outcome, treatment=treatment, the_clusters=clusters)
    arm = as_numbers(treatment, name="treatment")
    refuse_thin_arms(treatment=arm, clusters=clusters)
    if not ((arm == 0) | (arm == 1)).all():
        raise InvalidInput("treatment must be 0 or 1 for everyone")
    parts = icc_reml(outcome=outcome, clusters=clusters, treatment=arm)
    sd = math.sqrt(parts.between_variance + parts.within_variance)
    scaled = effect.scaled(1 / sd)
    g = Estimate(
        estimate=scaled.estimate,
        std_error=scaled.std_error,
        df=effect.df,
        n=effect.n,
        n_clusters=effect.n_clusters,
        method=f"effect over the total SD of a multilevel model; effect by {effect.method}",
        conf_level=effect.conf_level,
        statistic=scaled.statistic,
        p_value=scaled.p_value,
        conf_low=scaled.conf_low,
        conf_high=scaled.conf_high,
        note=effect.note,
    )
    return StandardisedEffect(g=g, d=scaled.estimate, small_sample_factor=1.0, sd_total=sd, df=math.inf)


@typed
def icc_binary(
    *, outcome: Array, clusters: ArrayLike, treatment: ArrayLike | None = None, conf_level: float = 0.95
) -> IntraclusterCorrelation:
    """How alike are people of one cluster in a 0/1 outcome, such as leaving?

    Estimator: that by analysis of variance on the scale of proportions (`icc_anova`), within arms where `treatment`
    is given, with Swiger's interval. Of a 0/1 outcome it is the correlation of two members' outcomes, whatever the
    odds.

    Refuses outcomes other than 0 and 1 (InvalidInput), and what `icc_anova` refuses. Source: Ridout, Demetrio and
    Firth (1999), Biometrics 55, 137-148; Swiger, Harvey, Everson and Gregory (1964), Biometrics 20, 818-826.
    """
    y = as_numbers(outcome, name="outcomes")
    if not ((y == 0) | (y == 1)).all():
        raise InvalidInput("a binary outcome is 0 or 1 for everyone, and known")
    return icc_anova(outcome=outcome, clusters=clusters, treatment=treatment, interval="swiger", conf_level=conf_level)
