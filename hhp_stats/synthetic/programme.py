"""Who starts the course, how far they get, and what it does to their absence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from hhp_stats.errors import InvalidInput
from hhp_stats.synthetic.absence import Days, thinned
from hhp_stats.synthetic.assumptions import AbsenceAssumptions, ProgrammeAssumptions
from hhp_stats.synthetic.calibration import Array, Flags, mean_given, threshold, top_share

MODULES = 6
ENROL_WITHIN_DAYS = 42  # six weeks: the reminder goes out after three
LAST_WORKING_DAY = 119  # of 24 weeks, counted from 0


def draw_starters(
    *,
    treatment: npt.NDArray[np.int64],
    team: Days,
    wellbeing: Array,
    assumptions: ProgrammeAssumptions,
    contaminated: int,
    rng: np.random.Generator,
    exact: bool,
) -> Flags:
    """Who starts the course?

    Log odds: a team part (the manager) and wellbeing. With `exact` the stated share of the treated
    starts, to the person; otherwise in expectation. `contaminated` control staff start without having
    been offered the course.
    """
    a, n = assumptions, len(treatment)
    log_odds = (
        a.uptake_team_sd * rng.standard_normal(int(team.max()) + 1)[team] + a.uptake_wellbeing_log_odds * wellbeing
    )
    noise = rng.logistic(size=n)
    treated = treatment == 1
    starts = np.zeros(n, dtype=bool)
    if exact:
        starts[treated] = top_share(log_odds=log_odds[treated], noise=noise[treated], share=a.uptake)
    else:
        starts = threshold(log_odds=log_odds, noise=noise, share=a.uptake, exact=False) & treated
    if contaminated:
        control = np.flatnonzero(~treated)
        keenest = np.argsort(-(log_odds + noise)[control], kind="stable")[:contaminated]
        starts[control[keenest]] = True
    return starts


def starters_absence(
    *, absence: AbsenceAssumptions, programme: ProgrammeAssumptions, correlation: float, longest: int
) -> float:
    """How many days would those who start miss without the course, on average over the population?

    Starting depends on wellbeing and team (see `draw_starters`), absence on wellbeing with the latent
    `correlation`; both are integrated out by quadrature.
    """
    z = np.linspace(-6, 6, 241)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    node, node_weight = np.polynomial.hermite_e.hermegauss(24)
    log_odds = programme.uptake_wellbeing_log_odds * z[:, None] + programme.uptake_team_sd * node
    joint = weight[:, None] * (node_weight / node_weight.sum())

    def gap(intercept: float) -> float:
        return float((joint * special.expit(log_odds + intercept)).sum()) - programme.uptake

    if programme.uptake >= 1:
        return absence.mean_days_24_weeks
    starts = (joint * special.expit(log_odds + optimize.brentq(gap, -30, 30))).sum(axis=1)
    days = mean_given(
        z, correlation=correlation, mean=absence.mean_days_24_weeks, sd=absence.sd_days_24_weeks, longest=longest
    )
    return float((starts * days).sum() / starts.sum())


def absence_with_programme(
    *,
    days: Days,
    starts: Flags,
    effect: float,
    uptake: float,
    starters_days: float,
    longest: int,
    rng: np.random.Generator,
) -> Days:
    """How many days does each person miss, given that some started the course?

    A starter's days are thinned with one chance for all, so that the mean over everyone offered the
    course falls by `effect` (days); `uptake` is the share of them that starts, `starters_days` what
    these would miss otherwise, on average. A harmful effect adds Poisson days instead. Refuses an
    effect larger than all the absence of those who start (InvalidInput).
    """
    if effect == 0:
        return days
    if effect > 0:
        more: Days = np.minimum(days + starts * rng.poisson(effect / uptake, len(days)), longest)
        return more
    available = uptake * starters_days
    if -effect > available:
        raise InvalidInput(
            f"an effect of {effect} days cannot pass through the starters, who miss {available:.2f} days "
            "for each person offered the course; plan a smaller effect or a larger uptake"
        )
    return thinned(days, chance=np.where(starts, 1 + effect / available, 1.0), rng=rng)


def draw_course_log(
    *,
    starts: Flags,
    completers: int,
    leave_day: Array,
    launch: pd.Series,
    assumptions: ProgrammeAssumptions,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """When did starters enrol, how many of six modules did they finish, and when were they last active?

    One row a starter, on the index of `launch`: enrolled_on, modules_completed, last_activity_on.
    `leave_day` is the first working day out of post (NaN for stayers): nobody is active after leaving.
    Exactly `completers` finish; they are drawn among starters who stay.
    """
    rows = np.flatnonzero(starts)
    stays = np.isnan(leave_day[rows])
    last = np.where(stays, LAST_WORKING_DAY, leave_day[rows] - 1).astype(np.int64)  # last working day in post
    calendar = last // 5 * 7 + last % 5  # launches are Mondays
    enrol = np.minimum(rng.integers(0, ENROL_WITHIN_DAYS, len(rows)), calendar).astype(np.int64)
    stops = rng.geometric(assumptions.module_stop, len(rows)) - 1
    modules = np.minimum(stops, MODULES - 1)
    modules[rng.permutation(np.flatnonzero(stays))[:completers]] = MODULES
    active = enrol + modules * 7 + rng.integers(0, 7, len(rows))
    active = np.maximum(np.minimum(active, calendar), enrol)
    began = launch.iloc[rows]
    return pd.DataFrame(
        {
            "enrolled_on": began + pd.to_timedelta(enrol, unit="D"),
            "modules_completed": modules.astype(np.int64),
            "last_activity_on": began + pd.to_timedelta(active, unit="D"),
        },
        index=began.index,
    )
