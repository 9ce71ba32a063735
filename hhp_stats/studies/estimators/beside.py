"""What stands beside an effect in every study: the ends of bounds, the probabilities of both arms, the odds ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hhp_stats.estimate.bounds import Bounds
from hhp_stats.estimate.logistic import ProbabilityChange, exponentiated
from hhp_stats.plan.schema import PlannedAnalysis
from hhp_stats.results.frame import Estimate

LOWER, UPPER, RHO = "lower_bound", "upper_bound", "rho"  # estimands
RATIO, UNTREATED, TREATED = "ratio", "predicted_control", "predicted_treatment"
# What an estimator gives beside the effect: it goes with the effect where that is refused. {own} is the estimand of the
# effect.
BESIDE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("logit", "firth"), (RATIO, UNTREATED, TREATED)),
    **dict.fromkeys(("lee-bounds", "worst-case-bounds"), (LOWER, UPPER)),
    "heckman": (RHO,),
    "iv": ("uptake", "{own}/iv-anderson-rubin"),
}
ONE_FIT = (RHO,)  # not pooled over completed data sets


def beside_effect(analysis: PlannedAnalysis, *, several: bool = False) -> tuple[str, ...]:
    """The estimands that stand beside the effect of a planned analysis, of one data set or `several`."""
    names = (name.format(own=analysis.estimand) for name in BESIDE.get(analysis.estimator, ()))
    return tuple(name for name in names if not (several and name in ONE_FIT))


MIDDLE_NOTE = "The estimate is the middle of the bounds, not a best guess; the interval covers the effect."


def bounded(found: Bounds, *, note: str = MIDDLE_NOTE, n_clusters: int | None = None) -> dict[str, Estimate]:
    """The effect carries the middle of the bounds and the interval for the effect itself; its ends stand beside it."""
    low, high = found.lower, found.upper
    middle = Estimate(
        estimate=(low.estimate + high.estimate) / 2,
        std_error=math.nan,
        df=low.df,
        n=low.n,
        n_clusters=n_clusters,
        method=found.method,
        conf_level=found.conf_level,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        note=note,
    )
    return {"": middle, LOWER: low, UPPER: high}


def changed(found: ProbabilityChange, odds: Estimate) -> dict[str, Estimate]:
    """The change of a probability, and beside it the odds ratio (`odds` are logarithms) and both arms."""
    return {"": found.change, RATIO: exponentiated(odds), UNTREATED: found.untreated, TREATED: found.treated}
