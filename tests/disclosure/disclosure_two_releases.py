"""A reader who lays two releases beside each other: between them the record of very few people of one site was
corrected.

Unknown are the numbers of people in every state in the first release, and how many came to and left a state since.
The change report says which files changed and, of so few people, only that they are fewer than the threshold; so
nobody of another site moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from disclosure_attack import WITHHELD
from scipy.optimize import Bounds, LinearConstraint, milp

Where = tuple[str, str, str]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoReleases:
    """`sets`: for each place, which states it counts (zeros and ones); `first`, `second`: the lists of places of both
    releases.
    """

    sets: Mapping[Where, Array]
    first: pd.DataFrame
    second: pd.DataFrame
    moved: Array  # states of the site whose file changed
    threshold: int = 5

    def found_out(self, truth: Sequence[Array]) -> dict[tuple[int, Where], int]:
        """Small withheld numbers of either release (0 and 1) that can be one number only; `truth`: people by state in
        both.
        """
        size = len(self.moved)
        none, one = np.zeros(size), np.eye(size)
        rows: list[Array] = []
        right: list[float] = []
        aims: list[tuple[int, Where, Array, int]] = []
        for which, release in enumerate((self.first, self.second)):
            for line in release.to_dict("records"):
                where = (line["table"], line["row"], line["column"])
                own = self.sets[where]
                both = np.concatenate(
                    [own, which * own, -which * own]
                )  # came and left count from the second release on
                number = int(own @ truth[which])
                if line["people"] != WITHHELD:
                    assert int(line["people"]) == number, where
                    rows.append(both)
                    right.append(number)
                elif 0 < number < self.threshold:
                    aims.append((which, where, both, number))
        rows.append(np.concatenate([none, self.moved, -self.moved]))  # corrected, not lost
        right.append(0.0)
        apart = [
            LinearConstraint(np.concatenate([none, none, self.moved])[None], 1, self.threshold - 1),
            LinearConstraint(np.hstack([one, 0 * one, -one]), 0, np.inf),
        ]
        upper = np.concatenate([np.full(size, np.inf), *[np.where(self.moved > 0, self.threshold - 1.0, 0.0)] * 2])
        known = np.array(rows)
        _, first = np.unique(np.column_stack([known, right]), axis=0, return_index=True)
        same = LinearConstraint(known[first], np.array(right)[first], np.array(right)[first])
        found = {}
        for which, where, aim, number in aims:
            ends = []
            for low, high in ((number + 1, np.inf), (0, number - 1)):
                done = milp(
                    np.zeros(3 * size),
                    constraints=[same, *apart, LinearConstraint(aim[None], low, high)],
                    integrality=np.ones(3 * size),
                    bounds=Bounds(0, upper),
                )
                assert done.success or done.status == 2, done.message
                ends.append(done.success)
            if not any(ends):
                found[which, where] = number
        return found
