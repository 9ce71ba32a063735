"""Field trials that drew whole groups (buildings): few clusters, so several ways of saying how sure one is."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from hhp_stats.contrast import EITHER_WAY
from hhp_stats.design.cluster_draw import MOST_ALLOCATIONS, ClusterDraw, cluster_draw
from hhp_stats.design.detectable_effect import Clustering, ErrorRates, cluster_detectable_effect
from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.estimate.effect_size import hedges_g_clustered
from hhp_stats.estimate.icc import icc_anova
from hhp_stats.estimate.two_sample import welch
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.plan.individual import IndividualPlan, StudyAnalysis, StudyPower
from hhp_stats.ran import recorded
from hhp_stats.regression.cluster_robust import ClusterKind, DegreesOfFreedom, cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.results import Estimate, ResultRow, not_estimated
from hhp_stats.studies.field_trial.analysed import outcome_column
from hhp_stats.studies.sources import Sourced, states_source

DRAWS = 9_999
MOST_EXACT = 2**53  # whole numbers beyond it are doubles in a frame

Facts = Mapping[str, str]


def units(people: pd.DataFrame, plan: IndividualPlan) -> pd.Series:
    """What was drawn, by name: the cluster of each person, or where people were drawn one by one the person."""
    if plan.design.cluster:
        return people[plan.design.cluster].astype(str)
    width = len(str(len(people)))
    return pd.Series([str(number).zfill(width) for number in range(len(people))], index=people.index, dtype="str")


def _strata(people: pd.DataFrame, plan: IndividualPlan) -> pd.Series:
    """The stratum of each person: the values of the plan's strata side by side, "" where everybody was drawn at
    once.
    """
    found = pd.Series("", index=people.index, dtype="str")
    for place, name in enumerate(plan.strata):
        values = people[name].astype(str)
        found = values if place == 0 else found + " / " + values
    return found


def drawn_clusters(people: pd.DataFrame, plan: IndividualPlan) -> ClusterDraw:
    """How were the clusters (or people) drawn: which of each stratum of the plan were treated?

    `people` are in two arms, `treatment` being one in one of them. Refuses a cluster of both arms or of several strata
    (EstimationError, naming it).
    """
    drawn = units(people, plan).rename(plan.design.cluster or "person")
    return cluster_draw(clusters=drawn, treatment=people["treatment"], strata=_strata(people, plan))


def _terms(analysis: StudyAnalysis, plan: IndividualPlan) -> list[Term]:
    return [plan.terms[name].term for name in analysis.terms]


def _rng(plan: IndividualPlan, analysis: StudyAnalysis) -> np.random.Generator:
    """The random numbers of one analysis: another analysis more or less leaves them as they were."""
    return np.random.default_rng(np.random.SeedSequence([plan.seed, zlib.crc32(analysis.id.encode())]))


def _facts(analysis: StudyAnalysis, plan: IndividualPlan) -> Facts:
    return {
        "estimator": analysis.estimator,
        "covariance": analysis.covariance,
        "population": analysis.population,
        "clusters": plan.design.cluster,
        "terms": " + ".join(analysis.terms),
    }


def bootstrapped(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> tuple[Estimate, Facts]:
    """The wild cluster bootstrap of the arm's coefficient, seeded by the plan."""
    fit = ols(outcome=frame["outcome"].to_numpy(dtype=np.float64), matrix=model_matrix(frame, _terms(analysis, plan)))
    found = wild_bootstrap(
        fit,
        clusters=frame[plan.design.cluster],
        draws=DRAWS,
        rng=_rng(plan, analysis),
        weights=cast(Literal["webb", "rademacher"], analysis.covariance),
        conf_level=plan.conf_level,
    )
    return found.estimate, _facts(analysis, plan)


def rerandomised(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> tuple[Estimate, Facts]:
    """Fisher's test over the draws of the clusters that the trial's own rule could have produced, within its blocks.

    `frame` is everyone randomised: a cluster in which nobody answered was drawn as well.
    """
    drawn, known = drawn_clusters(frame, plan), frame.loc[frame["outcome"].notna()]
    if known.empty:
        raise NoObservations(f"nobody is left to analyse for {analysis.id}")
    # `allocations` lists them all where they are few enough, and draws them by the same rule where they are not.
    at_random = analysis.covariance == "random allocations" or (
        analysis.covariance == "allocations" and drawn.count > MOST_ALLOCATIONS
    )
    given: dict[str, Any] = (
        {"draw": drawn.redraw, "draws": DRAWS, "rng": _rng(plan, analysis)}
        if at_random
        else {"assignments": drawn.all_allocations()}
    )
    found = randomisation_test(
        outcome=known["outcome"].to_numpy(dtype=np.float64),
        matrix=model_matrix(known, _terms(analysis, plan)),
        clusters=units(frame, plan).loc[known.index],
        draw_clusters=list(drawn.clusters),
        conf_level=plan.conf_level,
        **given,
    )
    # People drawn one by one are no clusters to count.
    estimate = found.estimate if plan.design.cluster else replace(found.estimate, n_clusters=None)
    return estimate, _facts(analysis, plan)


def means_of_clusters(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> tuple[Estimate, Facts]:
    """Welch's test of the clusters' means: each cluster counts once."""
    means = frame.groupby(plan.design.cluster)[["outcome", "treatment"]].mean()
    found = welch(
        outcome=means["outcome"].to_numpy(dtype=np.float64),
        treatment=means["treatment"].to_numpy(dtype=np.float64),
        conf_level=plan.conf_level,
    )
    return found, _facts(analysis, plan)


def standardised(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> tuple[Estimate, Facts]:
    """Hedges' g of the planned difference, with its covariates and its clustered standard error.

    Where the planned analysis is no regression, the difference is that of the arms, CR2 with Satterthwaite's df.
    """
    outcome, treatment = (frame[name].to_numpy(dtype=np.float64) for name in ("outcome", "treatment"))
    clusters, model = frame[plan.design.cluster], plan.model_of(analysis)
    terms: list[Term] = []
    kind, df = "CR2", "satterthwaite"
    if model.estimator in ("ols", "imputation"):
        terms, kind, df = _terms(model, plan), model.covariance, model.df
    fit = ols(outcome=outcome, matrix=model_matrix(frame, terms))
    covariance = cluster_covariance(fit, clusters=clusters, kind=cast(ClusterKind, kind))
    effect = coefficient(fit, covariance, df=cast(DegreesOfFreedom, df), conf_level=plan.conf_level)
    icc = max(0.0, icc_anova(outcome=outcome, clusters=clusters, treatment=treatment).estimate)
    found = hedges_g_clustered(effect, outcome=outcome, treatment=treatment, clusters=clusters, icc=icc)
    return found.g, {**_facts(analysis, plan), "terms": " + ".join(term.column for term in terms)}


def arm_mean(values: pd.Series, clusters: pd.Series, *, conf_level: float) -> Estimate:
    """The mean of one arm with the standard error that its clusters give (CR2, Satterthwaite)."""
    matrix = ModelMatrix(values=np.ones((len(values), 1)), names=("intercept",))
    fit = ols(outcome=values.to_numpy(dtype=np.float64), matrix=matrix)
    covariance = cluster_covariance(fit, clusters=clusters, kind="CR2")
    return coefficient(fit, covariance, term="intercept", df="satterthwaite", conf_level=conf_level)


@states_source
def cluster_rows(people: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """Of every outcome measured: how alike people of one cluster are, and what the trial could have found."""
    rows = []
    for outcome in plan.measured:
        if outcome.missing:
            continue
        column = outcome_column(plan, outcome.id)
        known = people.loc[people[column].notna()]
        about: dict[str, Any] = {
            "population": "those with a known outcome",
            "contrast": EITHER_WAY,
            "analysis": "exploratory",
            "clause": " ".join(outcome.clauses),
        }
        key = f"{plan.study}/{outcome.id}/icc/anova"
        try:
            with recorded() as ran:
                icc = icc_anova(
                    outcome=known[column].to_numpy(dtype=np.float64),
                    clusters=known[plan.design.cluster],
                    treatment=known["treatment"].to_numpy(dtype=np.float64),
                    conf_level=plan.conf_level,
                )
        except EstimationError as error:
            reason = f"{type(error).__name__}: {error}"
            rows.append(
                not_estimated(result_id=key, reason=reason, method="analysis of variance", source=ran.source, **about)
            )
            continue
        rows.append(
            _descriptive(
                key,
                icc.estimate,
                method="intracluster correlation, analysis of variance",
                source=ran.source,
                n=len(known),
                clusters=known[plan.design.cluster].nunique(),
                conf_low=icc.conf_low,
                conf_high=icc.conf_high,
                about=about,
            )
        )
        alike = Sourced(value=max(0.0, icc.estimate), made_by=ran.names)
        rows += [_detectable(known, outcome.id, alike, entry, plan, about) for entry in plan.power.values()]
    return rows


def cluster_tables(people: pd.DataFrame, plan: IndividualPlan) -> dict[str, pd.DataFrame]:
    """The clusters with arm, people and respondents; and how many allocations the draw could have produced."""
    groups = people.groupby(plan.design.cluster)
    table = groups.agg(arm=("arm", "first"), people=("arm", "size"), responded=("responded", "sum")).reset_index()
    table = table.rename(columns={plan.design.cluster: "cluster"}).astype({"responded": "int64"})
    count = allocations(people, plan)
    allocated = pd.DataFrame(
        {
            "clusters": [len(table)],
            "treated": [int((table["arm"] != plan.control.id).sum())],
            "allocations": [count if count < MOST_EXACT else float(count)],
        }
    )
    return {"clusters": table, "allocations": allocated}


def allocations(people: pd.DataFrame, plan: IndividualPlan) -> int:
    """How many allocations the draw could have produced: over strata, the ways to divide their clusters among the
    arms.
    """
    groups = pd.DataFrame({"unit": units(people, plan), "arm": people["arm"], "block": _strata(people, plan)})
    sizes = groups.groupby("unit").first().groupby("block")["arm"].value_counts()
    found = 1
    for _, own in sizes.groupby(level=0):
        found *= math.factorial(int(own.sum())) // math.prod(math.factorial(int(size)) for size in own)
    return found


def people_of(entry: StudyPower, plan: IndividualPlan, *, answered: int) -> int:
    """How many people a power entry is about: those it names, the share it expects, or those who answered here."""
    if entry.analysed is not None:
        return entry.analysed
    return answered if entry.response is None else round(entry.response * plan.design.randomised)


@states_source
def _detectable(
    known: pd.DataFrame,
    outcome: str,
    icc: Sourced[float],
    entry: StudyPower,
    plan: IndividualPlan,
    about: dict[str, Any],
) -> ResultRow:
    """The detectable effect with the clusters' sizes and the likeness found, for everyone or for those who answered."""
    sizes = known.groupby(plan.design.cluster).size()
    people = people_of(entry, plan, answered=len(known))
    shape = Clustering(
        mean_size=people / len(sizes),
        clusters_per_arm=len(sizes) / 2,
        icc=icc.used(),
        size_cv=float(sizes.std(ddof=1) / sizes.mean()),
    )
    effect = cluster_detectable_effect(clustering=shape, rates=ErrorRates(alpha=entry.alpha, power=entry.power))
    return _descriptive(
        f"{plan.study}/{outcome}/mde_{entry.id}/clustered",
        effect,
        method=f"cluster formula, alpha {entry.alpha:g}, power {entry.power:g}",
        n=people,
        clusters=len(sizes),
        about=about,
    )


def _descriptive(
    key: str,
    value: float,
    *,
    method: str,
    n: int,
    clusters: int,
    about: dict[str, Any],
    source: str = "",
    conf_low: float = float("nan"),
    conf_high: float = float("nan"),
) -> ResultRow:
    study, outcome, estimand, _ = key.split("/")
    # An interval of the F distribution need not hold a point estimate at the edge of what is possible.
    inside = conf_low <= value <= conf_high
    return ResultRow(
        result_id=key,
        study=study,
        outcome=outcome,
        estimand=estimand,
        method=method,
        estimate=value,
        n=n,
        n_clusters=clusters,
        status="descriptive",
        source=source,
        conf_low=conf_low if inside else float("nan"),
        conf_high=conf_high if inside else float("nan"),
        **about,
    )
