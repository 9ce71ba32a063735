"""What each outcome is like in each arm, before and after: means, deviations or shares, and of how many people.
(CONSORT 26.)"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.calls.ran import name_of
from hhp_stats.plan.conditions import members
from hhp_stats.plan.returns_schema import ReturnsOutcome, ReturnsPlan
from hhp_stats.regression.spread import spread
from hhp_stats.results.frame import ResultRow, not_estimated
from hhp_stats.studies.sources import states_source

BASELINE = "baseline"
KNOWN = {"": "those with a known outcome", f"{BASELINE}_": "those with a known baseline value"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFigure:
    """One figure of one arm: which outcome, at which wave, mean or standard deviation, of whom."""

    outcome: ReturnsOutcome
    prefix: str  # of the estimand: "" at the end, "baseline_" before
    name: str  # mean, sd
    arm: str

    @property
    def estimand(self) -> str:
        """As in the result id."""
        return f"{self.prefix}{self.name}_{self.arm}"

    @property
    def column(self) -> str:
        """Where its values stand."""
        return self.outcome.baseline if self.prefix else self.outcome.column


def arm_figures(plan: ReturnsPlan) -> Iterator[ArmFigure]:
    """Every figure of every outcome; of what is weighted (rates) the mean alone, as single people's rates have no
    deviation
    that would say how sure it is."""
    for outcome in plan.outcomes.values():
        for prefix in ("", f"{BASELINE}_") if outcome.baseline else ("",):
            for arm in plan.design.arms:
                for name in ("mean",) if outcome.weight and not prefix else ("mean", "sd"):
                    yield ArmFigure(outcome=outcome, prefix=prefix, name=name, arm=arm)


def of_the_arm(people: pd.DataFrame, figure: ArmFigure, plan: ReturnsPlan) -> pd.Series:
    """Who stands behind a figure: those of the arm for whom it is known, of the population of the outcome's first
    analysis."""
    first = next((one for one in plan.analyses if one.outcome == figure.outcome.id), None)
    inside = members(people, plan.populations[first.population].where if first else "")
    arm = people["treatment"] == plan.design.arms[figure.arm]
    return pd.Series(inside.astype(bool) & arm & people[figure.column].notna(), index=people.index)


@states_source
def arm_rows(people: pd.DataFrame, plan: ReturnsPlan) -> list[ResultRow]:
    """Mean, standard deviation (denominator n - 1), people and teams of each outcome by arm and wave: no test.

    The mean of a zero-one outcome is a share. An outcome with a weight has the weighted mean, sum w y / sum w: of days
    lost
    for every hundred in post, weighted by the days in post, that is all days lost over all days in post. Of arms with
    fewer than two known values the row says so.
    """
    rows = []
    for figure in arm_figures(plan):
        own = of_the_arm(people, figure, plan)
        values = people.loc[own, figure.column].to_numpy(dtype=np.float64)
        result_id = f"{plan.study}/{figure.outcome.id}/{figure.estimand}/raw"
        if len(values) < 2:
            rows.append(_unknown(result_id, figure, plan))
            continue
        weight = figure.outcome.weight if not figure.prefix else ""
        weights = people.loc[own, weight].to_numpy(dtype=np.float64) if weight else None
        mean = float(np.average(values, weights=weights))
        about: dict[str, Any] = {
            "study": plan.study,
            "outcome": figure.outcome.id,
            "population": KNOWN[figure.prefix],
            "contrast": figure.arm,
            "analysis": "exploratory",
            "n": len(values),
            "n_clusters": int(people.loc[own, "team_id"].nunique()),
            "status": "descriptive",
            "clause": " ".join(figure.outcome.clauses),
        }
        value = mean if figure.name == "mean" else spread(values)
        words = f", weighted by {weight.replace('_', ' ')}" if weight else ""
        rows.append(
            ResultRow(
                result_id=result_id,
                estimand=figure.estimand,
                method=f"{figure.name} of the arm{words}",
                estimate=value,
                **about,
            )
        )
    return rows


def _unknown(result_id: str, figure: ArmFigure, plan: ReturnsPlan) -> ResultRow:
    return not_estimated(
        result_id=result_id,
        reason=f"NoObservations: known of too few people of the arm {figure.arm}",
        population=KNOWN[figure.prefix],
        contrast=figure.arm,
        method=f"{figure.name} of the arm",
        analysis="exploratory",
        clause=" ".join(figure.outcome.clauses),
        source=name_of(arm_rows),
    )
