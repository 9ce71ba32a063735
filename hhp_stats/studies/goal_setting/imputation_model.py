"""Which values of the goal-setting trial are imputed, and from what. (Clauses P48, P75; conflict C58.)

One imputation serves every planned analysis: baseline absence from administrative and survey data, and the survey
scores of both waves from those named beside them. Composites follow their parts. The plan names the models; the
others are sensitivities.

Why the planned model imputes the baselines of both arms together, with arm and outcome among the predictors: it is
congenial with the analysis (Meng 1994, Statistical Science 9, 538-558). A model for each arm is unbiased too, but
where few people of a kind have a record (agency staff), chance makes the imputed baselines of the arms differ, and
the adjustment carries that difference into the effect. White and Thompson (2005, Statistics in Medicine 24, 993-1007)
recommend for randomised trials a mean with an indicator, never draws: that is a sensitivity analysis of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.estimate.imputation import (
    ImputationPlan,
    Imputations,
    ImputedVariable,
    PassiveVariable,
    impute_together,
)
from hhp_stats.plan.returns_schema import ImputationModel, ReturnsAnalysis, ReturnsPlan
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.regression.model_matrix import Array, Term
from hhp_stats.studies.goal_setting.attempts import CompletedTrials, attempted
from hhp_stats.studies.goal_setting.sample import WAVES, baseline_units

SCORES = (
    "happiness",
    "ladder",
    "positive_affect",
    "negative_affect",
    "pressure_1",
    "pressure_2",
    "autonomy",
    "competence",
    "relatedness",
)
FAMILIES = (
    ("happiness", "ladder", "positive_affect", "negative_affect"),
    ("pressure_1", "pressure_2"),
    ("autonomy", "competence", "relatedness"),
)
ITEMS_OF_NEEDS = {"autonomy": 3, "competence": 4, "relatedness": 3}
LOW_AFFECT, HIGH_AFFECT = 1.0, 5.0
ARM, SPELLS = "treatment", "spells"


def imputation_plan(
    people: pd.DataFrame, plan: ReturnsPlan, model: ImputationModel, *, scores: Sequence[str] = SCORES
) -> ImputationPlan:
    """The chained equations of one model of the plan: predictive mean matching throughout, so scores stay on their
    scales.

    Complete covariates: those of the analysis, agency staff (whose absence is often not recorded), whether the person
    left, and the days absent over the trial at their own rate (the outcome belongs into an imputation model of a
    covariate). Where the model imputes baselines of both arms together, the arm predicts them too. Numeric
    variables carry a random team effect if the model says so. `scores` may leave out families of survey scores, for
    simulations that do not need them.
    """
    if model.baselines == "from_baselines":
        return _before_plan(plan, model)
    # Leaving predicts baseline values only: no leaver answered at endline, so its effect there is unknown.
    administrative = [term.column for term in plan.terms if term.column != "baseline_absence"] + [
        "agency",
        "absence_days",
    ]
    passive = [composite for wave in WAVES for composite in _composites(wave, baseline_units(people), scores)]
    made = {composite.name for composite in passive}
    surveyed = [name for name in ("wellbeing_t1", "time_pressure_t1", "efficacy_t1", "wellbeing_t2") if name in made]
    arms = _Arms(model)
    variables = [arms.baseline("baseline_absence", (*administrative, "left", *surveyed))]
    for wave, one in zip(WAVES, (arms.baseline, arms.outcome), strict=True):
        variables += [one(f"{score}_{wave}", (*administrative, *_predictors(score, wave, scores))) for score in scores]
    extra = [Term(column="agency", kind="binary"), *arms.term]
    if people["left"].isna().any():  # nobody knows of somebody who is on no later return
        variables.append(arms.outcome("left", (*administrative, "baseline_absence")))
    else:
        extra.insert(0, Term(column="left", kind="binary"))
    if people["absence_days"].isna().any():  # imputed for the sake of the others; analyses use observed outcomes only
        # From those it predicts, and from the complete covariates.
        others = (*(name for name in administrative if name != "absence_days"), "left")
        variables.append(arms.outcome("absence_days", (*others, *(variable.name for variable in variables))))
    else:
        extra.append(Term(column="absence_days", kind="continuous"))
    terms = (*(term for term in plan.terms if term.column != "baseline_absence"), *extra)
    variables, passive = possible(people, variables, passive, terms, within=arms.within)
    return ImputationPlan(
        variables=_with_donors(variables, plan),
        terms=terms,
        passive=tuple(passive),
        within=arms.within,
        **_settings(plan, model),
    )


def possible(
    people: pd.DataFrame,
    variables: Sequence[ImputedVariable],
    passive: Sequence[PassiveVariable],
    terms: Sequence[Term],
    *,
    within: str | None,
) -> tuple[list[ImputedVariable], list[PassiveVariable]]:
    """Those of the variables and composites that these data can impute, predicted by those that are left.

    A scale that nobody of an arm answered, or that all answered alike, teaches nothing about those who did not answer:
    it is left out of the model, and what needs it gets a reason instead of a number.
    """

    def learnt(variable: ImputedVariable) -> bool:
        apart = variable.within or within
        values = people[variable.name]
        if values.notna().all():
            return True
        groups = [part for _, part in values.groupby(people[apart])] if apart else [values]
        return all(part.min() < part.max() for part in groups)

    kept = [variable for variable in variables if learnt(variable)]
    names = {variable.name for variable in kept} | {term.column for term in terms}
    composites = [composite for composite in passive if names.issuperset(composite.inputs)]
    names |= {composite.name for composite in composites}
    return [
        replace(
            variable,
            predictors=tuple(name for name in variable.predictors if name in names)
            if variable.predictors is not None
            else None,
        )
        for variable in kept
    ], composites


class _Arms:
    """What a model says about the arms: variables of baselines and of outcomes, the arm as a term, the groups apart."""

    def __init__(self, model: ImputationModel) -> None:
        self.model = model
        self.within = ARM if model.baselines == "apart" else None
        self.term = () if self.within else (Term(column=ARM, kind="binary"),)

    def baseline(self, name: str, predictors: tuple[str, ...]) -> ImputedVariable:
        more = () if self.within else (ARM,)
        return ImputedVariable(name=name, kind="pmm", predictors=(*predictors, *more))

    def outcome(self, name: str, predictors: tuple[str, ...]) -> ImputedVariable:
        if self.within or self.model.outcomes == "together":
            return self.baseline(name, predictors)
        return ImputedVariable(name=name, kind="pmm", predictors=predictors, within=ARM)


def _with_donors(variables: Sequence[ImputedVariable], plan: ReturnsPlan) -> tuple[ImputedVariable, ...]:
    return tuple(replace(variable, donors=plan.imputation.donors) for variable in variables)


def _settings(plan: ReturnsPlan, model: ImputationModel, *, part: str = "") -> dict[str, Any]:
    """What every imputation takes from the plan; each has random numbers of its own, by its name alone."""
    name = zlib.crc32(f"{model.key}/{part}".encode())
    seed = int(np.random.SeedSequence([plan.seed, name]).generate_state(1)[0])
    return {
        "clusters": plan.design.cluster if model.team_effect else None,
        "imputations": model.m,
        "iterations": plan.imputation.iterations,
        "seed": seed,
    }


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
        PassiveVariable(
            name=f"time_pressure_{wave}", function=pressure, inputs=(names["pressure_1"], names["pressure_2"])
        ),
    ]
    given = {names[score] for score in scores}
    return [composite for composite in found if given.issuperset(composite.inputs)]


def spells_imputation_plan(people: pd.DataFrame, plan: ReturnsPlan, model: ImputationModel) -> ImputationPlan:
    """Where spells are recorded: baseline absence and Bradford score, for the Bradford analyses only."""

    def logarithm(values: Mapping[str, Array]) -> Array:
        return np.log1p(values["baseline_bradford"])

    outcomes, arms = ("absence_days", "bradford", "spells"), _Arms(model)
    incomplete = [name for name in outcomes if people[name].isna().any()]
    complete = [Term(column=name, kind="continuous") for name in outcomes if name not in incomplete]
    terms = [term for term in plan.terms if term.column != "baseline_absence"]
    if people["left"].isna().any():
        incomplete = [*incomplete, "left"]
    else:
        terms.append(Term(column="left", kind="binary"))
    terms += complete
    names = [*("baseline_absence", "baseline_bradford", "baseline_illness_spells"), *incomplete]
    variables = []
    for name in names:
        others = (*(term.column for term in terms), *(other for other in names if other != name))
        variables.append(arms.outcome(name, others) if name in incomplete else arms.baseline(name, others))
    terms += arms.term
    made = PassiveVariable(name="baseline_log_bradford", inputs=("baseline_bradford",), function=logarithm)
    variables, passive = possible(people, variables, [made], terms, within=arms.within)
    return ImputationPlan(
        variables=_with_donors(variables, plan),
        terms=tuple(terms),
        passive=tuple(passive),
        within=arms.within,
        **_settings(plan, model, part=SPELLS),
    )


def _before_plan(plan: ReturnsPlan, model: ImputationModel) -> ImputationPlan:
    """Baseline absence from what was known before the draw, both arms together: a sensitivity analysis.

    A baseline cannot depend on the arm, so a model without arm and outcome cannot let chance differences between the
    arms into the imputed baselines. It pays with associations that are drawn towards zero, since the outcome does not
    predict what is adjusted for. One round is enough: one variable is imputed.
    """
    terms = tuple(term for term in plan.terms if term.column != "baseline_absence")
    return ImputationPlan(
        variables=_with_donors([ImputedVariable(name="baseline_absence", kind="pmm")], plan),
        terms=(*terms, Term(column="agency", kind="binary")),
        within=None,
        **(_settings(plan, model) | {"iterations": 1}),
    )


def impute_trial(people: pd.DataFrame, plan: ReturnsPlan, *, progress: Progress = silent) -> CompletedTrials:
    """The completed data sets of every model that an analysis names, by its key; `set_name` says which an analysis
    uses.

    A model that these data do not allow (a variable that is constant, or known of nobody) is kept as its error.
    """
    recording = people.loc[people["records_spells"]].reset_index(drop=True)
    tasks: dict[str, tuple[pd.DataFrame, ImputationPlan]] = {}
    failed: dict[str, EstimationError] = {}
    for analysis in plan.analyses:
        model = plan.imputation.models.get(analysis.baseline_absence)
        name = set_name(analysis)
        if model is None or name in tasks or name in failed:
            continue
        spells = analysis.population.startswith(SPELLS)
        make, frame = (spells_imputation_plan, recording) if spells else (imputation_plan, people)
        try:
            if frame.empty:
                raise NoObservations("no authority records spells at every wave")
            tasks[name] = (frame, make(frame, plan, model))
        except EstimationError as error:
            failed[name] = error
    try:
        made: dict[str, Imputations | EstimationError] = dict(
            zip(tasks, impute_together(list(tasks.values()), progress=progress), strict=True)
        )
    except EstimationError:  # of one of them: each by itself
        made = {name: attempted(partial(_impute_one, task)) for name, task in tasks.items()}
    return CompletedTrials(made | failed)


def _impute_one(task: tuple[pd.DataFrame, ImputationPlan]) -> Imputations:
    return impute_together([task])[0]


def set_name(analysis: ReturnsAnalysis) -> str:
    """Under which name the completed data sets of an analysis stand: its rule, and whether only those with spells are
    in it.
    """
    rule = analysis.baseline_absence
    return f"{rule}/{SPELLS}" if analysis.population.startswith(SPELLS) else rule


def model_table(imputations: Mapping[str, Imputations]) -> pd.DataFrame:
    """Which variable is imputed by which model from which others? One row a variable and set, read off what ran.

    `arms` says whether one model serves both arms, each has its own, or the arm is left out; `gaps` counts missing
    values; `predictors` are names, one space between.
    """
    rows = []
    for name, found in imputations.items():
        plan = found.plan
        terms = [term.column for term in plan.terms]
        for variable in sorted(plan.variables, key=lambda variable: len(found.imputed[variable.name].rows)):
            others = [other.name for other in plan.variables if other.name != variable.name]
            predictors = variable.predictors if variable.predictors is not None else (*terms, *others)
            apart = bool(plan.within or variable.within)
            rows.append(
                {
                    "set": name,
                    "variable": variable.name,
                    "kind": variable.kind,
                    "donors": variable.donors,
                    "arms": "apart" if apart else "together" if ARM in predictors else "ignored",
                    "team_effect": plan.clusters is not None and plan.random_intercept,
                    "gaps": len(found.imputed[variable.name].rows),
                    "people": len(found.frame),
                    "predictors": " ".join(predictors),
                    "m": plan.imputations,
                    "iterations": plan.iterations,
                }
            )
    return pd.DataFrame(rows)
