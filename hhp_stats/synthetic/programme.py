"""Who starts the course, how far they get, and what it does to their absence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.errors import InvalidInput
from hhp_stats.synthetic.absence import Days, thinned
from hhp_stats.synthetic.assumptions import ProgrammeAssumptions
from hhp_stats.synthetic.calibration import Array, Flags, threshold, top_share

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
) -> tuple[Flags, Flags]:
    """Who starts the course, and who would if offered?

    Log odds: a team part (the manager) and wellbeing. With `exact` the stated share of the treated
    starts, to the person, and the second answer holds for the treated only; otherwise in expectation,
    for everybody. `contaminated` control staff start without having been offered the course.
    """
    a, n = assumptions, len(treatment)
    log_odds = a.uptake_team_sd * rng.standard_normal(int(team.max()) + 1)[team] + a.uptake_wellbeing_log_odds * wellbeing
    noise = rng.logistic(size=n)
    treated = treatment == 1
    if exact:
        would = np.zeros(n, dtype=bool)
        would[treated] = top_share(log_odds=log_odds[treated], noise=noise[treated], share=a.uptake)
    else:
        would = threshold(log_odds=log_odds, noise=noise, share=a.uptake, exact=False)
    starts = would & treated
    if contaminated:
        control = np.flatnonzero(~treated)
        keenest = np.argsort(-(log_odds + noise)[control], kind="stable")[:contaminated]
        starts[control[keenest]] = True
    return starts, would


def absence_with_programme(
    *,
    days: Days,
    starts: Flags,
    would_start: Flags,
    treatment: npt.NDArray[np.int64],
    effect: float,
    longest: int,
    rng: np.random.Generator,
    exact: bool,
) -> Days:
    """How many days does each person miss, given that some started the course?

    A starter's days are thinned with one chance for all, so that the mean over everyone offered the
    course falls by `effect` (days): over the treated of this sample with `exact`, else over all who
    could have been offered it. A harmful effect adds Poisson days instead. Refuses an effect larger
    than all the absence of those who start (InvalidInput).
    """
    if effect == 0:
        return days
    base = (treatment == 1) if exact else np.ones(len(days), dtype=bool)
    if effect > 0:
        rate = effect * base.sum() / max(int((would_start & base).sum()), 1)
        return np.minimum(days + starts * rng.poisson(rate, len(days)), longest).astype(np.int64)
    available = float(days[would_start & base].sum())
    needed = -effect * float(base.sum())
    if needed > available:
        raise InvalidInput(
            f"an effect of {effect} days cannot pass through the starters, who miss {available / base.sum():.2f} days "
            "for each person offered the course; plan a smaller effect or a larger uptake"
        )
    return thinned(days, chance=np.where(starts, 1 - needed / available, 1.0), rng=rng)


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
    last = np.nan_to_num(leave_day[rows], nan=np.inf)
    calendar = np.where(np.isfinite(last), (last - 1) // 5 * 7 + (last - 1) % 5, 10**6)  # launches are Mondays
    enrol = np.minimum(rng.integers(0, ENROL_WITHIN_DAYS, len(rows)), calendar).astype(np.int64)
    stops = rng.geometric(assumptions.module_stop, len(rows)) - 1
    modules = np.minimum(stops, MODULES - 1)
    stayers = np.flatnonzero(~np.isfinite(last))
    modules[rng.permutation(stayers)[:completers]] = MODULES
    active = enrol + modules * 7 + rng.integers(0, 7, len(rows))
    active = np.maximum(np.minimum(active, np.minimum(calendar, LAST_WORKING_DAY // 5 * 7 + 4)), enrol)
    began = launch.iloc[rows]
    return pd.DataFrame(
        {
            "enrolled_on": began + pd.to_timedelta(enrol, unit="D"),
            "modules_completed": modules.astype(np.int64),
            "last_activity_on": began + pd.to_timedelta(active, unit="D"),
        },
        index=began.index,
    )
