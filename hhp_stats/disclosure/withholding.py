"""Which numbers of people have to be withheld so that no small one can be worked out from what is printed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from hhp_stats.disclosure.possible import Possible
from hhp_stats.disclosure.system import CountedSet, CountSystem, count_system, groups_left
from hhp_stats.errors import HhpError
from hhp_stats.plan.disclosure import DisclosureSettings

_TRIED = 6  # of the cheapest, whether one alone is enough
_STEPS = 40  # for one count; where so many are not enough, sums of very many sets give it away
_ROUNDS = 12  # groups that only follow once others are withheld are few
Reason = Literal["primary", "secondary"]
Mask = npt.NDArray[np.bool_]


def withheld_counts(
    system: CountSystem,
    settings: DisclosureSettings,
    *,
    before: frozenset[int] = frozenset(),
    start: frozenset[int] = frozenset(),
) -> Mapping[int, Reason]:
    """Which printed counts, by their place in `system`, may not be printed, and why?

    Primary: counts of 1 to threshold - 1, and 0 where the settings withhold zeros; and those in `before`, which an
    earlier
    release withheld. `start`: what is withheld at the beginning. Secondary: counts of little worth first, then small
    ones, until no small count that is withheld or follows from others has only one value that agrees with everything
    printed; then every secondary count is printed again that turns out not to be needed. What agrees is decided
    exactly, by integer programming (`possible`).

    A reader is taken to know which counts are primary, wherever that can be defended against. It cannot where nothing
    else is left to withhold (ones that add up to a total which is small itself): so the reasons are for the trial team,
    and what is printed says only which counts are withheld. Refuses (HhpError) where nothing more could be withheld.
    """
    return _Search(system, settings, before, start).run()


class _Search:
    """What is withheld so far; a count is guarded where it is small and no reader knows it anyway."""

    def __init__(
        self, system: CountSystem, settings: DisclosureSettings, before: frozenset[int], start: frozenset[int]
    ) -> None:
        self.system = system
        counts = system.counts
        self.printed = np.arange(len(counts)) < system.printed
        lowest = 1 if settings.zeros == "published" else 0
        self.small = (counts >= lowest) & (counts < settings.threshold) & ~system.public
        self.primary = self.printed & self.small
        self.withheld = self.primary.copy()
        self.withheld[list(before)] = True
        self.sticky = self.withheld & ~self.primary
        self.withheld[list(start)] = True
        self.defended = np.ones(len(counts), dtype=bool)  # against a reader who knows the reasons
        self.possible = Possible(system, threshold=settings.threshold, lowest=lowest, primary=self.primary)

    def run(self) -> Mapping[int, Reason]:
        guarded = np.flatnonzero(self.small)
        for at in map(int, guarded):
            if self._is_exposed(at):
                self._protect(at)
        self._print_again(guarded)
        primary = self.primary | self.sticky
        return {int(at): "primary" if primary[at] else "secondary" for at in np.flatnonzero(self.withheld)}

    def _protect(self, at: int) -> None:
        """Withhold more until the exposed count is safe; where nothing is enough, until it is from readers who do not
        know the reasons.
        """
        steps, kept = _STEPS, self.withheld.copy()
        # Mostly one count is enough: then a large programme need not say that all together would be.
        if self._cover(at) and not self._is_exposed(at):
            return
        if self._can_be_covered(at):
            steps -= 1  # of which the first is taken
        else:
            self.withheld = kept
            self.defended[at] = False  # nothing protects it from a reader who knows the reasons
            if self._is_exposed(at) and not self._can_be_covered(at):
                raise HhpError(f"nothing more can be withheld to protect {self.system.labels[at]}")
        for _ in range(steps):
            if not self._is_exposed(at):
                return
            if not self._cover(at):
                raise HhpError(f"nothing more can be withheld to protect {self.system.labels[at]}")
        if self._is_exposed(at):
            self.withheld |= self._free()  # which is enough; what is not needed is printed again

    def _is_exposed(self, at: int) -> bool:
        return self.possible.only_one(at, self.withheld, reasons_known=bool(self.defended[at]))

    def _can_be_covered(self, at: int) -> bool:
        """Would it be safe if everything that may be withheld were? If not, no choice among it is enough."""
        kept = self.withheld
        self.withheld = kept | self._free()
        safe = not self._is_exposed(at)
        self.withheld = kept
        return safe

    def _free(self) -> Mask:
        """All printed counts that may still be withheld."""
        return self.printed & ~self.withheld & ~self.system.public & (self.system.counts > 0)

    def _any_exposed(self, guarded: npt.NDArray[np.intp]) -> bool:
        """Is one of them exposed? Where a single sum gives one that is seen at once, and of nearly all others that they
        are not, by other values that were found before.
        """
        if self.possible.given(self.possible.unknown(self.withheld))[guarded].any():
            return True
        defended = self.defended[guarded]
        safe = np.zeros(len(guarded), dtype=np.bool_)
        for known in (True, False):
            if (defended == known).any():
                other = self.possible.seen_otherwise(self.withheld, reasons_known=known)
                safe[defended == known] = other[guarded[defended == known]]
        return any(self._is_exposed(int(at)) for at in guarded[~safe])

    def _cover(self, at: int) -> bool:
        """Withhold one more count: one of those from which the exposed one is worked out, cheapest first. Was there
        one?
        """
        useful = self._worked_out_from(at)
        may_go = self._free()
        free = [int(other) for other in useful if may_go[other]]
        if not free:
            around = self.possible.related(at, self.withheld)
            free = [int(other) for other in around if may_go[other]]
        if not free:
            return False
        free.sort(key=lambda other: (int(self.system.worth[other]), self.system.counts[other], other))
        # Of those worth the same, one that is enough by itself.
        cheapest = self.system.worth[free[0]]
        for other in [other for other in free if self.system.worth[other] == cheapest][:_TRIED]:
            self.withheld[other] = True
            if not self._is_exposed(at):
                return True
            self.withheld[other] = False
        self.withheld[free[0]] = True  # one alone is not enough
        return True

    def _worked_out_from(self, at: int) -> npt.NDArray[np.intp]:
        """Known counts that enter the shortest sum that gives the exposed one; none where it is no sum that gives it
        away.
        """
        unknown = self.possible.unknown(self.withheld)
        rows = self.system.relations
        used = np.abs(rows[:, unknown]).sum(axis=1) > 0
        rows = rows[used]
        places = np.flatnonzero(unknown)
        known = np.flatnonzero(~unknown & (self.system.counts > 0) & rows.any(axis=0))
        if not len(known):
            return known
        left, right = scipy.sparse.csc_array(rows[:, places].T), scipy.sparse.csc_array(rows[:, known].T)
        q, k = len(rows), len(known)
        # Combination y of the relations (free), and the size of what it takes of each known count.
        size = scipy.sparse.eye_array(k, format="csc")
        matrix = scipy.sparse.block_array([[right, -size], [-right, -size], [left, None]], format="csc")
        most = np.zeros(2 * k + len(places))
        most[2 * k + np.searchsorted(places, at)] = 1.0  # the goal: once the exposed count, and no other unknown one
        least = np.concatenate([np.full(2 * k, -np.inf), most[2 * k :]])
        # No variable need be whole: `milp` takes the sparse matrix as it is, `linprog` copies and checks it at length.
        found = milp(
            c=np.concatenate([np.zeros(q), np.ones(k)]),
            constraints=LinearConstraint(matrix, least, most),
            bounds=Bounds(np.concatenate([np.full(q, -np.inf), np.zeros(k)]), np.inf),
        )
        if not found.success:
            return np.array([], dtype=np.intp)
        return np.asarray(known[np.abs(right @ found.x[:q]) > 1e-7], dtype=np.intp)

    def _print_again(self, guarded: npt.NDArray[np.intp]) -> None:
        """Print what protects nothing. What could be worked out from the rest goes too: printing it tells nothing
        new.
        """
        changed = True
        while changed:
            changed = False
            spare = np.flatnonzero(self.withheld & ~self.primary & ~self.sticky)
            for at in sorted(spare, key=lambda at: (-int(self.system.worth[at]), -self.system.counts[at], at)):
                self.withheld[at] = False
                if self._any_exposed(guarded):
                    self.withheld[at] = True
                else:
                    changed = True


def withheld_sets(
    sets: Sequence[CountedSet], settings: DisclosureSettings, *, people: int, before: frozenset[int] = frozenset()
) -> frozenset[int]:
    """Which of the sets may not have their number printed, so that no small group at all follows from what is left?

    As `withheld_counts`; and where several small groups together, each of which is safe, still follow as one group of
    few people from what is printed, that group is guarded too. Where nothing is left to protect such a group (its
    parts are all that is withheld), its parts stay safe and it does not.
    """
    if not sets:
        return frozenset()
    also: list[Mask] = []
    first = count_system(sets, people=people, threshold=settings.threshold)
    found = frozenset(withheld_counts(first, settings, before=before))
    for _ in range(_ROUNDS):
        left = [each for at, each in enumerate(sets) if at not in found]
        if not left:
            break  # nothing is printed from which anything could follow
        more = [
            each
            for each in groups_left(left, people=people, threshold=settings.threshold, of=first)
            if not any((each == known).all() for known in also)
        ]
        if not more:
            break
        for group in [more] if len(more) == 1 else [more, *([each] for each in more)]:
            also += group
            try:
                system = count_system(sets, people=people, threshold=settings.threshold, also=also, same=first)
                found = frozenset(withheld_counts(system, settings, before=before, start=found))
            except HhpError:
                del also[-len(group) :]
                continue
            break
        else:
            break
    return found
