"""Days lost to sickness over the follow-up, with three ways to count those who leave. (Clauses P30, P49-P51.)

The baseline year is in `baseline_absence.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from numbers import Real
from typing import Literal, get_args

import numpy as np
import pandas as pd

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.regression.inputs import numbers, same_people, truths, with_columns

LeaverRule = Literal["pro_rata", "absent_after_leaving", "left_out"]
FloorRule = Literal["authority_rate", "left_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAbsence:
    """The outcome under one leaver rule, and how many persons each step of the rule touched."""

    days: pd.Series  # sickness days over the whole follow-up; missing where the rule leaves out
    rule: LeaverRule
    n: int  # persons with an outcome
    leavers: int
    floored: int  # leavers with too little exposure for a rate of their own
    left_out: int  # persons whom the rule, not missing data, takes out
    missing: int  # persons without recorded days
    note: str


@typed
def working_days(
    start: date | pd.Series,
    end: date | pd.Series,
    *,
    holidays: Collection[date] = (),
) -> pd.Series:
    """How many Mondays to Fridays, holidays excepted, lie from `start` up to but not including `end`?

    Either end may be one date or a series of dates; the result has the index of the series given
    (one row if neither is). Zero where end <= start; missing where a date is missing.
    """
    index = next((side.index for side in (start, end) if isinstance(side, pd.Series)), pd.RangeIndex(1))
    first, last = (_days(side, index) for side in (start, end))
    known = ~(np.isnat(first) | np.isnat(last))
    counted = np.full(len(index), np.nan)
    late = np.maximum(first[known], last[known])
    counted[known] = np.busday_count(first[known], late, holidays=np.array(sorted(holidays), dtype="datetime64[D]"))
    return pd.Series(counted, index=index, name="working_days")


@typed
def exposure(
    frame: pd.DataFrame,
    *,
    launches: Mapping[str, date],
    weeks: int = 24,
    holidays: Collection[date] = (),
    local_authority: str = "local_authority",
    leaving_date: str = "leaving_date",
) -> pd.DataFrame:
    """For how many working days was each person followed, and for how many in post?

    The follow-up of a person runs `weeks` weeks from the launch in their own local authority
    (launches differ by months, C48). Columns, one row a person: `follow_up_days` (working days of the
    whole follow-up), `exposure_days` (those up to and including the day before `leaving_date`; all of
    them for stayers), `left` (true where the date lies inside the follow-up).

    Someone who was randomised and left before the launch has no exposure and counts as a leaver:
    intention to treat keeps everyone on the randomisation list.

    Refuses an authority without a launch date, unknown columns (UnknownName), and a follow-up of no
    length (InvalidInput).
    """
    with_columns(frame, (local_authority, leaving_date))
    if not isinstance(weeks, int | np.integer) or weeks < 1:
        raise InvalidInput(f"a follow-up of {weeks} weeks has no days")
    unknown = sorted(set(frame[local_authority]).difference(launches))
    if unknown:
        raise UnknownName(f"no launch date for {', '.join(map(str, unknown))}")
    launch = pd.to_datetime(frame[local_authority].map(dict(launches)))
    end = launch + timedelta(weeks=weeks)
    left_on = pd.Series(_days(frame[leaving_date], frame.index), index=frame.index)
    left = left_on.notna() & (left_on < end)
    follow_up = working_days(launch, end, holidays=holidays)
    in_post = working_days(launch, left_on.where(left, end), holidays=holidays)
    return pd.DataFrame({"follow_up_days": follow_up, "exposure_days": in_post, "left": left}, index=frame.index)


@typed
def trial_absence(
    frame: pd.DataFrame,
    *,
    rule: LeaverRule,
    minimum_exposure: float = 20.0,
    floor: FloorRule = "authority_rate",
    days: str = "illness_days",
    local_authority: str = "local_authority",
) -> TrialAbsence:
    """How many working days did (or would) each person miss through sickness over the follow-up?

    Stayers: the days recorded. Leavers, by `rule`:

    - "pro_rata" (clauses P49, P50; the planned reading of C57): days / exposure * follow-up. A leaver
      in post for fewer than `minimum_exposure` working days has no rate worth extending (one day
      off in two would become sixty); `floor` says what they get instead. "authority_rate": the
      days recorded plus, for the days after leaving, the sickness rate of the stayers of the same
      local authority, both arms together, so that the rule cannot create a difference between
      arms; missing where none of them has recorded days. "left_out": missing.
    - "absent_after_leaving" (clause P51): days recorded plus every working day after leaving.
    - "left_out": leavers are missing (rejected by the protocol, kept as sensitivity).

    Needs the columns of `exposure` beside `days` and `local_authority`. Persons without recorded
    days stay missing under the first two rules; they are counted. Pro rata assumes that a leaver's
    rate would have stayed what it was.

    Refuses unknown columns or rules (UnknownName), negative days, and more sick days than working days
    in post (InvalidInput).
    """
    needed = (days, local_authority, "follow_up_days", "exposure_days", "left")
    with_columns(frame, needed)
    if floor not in get_args(FloorRule):
        raise UnknownName(f"no floor {floor!r}; there are {', '.join(get_args(FloorRule))}")
    if not isinstance(minimum_exposure, Real) or not minimum_exposure >= 0:
        raise InvalidInput(f"minimum_exposure must be a number of working days from zero, not {minimum_exposure!r}")
    recorded = numbers(frame[days])
    in_post = numbers(frame["exposure_days"])
    follow_up = numbers(frame["follow_up_days"])
    left = pd.Series(truths(frame["left"], name="left"), index=frame.index)
    _refuse_impossible(recorded, in_post, follow_up)

    lost = 0
    leaver_note, floored, outcome = "", pd.Series(False, index=frame.index), recorded.copy()
    if rule == "pro_rata":
        floored = left & recorded.notna() & (in_post < minimum_exposure)
        own = recorded / in_post.where(in_post > 0) * follow_up
        outcome = outcome.where(~left, own)
        if floored.any():
            outcome = outcome.where(~floored, np.nan)
            if floor == "authority_rate":
                rate = _stayer_rate(frame, recorded, in_post, left, local_authority)
                short = frame.loc[floored, local_authority]
                lost = int((~short.isin(rate.index)).sum())
                filled = recorded[floored] + short.map(rate) * (follow_up - in_post)[floored]
                outcome[floored.to_numpy()] = filled.to_numpy()  # by place: an index may name two people alike
        leaver_note = (
            f"leavers at their own rate; {int(floored.sum())} with under {minimum_exposure:g} working days in post "
            + ("at the rate of their authority's stayers after leaving" if floor == "authority_rate" else "left out")
            + (f", {lost} of them not known: no stayer of their authority has recorded absence" if lost else "")
        )
    elif rule == "absent_after_leaving":
        outcome = recorded + (follow_up - in_post).where(left, 0.0)
        leaver_note = "leavers counted as absent on every working day after leaving"
    elif rule == "left_out":
        outcome = outcome.where(~left)
        leaver_note = "leavers left out"
    else:
        raise UnknownName(f"no leaver rule {rule!r}")

    return TrialAbsence(
        days=outcome.rename("sickness_absence"),
        rule=rule,
        n=int(outcome.notna().sum()),
        leavers=int(left.sum()),
        floored=int(floored.sum()),
        left_out=int((outcome.isna() & recorded.notna()).sum()),
        missing=int(recorded.isna().sum()),
        note=f"{leaver_note}.",
    )


@typed
def absence_rate(days: pd.Series, exposure_days: pd.Series, *, per: float = 100.0) -> pd.Series:
    """How many days were lost for every `per` working days in post? With 100, percent of working time.

    Missing where days are missing or the person was never in post. Refuses negative days and more
    days than exposure (InvalidInput).
    """
    if not days.index.equals(exposure_days.index):
        raise InvalidInput("days and exposure_days must describe the same persons in the same order")
    d, e = numbers(days), numbers(exposure_days)
    _refuse_impossible(d, e, e)
    return (d / e.where(e > 0) * per).rename("absence_rate")


@typed
def group_rate(days: pd.Series, exposure_days: pd.Series, *, by: pd.Series, per: float = 100.0) -> pd.Series:
    """How many days did each group lose for every `per` working days that its members worked or missed?

    Sum of days over sum of exposure among persons with both, so that someone in post for a week
    does not weigh as much as someone in post for the half year.
    """
    same_people(days=days, exposure_days=exposure_days, by=by)
    table = pd.DataFrame({"days": numbers(days), "exposure": numbers(exposure_days), "by": by}).dropna()
    totals = table.groupby("by", sort=True)[["days", "exposure"]].sum()
    return (totals["days"] / totals["exposure"].where(totals["exposure"] > 0) * per).rename("absence_rate")


def _stayer_rate(
    frame: pd.DataFrame, recorded: pd.Series, in_post: pd.Series, left: pd.Series, local_authority: str
) -> pd.Series:
    stays = ~left
    return group_rate(recorded[stays], in_post[stays], by=frame.loc[stays, local_authority], per=1.0).dropna()


def _refuse_impossible(days: pd.Series, in_post: pd.Series, follow_up: pd.Series) -> None:
    if (days < 0).any():
        raise InvalidInput(f"{int((days < 0).sum())} persons have negative sickness days, {_first(days < 0)}")
    # Returns count half days; a rounding of half a day over the exposure is not an error of substance.
    over = days > in_post + 0.5
    if over.any():
        raise InvalidInput(
            f"{int(over.sum())} persons have more sickness days than working days in post, {_first(over)}"
        )
    if (in_post > follow_up).any() or (in_post < 0).any():
        raise InvalidInput("exposure must lie between zero and the follow-up")


def _first(wrong: pd.Series) -> str:
    return f"the first in row {wrong.index[int(wrong.to_numpy().argmax())]}"


def _days(side: date | pd.Series, index: pd.Index) -> np.ndarray:
    if not isinstance(side, pd.Series | date):
        raise InvalidInput(f"a start and an end are dates or Series of dates, not {side!r}")
    series = side if isinstance(side, pd.Series) else pd.Series(pd.Timestamp(side), index=index)
    if not series.index.equals(index):
        raise InvalidInput("start and end must describe the same persons in the same order")
    try:
        return pd.to_datetime(series).to_numpy().astype("datetime64[D]")
    except (ValueError, TypeError) as problem:
        raise InvalidInput(f"{series.name or 'an end'} must hold dates: {problem}") from problem
