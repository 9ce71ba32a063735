"""Predictive mean matching: whose observed value does a missing one take?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hhp_stats.estimate.model_matrix import Array

PLACES = 9  # decimals of a prediction that count, in standard deviations of the variable


def matched_donors(
    *, donors: Array, recipients: Array, count: int, rngs: Sequence[np.random.Generator]
) -> npt.NDArray[np.intp]:
    """For each recipient, one of the `count` donors whose prediction is nearest, at random.

    donors (C, n_obs), recipients (C, n_mis): predicted means in C chains, in standard deviations, each with its generator; the
    result (C, n_mis) are donor positions.
    The nearest `count` sorted values d are neighbours: they start at the number of i with
    d_i + d_(i+count) < 2 x, because there the value that enters is nearer than the one that leaves.
    That sum grows with i, so one binary search finds it. Donors are shuffled before sorting: those
    with equal predictions are otherwise chosen by their order in the file.
    Source: van Buuren (2018), Flexible Imputation of Missing Data, 2nd ed., algorithm 3.3.
    """
    nearest = min(count, donors.shape[1])
    # People alike in every predictor differ in the last bits of their predictions, by their place in memory: those digits must
    # not choose.
    donors, recipients = donors.round(PLACES), recipients.round(PLACES)
    shuffled = np.array([rng.permutation(donors.shape[1]) for rng in rngs])
    values = np.take_along_axis(donors, shuffled, axis=1)
    order = np.argsort(values, axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    pairs = values[:, :-nearest] + values[:, nearest:]
    # In ascending order one search ends near where the next begins: several times as fast.
    ascending = np.argsort(recipients, axis=1)
    sought = 2 * np.take_along_axis(recipients, ascending, axis=1)
    found = np.array([np.searchsorted(row, wanted) for row, wanted in zip(pairs, sought, strict=True)])
    start = np.empty_like(found)
    np.put_along_axis(start, ascending, found, axis=1)
    start += [rng.integers(nearest, size=recipients.shape[1]) for rng in rngs]
    # Back from places in order to places among the shuffled, and to the donors themselves.
    return np.take_along_axis(shuffled, np.take_along_axis(order, start, axis=1), axis=1)
