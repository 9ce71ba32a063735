"""A reader who wants to know: whatever is printed, as equations over people; what can a withheld number still be?

Written without the protection's own code. What is printed are facts: a set of people and its number. People who belong to the
same printed sets are one unknown number of people. Beside the people there are, unknown numbers stand for people who could
have been there: what one person answered joined to where another one works. A withheld number is found out where integer
programming leaves it one value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

Mask = npt.NDArray[np.bool_]
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

    def found_out(self, *, threshold: int = 5, any_will_do: bool = False) -> dict[str, int]:
        """The small numbers among what is aimed at that have only one possible value, or are printed outright."""
        small = {label: mask for label, mask in self.aims.items() if 0 < mask[: self.people].sum() < threshold}
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
        for label, aim in zip(small, aims, strict=True):
            if _is_sum(aim, known) or _only_one(aim, known, sizes):
                found[label] = int(aim @ sizes)
                if any_will_do:
                    break
        return found


def _is_sum(aim: npt.NDArray[np.float64], known: npt.NDArray[np.float64]) -> bool:
    """Is the number a sum and difference of printed ones, whatever the people?"""
    weights = np.linalg.lstsq(known.T, aim, rcond=None)[0]
    return bool(np.abs(known.T @ weights - aim).max() < 1e-8)


def _only_one(aim: npt.NDArray[np.float64], known: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]) -> bool:
    """Does no other whole number of people agree with everything printed?"""
    truth, right = float(aim @ sizes), known @ sizes
    for other in (truth + 1, truth - 1):
        rows, ends = np.vstack([known, aim[None]]), np.append(right, other)
        # Few people are another number than there are: looked for are the fewest. Mostly the corner that is found is whole.
        size = len(sizes)
        moved = linprog(np.ones(2 * size), A_eq=np.hstack([rows, -rows]), b_eq=ends - rows @ sizes,
                        bounds=[*((0, None) for _ in range(size)), *((0, most) for most in sizes)], method="highs")  # fmt: skip
        if not moved.success:
            assert moved.status == 2, moved.message
            continue
        if np.abs(moved.x - np.round(moved.x)).max() < 1e-6:
            return False
        found = milp(np.zeros(size), constraints=LinearConstraint(rows, ends, ends), integrality=np.ones(size), bounds=Bounds(0, np.inf),
                     options={"time_limit": 20.0})  # fmt: skip
        if found.success:
            return False
        assert found.status == 2, found.message  # neither found nor impossible: nothing is proved
    return True


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
