"""Distributions in classes wide enough that number, mean and spread of a group do not give a single value away.

Withholding single bars would not do: with the mean and the standard deviation of the group, both published unrounded,
the few missing bars can be solved for. So neighbouring values are pooled, and whether more than one number of people
fits each small bar is decided by integer programming over the sum and the sum of squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

from hhp_stats.disclosure.declared import Bars, Mask
from hhp_stats.errors import HhpError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """A distribution in classes: the published table, whom each of its rows counts, and the groups whose moments must
    go.
    """

    table: pd.DataFrame
    members: tuple[Mask, ...]
    exposed: tuple[Mask, ...]


def pooled(table: pd.DataFrame, bars: Bars, *, threshold: int, lowest: int = 1) -> Pooled:
    """A distribution in classes of neighbouring values that hold at least `threshold` people each, and no guess at a
    small bar.

    Columns: the group, the value (middle of the class), `low`, `high`, `people`, and `share`, the share of the group
    for each single value of the class. Classes are joined with their smaller neighbour until for each bar of `lowest`
    to `threshold` - 1 people more than one number agrees with the classes and `bars.moments` moments of the group. A
    group below the threshold, or of which the moments alone give a bar away, has no class, and its moments are
    `exposed`. Numbers of people printed besides (`bars.known`) are reckoned with.
    """
    rows: list[dict[str, Any]] = []
    members: list[Mask] = []
    exposed: list[Mask] = []
    at = np.arange(len(table))
    for name, part in table.groupby(bars.group, sort=False):
        own = at[(table[bars.group] == name).to_numpy()]
        order = own[np.argsort(part[bars.value].to_numpy(), kind="stable")]
        values = table[bars.value].to_numpy(dtype=np.float64)[order]
        people = table["people"].to_numpy(dtype=np.float64)[order]
        whole = np.logical_or.reduce([bars.members[place] for place in order])
        classes = _safe(people, _facts(values, bars), threshold=threshold, lowest=lowest)
        if not classes:
            exposed.append(whole)
            continue
        for first, last in classes:
            low, high, n = values[first], values[last], people[first : last + 1].sum()
            rows.append(
                {
                    bars.group: name,
                    bars.value: (low + high) / 2,
                    "low": int(low),
                    "high": int(high),
                    "people": int(n),
                    "share": n / people.sum() / (high - low + 1),
                }
            )
            members.append(np.logical_or.reduce([bars.members[place] for place in order[first : last + 1]]))
    columns = [bars.group, bars.value, "low", "high", "people", "share"]
    return Pooled(table=pd.DataFrame(rows, columns=columns), members=tuple(members), exposed=tuple(exposed))


def _facts(values: Array, bars: Bars) -> Array:
    """What is printed of a group beside its classes, a row each: sums of powers of the values, and numbers of several
    bars.
    """
    centred = values - np.round(values.mean())  # smaller numbers, same information
    rows = [centred**power for power in range(1, bars.moments + 1)]
    rows += [np.isin(values, sorted(known)).astype(np.float64) for known in bars.known]
    return np.array(rows).reshape(len(rows), len(values))


def _safe(people: Array, facts: Array, *, threshold: int, lowest: int) -> list[tuple[int, int]]:
    classes = _classes(people, threshold)
    while classes:
        bad = next(
            (
                bar
                for bar in np.flatnonzero((people >= lowest) & (people < threshold))
                if _is_given(int(bar), people, classes, facts)
            ),
            None,
        )
        if bad is None:
            return classes
        classes = _joined(classes, int(bad), people)
    return []


def _classes(people: Array, threshold: int) -> list[tuple[int, int]]:
    """Classes from the lowest value on, each closed when it holds enough; what is left over joins the last."""
    classes: list[tuple[int, int]] = []
    first, n = 0, 0.0
    for at, count in enumerate(people):
        n += count
        if n >= threshold:
            classes.append((first, at))
            first, n = at + 1, 0.0
    if classes:
        classes[-1] = (classes[-1][0], len(people) - 1)
    return classes


def _joined(classes: list[tuple[int, int]], bar: int, people: Array) -> list[tuple[int, int]]:
    """The class of the bar together with its smaller neighbour; nothing where it was the only one."""
    if len(classes) == 1:
        return []
    here = next(at for at, (first, last) in enumerate(classes) if first <= bar <= last)
    sizes = [people[first : last + 1].sum() for first, last in classes]
    beside = [at for at in (here - 1, here + 1) if 0 <= at < len(classes)]
    other = min(beside, key=lambda at: sizes[at])
    low, high = min(here, other), max(here, other)
    return [*classes[:low], (classes[low][0], classes[high][1]), *classes[high + 1 :]]


def _is_given(bar: int, people: Array, classes: list[tuple[int, int]], facts: Array) -> bool:
    """Does only one number of people with this value agree with classes and everything else that is printed?"""
    size = len(people)
    matrix = np.vstack([[[float(first <= at <= last) for at in range(size)] for first, last in classes], facts])
    right = matrix @ people
    for low, high in ((people[bar] + 1, people.sum()), (0.0, people[bar] - 1)):
        if low > high:
            continue
        lower, upper = np.zeros(size), np.full(size, people.sum())
        lower[bar], upper[bar] = low, high
        found = milp(
            np.zeros(size),
            constraints=LinearConstraint(matrix, right, right),
            integrality=np.ones(size),
            bounds=Bounds(lower, upper),
        )
        if found.success:
            return False
        if found.status != 2:
            raise HhpError(f"the protection of a distribution cannot be judged: {found.message}")
    return True
