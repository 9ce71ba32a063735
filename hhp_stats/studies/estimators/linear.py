"""Least squares of a planned analysis, and two-stage least squares for those who took up the offer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from hhp_stats.design.detectable_effect import FEWEST_CLUSTERS
from hhp_stats.errors import InvalidInput, NoObservations, SingleClusterArm
from hhp_stats.estimate.complier import complier_effect
from hhp_stats.estimate.two_sample import ArmSummary, pooled_contrast, welch
from hhp_stats.infer.pooling import pool
from hhp_stats.infer.repeated_regression import RepeatedRegression, repeated_regression
from hhp_stats.regression.cluster_robust import DegreesOfFreedom, coefficient, linear_contrast
from hhp_stats.regression.linear import ols
from hhp_stats.regression.spread import spread
from hhp_stats.results.frame import Estimate
from hhp_stats.studies.estimators.analysis_data import AnalysisData, CompletedSets, Model
from hhp_stats.studies.estimators.least_squares import covariance_of

NOTHING_MISSING = "No outcome is missing: nothing is imputed."


def ordinary(data: AnalysisData) -> dict[str, Estimate]:
    """Least squares with the covariance and degrees of freedom of the plan, pooled over completed data sets; weighted
    where people count differently.
    """
    return {"": _effect_of(data, data.sets())}


def _effect_of(data: AnalysisData, sets: CompletedSets) -> Estimate:
    weights = data.weights()
    if weights is None:
        return _pooled_effect(data, sets)
    found = _pooled_effect(data, sets.weighted(weights, data.drawn(sets.people)))
    return replace(found, method=f"{data.weighted_by}: {found.method}")


def imputed(data: AnalysisData) -> dict[str, Estimate]:
    """The same in data sets whose missing outcomes were drawn; says so where none is missing."""
    sets = data.sets()
    found = _effect_of(data, sets)
    return {"": found if len(sets.outcomes) > 1 else replace(found, note=NOTHING_MISSING)}


def _pooled_effect(data: AnalysisData, sets: CompletedSets) -> Estimate:
    if (data.analysis.covariance, data.analysis.df) == ("CR1", "clusters") and sets.varying:
        same = repeated(sets, clusters=data.drawn(sets.people), conf_level=data.conf_level)
        return pooled(same.effects(sets.outcomes.T))
    return pooled([effect_in(data, model, effect=sets.effect) for model in sets])


def repeated(sets: CompletedSets, *, clusters: pd.Series, conf_level: float) -> RepeatedRegression:
    """The planned regression in all completed data sets at once."""
    return repeated_regression(
        matrix=sets.matrix,
        varying={name: values.T for name, values in sets.varying.items()},
        sets=len(sets.outcomes),
        clusters=clusters,
        conf_level=conf_level,
    )


def effect_in(data: AnalysisData, model: Model, *, effect: Mapping[str, float]) -> Estimate:
    """The effect in one data set: a coefficient, or the weighted sum of several."""
    fit = ols(outcome=model.outcome, matrix=model.matrix)
    second = model.people.get(data.second)
    covariance = covariance_of(fit, data.analysis.covariance, clusters=data.of(model.people), second=second)
    df = cast(DegreesOfFreedom, data.analysis.df)
    if len(effect) == 1 and 1.0 in effect.values():
        return coefficient(fit, covariance, term=next(iter(effect)), df=df, conf_level=data.conf_level)
    return linear_contrast(fit, covariance, weights=effect, df=df, conf_level=data.conf_level)


def pooled(found: Sequence[Estimate]) -> Estimate:
    """Rubin's rules where there are several; Satterthwaite degrees of freedom enter by their mean."""
    if len(found) == 1:
        return found[0]
    return pool(found, complete_df=float(np.mean([estimate.df for estimate in found])))


def unequal_variances(data: AnalysisData) -> dict[str, Estimate]:
    """Welch's comparison of two means."""
    return {"": welch(outcome=data.values, treatment=data.treatment, conf_level=data.conf_level)}


def one_variance(data: AnalysisData) -> dict[str, Estimate]:
    """The difference of two groups of several, with the variance that all groups share."""
    groups = data.people.groupby(data.groups, observed=False)[data.outcome]
    arms, sides = [], data.people.groupby(data.groups, observed=False)["treatment"].first()
    for name, values in groups:
        if len(values) < 2:
            raise NoObservations(f"{name}: {len(values)} values have no variance")
        arms.append(
            ArmSummary(mean=float(values.mean()), std_error=spread(values) / math.sqrt(len(values)), n=len(values))
        )
    of = tuple(np.flatnonzero(sides == side) for side in (1, 0))
    if any(len(places) != 1 for places in of):
        raise InvalidInput(f"{data.analysis.id}: one variance for all is used for two groups")
    return {"": pooled_contrast(tuple(arms), of=(int(of[0][0]), int(of[1][0])), conf_level=data.conf_level)}


def means_of_clusters(data: AnalysisData) -> dict[str, Estimate]:
    """Welch's test of the clusters' means: each cluster counts once.

    Refuses (SingleClusterArm) an arm of fewer than two clusters in which the outcome is known.
    """
    means = data.people.groupby(data.cluster)[[data.outcome, "treatment"]].mean()
    if means["treatment"].value_counts().reindex([0.0, 1.0], fill_value=0).min() < FEWEST_CLUSTERS:
        raise SingleClusterArm("an arm holds fewer than two clusters: their means cannot be compared")
    return {
        "": welch(
            outcome=means[data.outcome].to_numpy(dtype=np.float64),
            treatment=means["treatment"].to_numpy(dtype=np.float64),
            conf_level=data.conf_level,
        )
    }


def complier(data: AnalysisData) -> dict[str, Estimate]:
    """The effect of taking up the offer on those whom it moved to do so, and how strong the instrument is.

    A person drawn alone is a cluster of one. Beside the effect: what the offer did to taking it up (`uptake`, whose
    squared t is the F of the first stage), and Anderson and Rubin's interval, which holds however few the offer moved.
    """
    model = data.sets().only(data.analysis.id)
    if not data.takeup:
        raise InvalidInput(f"{data.analysis.id}: the study has no column of who took up the offer")
    found = complier_effect(
        outcome=model.outcome,
        takeup=model.people[data.takeup].to_numpy(dtype=np.float64),
        matrix=model.matrix,
        clusters=data.units(model.people),
        conf_level=data.conf_level,
    )
    low, high = found.anderson_rubin.hull
    robust = Estimate(
        estimate=found.effect.estimate,
        std_error=np.nan,
        df=found.effect.df,
        n=found.effect.n,
        n_clusters=found.effect.n_clusters if data.cluster else None,
        conf_level=found.effect.conf_level,
        p_value=found.anderson_rubin_p,
        conf_low=low,
        conf_high=high,
        method=f"Anderson-Rubin, {found.anderson_rubin.method}",
        note=found.anderson_rubin.in_words(),
    )
    strength = "strong" if found.strong else "weak: read the Anderson-Rubin interval"
    effect = replace(
        found.effect,
        note=(
            f"Effective F {found.effective_f:.1f} against a critical value of {found.effective_f_critical:.1f}:"
            f" {strength}."
        ),
    )
    assert found.first_stage is not None  # one instrument
    uptake = data.without_clusters(found.first_stage)
    return {"": data.without_clusters(effect), "uptake": uptake, f"{data.analysis.estimand}/iv-anderson-rubin": robust}
