"""Predictive mean matching: whose observed value does a missing one take?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from hhp_stats.regression.model_matrix import Array

Number = TypeVar("Number", bound=np.generic)

PLACES = 9  # decimals of a prediction that count, in standard deviations of the variable
_LARGEST = 2.0**62  # whole numbers of 64 bits, with a margin


def matched_donors(
    *, donors: Array, recipients: Array, count: int, rngs: Sequence[np.random.Generator]
) -> npt.NDArray[np.intp]:
    """For each recipient, one of the `count` donors whose prediction is nearest, at random.

    donors (C, n_obs), recipients (C, n_mis): predicted means in C chains, in standard deviations, each with its
    generator; the result (C, n_mis) are donor positions. The nearest `count` sorted values d are neighbours: they
    start at the number of i with d_i + d_(i+count) < 2 x, because there the value that enters is nearer than the one
    that leaves. That sum grows with i, so one binary search finds it. Donors are shuffled before sorting: those with
    equal predictions are otherwise chosen by their order in the file.
    Source: van Buuren (2018), Flexible Imputation of Missing Data, 2nd ed., algorithm 3.3.
    """
    people = donors.shape[1]
    nearest = min(count, people)
    shuffled = np.array([rng.permutation(people) for rng in rngs])
    values, order = _ascending(_along_rows(donors, shuffled))
    pairs = values[:, :-nearest] + values[:, nearest:]
    # In ascending order one search ends near where the next begins: several times as fast.
    sought, ascending = _ascending(recipients)
    sought *= 2
    start = np.empty_like(ascending)
    for row, wanted, places, found in zip(pairs, sought, ascending, start, strict=True):
        found[places] = np.searchsorted(row, wanted)
    start += [rng.integers(nearest, size=recipients.shape[1]) for rng in rngs]
    # Back from places in order to places among the shuffled, and to the donors themselves.
    return _along_rows(shuffled, _along_rows(order, start))


def _along_rows(values: npt.NDArray[Number], places: npt.NDArray[np.intp]) -> npt.NDArray[Number]:
    """From each row of values (C, n) those at its places (C, m): `take_along_axis`, in half the time."""
    rows, width = values.shape
    return np.asarray(np.take(values, places + width * np.arange(rows)[:, None]))


def _ascending(predictions: Array) -> tuple[Array, npt.NDArray[np.intp]]:
    """Each row of predictions (C, n), rounded, in ascending order, and from which place each came; the first of
    equals first.

    People alike in every predictor differ in the last bits of their predictions, by their place in memory: those
    digits must not choose, hence `PLACES`. A rounded prediction and its place, in the last bits, make one whole
    number, since numbers are sorted several times as fast as places are by their numbers.
    """
    unit, count = 10.0**PLACES, predictions.shape[1]
    whole = np.rint(predictions * unit)
    bits = count.bit_length()
    if not max(whole.max(initial=0.0), -whole.min(initial=0.0)) < _LARGEST / 2**bits:
        order = np.argsort(whole, axis=1, kind="stable")  # far outside any scale: no room for the place
        return _along_rows(whole, order) / unit, order
    keys = whole.astype(np.int64)
    keys <<= bits
    keys += np.arange(count)
    keys.sort(axis=1)
    return (keys >> bits) / unit, keys & (2**bits - 1)
