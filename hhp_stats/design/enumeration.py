"""Every allocation that the rule could have produced, where there are few enough to list."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.design.randomisation import AllocationRule
from hhp_stats.design.team_sums import Array, Assignments, TeamSums
from hhp_stats.errors import InvalidInput


@typed
def count_allocations(strata: ArrayLike) -> int:
    """How many ways are there to treat half of each stratum (either way round where it is odd)?

    Product over strata of C(s, s/2), or 2 C(s, (s-1)/2) where s is odd. `strata` one label a team.
    """
    labels = np.asarray(strata)
    if labels.ndim != 1:
        raise InvalidInput(f"strata must be one label a team, not of shape {labels.shape}")
    sizes = pd.Series(labels).value_counts()
    return math.prod(math.comb(int(s), int(s) // 2) * (1 + int(s) % 2) for s in sizes)


@typed
def enumerate_allocations(
    *, people: pd.DataFrame, strata: pd.DataFrame, rule: AllocationRule, limit: int = 200_000
) -> tuple[Assignments, Array, tuple[str, ...]]:
    """What could the randomisation have given, and with what chance each?

    Estimator: all A allocations of half of each stratum are equally likely candidates. With a share a
    of them accepted and L = 1 + max_redraws draws allowed, an accepted one comes out with probability
    (1 - (1 - a)^L) / (a A), another one (kept as the last draw) with (1 - a)^L / ((1 - a) A).

    Returns (assignments (A, teams) of 0/1, probabilities (A,), team_ids), for `randomisation_test`.
    Refuses more than `limit` allocations (InvalidInput: draw instead, `randomisation.Redraws`).
    """
    sums = TeamSums.of(people, strata, rule)
    labels = sums.teams["stratum"].to_numpy()
    count = count_allocations(labels)
    if count > limit:
        raise InvalidInput(f"{count:,} allocations are more than {limit:,}: use random redraws")
    every = np.zeros((1, len(labels)), dtype=np.uint8)
    for label in dict.fromkeys(labels):
        rows = np.flatnonzero(labels == label)
        half = {len(rows) // 2, (len(rows) + 1) // 2}
        ways = [way for size in sorted(half) for way in combinations(rows, size)]
        block = np.zeros((len(ways), len(labels)), dtype=np.uint8)
        for number, way in enumerate(ways):
            block[number, list(way)] = 1
        every = (every[:, None, :] + block[None, :, :]).reshape(-1, len(labels))
    accepted = np.all(sums.p_values(every.T) > rule.alpha, axis=1)
    share, last = accepted.mean(), rule.max_redraws + 1
    probability = np.where(accepted, (1 - (1 - share) ** last) / max(share, 1 / count), 0.0)
    if share < 1:
        probability += np.where(accepted, 0.0, (1 - share) ** (last - 1))
    return every, probability / count, tuple(sums.teams["team_id"])
