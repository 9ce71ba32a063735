"""Which groups of very few people can be worked out exactly from the numbers of printed sets?

A group follows where its indicator over patterns lies in the row space of the sets' indicators, that is, where the
part of it that is orthogonal to that space is zero. The orthogonal parts of single patterns are compared through two
random combinations of their coordinates, so that all groups of up to four patterns are found by sorting sums.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.linalg

Array = npt.NDArray[np.float64]
Group = tuple[int, ...]  # positions of patterns
_TIGHT = 1e-7
_BLOCK = 32  # vectors that are made orthogonal to those before in one multiplication


def small_groups(vectors: Array, sizes: npt.NDArray[np.int64], *, threshold: int) -> list[Group]:
    """Groups of 1 to `threshold` - 1 people whose number follows, without those that are made of others; at most four
    patterns each.

    `vectors` (k, a): sets by patterns, zeros and ones; `sizes` (a,): people of each pattern.
    """
    real = np.flatnonzero(sizes)
    if not len(vectors) or not len(real):
        return []
    inside = vectors[:, real]
    inside = inside[independent(inside, np.arange(len(inside)))[0]]
    random = np.random.default_rng(1).standard_normal((len(real), 2))
    left = random
    for _ in range(2):  # twice: rounding
        left = left - inside.T @ combinations(inside, left.T).T
    few = np.flatnonzero(sizes[real] < threshold)
    search = _Search(left[few], sizes[real][few], most=threshold - 1)
    found = [tuple(sorted(int(real[few[at]]) for at in group)) for group in search.run()]
    return _without_unions(sorted(found, key=lambda group: (len(group), group)))


class _Search:
    """Subsets of up to four patterns whose orthogonal parts add up to zero."""

    def __init__(self, left: Array, sizes: npt.NDArray[np.int64], *, most: int) -> None:
        self.x, self.y, self.sizes, self.most = left[:, 0], left[:, 1], sizes, most

    def run(self) -> list[Group]:
        alone = np.flatnonzero((np.abs(self.x) < _TIGHT) & (np.abs(self.y) < _TIGHT))
        keep = np.setdiff1d(np.arange(len(self.x)), alone)
        found: list[Group] = [(int(at),) for at in alone]
        x, y, sizes = self.x[keep], self.y[keep], self.sizes[keep]
        first, second = np.triu_indices(len(keep), 1)
        inside = sizes[first] + sizes[second] <= self.most
        first, second = first[inside], second[inside]
        # In ascending order of their sums, for all that is looked up among the pairs: there may be hundreds of
        # thousands.
        order = np.argsort(x[first] + x[second])
        first, second = first[order], second[order]
        sum_x, sum_y, sum_sizes = x[first] + x[second], y[first] + y[second], sizes[first] + sizes[second]
        pairs = (np.abs(sum_x) < _TIGHT) & (np.abs(sum_y) < _TIGHT)
        found += [(int(keep[a]), int(keep[b])) for a, b in zip(first[pairs], second[pairs], strict=True)]
        for a, b in _opposite(sum_x, sum_y, x, y):  # pairs and singles: groups of three
            group = {int(first[a]), int(second[a]), int(b)}
            if len(group) == 3 and sum_sizes[a] + sizes[b] <= self.most:
                found.append(tuple(int(keep[at]) for at in group))
        # Two pairs that each add up to zero are a union of groups, which is no news.
        small = np.flatnonzero((sum_sizes <= self.most - 2) & ~pairs)
        backwards = small[::-1]  # their opposites are sought in ascending order: several times as fast
        for a, b in _opposite(sum_x[small], sum_y[small], sum_x[backwards], sum_y[backwards]):
            one, other = small[a], backwards[b]
            group = {int(first[one]), int(second[one]), int(first[other]), int(second[other])}
            if len(group) == 4 and sum_sizes[one] + sum_sizes[other] <= self.most:
                found.append(tuple(int(keep[at]) for at in group))
        return list({tuple(sorted(group)) for group in found})


def _opposite(sum_x: Array, sum_y: Array, x: Array, y: Array) -> list[tuple[int, int]]:
    """Positions (a, b) with sum[a] + other[b] = 0 in both coordinates; the first of the sums ascend."""
    low = np.searchsorted(sum_x, -x - _TIGHT)
    # Few have an opposite at all: only theirs are sought from above too.
    some = np.flatnonzero(np.append(sum_x, np.inf)[low] < -x + _TIGHT)
    high = np.searchsorted(sum_x, -x[some] + _TIGHT)
    return [
        (a, int(b))
        for b, end in zip(some, high, strict=True)
        for a in range(low[b], end)
        if abs(sum_y[a] + y[b]) < _TIGHT
    ]


def _without_unions(groups: list[Group]) -> list[Group]:
    """The groups that are not made of smaller ones of the list."""
    kept: list[set[int]] = []
    for group in groups:
        rest = set(group)
        parts = [part for part in kept if part < rest]
        if not _covered(rest, parts):
            kept.append(rest)
    return [tuple(sorted(each)) for each in kept]


def _covered(rest: set[int], parts: list[set[int]]) -> bool:
    """Is `rest` a union of disjoint parts?"""
    if not rest:
        return True
    first = min(rest)
    return any(first in part and part <= rest and _covered(rest - part, parts) for part in parts)


def independent(vectors: Array, order: npt.NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Positions of sets that are no combination of those before them in `order`, and of the others."""
    k = len(vectors)
    # A random projection keeps which of them depend on which, and is shorter than the patterns are many.
    shorter = vectors @ np.random.default_rng(0).standard_normal((vectors.shape[1], min(k + 8, vectors.shape[1])))
    found = np.zeros((k, shorter.shape[1]))
    basis: list[int] = []
    dependent: list[int] = []
    for first in range(0, k, _BLOCK):
        block = order[first : first + _BLOCK]
        before = len(basis)
        # What was found before is taken out of a whole block at once, and for rounding once more out of each.
        rests = shorter[block] - (shorter[block] @ found[:before].T) @ found[:before]
        for at, rest in zip(map(int, block), rests, strict=True):
            length = float(np.linalg.norm(shorter[at]))
            for others in (found[before : len(basis)], found[: len(basis)]):
                rest -= others.T @ (others @ rest)
            left = float(np.linalg.norm(rest))
            if length == 0 or left < _TIGHT * length:
                dependent.append(at)
            else:
                found[len(basis)] = rest / left
                basis.append(at)
    return basis, dependent


def combinations(basis: Array, wanted: Array) -> Array:
    """Weights (m, k) of the independent rows of `basis` (k, a) that come nearest to each row of `wanted` (m, a)."""
    factor = scipy.linalg.cho_factor(basis @ basis.T)
    weights = scipy.linalg.cho_solve(factor, basis @ wanted.T)
    weights += scipy.linalg.cho_solve(factor, basis @ (wanted.T - basis.T @ weights))  # rounding
    return np.asarray(weights.T)
