"""Members of the groups of tables that nobody is in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hhp_stats.plan.individual import IndividualPlan


def imagined(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """People who answered a survey but for the items of one scale: possible, whether or not anybody did so.

    One for each group of people with the same arm, block and other listed columns, each survey and each scale.
    Without them a scale that nobody left out who answered another would look as if it could not be left out.
    """
    primary = plan.primary.id
    if plan.data is not None:
        return _imagined_on_a_table(people, plan)
    listed = [
        name for name in ("arm", plan.design.within, plan.design.cluster, "staff_group") if name and name in people
    ]
    found = []
    for suffix, ending in (("t1", "_t1"), ("t2", "")):
        answered = people.loc[people[f"opened_{suffix}"]].drop_duplicates(listed)
        names = {outcome.id: f"{outcome.id}{ending}" for outcome in plan.outcomes.values() if outcome.scales}
        full = answered.assign(**dict.fromkeys(names.values(), 1.0))
        for scale in plan.scales:
            lost = [
                names[outcome.id] for outcome in plan.outcomes.values() if outcome.scales and scale in outcome.scales
            ]
            part = full.assign(**dict.fromkeys(lost, np.nan))
            found.append(part.assign(responded=part[primary].notna().astype("float64")))
    return pd.concat(found, ignore_index=True) if found else people.iloc[:0]


def _imagined_on_a_table(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """The same of a table: people of each arm (and cluster) for whom everything is known but one outcome or
    baseline.
    """
    listed = [name for name in ("arm", plan.design.cluster) if name]
    columns = {outcome.column for outcome in plan.measured} | {o.baseline for o in plan.measured if o.baseline}
    full = people.drop_duplicates(listed).assign(**dict.fromkeys(sorted(columns), 1.0))
    found = [full.assign(**{column: np.nan}) for column in sorted(columns)]
    frame = pd.concat(found, ignore_index=True)
    known = frame[plan.primary.column].notna()
    return frame.assign(responded=known.astype("float64"), opened_t2=known)
