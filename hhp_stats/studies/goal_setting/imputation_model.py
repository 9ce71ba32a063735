"""Which values of the goal-setting trial are imputed, and from what. (Clauses P48, P75.)

One imputation serves every analysis: baseline absence from administrative and survey data, and the
survey scores of both waves from everything else. Composites follow their parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hhp_stats.estimate.imputation import (
    ImputationPlan,
    Imputations,
    ImputedVariable,
    PassiveVariable,
    impute_together,
)
from hhp_stats.estimate.model_matrix import Array, Term
from hhp_stats.plan.schema import Plan
from hhp_stats.progress import Progress, silent
from hhp_stats.studies.goal_setting.sample import WAVES

SCORES = ("happiness", "ladder", "positive_affect", "negative_affect",
          "pressure_1", "pressure_2", "autonomy", "competence", "relatedness")  # fmt: skip
FAMILIES = (("happiness", "ladder", "positive_affect", "negative_affect"), ("pressure_1", "pressure_2"),
            ("autonomy", "competence", "relatedness"))  # fmt: skip
ITEMS_OF_NEEDS = {"autonomy": 3, "competence": 4, "relatedness": 3}
LOW_AFFECT, HIGH_AFFECT = 1.0, 5.0


def imputation_plan(people: pd.DataFrame, plan: Plan, *, scores: Sequence[str] = SCORES) -> ImputationPlan:
    """The chained equations: predictive mean matching throughout, so scores stay on their scales.

    Complete covariates: those of the model, agency staff (whose absence is often not recorded), whether
    the person left, and the days absent over the trial at their own rate (the outcome belongs into an
    imputation model of a covariate). Arms are imputed apart, and numeric variables carry a random team
    effect. `scores` may leave out families of survey scores, for simulations that do not need them.
    """
    # Leaving predicts baseline values only: no leaver answered at endline, so its effect there is unknown.
    administrative = [term.column for term in plan.terms if term.column != "baseline_absence"] + [
        "agency",
        "absence_days",
    ]
    composites = [passive.name for wave in WAVES for passive in _composites(wave, _centre(people), scores)]
    surveyed = [
        name for name in ("wellbeing_t1", "time_pressure_t1", "efficacy_t1", "wellbeing_t2") if name in composites
    ]
    variables = [
        ImputedVariable(name="baseline_absence", kind="pmm", predictors=(*administrative, "left", *surveyed)),
        *(ImputedVariable(name=f"{score}_{wave}", kind="pmm", predictors=(*administrative, *_predictors(score, wave, scores)))
          for wave in WAVES for score in scores),
    ]  # fmt: skip
    terms = tuple(term for term in plan.terms if term.column != "baseline_absence")
    extra = [Term(column="left", kind="binary"), Term(column="agency", kind="binary")]
    if people["absence_days"].isna().any():  # imputed for the sake of the others; analyses use observed outcomes only
        variables.append(ImputedVariable(name="absence_days", kind="pmm"))
    else:
        extra.append(Term(column="absence_days", kind="continuous"))
    passive = [composite for wave in WAVES for composite in _composites(wave, _centre(people), scores)]
    return ImputationPlan(
        variables=tuple(variables), terms=(*terms, *extra), passive=tuple(passive), within=plan.imputation.within,
        clusters="team_id", imputations=plan.imputation.m, iterations=plan.imputation.iterations, seed=plan.seed,
    )  # fmt: skip


def _centre(people: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation at baseline of the parts of wellbeing."""
    parts = ("happiness", "ladder", "balance")
    return {part: (float(people[f"{part}_t1"].mean()), float(people[f"{part}_t1"].std(ddof=1))) for part in parts}


def _predictors(score: str, wave: str, scores: Sequence[str]) -> tuple[str, ...]:
    """What a survey score is imputed from, beside the administrative covariates.

    A whole wave is missing at once, so scores of one wave that predicted each other in turn would carry
    each other's imputation errors round and round (the chain would wander). Each score is therefore
    predicted by those of its own wave that stand before it, and by its own family in the other wave.
    """
    other = "t2" if wave == "t1" else "t1"
    family = next(family for family in FAMILIES if score in family)
    before = [name for name in SCORES[: SCORES.index(score)] if name in scores]
    across = [f"{name}_{other}" for name in family]
    if "happiness" not in family and "happiness" in scores:
        across.append(f"wellbeing_{other}")
    leaving = ("left",) if wave == "t1" else ()
    return ("baseline_absence", *leaving, *(f"{name}_{wave}" for name in before), *across)


def _composites(wave: str, centre: Mapping[str, tuple[float, float]], scores: Sequence[str]) -> list[PassiveVariable]:
    names = {score: f"{score}_{wave}" for score in SCORES}

    def standard(values: Mapping[str, Array], *parts: str) -> Array:
        found = {"happiness": values[names["happiness"]], "ladder": values[names["ladder"]]}
        if "balance" in parts:
            found["balance"] = balance(values)
        return np.asarray(sum((found[part] - centre[part][0]) / centre[part][1] for part in parts), dtype=np.float64)

    def balance(values: Mapping[str, Array]) -> Array:
        return values[names["positive_affect"]] + LOW_AFFECT + HIGH_AFFECT - values[names["negative_affect"]]

    def wellbeing(values: Mapping[str, Array]) -> Array:
        return standard(values, "happiness", "ladder", "balance")

    def cognitive(values: Mapping[str, Array]) -> Array:
        return standard(values, "happiness", "ladder")

    def efficacy(values: Mapping[str, Array]) -> Array:
        total = sum(items * values[names[need]] for need, items in ITEMS_OF_NEEDS.items())
        return np.asarray(total / sum(ITEMS_OF_NEEDS.values()), dtype=np.float64)

    def pressure(values: Mapping[str, Array]) -> Array:
        return np.asarray((values[names["pressure_1"]] + values[names["pressure_2"]]) / 2, dtype=np.float64)

    affect = (names["positive_affect"], names["negative_affect"])
    cognition = (names["happiness"], names["ladder"])
    found = [
        PassiveVariable(name=f"wellbeing_{wave}", function=wellbeing, inputs=(*cognition, *affect)),
        PassiveVariable(name=f"cognitive_{wave}", function=cognitive, inputs=cognition),
        PassiveVariable(name=f"balance_{wave}", function=balance, inputs=affect),
        PassiveVariable(name=f"efficacy_{wave}", function=efficacy, inputs=tuple(names[s] for s in ITEMS_OF_NEEDS)),
        PassiveVariable(name=f"time_pressure_{wave}", function=pressure, inputs=(names["pressure_1"], names["pressure_2"])),
    ]  # fmt: skip
    given = {names[score] for score in scores}
    return [composite for composite in found if given.issuperset(composite.inputs)]


def spells_imputation_plan(people: pd.DataFrame, plan: Plan) -> ImputationPlan:
    """Where spells are recorded: baseline absence and Bradford score, for the Bradford analyses only."""

    def logarithm(values: Mapping[str, Array]) -> Array:
        return np.log1p(values["baseline_bradford"])

    variables = tuple(
        ImputedVariable(name=name, kind="pmm")
        for name in ("baseline_absence", "baseline_bradford", "baseline_illness_spells")
    )
    outcomes = ("absence_days", "bradford", "spells")
    incomplete = tuple(ImputedVariable(name=name, kind="pmm") for name in outcomes if people[name].isna().any())
    complete = tuple(Term(column=name, kind="continuous") for name in outcomes if people[name].notna().all())
    terms = tuple(term for term in plan.terms if term.column != "baseline_absence")
    return ImputationPlan(
        variables=variables + incomplete, terms=(*terms, Term(column="left", kind="binary"), *complete),
        passive=(PassiveVariable(name="baseline_log_bradford", inputs=("baseline_bradford",), function=logarithm),),
        within=plan.imputation.within, clusters="team_id", imputations=plan.imputation.m,
        iterations=plan.imputation.iterations, seed=plan.seed + 1,
    )  # fmt: skip


def before_imputation_plan(plan: Plan) -> ImputationPlan:
    """Baseline absence from what was known before the draw, both arms together: a sensitivity analysis.

    The planned model imputes the arms apart and lets the outcome predict. That is unbiased, but with few donors in a group
    (agency staff with a record) chance makes the imputed baselines of the arms differ, and the adjustment then carries that
    difference into the effect. A baseline cannot depend on the arm, so a model without arm and outcome is valid as well:
    White and Thompson (2005, Statistics in Medicine 24, 993-1007) advise it, with predicted values; here values are drawn, so
    that Rubin's rules apply.
    """
    terms = tuple(term for term in plan.terms if term.column != "baseline_absence")
    return ImputationPlan(
        variables=(ImputedVariable(name="baseline_absence", kind="pmm"),),
        terms=(*terms, Term(column="agency", kind="binary")), within=None, clusters="team_id",
        imputations=plan.imputation.m, iterations=1, seed=plan.seed + 3,
    )  # fmt: skip


def impute_trial(people: pd.DataFrame, plan: Plan, *, progress: Progress = silent) -> dict[str, Imputations]:
    """The completed data sets: everyone randomised, the same from baselines alone, and those whose authority records spells."""
    recording = people.loc[people["records_spells"]].reset_index(drop=True)
    tasks = {"randomised": (people, imputation_plan(people, plan)), "before": (people, before_imputation_plan(plan))}
    if not recording.empty:
        tasks["spells"] = (recording, spells_imputation_plan(recording, plan))
    return dict(zip(tasks, impute_together(list(tasks.values()), progress=progress), strict=True))
