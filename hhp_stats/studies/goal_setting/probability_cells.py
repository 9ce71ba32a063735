"""Logistic models of leaving: the change of a probability, with both arms' adjusted probabilities."""

from __future__ import annotations

from collections.abc import Callable

from hhp_stats.estimate.firth import (
    firth_average_change,
    firth_change_at_means,
    firth_log_odds,
    firth_logit,
)
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
from hhp_stats.studies.beside import RATIO, TREATED, UNTREATED, changed
from hhp_stats.studies.goal_setting.analysed import Material, models, only_model
from hhp_stats.studies.goal_setting.linear_cells import pooled


def logistic(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """The logit, pooled over imputations: change of the probability, both arms, and odds ratio.

    Separation raises and becomes the row's reason; the plan's Firth analysis then has the answer.
    """
    summarise: Callable[..., ProbabilityChange] = change_at_means if analysis.summary == "at_means" else average_change
    found, odds = [], []
    for model in models(analysis, outcome, material):
        fit = logit(outcome=model.outcome, matrix=model.matrix)
        covariance = clustered_logit_covariance(fit, clusters=model.people["team_id"])
        found.append(summarise(fit, covariance, conf_level=material.plan.conf_level))
        odds.append(log_odds(fit, covariance, conf_level=material.plan.conf_level))
    return {
        "": pooled([change.change for change in found]),
        RATIO: exponentiated(pooled(odds)),  # pooled as logarithms
        UNTREATED: pooled([change.untreated for change in found]),
        TREATED: pooled([change.treated for change in found]),
    }


def penalised(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> dict[str, Estimate]:
    """The same by Firth's penalised likelihood: profile intervals and likelihood ratio tests with a design effect.

    Of one data set: profiles are not pooled by Rubin's rules, which suppose a parabola.
    """
    model = only_model(analysis, outcome, material)
    fit = firth_logit(outcome=model.outcome, matrix=model.matrix)
    summarise = firth_change_at_means if analysis.summary == "at_means" else firth_average_change
    teams, level = model.people["team_id"], material.plan.conf_level
    found = summarise(fit, clusters=teams, conf_level=level)
    return changed(found, firth_log_odds(fit, clusters=teams, conf_level=level))
