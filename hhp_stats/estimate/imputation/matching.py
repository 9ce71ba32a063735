"""Predictive mean matching: whose observed value does a missing one take?"""

from __future__ import annotations

import numpy as np

from hhp_stats.estimate.model_matrix import Array


def matched_donors(
    *, donors: Array, recipients: Array, count: int, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """For each recipient, one of the `count` donors whose prediction is nearest, at random.

    donors (n_obs,), recipients (n_mis,): predicted means; the result (n_mis,) are donor positions.
    The nearest `count` sorted values d are neighbours: they start at the number of i with
    d_i + d_(i+count) < 2 x, because there the value that enters is nearer than the one that leaves.
    That sum grows with i, so one binary search finds it. Donors are shuffled before sorting: those
    with equal predictions are otherwise chosen by their order in the file.
    Source: van Buuren (2018), Flexible Imputation of Missing Data, 2nd ed., algorithm 3.3.
    """
    nearest = min(count, len(donors))
    shuffled = rng.permutation(len(donors))
    values = donors[shuffled]
    order = np.argsort(values)
    values = values[order]
    pairs = values[:-nearest] + values[nearest:]
    start = np.searchsorted(pairs, 2 * recipients)
    chosen = shuffled[order[start + rng.integers(nearest, size=len(recipients))]]
    return np.asarray(chosen, dtype=np.intp)
