"""Is there only one number that a withheld count can be? By the definition alone: exact fractions, then one programme a
side, in which nothing is narrowed, kept or found by moves.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp


def connected(relations, unknown, at):
    """The unknown counts that sums connect with `at` once each sum is solved for its first count."""
    columns = np.flatnonzero(unknown)
    rows = [{c: Fraction(int(row[c])) for c in columns if row[c]} for row in relations]
    solved = []
    for column in columns:
        lead = next((row for row in rows if column in row), None)
        if lead is None:
            continue
        rows.remove(lead)
        lead = {c: value / lead[column] for c, value in lead.items()}
        rows = [less(row, lead, column) for row in rows]
        solved = [*(less(row, lead, column) for row in solved), lead]
    part = {at}
    while wider := {c for row in solved if part & row.keys() for c in row} - part:
        part |= wider
    return np.array(sorted(part))


def less(row, lead, column):
    if column not in row:
        return row
    factor = row[column]
    changed = {c: row.get(c, Fraction(0)) - factor * lead.get(c, Fraction(0)) for c in row.keys() | lead.keys()}
    return {c: value for c, value in changed.items() if value}


def only_one(system, at, withheld, *, threshold, lowest, primary, reasons_known):
    """Every count that no sum connects with `at` is what it is; the others are whole numbers that satisfy all sums, lie
    within the sets around them and hold those within them, and agree with their reasons.
    """
    printed = np.arange(len(system.counts)) < system.printed
    unknown = (withheld | ~printed) & ~system.public
    cells = connected(system.relations, unknown, at)
    low, high = system.counts.copy(), system.counts.copy()
    low[cells], high[cells] = np.where(printed[cells], lowest, 0), system.counts.max() + threshold
    if reasons_known:
        beside = cells[printed[cells] & ~primary[cells]]
        low[beside] = np.minimum(threshold, system.counts[beside])
        high[cells[primary[cells]]] = threshold - 1
    pairs = np.argwhere(system.inside)
    order = np.zeros((len(pairs), len(system.counts)))
    order[np.arange(len(pairs)), pairs[:, 0]] = 1
    order[np.arange(len(pairs)), pairs[:, 1]] = -1
    matrix = np.vstack([system.relations, order])
    least = np.concatenate([np.zeros(len(system.relations)), np.full(len(pairs), -np.inf)])
    for side in (-1, 1):
        lower, upper = low.copy(), high.copy()
        (upper if side < 0 else lower)[at] = system.counts[at] + side
        if lower[at] > upper[at]:
            continue
        found = milp(
            np.zeros(len(low)),
            constraints=LinearConstraint(matrix, least, 0),
            integrality=np.ones(len(low)),
            bounds=Bounds(lower, upper),
        )
        assert found.status in (0, 2), found.message
        if found.success:
            return False
    return True
