"""One planned analysis of a field trial at a time; what cannot be estimated keeps its row, with the reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from hhp_stats.contrast import contrast_of
from hhp_stats.errors import EstimationError, NoObservations, UnknownName
from hhp_stats.estimate.bounds import lee_bounds
from hhp_stats.estimate.effect_size import hedges_g, hedges_g_adjusted
from hhp_stats.estimate.linear import ols
from hhp_stats.estimate.model_matrix import Array, ModelMatrix, Term, model_matrix
from hhp_stats.estimate.two_sample import welch
from hhp_stats.infer.cluster_robust import (
    ClusterKind,
    HeteroskedasticKind,
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
)
from hhp_stats.plan.conduct import Conduct
from hhp_stats.plan.individual import IndividualPlan, StudyAnalysis
from hhp_stats.plan.runnable import known_populations
from hhp_stats.results import Estimate, ResultRow, not_estimated
from hhp_stats.studies.field_trial import clusters

SOURCES: Mapping[str, str] = {
    "ols": "hhp_stats.estimate.linear.ols + hhp_stats.infer.cluster_robust.heteroskedastic_covariance",
    "welch": "hhp_stats.estimate.two_sample.welch",
    "hedges-g": "hhp_stats.estimate.effect_size.hedges_g",
    "lee-bounds": "hhp_stats.estimate.bounds.lee_bounds",
    **clusters.SOURCES,
}


def source_of(analysis: StudyAnalysis) -> str:
    """The functions that an analysis calls."""
    clustered = analysis.estimator == "ols" and analysis.covariance.startswith("CR")
    return clusters.CLUSTERED if clustered else SOURCES[analysis.estimator]


# Estimators that look at those without an answer too: bounds count them, and so does a draw of whole clusters.
NEED_EVERYONE = frozenset({"lee-bounds", "randomisation"})
DRAWS = 999  # of the bootstrap behind bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The row of one planned analysis, rows that belong to it (ends of bounds), and what was done."""

    row: ResultRow
    beside: tuple[ResultRow, ...] = ()
    conduct: tuple[Conduct, ...]


def run_cell(analysis: StudyAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> Cell:
    """Estimate one planned analysis as the plan says it; an estimation error becomes a row with its reason."""
    outcome = plan.outcomes[analysis.outcome]
    key, contrast = plan.result_id(analysis), analysis.contrast or plan.contrast
    about: dict[str, Any] = {
        "population": plan.populations[analysis.population].label, "contrast": contrast_of(key, contrast),
        "analysis": analysis.kind, "clause": " ".join(analysis.clauses), "source": source_of(analysis),
    }  # fmt: skip
    if outcome.missing:
        done = _conduct(plan, analysis, {"estimator": "not run: no data"})
        return Cell(
            row=not_estimated(result_id=key, reason=outcome.missing, method=analysis.estimator, **about), conduct=done
        )
    try:
        found, facts = ESTIMATORS[analysis.estimator](analysis, analysed(analysis, people, plan), plan)
    except EstimationError as error:
        reason = f"{type(error).__name__}: {error}"
        return Cell(row=not_estimated(result_id=key, reason=reason, method=analysis.estimator, **about),
                    conduct=_conduct(plan, analysis, {"estimator": "not run: refused"}))  # fmt: skip
    study, outcome_id, effect, method = key.split("/")
    rows = []
    estimates = {"": found} if isinstance(found, Estimate) else found
    for estimand, estimate in estimates.items():
        name = f"{study}/{outcome_id}/{estimand or effect}/{method}"
        compared = contrast_of(name, contrast, beside=estimates)
        rows.append(estimate.row(result_id=name, note=analysis.note, **about | {"contrast": compared}))
    return Cell(row=rows[0], beside=tuple(rows[1:]), conduct=_conduct(plan, analysis, facts))


def _conduct(plan: IndividualPlan, analysis: StudyAnalysis, facts: Mapping[str, str]) -> tuple[Conduct, ...]:
    return tuple(Conduct(study=plan.study, analysis=analysis.id, aspect=a, value=v) for a, v in facts.items())


def outcome_column(plan: IndividualPlan, outcome: str) -> str:
    """The column that holds an outcome: its key for survey scores, else the one the plan names."""
    return plan.outcomes[outcome].column or outcome


def in_population(people: pd.DataFrame, population: str, plan: IndividualPlan) -> pd.Series:
    """Who of the people belongs to a population of the plan; whether they have the outcome is asked later."""
    blocks = known_populations(plan)
    if population not in blocks:
        raise UnknownName(f"the study does not know how to select the population {population!r}")
    block = blocks[population]
    return people[plan.design.within] == block if block else pd.Series(True, index=people.index)


def analysed(analysis: StudyAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """The people of the analysis, with `outcome` and, where the model has them, `baseline` and `baseline_missing`."""
    frame = people.loc[in_population(people, analysis.population, plan)]
    frame = frame.assign(outcome=frame[outcome_column(plan, analysis.outcome)])
    if "baseline" in plan.model_of(analysis).terms:
        before = frame[f"{analysis.outcome}_t1"]
        frame = frame.assign(baseline=before.fillna(before.mean()), baseline_missing=before.isna().astype("float64"))
    if analysis.estimator not in NEED_EVERYONE:
        frame = frame.loc[frame["outcome"].notna()]
    if frame.empty:
        raise NoObservations(f"nobody is left to analyse for {analysis.id}")
    return frame


def _arrays(frame: pd.DataFrame) -> tuple[Array, Array]:
    return frame["outcome"].to_numpy(dtype=np.float64), frame["treatment"].to_numpy(dtype=np.float64)


# One estimate, or several by estimand ("" is the effect itself); and what was done.
Estimated = tuple[Estimate | Mapping[str, Estimate], Mapping[str, str]]


def _ordinary(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """Least squares of the outcome on the arm and the planned terms; the arm's coefficient or its interaction."""
    found, covariance = _fitted(analysis, frame, plan)
    return found, {
        "estimator": "ols", "covariance": covariance, "df": analysis.df, "population": analysis.population,
        "terms": " + ".join(analysis.terms),
    }  # fmt: skip


def _fitted(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> tuple[Estimate, str]:
    """The estimate and the kind of its covariance."""
    terms = [plan.terms[name].term for name in analysis.terms]
    matrix, wanted = model_matrix(frame, terms), "treatment"
    if analysis.moderator:
        matrix, wanted = _with_interaction(frame, terms, plan.terms[analysis.moderator].term)
    fit = ols(outcome=frame["outcome"].to_numpy(dtype=np.float64), matrix=matrix)
    if analysis.covariance.startswith("CR"):
        covariance = cluster_covariance(
            fit, clusters=frame[plan.design.cluster], kind=cast(ClusterKind, analysis.covariance)
        )
    else:
        covariance = heteroskedastic_covariance(fit, kind=cast(HeteroskedasticKind, analysis.covariance))
    found = coefficient(fit, covariance, term=wanted, df=analysis.df, conf_level=plan.conf_level)
    return found, covariance.kind


def _with_interaction(frame: pd.DataFrame, terms: list[Term], moderator: Term) -> tuple[ModelMatrix, str]:
    """The model matrix with the product of the arm and the one dummy of a moderator of two levels."""
    found = model_matrix(frame, terms)
    dummies = [name for name in found.names if name.startswith(f"{moderator.column}[")]
    if len(dummies) != 1:
        raise UnknownName(f"{moderator.column} has {len(dummies) + 1} levels here; an interaction needs two")
    product = found.values[:, found.position("treatment")] * found.values[:, found.position(dummies[0])]
    name = f"treatment:{dummies[0]}"
    return ModelMatrix(values=np.column_stack([found.values, product]), names=(*found.names, name)), name


def _welch(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    outcome, treatment = _arrays(frame)
    return welch(outcome=outcome, treatment=treatment, conf_level=plan.conf_level), {
        "estimator": "welch", "covariance": "by arm", "df": "satterthwaite", "population": analysis.population, "terms": "",
    }  # fmt: skip


def _hedges(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """The planned difference in standard deviations; with the planned model's standard error where it has covariates."""
    outcome, treatment = _arrays(frame)
    model = plan.model_of(analysis)
    if model.estimator == "ols" and model.terms:
        effect, _ = _fitted(model, frame, plan)
        found, df = hedges_g_adjusted(effect, outcome=outcome, treatment=treatment), model.df
    else:
        found, df = hedges_g(outcome=outcome, treatment=treatment, conf_level=plan.conf_level), "normal"
    return found.g, {
        "estimator": "hedges-g", "covariance": "pooled", "df": df, "population": analysis.population,
        "terms": " + ".join(model.terms) if model.estimator == "ols" else "",
    }  # fmt: skip


def _lee(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """Bounds for those who would answer in either arm; the effect row carries their middle."""
    outcome, treatment = _arrays(frame)
    clusters = frame[plan.design.cluster] if plan.design.cluster else None
    found = lee_bounds(outcome=outcome, treatment=treatment, clusters=clusters, draws=DRAWS, seed=plan.seed,
                       conf_level=plan.conf_level)  # fmt: skip
    low, high = found.lower, found.upper
    middle = Estimate(
        estimate=(low.estimate + high.estimate) / 2, std_error=math.nan, df=low.df, n=low.n, n_clusters=None, method=found.method,
        conf_level=found.conf_level, conf_low=found.conf_low, conf_high=found.conf_high,
    )  # fmt: skip
    return {"": middle, "lower_bound": low, "upper_bound": high}, {
        "estimator": "lee-bounds", "covariance": "bootstrap", "df": "normal", "population": analysis.population, "terms": "",
    }  # fmt: skip


ESTIMATORS: Mapping[str, Callable[[StudyAnalysis, pd.DataFrame, IndividualPlan], Estimated]] = {
    "ols": _ordinary, "welch": _welch, "hedges-g": _hedges, "lee-bounds": _lee, "wild-bootstrap": clusters.bootstrapped,
    "randomisation": clusters.rerandomised, "cluster-means": clusters.means_of_clusters,
    "hedges-g-clustered": clusters.standardised,
}  # fmt: skip
