"""Was a value drawn down over many lines? How long a run of one value, or of a series, chance makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IN_ORDER = 0.02  # share of the steps that may go back in a column that is in order of size
SINGLE = 2  # runs that chance does not make: with more of them the column is in groups, such as sizes of sites


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Lines one after the other with one value, or with a `step` more in each than in the one before."""

    first: int  # position in the column
    lines: int
    value: float  # in the first line
    step: float
    expected: float  # how many runs of this length chance makes of the column's other lines


def runs_beyond(values: npt.NDArray[np.float64], *, limit: float, least: int) -> list[Run]:
    """The runs of at least `least` lines of which chance makes fewer than `limit`; none in a column in order of size or
    in groups.

    Of n lines of which a share p holds the value, chance makes about (n - L + 1)(1 - p) p^L runs of L lines or more
    (W. Feller, An Introduction to Probability Theory, vol. 1, 3rd ed. 1968, XIII.7); p is the share among the lines
    outside the run, the run counted as one. For a series the steps from line to line are the values. A missing value
    ends a run.
    """
    steps = np.diff(values)
    known = steps[~np.isnan(steps)]
    if not len(known) or min((known < 0).sum(), (known > 0).sum()) <= IN_ORDER * len(known):
        return []
    found = _beyond(values, limit=limit, least=least)
    series = [
        Run(first=run.first, lines=run.lines + 1, value=values[run.first], step=run.value, expected=run.expected)
        for run in _beyond(np.where(steps == 0, np.nan, steps), limit=limit, least=least - 1)
    ]
    return [*found, *series] if len(found) + len(series) <= SINGLE else []


def _beyond(values: npt.NDArray[np.float64], *, limit: float, least: int) -> list[Run]:
    there = int((~np.isnan(values)).sum())
    # A missing value is unlike every other, so it ends a run and begins none.
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.zeros(0, dtype=np.intp)
    lengths = np.diff(np.append(starts, len(values)))
    found = []
    for at in np.flatnonzero(lengths >= least):
        first, lines = int(starts[at]), int(lengths[at])
        value, outside = float(values[first]), there - lines
        share = (int((values == value).sum()) - lines + 1) / (outside + 1)
        expected = (there - lines + 1) * (1 - share) * share**lines if outside else 1.0
        if expected < limit:
            found.append(Run(first=first, lines=lines, value=value, step=0.0, expected=expected))
    return found
