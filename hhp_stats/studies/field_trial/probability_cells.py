"""Logistic models of a field trial: the change of a probability, with both arms' adjusted probabilities and the odds
ratio.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hhp_stats.estimate.firth import firth_average_change, firth_log_odds, firth_logit
from hhp_stats.estimate.logistic import (
    average_change,
    clustered_logit_covariance,
    log_odds,
    logit,
    model_covariance,
)
from hhp_stats.plan.individual import IndividualPlan, StudyAnalysis
from hhp_stats.regression.model_matrix import ModelMatrix, model_matrix
from hhp_stats.results import Estimate
from hhp_stats.studies.beside import changed

Estimated = tuple[Mapping[str, Estimate], Mapping[str, str]]


def logistic(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """The logit: change of the probability averaged over those analysed, both arms, and the odds ratio.

    Separation raises and becomes the row's reason; Firth's analysis then has the answer.
    """
    fit = logit(outcome=frame["outcome"].to_numpy(dtype=np.float64), matrix=_matrix(analysis, frame, plan))
    if analysis.covariance == "CR1":
        covariance = clustered_logit_covariance(fit, clusters=frame[plan.design.cluster])
    else:
        covariance = model_covariance(fit)
    found = average_change(fit, covariance, conf_level=plan.conf_level)
    odds = log_odds(fit, covariance, conf_level=plan.conf_level)
    return changed(found, odds), _facts(analysis)


def penalised(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> Estimated:
    """The same by Firth's penalised likelihood, with profile intervals (and a design effect where clusters were
    drawn).
    """
    fit = firth_logit(outcome=frame["outcome"].to_numpy(dtype=np.float64), matrix=_matrix(analysis, frame, plan))
    clusters = frame[plan.design.cluster] if plan.design.cluster else None
    found = firth_average_change(fit, clusters=clusters, conf_level=plan.conf_level)
    odds = firth_log_odds(fit, clusters=clusters, conf_level=plan.conf_level)
    return changed(found, odds), _facts(analysis)


def _matrix(analysis: StudyAnalysis, frame: pd.DataFrame, plan: IndividualPlan) -> ModelMatrix:
    return model_matrix(frame, [plan.terms[name].term for name in analysis.terms])


def _facts(analysis: StudyAnalysis) -> dict[str, str]:
    return {
        "estimator": analysis.estimator,
        "covariance": analysis.covariance,
        "df": analysis.df,
        "population": analysis.population,
        "terms": " + ".join(analysis.terms),
    }
