"""What the authorities have on file: absence at baseline and since launch, with the gaps that records have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.synthetic.absence import WORKING_DAYS_YEAR, Absence, draw_spells, half_days, in_window, thinned
from hhp_stats.synthetic.assumptions import Assumptions
from hhp_stats.synthetic.calibration import Array, Flags

Column = npt.NDArray[Any] | pd.Series

SPELLS_MOST_YEAR = 15  # further spells in a baseline year
SHORT_SERVICE = 3  # months
HOLIDAYS_MOST = 40  # days of other absence in 24 weeks


def working_days(assumptions: Assumptions, weeks: int) -> int:
    """Working days of so many weeks, holidays not removed."""
    return weeks * assumptions.plan.measures.working_days_per_week


def baseline_records(
    people: pd.DataFrame, absence: Absence, a: Assumptions, rng: np.random.Generator
) -> Mapping[str, Array]:
    """The baseline return's columns: absence since joining, at most a year; blank where not recorded."""
    n = len(people)
    months = people["service_months"].to_numpy()
    there = np.minimum(months / a.plan.design.baseline_months, 1.0)
    days = thinned(absence.baseline_days, chance=there, rng=rng)
    spells = draw_spells(days, split=a.absence.spell_split, most=SPELLS_MOST_YEAR, rng=rng)
    agency = people["agency"].to_numpy() == 1
    unrecorded = agency & (rng.random(n) < a.absence.agency_unrecorded)
    unrecorded |= (months <= SHORT_SERVICE) & (rng.random(n) < a.absence.short_service_unrecorded)
    unrecorded |= rng.random(n) < a.absence.error_unrecorded
    holiday = np.clip(np.rint(rng.normal(a.absence.holiday_days_year, 4.0, n)), 0, 45) * there
    half = _half(people, a, rng)
    recorded = np.where(unrecorded, np.nan, half_days(days.astype(np.float64), spells.astype(np.float64), half))
    return {
        "baseline_overall_days": recorded + np.rint(holiday),
        "baseline_illness_days": recorded,
        "baseline_illness_spells": np.where(unrecorded | _no_spells(people, a), np.nan, spells),
    }


def _half(people: pd.DataFrame, a: Assumptions, rng: np.random.Generator) -> Flags:
    there = (people["slug"] == a.absence.half_days_authority).to_numpy()
    return np.asarray(there & (rng.random(len(people)) < a.absence.half_day_share), dtype=bool)


def _no_spells(people: pd.DataFrame, a: Assumptions) -> Flags:
    return people["slug"].isin(a.absence.no_spells_authorities).to_numpy(dtype=bool)


def follow_up_returns(
    people: pd.DataFrame, pattern: Flags, start: Array, leave: Array, a: Assumptions, rng: np.random.Generator
) -> Mapping[str, Column]:
    """What the interim and endline returns say of each person; missing where the return does not list them."""
    n, days = pattern.shape
    interim = working_days(a, a.plan.design.interim_weeks)
    stop = np.where(np.isnan(leave), np.inf, leave)
    agency = people["agency"].to_numpy() == 1
    unrecorded = agency & (rng.random(n) < a.absence.agency_unrecorded_follow_up)
    unrecorded |= rng.random(n) < a.absence.error_unrecorded_follow_up
    half = _half(people, a, rng)
    taken = rng.poisson(a.absence.holiday_days_year * days / WORKING_DAYS_YEAR, n)
    holiday_days = np.where(np.arange(HOLIDAYS_MOST) < taken[:, None], rng.random((n, HOLIDAYS_MOST)) * days, np.inf)
    launch = people["launch"].to_numpy().astype("datetime64[D]")
    out: dict[str, Column] = {}
    for wave, end in (("interim", interim), ("endline", days)):
        listed = start < end if wave == "interim" else stop > interim
        until = np.minimum(stop, end).astype(np.int64)
        sick, spells = in_window(pattern, start=start.astype(np.int64), stop=until)
        away = ((holiday_days >= start[:, None]) & (holiday_days < until[:, None])).sum(axis=1)
        exposure = np.maximum(until - start, 0)
        illness = half_days(sick.astype(np.float64), spells.astype(np.float64), half)
        blank = unrecorded | ~listed
        out[f"{wave}_overall_days"] = np.where(blank, np.nan, np.minimum(illness + away, exposure))
        out[f"{wave}_illness_days"] = np.where(blank, np.nan, illness)
        out[f"{wave}_illness_spells"] = np.where(blank | _no_spells(people, a), np.nan, spells)
        out[f"in_{wave}"] = listed
        out[f"left_by_{wave}"] = listed & (stop <= end)
    known = np.isfinite(stop)
    left_on = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
    left_on[known] = np.busday_offset(launch[known], stop[known].astype(np.int64), roll="forward")
    began = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
    late = start > 0
    began[late] = np.busday_offset(launch[late], start[late].astype(np.int64), roll="forward")
    return out | {
        "left": known.astype(np.float64),
        "leaving_date": left_on.astype("datetime64[s]"),
        "start_date": began.astype("datetime64[s]"),
    }
