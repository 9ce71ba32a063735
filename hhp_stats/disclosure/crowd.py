"""Masks over everyone a study knows of: its people, responses that belong to nobody known, and imagined people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.disclosure.declared import Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """The order of places in every mask of a study: `people`, then blocks of anonymous ones, then `imagined`.

    `frame` holds the rows of people and imagined people, one below the other, so that a study says once who is meant:
    `crowd.of(crowd.frame["arm"] == "control")`. `anonymous` gives the size of each block.
    """

    frame: pd.DataFrame
    people: int
    anonymous: Mapping[str, int]

    @property
    def there(self) -> int:
        """How many places are not imagined."""
        return self.people + sum(self.anonymous.values())

    def of(self, members: Any, *blocks: str) -> Mask:
        """The people for whom `members` (a value for each row of `frame`) holds, and whole blocks of anonymous ones."""
        inside = np.asarray(members, dtype=np.bool_)
        parts = [np.full(size, name in blocks) for name, size in self.anonymous.items()]
        return np.concatenate([inside[: self.people], *parts, inside[self.people :]])

    def nobody(self, *blocks: str) -> Mask:
        """Blocks alone."""
        return self.of(np.zeros(len(self.frame), dtype=bool), *blocks)

    def everyone(self) -> Mask:
        """All people, imagined ones included."""
        return self.of(np.ones(len(self.frame), dtype=bool))


def crowd(
    people: pd.DataFrame, *, imagined: pd.DataFrame | None = None, anonymous: Mapping[str, int] | None = None
) -> Crowd:
    """Masks over `people`, with imagined rows of the same columns and anonymous blocks of the given sizes."""
    rows = [people] if imagined is None or imagined.empty else [people, imagined[list(people.columns)]]
    frame = pd.concat(rows, ignore_index=True) if len(rows) > 1 else people.reset_index(drop=True)
    return Crowd(frame=frame.copy(), people=len(people), anonymous=dict(anonymous or {}))
