"""Other whole numbers near the true counts that agree with every sum: found by moves, before a programme is asked.

A move takes people from some counts and gives them to others so that every sum stays as it is, as when two people of a
table change places. That another count is possible is proved by showing one, whoever found it; where no simple move
leads to one, nothing is proved, and integer programming decides (`possible`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
ZERO = 1e-9  # below it a number is nothing but rounding
_WHOLE = 1e-6  # of a number that rounding has moved
_MOST = 4_000_000  # numbers held at once while pairs of moves are tried: 32 MB; beyond, the programme is faster


def reduced(rows: Array) -> Array:
    """Reduced row echelon form of an augmented matrix, lines of zeros left out."""
    rows = rows.copy()
    line = 0
    for column in range(rows.shape[1] - 1):
        if line == len(rows):
            break
        best = line + int(np.argmax(np.abs(rows[line:, column])))
        if abs(rows[best, column]) < ZERO:
            rows[line:, column] = 0.0
            continue
        if best != line:
            rows[[line, best]] = rows[[best, line]]
        own = rows[line] / rows[line, column]
        own[np.abs(own) < ZERO] = 0.0
        # Sums of people are short: most lines do not hold the column, and stay as they are.
        touched = np.flatnonzero(rows[:, column])
        changed = rows[touched] - np.outer(rows[touched, column], own)
        changed[np.abs(changed) < ZERO] = 0.0
        rows[touched] = changed
        rows[line] = own
        line += 1
    return rows[:line]


def moves(rows: Array) -> Array:
    """Changes of n counts by whole numbers that leave the sums `rows` (q, n) as they are, and their opposites (m, n).

    `rows` is in reduced row echelon form, so each count that leads no line has one move that raises it by one and no
    other such count; moves with fractions are left out. All changes that leave the sums are combinations of these.
    """
    size = rows.shape[1]
    leads = np.argmax(np.abs(rows) > ZERO, axis=1) if len(rows) else np.zeros(0, dtype=np.intp)
    free = np.setdiff1d(np.arange(size), leads)
    found = np.zeros((len(free), size))
    found[np.arange(len(free)), free] = 1.0
    found[:, leads] = -rows[:, free].T
    whole = np.rint(found)
    whole = whole[(np.abs(whole - found) < _WHOLE).all(axis=1)]
    return np.concatenate([whole, -whole])


def moved(at: int, truth: Array, steps: Array, *, low: Array, high: Array, inside: Mask) -> Array | None:
    """Counts one or two moves away from `truth` (n,), with another value of `at`; None where no such ones are allowed.

    Allowed are values from `low` to `high` where no count is larger than one that it lies within (`inside[i, j]`: i
    within j). Of the allowed ones those that differ in the fewest counts: they agree with most of what may become
    known.
    """
    first = steps[steps[:, at] != 0]
    found = _allowed(first, truth, low, high, inside)
    if found is None and len(first) * steps.size <= _MOST:
        both = (first[:, None, :] + steps[None, :, :]).reshape(-1, len(truth))
        found = _allowed(both[both[:, at] != 0], truth, low, high, inside)
    return found


def _allowed(changes: Array, truth: Array, low: Array, high: Array, inside: Mask) -> Array | None:
    fits = ((changes >= low - truth) & (changes <= high - truth)).all(axis=1)
    small = changes[fits]
    for each in small[np.argsort((small != 0).sum(axis=1), kind="stable")]:
        counts = truth + each
        if not (inside & (counts[:, None] > counts[None, :])).any():
            return np.asarray(counts)
    return None
