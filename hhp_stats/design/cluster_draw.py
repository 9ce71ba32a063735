"""A draw of whole clusters within strata: how many of each were treated, every allocation it could give, and new
draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.errors import EstimationError, InvalidInput

MOST_ALLOCATIONS = 20_000  # all of them are listed; a trial with more clusters needs random redraws


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDraw:
    """How the clusters were drawn: `treated[h]` of those with `strata == h` to the treatment, each choice equally
    likely.

    `clusters` (G,) their names in order, `strata` (G,) the stratum of each from 0, `treated` one number a stratum.
    """

    clusters: tuple[str, ...]
    strata: npt.NDArray[np.intp]
    treated: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many allocations the draw could have produced: product over strata of C(clusters, treated)."""
        return math.prod(
            math.comb(int((self.strata == stratum).sum()), treated) for stratum, treated in enumerate(self.treated)
        )

    def all_allocations(self) -> npt.NDArray[np.int8]:
        """Every allocation, one a row of 0 and 1; refuses one that leaves no choice, and too many (InvalidInput)."""
        if self.count < 2:
            raise InvalidInput("the draw could have produced one allocation only: there is nothing to compare with")
        if self.count > MOST_ALLOCATIONS:
            raise InvalidInput(
                f"{self.count:,} allocations are too many to list: plan the covariance 'random allocations'"
            )
        found = np.zeros((1, len(self.clusters)), dtype=np.int8)
        for stratum, treated in enumerate(self.treated):
            places = np.flatnonzero(self.strata == stratum)
            ways = [list(way) for way in combinations(places.tolist(), treated)]
            own = np.zeros((len(ways), len(self.clusters)), dtype=np.int8)
            for row, way in enumerate(ways):
                own[row, way] = 1
            found = (found[:, None, :] + own[None, :, :]).reshape(-1, len(self.clusters))
        return found

    def redraw(self, rng: np.random.Generator, size: int) -> npt.NDArray[np.int8]:
        """`size` allocations by the same rule, one a row."""
        found = np.zeros((size, len(self.clusters)), dtype=np.int8)
        for stratum, treated in enumerate(self.treated):
            places = np.flatnonzero(self.strata == stratum)
            order = rng.random((size, len(places))).argsort(axis=1)
            found[:, places] = order < treated
        return found


def cluster_draw(*, clusters: pd.Series, treatment: pd.Series, strata: pd.Series | None = None) -> ClusterDraw:
    """How were these people's clusters drawn: which of each stratum were treated? One value a person, (n,).

    Refuses people without a cluster, an arm or a stratum (InvalidInput), and a cluster of both arms or of several
    strata (EstimationError, naming it).
    """
    for words, values in (("cluster", clusters), ("arm", treatment), ("stratum", strata)):
        if values is not None and values.isna().any():
            raise InvalidInput(f"{int(values.isna().sum())} people have no {words}: nobody can say how they were drawn")
    people = pd.DataFrame(
        {
            "cluster": clusters.astype(str).to_numpy(),
            "arm": treatment.to_numpy(),
            "stratum": "" if strata is None else strata.astype(str).to_numpy(),
        }
    )
    groups = people.groupby("cluster", sort=True)
    for name in ("arm", "stratum"):
        if (mixed := groups[name].nunique()).max() > 1:
            raise EstimationError(f"{clusters.name} {mixed.idxmax()} holds people of more than one {name}")
    arms = groups["arm"].first()
    codes, _ = pd.factorize(groups["stratum"].first(), sort=True)
    return ClusterDraw(
        clusters=tuple(arms.index), strata=codes, treated=tuple(int(n) for n in arms.groupby(codes).sum())
    )
