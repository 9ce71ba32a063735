"""Ratios: Fieller's set, the chance of being worth a given price, and comparison of ratios between interventions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput
from hhp_stats.estimate.confidence_set import ConfidenceSet, TwoEstimates, ratio_set
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.model_matrix import Array, as_numbers
from hhp_stats.results.frame import checked_level


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioEstimate:
    """A ratio of two estimates with the set of ratios that the data do not reject."""

    estimate: float
    set: ConfidenceSet
    denominator_significant: bool  # is the set bounded?


@typed
def fieller(
    *,
    numerator: float,
    denominator: float,
    numerator_variance: float,
    denominator_variance: float,
    covariance: float = 0.0,
    df: float = math.inf,
    conf_level: float = 0.95,
    critical: float | None = None,
) -> RatioEstimate:
    """Which ratios of two estimates are compatible with the data?

    All r with (numerator - r denominator)^2 <= c^2 (v_n - 2 r cov + r^2 v_d), c the t quantile with
    `df` degrees of freedom (or `critical` itself). An interval where the denominator differs significantly from
    zero; everything outside an interval, or the whole line, where it does not, and that is
    then the result. With a denominator known exactly (variance 0) it is the usual
    interval divided by it. The set always holds the estimate.

    Assumes both estimates normal with the given variances. Refuses a negative variance, a
    covariance that no correlation can have, and a denominator of exactly zero (InvalidInput).
    Source: Fieller (1954), Journal of the Royal Statistical Society B 16, 175-185.
    """
    parts = (numerator, denominator, numerator_variance, denominator_variance, covariance)
    if not all(math.isfinite(value) for value in parts):
        raise InvalidInput("estimates, variances and covariance must be finite")
    if min(numerator_variance, denominator_variance) < 0:
        raise InvalidInput("a variance cannot be negative")
    sides = TwoEstimates(
        numerator=numerator,
        denominator=denominator,
        numerator_variance=numerator_variance,
        denominator_variance=denominator_variance,
        covariance=covariance,
    )
    own, _ = sides.without_units()
    if own.covariance**2 > own.numerator_variance * own.denominator_variance * (1 + 1e-9):
        raise InvalidInput("the covariance is larger than the variances allow")
    if denominator == 0:
        raise InvalidInput("the ratio has a denominator of zero")
    if critical is None:
        if not df > 0:
            raise InvalidInput(f"degrees of freedom must be positive, not {df}")
        critical = float(stats.t.ppf(0.5 + checked_level(conf_level) / 2, df))
    if not 0 < critical < math.inf:
        raise InvalidInput(f"the critical value must be positive, not {critical}")
    return RatioEstimate(
        estimate=numerator / denominator,
        set=ratio_set(
            sides, critical=critical, conf_level=conf_level, method=f"Fieller, critical value {critical:.4g}"
        ),
        denominator_significant=own.denominator**2 > critical**2 * own.denominator_variance,
    )


@typed
def acceptability_curve(*, benefits: Array, costs: Array | float, thresholds: Sequence[float]) -> pd.DataFrame:
    """How likely is it that the benefit exceeds `threshold` times the cost, for a range of thresholds?

    Share of joint draws with benefit - threshold * cost > 0; ties count one half. For a benefit-cost ratio the
    threshold 1 is breaking even; for an effect in its own units and a cost in pounds pass
    `benefits` = cost saved and read thresholds as prices the other way round, effect * price - cost, by giving
    `benefits` = -cost and `costs` = -effect.

    benefits, costs (draws,) from the same draws, so that their dependence counts. Columns threshold,
    probability. Read as a confidence level of the bootstrap, not as a posterior probability. Refuses draws of
    unequal number, none, or not finite (InvalidInput). Source: van Hout, Al, Gordon and Rutten (1994), Health
    Economics 3, 309-319.
    """
    same_people(benefits=benefits, costs=costs)
    b, given = as_numbers(benefits, name="benefits"), as_numbers(costs, name="costs")
    c = np.broadcast_to(given, b.shape) if given.ndim == 0 else given
    if b.ndim != 1 or len(b) == 0 or b.shape != c.shape or not (np.isfinite(b).all() and np.isfinite(c).all()):
        raise InvalidInput("benefits and costs need the same number of finite draws, at least one")
    net = b[None, :] - as_numbers(thresholds, name="thresholds")[:, None] * c[None, :]
    share = (net > 0).mean(axis=1) + 0.5 * (net == 0).mean(axis=1)
    return pd.DataFrame({"threshold": list(thresholds), "probability": share})
