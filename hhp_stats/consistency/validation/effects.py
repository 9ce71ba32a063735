"""Compliers, standardised effects, intraclass correlations, balance, and the benefit-cost ratio."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pandas as pd

from hhp_stats.consistency.validation import data
from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.design.balance import joint_f_test, omnibus_balance
from hhp_stats.design.balance_table import balance_table
from hhp_stats.estimate.complier import ComplierEffect, complier_effect
from hhp_stats.estimate.cost_benefit import Costs, benefit_cost_ratio, net_turnover_cost, programme_days
from hhp_stats.estimate.effect_size import StandardisedEffect, hedges_g_from_summary, noncentral_interval
from hhp_stats.estimate.icc import IntraclusterCorrelation, icc_anova, icc_reml
from hhp_stats.estimate.ratio import RatioEstimate, acceptability_curve, fieller
from hhp_stats.results.frame import Estimate

EXAMPLE_5_3 = "Wooldridge (2010), example 5.3"
EXAMPLE_15_4 = "Wooldridge, introductory, example 15.4"
AER = "R 4.2.2, AER 1.2-10, sandwich 3.0-2"
CRITICAL = "Montiel Olea and Pflueger (2013)"
BORENSTEIN = "Borenstein et al. (2009), ch. 4"
SHROUT = "Shrout and Fleiss (1979)"
LME4 = "R 4.2.2, lme4 1.1-31"
BASE_R = "R 4.2.2"
LMTEST = "R 4.2.2, lmtest 0.9-40"
BY_HAND = "arithmetic"

CONTROLS = "exper expersq black smsa south smsa66 reg662 reg663 reg664 reg665 reg666 reg667 reg668 reg669"

# ------------------------------------------------------------------- compliers


@cache
def _women() -> ComplierEffect:
    frame = data.married_women()
    frame = frame[frame["inlf"] == 1].reset_index(drop=True)
    return complier_effect(
        outcome=frame["lwage"].to_numpy(),
        takeup=frame["educ"].to_numpy(dtype=np.float64),
        matrix=data.matrix_of(frame, "motheduc fatheduc huseduc exper expersq"),
        clusters=np.arange(len(frame)),
        instruments=("motheduc", "fatheduc", "huseduc"),
    )


@cache
def _men(controls: str = CONTROLS) -> ComplierEffect:
    frame = data.young_men()
    return complier_effect(
        outcome=frame["lwage"].to_numpy(),
        takeup=frame["educ"].to_numpy(dtype=np.float64),
        matrix=data.matrix_of(frame, f"nearc4 {controls}"),
        clusters=np.arange(len(frame)),
        instruments=("nearc4",),
    )


def _first_stage() -> float:
    first = _men().first_stage
    return math.nan if first is None else first.estimate


def _wald_identity() -> float:
    """Effect on the outcome over effect on take-up, less the two-stage estimate, without covariates."""
    found = _men("")
    if found.intention_to_treat is None or found.first_stage is None:
        return math.nan
    return found.intention_to_treat.estimate / found.first_stage.estimate - found.effect.estimate


def _compliers(
    quantity: str, printed: str, source: str, compute: Callable[[], float], *, exact: bool = False
) -> ValidationCase:
    return ValidationCase(
        method="compliers", quantity=quantity, printed=printed, source=source, compute=compute, exact=exact
    )


COMPLIERS = (
    _compliers(
        "Mroz, wage by schooling, three instruments: effect", "0.080", EXAMPLE_5_3, lambda: _women().effect.estimate
    ),
    _compliers(
        "Card, wage by schooling, a college nearby: effect", "0.132", EXAMPLE_15_4, lambda: _men().effect.estimate
    ),
    _compliers("Card, first stage: effect of a college nearby", "0.320", EXAMPLE_15_4, _first_stage),
    _compliers("Card, robust SE of schooling", "0.05414362", AER, lambda: _men().effect.std_error),
    _compliers("Card, robust F of the first stage", "14.13867", AER, lambda: _men().first_stage_f),
    _compliers("Card, Anderson-Rubin interval: lower end", "0.0281302", AER, lambda: _men().anderson_rubin.hull[0]),
    _compliers("Card, Anderson-Rubin interval: upper end", "0.2812480", AER, lambda: _men().anderson_rubin.hull[1]),
    _compliers(
        "Critical value of the effective F, one instrument", "23.1", CRITICAL, lambda: _men().effective_f_critical
    ),
    _compliers(
        "Card without covariates: ratio of two effects less two-stage estimate",
        "0",
        "identity",
        _wald_identity,
        exact=True,
    ),
)

# ------------------------------------------------------------------- effect size, intraclass correlation, balance


@cache
def _borenstein() -> StandardisedEffect:
    return hedges_g_from_summary(
        mean_treatment=103, mean_control=100, sd_treatment=5.5, sd_control=4.5, n_treatment=50, n_control=50
    )


def _noncentral(side: int) -> float:
    return noncentral_interval(_borenstein(), n_treatment=50, n_control=50)[side]


@cache
def _judges() -> IntraclusterCorrelation:
    ratings = data.judges().to_numpy()
    return icc_anova(outcome=ratings.ravel(), clusters=np.repeat(np.arange(len(ratings)), ratings.shape[1]))


def _grunfeld_icc() -> float:
    frame = data.grunfeld()
    return icc_reml(outcome=frame["invest"].to_numpy(dtype=np.float64), clusters=frame["firm"]).estimate


def _students() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    frame = data.spector()
    return frame[["GPA", "TUCE"]], frame["PSI"].to_numpy(dtype=np.float64), np.arange(len(frame))


def _omnibus() -> float:
    covariates, arm, clusters = _students()
    return omnibus_balance(covariates=covariates, treatment=arm, clusters=clusters).statistic


def _joint() -> float:
    covariates, arm, clusters = _students()
    return joint_f_test(covariates=covariates, treatment=arm, clusters=clusters).statistic


def _share_difference() -> float:
    """Standardised difference of 3 in 10 against 5 in 10."""
    frame = pd.DataFrame(
        {"treatment": [1] * 10 + [0] * 10, "woman": ["yes"] * 3 + ["no"] * 7 + ["yes"] * 5 + ["no"] * 5}
    )
    table = balance_table(frame, categorical=["woman"])
    return float(table.loc[table["level"] == "yes", "std_difference"].iloc[0])


def _size(quantity: str, printed: str, source: str, compute: Callable[[], float]) -> ValidationCase:
    return ValidationCase(method="effect-size", quantity=quantity, printed=printed, source=source, compute=compute)


EFFECT_SIZE = (
    _size("Means 103 and 100, SDs 5.5 and 4.5, 50 each: d", "0.5970", BORENSTEIN, lambda: _borenstein().d),
    _size("Means 103 and 100: J", "0.9923", BORENSTEIN, lambda: _borenstein().small_sample_factor),
    _size("Means 103 and 100: g", "0.5924", BORENSTEIN, lambda: _borenstein().g.estimate),
    _size("Means 103 and 100: variance of g", "0.0411", BORENSTEIN, lambda: _borenstein().g.std_error ** 2),
    _size("Means 103 and 100: noncentral t interval of d, lower end", "0.194782", BASE_R, partial(_noncentral, 0)),
    _size("Means 103 and 100: noncentral t interval of d, upper end", "0.996346", BASE_R, partial(_noncentral, 1)),
    _size("Six targets, four judges: intraclass correlation", "0.17", SHROUT, lambda: _judges().estimate),
    _size("Six targets, four judges: mean square within", "6.26", SHROUT, lambda: _judges().within_variance),
    _size(
        "Six targets, four judges: mean square between",
        "11.24",
        SHROUT,
        lambda: _judges().within_variance + 4 * _judges().between_variance,
    ),
    _size("Grunfeld, investment by firm: REML intraclass correlation", "0.767257", LME4, _grunfeld_icc),
    _size(
        "Shares 3 of 10 and 5 of 10: standardised difference", "-0.417029", "arithmetic: −0.2/√0.23", _share_difference
    ),
    _size("Spector, GPA and TUCE by PSI: omnibus d-squared", "0.39487470", BASE_R, _omnibus),
    _size("Spector, GPA and TUCE by PSI: joint F, robust", "0.19057564", LMTEST, _joint),
)

# ------------------------------------------------------------------- benefit-cost ratio


def _fieller(numerator: float, denominator: float, variances: tuple[float, float]) -> RatioEstimate:
    return fieller(
        numerator=numerator,
        denominator=denominator,
        numerator_variance=variances[0],
        denominator_variance=variances[1],
    )


def _unbounded() -> float:
    return 0.0 if _fieller(10, 1.5, (4, 1)).set.bounded else 1.0


@cache
def _ratio() -> Estimate:
    """A day costs 150 pounds, the programme half a day, a leaver 6,000; one day and one leaver in a hundred fewer."""
    costs = Costs(salary=36_000, working_days=240, programme_days=0.5, turnover_cost=6_000, scenario="example")
    absence = Estimate(
        estimate=-1.0, std_error=0.5, df=math.inf, n=100, n_clusters=10, method="example", conf_low=-2.0, conf_high=0.0
    )
    turnover = Estimate(
        estimate=-0.01,
        std_error=0.01,
        df=math.inf,
        n=100,
        n_clusters=10,
        method="example",
        conf_low=-0.03,
        conf_high=0.01,
    )
    return benefit_cost_ratio(absence=absence, turnover=turnover, costs=costs)


def _leaver() -> float:
    return net_turnover_cost(
        replacement_cost=pd.Series([5_000.0, 9_000.0]),
        absence_after_leaving=pd.Series([2.0, 4.0]),
        daily_rate=150.0,
        clusters=pd.Series(["a", "b"]),
    ).estimate


def _acceptable() -> float:
    curve = acceptability_curve(benefits=np.array([1.0, 2.0, 3.0, 4.0]), costs=1.0, thresholds=[2.0])
    return float(curve["probability"].iloc[0])


def _cost(
    quantity: str, printed: str, compute: Callable[[], float], *, source: str = BY_HAND, exact: bool = True
) -> ValidationCase:
    return ValidationCase(
        method="cost-benefit", quantity=quantity, printed=printed, source=source, compute=compute, exact=exact
    )


FIELLER = "R 4.2.2, roots of the test itself"

COST_BENEFIT = (
    _cost(
        "Ratio 10/5, variances 4 and 1: lower end",
        "1.104423",
        lambda: _fieller(10, 5, (4, 1)).set.hull[0],
        source=FIELLER,
        exact=False,
    ),
    _cost(
        "Ratio 10/5, variances 4 and 1: upper end",
        "3.621801",
        lambda: _fieller(10, 5, (4, 1)).set.hull[1],
        source=FIELLER,
        exact=False,
    ),
    ValidationCase(
        method="cost-benefit",
        quantity="Ratio 10/1.5, variances 4 and 1: the set is unbounded",
        printed="1",
        source="1.5 is within 1.96 SE of zero",
        compute=_unbounded,
        truth=True,
    ),
    _cost(
        "Thirty minutes a week for six weeks, days",
        "0.41",
        lambda: programme_days(minutes_a_week=30, weeks=6),
        source="arithmetic: 3/7.4",
        exact=False,
    ),
    _cost(
        "Sixty minutes a week for six weeks, days",
        "0.81",
        lambda: programme_days(minutes_a_week=60, weeks=6),
        source="arithmetic: 6/7.4",
        exact=False,
    ),
    _cost("Worked example: ratio", "2.8", lambda: _ratio().estimate, source="arithmetic: (150 + 60)/75"),
    _cost(
        "Worked example: lower end, end-points substituted",
        "-0.8",
        lambda: _ratio().conf_low,
        source="arithmetic: (0 − 60)/75",
    ),
    _cost(
        "Worked example: upper end, end-points substituted",
        "6.4",
        lambda: _ratio().conf_high,
        source="arithmetic: (300 + 180)/75",
    ),
    _cost("Net cost of a leaver, two leavers", "6550", _leaver, source="arithmetic: (4,700 + 8,400)/2"),
    _cost("Chance of paying twofold, draws 1 to 4", "5/8", _acceptable, source="arithmetic: (2 + 1/2)/4"),
)

CASES = (*COMPLIERS, *EFFECT_SIZE, *COST_BENEFIT)
