"""The baseline year: absence of people who were not there for all of it. (Clauses P45-P48, P62; C58-C60.)

For the analysis stage. What randomisation assumes of the same people is in `design.strata.filled_absence`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, NoObservations, UnknownName
from hhp_stats.regression.inputs import numbers, with_columns

MissingBaseline = Literal["multiple_imputation", "zero_with_indicator", "mean", "complete_cases"]

MINIMUM_MONTHS = 3.0  # service up to and including three months is too short to extend (C60)
FULL_MONTHS = 12.0  # twelve months and more need no scaling


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineAbsence:
    """Baseline days on a twelve-month scale, and how each person came by theirs."""

    days: pd.Series
    missing_indicator: pd.Series  # 1.0 where no usable record stood behind the value
    source: pd.Series  # "recorded", "scaled", "mean", "zero" or "missing"
    rule: str


@typed
def annualised(
    frame: pd.DataFrame,
    *,
    days: str = "illness_days",
    months: str = "service_months",
) -> BaselineAbsence:
    """What was each person's sickness absence a year, if there was enough of a year to tell?

    Twelve months of service and more: the days recorded. Over three and under twelve: days * 12 /
    months (clause P45; months are those since joining, at most the window). Three or fewer, or
    nothing recorded: missing. Service that is not known counts as a full year and is not scaled,
    because the return's window is twelve months for everyone.

    Refuses unknown columns (UnknownName), and negative days or months (InvalidInput).
    """
    with_columns(frame, (days, months))
    recorded, service = numbers(frame[days]), numbers(frame[months])
    if (recorded < 0).any() or (service < 0).any():
        raise InvalidInput("days and months of service cannot be negative")
    short = service <= MINIMUM_MONTHS
    part = (service > MINIMUM_MONTHS) & (service < FULL_MONTHS)
    value = recorded.where(~part, recorded * FULL_MONTHS / service).where(~short)
    source = pd.Series("recorded", index=frame.index, dtype="str").mask(part, "scaled").mask(value.isna(), "missing")
    return BaselineAbsence(
        days=value.rename("baseline_absence"),
        missing_indicator=value.isna().astype("float64").rename("baseline_absence_missing"),
        source=source,
        rule="own days, scaled to twelve months after three",
    )


@typed
def for_analysis(
    frame: pd.DataFrame,
    *,
    rule: MissingBaseline,
    days: str = "illness_days",
    months: str = "service_months",
    local_authority: str = "local_authority",
) -> BaselineAbsence:
    """Which baseline absence enters the model, where none was recorded? (C58, C59.)

    As `annualised`, then what is missing, by `rule`: "multiple_imputation" (planned, clause P48) leaves
    it missing for `estimate.imputation` to fill; "zero_with_indicator" sets zero and gives the
    indicator that must go into the model beside it (clause P62 prints the zero without one);
    "mean" sets the mean of the observed values in the same local authority, as at randomisation;
    "complete_cases" leaves it missing, to be dropped and counted by the study.

    The outcome and the arm are never looked at. Refuses an unknown rule (UnknownName), and an
    authority without any observed value under "mean" (NoObservations).
    """
    base = annualised(frame, days=days, months=months)
    empty = base.days.isna()
    value, source = base.days, base.source
    if rule == "zero_with_indicator":
        value, source = value.fillna(0.0), source.mask(empty, "zero")
    elif rule == "mean":
        if local_authority not in frame.columns:
            raise UnknownName(f"no column {local_authority}")
        mean = value.groupby(frame[local_authority]).transform("mean")
        lost = sorted(set(frame.loc[mean.isna(), local_authority]))
        if lost:
            raise NoObservations(f"no baseline absence at all in {', '.join(lost)}")
        value, source = value.fillna(mean), source.mask(empty, "mean")
    elif rule not in ("multiple_imputation", "complete_cases"):
        raise UnknownName(f"no rule {rule!r} for missing baseline absence")
    return BaselineAbsence(
        days=value.rename("baseline_absence"),
        missing_indicator=base.missing_indicator,
        source=source,
        rule=rule.replace("_", " "),
    )
