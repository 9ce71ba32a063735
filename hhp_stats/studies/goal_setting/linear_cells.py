"""Linear models of the goal-setting trial: ordinary, by resampling, and for those who took part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from hhp_stats.estimate.complier import complier_effect
from hhp_stats.infer.pooling import pool
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.infer.repeated_regression import RepeatedRegression, repeated_regression
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.plan.schema import Outcome, PlannedAnalysis
from hhp_stats.regression.cluster_robust import (
    DegreesOfFreedom,
    coefficient,
)
from hhp_stats.regression.linear import ols
from hhp_stats.results import Estimate
from hhp_stats.studies.goal_setting.analysed import CompletedSets, Material, Model, models, only_model, person_weights
from hhp_stats.studies.least_squares import covariance_of

DRAWS = 9_999
WILD, RANDOMISED = 1, 2  # streams of the plan's seed


def ordinary(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """Least squares with the covariance and degrees of freedom of the plan, pooled over imputations.

    Weighted where the outcome or the average asks for it (`analysed.person_weights`).
    """
    sets = models(analysis, outcome, material)
    weights = person_weights(analysis, outcome, sets.people)
    if weights is None:
        return {"": _ordinary(sets, analysis, material)}
    found = _ordinary(sets.weighted(weights), analysis, material)
    how = f"weighted by {outcome.weight.replace('_', ' ')}" if outcome.weight else "every team weighted alike"
    return {"": replace(found, method=f"{how}: {found.method}")}


def _ordinary(sets: CompletedSets, analysis: PlannedAnalysis, material: Material) -> Estimate:
    if (analysis.covariance, analysis.df) == ("CR1", "clusters") and sets.varying:
        same = repeated(sets, conf_level=material.plan.conf_level)
        return pooled(same.effects(sets.outcomes.T))
    return pooled([linear_effect(model, analysis, material) for model in sets])


def repeated(sets: CompletedSets, *, conf_level: float) -> RepeatedRegression:
    """The planned regression in all completed data sets at once."""
    return repeated_regression(
        matrix=sets.matrix,
        varying={name: values.T for name, values in sets.varying.items()},
        sets=len(sets.outcomes),
        clusters=sets.people["team_id"],
        conf_level=conf_level,
    )


def linear_effect(model: Model, analysis: PlannedAnalysis, material: Material) -> Estimate:
    """The treatment coefficient of one data set."""
    fit = ols(outcome=model.outcome, matrix=model.matrix)
    people = model.people
    second = people.get("local_authority")  # what a second kind of clusters needs, and no other covariance
    covariance = covariance_of(fit, analysis.covariance, clusters=people["team_id"], second=second)
    return coefficient(fit, covariance, df=cast(DegreesOfFreedom, analysis.df), conf_level=material.plan.conf_level)


def pooled(found: Sequence[Estimate]) -> Estimate:
    """Rubin's rules where there are several; Satterthwaite degrees of freedom enter by their mean."""
    if len(found) == 1:
        return found[0]
    return pool(found, complete_df=float(np.mean([estimate.df for estimate in found])))


def wild(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """The wild cluster bootstrap with the null imposed."""
    model = only_model(analysis, outcome, material)
    test = wild_bootstrap(
        ols(outcome=model.outcome, matrix=model.matrix),
        clusters=model.people["team_id"],
        draws=DRAWS,
        rng=np.random.default_rng([material.plan.seed, WILD]),
        conf_level=material.plan.conf_level,
    )
    return {"": test.estimate}


def randomisation(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """Randomisation inference by the trial's own rule, acceptance included."""
    model = only_model(analysis, outcome, material)
    test = randomisation_test(
        outcome=model.outcome,
        matrix=model.matrix,
        clusters=model.people["team_id"],
        draw=material.redraws,
        draws=DRAWS,
        rng=np.random.default_rng([material.plan.seed, RANDOMISED]),
        conf_level=material.plan.conf_level,
    )
    return {"": test.estimate}


def complier(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """The effect of starting the course on those whom the offer moved to start it, and how strong the instrument is.

    Beside the effect: what the offer did to starting (`uptake`, whose squared t is the F of the first stage), and
    Anderson and Rubin's interval, which holds however few the offer moved.
    """
    model = only_model(analysis, outcome, material)
    takeup = model.people["enrolled"].to_numpy(dtype=np.float64)
    found = complier_effect(
        outcome=model.outcome,
        takeup=takeup,
        matrix=model.matrix,
        clusters=model.people["team_id"],
        conf_level=material.plan.conf_level,
    )
    low, high = found.anderson_rubin.hull
    robust = Estimate(
        estimate=found.effect.estimate,
        std_error=np.nan,
        df=found.effect.df,
        n=found.effect.n,
        n_clusters=found.effect.n_clusters,
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
    return {"": effect, "uptake": found.first_stage, f"{analysis.id.split('/')[1]}/iv-anderson-rubin": robust}
