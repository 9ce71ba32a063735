"""Least squares of one planned analysis: the arm's coefficient, or its interaction with a moderator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd

from hhp_stats.errors import UnknownName
from hhp_stats.plan.individual import IndividualPlan, StudyAnalysis
from hhp_stats.regression.cluster_robust import (
    DegreesOfFreedom,
    coefficient,
)
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.results import Estimate
from hhp_stats.studies.least_squares import covariance_of


def ordinary(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> tuple[Estimate, Mapping[str, str]]:
    """Least squares of the outcome on the arm and the planned terms: the arm's coefficient or its interaction, and what
    was done.
    """
    found, covariance = fitted(analysis, frame, plan)
    return found, {
        "estimator": "ols",
        "covariance": covariance,
        "df": analysis.df,
        "population": analysis.population,
        "terms": " + ".join(analysis.terms),
    }


def fitted(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> tuple[Estimate, str]:
    """The estimate and the kind of its covariance, from complete columns of `frame`."""
    terms = [plan.terms[name].term for name in analysis.terms]
    matrix, wanted = model_matrix(frame, terms), "treatment"
    if analysis.moderator:
        matrix, wanted = _with_interaction(frame, terms, plan.terms[analysis.moderator].term)
    fit = ols(outcome=frame["outcome"].to_numpy(dtype=np.float64), matrix=matrix)
    clusters = frame[plan.design.cluster] if plan.design.cluster else None
    covariance = covariance_of(fit, analysis.covariance, clusters=clusters)
    found = coefficient(
        fit, covariance, term=wanted, df=cast(DegreesOfFreedom, analysis.df), conf_level=plan.conf_level
    )
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
