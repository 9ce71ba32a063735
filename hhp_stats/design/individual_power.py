"""What does a trial of individuals find, by Student's t instead of normal quantiles?"""

from __future__ import annotations

import math

from scipy import optimize, stats

from hhp_stats.calls.typed import typed
from hhp_stats.design.detectable_effect import CONVENTIONAL, ErrorRates
from hhp_stats.errors import EstimationError, InvalidInput
from hhp_stats.tails import noncentral_t_tail


@typed
def individual_power(
    *, effect: float, n_treatment: float, n_control: float, alpha: float = 0.05, std_dev: float = 1.0
) -> float:
    """With what chance does a two-sample t test find `effect`, a difference in means?

    Estimator: P(|T| > t(1 - alpha/2, n1 + n0 - 2)), T noncentral t with n1 + n0 - 2 degrees of freedom and
    noncentrality
    |effect| / (sd sqrt(1/n1 + 1/n0)); both tails count, as in R's `power.t.test(strict = TRUE)`. The normal formula
    (`detectable_effect.power_of`) takes the standard deviation as known and is too high in small trials.

    Assumes normal outcomes of equal variance. Refuses fewer than two people in an arm, alpha outside 0..1, an infinite
    effect, a standard deviation that is not positive (InvalidInput).
    Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., ch. 2.
    """
    if not (2 <= n_treatment < math.inf and 2 <= n_control < math.inf):
        raise InvalidInput(f"each arm needs two people, and a number of them; not {n_treatment} and {n_control}")
    if not (math.isfinite(effect) and 0 < alpha < 1 and 0 < std_dev < math.inf):
        raise InvalidInput(
            f"power needs a finite effect, alpha in 0..1 and a positive sd, not {effect}, {alpha}, {std_dev}"
        )
    shift = abs(effect) / (std_dev * math.sqrt(1 / n_treatment + 1 / n_control))
    return _power(shift, n_treatment + n_control - 2, alpha)


def _power(shift: float, df: float, alpha: float) -> float:
    critical = float(stats.t.isf(alpha / 2, df))
    return min(1.0, noncentral_t_tail(critical, df, shift) + noncentral_t_tail(critical, df, -shift))


def needed_shift(df: float, *, rates: ErrorRates) -> float:
    """At which noncentrality, the effect over its standard error, has a two-sided t test on `df` the power asked for?

    Refuses a power no higher than alpha, which no effect at all has already (EstimationError), and no degrees of
    freedom (InvalidInput).
    """
    if rates.power <= rates.alpha:
        raise EstimationError(f"a power of {rates.power:g} at a level of {rates.alpha:g} needs no effect")
    if not df > 0:
        raise InvalidInput(f"degrees of freedom must be positive, not {df}")

    def excess(shift: float) -> float:
        return _power(shift, df, rates.alpha) - rates.power

    high = 1.0
    while excess(high) < 0:
        high *= 2
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-13, rtol=1e-12))


@typed
def individual_detectable_effect_t(
    *, n_treatment: float, n_control: float, rates: ErrorRates = CONVENTIONAL, std_dev: float = 1.0
) -> float:
    """Which difference in means does a two-sample t test find with the power asked for?

    Estimator: the effect at which `individual_power` is `rates.power`. Assumptions and refusals: as there; a power no
    higher than alpha (EstimationError).
    """
    individual_power(effect=0.0, n_treatment=n_treatment, n_control=n_control, alpha=rates.alpha, std_dev=std_dev)
    shift = needed_shift(n_treatment + n_control - 2, rates=rates)
    return shift * std_dev * math.sqrt(1 / n_treatment + 1 / n_control)
