"""Means of the cells and every contrast of them, by every method of the plan."""

from __future__ import annotations

import dataclasses
import math
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.calls.ran import name_of, ran_before, recorded
from hhp_stats.errors import NoObservations
from hhp_stats.infer.multiplicity import holm
from hhp_stats.plan.conditions import members as in_population
from hhp_stats.plan.conduct import NOT_ESTIMATED, Conduct
from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.plan.experiments import INTERCEPT, CellContrast, Experiment, ExperimentMethod, ExperimentPlan
from hhp_stats.regression.cluster_robust import (
    RobustCovariance,
    linear_contrast,
)
from hhp_stats.regression.linear import LinearFit, ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.regression.spread import spread
from hhp_stats.results.frame import NOT_ALLOWED, ResultRow, not_estimated
from hhp_stats.studies.estimators.analysis_data import AnalysisData, CompletedSets
from hhp_stats.studies.estimators.least_squares import covariance_of
from hhp_stats.studies.planned import conduct_of, run_planned
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


def matrix_of(
    frame: pd.DataFrame, experiment: Experiment, method: ExperimentMethod, plan: ExperimentPlan
) -> ModelMatrix:
    """The dummies of the cells and the method's covariates."""
    first, *others = dummies(plan, experiment)
    terms = [Term(column=name, kind="binary") for name in others] + [plan.terms[name].term for name in method.terms]
    return model_matrix(frame, terms, treatment=first)


def fitted(
    frame: pd.DataFrame, experiment: Experiment, method: ExperimentMethod, plan: ExperimentPlan
) -> tuple[LinearFit, RobustCovariance]:
    """The regression of the outcome on the dummies of the cells and the method's covariates, with its covariance."""
    fit = ols(outcome=frame["outcome"].to_numpy(dtype=np.float64), matrix=matrix_of(frame, experiment, method, plan))
    clusters = frame[experiment.cluster] if experiment.cluster else None
    return fit, covariance_of(fit, method.covariance, clusters=clusters)


def analysed(frame: pd.DataFrame, method: ExperimentMethod, plan: ExperimentPlan) -> pd.DataFrame:
    """The rows of a method: with an outcome, of its population."""
    known = frame.loc[frame["outcome"].notna() & in_population(frame, plan.populations[method.population].where)]
    if known.empty:
        raise NoObservations("no decision is left to analyse")
    return known


def contrast_rows(
    frame: pd.DataFrame, experiment: Experiment, method: ExperimentMethod, plan: ExperimentPlan
) -> tuple[list[ResultRow], list[Conduct]]:
    """Every contrast of an experiment by one method; what cannot be estimated keeps its row, with the reason."""
    rows: list[ResultRow] = []
    conduct: list[Conduct] = []
    for contrast in plan.contrasts_of(experiment.id):
        analysis = plan.analysis(contrast, method)
        (row,) = run_planned(
            plan,
            analysis,
            partial(_data, frame, experiment, contrast, method, plan),
            contrast=contrast.label,
            made_by=contrast_rows,
        )
        rows.append(row)
        if contrast.planned:
            made = row.status != "not_estimated"
            facts = _what_was_done(method, experiment, plan) if made else {"fitted": NOT_ESTIMATED}
            conduct += conduct_of(plan.study, analysis.id, facts)
    return rows, conduct


def _data(
    frame: pd.DataFrame, experiment: Experiment, contrast: CellContrast, method: ExperimentMethod, plan: ExperimentPlan
) -> AnalysisData:
    """The data of one contrast by one method: who is in its cells is `treatment`, one of the first and zero of the
    others.
    """
    known = analysed(frame, method, plan)
    side = known["cell"].map({**dict.fromkeys(contrast.plus, 1.0), **dict.fromkeys(contrast.minus, 0.0)})
    cells = pd.Categorical(known["cell"], [cell.id for cell in plan.cells_of(experiment.id)])
    people = known.assign(treatment=side.astype("float64"), cell=cells)

    def sets() -> CompletedSets:
        outcomes = people["outcome"].to_numpy(dtype=np.float64)[None]
        matrix = matrix_of(people, experiment, method, plan)
        return CompletedSets(matrix=matrix, outcomes=outcomes, people=people, effect=weights(contrast, plan))

    return AnalysisData(
        analysis=plan.analysis(contrast, method),
        people=people if ESTIMATORS[method.estimator].all_groups else people.loc[side.notna()],
        outcome="outcome",
        sets=sets,
        conf_level=plan.conf_level,
        entropy=(),
        seed=0,
        draws=0,
        cluster=experiment.cluster,
        groups="cell",
    )


def _what_was_done(method: ExperimentMethod, experiment: Experiment, plan: ExperimentPlan) -> dict[str, str]:
    return {
        "estimator": method.estimator,
        "covariance": method.covariance,
        "df": method.df,
        "terms": " + ".join([*dummies(plan, experiment), *method.terms]),
        "clusters": experiment.cluster if method.covariance.startswith("CR") else "",
    }


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
        known = analysed(frame, method, plan)
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
        row = found.row(result_id=plan.row_id(experiment.id, f"mean_{cell.id}", method.id), source=ran.source, **about)
        rows.append(
            dataclasses.replace(row, statistic=math.nan, p_value=math.nan)
        )  # nobody asks whether a mean is zero
        if not experiment.cluster:
            rows.append(
                ResultRow(
                    result_id=plan.row_id(experiment.id, f"sd_{cell.id}", "raw"),
                    study=plan.study,
                    outcome=experiment.id,
                    estimand=f"sd_{cell.id}",
                    method="standard deviation, n - 1",
                    estimate=spread(part["outcome"]),
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
        ids[plan.row_id(experiment.id, f"mean_{cell.id}", method.id)] = cell.label
        if not experiment.cluster:
            ids[plan.row_id(experiment.id, f"sd_{cell.id}", "raw")] = cell.label
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
