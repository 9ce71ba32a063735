"""Means of the cells and every contrast of them, by every method of the plan."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from hhp_stats.errors import InvalidInput, NoObservations
from hhp_stats.estimate.effect_size import hedges_g
from hhp_stats.estimate.two_sample import ArmSummary, pooled_contrast, welch
from hhp_stats.infer.multiplicity import holm
from hhp_stats.plan.conduct import NOT_ESTIMATED, Conduct
from hhp_stats.plan.experiments import INTERCEPT, CellContrast, Experiment, ExperimentMethod, ExperimentPlan
from hhp_stats.ran import name_of, ran_before, recorded
from hhp_stats.regression.cluster_robust import (
    RobustCovariance,
    linear_contrast,
)
from hhp_stats.regression.linear import LinearFit, ols
from hhp_stats.regression.model_matrix import Term, model_matrix
from hhp_stats.results import NOT_ALLOWED, Estimate, ResultRow, not_estimated
from hhp_stats.studies.estimators.least_squares import covariance_of
from hhp_stats.studies.planned import Estimates, conduct_of, rows_of
from hhp_stats.studies.sources import Sourced, adjusted, sourced, states_source


def dummies(plan: ExperimentPlan, experiment: Experiment) -> list[str]:
    """The dummies of an experiment's cells beside the intercept, in the order of the plan."""
    return list(dict.fromkeys(d for cell in plan.cells_of(experiment.id) for d in cell.dummies if d != INTERCEPT))


def weights(contrast: CellContrast, plan: ExperimentPlan) -> dict[str, float]:
    """The contrast in terms of the coefficients: sums of the dummies of its cells, the minus ones subtracted."""
    total: dict[str, float] = {}
    for sign, cells in ((1.0, contrast.plus), (-1.0, contrast.minus)):
        for cell in cells:
            for name in plan.cells[cell].dummies:
                total[name] = total.get(name, 0.0) + sign
    return {name: weight for name, weight in total.items() if weight}


def fitted(
    frame: pd.DataFrame, experiment: Experiment, method: ExperimentMethod, plan: ExperimentPlan
) -> tuple[LinearFit, RobustCovariance]:
    """The regression of the outcome on the dummies of the cells and the method's covariates, with its covariance."""
    first, *others = dummies(plan, experiment)
    terms = [Term(column=name, kind="binary") for name in others] + [plan.terms[name].term for name in method.terms]
    fit = ols(outcome=frame["outcome"].to_numpy(dtype=np.float64), matrix=model_matrix(frame, terms, treatment=first))
    clusters = frame[experiment.cluster] if experiment.cluster else None
    return fit, covariance_of(fit, method.covariance, clusters=clusters)


def analysed(frame: pd.DataFrame, method: ExperimentMethod) -> pd.DataFrame:
    """The rows of a method: with an outcome and, where it asks for one, one combination of names."""
    known = frame.loc[frame["outcome"].notna()]
    if method.name_set is not None:
        known = known.loc[known["name_set"] == method.name_set]
    if known.empty:
        raise NoObservations("no decision is left to analyse")
    return known


Contrasted = Callable[[pd.DataFrame, CellContrast, ExperimentPlan], Estimate]


def _arrays(frame: pd.DataFrame, contrast: CellContrast) -> tuple[np.ndarray, np.ndarray]:
    part = frame.loc[frame["cell"].isin([*contrast.plus, *contrast.minus])]
    return part["outcome"].to_numpy(dtype=np.float64), part["cell"].isin(contrast.plus).to_numpy(dtype=np.float64)


def _welch(frame: pd.DataFrame, contrast: CellContrast, plan: ExperimentPlan) -> Estimate:
    outcome, treatment = _arrays(frame, contrast)
    return welch(outcome=outcome, treatment=treatment, conf_level=plan.conf_level)


def _hedges(frame: pd.DataFrame, contrast: CellContrast, plan: ExperimentPlan) -> Estimate:
    outcome, treatment = _arrays(frame, contrast)
    return hedges_g(outcome=outcome, treatment=treatment, conf_level=plan.conf_level).g


def _pooled(frame: pd.DataFrame, contrast: CellContrast, plan: ExperimentPlan) -> Estimate:
    cells = [cell.id for cell in plan.cells_of(contrast.experiment)]
    arms = []
    for cell in cells:
        values = frame.loc[frame["cell"] == cell, "outcome"].to_numpy(dtype=np.float64)
        if len(values) < 2:
            raise NoObservations(f"{cell}: {len(values)} values have no variance")
        arms.append(ArmSummary(mean=float(values.mean()), std_error=float(stats.sem(values)), n=len(values)))
    if len(contrast.plus) != 1:
        raise InvalidInput(f"{contrast.id}: one variance for all is used for two cells")
    of = (cells.index(contrast.plus[0]), cells.index(contrast.minus[0]))
    return pooled_contrast(tuple(arms), of=of, conf_level=plan.conf_level)


PAIRWISE: Mapping[str, Contrasted] = {"welch": _welch, "hedges-g": _hedges, "pooled": _pooled}
OF_TWO_CELLS = frozenset(
    {"welch", "hedges-g"}
)  # whose n counts the cells of the contrast; others use the variance of all


@states_source
def contrast_rows(
    frame: pd.DataFrame, experiment: Experiment, method: ExperimentMethod, plan: ExperimentPlan
) -> tuple[list[ResultRow], list[Conduct]]:
    """Every contrast of an experiment by one method; what cannot be estimated keeps its row, with the reason."""
    rows: list[ResultRow] = []
    conduct: list[Conduct] = []
    try:
        with recorded() as fitting:
            known = analysed(frame, method)
            model = fitted(known, experiment, method, plan) if method.estimator == "ols" else None
        failure = ""
    except NOT_ALLOWED as error:
        known, model, failure = frame, None, f"{type(error).__name__}: {error}"
    for contrast in plan.contrasts_of(experiment.id):

        def estimate(contrast: CellContrast = contrast) -> Estimates:
            if failure:
                raise InvalidInput(failure)
            ran_before(fitting.names)
            return {"": _estimate(known, contrast, method, model, plan)}

        (row,) = rows_of(
            plan.result_id(experiment.id, contrast.id, method.id),
            estimate,
            estimator=method.estimator,
            contrast=contrast.label,
            about=_about(contrast, method, plan),
            made_by=lambda: None,
            refused_by=contrast_rows,
            note=lambda: method.note,
        )
        rows.append(row)
        if contrast.planned and row.status == "not_estimated":
            analysis = f"{experiment.id}/{contrast.id}/{method.id}"
            conduct += conduct_of(plan.study, analysis, {"fitted": NOT_ESTIMATED})
        elif contrast.planned:
            conduct += _conduct(contrast, method, experiment, plan)
    return rows, conduct


def _estimate(
    known: pd.DataFrame,
    contrast: CellContrast,
    method: ExperimentMethod,
    model: tuple[LinearFit, RobustCovariance] | None,
    plan: ExperimentPlan,
) -> Estimate:
    if model is None:
        found = PAIRWISE[method.estimator](known, contrast, plan)
        used = known.loc[known["cell"].isin([*contrast.plus, *contrast.minus])]
        return dataclasses.replace(found, n=len(used) if method.estimator in OF_TWO_CELLS else len(known))
    fit, covariance = model
    return linear_contrast(fit, covariance, weights=weights(contrast, plan), df=method.df, conf_level=plan.conf_level)


def _about(contrast: CellContrast, method: ExperimentMethod, plan: ExperimentPlan) -> dict[str, Any]:
    population = "Participants of both experiments"
    if method.name_set is not None:
        population = f"Participants with combination {method.name_set} of names and applications"
    clauses = (
        dict.fromkeys([*method.clauses, *contrast.clauses]) if contrast.planned else dict.fromkeys(contrast.clauses)
    )
    return {
        "population": population,
        "analysis": plan.kind(contrast, method),
        "clause": " ".join(clauses),
    }


def _conduct(
    contrast: CellContrast, method: ExperimentMethod, experiment: Experiment, plan: ExperimentPlan
) -> list[Conduct]:
    facts = {
        "estimator": method.estimator,
        "covariance": method.covariance,
        "df": method.df,
        "terms": " + ".join([*dummies(plan, experiment), *method.terms]),
        "clusters": experiment.cluster if method.covariance.startswith("CR") else "",
    }
    return list(conduct_of(plan.study, f"{experiment.id}/{contrast.id}/{method.id}", facts))


def with_holm(rows: list[ResultRow], plan: ExperimentPlan, experiment: Experiment) -> list[ResultRow]:
    """The same rows with Holm's adjustment over the contrasts that the research questions ask for."""
    planned = {contrast.id for contrast in plan.contrasts_of(experiment.id) if contrast.planned}
    places = [place for place, row in enumerate(rows) if row.estimand in planned and row.status == "estimated"]
    if not places:
        return rows
    values = sourced(lambda: holm([rows[place].p_value for place in places]))
    found = list(rows)
    for place, p in zip(places, values.value, strict=True):
        found[place] = adjusted(rows[place], Sourced(value=float(p), made_by=values.made_by))
    return found


@states_source
def mean_rows(frame: pd.DataFrame, experiment: Experiment, plan: ExperimentPlan) -> list[ResultRow]:
    """The mean of every cell, by the planned model, with its interval; and, for scores, its standard deviation."""
    method = plan.main_method(experiment.id)
    try:
        known = analysed(frame, method)
        with recorded() as fitting:
            fit, covariance = fitted(known, experiment, method, plan)
        for cell in plan.cells_of(experiment.id):  # where all decided alike the model has no variance
            linear_contrast(fit, covariance, weights=dict.fromkeys(cell.dummies, 1.0), df=method.df)
    except NOT_ALLOWED as error:  # nobody decided, or all alike
        return _no_means(experiment, method, plan, error)
    rows = []
    for cell in plan.cells_of(experiment.id):
        part = known.loc[known["cell"] == cell.id]
        with recorded() as ran:
            ran_before(fitting.names)
            found = linear_contrast(
                fit, covariance, weights=dict.fromkeys(cell.dummies, 1.0), df=method.df, conf_level=plan.conf_level
            )
        people = part["participant"].nunique()
        found = dataclasses.replace(found, n=len(part), n_clusters=people if experiment.cluster else None)
        about: dict[str, Any] = {
            "population": cell.label,
            "contrast": "none",
            "analysis": "planned",
            "clause": " ".join(experiment.clauses),
        }
        row = found.row(
            result_id=plan.result_id(experiment.id, f"mean_{cell.id}", method.id), source=ran.source, **about
        )
        rows.append(
            dataclasses.replace(row, statistic=math.nan, p_value=math.nan)
        )  # nobody asks whether a mean is zero
        if not experiment.cluster:
            spread = float(part["outcome"].std(ddof=1))
            rows.append(
                ResultRow(
                    result_id=plan.result_id(experiment.id, f"sd_{cell.id}", "raw"),
                    study=plan.study,
                    outcome=experiment.id,
                    estimand=f"sd_{cell.id}",
                    method="standard deviation, n - 1",
                    estimate=spread,
                    n=len(part),
                    status="descriptive",
                    source=name_of(mean_rows),
                    **about,
                )
            )
    return rows


def _no_means(
    experiment: Experiment, method: ExperimentMethod, plan: ExperimentPlan, error: Exception
) -> list[ResultRow]:
    """The rows of `mean_rows` with the reason why there is no model."""
    ids = {}
    for cell in plan.cells_of(experiment.id):
        ids[plan.result_id(experiment.id, f"mean_{cell.id}", method.id)] = cell.label
        if not experiment.cluster:
            ids[plan.result_id(experiment.id, f"sd_{cell.id}", "raw")] = cell.label
    return [
        not_estimated(
            result_id=key,
            reason=f"{type(error).__name__}: {error}",
            population=label,
            contrast="none",
            method=method.estimator,
            analysis="planned",
            clause=" ".join(experiment.clauses),
            source=name_of(mean_rows),
        )
        for key, label in ids.items()
    ]
