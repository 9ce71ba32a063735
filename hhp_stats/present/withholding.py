"""Which counts have to be withheld so that no small one can be worked out from what is printed?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from hhp_stats.errors import HhpError
from hhp_stats.plan.schema import DisclosureSettings
from hhp_stats.present.count_system import CountSystem, Key

Reason = Literal["primary", "secondary"]
_LOOKS = 8  # at each sum, on average, before the integer programme is asked


def withheld_counts(system: CountSystem, settings: DisclosureSettings) -> dict[Key, Reason]:
    """Which printed counts may not be printed, and why?

    A reader is taken to know which counts are primary, wherever that can be defended against. It cannot where nothing
    else is left to withhold (ones that add up to a total which is small itself): so the reasons are for the trial team,
    and what is printed says only which counts are withheld.

    Primary: counts of 1 to threshold - 1, and 0 where the settings withhold zeros. Secondary: lesser counts, then
    counts that are no totals, then small counts first, until no withheld or unprinted small count has only one value that agrees with
    everything printed; then every secondary count is printed again that turns out not to be needed. What agrees is
    decided exactly, by integer programming over each connected part of the system. The same system gives the same
    answer whatever the order of its cells. Refuses (HhpError) where nothing more could be withheld.
    """
    return _Search(system, settings).run()


class _Search:
    """The counts as arrays: unknown ones are variables, the known ones constants of the sums."""

    def __init__(self, system: CountSystem, settings: DisclosureSettings) -> None:
        self.keys = sorted(system.counts)
        place = {key: at for at, key in enumerate(self.keys)}
        self.counts = np.array([system.counts[key] for key in self.keys], dtype=np.float64)
        self.printed = np.array([key in system.printed for key in self.keys], dtype=bool)
        self.threshold = settings.threshold
        self.lowest = 1 if settings.zeros == "published" else 0
        self.fixed = np.array([key in system.fixed for key in self.keys], dtype=bool)
        self.small = (self.counts >= self.lowest) & (self.counts < self.threshold) & ~self.fixed
        self.sums = sorted({
            (place[each.total], tuple(sorted(place[part] for part in each.parts))) for each in system.sums
        })  # fmt: skip
        self.of: list[list[int]] = [[] for _ in self.keys]
        for at, (total, parts) in enumerate(self.sums):
            for cell in (total, *parts):
                self.of[cell].append(at)
        self.terms = [[(-1.0, total), *((1.0, part) for part in parts)] for total, parts in self.sums]  # zero together
        self.whole: list[float] = self.counts.tolist()
        self.lesser = {place[key] for key in system.lesser}
        self.totals = {total for total, parts in self.sums if len(parts) > 1}
        self.withheld = self.printed & self.small
        self.primary = self.withheld.copy()
        self.defended = np.ones(len(self.keys), dtype=bool)  # against a reader who knows the reasons
        self.witnesses: list[tuple[bool, npt.NDArray[np.bool_]]] = []  # where other possible counts differ from these

    def run(self) -> dict[Key, Reason]:
        # One pass is enough: what is withheld later only adds to what a count could be.
        for cell in map(int, np.flatnonzero(self._guarded())):
            if self._is_exposed(cell):
                self.defended[cell] = self._can_be_defended(cell)
            while self._is_exposed(cell):
                self._cover(cell)
        self._print_again()
        return {
            self.keys[at]: "primary" if self.primary[at] else "secondary" for at in np.flatnonzero(self.withheld)
        }  # fmt: skip

    @property
    def unknown(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.withheld | ~self.printed, dtype=np.bool_)

    def _guarded(self) -> npt.NDArray[np.bool_]:
        """Small counts that nobody may work out."""
        return np.asarray(self.primary | (~self.printed & self.small), dtype=np.bool_)

    def _can_be_defended(self, cell: int) -> bool:
        """Would the count be safe from a reader who knows the reasons, if all others were withheld?"""
        before = self.withheld
        self.withheld = before | (self.printed & ~self.fixed & (self.counts >= self.threshold))
        exposed = self._is_exposed(cell)
        self.withheld = before
        return not exposed

    def _part_of(self, cell: int) -> tuple[list[int], list[int]]:
        """Unknown cells that hang together with `cell` through sums, and those sums."""
        unknown = self.unknown
        cells, sums, waiting = {cell}, set(), [cell]
        while waiting:
            for at in self.of[waiting.pop()]:
                if at in sums:
                    continue
                sums.add(at)
                total, parts = self.sums[at]
                new = {other for other in (total, *parts) if unknown[other]} - cells
                cells |= new
                waiting += sorted(new)
        return sorted(cells), sorted(sums)

    def _is_exposed(self, cell: int) -> bool:
        """Is there only one whole number that this cell can be?"""
        reasons_known = bool(self.defended[cell])
        if self._has_witness(cell, reasons_known=reasons_known):
            return False
        cells, sums = self._part_of(cell)
        limits = self._limits(cells, reasons_known=reasons_known)
        if self._follows(cell, cells, sums, limits):
            return True
        goal = np.zeros(len(cells))
        goal[cells.index(cell)] = 1.0
        constraints = []
        if sums:
            rows, right = self._equations(cells, sums)
            constraints = [LinearConstraint(rows, right, right)]
        bounds = Bounds(*limits)
        for sign in (-1.0, 1.0):
            found = milp(c=sign * goal, constraints=constraints, integrality=np.ones(len(cells)), bounds=bounds)
            if not found.success:
                raise HhpError(f"the protection of {self.keys[cell]} cannot be judged: {found.message}")
            differs = np.zeros(len(self.keys), dtype=bool)
            differs[cells] = np.round(found.x) != self.counts[cells]
            if differs[cell]:
                self.witnesses.append((reasons_known, differs))
                return False
        return True

    def _follows(self, cell: int, cells: list[int], sums: list[int],
                 limits: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]) -> bool:  # fmt: skip
        """Does each sum by itself, with what the others leave, force the cell to one number?

        If so it is exposed: the programme would find the same, in a hundred times the time. If not, nothing follows.
        """
        low, high = (dict(zip(cells, ends.tolist(), strict=True)) for ends in limits)
        waiting = dict.fromkeys(sums)
        # Ends may also creep towards each other: then the programme is faster.
        for _ in range(_LOOKS * len(sums)):
            if not waiting or low[cell] == high[cell]:
                break
            at = next(iter(waiting))
            del waiting[at]
            # The terms of a sum are zero together; what is known of it is between these two.
            least = most = sum(sign * self.whole[each] for sign, each in self.terms[at] if each not in low)
            unknown = [term for term in self.terms[at] if term[1] in low]
            for sign, each in unknown:
                least += low[each] if sign > 0 else -high[each]
                most += high[each] if sign > 0 else -low[each]
            narrowed: dict[int, tuple[float, float]] = {}
            for sign, each in unknown:
                # Each term is what the others leave.
                ends = (high[each] - most, low[each] - least) if sign > 0 else (high[each] + least, low[each] + most)
                if ends[0] > low[each] or ends[1] < high[each]:
                    # Both ends from the sum as it was: the next look at it will use the new ones.
                    narrowed[each] = (max(low[each], ends[0]), min(high[each], ends[1]))
            for each, (new_low, new_high) in narrowed.items():
                low[each], high[each] = new_low, new_high
                waiting |= dict.fromkeys(self.of[each])
        return bool(low[cell] == high[cell])

    def _has_witness(self, cell: int, *, reasons_known: bool) -> bool:
        """Has another set of counts that agrees with all that is printed been found before?"""
        known = ~self.unknown
        return any(
            differs[cell] and (strict or not reasons_known) and not (differs & known).any()
            for strict, differs in self.witnesses
        )

    def _limits(
        self, cells: list[int], *, reasons_known: bool
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """What a reader knows of each unknown count by itself."""
        least = self.threshold if reasons_known else self.lowest
        most = self.counts.sum() + self.threshold
        low = [self.lowest if self.primary[at] else least if self.withheld[at] else 0 for at in cells]
        high = [self.threshold - 1 if reasons_known and self.primary[at] else most for at in cells]
        return np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)

    def _equations(self, cells: list[int], sums: list[int]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        place = {cell: at for at, cell in enumerate(cells)}
        rows, right = np.zeros((len(sums), len(cells))), np.zeros(len(sums))
        for line, at in enumerate(sums):
            for sign, each in self.terms[at]:
                if each in place:
                    rows[line, place[each]] += sign
                else:
                    right[line] -= sign * self.counts[each]
        return rows, right

    def _cover(self, cell: int) -> None:
        """Withhold one more count: one that shares a sum with the exposed one, else with an unknown that does."""
        _, sums = self._part_of(cell)

        def free(sums: Iterable[int]) -> list[int]:
            found = {other for at in sums for other in (self.sums[at][0], *self.sums[at][1])}
            left = [
                at
                for at in found
                if self.printed[at]
                and not self.withheld[at]
                and not self.fixed[at]
                and self.counts[at] >= self.threshold
            ]
            return sorted(
                left, key=lambda at: (at not in self.lesser, at in self.totals, self.counts[at], self.keys[at])
            )

        candidates = free(self.of[cell]) or free(sums)
        if not candidates:
            raise HhpError(f"nothing more can be withheld to protect {self.keys[cell]}")
        for at in candidates:
            self.withheld[at] = True
            if not self._is_exposed(cell):
                return
            self.withheld[at] = False
        self.withheld[candidates[0]] = True  # one alone is not enough

    def _print_again(self) -> None:
        """Print what protects nothing. What could be worked out from the rest goes too: printing it tells nothing new."""
        guarded, changed = self._guarded(), True
        while changed:
            changed = False
            spare = np.flatnonzero(self.withheld & ~self.primary)
            for at in sorted(spare, key=lambda at: (-self.counts[at], self.keys[at])):
                around, _ = self._part_of(int(at))
                self.withheld[at] = False
                if any(self._is_exposed(cell) for cell in around if guarded[cell]):
                    self.withheld[at] = True
                else:
                    changed = True
