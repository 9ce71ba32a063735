"""The covariance of least squares that a plan names, in every study alike."""

from __future__ import annotations

from typing import cast

import pandas as pd

from hhp_stats.errors import InvalidInput
from hhp_stats.regression.cluster_robust import (
    ClusterKind,
    HeteroskedasticKind,
    RobustCovariance,
    cluster_covariance,
    heteroskedastic_covariance,
    two_way_covariance,
)
from hhp_stats.regression.linear import LinearFit


def covariance_of(
    fit: LinearFit, kind: str, *, clusters: pd.Series | None = None, second: pd.Series | None = None
) -> RobustCovariance:
    """The covariance of a kind: `two-way` by `clusters` and `second`, CR0 to CR3 by `clusters`, HC0 to HC3 by people.

    Refuses (InvalidInput) clusters that are not there.
    """
    if kind != "two-way" and not kind.startswith("CR"):
        return heteroskedastic_covariance(fit, kind=cast(HeteroskedasticKind, kind))
    if clusters is None:
        raise InvalidInput(f"{kind} needs clusters, and none are there")
    if kind != "two-way":
        return cluster_covariance(fit, clusters=clusters, kind=cast(ClusterKind, kind))
    if second is None:
        raise InvalidInput("two-way needs clusters of two kinds, and one is there")
    return two_way_covariance(fit, clusters=clusters, second=second)
