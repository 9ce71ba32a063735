"""What the trial could have detected: as planned, as recruited, and with what the data turned out to be. (P23-P29.)"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from hhp_stats.calls.ran import name_of
from hhp_stats.design.detectable_effect import (
    Clustering,
    ErrorRates,
    cluster_detectable_effect,
    detectable_proportion,
)
from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.plan.returns_schema import PowerAssumption, ReturnsPlan
from hhp_stats.results.contrast import EITHER_WAY
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.goal_setting.attempts import attempted, lacking
from hhp_stats.studies.goal_setting_terms import HALF_YEAR_WEEKS
from hhp_stats.studies.sources import Sourced, states_source

FIRST_PROTOCOL = 1300  # people before attrition, in the first version of the protocol (P106)
Direction = Literal["increase", "decrease"]


def _clustering(people: float, assumed: PowerAssumption) -> Clustering:
    # The programme's own figures use all clusters, not one less an arm (see `Clustering.lost_clusters`).
    return Clustering(
        mean_size=assumed.cluster_size,
        clusters_per_arm=people / 2 / assumed.cluster_size,
        icc=assumed.icc,
        size_cv=assumed.cv,
        lost_clusters=0,
    )


def _rates(assumed: PowerAssumption) -> ErrorRates:
    return ErrorRates(alpha=assumed.alpha, power=assumed.power)


def power_rows(people: pd.DataFrame, icc: Sourced[float], plan: ReturnsPlan) -> list[ResultRow]:
    """Minimum detectable effects of absence (standard deviations) and turnover (probability); `icc` is that of absence
    in the data.
    """
    absence, turnover = plan.power["absence"], plan.power["turnover"]
    rates = _rates(absence)

    def effect(n: float, assumed: PowerAssumption = absence) -> Callable[[], float]:
        return lambda: cluster_detectable_effect(
            clustering=_clustering(n, assumed), rates=rates, baseline_correlation=assumed.correlation
        )

    left = 1 - absence.attrition
    planned = absence.n_before_attrition * left
    recruited = float(plan.design.recruited)
    first = FIRST_PROTOCOL * left
    rows = [
        _row(plan, "absence-planned", effect(planned), planned, "as planned, after attrition"),
        _row(
            plan,
            "absence-no-baseline",
            effect(planned, replace(absence, correlation=0.0)),
            planned,
            "as planned, without the baseline",
        ),
        _row(plan, "absence-first-protocol", effect(first), first, "first version of the protocol"),
        _row(plan, "absence-recruited", effect(recruited), recruited, "as recruited, no one lost"),
        _row(
            plan,
            "absence-recruited-attrition",
            effect(recruited * left),
            recruited * left,
            "as recruited, after the planned attrition",
        ),
    ]
    known = people.loc[people["absence_days"].notna()]
    words = "with team sizes, ICC and correlation found in the data"
    achieved = attempted(
        partial(_row, plan, "absence-achieved", partial(_achieved, known, icc, absence), len(known), words)
    )
    if isinstance(achieved, EstimationError):
        about: dict[str, Any] = {"method": "minimum detectable effect", "kind": "planned", "clause": "P24"}
        rows += lacking(plan, ["power/mdes/absence-achieved"], achieved, source=name_of(power_rows), **about)
    else:
        rows.append(achieved)
    effective = _clustering(turnover.n_before_attrition * left, turnover).effective_per_arm
    weeks = replace(turnover, baseline=(turnover.baseline or 0.0) * plan.design.endline_weeks / HALF_YEAR_WEEKS)
    versions: tuple[tuple[str, Direction, PowerAssumption, str], ...] = (
        ("fall", "decrease", turnover, "as planned: a fall"),
        ("rise", "increase", turnover, "as planned: a rise"),
        (
            "fall-no-correlation",
            "decrease",
            replace(turnover, correlation=0.0),
            "a fall, without a baseline correlation",
        ),
        (
            "fall-24-weeks",
            "decrease",
            replace(weeks, correlation=0.0),
            "a fall, the base rate restated for 24 weeks as well",
        ),
    )
    for name, direction, assumed, words in versions:
        reached = partial(_proportion, assumed, direction, effective)
        rows.append(_row(plan, f"turnover-{name}", reached, planned, words))
    return rows


def _proportion(assumed: PowerAssumption, direction: Direction, effective: float) -> float:
    base = assumed.baseline or 0.0
    other = detectable_proportion(
        control=base,
        direction=direction,
        effective_per_arm=effective,
        rates=_rates(assumed),
        baseline_correlation=assumed.correlation,
    )
    return abs(other - base)


def _achieved(known: pd.DataFrame, icc: Sourced[float], assumed: PowerAssumption) -> float:
    if np.isnan(icc.value):
        raise NoObservations("the correlation of absence within teams is not known")
    sizes = known.groupby("team_id").size()
    both = known.dropna(subset=["baseline_absence"])
    if both[["baseline_absence", "absence_days"]].nunique().min() < 2:
        raise NoObservations("absence before or after is known of nobody, or the same for all: no correlation")
    correlation = float(np.corrcoef(both["baseline_absence"], both["absence_days"])[0, 1])
    shape = Clustering(
        mean_size=float(sizes.mean()),
        clusters_per_arm=len(sizes) / 2,
        icc=max(icc.used(), 0.0),
        size_cv=float(sizes.std(ddof=1) / sizes.mean()),
        lost_clusters=0,
    )
    return cluster_detectable_effect(clustering=shape, rates=_rates(assumed), baseline_correlation=correlation)


@states_source
def _row(plan: ReturnsPlan, name: str, value: Callable[[], float], n: float, words: str) -> ResultRow:
    outcome = "power"
    assumed = plan.power["turnover" if name.startswith("turnover") else "absence"]
    method = f"minimum detectable effect, {100 * assumed.power:g}% power, {100 * assumed.alpha:g}% two-sided"
    return ResultRow(
        result_id=f"{plan.study}/{outcome}/mdes/{name}",
        study=plan.study,
        outcome=outcome,
        estimand="mdes",
        population=words,
        contrast=EITHER_WAY,
        method=method,
        analysis="planned",
        estimate=value(),
        n=round(n),
        clause="P25" if name.startswith("turnover") else "P24",
        status="descriptive",
    )
