"""Which groups of very few people can be worked out exactly from the numbers of printed sets?

A group follows where its indicator over patterns lies in the row space of the sets' indicators, that is, where the
part of it that is orthogonal to that space is zero. The orthogonal parts of single patterns are compared through two
random combinations of their coordinates, so that all groups of up to four patterns are found by sorting sums.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.linalg

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Group = tuple[int, ...]  # positions of patterns
MOST = 4  # patterns of a group
_TIGHT = 1e-7
_BLOCK = 32  # vectors that are made orthogonal to those before in one multiplication


def small_groups(
    vectors: Array,
    sizes: npt.NDArray[np.int64],
    *,
    threshold: int,
    spanning: Sequence[int] | None = None,
    among: Mask | None = None,
) -> list[Group]:
    """Groups of 1 to `threshold` - 1 people whose number follows, without those that are made of others; at most four
    patterns each.

    `vectors` (k, a): sets by patterns, zeros and ones; `sizes` (a,): people of each pattern. `spanning`: independent
    sets that make up all others where people are, if they are known already; `among`: the patterns that a group can be
    made of, all of them if nothing is known.
    """
    real = np.flatnonzero(sizes)
    few = real[(sizes[real] < threshold) & (True if among is None else among[real])]
    if not len(vectors) or not len(few):
        return []
    inside = vectors[:, real]
    inside = inside[independent(inside, np.arange(len(inside)))[0] if spanning is None else list(spanning)]
    random = np.random.default_rng(1).standard_normal((len(real), 2))
    left = random
    for _ in range(2):  # twice: rounding
        left = left - inside.T @ combinations(inside, left.T).T
    search = _Search(left[np.searchsorted(real, few)], sizes[few], most=threshold - 1)
    found = [tuple(sorted(int(few[at]) for at in group)) for group in search.run()]
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
        sum_x = x[first] + x[second]
        order = np.argsort(sum_x)
        sum_x, first, second = sum_x[order], first[order], second[order]
        sum_y, sum_sizes = y[first] + y[second], sizes[first] + sizes[second]
        pairs = (np.abs(sum_x) < _TIGHT) & (np.abs(sum_y) < _TIGHT)
        groups = [np.column_stack([first[pairs], second[pairs]])]
        a, b = _opposite(sum_x, sum_y, x, y)  # pairs and singles: groups of three
        of_three = np.column_stack([first[a], second[a], b])
        groups.append(of_three[sum_sizes[a] + sizes[b] <= self.most])
        # Two pairs that each add up to zero are a union of groups, which is no news.
        small = np.flatnonzero((sum_sizes <= self.most - 2) & ~pairs)
        # Of two pairs that add up to zero one is not below it: only its opposite is sought.
        above = small[np.searchsorted(sum_x[small], -_TIGHT) :][::-1]  # backwards, so that what is sought ascends
        below = small[: np.searchsorted(sum_x[small], 2 * _TIGHT)]
        a, b = _opposite(sum_x[below], sum_y[below], sum_x[above], sum_y[above])
        one, other = below[a], above[b]
        of_four = np.column_stack([first[one], second[one], first[other], second[other]])
        groups.append(of_four[sum_sizes[one] + sum_sizes[other] <= self.most])
        for several in groups:
            found += [tuple(int(keep[at]) for at in group) for group in several if len(set(group)) == len(group)]
        return list({tuple(sorted(group)) for group in found})


def _opposite(sum_x: Array, sum_y: Array, x: Array, y: Array) -> tuple[Places, Places]:
    """Positions a and b with sum[a] + other[b] = 0 in both coordinates; the first of the sums ascend."""
    low = np.searchsorted(sum_x, -x - _TIGHT)
    # Few have an opposite at all: only theirs are sought from above too.
    some = np.flatnonzero(np.append(sum_x, np.inf)[low] < -x + _TIGHT)
    low = low[some]
    many = np.searchsorted(sum_x, -x[some] + _TIGHT) - low
    b = np.repeat(some, many)
    a = np.arange(len(b)) + np.repeat(low - (np.cumsum(many) - many), many)
    close = np.abs(sum_y[a] + y[b]) < _TIGHT
    return a[close], b[close]


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
    random = np.random.default_rng(0).random((vectors.shape[1], min(k + 8, vectors.shape[1]))) - 0.5
    shorter = vectors @ random
    lengths = np.linalg.norm(shorter, axis=1)
    found = np.zeros((k, shorter.shape[1]))
    basis: list[int] = []
    dependent: list[int] = []
    for first in range(0, k, _BLOCK):
        block = order[first : first + _BLOCK]
        before = len(basis)
        # What was found before is taken out of a whole block at once, what it holds itself out of each set of it.
        rests = shorter[block]
        for _ in range(2):  # twice: rounding
            rests -= (rests @ found[:before].T) @ found[:before]
        for at, rest in zip(map(int, block), rests, strict=True):
            others = found[before : len(basis)]
            for _ in range(2):
                rest -= others.T @ (others @ rest)
            left = float(np.linalg.norm(rest))
            if left <= _TIGHT * lengths[at]:  # also of a set of nobody
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
