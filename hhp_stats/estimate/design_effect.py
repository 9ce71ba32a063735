"""By how much do clusters inflate the variance of a comparison between them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput
from hhp_stats.estimate.icc import icc_anova
from hhp_stats.regression.clusters import cluster_codes
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.model_matrix import Array, as_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignEffect:
    """The factor of the variance, and what it is made of."""

    factor: float
    icc: float  # of the residuals, zero where it was estimated below
    size: float  # the size of the cluster of an average person, sum of squared sizes over people
    n_clusters: int

    def note(self) -> str:
        """In words, for the note of an estimate."""
        return (
            f"Design effect {self.factor:.2f} (intracluster correlation of the residuals {self.icc:.3f}, "
            f"{self.size:.1f} people in the cluster of an average person)."
        )


@typed
def design_effect(*, residuals: Array, clusters: ArrayLike, assignment: Array | None = None) -> DesignEffect:
    """By how much is the variance of a difference between whole clusters larger than if people were independent?

    Estimator: 1 + (m - 1) r, with m = sum of squared cluster sizes over people and r the intracluster correlation of
    the residuals by analysis of variance (`icc_anova`), within arms where `assignment` was of whole clusters; never
    below one. It needs no events in either arm, as a sandwich does: where events come in clumps, r says so.

    Shapes: residuals (n,), clusters (n,), assignment (n,) or None. Conservative for a treatment that varies within
    clusters, whose comparison clusters make more precise.
    Refuses what `icc_anova` refuses, but clusters of one person have no likeness and the factor one.
    Source: Rao and Scott (1992), Biometrics 48, 577-585; Kish (1965), Survey Sampling, section 5.4.
    """
    codes, count = cluster_codes(clusters)
    same_people(residuals=residuals, the_clusters=clusters, assignment=assignment)
    given = [residuals] if assignment is None else [residuals, assignment]
    values = [as_numbers(value, name=name) for value, name in zip(given, ("residuals", "assignment"), strict=False)]
    if any(value.shape != codes.shape for value in values):
        raise InvalidInput(f"{len(codes)} cluster names for residuals or an assignment of {[v.shape for v in values]}")
    sizes = np.bincount(codes).astype(np.float64)
    size = float((sizes**2).sum() / sizes.sum())
    if sizes.max() == 1:
        return DesignEffect(factor=1.0, icc=0.0, size=1.0, n_clusters=count)
    arms = None
    if assignment is not None:
        first = np.unique(codes, return_index=True)[1]
        arms = values[1] if (values[1] == values[1][first][codes]).all() else None
    icc = max(icc_anova(outcome=values[0], clusters=codes, treatment=arms).estimate, 0.0)
    return DesignEffect(factor=1 + (size - 1) * icc, icc=icc, size=size, n_clusters=count)
