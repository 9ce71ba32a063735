"""Days lost to sickness: a baseline year and 24 weeks of follow-up, day by day, with spells.

Days of a person are negative binomial quantiles of a latent normal that shares a team part and a
stable personal part between the two periods. The latent shares are set so that the counts (not the
normals) have the stated correlation and intra-cluster correlation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from hhp_stats.estimate.icc import icc_anova
from hhp_stats.synthetic.assumptions import AbsenceAssumptions
from hhp_stats.synthetic.calibration import Array, Flags, counts, latent_correlation

Days = npt.NDArray[np.int64]
DaysGiven = Callable[[float, float], tuple[Days, Days]]  # baseline and follow-up days for latent shares t and p

WORKING_DAYS_YEAR = 260
SPELLS_MOST = 7  # further spells in 24 weeks; keeps every pattern placeable within the working days


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Potential absence, before the programme, leaving, or gaps in the records."""

    baseline_days: Days  # over a full year
    follow_up_days: Days  # over the whole follow-up, without the programme
    stable: Array  # latent personal part, standard normal
    team_share: float  # of the latent variance left by the covariates
    person_share: float
    wellbeing_correlation: float  # of the latent scale with stable wellbeing


def draw_absence(
    *,
    people: pd.DataFrame,
    team: Days,
    wellbeing: Array,
    assumptions: AbsenceAssumptions,
    working_days: int,
    rng: np.random.Generator,
    exact: bool,
) -> Absence:
    """How many days would each person miss in the baseline year and in the follow-up?

    z = shift + sqrt(1 - v) (sqrt(t) team + sqrt(p) person + sqrt(1 - t - p) period), v the variance of
    the covariates' shift; days = negative binomial quantile of z. `wellbeing` is the stable part of
    wellbeing (standard normal, one a person). With `exact` the quantiles are taken at ranks and t, p
    solved for the realised correlation and ICC of this sample; otherwise for those of the population.
    """
    a, n = assumptions, len(people)
    longest = working_days - SPELLS_MOST - 1
    first = (a.mean_days_12_months, a.sd_days_12_months, WORKING_DAYS_YEAR - 60)
    second = (a.mean_days_24_weeks, a.sd_days_24_weeks, longest)
    shift = _shift(people, a, rng)
    v = float(shift.var())
    teams = rng.standard_normal(int(team.max()) + 1)[team]
    r = a.wellbeing_correlation
    stable = r * wellbeing + np.sqrt(1 - r**2) * rng.standard_normal(n)
    own = rng.standard_normal((2, n))

    def days(t: float, p: float) -> tuple[Days, Days]:
        rest = np.sqrt(max(1 - t - p, 0.0))
        shared = np.sqrt(t) * teams + np.sqrt(p) * stable
        uniform = [_uniform(shift + np.sqrt(1 - v) * (shared + rest * noise), exact) for noise in own]
        return tuple(  # type: ignore[return-value]
            counts(u, mean=mean, sd=sd, longest=most)
            for u, (mean, sd, most) in zip(uniform, (first, second), strict=True)
        )

    both = latent_correlation(target=a.correlation, one=first, other=second)
    within = latent_correlation(target=a.icc, one=second, other=second)
    t = max((within - a.authority_sd**2) / (1 - v), 0.0)
    p = max((both - v) / (1 - v) - t, 0.0)
    if exact:
        t, p = _solved(days, team, start=(t, p), icc=a.icc, correlation=a.correlation)
    baseline, follow_up = days(t, p)
    return Absence(
        baseline_days=baseline,
        follow_up_days=follow_up,
        stable=stable,
        team_share=t,
        person_share=p,
        wellbeing_correlation=float(np.sqrt((1 - v) * p)) * r,
    )


def _shift(people: pd.DataFrame, a: AbsenceAssumptions, rng: np.random.Generator) -> Array:
    """What role, gender, hours and authority add to the latent scale, centred."""
    authority = pd.factorize(people["local_authority"].to_numpy(), sort=True)[0]
    role = people["role"].to_numpy()
    shift = (
        rng.standard_normal(int(authority.max()) + 1)[authority] * a.authority_sd
        + a.shift_female * (people["gender"].to_numpy() == "female")
        + a.shift_part_time * people["part_time"].to_numpy()
        + a.shift_student * (role == "student social worker")
        + a.shift_manager * (role == "team manager")
    )
    return np.asarray(shift - shift.mean(), dtype=np.float64)


def _uniform(z: Array, exact: bool) -> Array:
    if not exact:
        return np.asarray(special.ndtr(z), dtype=np.float64)
    rank = np.empty(len(z))
    rank[np.argsort(z, kind="stable")] = np.arange(len(z))
    return (rank + 0.5) / len(z)


def _solved(
    days: DaysGiven, team: Days, *, start: tuple[float, float], icc: float, correlation: float
) -> tuple[float, float]:
    """Latent shares that give this sample the stated ICC and correlation, each in turn by bisection."""
    t, p = start

    def icc_gap(value: float) -> float:
        return icc_anova(outcome=days(value, p)[1].astype(np.float64), clusters=team).estimate - icc

    def correlation_gap(value: float) -> float:
        one, other = days(t, value)
        return float(np.corrcoef(one, other)[0, 1]) - correlation

    for _ in range(4):  # each solution moves the other figure a little; four rounds settle both
        t = _bisected(icc_gap, 0.0, 0.6)
        p = _bisected(correlation_gap, 0.0, 0.999 - t)
    return t, p


def _bisected(gap: Callable[[float], float], low: float, high: float) -> float:
    """A root, or the end that comes closest: a sample may not reach the figure."""
    at_low, at_high = gap(low), gap(high)
    if at_low * at_high > 0:
        return low if abs(at_low) < abs(at_high) else high
    return float(optimize.bisect(gap, low, high, xtol=1e-4))


def thinned(days: Days, *, chance: Array, rng: np.random.Generator) -> Days:
    """Each day kept with its person's chance: fewer days, and the mean falls by exactly that share."""
    return rng.binomial(days, chance).astype(np.int64)


def draw_spells(days: Days, *, split: float, most: int, rng: np.random.Generator) -> Days:
    """How many spells make up these days? One, and a further one with chance `split` for each further day."""
    further = rng.binomial(np.minimum(np.maximum(days - 1, 0), most), split)
    return np.where(days > 0, 1 + further, 0).astype(np.int64)


def day_pattern(days: Days, *, working_days: int, split: float, rng: np.random.Generator) -> Flags:
    """On which working days was each person absent? (people, working_days), spells at least a day apart.

    The days are cut into spells at random places and the spells laid out at random in the period, so
    any stretch of it holds its share of the days on average.
    """
    n = len(days)
    spells = draw_spells(days, split=split, most=SPELLS_MOST, rng=rng)
    owner = np.repeat(np.arange(n), days)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(days) - days, days)
    # The first day opens a spell; so do the spells - 1 other days with the smallest random keys.
    key = np.where(place == 0, -1.0, rng.random(len(owner)))
    order = np.lexsort((key, owner))
    opens = np.zeros(len(owner), dtype=bool)
    opens[order] = place < spells[owner]
    spell = np.cumsum(opens) - 1
    spell_owner = owner[opens]
    free = working_days - days - np.maximum(spells - 1, 0)
    gap = rng.integers(0, free[spell_owner] + 1)
    gap = gap[np.lexsort((gap, spell_owner))]
    number = spell - (np.cumsum(spells) - spells)[owner]
    pattern = np.zeros((n, working_days), dtype=bool)
    pattern[owner, place + number + gap[spell]] = True
    return pattern


def in_window(pattern: Flags, *, start: Days, stop: Days) -> tuple[Days, Days]:
    """Days and spells of each person from working day `start` up to but not including `stop`."""
    day = np.arange(pattern.shape[1])
    seen = pattern & (day >= start[:, None]) & (day < stop[:, None])
    opened = seen.copy()
    opened[:, 1:] &= ~seen[:, :-1]
    return seen.sum(axis=1), opened.sum(axis=1)


def half_days(days: Array, spells: Array, half: Flags) -> Array:
    """Half a day less for those whose absence began at noon; never below one day a spell."""
    return np.where(half & (days > spells), days - 0.5, days)
