"""Whom do the trial's tables of characteristics count? Shares of both arms behind each standardised difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from hhp_stats.disclosure.crowd import Crowd
from hhp_stats.disclosure.declared import LESSER, ORDINARY, Column, Columns, Mask, Sets, counted, internal
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.studies.goal_setting.arm_balance import BINARY
from hhp_stats.studies.goal_setting_terms import ANALYSED

Row = Mapping[Any, Any]


def in_arms(c: Crowd, plan: ReturnsPlan) -> list[pd.Series]:
    """Who was randomised to each arm, in the order of the plan."""
    return [c.frame["randomised"] & (c.frame["treatment"] == code) for code in plan.design.arms.values()]


def in_groups(c: Crowd, plan: ReturnsPlan) -> list[pd.Series]:
    """Arms, then authorities."""
    sites = [c.frame["randomised"] & (c.frame["local_authority"] == site.local_authority) for site in plan.sites]
    return [*in_arms(c, plan), *sites]


def _is_share(row: Row) -> bool:
    return bool(row["kind"] == "level" or row["covariate"] in BINARY)


def _with(c: Crowd, row: Row) -> Any:
    """Who has the characteristic or level of a row."""
    return c.frame[row["covariate"]] == (row["level"] if row["kind"] == "level" else 1)


def _parts(c: Crowd, rows: Sequence[Row], own: pd.Series, row: Row) -> Iterator[Mask]:
    """The sets whose numbers a difference of shares is made of: those with it and those without, all levels of a head
    row.
    """
    for each in rows if row["kind"] == "categorical" else [row]:
        if each["covariate"] == row["covariate"] and _is_share(each):
            known = own & c.frame[each["covariate"]].notna()
            yield c.of(known & _with(c, each))
            yield c.of(known & ~_with(c, each))


def balance(
    c: Crowd, plan: ReturnsPlan, table: pd.DataFrame, *, among: str = "randomised", worth: int = ORDINARY
) -> Columns:
    """The characteristics of the randomised, of all or of those marked in a column: shares exactly, means as they are
    printed.
    """
    rows: Sequence[Row] = table.to_dict("records")
    randomised = c.frame["randomised"].astype(bool) & c.frame[among].astype(bool)
    missing = [None if row["kind"] == "level" else c.of(randomised & c.frame[row["covariate"]].isna()) for row in rows]
    found: Columns = {"missing": counted(missing, worth=min(worth, LESSER))}
    arms = {arm: randomised & (c.frame["treatment"] == code) for arm, code in plan.design.arms.items()}
    both: list[list[Mask]] = [[] for _ in rows]
    described: list[list[Mask]] = [[] for _ in rows]
    for arm, own in arms.items():
        tells: list[Sets] = []
        describes: list[Sets] = []
        for at, row in enumerate(rows):
            known = c.of(own & c.frame[row["covariate"]].notna())
            tells.append((c.of(own & _with(c, row)), known) if _is_share(row) else ())
            describes.append((known,) if row["kind"] == "continuous" and not _is_share(row) else ())
            both[at] += list(_parts(c, rows, own, row)) if row["kind"] == "categorical" else list(tells[at])
            described[at] += describes[at]
        digits = tuple(12 if tell else 1 for tell in tells)  # means with one decimal, as they are printed
        found[f"mean_{arm}"] = Column(
            kind="other", tells=tuple(tells), describes=tuple(describes), digits=digits, worth=worth
        )
        found[f"sd_{arm}"] = Column(kind="other", goes_with=tuple(tells), describes=tuple(describes), digits=digits)
        found[f"n_{arm}"] = found[f"missing_{arm}"] = internal()
    goes, of = tuple(tuple(each) for each in both), tuple(tuple(each) for each in described)
    for name in ("std_difference", "variance_ratio"):
        found[name] = Column(kind="other", goes_with=goes, describes=of, digits=2)
    return found


def differences(c: Crowd, plan: ReturnsPlan, table: pd.DataFrame) -> Columns:
    """Standardised differences in three groups, rounded so that no share follows; none that rests on very few people.

    A difference that the table of characteristics withholds goes here too: most of those analysed are the same people.
    """
    rows: Sequence[Row] = table.to_dict("records")
    randomised = c.frame["randomised"].astype(bool)
    found: Columns = {}
    for group, known in ANALYSED.items():
        goes = []
        for row in rows:
            parts: list[Mask] = []
            for code in plan.design.arms.values():
                own = randomised & (c.frame["treatment"] == code)
                parts += _parts(c, rows, own & c.frame[known].notna(), row)
                if _is_share(row):
                    parts.append(c.of(own & _with(c, row)))
            goes.append(tuple(parts))
        found[group] = Column(kind="other", goes_with=tuple(goes), digits=2)
        found[f"least_{group}"] = internal()
    return found
