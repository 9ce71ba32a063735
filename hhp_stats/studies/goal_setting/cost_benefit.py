"""The benefit-cost ratio of goal-setting, under each cost scenario and with each interval. (Clauses P85-P90.)"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.calls.ran import name_of, recorded, source_of
from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.estimate.cluster_bootstrap import BootstrapDraws, TeamCells, linear_bootstrap, team_cells
from hhp_stats.estimate.cost_benefit import (
    Costs,
    benefit_cost_ratio,
    bootstrap_ratio,
    fieller_ratio,
    net_turnover_cost,
    net_turnover_costs,
)
from hhp_stats.estimate.ratio import acceptability_curve
from hhp_stats.plan.returns_schema import Comparator, CostScenario, ReturnsAnalysis, ReturnsPlan
from hhp_stats.regression.model_matrix import Array
from hhp_stats.results.frame import Analysis, Estimate, ResultRow, not_estimated
from hhp_stats.studies.estimators.analysis_data import Model
from hhp_stats.studies.goal_setting.analysed import Material, models
from hhp_stats.studies.goal_setting.attempts import lacking
from hhp_stats.studies.goal_setting_terms import versions_of_baselines
from hhp_stats.studies.sources import Sourced, sourced, states_source

TURNOVER = "turnover/itt/logit-at-means"  # the planned effect on turnover that enters the ratio
PLANNED_RATIO = "P85 P87"  # clauses of the ratio by the protocol's own arithmetic
JOINT, FIELLER = "bootstrap", "fieller"  # what follows the scenario in the ids of other intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBenefitResults:
    """Rows of the ratio and of its parts, and the acceptability curve; tables that could not be made are the reason."""

    rows: tuple[ResultRow, ...]
    curve: pd.DataFrame | EstimationError  # scenario, threshold, probability
    parts: (
        pd.DataFrame | EstimationError
    )  # scenario, pounds a person saved and spent, and what the cost of a leaver rests on
    versions: (
        pd.DataFrame | EstimationError
    )  # result_id, label, above_break_even: the first scenario by rule for missing baselines


def priced_leavers(people: pd.DataFrame) -> pd.DataFrame:
    """The leavers whose cost is known; refuses returns without a single one (NoObservations)."""
    leavers = people.loc[(people["left"] == 1) & people["replacement_cost"].notna() & people["absence_days"].notna()]
    if leavers.empty:
        raise NoObservations("no return gives the replacement cost of a leaver")
    return leavers


def bill(leavers: pd.DataFrame, plan: ReturnsPlan) -> dict[str, Any]:
    """What the cost of a leaver is made of: replacement, and the days that the pro-rata outcome counts after
    leaving.
    """
    return {
        "replacement_cost": leavers["replacement_cost"],
        "absence_after_leaving": (leavers["absence_days"] - leavers["recorded_days"]).clip(lower=0),
        "daily_rate": plan.cost_benefit.salary / plan.cost_benefit.working_days,
    }


def leaver_cost(people: pd.DataFrame, plan: ReturnsPlan) -> Estimate:
    """The mean cost of a leaver, over those whose authority gave a replacement cost, and how sure it is."""
    leavers = priced_leavers(people)
    return net_turnover_cost(**bill(leavers, plan), clusters=leavers["team_id"], conf_level=plan.conf_level)


def costs_of(scenario: CostScenario, leaver: Estimate, plan: ReturnsPlan) -> Costs:
    """The prices of one scenario: salary from the plan, the cost of a leaver from the returns."""
    return Costs(
        salary=plan.cost_benefit.salary,
        working_days=plan.cost_benefit.working_days,
        programme_days=scenario.days,
        turnover_cost=leaver.estimate,
        turnover_cost_std_error=leaver.std_error,
        scenario=scenario.label,
    )


def joint_bootstrap(material: Material, analysis: ReturnsAnalysis | None = None) -> BootstrapDraws:
    """Absence and turnover effects, and the cost of a leaver, re-estimated over teams resampled within arm and
    authority.

    `analysis` is a version of the absence analysis with another rule for missing baselines, the planned one without
    it. The draws are shared out over the version's completed data sets and put together (Schomaker and Heumann 2018,
    Statistics in Medicine 37, 2252-2266: "MI Boot"), so that they hold the uncertainty of the imputed baselines, and
    the point estimate of absence is the version's own. Turnover is by least squares (the linear probability), since a
    logit need not exist in every draw.
    """
    plan = material.plan
    # The matrix of everybody with a known turnover; absence is fitted on those of them for whom it is known.
    completed = models(turnover_beside(analysis, plan), plan.outcomes["turnover"], material)
    each = max(2, -(-plan.cost_benefit.draws // len(completed.outcomes)))
    teams = team_cells(completed.people, clusters="team_id", within=("treatment", "local_authority"))
    leavers = priced_leavers(completed.people)
    cost = net_turnover_costs(**bill(leavers, plan)).reindex(completed.people.index).to_numpy(dtype=np.float64)
    found = [
        _resampled(model, teams, cost, draws=each, seed=plan.seed + 2 + 1_000 * number)
        for number, model in enumerate(completed)
    ]
    first = found[0]
    return BootstrapDraws(
        estimates={name: float(np.mean([part.estimates[name] for part in found])) for name in first.estimates},
        draws=pd.concat([part.draws for part in found], ignore_index=True),
        failed=sum(part.failed for part in found),
        single_team_cells=first.single_team_cells,
        n=first.n,
        n_clusters=first.n_clusters,
    )


def turnover_beside(analysis: ReturnsAnalysis | None, plan: ReturnsPlan) -> ReturnsAnalysis:
    """The turnover analysis of the joint draws: with a version's rule for missing baselines, or the planned one
    (None).
    """
    turnover = plan.analysis("turnover/itt/linear")
    if analysis is None:
        return turnover
    return replace(turnover, baseline_absence=analysis.baseline_absence, adjusted=analysis.adjusted)


def _resampled(model: Model, teams: TeamCells, leaver: Array, *, draws: int, seed: int) -> BootstrapDraws:
    """The draws of one completed data set."""
    outcomes = {"absence": model.people["absence_days"].to_numpy(dtype=np.float64), "turnover": model.outcome}
    return linear_bootstrap(
        outcomes, matrix=model.matrix, teams=teams, draws=draws, seed=seed, means={"leaver": leaver}
    )


def cost_benefit(
    material: Material,
    draws: Sourced[BootstrapDraws],
    *,
    absence: Sourced[Estimate],
    turnover: Sourced[Estimate],
    versions: Mapping[str, Sourced[BootstrapDraws] | EstimationError],
) -> CostBenefitResults:
    """Ratio and intervals for every scenario of the plan, from the planned effects and the joint draws of both.

    The bootstrap's interval belongs to its own point estimates (see `joint_bootstrap`: the linear probability in
    place of the logit); the protocol's substitution and Fieller's set use the planned effects. `versions` holds the
    joint draws under other rules for missing baselines, by the id of the absence analysis: one more row each for the
    first scenario. Other interventions of the plan whose trials give no ratio keep a row each, with the reason.
    """
    plan = material.plan
    leaver = sourced(partial(leaver_cost, material.people, plan))
    rows: list[ResultRow] = [
        leaver.value.row(
            result_id=f"{plan.study}/benefit_cost/leaver_cost/mean",
            population="leavers with a known replacement cost",
            contrast="pounds a leaver",
            analysis="planned",
            clause="P89",
            source=source_of([name_of(leaver_cost), *leaver.made_by]),
        )
    ]
    curves, parts, above = [], [], []
    for place, scenario in enumerate(plan.cost_benefit.scenarios):
        costs = costs_of(scenario, leaver.value, plan)
        with recorded() as ran:
            effects = {"absence": absence.used(), "turnover": turnover.used()}
            planned = benefit_cost_ratio(**effects, costs=costs_of(scenario, leaver.used(), plan))
        tail = f"ratio/{scenario.key}"
        made_by = source_of([name_of(cost_benefit), *ran.names])
        rows.append(_row(tail, planned, scenario, plan, kind=scenario.kind, clause=PLANNED_RATIO, source=made_by))
        row, ratios = _bootstrap_row(f"{tail}-{JOINT}", draws, costs, scenario, plan)
        rows.append(row)
        rows.append(_fieller_row(scenario, costs, absence, turnover, draws, plan))
        if place == 0:
            above.append(_above(rows[-2], plan.analyses[0].label, ratios))
            for key, other in versions.items():
                label, own = plan.analysis(key).label, _version_tail(scenario, key)
                if isinstance(other, EstimationError):
                    rows += _lacking(plan, [own], other)
                    continue
                row, other_ratios = _bootstrap_row(own, other, costs, scenario, plan, about=label)
                rows.append(row)
                above.append(_above(row, label, other_ratios))
        curve = acceptability_curve(
            benefits=ratios * costs.programme_cost, costs=costs.programme_cost, thresholds=plan.cost_benefit.thresholds
        )
        curves.append(curve.assign(scenario=scenario.key, label=scenario.label))
        parts.append(
            {
                "scenario": scenario.key,
                "label": scenario.label,
                "absence": -absence.value.estimate * costs.daily_rate,
                "turnover": -turnover.value.estimate * costs.turnover_cost,
                "cost": costs.programme_cost,
                "days": scenario.days,
                "daily_rate": costs.daily_rate,
                "turnover_cost": costs.turnover_cost,
                **_behind_turnover_cost(material.people),
            }
        )
    rows += [_not_compared(other, plan) for other in plan.cost_benefit.comparators]
    return CostBenefitResults(
        rows=tuple(rows),
        curve=pd.concat(curves, ignore_index=True),
        parts=pd.DataFrame(parts),
        versions=pd.DataFrame(above),
    )


def _version_tail(scenario: CostScenario, analysis: str) -> str:
    return f"ratio/{scenario.key}-{analysis.rsplit('/', 1)[1]}"


def _lacking(
    plan: ReturnsPlan,
    tails: Iterable[str],
    error: EstimationError,
    *,
    kind: Analysis = "sensitivity",
    clause: str = "P85",
) -> list[ResultRow]:
    return lacking(
        plan,
        [f"benefit_cost/{tail}" for tail in tails],
        error,
        method="benefit-cost ratio",
        source=name_of(cost_benefit),
        kind=kind,
        clause=clause,
        contrast="pounds saved per pound of staff time",
    )


def without_costs(plan: ReturnsPlan, error: EstimationError) -> CostBenefitResults:
    """Every row of the ratio with the reason why there is none, which is that of the tables too."""
    rows = _lacking(plan, ["leaver_cost/mean"], error, kind="planned", clause="P89")
    for place, one in enumerate(plan.cost_benefit.scenarios):
        rows += _lacking(plan, [f"ratio/{one.key}"], error, kind=one.kind, clause=PLANNED_RATIO)
        rows += _lacking(plan, [f"ratio/{one.key}-{how}" for how in (JOINT, FIELLER)], error)
        if place == 0:
            rows += _lacking(plan, [_version_tail(one, version.id) for version in versions_of_baselines(plan)], error)
    rows += [_not_compared(other, plan) for other in plan.cost_benefit.comparators]
    return CostBenefitResults(rows=tuple(rows), curve=error, parts=error, versions=error)


def _above(row: ResultRow, label: str, ratios: Array) -> dict[str, Any]:
    return {"result_id": row.result_id, "label": label, "above_break_even": float((ratios > 1).mean())}


def _behind_turnover_cost(people: pd.DataFrame) -> dict[str, int]:
    """On how many leavers and authorities the cost of a leaver rests, and how many leavers there are."""
    left = people["left"] == 1
    priced = left & people["replacement_cost"].notna() & people["absence_days"].notna()
    return {
        "leavers": int(left.sum()),
        "priced": int(priced.sum()),
        "priced_authorities": int(people.loc[priced, "local_authority"].nunique()),
    }


@states_source
def _bootstrap_row(
    tail: str,
    draws: Sourced[BootstrapDraws],
    costs: Costs,
    scenario: CostScenario,
    plan: ReturnsPlan,
    *,
    about: str = "",
) -> tuple[ResultRow, Array]:
    """The row of the ratio over the joint draws, and the ratio in each of them."""
    ratio, ratios = bootstrap_ratio(draws.used(), costs=costs, conf_level=plan.conf_level)
    return _row(tail, ratio, scenario, plan, kind="sensitivity", clause="P85", about=about), ratios


@states_source
def _not_compared(other: Comparator, plan: ReturnsPlan) -> ResultRow:
    return not_estimated(
        result_id=f"{plan.study}/benefit_cost/comparison/{other.key}",
        reason=other.reason,
        method="pairwise t test of ratios",
        population=plan.populations["randomised"].label,
        contrast=f"goal-setting minus {other.label.lower()}",
        analysis="planned",
        clause="P91",
    )


def _row(
    tail: str,
    estimate: Estimate,
    scenario: CostScenario,
    plan: ReturnsPlan,
    *,
    kind: Analysis,
    clause: str,
    about: str = "",
    source: str = "",
) -> ResultRow:
    return estimate.row(
        result_id=f"{plan.study}/benefit_cost/{tail}",
        population=plan.populations["randomised"].label,
        contrast="pounds saved per pound of staff time",
        analysis=kind,
        clause=clause,
        source=source,
        note=about or scenario.label,
    )


@states_source
def _fieller_row(
    scenario: CostScenario,
    costs: Costs,
    absence: Sourced[Estimate],
    turnover: Sourced[Estimate],
    draws: Sourced[BootstrapDraws],
    plan: ReturnsPlan,
) -> ResultRow:
    found = fieller_ratio(
        absence=absence.used(),
        turnover=turnover.used(),
        correlation=draws.used().correlation("absence", "turnover"),
        costs=costs,
        conf_level=plan.conf_level,
    )
    result_id = f"{plan.study}/benefit_cost/ratio/{scenario.key}-{FIELLER}"
    about: dict[str, Any] = {
        "population": plan.populations["randomised"].label,
        "contrast": "pounds saved per pound of staff time",
        "analysis": "sensitivity",
        "clause": "P85",
    }
    if not found.set.bounded:
        return not_estimated(
            result_id=result_id,
            reason=f"Fieller's set is not an interval: {found.set.in_words()}",
            method="Fieller",
            **about,
        )
    low, high = found.set.hull
    return Estimate(
        estimate=found.estimate,
        std_error=math.nan,
        df=min(absence.value.df, turnover.value.df),
        n=absence.value.n,
        n_clusters=absence.value.n_clusters,
        method="Fieller's set; with the cost of the programme fixed, Wald's interval, Student's t",
        conf_low=low,
        conf_high=high,
        conf_level=plan.conf_level,
    ).row(result_id=result_id, note=scenario.label, **about)
