"""How the arms of a field trial were drawn: people one by one or in whole clusters, within the plan's strata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from hhp_stats.design.cluster_draw import MOST_ALLOCATIONS, ClusterDraw, cluster_draw
from hhp_stats.plan.individual import IndividualAnalysis, IndividualPlan


def units(people: pd.DataFrame, plan: IndividualPlan) -> pd.Series:
    """What was drawn, by name: the cluster of each person, or where people were drawn one by one the person."""
    if plan.design.cluster:
        return people[plan.design.cluster].astype(str)
    width = len(str(len(people)))
    return pd.Series([str(number).zfill(width) for number in range(len(people))], index=people.index, dtype="str")


def strata(people: pd.DataFrame, plan: IndividualPlan) -> pd.Series:
    """The stratum of each person: the values of the plan's strata side by side, "" where everybody was drawn at
    once.
    """
    found = pd.Series("", index=people.index, dtype="str")
    for place, name in enumerate(plan.strata):
        values = people[name].astype(str)
        found = values if place == 0 else found + " / " + values
    return found


def drawn_clusters(people: pd.DataFrame, plan: IndividualPlan) -> ClusterDraw:
    """How were the clusters (or people) drawn: which of each stratum of the plan were treated?

    `people` are in two arms, `treatment` being one in one of them. Refuses a cluster of both arms or of several strata
    (EstimationError, naming it).
    """
    drawn = units(people, plan).rename(plan.design.cluster or "person")
    return cluster_draw(clusters=drawn, treatment=people["treatment"], strata=strata(people, plan))


def redrawing(analysis: IndividualAnalysis, people: pd.DataFrame, plan: IndividualPlan) -> Mapping[str, Any]:
    """What `infer.randomisation_test` needs to draw the arms of `people` again by the trial's own rule.

    `people` is everyone randomised: a cluster in which nobody answered was drawn as well. All allocations are listed
    where they are few enough, and drawn by the same rule where they are not.
    """
    drawn = drawn_clusters(people, plan)
    at_random = analysis.covariance == "random allocations" or (
        analysis.covariance == "allocations" and drawn.count > MOST_ALLOCATIONS
    )
    given: Mapping[str, Any] = {"draw": drawn.redraw} if at_random else {"assignments": drawn.all_allocations()}
    return {"clusters": units(people, plan), "draw_clusters": list(drawn.clusters), **given}
