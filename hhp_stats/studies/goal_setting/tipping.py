"""How different must those be who did not answer, to change the conclusion on wellbeing? (Beyond the protocol.)"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from hhp_stats.estimate.tipping import tipping_points
from hhp_stats.results.frame import ResultRow, not_estimated
from hhp_stats.studies.estimators.linear import repeated
from hhp_stats.studies.goal_setting.analysed import Material, first_sets, models
from hhp_stats.studies.goal_setting.imputation_model import set_name
from hhp_stats.studies.sources import states_source


@states_source
def tipping(outcome_key: str, material: Material) -> tuple[list[ResultRow], pd.DataFrame]:
    """Rows of the shifts that change the conclusion, and the grid; shifts in control-arm standard deviations."""
    plan, outcome = material.plan, material.plan.outcomes[outcome_key]
    analysis = plan.analysis(f"{outcome_key}/itt/imputed")
    name = set_name(analysis)
    fewer = first_sets(material.imputations[name], plan.tipping.imputations)
    sets = models(analysis, outcome, replace(material, imputations={name: fewer}))
    same = repeated(sets, clusters=sets.people[plan.design.cluster], conf_level=plan.conf_level)
    people = material.people
    unit = float(people.loc[people["treatment"] == 0, outcome.column].std(ddof=1))
    found = tipping_points(
        fewer,
        outcome=outcome.column,
        linear=lambda outcomes: same.effects(outcomes.T),
        deltas=[unit * delta for delta in plan.tipping.deltas],
    )
    rows = [
        _row(outcome_key, point, side, unit, material)
        for point in found.points.to_dict("records")
        for side in ("low", "high")
    ]
    return rows, found.grid.assign(outcome=outcome_key, shift=found.grid["delta"] / unit)


def _row(outcome_key: str, point: dict[Any, Any], side: str, unit: float, material: Material) -> ResultRow:
    plan = material.plan
    result_id = f"{plan.study}/{outcome_key}/tipping/{point['shifted']}-{side}"
    about: dict[str, Any] = {
        "population": plan.populations["randomised"].label,
        "contrast": f"answers not given shifted in: {point['shifted']}",
        "analysis": "exploratory",
        "clause": "",
    }
    delta = point[f"delta_{side}"]
    if pd.isna(delta):
        reason = point["note"] or "no shift of the grid changes the conclusion"
        return not_estimated(result_id=result_id, reason=reason, method="delta adjustment", **about)
    return ResultRow(
        result_id=result_id,
        study=plan.study,
        outcome=outcome_key,
        estimand="tipping",
        method="delta adjustment, in control-arm standard deviations",
        estimate=float(delta) / unit,
        status="descriptive",
        note=f"the conclusion without a shift is: {point['conclusion']}",
        **about,
    )
