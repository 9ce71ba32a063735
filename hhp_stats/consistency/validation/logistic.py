"""Logit, changes of probability and Firth's penalty: Wooldridge, the spector data, R, and closed forms."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from hhp_stats.consistency.validation import data
from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.consistency.validation.linear import WOOLDRIDGE_15_1, WORK
from hhp_stats.errors import HhpError, Separation
from hhp_stats.estimate.design_effect import design_effect
from hhp_stats.estimate.firth import firth_log_odds, firth_logit
from hhp_stats.estimate.logistic import (
    LogitFit,
    average_change,
    change_at_means,
    clustered_logit_covariance,
    log_odds,
    logit,
    model_covariance,
)
from hhp_stats.regression.model_matrix import ModelMatrix
from hhp_stats.results.frame import Estimate

SPECTOR = "published results"
SANDWICH = "R 4.2.2, sandwich 3.0-2"
R_NUMERIC = "R 4.2.2, numDeriv 2016.8-1.1"
CELLS = "one half added to each cell"


@cache
def _work() -> LogitFit:
    frame = data.married_women()
    return logit(outcome=frame["inlf"].to_numpy(dtype=np.float64), matrix=data.matrix_of(frame, WORK))


@cache
def _spector() -> LogitFit:
    frame = data.spector()
    matrix = data.matrix_of(frame, "GPA TUCE PSI")
    return logit(outcome=frame["GRADE"].to_numpy(dtype=np.float64), matrix=matrix)


def _work_odds(term: str) -> Estimate:
    return log_odds(_work(), model_covariance(_work()), term=term)


def _work_clustered(term: str) -> float:
    covariance = clustered_logit_covariance(_work(), clusters=data.married_women()["team"])
    return log_odds(_work(), covariance, term=term).std_error


def _spector_slope(term: str) -> float:
    return float(_spector().coefficients[_spector().matrix.position(term)])


def _at_means() -> Estimate:
    return change_at_means(_spector(), model_covariance(_spector()), term="PSI").change


def _averaged() -> Estimate:
    return average_change(_spector(), model_covariance(_spector()), term="PSI").change


def _two_by_two(events: tuple[int, int], people: tuple[int, int]) -> tuple[np.ndarray, ModelMatrix]:
    """Outcomes and an arm dummy for (control, treated) numbers of events and people."""
    outcome = np.concatenate([np.repeat([1.0, 0.0], [e, n - e]) for e, n in zip(events, people, strict=True)])
    arm = np.repeat([0.0, 1.0], people)
    values = np.column_stack([np.ones(len(arm)), arm])
    return outcome, ModelMatrix(values=values, names=("intercept", "treatment"))


def _firth(events: tuple[int, int], people: tuple[int, int]) -> Estimate:
    outcome, matrix = _two_by_two(events, people)
    return firth_log_odds(firth_logit(outcome=outcome, matrix=matrix))


def _paired() -> float:
    """The design effect of four pairs, whose mean squares are 1/3 between and 1/4 within: correlation 1/7."""
    return design_effect(residuals=np.array([1.0, 1, 0, 0, 1, 0, 0, 1]), clusters=np.repeat(np.arange(4), 2)).factor


def _refused() -> float:
    """1 if maximum likelihood is refused where one arm has no event, as it must be."""
    outcome, matrix = _two_by_two((5, 0), (10, 10))
    try:
        logit(outcome=outcome, matrix=matrix)
    except Separation:
        return 1.0
    except HhpError:
        return 0.0
    return 0.0


def _logit(quantity: str, printed: str, source: str, compute: Callable[[], float]) -> ValidationCase:
    return ValidationCase(method="logit", quantity=quantity, printed=printed, source=source, compute=compute)


CASES = (
    _logit("Spector: intercept", "-13.02135", SPECTOR, partial(_spector_slope, "intercept")),
    _logit("Spector: GPA", "2.82611", SPECTOR, partial(_spector_slope, "GPA")),
    _logit("Spector: TUCE", "0.09516", SPECTOR, partial(_spector_slope, "TUCE")),
    _logit("Spector: PSI", "2.37869", SPECTOR, partial(_spector_slope, "PSI")),
    _logit("Spector, PSI 0 to 1, at the means: change", "0.456498", SPECTOR, lambda: _at_means().estimate),
    _logit("Spector, PSI 0 to 1, at the means: SE", "0.181054", SPECTOR, lambda: _at_means().std_error),
    _logit("Spector, PSI 0 to 1, averaged over people: change", "0.35751516", R_NUMERIC, lambda: _averaged().estimate),
    _logit("Spector, PSI 0 to 1, averaged over people: SE", "0.14200339", R_NUMERIC, lambda: _averaged().std_error),
    _logit("Mroz, paid work: years of schooling", "0.221", WOOLDRIDGE_15_1, lambda: _work_odds("educ").estimate),
    _logit("Mroz, paid work: SE of years of schooling", "0.043", WOOLDRIDGE_15_1, lambda: _work_odds("educ").std_error),
    _logit("Mroz, paid work: children under six", "-1.443", WOOLDRIDGE_15_1, lambda: _work_odds("kidslt6").estimate),
    _logit(
        "Mroz, paid work: SE of children under six", "0.204", WOOLDRIDGE_15_1, lambda: _work_odds("kidslt6").std_error
    ),
    _logit("Mroz, paid work: log likelihood", "-401.77", WOOLDRIDGE_15_1, lambda: _work().log_likelihood),
    _logit("Mroz, paid work, 40 clusters: SE of kidslt6", "0.19704317", SANDWICH, partial(_work_clustered, "kidslt6")),
    _logit("Mroz, paid work, 40 clusters: SE of educ", "0.04602563", SANDWICH, partial(_work_clustered, "educ")),
    ValidationCase(
        method="firth",
        quantity="Log odds ratio, 0 of 10 against 5 of 10",
        printed="-3.04452244",
        source=CELLS,
        compute=lambda: _firth((5, 0), (10, 10)).estimate,
    ),
    ValidationCase(
        method="firth",
        quantity="Log odds ratio, 3 of 20 against 7 of 25",
        printed="-0.70657020",
        source=CELLS,
        compute=lambda: _firth((7, 3), (25, 20)).estimate,
    ),
    ValidationCase(
        method="firth",
        quantity="Log odds ratio, 12 of 12 against 6 of 14",
        printed="3.48713981",
        source=CELLS,
        compute=lambda: _firth((6, 12), (14, 12)).estimate,
    ),
    ValidationCase(
        method="firth",
        quantity="Design effect of the pairs (1, 1), (0, 0), (1, 0), (0, 1)",
        printed="8/7",
        source="mean squares 1/3 and 1/4 by hand",
        compute=_paired,
    ),
    ValidationCase(
        method="firth",
        quantity="Maximum likelihood is refused for 0 of 10 against 5 of 10",
        printed="1",
        source="no finite maximum exists",
        compute=_refused,
        truth=True,
    ),
)
