"""Logistic models: the change of a probability, with both arms' adjusted probabilities and the odds ratio."""

from __future__ import annotations

from collections.abc import Callable

from hhp_stats.estimate.firth import firth_average_change, firth_change_at_means, firth_log_odds, firth_logit
from hhp_stats.estimate.logistic import (
    ProbabilityChange,
    average_change,
    change_at_means,
    clustered_logit_covariance,
    exponentiated,
    log_odds,
    logit,
    model_covariance,
)
from hhp_stats.results.frame import Estimate
from hhp_stats.studies.estimators.analysis_data import AnalysisData
from hhp_stats.studies.estimators.beside import RATIO, TREATED, UNTREATED, changed
from hhp_stats.studies.estimators.linear import pooled

AT_MEANS = "at_means"


def logistic(data: AnalysisData) -> dict[str, Estimate]:
    """The logit, pooled over completed data sets: change of the probability, both arms, and odds ratio.

    Averaged over those analysed unless the plan asks for the change at the means. Separation raises and becomes the
    row's reason; Firth's analysis then has the answer.
    """
    at_means = data.analysis.summary == AT_MEANS
    summarise: Callable[..., ProbabilityChange] = change_at_means if at_means else average_change
    found, odds = [], []
    for model in data.sets():
        fit = logit(outcome=model.outcome, matrix=model.matrix)
        clusters = data.of(model.people) if data.analysis.covariance == "CR1" else None
        covariance = model_covariance(fit) if clusters is None else clustered_logit_covariance(fit, clusters=clusters)
        found.append(summarise(fit, covariance, conf_level=data.conf_level))
        odds.append(log_odds(fit, covariance, conf_level=data.conf_level))
    return {
        "": pooled([change.change for change in found]),
        RATIO: exponentiated(pooled(odds)),  # pooled as logarithms
        UNTREATED: pooled([change.untreated for change in found]),
        TREATED: pooled([change.treated for change in found]),
    }


def penalised(data: AnalysisData) -> dict[str, Estimate]:
    """The same by Firth's penalised likelihood: profile intervals and likelihood ratio tests, with a design effect
    where clusters were drawn.

    Of one data set: profiles are not pooled by Rubin's rules, which suppose a parabola.
    """
    model = data.sets().only(data.analysis.id)
    fit = firth_logit(outcome=model.outcome, matrix=model.matrix)
    summarise = firth_change_at_means if data.analysis.summary == AT_MEANS else firth_average_change
    clusters = data.of(model.people)
    found = summarise(fit, clusters=clusters, conf_level=data.conf_level)
    return changed(found, firth_log_odds(fit, clusters=clusters, conf_level=data.conf_level))
