"""The benefit-cost ratio of goal-setting, under each cost scenario and with each interval. (Clauses P85-P90.)"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.estimate.cluster_bootstrap import BootstrapDraws, cluster_bootstrap
from hhp_stats.estimate.cost_benefit import (
    Costs,
    benefit_cost_ratio,
    bootstrap_ratio,
    fieller_ratio,
    net_turnover_cost,
)
from hhp_stats.estimate.ratio import acceptability_curve
from hhp_stats.plan.schema import CostScenario, Plan
from hhp_stats.results import Analysis, Estimate, ResultRow, not_estimated
from hhp_stats.studies.goal_setting.analysed import Material, models

SOURCE = "hhp_stats.estimate.cost_benefit"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBenefitResults:
    """Rows of the ratio and of its parts, and the acceptability curve."""

    rows: tuple[ResultRow, ...]
    curve: pd.DataFrame  # scenario, threshold, probability


def costs_of(scenario: CostScenario, people: pd.DataFrame, plan: Plan) -> Costs:
    """The prices of one scenario: salary from the plan, the cost of a leaver from the returns.

    Leavers whose authority gave no replacement cost take no part in that mean; refuses returns without
    a single one (NoObservations).
    """
    leavers = people.loc[(people["left"] == 1) & people["replacement_cost"].notna() & people["absence_days"].notna()]
    if leavers.empty:
        raise NoObservations("no return gives the replacement cost of a leaver")
    rate = plan.cost_benefit.salary / plan.cost_benefit.working_days
    after = (leavers["absence_days"] - leavers["recorded_days"]).clip(lower=0)
    leaver = net_turnover_cost(
        replacement_cost=leavers["replacement_cost"], absence_after_leaving=after, daily_rate=rate
    )
    return Costs(salary=plan.cost_benefit.salary, working_days=plan.cost_benefit.working_days,
                 programme_days=scenario.days, turnover_cost=leaver, scenario=scenario.label)  # fmt: skip


def joint_bootstrap(material: Material) -> BootstrapDraws:
    """Absence and turnover effects re-estimated together over teams resampled within arm and authority.

    Both by least squares with missing baseline absence at zero with indicator: an imputation in every
    draw would take hours and change the ratio by less than its Monte Carlo error.
    """
    plan = material.plan
    absence = replace(plan.analysis("sickness_absence/itt/cr1"), baseline_absence="zero_with_indicator")
    (model,) = models(absence, plan.outcomes["sickness_absence"], material)
    place = model.matrix.position("treatment")
    columns = [f"x{number}" for number in range(model.matrix.values.shape[1])]
    frame = pd.DataFrame(model.matrix.values, columns=columns, index=model.people.index).assign(
        absence=model.outcome, turnover=model.people["left"].to_numpy(dtype=np.float64),
        team_id=model.people["team_id"], arm=model.people["treatment"], local_authority=model.people["local_authority"],
    )  # fmt: skip

    def both_effects(draw: pd.DataFrame) -> Mapping[str, float]:
        x = draw[columns].to_numpy()
        solution, _, rank, _ = np.linalg.lstsq(x, draw[["absence", "turnover"]].to_numpy(), rcond=None)
        if rank < 2:
            raise EstimationError("a resample without one arm")
        return {"absence": float(solution[place, 0]), "turnover": float(solution[place, 1])}

    return cluster_bootstrap(frame, estimator=both_effects, clusters="team_id", within=("arm", "local_authority"),
                             draws=plan.cost_benefit.draws, seed=plan.seed + 2)  # fmt: skip


def cost_benefit(material: Material, *, absence: Estimate, turnover: Estimate) -> CostBenefitResults:
    """Ratio and intervals for every scenario of the plan, from the planned effects.

    The bootstrap's interval belongs to its own point estimates (see `joint_bootstrap`); the protocol's
    substitution and Fieller's set use the planned effects.
    """
    plan = material.plan
    draws = joint_bootstrap(material)
    correlation = draws.correlation("absence", "turnover")
    rows: list[ResultRow] = []
    curves = []
    for scenario in plan.cost_benefit.scenarios:
        costs = costs_of(scenario, material.people, plan)
        ratio, ratios = bootstrap_ratio(draws, costs=costs, conf_level=plan.conf_level)
        rows.append(_row(f"ratio/{scenario.key}", benefit_cost_ratio(absence=absence, turnover=turnover, costs=costs),
                         scenario, plan, kind=scenario.kind, clause="P85 P87"))  # fmt: skip
        rows.append(_row(f"ratio/{scenario.key}-bootstrap", ratio, scenario, plan, kind="sensitivity", clause="P85"))
        rows.append(_fieller_row(scenario, costs, absence, turnover, correlation, plan))
        curve = acceptability_curve(
            benefits=ratios * costs.programme_cost, costs=costs.programme_cost, thresholds=plan.cost_benefit.thresholds
        )
        curves.append(curve.assign(scenario=scenario.key, label=scenario.label))
    return CostBenefitResults(rows=tuple(rows), curve=pd.concat(curves, ignore_index=True))


def _row(
    tail: str, estimate: Estimate, scenario: CostScenario, plan: Plan, *, kind: Analysis, clause: str
) -> ResultRow:
    return estimate.row(
        result_id=f"{plan.study}/benefit_cost/{tail}", population=plan.populations["randomised"].label,
        contrast="pounds saved per pound of staff time", analysis=kind, clause=clause, source=SOURCE, note=scenario.label,
    )  # fmt: skip


def _fieller_row(
    scenario: CostScenario, costs: Costs, absence: Estimate, turnover: Estimate, correlation: float, plan: Plan
) -> ResultRow:
    found = fieller_ratio(
        absence=absence, turnover=turnover, correlation=correlation, costs=costs, conf_level=plan.conf_level
    )
    result_id = f"{plan.study}/benefit_cost/ratio/{scenario.key}-fieller"
    about: dict[str, Any] = {"population": plan.populations["randomised"].label, "contrast": "pounds saved per pound of staff time",
             "analysis": "sensitivity", "clause": "P85", "source": "hhp_stats.estimate.ratio.fieller"}  # fmt: skip
    if not found.set.bounded:
        return not_estimated(
            result_id=result_id,
            reason=f"Fieller's set is not an interval: {found.set.in_words()}",
            method="Fieller",
            **about,
        )
    low, high = found.set.hull
    return Estimate(
        estimate=found.estimate, std_error=math.nan, df=min(absence.df, turnover.df), n=absence.n, n_clusters=absence.n_clusters,
        method="Fieller", conf_low=low, conf_high=high, conf_level=plan.conf_level,
    ).row(result_id=result_id, note=scenario.label, **about)  # fmt: skip
