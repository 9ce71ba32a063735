"""Which sums hold between printed numbers of people, and which small groups follow from them? Read off the sets of
people.

Every printed number counts a set of people. Two people whom no printed number tells apart form one pattern; the printed
numbers are sums over patterns. So the sums between printed numbers are the linear relations between the sets, whoever
wrote the tables, and a group can be worked out exactly where its indicator is a combination of the printed sets'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from hhp_stats.disclosure.groups import MOST, Group, combinations, independent, small_groups
from hhp_stats.errors import HhpError

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_TIGHT = 1e-7  # vectors of zeros and ones, orthogonalised in doubles: true zeros are below 1e-12
_CLOSE = 1e-6  # a group that is the sum of sets, against one that is not: the nearest is then off by a fraction of one
_DENOMINATOR = 48  # coefficients are ones, or halves and thirds of few sets at most


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSet:
    """A set of people whose number is printed. `members` holds everyone: those there are, then the imagined ones."""

    label: str
    members: Mask
    worth: int  # sets of little worth are given up before others
    public: bool = False  # readers know the number anyway: it hides nothing and needs no protection


@dataclass(frozen=True, slots=True, kw_only=True)
class _ByPatterns:
    """What is read off the sets alone: their patterns, which of them make up the others and how, and the groups that
    follow, each with the weights of the sets that give it.
    """

    places: _Places
    basis: list[int]
    relations: Array
    groups: tuple[tuple[Group, Array], ...]
    part: Mask  # of any small group whose number follows, printed or not: by place


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSystem:
    """Counts and the relations between them: `relations @ counts = 0` (q, v).

    The first `printed` of the v counts are printed; the others are small groups that follow from them. `inside[i, j]`
    says that the people of count i are among those of count j whatever the data.
    """

    labels: tuple[str, ...]
    counts: Array
    printed: int
    worth: npt.NDArray[np.int64]
    public: Mask
    relations: Array
    inside: Mask
    groups: tuple[Mask, ...]  # the people of each small group, imagined ones included
    by_patterns: _ByPatterns


def count_system(
    sets: Sequence[CountedSet],
    *,
    people: int,
    threshold: int,
    also: Sequence[Mask] = (),
    same: CountSystem | None = None,
) -> CountSystem:
    """The relations between the numbers of `sets`, and every group of fewer than `threshold` people that follows.

    The first `people` places of each set's members are the people there are; further ones are imagined: combinations of
    answers that are possible but that nobody gave. A relation that holds only because nobody gave them is none a reader
    can know, so relations must hold for imagined people too, and a group that follows may count none of them twice or
    negatively. Groups made of other small groups are left out, since their parts are guarded. `also`: further groups,
    each with the
    imagined people it would count: the same few people may follow in several ways, each the number of those who did
    something else.
    `same`: the system of the same sets, off which nothing is read again.
    Exact up to four patterns a group.
    """
    read = _read_off(sets, people=people, threshold=threshold) if same is None else same.by_patterns
    places, basis, relations, found = read.places, read.basis, read.relations, list(read.groups)
    patterns, sizes = places.patterns, places.sizes
    vectors = patterns.astype(np.float64)
    apart = vectors[basis]  # a copy: of many sets by many patterns one is enough
    known = {np.round(weights @ apart).astype(bool).tobytes() for _, weights in found}
    asked = np.array([places.patterns_of(each) for each in also], dtype=np.bool_).reshape(len(also), len(sizes))
    ways = combinations(apart, asked.astype(np.float64)) if also else np.zeros((0, len(basis)))
    for each, inside, weights in zip(also, asked, ways, strict=True):
        exact = bool(np.abs(weights @ apart - inside).max() < _CLOSE)
        if exact and inside.tobytes() not in known and not (patterns == inside).all(axis=1).any():
            known.add(inside.tobytes())
            found.append((places.group(each), weights))
    k, m = len(sets), len(found)
    rows = np.zeros((len(relations) + m, k + m))
    rows[: len(relations), :k] = relations
    everyone = [patterns]
    for at, (_, weights) in enumerate(found):
        row = _whole_numbers(np.append(weights, -1.0))
        rows[len(relations) + at, basis] = row[:-1]
        rows[len(relations) + at, k + at] = row[-1]
        everyone.append(np.round(weights @ apart).astype(bool)[None])
    all_patterns = np.concatenate(everyone)
    counts = np.concatenate([vectors @ sizes, [float(sizes[list(each)].sum()) for each, _ in found]])
    labels = [each.label for each in sets] + [_in_words(weights, basis, sets) for _, weights in found]
    return CountSystem(
        labels=tuple(labels),
        counts=counts.astype(np.float64),
        printed=k,
        worth=np.array([each.worth for each in sets] + [0] * m, dtype=np.int64),
        public=np.array([each.public for each in sets] + [False] * m, dtype=bool),
        relations=rows,
        inside=_inside(all_patterns),
        groups=tuple(places.people_of(each) for each in all_patterns[k:]),
        by_patterns=read,
    )


def groups_left(sets: Sequence[CountedSet], *, people: int, threshold: int, of: CountSystem) -> tuple[Mask, ...]:
    """The people of every small group that still follows from `sets`, which are some of those of the system `of`.

    The groups of their own system (`count_system`), found among the people who are part of a small group in `of`. What
    follows from some sets follows from all; a group of few people is made of no more patterns than it has people; and
    in `of` each group of so many patterns was found, or is made of ones that were. So nobody else can be part of one.
    """
    places = _places(sets, people)
    basis, _ = _independent(places)
    part = of.by_patterns.part if threshold - 1 <= MOST else None
    _, weighted = _groups(places, basis, threshold=threshold, part=part)
    apart = places.patterns[basis].astype(np.float64)
    return tuple(places.people_of(np.round(weights @ apart).astype(bool)) for _, weights in weighted)


def _read_off(sets: Sequence[CountedSet], *, people: int, threshold: int) -> _ByPatterns:
    places = _places(sets, people)
    basis, dependent = _independent(places)
    own, weighted = _groups(places, basis, threshold=threshold)
    part = np.zeros(len(places.where), dtype=np.bool_)
    for group in own:
        part |= np.isin(places.where, group)
    return _ByPatterns(
        places=places,
        basis=basis,
        relations=_relations_between(places.patterns.astype(np.float64), basis, dependent),
        groups=weighted,
        part=part,
    )


def _places(sets: Sequence[CountedSet], people: int) -> _Places:
    return _Places(np.array([each.members for each in sets], dtype=bool).reshape(len(sets), -1), people)


def _independent(places: _Places) -> tuple[list[int], list[int]]:
    """Which sets are no combination of larger ones, and the others: what depends on others is then small."""
    vectors = places.patterns.astype(np.float64)
    return independent(vectors, np.argsort(-(vectors @ places.sizes), kind="stable"))


def _groups(
    places: _Places, basis: list[int], *, threshold: int, part: Mask | None = None
) -> tuple[list[Group], tuple[tuple[Group, Array], ...]]:
    """All small groups that follow; and those that nobody printed, each with the weights of the independent sets.

    `part`: the people who alone can be part of one, by place.
    """
    patterns, sizes = places.patterns, places.sizes
    vectors = patterns[basis].astype(np.float64)
    # Sets that differ only in imagined people depend on each other where people are.
    enough, more = independent(vectors[:, sizes > 0], np.arange(len(basis)))
    among = None if part is None else places.count(part) == sizes
    own = small_groups(vectors, sizes, threshold=threshold, spanning=enough, among=among)
    groups = _unprinted(own, patterns[:, sizes > 0], np.flatnonzero(sizes))
    weighted = zip(groups, _weights(groups, vectors, sizes, enough, more), strict=True)
    return own, tuple((each, weights) for each, weights in weighted if weights is not None)


class _Places:
    """The distinct columns of `members` (patterns), how many people have each, and which place has which."""

    def __init__(self, members: Mask, people: int) -> None:
        packed = np.packbits(members, axis=0)
        _, first, where = np.unique(packed, axis=1, return_index=True, return_inverse=True)
        self.where, self.people = where.ravel(), people
        self.patterns = members[:, first]
        self.sizes = np.bincount(self.where[:people], minlength=len(first)).astype(np.int64)

    def group(self, members: Mask) -> Group:
        """The patterns of the people in `members`, imagined ones left out."""
        return tuple(int(at) for at in np.unique(self.where[: self.people][members[: self.people]]))

    def patterns_of(self, members: Mask) -> Mask:
        """Which patterns the people in `members` have, imagined ones too."""
        inside = np.zeros(self.patterns.shape[1], dtype=np.bool_)
        inside[self.where[members]] = True
        return inside

    def count(self, members: Mask) -> npt.NDArray[np.int64]:
        """How many of the people there are in `members` have each pattern."""
        return np.bincount(self.where[: self.people][members[: self.people]], minlength=len(self.sizes))

    def people_of(self, inside: Mask) -> Mask:
        """The places whose pattern is inside."""
        return np.asarray(inside[self.where], dtype=np.bool_)


def _relations_between(vectors: Array, basis: list[int], dependent: list[int]) -> Array:
    """One row for each dependent set: what it is made of."""
    rows = np.zeros((len(dependent), len(vectors)))
    if not dependent:
        return rows
    weights = combinations(vectors[basis], vectors[dependent]).T if basis else np.zeros((0, len(dependent)))
    for line, at in enumerate(dependent):
        row = _whole_numbers(np.append(weights[:, line], -1.0))
        rows[line, basis] = row[:-1]
        rows[line, at] = row[-1]
    return rows


def _whole_numbers(weights: Array) -> Array:
    """The same relation in whole numbers, where its coefficients are fractions of small denominators."""
    nearest = np.rint(weights)
    if (np.abs(nearest - weights) <= _CLOSE).all():  # nearly all relations: fractions of each number take long
        return np.asarray(nearest + 0.0)  # no negative zeros
    fractions = [
        Fraction(float(value)).limit_denominator(_DENOMINATOR) if abs(value) > _TIGHT else Fraction(0)
        for value in weights
    ]
    if any(abs(float(part) - value) > _CLOSE for part, value in zip(fractions, weights, strict=True)):
        raise HhpError(
            "the sums between numbers of people cannot be put in whole numbers: their protection cannot be judged"
        )
    factor = lcm(*(part.denominator for part in fractions))
    return np.array([float(part * factor) for part in fractions])


def _unprinted(groups: Sequence[Group], patterns: Mask, real: npt.NDArray[np.intp]) -> list[Group]:
    """The groups that are none of the printed sets as far as there are people (`patterns`): those are guarded
    themselves.
    """
    printed = {each.tobytes() for each in np.packbits(patterns, axis=1)}
    return [each for each in groups if np.packbits(np.isin(real, each)).tobytes() not in printed]


def _weights(
    groups: Sequence[Group], vectors: Array, sizes: npt.NDArray[np.int64], enough: list[int], more: list[int]
) -> list[Array | None]:
    """How each group follows from the independent sets `vectors`, of which `enough` are independent where people are;
    None where the combination could count someone twice or negatively.
    """
    if not groups:
        return []
    real, imagined = sizes > 0, sizes == 0
    wanted = np.zeros((vectors.shape[1], len(groups)))
    for at, group in enumerate(groups):
        wanted[list(group), at] = 1.0
    inside, others = vectors[:, real].T, vectors[:, imagined].T
    # Of sets that depend on each other where people are, there is more than one way.
    weights = np.zeros((len(vectors), len(groups)))
    weights[enough] = combinations(inside[:, enough].T, wanted[real].T).T
    free = np.zeros((len(vectors), len(more)))
    if more:
        free[enough] = -combinations(inside[:, enough].T, inside[:, more].T).T
        free[more, np.arange(len(more))] = 1.0
    found: list[Array | None] = []
    for own in weights.T:
        counted = others @ own
        if (counted > -_TIGHT).all() and (counted < 1 + _TIGHT).all():
            found.append(own)
        else:
            found.append(_moved(own, counted, others @ free, free))
    return found


def _moved(own: Array, counted: Array, moved: Array, free: Array) -> Array | None:
    """The same combination for people there are, that counts imagined ones once or not at all, as far as there is
    one.
    """
    if not free.shape[1]:
        return None
    found = linprog(
        np.zeros(free.shape[1]),
        A_ub=np.vstack([moved, -moved]),
        b_ub=np.concatenate([1 - counted, counted]),
        bounds=(None, None),
        method="highs",
    )
    return np.asarray(own + free @ found.x) if found.success else None


def _inside(patterns: Mask) -> Mask:
    """Which sets lie within which, whatever the data."""
    numbers = patterns.astype(np.float64)
    outside = numbers @ (1 - numbers).T  # people of i who are not in j
    found = np.asarray(outside == 0, dtype=np.bool_)
    np.fill_diagonal(found, False)
    return found


def _in_words(weights: Array, basis: list[int], sets: Sequence[CountedSet]) -> str:
    parts = [
        f"{'less' if weight < 0 else 'with'} {sets[at].label}"
        for at, weight in zip(basis, weights, strict=True)
        if abs(weight) > _TIGHT
    ]
    return "what follows from: " + "; ".join(parts)
