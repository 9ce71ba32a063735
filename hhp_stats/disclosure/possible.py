"""What can a count be, for a reader who knows everything printed and every sum? Integer programming over the unknown
ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from hhp_stats.disclosure.moves import ZERO, moved, moves, reduced
from hhp_stats.disclosure.system import CountSystem
from hhp_stats.errors import HhpError

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_ROUNDING = 1e-6  # of sums of whole numbers
_PASSES = 30  # ends may creep towards each other: then the programme is faster


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    """Other counts that agree with what was known when they were found.

    `reasons`: also with the reasons. `differs`: where they are not the true ones. `alone`: each of them keeps to the
    true counts of all sets around it and within it, not only to the others' values.
    """

    reasons: bool
    differs: Mask
    alone: bool


class Possible:
    """Answers for one system of counts; other counts that were found to agree are kept and asked first.

    The answer is always that of the programme, whatever was asked before: kept counts count only where they satisfy
    it (`seen_otherwise`, `_kept`).
    """

    def __init__(self, system: CountSystem, *, threshold: int, lowest: int, primary: Mask) -> None:
        self.system, self.threshold, self.lowest, self.primary = system, threshold, lowest, primary
        self.printed = np.arange(len(system.counts)) < system.printed
        self.most = float(system.counts.max(initial=0.0) + threshold)
        self.others: list[_Other] = []
        self._asked: tuple[tuple[bytes, bool, int], Mask] | None = None
        self._given: tuple[bytes, Mask] | None = None
        self._filled = np.abs(system.relations) > ZERO
        self._reduced: dict[bytes, tuple[npt.NDArray[np.intp], Array, Array]] = {}
        # The largest true count within each, and the smallest around it.
        self._floor = np.where(system.inside, system.counts[:, None], 0.0).max(axis=0, initial=0.0)
        self._ceiling = np.where(system.inside, system.counts, np.inf).min(axis=1, initial=np.inf)

    def unknown(self, withheld: Mask) -> Mask:
        """Counts that are withheld, and groups that nobody printed; not what readers know anyway."""
        return np.asarray((withheld | ~self.printed) & ~self.system.public, dtype=np.bool_)

    def only_one(self, at: int, withheld: Mask, *, reasons_known: bool) -> bool:
        """Is there only one whole number that the unknown count `at` can be?

        With `reasons_known` the reader also knows which withheld counts are small and which protect others.
        """
        if self.seen_otherwise(withheld, reasons_known=reasons_known)[at]:
            return False
        unknown = self.unknown(withheld)
        if self.given(unknown)[at]:
            return True
        places, rows, right = self._equations(at, unknown)
        here = int(np.searchsorted(places, at))
        if not len(rows) or not rows[:, here].any():
            part, lines = np.array([here]), np.array([], dtype=np.intp)
        else:
            line = np.flatnonzero(np.abs(rows[:, here]) > ZERO)
            if len(line) == 1 and (np.abs(rows[line[0]]) > ZERO).sum() == 1:
                return True  # one sum gives it
            part, lines = self._connected(here, rows)
        cells, whole = places[part], rows[np.ix_(lines, part)]
        if self._kept(at, cells, reasons_known=reasons_known):
            return False
        low, high = self._limits(cells, reasons_known=reasons_known)
        other = self._moved(at, cells, whole, low, high)
        if other is None:
            other = self._programme(at, cells, whole, right[lines], low, high)
        if other is None:
            return True
        self._keep(cells, other, reasons_known=reasons_known)
        return False

    def seen_otherwise(self, withheld: Mask, *, reasons_known: bool) -> Mask:
        """Which counts differ in other counts that were found before and agree with all that is known now?
        Of these there is more than one that each can be.

        Only those found `alone`, which agree with every programme in which all that differs is unknown: its sums are
        those they were found with, its ends and orders come from sets around and within, and its reasons are the same.
        """
        # The same is known in many questions, one for each guarded count.
        key = (withheld.tobytes(), reasons_known, len(self.others))
        if self._asked is None or self._asked[0] != key:
            unknown = self.unknown(withheld)
            agree = [
                each.differs
                for each in self.others
                if each.alone and (each.reasons or not reasons_known) and not (each.differs & ~unknown).any()
            ]
            self._asked = key, np.logical_or.reduce([np.zeros(len(unknown), dtype=np.bool_), *agree])
        return self._asked[1]

    def given(self, unknown: Mask) -> Mask:
        """Which unknown counts follow from a single sum, of which all others are known?"""
        key = unknown.tobytes()
        if self._given is None or self._given[0] != key:
            open_terms = self._filled & unknown
            self._given = key, open_terms[open_terms.sum(axis=1) == 1].any(axis=0)
        return self._given[1]

    def _kept(self, at: int, cells: npt.NDArray[np.intp], *, reasons_known: bool) -> bool:
        """Do other counts found before satisfy the programme over `cells`? All that differs is then in it."""
        outside = np.ones(len(self.system.counts), dtype=np.bool_)
        outside[cells] = False
        return any(
            each.differs[at] and (each.reasons or not reasons_known) and not (each.differs & outside).any()
            for each in self.others
            if not each.alone
        )

    def _keep(self, cells: npt.NDArray[np.intp], other: Array, *, reasons_known: bool) -> None:
        differs = np.zeros(len(self.system.counts), dtype=np.bool_)
        differs[cells] = other != self.system.counts[cells]
        alone = bool((other >= self._floor[cells]).all() and (other <= self._ceiling[cells]).all())
        self.others.append(_Other(reasons=reasons_known, differs=differs, alone=alone))

    def related(self, at: int, withheld: Mask) -> npt.NDArray[np.intp]:
        """Counts that share a sum with `at`, or with an unknown one that does."""
        rows = np.abs(self.system.relations) > ZERO
        unknown = self.unknown(withheld)
        inside, waiting, lines = {at}, [at], set()
        while waiting:
            for line in map(int, np.flatnonzero(rows[:, waiting.pop()])):
                if line not in lines:
                    lines.add(line)
                    new = {int(other) for other in np.flatnonzero(rows[line] & unknown)} - inside
                    inside |= new
                    waiting += sorted(new)
        return np.flatnonzero(rows[sorted(lines)].any(axis=0)) if lines else np.array([], dtype=np.intp)

    # ------------------------------------------------------------ equations
    def _equations(self, at: int, unknown: Mask) -> tuple[npt.NDArray[np.intp], Array, Array]:
        """The relations as equations of the unknown counts around `at`, so that each first unknown stands in one line
        only.

        Around it are those that share a sum with it, or with one that does: other sums say nothing of it, and stay as
        they were when something else is withheld.
        """
        around: Mask = np.zeros(len(unknown), dtype=np.bool_)
        around[at] = True
        while True:
            lines = self._filled[:, around].any(axis=1)
            wider = np.asarray(self._filled[lines].any(axis=0) & unknown | around, dtype=np.bool_)
            if (wider == around).all():
                break
            around = wider
        key = around.tobytes()
        if key not in self._reduced:
            relations, known = self.system.relations[lines], ~unknown
            rows = np.column_stack([relations[:, around], -relations[:, known] @ self.system.counts[known]])
            rows = reduced(rows)
            self._reduced[key] = (np.flatnonzero(around), rows[:, :-1], rows[:, -1])
        return self._reduced[key]

    def _connected(self, here: int, rows: Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        filled = np.abs(rows) > ZERO
        lines: Mask = np.zeros(len(rows), dtype=bool)
        part: Mask = np.zeros(rows.shape[1], dtype=bool)
        part[here] = True
        while True:
            found = np.asarray(filled[:, part].any(axis=1), dtype=np.bool_)
            wider = np.asarray(filled[found].any(axis=0) | part, dtype=np.bool_)
            if (wider == part).all() and (found == lines).all():
                return np.flatnonzero(part), np.flatnonzero(lines)
            lines, part = found, wider

    # ------------------------------------------------------------ other counts
    def _moved(self, at: int, cells: npt.NDArray[np.intp], rows: Array, low: Array, high: Array) -> Array | None:
        """Other counts a move or two away, such that are good in most other questions first."""
        truth, here = self.system.counts[cells], int(np.flatnonzero(cells == at)[0])
        steps = moves(rows)
        sums = self.system.relations[:, cells]
        steps = steps[~(sums @ steps.T).any(axis=0)]  # in whole numbers: exactly
        inside = self.system.inside[np.ix_(cells, cells)]
        floor, ceiling = np.maximum(low, self._floor[cells]), np.minimum(high, self._ceiling[cells])
        found = moved(here, truth, steps, low=floor, high=ceiling, inside=inside)
        return moved(here, truth, steps, low=low, high=high, inside=inside) if found is None else found

    def _programme(
        self, at: int, cells: npt.NDArray[np.intp], whole: Array, given: Array, low: Array, high: Array
    ) -> Array | None:
        """Other counts by integer programming; None where there are none."""
        here = int(np.flatnonzero(cells == at)[0])
        # A set within another counts no more than it; where the ends say so already, it need not be said again.
        nested = np.argwhere(self.system.inside[np.ix_(cells, cells)])
        nested = nested[high[nested[:, 0]] > low[nested[:, 1]]]
        line, term = np.nonzero(whole)
        terms = scipy.sparse.coo_array(
            (
                np.concatenate([whole[line, term], np.tile([1.0, -1.0], len(nested))]),
                (
                    np.concatenate([line, len(whole) + np.repeat(np.arange(len(nested)), 2)]),
                    np.concatenate([term, nested.ravel()]),
                ),
            ),
            shape=(len(whole) + len(nested), len(cells)),
        )
        least = np.concatenate([given, np.full(len(nested), -np.inf)])
        most = np.concatenate([given, np.zeros(len(nested))])
        truth = self.system.counts[cells]
        # Looked for is another value, not the furthest: one away from the truth is enough.
        for ends in ((truth[here] + 1, high[here]), (low[here], truth[here] - 1)):
            lower, upper = low.copy(), high.copy()
            lower[here], upper[here] = ends
            narrowed = _narrowed(terms, least, most, lower, upper)
            if narrowed is None:
                continue
            found = milp(
                c=np.zeros(len(cells)),
                constraints=[LinearConstraint(terms.tocsr(), least, most)] if terms.shape[0] else [],
                integrality=np.ones(len(cells)),
                bounds=Bounds(*narrowed),
            )
            if found.status == 2:  # no other value on this side
                continue
            if not found.success:
                raise HhpError(f"the protection of {self.system.labels[at]} cannot be judged: {found.message}")
            return np.asarray(np.round(found.x))
        return None

    def _limits(self, cells: npt.NDArray[np.intp], *, reasons_known: bool) -> tuple[Array, Array]:
        """What a reader knows of each unknown count by itself: its reason, and the sets that it holds or lies in.

        Of these all are taken to be known that no sum connects with `cells`: also a withheld one, which then follows
        from other sums, or may at least be what it is.
        """
        inside, counts = self.system.inside, self.system.counts
        known = np.ones(len(counts), dtype=bool)
        known[cells] = False
        within = np.where(inside[cells] & known, counts, np.inf).min(axis=1, initial=self.most)
        holds = np.where(inside[:, cells].T & known, counts, 0.0).max(axis=1, initial=0.0)
        printed, primary = self.printed[cells], self.primary[cells]
        least = np.where(printed, float(self.lowest), 0.0)
        if reasons_known:
            least = np.where(printed & ~primary, np.minimum(self.threshold, counts[cells]), least)
            within = np.where(primary, np.minimum(within, self.threshold - 1.0), within)
        return np.maximum(least, holds), within


def _narrowed(
    matrix: scipy.sparse.coo_array, least: Array, most: Array, low: Array, high: Array
) -> tuple[Array, Array] | None:
    """Ends that each line leaves to each count, in whole numbers; None where nothing is left. Saves most of the
    programmes.
    """
    # Lines hold few of the terms: only what is not zero is worked on, and brought together by line and by term.
    line, term, weight = matrix.row, matrix.col, matrix.data
    positive = weight > 0
    order = np.argsort(term, kind="stable")
    terms, starts = np.unique(term[order], return_index=True)
    low, high = low.copy(), high.copy()
    for _ in range(_PASSES):
        if (low > high).any():
            return None
        if not len(terms):
            break
        smallest = weight * np.where(positive, low[term], high[term])
        largest = weight * np.where(positive, high[term], low[term])
        lowest = np.bincount(line, smallest, minlength=matrix.shape[0])[line]
        highest = np.bincount(line, largest, minlength=matrix.shape[0])[line]
        # What the others of the line leave to each of its terms.
        floor = (least[line] - (highest - largest)) / weight
        ceiling = (most[line] - (lowest - smallest)) / weight
        first, second = np.where(positive, floor, ceiling), np.where(positive, ceiling, floor)
        from_below = np.ceil(np.maximum.reduceat(first[order], starts) - _ROUNDING)
        from_above = np.floor(np.minimum.reduceat(second[order], starts) + _ROUNDING)
        new_low, new_high = np.maximum(low[terms], from_below), np.minimum(high[terms], from_above)
        if (new_low == low[terms]).all() and (new_high == high[terms]).all():
            break
        low[terms], high[terms] = new_low, new_high
    return None if (low > high).any() else (low, high)
