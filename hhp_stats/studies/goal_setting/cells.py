"""One planned analysis at a time: choose people, outcome and covariates as the plan says, estimate, report.

Each cell calls one function of `estimate` and one of `infer`, and hands back a row of the result
frame and a record of what was really done. A cell that cannot be estimated keeps its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hhp_stats.design.randomisation import Redraws
from hhp_stats.errors import EstimationError, NoObservations, UnknownName
from hhp_stats.estimate.firth import firth_logit
from hhp_stats.estimate.imputation import Imputations
from hhp_stats.estimate.linear import LinearFit, ols
from hhp_stats.estimate.logistic import ProbabilityChange, average_change, change_at_means, clustered_logit_covariance, logit
from hhp_stats.estimate.model_matrix import Array, ModelMatrix, Term, model_matrix
from hhp_stats.infer.cluster_robust import (
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
    two_way_covariance,
)
from hhp_stats.infer.pooling import pool
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.plan.conduct import Conduct
from hhp_stats.plan.schema import Outcome, Plan, PlannedAnalysis
from hhp_stats.results import Estimate, ResultRow, not_estimated

DRAWS = 9_999
LINEAR = "hhp_stats.estimate.linear.ols"
SOURCES = {
    "ols": f"{LINEAR} + hhp_stats.infer.cluster_robust",
    "logit": "hhp_stats.estimate.logistic",
    "firth": "hhp_stats.estimate.firth",
    "wild-bootstrap": f"{LINEAR} + hhp_stats.infer.wild_bootstrap",
    "randomisation": "hhp_stats.infer.randomisation_test",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What every cell draws on: the plan, the people, their completed data sets, and the redraws."""

    plan: Plan
    people: pd.DataFrame
    imputations: Imputations
    redraws: Redraws


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Rows of one planned analysis (the effect first) and what was done."""

    rows: tuple[ResultRow, ...]
    conduct: tuple[Conduct, ...]


def run_cell(analysis: PlannedAnalysis, material: Material) -> Cell:
    """Estimate one planned analysis; an estimation error becomes a row with its reason."""
    plan, outcome = material.plan, material.plan.outcomes[analysis.outcome]
    terms = model_terms(analysis, outcome, plan)
    try:
        estimates = _ESTIMATORS[analysis.estimator](analysis, outcome, terms, material)
    except EstimationError as error:
        row = not_estimated(
            result_id=plan.result_id(analysis), reason=f"{type(error).__name__}: {error}",
            method=analysis.estimator, **_about(analysis, plan),
        )  # fmt: skip
        return Cell(rows=(row,), conduct=_conduct(analysis, terms, plan))
    rows = [
        estimate.row(result_id=_sibling(plan.result_id(analysis), estimand), note=analysis.note, **_about(analysis, plan))
        for estimand, estimate in estimates.items()
    ]
    return Cell(rows=tuple(rows), conduct=_conduct(analysis, terms, plan))


def _sibling(result_id: str, estimand: str) -> str:
    study, outcome, effect, method = result_id.split("/")
    return f"{study}/{outcome}/{estimand or effect}/{method}"


def _about(analysis: PlannedAnalysis, plan: Plan) -> dict[str, str]:
    return {
        "population": plan.populations[analysis.population].label, "contrast": plan.contrast,
        "analysis": analysis.kind, "clause": " ".join(analysis.clauses), "source": SOURCES[analysis.estimator],
    }  # fmt: skip


def _conduct(analysis: PlannedAnalysis, terms: Sequence[Term], plan: Plan) -> tuple[Conduct, ...]:
    done = {
        "estimator": analysis.estimator, "covariance": analysis.covariance, "df": analysis.df,
        "population": analysis.population, "leavers": analysis.leavers, "missing_outcome": analysis.missing_outcome,
        "baseline_absence": analysis.baseline_absence, "summary": analysis.summary,
        "terms": " + ".join(term.column for term in terms),
    }  # fmt: skip
    return tuple(
        Conduct(study=plan.study, analysis=analysis.id, aspect=aspect, value=value) for aspect, value in done.items()
    )


# ---------------------------------------------------------------- people, outcome, covariates
def model_terms(analysis: PlannedAnalysis, outcome: Outcome, plan: Plan) -> tuple[Term, ...]:
    """The equation of clause P54 with what the outcome and the analysis add to it.

    Outcomes with a baseline value get it as a covariate (P71, P78, P79). Stratum dummies take the
    place of those of the authority, which they contain.
    """
    terms = list(plan.terms)
    if outcome.baseline:
        terms.append(Term(column=outcome.baseline, kind="continuous"))
    if analysis.baseline_absence == "zero_with_indicator":
        terms.append(Term(column="baseline_missing", kind="binary"))
    if analysis.strata:
        terms = [term for term in terms if term.column != "local_authority"]
        terms.append(Term(column="stratum", kind="categorical"))
    return tuple(terms)


def outcome_column(analysis: PlannedAnalysis, outcome: Outcome) -> str:
    """The column of the outcome; for absence it depends on how leavers are counted."""
    return f"absence_days_{analysis.leavers}" if outcome.column == "absence_days" else outcome.column


def analysed(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> pd.DataFrame:
    """The people of the analysis, with baseline absence filled as the analysis says (unless imputed)."""
    people = material.people
    if analysis.population == "spells":
        people = people.loc[people["records_spells"]]
    if analysis.missing_outcome == "complete_cases":
        people = people.loc[people[outcome_column(analysis, outcome)].notna()]
    rule = analysis.baseline_absence
    if rule == "zero_with_indicator":
        people = people.assign(baseline_absence=people["baseline_absence"].fillna(0.0))
    elif rule == "mean":
        mean = material.people.groupby("local_authority")["baseline_absence"].mean()
        people = people.assign(baseline_absence=people["baseline_absence"].fillna(people["local_authority"].map(mean)))
    elif rule == "complete_cases":
        needed = ["baseline_absence", *([outcome.baseline] if outcome.baseline else [])]
        people = people.loc[people[needed].notna().all(axis="columns")]
    if people.empty:
        raise NoObservations(f"nobody is left to analyse for {analysis.id}")
    return people


def completed_models(
    analysis: PlannedAnalysis, outcome: Outcome, terms: Sequence[Term], material: Material
) -> Iterator[tuple[Array, ModelMatrix, pd.DataFrame]]:
    """Outcome and model matrix of every completed data set; one only where nothing is imputed.

    The matrix is built once; each completed data set replaces the columns that hold imputed values.
    """
    people = analysed(analysis, outcome, material)
    y = people[outcome_column(analysis, outcome)].to_numpy(dtype=np.float64)
    if analysis.baseline_absence != "multiple_imputation":
        yield y, model_matrix(people, terms), people
        return
    imputations, place = material.imputations, material.people.index.get_indexer(people.index)
    whole = {*imputations.imputed, *(passive.name for passive in imputations.plan.passive)}
    imputed = [term.column for term in terms if term.column in whole]
    answered = outcome_column(analysis, outcome)
    for number in range(len(imputations)):
        filled = _imputed_columns(imputations, number, [*imputed, answered] if answered in whole else imputed)
        part = {name: values[place] for name, values in filled.items()}
        if number == 0:
            matrix = model_matrix(people.assign(**part), terms)
        values = matrix.values.copy()
        for name in imputed:
            if name in matrix.names:
                values[:, matrix.position(name)] = part[name]
        completed = part[answered] if analysis.missing_outcome == "multiple_imputation" else y
        yield completed, replace(matrix, values=values), people


def _imputed_columns(imputations: Imputations, number: int, names: Sequence[str]) -> dict[str, Array]:
    """Values (n,) of imputed and passive variables in one completed data set."""
    passive = {entry.name: entry for entry in imputations.plan.passive}

    def column(name: str) -> Array:
        if name in passive:
            return passive[name].function({item: column(item) for item in passive[name].inputs})
        if name in imputations.imputed:
            return np.asarray(imputations.column(name, number), dtype=np.float64)
        return imputations.frame[name].to_numpy(dtype=np.float64)

    return {name: column(name) for name in names}


# ---------------------------------------------------------------- estimators
Estimates = dict[str, Estimate]  # by estimand; "" is the effect itself
Estimator = Callable[[PlannedAnalysis, Outcome, tuple[Term, ...], Material], Estimates]


def _ols(analysis: PlannedAnalysis, outcome: Outcome, terms: tuple[Term, ...], material: Material) -> Estimates:
    found = [
        _linear_effect(ols(outcome=y, matrix=matrix), people, analysis, material.plan.conf_level)
        for y, matrix, people in completed_models(analysis, outcome, terms, material)
    ]
    return {"": pooled(found)}


def _linear_effect(fit: LinearFit, people: pd.DataFrame, analysis: PlannedAnalysis, conf_level: float) -> Estimate:
    kind = analysis.covariance
    if kind in ("CR0", "CR1", "CR2", "CR3"):
        covariance = cluster_covariance(fit, clusters=people["team_id"], kind=kind)
    elif kind == "two-way":
        covariance = two_way_covariance(fit, clusters=people["team_id"], second=people["local_authority"])
    else:
        covariance = heteroskedastic_covariance(fit, kind=kind)
    return coefficient(fit, covariance, df=analysis.df, conf_level=conf_level)


def pooled(found: Sequence[Estimate]) -> Estimate:
    """Rubin's rules where there are several; Satterthwaite degrees of freedom enter by their mean."""
    if len(found) == 1:
        return found[0]
    return pool(found, complete_df=float(np.mean([estimate.df for estimate in found])))


def _logistic(analysis: PlannedAnalysis, outcome: Outcome, terms: tuple[Term, ...], material: Material) -> Estimates:
    fit_model = firth_logit if analysis.estimator == "firth" else logit
    summarise: Callable[..., ProbabilityChange] = change_at_means if analysis.summary == "at_means" else average_change
    found = []
    for y, matrix, people in completed_models(analysis, outcome, terms, material):
        fit = fit_model(outcome=y, matrix=matrix)
        covariance = clustered_logit_covariance(fit, clusters=people["team_id"])
        found.append(summarise(fit, covariance, conf_level=material.plan.conf_level))
    return {
        "": pooled([change.change for change in found]),
        "predicted_control": pooled([change.untreated for change in found]),
        "predicted_treatment": pooled([change.treated for change in found]),
    }


def _single_fit(analysis: PlannedAnalysis, outcome: Outcome, terms: tuple[Term, ...], material: Material) -> tuple[LinearFit, pd.DataFrame]:
    models = list(completed_models(analysis, outcome, terms, material))
    if len(models) != 1:
        raise UnknownName(f"{analysis.id}: resampling needs one data set; name another rule than multiple imputation")
    y, matrix, people = models[0]
    return ols(outcome=y, matrix=matrix), people


def _wild(analysis: PlannedAnalysis, outcome: Outcome, terms: tuple[Term, ...], material: Material) -> Estimates:
    fit, people = _single_fit(analysis, outcome, terms, material)
    rng = np.random.default_rng([material.plan.seed, 1])
    test = wild_bootstrap(fit, clusters=people["team_id"], draws=DRAWS, rng=rng, conf_level=material.plan.conf_level)
    return {"": test.estimate}


def _randomisation(analysis: PlannedAnalysis, outcome: Outcome, terms: tuple[Term, ...], material: Material) -> Estimates:
    fit, people = _single_fit(analysis, outcome, terms, material)
    rng = np.random.default_rng([material.plan.seed, 2])
    test = randomisation_test(outcome=fit.outcome, matrix=fit.matrix, clusters=people["team_id"], draw=material.redraws,
                              draws=DRAWS, rng=rng, conf_level=material.plan.conf_level)  # fmt: skip
    return {"": test.estimate}


_ESTIMATORS: dict[str, Estimator] = {
    "ols": _ols, "logit": _logistic, "firth": _logistic, "wild-bootstrap": _wild, "randomisation": _randomisation,
}  # fmt: skip
