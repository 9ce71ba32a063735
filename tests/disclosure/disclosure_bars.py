"""A reader of bars: in how many ways can the people of printed classes be spread over single values? All ways,
counted out.

Written without the protection's own code, which asks integer programming for one other way. What is printed of a
group are classes (values, with the number of people in them) and exact moments, hence the sum and the sum of squares
of whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

Whole = npt.NDArray[np.int64]
Class = tuple[tuple[int, ...], int]  # values, people


def ways(people: int, bars: int) -> Whole:
    """Every way to spread `people` over `bars`, one a row (stars and bars)."""
    rows = np.array([[people]], dtype=np.int64)  # first column: those not spread yet
    for _ in range(bars - 1):
        left = rows[:, 0]
        again = np.repeat(np.arange(len(rows)), left + 1)
        taken = np.arange(len(again)) - np.repeat(np.cumsum(left + 1) - (left + 1), left + 1)
        rows = np.column_stack([rows[again, 0] - taken, rows[again, 1:], taken])
    return np.column_stack([rows[:, 1:], rows[:, 0]])


def possible(
    classes: Sequence[Class], sums: Sequence[int], *, within: tuple[int, int] | None = None
) -> dict[int, set[int]]:
    """For every single value, the numbers of people that agree with classes and `sums` (of the values, then of their
    squares).

    `within`: what a reader knows of every bar of a class of several values, such as 1 to 4 of withheld ones.
    """
    powers = range(1, len(sums) + 1)
    wide = [each for each in classes if len(each[0]) > 1]
    rest = [
        sums[power - 1] - sum(n * values[0] ** power for values, n in classes if len(values) == 1) for power in powers
    ]
    spread, totals = [], []
    for values, n in wide:
        own = ways(n, len(values))
        if within is not None:
            own = own[((own >= within[0]) & (own <= within[1])).all(axis=1)]
        spread.append(own)
        totals.append(np.column_stack([own @ np.array(values, dtype=np.int64) ** power for power in powers]))
    found = {values[0]: {n} for values, n in classes if len(values) == 1}
    for at, (values, _) in enumerate(wide):
        others = _sums([total for place, total in enumerate(totals) if place != at], len(sums))
        fits = np.array([tuple(int(part) for part in rest - row) in others for row in totals[at]], dtype=bool)
        for column, value in enumerate(values):
            found[value] = set(spread[at][fits, column].tolist())
    return found


def _sums(totals: Sequence[Whole], size: int) -> set[tuple[int, ...]]:
    """All sums that take one row of each."""
    reached = {(0,) * size}
    for own in totals:
        rows = {tuple(int(part) for part in row) for row in np.unique(own, axis=0)}
        reached = {tuple(a + b for a, b in zip(one, two, strict=True)) for one, two in product(reached, rows)}
    return reached


def found_out(
    possible_numbers: Mapping[int, set[int]], truth: Mapping[int, int], *, threshold: int = 5
) -> dict[int, int]:
    """Small bars that can be only one number; the truth must always be among what is possible."""
    for value, n in truth.items():
        assert n in possible_numbers.get(value, {0}), (value, n, possible_numbers.get(value))
    return {value: n for value, n in truth.items() if 0 < n < threshold and len(possible_numbers[value]) == 1}


def classes_of(table: pd.DataFrame) -> list[Class]:
    """Classes as a published distribution prints them."""
    return [
        (tuple(range(int(row["low"]), int(row["high"]) + 1)), int(row["people"])) for row in table.to_dict("records")
    ]


def from_moments(n: int, mean: float, sd: float) -> tuple[int, int]:
    """Sum and sum of squares of whole numbers, from a mean and a standard deviation (divisor n - 1)."""
    first, second = mean * n, sd**2 * (n - 1) + n * mean**2
    # Whole numbers up to 50,000 from doubles: rounding errors are below 1e-9.
    assert abs(first - round(first)) < 1e-6 and abs(second - round(second)) < 1e-6, (first, second)
    return round(first), round(second)


def split(classes: Sequence[Class], part: Sequence[int], people: int) -> Iterator[Class]:
    """The classes where the number of the values in `part` is printed besides: one that holds some of them is two."""
    if sum(n for values, n in classes if set(values) <= set(part)) == people:
        yield from classes
        return
    for values, n in classes:
        inside = tuple(value for value in values if value in part)
        if inside and len(inside) < len(values):
            own = people - sum(other for each, other in classes if set(each) <= set(part))
            yield inside, own
            yield tuple(value for value in values if value not in part), n - own
        else:
            yield values, n
