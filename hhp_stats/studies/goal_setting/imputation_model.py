"""Which values of the goal-setting trial are imputed, and from what. (Clauses P48, P75.)

One imputation serves every analysis: baseline absence from administrative and survey data, and the
survey scores of both waves from everything else. Composites follow their parts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hhp_stats.estimate.imputation import ImputationPlan, Imputations, ImputedVariable, PassiveVariable, impute
from hhp_stats.estimate.model_matrix import Array, Term
from hhp_stats.plan.schema import Plan
from hhp_stats.progress import Progress, silent
from hhp_stats.studies.goal_setting.sample import WAVES

SCORES = ("happiness", "ladder", "positive_affect", "negative_affect",
          "pressure_1", "pressure_2", "autonomy", "competence", "relatedness")  # fmt: skip
ITEMS_OF_NEEDS = {"autonomy": 3, "competence": 4, "relatedness": 3}
LOW_AFFECT, HIGH_AFFECT = 1.0, 5.0


def imputation_plan(people: pd.DataFrame, plan: Plan) -> ImputationPlan:
    """The chained equations: predictive mean matching throughout, so scores stay on their scales.

    Complete covariates: those of the model, whether the person left, and the days absent over the
    trial at their own rate (the outcome belongs into an imputation model of a covariate). Arms are
    imputed apart, and numeric variables carry a random team effect.
    """
    variables = [ImputedVariable(name="baseline_absence", kind="pmm")]
    for wave in WAVES:
        variables += [ImputedVariable(name=f"{score}_{wave}", kind="pmm") for score in SCORES]
    terms = tuple(term for term in plan.terms if term.column != "baseline_absence")
    extra = [Term(column="left", kind="binary")]
    if people["absence_days"].isna().any():  # imputed for the sake of the others; analyses use observed outcomes only
        variables.append(ImputedVariable(name="absence_days", kind="pmm"))
    else:
        extra.append(Term(column="absence_days", kind="continuous"))
    passive: list[PassiveVariable] = []
    centre = {part: (people[f"{part}_t1"].mean(), people[f"{part}_t1"].std(ddof=1)) for part in ("happiness", "ladder", "balance")}
    for wave in WAVES:
        passive += _composites(wave, centre)
    return ImputationPlan(
        variables=tuple(variables), terms=(*terms, *extra), passive=tuple(passive), within=plan.imputation.within,
        clusters="team_id", imputations=plan.imputation.m, iterations=plan.imputation.iterations, seed=plan.seed,
    )  # fmt: skip


def _composites(wave: str, centre: Mapping[str, tuple[float, float]]) -> list[PassiveVariable]:
    names = {score: f"{score}_{wave}" for score in SCORES}

    def wellbeing(values: Mapping[str, Array]) -> Array:
        balance = values[names["positive_affect"]] + LOW_AFFECT + HIGH_AFFECT - values[names["negative_affect"]]
        parts = {"happiness": values[names["happiness"]], "ladder": values[names["ladder"]], "balance": balance}
        return np.asarray(sum((part - centre[name][0]) / centre[name][1] for name, part in parts.items()), dtype=np.float64)

    def efficacy(values: Mapping[str, Array]) -> Array:
        total = sum(items * values[names[need]] for need, items in ITEMS_OF_NEEDS.items())
        return np.asarray(total / sum(ITEMS_OF_NEEDS.values()), dtype=np.float64)

    def pressure(values: Mapping[str, Array]) -> Array:
        return np.asarray((values[names["pressure_1"]] + values[names["pressure_2"]]) / 2, dtype=np.float64)

    return [
        PassiveVariable(name=f"wellbeing_{wave}", function=wellbeing,
                        inputs=tuple(names[s] for s in ("happiness", "ladder", "positive_affect", "negative_affect"))),
        PassiveVariable(name=f"efficacy_{wave}", function=efficacy, inputs=tuple(names[s] for s in ITEMS_OF_NEEDS)),
        PassiveVariable(name=f"time_pressure_{wave}", function=pressure, inputs=(names["pressure_1"], names["pressure_2"])),
    ]  # fmt: skip


def impute_trial(people: pd.DataFrame, plan: Plan, *, progress: Progress = silent) -> Imputations:
    """The completed data sets of the trial; the same for every analysis, by the plan's seed."""
    return impute(people, imputation_plan(people, plan), progress=progress)
