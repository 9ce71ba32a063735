"""Which typing habits were accepted? Counted per column, habit and spelling, for the data appendix."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

SPELLINGS_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """One typing habit in one column: where it was first seen, how often, and what it was taken to mean."""

    file: str
    cell: str
    found: str
    read_as: str
    habit: str
    count: int
    sheet: str = ""
    field: str = ""


def collect(
    *,
    file: str,
    sheet: str,
    field: str,
    habits: Iterable[tuple[int, str, Any]],
    key: Callable[[int], Hashable],
    describe: Callable[[int, Any], tuple[str, str, str]],
) -> list[Tolerance]:
    """One line per habit and spelling, in the order of first appearance; one per habit where spellings abound.

    `habits` holds position, habit and value read; `key(position)` tells spellings apart, and
    `describe(position, value)` gives cell, found and read_as of the first of each.
    """
    groups: dict[str, dict[Hashable, list[Any]]] = {}
    for position, habit, value in habits:
        spellings = groups.setdefault(habit, {})
        group = spellings.get(identity := key(position))
        if group is None:
            spellings[identity] = [position, value, 1]
        else:
            group[2] += 1
    lines = []
    for habit, spellings in groups.items():
        many = len(spellings) > SPELLINGS_LISTED
        listed = (
            [[*next(iter(spellings.values()))[:2], sum(g[2] for g in spellings.values())]]
            if many
            else spellings.values()
        )
        for position, value, count in listed:
            cell, found, read_as = describe(position, value)
            others = " and others" if many else ""
            lines.append(
                Tolerance(
                    file=file,
                    sheet=sheet,
                    field=field,
                    habit=habit,
                    count=count,
                    found=found + others,
                    read_as=read_as + others,
                    cell=cell + (f" and {count - 1} more" if count > 1 else ""),
                )
            )
    return lines


def tolerance_frame(tolerances: Iterable[Tolerance]) -> pd.DataFrame:
    """The tolerances as a frame, one line per habit, column and spelling."""
    names = [each.name for each in fields(Tolerance)]
    frame = pd.DataFrame([asdict(each) for each in tolerances], columns=names)
    return frame.astype({name: "int64" if name == "count" else "str" for name in names})
