"""How small an effect could the trial have found? Closed formulas (protocol P23-P29).

Normal quantiles throughout, as in Stata's `clustersampsi`, which the protocol names. Effects of means
are in the units of `std_dev`; with `std_dev=1` they are standardised effects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import optimize, stats

from hhp_stats.calls.typed import check_fields, typed
from hhp_stats.errors import EstimationError, InvalidInput, UnknownName

Direction = Literal["increase", "decrease"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """The error rates that a detectable effect is for: two-sided `alpha`, and `power`."""

    alpha: float = 0.05
    power: float = 0.8

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.alpha < 1 or not 0 < self.power < 1:
            raise InvalidInput("alpha and power must lie between 0 and 1")

    @property
    def reach(self) -> float:
        """z(1 - alpha/2) + z(power): how many standard errors a detectable effect is."""
        return float(stats.norm.isf(self.alpha / 2) + stats.norm.ppf(self.power))

    @property
    def steepness(self) -> float:
        """By how much power rises where it is reached, for an effect larger by its own size: reach phi(z(power))."""
        return float(self.reach * stats.norm.pdf(stats.norm.ppf(self.power)))


CONVENTIONAL = ErrorRates()  # 5% two-sided, 80%: the protocol's (P24, P25)


FEWEST_CLUSTERS = 2  # an arm: with one, nothing tells the variance between clusters from the effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustering:
    """Teams of a trial with two equal arms.

    `mean_size` m people a team on average, `clusters_per_arm` k (need not be whole: 1665 people in
    teams of 7 are 118.93 an arm), `icc` rho, `size_cv` standard deviation of team sizes over their
    mean. `lost_clusters` is what each arm gives up before counting: 1 in `clustersampsi`, which counts
    (k - 1) m people an arm; 0 in the programme's own figures, which multiply the formula for
    individuals by the design effect.
    """

    mean_size: float
    clusters_per_arm: float
    icc: float
    size_cv: float = 0.0
    lost_clusters: Literal[0, 1] = 1

    def __post_init__(self) -> None:
        check_fields(self)
        if not (0 < self.mean_size < math.inf and 0 <= self.icc <= 1 and 0 <= self.size_cv < math.inf):
            raise InvalidInput(
                "team size must be positive, the intra-cluster correlation in 0..1, the variation not negative"
            )
        if not FEWEST_CLUSTERS <= self.clusters_per_arm < math.inf:
            raise InvalidInput(
                f"{self.clusters_per_arm:g} clusters an arm leave none to estimate a variance from: a trial needs"
                f" {FEWEST_CLUSTERS} or more"
            )

    @classmethod
    def of_total(
        cls, *, people: float, mean_size: float, icc: float, size_cv: float = 0.0, lost_clusters: Literal[0, 1] = 1
    ) -> Clustering:
        """The same from the number of people in both arms together."""
        return cls(
            mean_size=mean_size,
            clusters_per_arm=people / (2 * mean_size),
            icc=icc,
            size_cv=size_cv,
            lost_clusters=lost_clusters,
        )

    @property
    def variance_inflation(self) -> float:
        """VIF = 1 + ((cv^2 + 1) m - 1) rho: variance of a mean over that of as many independent people."""
        return 1 + ((self.size_cv**2 + 1) * self.mean_size - 1) * self.icc

    @property
    def effective_per_arm(self) -> float:
        """People an arm that would tell as much if they were independent: (k - lost) m / VIF."""
        return (self.clusters_per_arm - self.lost_clusters) * self.mean_size / self.variance_inflation


@typed
def cluster_detectable_effect(
    *,
    clustering: Clustering,
    rates: ErrorRates = CONVENTIONAL,
    std_dev: float = 1.0,
    baseline_correlation: float = 0.0,
) -> float:
    """What is the smallest difference in means that a cluster trial finds with the given power?

    Estimator: (z(1-alpha/2) + z(power)) sd sqrt(2 VIF (1 - r^2) / ((k - 1) m)), r the correlation of
    people's baseline and endline.
    Assumptions: equal arms and variances, many clusters (normal, not t, quantiles), r the same within
    and between teams.
    Refuses a correlation outside -1..1 or a standard deviation that is not positive (InvalidInput).
    Source: Hemming and Marsh (2013), Stata Journal 13, 114-135 (`clustersampsi`); Eldridge, Ashby and
    Kerry (2006), International Journal of Epidemiology 35, 1292-1300, for unequal team sizes.
    """
    return rates.reach * _std_error(clustering.effective_per_arm, std_dev, baseline_correlation)


@typed
def individual_detectable_effect(
    *,
    people: float,
    rates: ErrorRates = CONVENTIONAL,
    std_dev: float = 1.0,
    baseline_correlation: float = 0.0,
) -> float:
    """What is the smallest difference in means that a trial of `people` individuals finds?

    Estimator: (z(1-alpha/2) + z(power)) 2 sd sqrt((1 - r^2) / N), equal arms of N/2: the formula for
    teams of one person without lost clusters (Hemming and Marsh 2013, Stata Journal 13, 114-135).
    Refuses fewer than two people (InvalidInput), and as `cluster_detectable_effect`.
    """
    if not 2 <= people < math.inf:
        raise InvalidInput(f"a comparison needs at least two people, and a number of them; not {people}")
    return rates.reach * _std_error(people / 2, std_dev, baseline_correlation)


def _std_error(per_arm: float, std_dev: float, baseline_correlation: float) -> float:
    if not 0 < per_arm < math.inf:
        raise InvalidInput(f"the effective number of people an arm must be positive, not {per_arm}")
    if not 0 < std_dev < math.inf:
        raise InvalidInput("the standard deviation must be positive")
    if not -1 < baseline_correlation < 1:
        raise InvalidInput("the baseline correlation must lie between -1 and 1")
    return std_dev * math.sqrt(2 * (1 - baseline_correlation**2) / per_arm)


@typed
def detectable_proportion(
    *,
    control: float,
    direction: Direction,
    effective_per_arm: float,
    rates: ErrorRates = CONVENTIONAL,
    baseline_correlation: float = 0.0,
    variance: Literal["each", "control"] = "each",
) -> float:
    """Which proportion in the treated arm would be told from `control` in the given direction?

    Estimator: the p2 that solves (p2 - p1)^2 = (z + z)^2 (1 - r^2) (p1 q1 + p2 q2) / n, n the
    effective people an arm (`Clustering.effective_per_arm`, or N/2 without clusters);
    `variance="control"` puts 2 p1 q1 in place of the sum, a cruder form with the same answer in both
    directions. The two directions differ: a rise from a rare outcome is harder to see than a fall.

    Refuses proportions outside 0..1 (InvalidInput), and a trial too small to see even the largest
    possible change (EstimationError).
    Source: Hemming and Marsh (2013), Stata Journal 13, 114-135.
    """
    if not 0 < control < 1 or not 0 < effective_per_arm < math.inf:
        raise InvalidInput("the control proportion must lie between 0 and 1, and people be positive")
    if variance not in ("each", "control"):
        raise UnknownName(f"no variance {variance!r}; there are each, control")
    if direction not in ("increase", "decrease"):
        raise UnknownName(f"no direction {direction!r}; there are increase, decrease")
    if not -1 < baseline_correlation < 1:
        raise InvalidInput("the baseline correlation must lie between -1 and 1")
    scale = rates.reach**2 * (1 - baseline_correlation**2) / effective_per_arm
    limit = 1.0 if direction == "increase" else 0.0

    def excess(p2: float) -> float:
        other = p2 * (1 - p2) if variance == "each" else control * (1 - control)
        return (p2 - control) ** 2 - scale * (control * (1 - control) + other)

    if excess(limit) < 0:
        raise EstimationError(f"even a change from {control:g} to {limit:g} could not be told from chance")
    found: float = optimize.brentq(excess, control, limit, xtol=1e-14, rtol=1e-14)
    return found


@typed
def power_of(
    *,
    effect: float,
    effective_per_arm: float,
    alpha: float = 0.05,
    std_dev: float = 1.0,
    baseline_correlation: float = 0.0,
) -> float:
    """With what chance does the trial find `effect`, a difference in means?

    Estimator: Phi(|effect| / se - z(1 - alpha/2)), the inverse of the detectable effect; the chance of
    a significant result in the wrong direction is left out, as in `clustersampsi`.
    Refuses an effect that is not finite, alpha outside 0..1, no people (InvalidInput).
    """
    if not math.isfinite(effect) or not 0 < alpha < 1:
        raise InvalidInput(f"power needs a finite effect and alpha between 0 and 1, not {effect} and {alpha}")
    std_error = _std_error(effective_per_arm, std_dev, baseline_correlation)
    return float(stats.norm.cdf(abs(effect) / std_error - stats.norm.isf(alpha / 2)))


@typed
def clusters_needed(
    *,
    effect: float,
    mean_size: float,
    icc: float,
    size_cv: float = 0.0,
    rates: ErrorRates = CONVENTIONAL,
    std_dev: float = 1.0,
    baseline_correlation: float = 0.0,
    lost_clusters: Literal[0, 1] = 1,
) -> int:
    """How many teams an arm does it take to find `effect`?

    Estimator: the formula of `cluster_detectable_effect` solved for k, rounded up; two at least, since one cluster an
    arm tells no variance between clusters, however large the effect.
    Refuses an effect of zero or none (InvalidInput).
    """
    if effect == 0 or not math.isfinite(effect):
        raise InvalidInput(f"no number of teams is right for an effect of {effect}")
    one = Clustering(
        mean_size=mean_size, clusters_per_arm=FEWEST_CLUSTERS, icc=icc, size_cv=size_cv, lost_clusters=lost_clusters
    )
    per_arm = 2 * (rates.reach * _std_error(2.0, std_dev, baseline_correlation) / abs(effect)) ** 2
    exact = per_arm * one.variance_inflation / mean_size + lost_clusters
    # A whole number of teams that is reached up to rounding is not raised by one.
    return max(FEWEST_CLUSTERS, math.ceil(exact - 1e-9))


@typed
def people_needed(
    *,
    effect: float,
    rates: ErrorRates = CONVENTIONAL,
    std_dev: float = 1.0,
    baseline_correlation: float = 0.0,
) -> float:
    """How many individuals in both arms together does it take to find `effect`? Not rounded.

    Refuses an effect of zero or none (InvalidInput).
    """
    if effect == 0 or not math.isfinite(effect):
        raise InvalidInput(f"no number of people is right for an effect of {effect}")
    return 4 * (rates.reach * _std_error(2.0, std_dev, baseline_correlation) / abs(effect)) ** 2
