"""Rows of a pilot: counts, shares with exact intervals, sums, largest values and means. Nothing tests an effect."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from scipy import stats

from hhp_stats.disclosure.crowd import Crowd
from hhp_stats.disclosure.declared import Row
from hhp_stats.plan.conditions import members
from hhp_stats.plan.pilot_schema import STATISTICS, Descriptive, PilotPlan
from hhp_stats.regression.spread import spread
from hhp_stats.results.frame import ResultRow, not_estimated
from hhp_stats.studies.sources import states_source

NOBODY = "NoObservations: there is nobody of whom to take it"
ONE = "NoObservations: of one person a mean has no standard error"
ALIKE = "All values are the same: there is no standard error and no interval."


def who(people: pd.DataFrame, entry: Descriptive, plan: PilotPlan) -> tuple[pd.Series, pd.Series]:
    """For each person: does the number count them, and do they belong to the population it is taken of?"""
    of = members(people, plan.populations[entry.population].where)
    if entry.known:
        of &= people[entry.known].notna()
    return of & members(people, entry.where), of


def all_rows(people: pd.DataFrame, plan: PilotPlan) -> list[ResultRow]:
    """The rows of every descriptive: outcome by outcome in the plan's order, numbers before shares and means."""
    found = [row for entry in plan.descriptives.values() for row in rows(people, entry, plan)]
    outcomes = list(dict.fromkeys(row.outcome for row in found))
    ends = list(dict.fromkeys(STATISTICS.values()))
    return sorted(found, key=lambda row: (outcomes.index(row.outcome), ends.index(row.result_id.rpartition("/")[2])))


@states_source
def rows(people: pd.DataFrame, entry: Descriptive, plan: PilotPlan) -> list[ResultRow]:
    """The rows of one descriptive, one for each of its statistics."""
    inside, of = who(people, entry, plan)
    return [_MADE[name](people, entry, plan, inside=inside, of=of) for name in entry.statistics]


def members_of(c: Crowd, entry: Descriptive, plan: PilotPlan) -> dict[str, Row]:
    """Whom each row of a descriptive counts, by result id."""
    inside, of = who(c.frame, entry, plan)
    found: dict[str, Row] = {}
    for name in entry.statistics:
        if name == "mean":
            known = c.frame[entry.column].notna()
            found[_id(plan, entry, name)] = Row(n=c.of(inside & known), plain=True)
        elif name in ("sum", "largest"):
            found[_id(plan, entry, name)] = Row(n=c.of(of), goes_with=(c.of(inside),), plain=True)
        else:
            found[_id(plan, entry, name)] = Row(n=c.of(of), part=c.of(inside), share=name == "share", plain=True)
    return found


def _id(plan: PilotPlan, entry: Descriptive, statistic: str) -> str:
    return f"{plan.study}/{entry.id}/{STATISTICS[statistic]}"


def _row(plan: PilotPlan, entry: Descriptive, statistic: str, *, method: str, n: int, **numbers: float) -> ResultRow:
    outcome, estimand = entry.id.split("/")
    about: dict[str, Any] = dict(numbers)
    return ResultRow(
        result_id=_id(plan, entry, statistic),
        study=plan.study,
        outcome=outcome,
        estimand=estimand,
        population=plan.populations[entry.population].label,
        contrast="none",
        method=method,
        analysis="exploratory",
        n=n,
        clause=" ".join(plan.design.clauses),
        status="descriptive",
        **about,
    )


def _lacking(plan: PilotPlan, entry: Descriptive, statistic: str, *, method: str, reason: str) -> ResultRow:
    population = plan.populations[entry.population].label
    return not_estimated(
        result_id=_id(plan, entry, statistic),
        reason=f"{reason} ({population})",
        population=population,
        contrast="none",
        method=method,
        analysis="exploratory",
        clause=" ".join(plan.design.clauses),
    )


def _count(people: pd.DataFrame, entry: Descriptive, plan: PilotPlan, *, inside: pd.Series, of: pd.Series) -> ResultRow:
    """How many?"""
    return _row(plan, entry, "count", method="count", n=int(of.sum()), estimate=float(inside.sum()))


def _share(people: pd.DataFrame, entry: Descriptive, plan: PilotPlan, *, inside: pd.Series, of: pd.Series) -> ResultRow:
    """What share, and what shares are compatible with it?

    Estimator: count / of, with the exact binomial interval, as if the people were a random sample of many like
    them. They were not drawn at random; the interval shows how little so small a number pins down. Of nobody there is
    no share: the row has the reason.
    Source: Clopper and Pearson (1934), Biometrika 26, 404-413.
    """
    method, part, whole = "share, exact binomial interval", int(inside.sum()), int(of.sum())
    if not whole:
        return _lacking(plan, entry, "share", method=method, reason=NOBODY)
    reach = stats.binomtest(part, whole).proportion_ci(confidence_level=plan.conf_level, method="exact")
    return _row(
        plan,
        entry,
        "share",
        method=method,
        n=whole,
        estimate=part / whole,
        conf_low=float(reach.low),
        conf_high=float(reach.high),
        conf_level=plan.conf_level,
    )


def _sum(people: pd.DataFrame, entry: Descriptive, plan: PilotPlan, *, inside: pd.Series, of: pd.Series) -> ResultRow:
    """How much together?"""
    total = float(people.loc[inside, entry.column].astype("float64").sum())
    return _row(plan, entry, "sum", method=entry.column, n=int(of.sum()), estimate=total)


def _largest(
    people: pd.DataFrame, entry: Descriptive, plan: PilotPlan, *, inside: pd.Series, of: pd.Series
) -> ResultRow:
    """How much at most?"""
    values = people.loc[inside, entry.column].astype("float64").dropna()
    if values.empty:
        return _lacking(plan, entry, "largest", method=entry.column, reason=NOBODY)
    return _row(plan, entry, "largest", method=entry.column, n=int(of.sum()), estimate=float(values.max()))


def _mean(people: pd.DataFrame, entry: Descriptive, plan: PilotPlan, *, inside: pd.Series, of: pd.Series) -> ResultRow:
    """How much on average, and what means are compatible with it?

    Estimator: the mean of those known, with the standard error of the mean and the t interval, n - 1 degrees of
    freedom, as if they were a random sample of many like them. Of one person, and where all are alike, there is no
    interval.
    """
    method = "mean, standard error of the mean, t interval"
    values = people.loc[inside, entry.column].astype("float64").dropna().to_numpy()
    if len(values) < 2:
        return _lacking(plan, entry, "mean", method=method, reason=ONE if len(values) else NOBODY)
    mean, error = float(values.mean()), spread(values) / math.sqrt(len(values))
    row = _row(plan, entry, "mean", method=method, n=len(values), estimate=mean, conf_level=plan.conf_level)
    if not error > 0:
        return replace(row, note=ALIKE)
    reach = float(stats.t.ppf(0.5 + plan.conf_level / 2, len(values) - 1)) * error
    return replace(row, std_error=error, df=float(len(values) - 1), conf_low=mean - reach, conf_high=mean + reach)


_MADE: Mapping[str, Callable[..., ResultRow]] = {
    "count": _count,
    "share": _share,
    "sum": _sum,
    "largest": _largest,
    "mean": _mean,
}
