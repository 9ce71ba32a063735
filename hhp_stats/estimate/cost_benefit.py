"""Is the intervention worth its time? The benefit-cost ratio of the protocol and its intervals. (Clauses P85-P91.)"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput
from hhp_stats.estimate.cluster_bootstrap import BootstrapDraws
from hhp_stats.estimate.ratio import RatioEstimate, fieller
from hhp_stats.regression.clusters import cluster_codes
from hhp_stats.regression.inputs import numbers, same_people
from hhp_stats.regression.model_matrix import Array
from hhp_stats.regression.spread import is_dust
from hhp_stats.results.frame import Estimate, checked_level


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a day, a leaver and the programme cost one member of staff. Inputs, but for the cost of a leaver.

    That is a mean over the leavers for whom it is known; `turnover_cost_std_error` says how sure it is (0: taken as
    known).
    """

    salary: float  # pounds a year (P88)
    working_days: float  # a year; the salary divided by it is the daily rate (C75)
    programme_days: float  # working days of staff time the programme is meant to take (C52)
    turnover_cost: float  # pounds a leaver, net of what they would have cost had they stayed (P89)
    scenario: str  # in words, for example "30 minutes a week for six weeks"
    turnover_cost_std_error: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.salary, self.working_days, self.programme_days)
        if not all(math.isfinite(value) and value > 0 for value in numbers):
            raise InvalidInput(f"salary, working days and programme days must be positive, not {numbers}")
        if not math.isfinite(self.turnover_cost):
            raise InvalidInput("the cost of a leaver must be a number")
        if not (math.isfinite(self.turnover_cost_std_error) and self.turnover_cost_std_error >= 0):
            raise InvalidInput("the standard error of the cost of a leaver must be a number, zero or more")

    @property
    def daily_rate(self) -> float:
        """Pounds a working day."""
        return self.salary / self.working_days

    @property
    def programme_cost(self) -> float:
        """Pounds of staff time a person."""
        return self.programme_days * self.daily_rate

    def benefit(self, *, absence_reduction: float, turnover_reduction: float) -> float:
        """Pounds saved a person: days of absence at the daily rate, and leavers at their cost."""
        return absence_reduction * self.daily_rate + turnover_reduction * self.turnover_cost

    def ratio(self, *, absence_reduction: float, turnover_reduction: float) -> float:
        """Benefit over programme cost (clause P85)."""
        return (
            self.benefit(absence_reduction=absence_reduction, turnover_reduction=turnover_reduction)
            / self.programme_cost
        )


def programme_days(*, minutes_a_week: float, weeks: float, hours_a_day: float = 7.4) -> float:
    """How many working days does the programme take? 30 to 60 minutes for six weeks are 0.41 to 0.81."""
    if not all(math.isfinite(value) and value > 0 for value in (minutes_a_week, weeks, hours_a_day)):
        raise InvalidInput("minutes, weeks and hours must be positive numbers")
    return minutes_a_week * weeks / 60 / hours_a_day


@typed
def net_turnover_costs(
    *, replacement_cost: pd.Series, absence_after_leaving: pd.Series, daily_rate: float
) -> pd.Series:
    """What does each leaver cost, once what they would have cost by staying is taken off? (Clause P89, C76.)

    Replacement cost (agency cover and recruitment, from the authority) less daily rate times the days of sickness that
    the pro-rata outcome gives them after leaving. Those days are in the absence term as if the leaver had stayed;
    taking them off here pays for leaving once.

    One value a leaver, in pounds and days. Refuses missing or negative values (InvalidInput): a mean over
    authorities that report would be another quantity.
    """
    if len(replacement_cost) == 0 or not replacement_cost.index.equals(absence_after_leaving.index):
        raise InvalidInput("one replacement cost and one number of days for each leaver are needed")
    cost, days = numbers(replacement_cost), numbers(absence_after_leaving)
    known = all(np.isfinite(values).all() and (values >= 0).all() for values in (cost, days))
    if not known or not 0 < daily_rate < math.inf:
        raise InvalidInput(
            "replacement costs, days after leaving and the daily rate must be known, finite and not negative"
        )
    return cost - days * daily_rate


@typed
def net_turnover_cost(
    *,
    replacement_cost: pd.Series,
    absence_after_leaving: pd.Series,
    daily_rate: float,
    clusters: pd.Series,
    conf_level: float = 0.95,
) -> Estimate:
    """What does one leaver cost on average, and how sure is that? The mean of `net_turnover_costs`.

    Standard error clustered by team, CR1: sqrt(G/(G - 1)) sqrt(sum over teams of (sum of deviations)^2) / n; t with G
    - 1. `clusters` holds the team of each leaver. Refuses what `net_turnover_costs` refuses, leavers of one team or of
    an unknown one, and clusters with another index (InvalidInput).
    """
    costs = net_turnover_costs(
        replacement_cost=replacement_cost, absence_after_leaving=absence_after_leaving, daily_rate=daily_rate
    )
    same_people(replacement_cost=costs, the_clusters=clusters)
    codes, teams = cluster_codes(clusters)
    if len(codes) != len(costs):
        raise InvalidInput(f"{len(codes)} cluster names for {len(costs)} leavers")
    mean = float(costs.mean())
    if teams < 2:
        raise InvalidInput("the leavers with a known cost are of one team: how far teams differ is unknown")
    sums = np.bincount(codes, weights=costs - mean)
    error = math.sqrt(teams / (teams - 1) * float(sums @ sums)) / len(costs)
    error = 0.0 if is_dust(error, of=costs) else error  # all cost the same
    return Estimate(
        estimate=mean,
        std_error=error,
        df=teams - 1.0,
        n=len(costs),
        n_clusters=teams,
        conf_level=conf_level,
        method="mean, CR1 by team, t(G-1)",
    )


@typed
def benefit_cost_ratio(*, absence: Estimate, turnover: Estimate, costs: Costs) -> Estimate:
    """How many pounds come back for each pound of staff time, with the protocol's interval? (Clauses P85, P87.)

    `absence` (days) and `turnover` (probability) are effects of the programme, negative when it helps; their
    reductions enter the ratio. The interval puts both upper, then both lower, ends of the two intervals into
    the formula, as printed. It takes for granted that both effects are at the same end at once, so it covers
    more than its level unless they move together exactly (C75): report it beside `bootstrap_ratio`. The cost of a
    leaver is taken as known here, as printed.

    Refuses effects at different levels of confidence and unbounded intervals (InvalidInput).
    """
    if absence.conf_level != turnover.conf_level:
        raise InvalidInput("both effects must have the same level of confidence")
    ends = (absence.conf_low, absence.conf_high, turnover.conf_low, turnover.conf_high)
    if not all(math.isfinite(end) for end in ends):
        raise InvalidInput("both effects need bounded intervals")
    # A negative cost of leaving would turn the ends round: sort each part by itself.
    days = sorted((-absence.conf_high * costs.daily_rate, -absence.conf_low * costs.daily_rate))
    leavers = sorted((-turnover.conf_high * costs.turnover_cost, -turnover.conf_low * costs.turnover_cost))
    return Estimate(
        estimate=costs.ratio(absence_reduction=-absence.estimate, turnover_reduction=-turnover.estimate),
        std_error=math.nan,
        df=math.inf,
        n=max(absence.n, turnover.n),
        n_clusters=absence.n_clusters,
        method="benefit-cost ratio, interval end-points substituted",
        conf_level=absence.conf_level,
        conf_low=(days[0] + leavers[0]) / costs.programme_cost,
        conf_high=(days[1] + leavers[1]) / costs.programme_cost,
        note=f"{costs.scenario}; {costs.programme_days:.3g} days a person.",
    )


@typed
def bootstrap_ratio(
    bootstrap: BootstrapDraws,
    *,
    costs: Costs,
    absence: str = "absence",
    turnover: str = "turnover",
    leaver: str = "leaver",
    conf_level: float = 0.95,
) -> tuple[Estimate, Array]:
    """The same ratio with an interval from teams resampled for both outcomes at once, and its draws.

    `bootstrap` holds joint draws of both effects (see `cluster_bootstrap`) and, where the column `leaver` is among
    them, of the cost of a leaver; otherwise that cost is taken as known. Percentile interval; p-value of a ratio of
    zero: twice the smaller share of draws on either side, at least 2/(1 + draws).
    """
    a, t = (bootstrap.draws[name].to_numpy(dtype=np.float64) for name in (absence, turnover))
    each = bootstrap.draws[leaver].to_numpy(dtype=np.float64) if leaver in bootstrap.draws else costs.turnover_cost
    ratios = (-a * costs.daily_rate - t * each) / costs.programme_cost
    tail = (1 - checked_level(conf_level)) / 2
    low, high = (float(q) for q in np.quantile(ratios, [tail, 1 - tail]))
    point = costs.ratio(
        absence_reduction=-bootstrap.estimates[absence], turnover_reduction=-bootstrap.estimates[turnover]
    )
    side = min(int((ratios <= 0).sum()), int((ratios >= 0).sum()))
    estimate = Estimate(
        estimate=point,
        std_error=float(ratios.std(ddof=1)),
        df=math.inf,
        n=bootstrap.n,
        n_clusters=bootstrap.n_clusters,
        method=f"benefit-cost ratio, joint bootstrap of teams, {len(ratios)} draws, percentile interval",
        conf_level=conf_level,
        p_value=(p := min(1.0, 2 * (1 + side) / (1 + len(ratios)))),
        mc_error_p=2 * math.sqrt(p / 2 * (1 - p / 2) / len(ratios)),  # twice a binomial share
        conf_low=low,
        conf_high=high,
        note=f"{costs.scenario}; {costs.programme_days:.3g} days a person."
        + (f" {bootstrap.failed} draws without an estimate." if bootstrap.failed else ""),
    )
    return estimate, ratios


@typed
def fieller_ratio(
    *,
    absence: Estimate,
    turnover: Estimate,
    correlation: float,
    costs: Costs,
    programme_days_std_error: float = 0.0,
    conf_level: float = 0.95,
) -> RatioEstimate:
    """The same ratio by Fieller: joint normal effects, and programme time that may itself be an estimate.

    Benefit has variance daily^2 Va + cost^2 Vt + 2 daily cost r sqrt(Va Vt) + (turnover^2 + Vt) Vc, r the
    `correlation` of the two effects (for example `BootstrapDraws.correlation`), Vc the variance of the cost of a
    leaver, taken as independent of both (Goodman 1960, Journal of the American Statistical Association 55, 708-713,
    for the product). With programme time as intended (std_error 0) the denominator is fixed and the set is the Wald
    interval of the benefit divided by it; with time measured imprecisely it may be unbounded. The smaller degrees of
    freedom of the two effects apply. Refuses a correlation outside [-1, 1] (InvalidInput).
    """
    if not -1 <= correlation <= 1:
        raise InvalidInput(f"a correlation of {correlation} does not exist")
    days = costs.daily_rate * absence.std_error
    leavers = costs.turnover_cost * turnover.std_error
    price = (turnover.estimate**2 + turnover.std_error**2) * costs.turnover_cost_std_error**2
    return fieller(
        numerator=costs.benefit(absence_reduction=-absence.estimate, turnover_reduction=-turnover.estimate),
        denominator=costs.programme_cost,
        numerator_variance=days**2 + leavers**2 + 2 * correlation * days * leavers + price,
        denominator_variance=(programme_days_std_error * costs.daily_rate) ** 2,
        df=min(absence.df, turnover.df),
        conf_level=conf_level,
    )
