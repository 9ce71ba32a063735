"""Tables of a pilot with a line for each class of people: how many, their share, and sums over them."""

from __future__ import annotations

import pandas as pd

from hhp_stats.disclosure.crowd import Crowd
from hhp_stats.disclosure.declared import Columns, Mask, counted, other, share
from hhp_stats.errors import PlanError
from hhp_stats.plan.conditions import members
from hhp_stats.plan.pilot_checks import classes_of
from hhp_stats.plan.pilot_schema import ClassTable, PilotPlan

NOT_KNOWN, IN_NONE = "not known", "none of these"


def lines_of(people: pd.DataFrame, table: ClassTable, plan: PilotPlan) -> list[tuple[str, pd.Series]]:
    """The classes of a table and who of the population is in each; those in none last, if there are any."""
    of = members(people, plan.populations[table.population].where)
    found = [(label, of & condition.holds(people)) for label, condition in classes_of(plan, table)]
    rest = of.copy()
    for _, inside in found:
        rest &= ~inside
    return [*found, *([(NOT_KNOWN if table.column else IN_NONE, rest)] if rest.any() else [])]


def class_table(people: pd.DataFrame, table: ClassTable, plan: PilotPlan) -> pd.DataFrame:
    """`class`, `people` and, where the plan asks for them, `share` and each sum with its `share_of_`.

    Shares are of the population; of nobody, and of nothing, there is none. Refuses (PlanError) classes of which one
    person is in two.
    """
    of = members(people, plan.populations[table.population].where)
    total, seen = int(of.sum()), pd.Series(False, index=people.index)
    lines = []
    for label, inside in lines_of(people, table, plan):
        if (inside & seen).any():
            raise PlanError(
                f"data/plan/{plan.study}.toml",
                f"tables {table.id}",
                f"has people of the class {label!r} in a class before it as well.",
                "Write conditions that do not overlap.",
            )
        seen |= inside
        line: dict[str, object] = {"class": label, "people": int(inside.sum())}
        if table.share:
            line["share"] = _of(inside.sum(), total)
        for name in table.sums:
            values = people[name].astype("float64")
            line[name] = _whole(float(values[inside].sum()))
            line[f"share_of_{name}"] = _of(values[inside].sum(), values[of].sum())
        lines.append(line)
    return pd.DataFrame(lines)


def _whole(number: float) -> float:
    return int(number) if number.is_integer() else number


def _of(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else float("nan")


def members_of(c: Crowd, table: ClassTable, plan: PilotPlan) -> Columns:
    """Whom the columns of a table count."""
    of = members(c.frame, plan.populations[table.population].where)
    people: list[Mask] = [c.of(inside) for _, inside in lines_of(c.frame, table, plan)]
    found: Columns = {"people": counted(people)}
    if table.share:
        found["share"] = share(people, [c.of(of)] * len(people))
    for name in table.sums:
        found |= {name: other(), f"share_of_{name}": other()}
    return found
