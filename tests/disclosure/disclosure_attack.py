"""A reader who wants to know: whatever is printed, as equations over people; what can a withheld number still be?

Written without the protection's own code. What is printed are facts: a set of people and its number. People who
belong to the same printed sets are one unknown number of people. Beside the people there are, unknown numbers stand
for people who could
have been there: what one person answered joined to where another one works. A withheld number is found out where
integer programming leaves it one value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csc_array, hstack

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
WITHHELD = "[c]"


@dataclass(slots=True)
class Reader:
    """What one reader knows of a study, and what it does not print. `people` rows are there, further ones could be."""

    people: int
    facts: list[tuple[str, Mask, int]] = field(default_factory=list)
    aims: dict[str, Mask] = field(default_factory=dict)

    def read(self, label: str, members: Sequence[bool] | pd.Series, printed: object) -> None:
        """A cell that prints the number of `members`, or withholds it."""
        mask = np.asarray(members, dtype=bool)
        if (isinstance(printed, str) and printed == WITHHELD) or pd.isna(printed):
            self.aims.setdefault(label, mask)
        else:
            assert int(mask[: self.people].sum()) == round(float(printed)), (
                label,
                int(mask[: self.people].sum()),
                printed,
            )
            self.facts.append((label, mask, round(float(printed))))

    def aim(self, label: str, members: Sequence[bool] | pd.Series) -> None:
        """A number that no cell holds, and that might be worked out."""
        self.aims[label] = np.asarray(members, dtype=bool)

    def found_out(
        self, *, threshold: int = 5, any_will_do: bool = False, only: Sequence[str] | None = None, whole: bool = True
    ) -> dict[str, int]:
        """The small numbers among what is aimed at (or `only` these) that have only one possible value, or are
        printed outright.

        Without `whole` another value need not be one of whole people: nothing follows then by sums and by what cannot
        be negative.
        """
        aims = self.aims if only is None else {label: self.aims[label] for label in only}
        small = {label: mask for label, mask in aims.items() if 0 < mask[: self.people].sum() < threshold}
        found = {label: number for label, mask, number in self.facts if 0 < number < threshold}
        if not small or (found and any_will_do):
            return found
        known = np.array([mask for _, mask, _ in self.facts], dtype=bool).reshape(len(self.facts), -1)
        rows = np.vstack([known, *[mask[None] for mask in small.values()]])
        _, first, where = np.unique(np.packbits(rows, axis=0), axis=1, return_index=True, return_inverse=True)
        sizes = np.bincount(where.ravel()[: self.people], minlength=len(first)).astype(float)
        table = rows[:, first].astype(float)
        known, aims = table[: len(known)], table[len(known) :]
        known = known[np.unique(known, axis=0, return_index=True)[1]]
        others: list[Numbers] = []  # whole numbers that agree as well, less the truth
        for label, aim, follows in zip(small, aims, _are_sums(aims, known), strict=True):
            if any(abs(aim @ other) > 0.99 for other in others):
                continue
            other = None if follows else _another(aim, known, sizes, whole=whole)
            if other is not None:
                others.append(other)
                continue
            found[label] = int(aim @ sizes)
            if any_will_do:
                break
        return found


def _are_sums(aims: Numbers, known: Numbers) -> Mask:
    """Is each number a sum and difference of printed ones, whatever the people?"""
    weights = np.linalg.lstsq(known.T, aims.T, rcond=None)[0]
    return np.asarray(np.abs(known.T @ weights - aims.T).max(axis=0) < 1e-8)


def _another(aim: Numbers, known: Numbers, sizes: Numbers, *, whole: bool) -> Numbers | None:
    """Other whole numbers of people that agree with everything printed and have another number aimed at: what
    differs, or None.

    Few people are another number than there are, so of whole ones the fewest are looked for: first among moves of one or
    two people. Of others any will do, which moves many numbers at once.
    """
    rows, size = csc_array(np.vstack([known, aim[None]])), len(sizes)
    moves = hstack([rows, -rows], format="csc")
    for step in (1.0, -1.0):
        ends = np.append(np.zeros(len(known)), step)
        corner = linprog(
            np.full(2 * size, float(whole)),
            A_eq=moves,
            b_eq=ends,
            bounds=[*((0, None) for _ in range(size)), *((0, most) for most in sizes)],
            method="highs",
        )
        if not corner.success:
            assert corner.status == 2, corner.message
            continue
        if np.abs(corner.x - np.round(corner.x)).max() < 1e-6:  # mostly it is whole
            return np.asarray(np.round(corner.x[:size] - corner.x[size:]))
        if not whole:
            return np.asarray(corner.x[:size] - corner.x[size:])
        for most in (2.0, np.inf):
            found = milp(
                np.ones(2 * size),
                constraints=LinearConstraint(moves, ends, ends),
                integrality=np.ones(2 * size),
                bounds=Bounds(0, np.concatenate([np.full(size, most), np.minimum(sizes, most)])),
                options={"time_limit": 120.0},
            )
            if found.x is not None:
                return np.asarray(np.round(found.x[:size] - found.x[size:]))
            assert found.status == 2, found.message  # neither found nor impossible: nothing is proved
    return None


def joined(
    people: pd.DataFrame, groups: Sequence[Sequence[str]], *, keep: Sequence[str], copies: int, seed: int = 0
) -> pd.DataFrame:
    """People who could have been there: `keep` of one person, each group of columns of another one drawn by chance."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(copies):
        other = people.copy()
        for columns in groups:
            names = [name for name in columns if name in people]
            other[names] = people[names].to_numpy()[rng.permutation(len(people))]
        made.append(other)
    assert set(keep) <= set(people)
    return pd.concat([people, *made], ignore_index=True).infer_objects()
