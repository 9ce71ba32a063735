"""What trials ask beside regressions, by formula: take-up, tests by draws, balance, effect sizes, clustering, size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from hhp_stats.design.balance_table import balance_table as balance_of
from hhp_stats.design.cluster_draw import MOST_ALLOCATIONS, cluster_draw
from hhp_stats.design.detectable_effect import (
    Clustering,
    ErrorRates,
    cluster_detectable_effect,
    individual_detectable_effect,
)
from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.estimate.complier import ComplierEffect, complier_effect
from hhp_stats.estimate.effect_size import StandardisedEffect, hedges_g, hedges_g_adjusted, hedges_g_clustered
from hhp_stats.estimate.icc import IntraclusterCorrelation, icc_anova, icc_reml
from hhp_stats.infer.randomisation_test import randomisation_test as test_by_allocations
from hhp_stats.infer.resampling import ResamplingTest
from hhp_stats.infer.wild_bootstrap import Weights
from hhp_stats.infer.wild_bootstrap import wild_bootstrap as bootstrap_of
from hhp_stats.library.columns import as_held, is_text
from hhp_stats.library.formula import Missing, model_of, refuse_unknown
from hhp_stats.library.regression import linear
from hhp_stats.regression.model_matrix import as_numbers


def complier(
    formula: str,
    data: pd.DataFrame,
    *,
    takeup: str,
    clusters: str,
    missing: Missing = "refuse",
    conf_level: float = 0.95,
) -> ComplierEffect:
    """What did taking part do to those whom the offer moved to take part? Two-stage least squares.

    The formula's treatment is the offer and the instrument, `takeup` the column of what was taken up. The result
    holds the effect, the first stage with its F, the intention-to-treat effect and the Anderson-Rubin set. Formulas
    and
    refusals: `hhp_stats.estimate.complier`.
    Source: Imbens and Angrist (1994), Econometrica 62, 467-475.

    >>> import hhp_stats as hs
    >>> trial = hs.example_trial()
    >>> asked = "absence ~ treatment + baseline"
    >>> found = hs.complier(asked, trial, takeup="took_part", clusters="team", missing="drop")
    >>> found.strong, round(found.takeup_control, 2)
    (True, 0.0)
    """
    refuse_unknown([takeup], data)
    model = model_of(formula, data, clusters=clusters, missing=missing)
    model.refuse_moving("the offer")
    taken = as_held(data[takeup].iloc[model.rows])
    assert model.clusters is not None
    return complier_effect(
        outcome=model.outcome.to_numpy(dtype=np.float64),
        takeup=as_numbers(taken, name=takeup),
        matrix=model.matrix,
        clusters=model.clusters,
        instruments=model.treatment,
        conf_level=conf_level,
    )


def wild_bootstrap(
    formula: str,
    data: pd.DataFrame,
    *,
    clusters: str,
    seed: int,
    draws: int = 9999,
    weights: Weights = "rademacher",
    missing: Missing = "refuse",
    conf_level: float = 0.95,
) -> ResamplingTest:
    """Could an effect as large have come about by chance, with few clusters? The wild cluster bootstrap, null imposed.

    `.estimate` carries p value and interval. Formulas and refusals: `hhp_stats.infer.wild_bootstrap`.
    Source: Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427.

    >>> import hhp_stats as hs
    >>> trial = hs.example_trial()
    >>> found = hs.wild_bootstrap("absence ~ treatment", trial, clusters="team", draws=999, missing="drop", seed=1)
    >>> 0 < found.estimate.p_value < 1
    True
    """
    fit = linear(formula, data, clusters=clusters, covariance="CR1", missing=missing)
    assert fit.model.clusters is not None
    return bootstrap_of(
        fit.fit,
        clusters=fit.model.clusters,
        term=fit.model.term(None),
        draws=draws,
        rng=np.random.default_rng(seed),
        weights=weights,
        conf_level=conf_level,
    )


def randomisation_test(
    formula: str,
    data: pd.DataFrame,
    *,
    seed: int,
    clusters: str | None = None,
    strata: str | None = None,
    draws: int = 9999,
    missing: Missing = "refuse",
    conf_level: float = 0.95,
) -> ResamplingTest:
    """How often would the draw, done again, give an effect as large, if the treatment did nothing to anybody?
    Fisher's test.

    The draw treats as many clusters (people, without `clusters`) of each stratum as were treated. All allocations are
    listed where they are at most 20,000, else `draws` random ones are made. With `missing="drop"` the draw is
    still that of every row. Terms that change with the treatment are refused: a draw changes the treatment alone. A
    trial with another rule (redraws for balance, pairs over several strata) gives its own
    draws to `hhp_stats.infer.randomisation_test`.
    Source: Rosenbaum (2002), Observational Studies, section 2.5.

    >>> import hhp_stats as hs
    >>> trial = hs.example_trial()
    >>> found = hs.randomisation_test(
    ...     "absence ~ treatment", trial, clusters="team", strata="authority", draws=999, missing="drop", seed=1)
    >>> 0 < found.estimate.p_value < 1
    True
    """
    refuse_unknown([] if strata is None else [strata], data)
    everyone = model_of(formula, data, clusters=clusters, missing=missing, unknown_outcomes=missing == "drop")
    model = everyone.with_outcome()
    everyone.refuse_moving("a draw")
    # By place from here on: an index may name two people alike.
    people = data.iloc[everyone.rows].reset_index(drop=True)
    units = _units(people, clusters)
    drawn = cluster_draw(
        clusters=units, treatment=pd.Series(everyone.both_arms()), strata=None if strata is None else people[strata]
    )
    found = (
        {"assignments": drawn.all_allocations()}
        if drawn.count <= MOST_ALLOCATIONS
        else {"draw": drawn.redraw, "draws": draws, "rng": np.random.default_rng(seed)}
    )
    test = test_by_allocations(
        outcome=model.outcome.to_numpy(dtype=np.float64),
        matrix=model.matrix,
        clusters=units[np.isin(everyone.rows, model.rows)].to_numpy(),
        draw_clusters=list(drawn.clusters),
        term=model.term(None),
        conf_level=conf_level,
        **found,
    )
    # Without clusters every person is a unit of the draw, and no result is one of clusters.
    return test if clusters else replace(test, estimate=replace(test.estimate, n_clusters=None))


def _units(people: pd.DataFrame, clusters: str | None) -> pd.Series:
    """What was drawn, by name (n,): clusters, or people; two clusters whose names look alike are refused."""
    if clusters is None:
        width = len(str(len(people)))
        return pd.Series([str(place).zfill(width) for place in range(len(people))], name="person", dtype="str")
    names = people[clusters].astype(str)
    if names.nunique() != people[clusters].nunique():
        raise InvalidInput(f"two values of {clusters} are written alike, such as the number 1 and the text 1")
    return names


def balance_table(data: pd.DataFrame, covariates: Sequence[str], *, treatment: str = "treatment") -> pd.DataFrame:
    """How far apart are the arms on each covariate, in standard deviations? Numbers by their mean, text by its levels.

    Formulas and columns: `hhp_stats.design.balance_table.balance_table`.
    Source: Austin (2009), Statistics in Medicine 28, 3083-3107.

    >>> import hhp_stats as hs
    >>> hs.balance_table(hs.example_trial(), ["baseline", "role"])["covariate"].unique().tolist()
    ['baseline', 'role']
    """
    refuse_unknown(covariates, data)
    frame = data.assign(**{name: as_held(data[name]) for name in covariates})
    text = [name for name in covariates if is_text(frame[name])]
    return balance_of(
        frame, continuous=[name for name in covariates if name not in text], categorical=text, treatment=treatment
    )


def effect_size(
    formula: str,
    data: pd.DataFrame,
    *,
    clusters: str | None = None,
    missing: Missing = "refuse",
    conf_level: float = 0.95,
) -> StandardisedEffect:
    """How large is the effect in standard deviations of people within arms? Hedges' g.

    The difference is that of the formula, with its covariates, in units of the pooled standard deviation of the outcome
    itself; with clusters its standard error is theirs (CR2). Formulas: `hhp_stats.estimate.effect_size`.
    Source: Hedges (2007), Journal of Educational and Behavioral Statistics 32, 341-370.

    >>> import hhp_stats as hs
    >>> found = hs.effect_size("absence ~ treatment", hs.example_trial(), clusters="team", missing="drop")
    >>> found.g.estimate < 0
    True
    """
    fit = linear(formula, data, clusters=clusters, missing=missing, conf_level=conf_level)
    model = fit.model
    outcome, arms = model.outcome.to_numpy(dtype=np.float64), model.both_arms()
    if model.clusters is not None:
        icc_found = icc_anova(outcome=outcome, clusters=model.clusters, treatment=arms)
        return hedges_g_clustered(
            fit.effect(), outcome=outcome, treatment=arms, clusters=model.clusters, icc=max(0.0, icc_found.estimate)
        )
    if model.matrix.names == ("intercept", *model.treatment):
        return hedges_g(outcome=outcome, treatment=arms, conf_level=conf_level)
    return hedges_g_adjusted(fit.effect(), outcome=outcome, treatment=arms)


def icc(
    outcome: str,
    data: pd.DataFrame,
    *,
    clusters: str,
    treatment: str | None = None,
    method: Literal["anova", "reml"] = "anova",
    conf_level: float = 0.95,
) -> IntraclusterCorrelation:
    """Which share of the outcome's variance lies between clusters? Within arms where `treatment` names them.

    Rows without the outcome say nothing about it and are left out. Formulas: `hhp_stats.estimate.icc`.
    Source: Donner (1986), International Statistical Review 54, 67-82.

    >>> import hhp_stats as hs
    >>> hs.icc("absence", hs.example_trial(), clusters="team", treatment="treatment").n_clusters
    48
    """
    names = [outcome, clusters, *([treatment] if treatment else [])]
    refuse_unknown(names, data)
    if method not in ("anova", "reml"):
        raise UnknownName(f"an intracluster correlation is estimated by 'anova' or 'reml', not {method!r}")
    known = data.loc[data[outcome].notna()]
    if gaps := int(known[names].isna().any(axis=1).sum()):
        raise InvalidInput(f"{gaps} rows have an outcome and no cluster or arm")
    arms = None if treatment is None else known[treatment]
    values = known[outcome].to_numpy(dtype=np.float64)
    estimator = icc_anova if method == "anova" else icc_reml
    return estimator(outcome=values, clusters=known[clusters], treatment=arms, conf_level=conf_level)


def detectable_effect(
    *,
    people: float,
    cluster_size: float | None = None,
    icc: float = 0.0,
    size_cv: float = 0.0,
    correlation: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """How large must the true effect be, in standard deviations, to be found with this power? Two equal arms.

    `people` in both arms together; with `cluster_size` they were drawn in clusters of that mean size, whose sizes
    vary by `size_cv` and whose members resemble each other by `icc`. `correlation` of baseline and outcome, where the
    baseline is in the model. Normal quantiles, and one cluster an arm given up for that, as Stata's clustersampsi;
    `hhp power` counts every cluster, and gives the effect by Student's t beside it. Formulas:
    `hhp_stats.design.detectable_effect`.
    Source: Hemming and Marsh (2013), Stata Journal 13, 114-135.

    >>> import hhp_stats as hs
    >>> round(hs.detectable_effect(people=800), 3)
    0.198
    >>> round(hs.detectable_effect(people=800, cluster_size=10, icc=0.05), 3)
    0.242
    """
    rates = ErrorRates(alpha=alpha, power=power)
    if cluster_size is None:
        if icc or size_cv:
            raise InvalidInput("an intracluster correlation or sizes that vary need cluster_size")
        return individual_detectable_effect(people=people, rates=rates, baseline_correlation=correlation)
    clustering = Clustering.of_total(people=people, mean_size=cluster_size, icc=icc, size_cv=size_cv)
    return cluster_detectable_effect(clustering=clustering, rates=rates, baseline_correlation=correlation)
