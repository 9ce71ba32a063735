"""Rules within one return about days and spells: possible, consistent, not copied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.intake.rule import Breach, Mask, Rule, at, numbers

if TYPE_CHECKING:
    from hhp_stats.intake.return_layout import Return

_WORKING_DAYS_A_YEAR = 262  # at most: 366 days that start on a working day hold 262 of them
_RUN_OF_ROWS = 5
_RUN_OF_VALUES = 12
_RUN_OF_STEPS = 10
_FIGURES = ("service_months", "overall_absence_days", "illness_days", "illness_spells")


def _illness_above_overall(ret: Return) -> Iterator[Breach]:
    illness, overall = numbers(ret, "illness_days"), numbers(ret, "overall_absence_days")
    for breach in at(illness > overall, "illness_days"):
        found = f"{illness[breach.position]:g} days of illness, {overall[breach.position]:g} days overall"
        yield breach._replace(value=found, also=ret.cell("overall_absence_days", breach.position))


def _days_without_spells(ret: Return) -> Iterator[Breach]:
    days, spells = numbers(ret, "illness_days"), numbers(ret, "illness_spells")
    known = ~np.isnan(days) & ~np.isnan(spells)
    for breach in at(known & ((days == 0) != (spells == 0)), "illness_spells"):
        found = f"{days[breach.position]:g} days in {spells[breach.position]:g} spells"
        yield breach._replace(value=found, also=ret.cell("illness_days", breach.position))


def _more_spells_than_half_days(ret: Return) -> Iterator[Breach]:
    days, spells = numbers(ret, "illness_days"), numbers(ret, "illness_spells")
    for breach in at((spells > 2 * days) & (days > 0), "illness_spells"):
        found = f"{days[breach.position]:g} days in {spells[breach.position]:g} spells"
        yield breach._replace(value=found, also=ret.cell("illness_days", breach.position))


def working_days_exposed(ret: Return) -> npt.NDArray[np.float64]:
    """Mondays to Fridays from launch (or start) to the day of the return (or of leaving), both included."""
    if ret.site is None or ret.date_retrieved is None:
        return np.full(len(ret.frame), np.inf)
    launch = np.datetime64(ret.site.launch, "D")
    close = np.datetime64(ret.date_retrieved.date(), "D")
    start = _days(ret, "start_date", launch)
    end = _days(ret, "leaving_date", close)
    begin = np.maximum(start, launch)
    finish = np.minimum(end, close)
    days: npt.NDArray[np.float64] = np.busday_count(begin, finish + np.timedelta64(1, "D")).astype(float)
    return np.maximum(days, 0.0)


def _days(ret: Return, name: str, otherwise: np.datetime64) -> Any:
    if name not in ret.frame:
        return np.full(len(ret.frame), otherwise)
    return ret.frame[name].fillna(pd.Timestamp(otherwise)).to_numpy().astype("datetime64[D]")


def _absent_more_than_exposed(ret: Return) -> Iterator[Breach]:
    if ret.wave == "baseline":
        return
    exposed = working_days_exposed(ret)
    for name in ("illness_days", "overall_absence_days"):
        days = numbers(ret, name)
        for breach in at(days > exposed, name):
            found = f"{days[breach.position]:g} days, {exposed[breach.position]:g} working days in the period"
            yield breach._replace(value=found)


def _absent_more_than_a_year(ret: Return) -> Iterator[Breach]:
    if ret.wave != "baseline":
        return
    service = numbers(ret, "service_months")
    # One month more than stated: lengths of employment are given in whole months.
    possible = np.fmin(_WORKING_DAYS_A_YEAR, np.ceil((service + 1) * _WORKING_DAYS_A_YEAR / 12))
    days = numbers(ret, "illness_days")
    for breach in at(days > possible, "illness_days"):
        found = f"{days[breach.position]:g} days, {service[breach.position]:g} months at the authority"
        yield breach._replace(value=found)


def _runs(same_as_above: Mask, shortest: int) -> list[tuple[int, int]]:
    """First and last position of runs of at least `shortest` rows, from "row equals the one above"."""
    edges = np.diff(np.concatenate(([False], same_as_above, [False])).astype(int))
    starts, ends = np.flatnonzero(edges == 1) - 1, np.flatnonzero(edges == -1) - 1
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True) if b - a + 1 >= shortest]


def _copied_rows(ret: Return) -> Iterator[Breach]:
    """Runs of rows that agree in length of employment and in every figure of absence."""
    names = [name for name in _FIGURES if name in ret.columns]
    if len(names) < 2 or "service_months" not in names:
        return
    block = ret.frame[names].to_numpy(dtype=float)
    equal = np.all((block[1:] == block[:-1]) | (np.isnan(block[1:]) & np.isnan(block[:-1])), axis=1)
    known = ~np.isnan(block[:, 0]) & (np.nansum(np.abs(block[:, 1:]), axis=1) > 0)
    for first, last in _runs(np.concatenate(([False], equal & known[1:])), _RUN_OF_ROWS):
        found = f"{last - first + 1} consecutive rows with the same figures"
        yield Breach("service_months", first, found, also=f"to {ret.cell(names[-1], last)}")


def _copied_values(ret: Return) -> Iterator[Breach]:
    for name in _FIGURES[:3]:  # two spells may well stand in many rows
        if name in ret.columns:
            value = numbers(ret, name)
            equal = np.concatenate(([False], (value[1:] == value[:-1]) & (value[1:] > 1)))
            for first, last in _runs(equal, _RUN_OF_VALUES):
                found = f"{value[first]:g} in {last - first + 1} consecutive rows"
                yield Breach(name, first, found, also=f"to {ret.cell(name, last)}")


def _dragged_series(ret: Return) -> Iterator[Breach]:
    for name in _FIGURES:
        if name in ret.columns:
            step = np.concatenate(([False], np.diff(numbers(ret, name)) == 1))
            for first, last in _runs(step, _RUN_OF_STEPS):
                found = f"{last - first + 1} consecutive rows that rise by one"
                yield Breach(name, first, found, also=f"to {ret.cell(name, last)}")


def _spells_for_some(ret: Return) -> Iterator[Breach]:
    if {"illness_days", "illness_spells"} <= ret.columns.keys():
        days, spells = numbers(ret, "illness_days"), numbers(ret, "illness_spells")
        gaps = ~np.isnan(days) & np.isnan(spells)
        gaps[list(ret.unread.get("illness_spells", ()))] = False
        if gaps.any() and not np.isnan(spells).all():
            first = int(np.flatnonzero(gaps)[0])
            yield Breach("illness_spells", first, f"{gaps.sum()} people with days but no number of spells")


ABSENCE_RULES: tuple[Rule, ...] = (
    Rule(
        code="R07",
        severity="error",
        fields=("illness_days", "overall_absence_days"),
        find=_illness_above_overall,
        rule="Days of illness must not exceed the overall days of absence, which include them.",
        remedy="Correct whichever figure is wrong; overall absence includes illness and holiday.",
    ),
    Rule(
        code="R08",
        severity="error",
        fields=("illness_days", "illness_spells"),
        find=_days_without_spells,
        rule="Spells of illness must be zero exactly where the days of illness are zero.",
        remedy="Correct the days or the spells; leave spells blank if they are not recorded.",
    ),
    Rule(
        code="R09",
        severity="warning",
        fields=("illness_days", "illness_spells"),
        find=_more_spells_than_half_days,
        rule="A spell of illness lasts at least half a day.",
        remedy="Check both figures.",
    ),
    Rule(
        code="R10",
        severity="error",
        fields=("illness_days", "overall_absence_days"),
        find=_absent_more_than_exposed,
        rule="Absence since launch must not exceed the working days between launch (or start) and return (or leaving).",
        remedy="Give working days since launch only, without the time before or after.",
    ),
    Rule(
        code="R11",
        severity="warning",
        fields=("illness_days",),
        find=_absent_more_than_a_year,
        rule="Days of illness in the last 12 months should not exceed the working days in post.",
        remedy="Check that working days were counted, not calendar days, and the length of employment.",
    ),
    Rule(
        code="R17",
        severity="warning",
        find=_copied_rows,
        rule="Neighbouring rows should not agree in length of employment and every figure of absence.",
        remedy="Check that the figures were not copied down by mistake.",
    ),
    Rule(
        code="R18",
        severity="warning",
        find=_copied_values,
        rule="A column should not hold the same figure for many people in a row.",
        remedy="Check that the figure was not copied down by mistake.",
    ),
    Rule(
        code="R19",
        severity="warning",
        find=_dragged_series,
        rule="A column should not count upwards from row to row.",
        remedy="Check that the cells were not filled by dragging, which makes a series.",
    ),
    Rule(
        code="R20",
        severity="note",
        fields=("illness_days", "illness_spells"),
        find=_spells_for_some,
        rule="Spells are recorded for everyone with days of illness, or for no one in the authority.",
        remedy="Check whether the missing numbers of spells can be added.",
    ),
)
