"""Logistic models of leaving: the change of a probability, with both arms' adjusted probabilities."""

from __future__ import annotations

from collections.abc import Callable

from hhp_stats.estimate.firth import firth_logit
from hhp_stats.estimate.logistic import (
    ProbabilityChange,
    average_change,
    change_at_means,
    clustered_logit_covariance,
    exponentiated,
    log_odds,
    logit,
)
from hhp_stats.plan.schema import Outcome, PlannedAnalysis
from hhp_stats.results import Estimate
from hhp_stats.studies.goal_setting.analysed import Material, models
from hhp_stats.studies.goal_setting.linear_cells import pooled


def logistic(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """Logit, or Firth's penalised logit, pooled over imputations: change of the probability, both arms, and odds ratio.

    Separation raises and becomes the row's reason; the plan's Firth analysis then has the answer.
    """
    fit_model = firth_logit if analysis.estimator == "firth" else logit
    summarise: Callable[..., ProbabilityChange] = change_at_means if analysis.summary == "at_means" else average_change
    found, odds = [], []
    for model in models(analysis, outcome, material):
        fit = fit_model(outcome=model.outcome, matrix=model.matrix)
        covariance = clustered_logit_covariance(fit, clusters=model.people["team_id"])
        found.append(summarise(fit, covariance, conf_level=material.plan.conf_level))
        odds.append(log_odds(fit, covariance, conf_level=material.plan.conf_level))
    return {
        "": pooled([change.change for change in found]),
        "ratio": exponentiated(pooled(odds)),  # pooled as logarithms
        "predicted_control": pooled([change.untreated for change in found]),
        "predicted_treatment": pooled([change.treated for change in found]),
    }
