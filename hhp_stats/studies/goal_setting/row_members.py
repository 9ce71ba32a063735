"""Whom does the n of each of the goal-setting trial's results count? Declarations for disclosure control.

Each row is known by its id: what analysis it belongs to (told by the cell that made it), or which figure it is. Its
people
are selected by the same conditions as when it was estimated; that they are as many as its n is checked where the
declaration
is read (`disclosure.places`), and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.disclosure.crowd import Crowd
from hhp_stats.disclosure.declared import GIVEN_UP, KEPT, LESSER, ORDINARY, Row
from hhp_stats.errors import NoObservations, UndeclaredCount
from hhp_stats.plan.returns_schema import ReturnsAnalysis, ReturnsPlan
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.goal_setting.analysed import Material, counted, model_terms, outcome_column
from hhp_stats.studies.goal_setting.arm_means import ArmFigure, arm_figures, of_the_arm
from hhp_stats.studies.goal_setting.baselines import FILLED, RECORDED
from hhp_stats.studies.goal_setting.clustering import STANDARDISED
from hhp_stats.studies.goal_setting.cost_benefit import FIELLER, JOINT, TURNOVER, turnover_beside
from hhp_stats.studies.goal_setting.members import known_people
from hhp_stats.studies.goal_setting_terms import primary_analysis, versions_of_baselines

WITHOUT_COVARIATES = ("lee-bounds", "worst-case-bounds")
WORTH = {"primary": KEPT, "secondary": KEPT, "mediator": ORDINARY, "subscale": LESSER, "exploratory": GIVEN_UP}
PRINTED_DIGITS = 2  # of a mean whose n is withheld: as it is printed, from which its n does not follow
_GROUPS = {"randomised": "person", "analysed": "absence_days", "respondents": "wellbeing_t2"}  # of the tests of balance


def row_members(
    c: Crowd, rows: Sequence[ResultRow], material: Material, analyses: Mapping[str, ReturnsAnalysis]
) -> dict[str, Row]:
    """The people behind every row that has an n; `analyses` says of which planned analysis a row is a result, or a
    restatement, by its id.

    Raises UndeclaredCount for a row of no known kind.
    """
    declaring = _Declaring(c, material, analyses)
    return {row.result_id: declaring.row(row) for row in rows if row.n is not None}


class _Declaring:
    """The declarations of one study's rows; people of an analysis are selected once."""

    def __init__(self, c: Crowd, material: Material, analyses: Mapping[str, ReturnsAnalysis]) -> None:
        self.c, self.material, self.plan, self.analyses = c, material, material.plan, analyses
        self.figures = {f"{self.plan.study}/{one.outcome.id}/{one.estimand}/raw": one for one in arm_figures(self.plan)}
        self.memo: dict[ReturnsAnalysis, pd.Series] = {}

    def row(self, row: ResultRow) -> Row:
        c = self.c
        if row.result_id in self.figures:
            return _arm(c, self.figures[row.result_id], self.plan)
        if row.result_id.endswith(f"/{STANDARDISED}"):
            return Row(n=c.of(self.people(self.analyses[row.result_id])), plain=True, worth=GIVEN_UP)
        if row.result_id in self.analyses:
            return self._result(row, self.analyses[row.result_id])
        if row.outcome == "power":
            achieved = row.result_id.endswith("-achieved")
            return Row(n=c.of(known_people(c, "absence_days")), plain=True) if achieved else Row(n=None)
        if row.outcome == "balance":
            return _balance(c, row)
        if row.outcome == "benefit_cost":
            return self._ratio(row)
        outcome = self.plan.outcomes[row.outcome]
        known = known_people(c, outcome.column)
        if row.estimand == "icc":
            part = (c.of(known & (c.frame[outcome.column] == 1)),) if outcome.kind == "binary" else ()
            return Row(n=c.of(known), plain=True, goes_with=part, worth=GIVEN_UP)
        if row.estimand == "multiplicity":
            return Row(n=c.of(known), worth=GIVEN_UP)
        raise UndeclaredCount(f"{row.result_id}: nothing says whom its n counts")

    def _result(self, row: ResultRow, analysis: ReturnsAnalysis) -> Row:
        """A result of a planned analysis. Without covariates it is made of its people's numbers, and of those with a
        one."""
        c, outcome = self.c, self.plan.outcomes[analysis.outcome]
        own = self.people(analysis)
        plain = (
            analysis.estimator in WITHOUT_COVARIATES
            or analysis.covariance.startswith("HC")
            or not model_terms(analysis, outcome, self.plan)
        )
        worth = KEPT if row.analysis == "planned" else GIVEN_UP
        column = outcome_column(analysis, outcome, self.plan)
        parts: list[Any] = []
        if analysis.missing_outcome == "bounds":  # how far the bounds are apart says how many are not known
            parts += [c.of(own & c.frame[column].isna() & self._arm(code)) for code in self.plan.design.arms.values()]
        if outcome.kind == "binary" and plain:
            parts += [c.of(own & (c.frame[column] == 1) & self._arm(code)) for code in self.plan.design.arms.values()]
        return Row(n=c.of(own), plain=plain, worth=worth, goes_with=tuple(parts))

    def _arm(self, code: float) -> pd.Series:
        return self.c.frame["treatment"] == code

    def people(self, analysis: ReturnsAnalysis) -> pd.Series:
        """Whom the results of an analysis count, imagined people included: the same conditions on the same columns."""
        if analysis not in self.memo:
            frame, outcome = self.c.frame, self.plan.outcomes[analysis.outcome]
            there = self.material.people
            everybody = frame.loc[frame["randomised"].astype(bool)]
            found = [*counted(analysis, outcome, self.material)]
            imagined = everybody.iloc[len(there) :]
            if len(imagined):
                with suppress(NoObservations):  # none of them would be analysed
                    found += [*counted(analysis, outcome, replace(self.material, people=imagined, imputations={}))]
            self.memo[analysis] = pd.Series(np.isin(np.arange(len(frame)), found), index=frame.index)
        return self.memo[analysis]

    def _ratio(self, row: ResultRow) -> Row:
        """The cost of a leaver is a mean over leavers with a price; a ratio counts those of the analyses it is made
        of."""
        c, p = self.c, self.c.frame
        if row.estimand == "leaver_cost":
            left = p["randomised"].astype(bool) & (p["left"] == 1)
            priced = left & p["replacement_cost"].notna() & p["absence_days"].notna()
            return Row(n=c.of(priced), plain=True, worth=GIVEN_UP)
        absence, turnover = self.people(primary_analysis(self.plan)), self.people(self.plan.analysis(TURNOVER))
        tail = row.result_id.rsplit("/", 1)[1]
        scenario = max((one.key for one in self.plan.cost_benefit.scenarios if tail.startswith(one.key)), key=len)
        how = tail.removeprefix(scenario).removeprefix("-")
        versions = {one.id.rsplit("/", 1)[1]: one for one in versions_of_baselines(self.plan)}
        if how in versions:
            own = self.people(turnover_beside(versions[how], self.plan))
        elif how == JOINT:
            own = self.people(turnover_beside(None, self.plan))
        elif how == FIELLER:
            own = absence
        else:  # of the two analyses that of more people
            own = max(absence, turnover, key=lambda members: int(members.iloc[: c.people].sum()))
        return Row(n=c.of(own), worth=GIVEN_UP)


def _arm(c: Crowd, figure: ArmFigure, plan: ReturnsPlan) -> Row:
    """A mean or standard deviation of one arm; of zeros and ones both are as good as the count.

    Where the number of people is withheld, another mean or deviation is published as it is printed: its n cannot be
    worked
    out from so few digits.
    """
    own = c.frame["randomised"].astype(bool) & of_the_arm(c.frame, figure, plan)
    worth = GIVEN_UP if figure.prefix else WORTH[figure.outcome.role]
    if figure.outcome.kind != "binary":
        return Row(n=c.of(own), plain=True, digits=PRINTED_DIGITS, worth=worth)
    part = c.of(own & (c.frame[figure.column] == 1))
    if figure.name == "mean":
        return Row(n=c.of(own), part=part, share=True, plain=True, worth=max(worth, LESSER))
    return Row(n=c.of(own), goes_with=(part,), plain=True, worth=max(worth, LESSER))


def _balance(c: Crowd, row: ResultRow) -> Row:
    """Tests of all characteristics among groups, and differences of baselines: recorded, imputed, all."""
    tail = row.result_id.rsplit("/", 1)[1]
    if row.estimand == "omnibus":
        return Row(n=c.of(known_people(c, _GROUPS[tail])))
    everyone, known = known_people(c, "person"), known_people(c, "baseline_absence")
    # Plain differences of means: what is imputed varies, what is recorded does not.
    own = {RECORDED: known, FILLED: everyone & ~known}.get(tail, everyone)
    return Row(n=c.of(own), plain=True, worth=GIVEN_UP)
