"""Field trials that drew whole groups (buildings): few clusters, so several ways of saying how sure one is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.calls.ran import name_of, recorded
from hhp_stats.design.detectable_effect import Clustering, ErrorRates, cluster_detectable_effect
from hhp_stats.errors import EstimationError, NoObservations, SingleClusterArm
from hhp_stats.estimate.icc import icc_anova
from hhp_stats.plan.individual import IndividualPlan, StudyPower
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix
from hhp_stats.results.contrast import EITHER_WAY
from hhp_stats.results.frame import Estimate, ResultRow, not_estimated
from hhp_stats.studies.field_trial.analysed import outcome_column
from hhp_stats.studies.field_trial.draws import strata, units
from hhp_stats.studies.sources import Sourced, states_source

MOST_EXACT = 2**53  # whole numbers beyond it are doubles in a frame


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
            lost = {key: "analysis of variance"} | {_mde(plan, outcome.id, entry): _CLUSTERED for entry in plan.power}
            rows += [
                not_estimated(result_id=each, reason=reason, method=method, source=ran.source, **about)
                for each, method in lost.items()
            ]
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
    groups = pd.DataFrame({"unit": units(people, plan), "arm": people["arm"], "block": strata(people, plan)})
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


def as_equal_arms(people: pd.Series, plan: IndividualPlan, *, lost: int = 0) -> float:
    """How large would each of two equal arms be that tell as much as the arms here?

    `people` holds the arm of everybody (or every cluster) counted. The variance of a difference goes with 1/a + 1/c, c
    the control arm: equal arms of 2 / (1/a + 1/c) have the same. Of several arms it is the smallest that is compared
    with the control. `lost`: what each arm gives up before counting (`Clustering.lost_clusters`). Refuses
    (SingleClusterArm, NoObservations) arms of which nothing is left then.
    """
    sizes = [
        (int(people.eq(arm.id).sum()) - lost, int(people.eq(plan.control.id).sum()) - lost) for arm in plan.offered
    ]
    if min(map(min, sizes)) < 1:
        if lost:
            raise SingleClusterArm(f"an arm holds no more than {lost} cluster: its variance cannot be known")
        raise NoObservations("an arm has nobody whose outcome is known")
    return min(2 / (1 / own + 1 / control) for own, control in sizes) + lost


def by_own_arms(plan: IndividualPlan) -> bool:
    """Whether detectable effects rest on the arms as large as they are; those of the documents rest on equal arms."""
    return plan.data is not None


_CLUSTERED = "cluster formula"


def _mde(plan: IndividualPlan, outcome: str, entry: str) -> str:
    """The id of the detectable effect of an outcome under one entry of the plan's power."""
    return f"{plan.study}/{outcome}/mde_{entry}/clustered"


@states_source
def _detectable(
    known: pd.DataFrame,
    outcome: str,
    icc: Sourced[float],
    entry: StudyPower,
    plan: IndividualPlan,
    about: dict[str, Any],
) -> ResultRow:
    """The detectable effect with the clusters' sizes and the likeness found, for everyone or for those who answered.

    Of fewer than two clusters an arm the row says that there is none.
    """
    sizes = known.groupby(plan.design.cluster).size()
    people = people_of(entry, plan, answered=len(known))
    key = _mde(plan, outcome, entry.id)
    try:
        per_arm = len(sizes) / 2
        if by_own_arms(plan):
            per_arm = as_equal_arms(known.groupby(plan.design.cluster)["arm"].first(), plan, lost=1)
        shape = Clustering(
            mean_size=people / len(sizes),
            clusters_per_arm=per_arm,
            icc=icc.used(),
            size_cv=float(sizes.std(ddof=1) / sizes.mean()),
        )
        effect = cluster_detectable_effect(clustering=shape, rates=ErrorRates(alpha=entry.alpha, power=entry.power))
    except EstimationError as error:
        return not_estimated(
            result_id=key,
            reason=f"{type(error).__name__}: {error}",
            method=_CLUSTERED,
            source=name_of(_detectable),
            **about,
        )
    return _descriptive(
        key,
        effect,
        method=f"{_CLUSTERED}, alpha {entry.alpha:g}, power {entry.power:g}",
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
