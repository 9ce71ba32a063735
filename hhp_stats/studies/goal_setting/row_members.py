"""Whom does the n of each of the goal-setting trial's results count? Declarations for disclosure control."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hhp_stats.disclosure.crowd import Crowd
from hhp_stats.disclosure.declared import GIVEN_UP, KEPT, Row
from hhp_stats.errors import EstimationError, UndeclaredCount
from hhp_stats.plan.schema import Outcome, Plan, PlannedAnalysis
from hhp_stats.results import ResultRow
from hhp_stats.studies.goal_setting.analysed import Material, analysed, model_terms, outcome_column
from hhp_stats.studies.goal_setting.members import known_people

WITHOUT_COVARIATES = ("lee-bounds", "worst-case-bounds")
_GROUPS = {"randomised": "person", "analysed": "absence_days", "respondents": "wellbeing_t2"}  # of the tests of balance


def row_members(c: Crowd, rows: Sequence[ResultRow], material: Material) -> dict[str, Row]:
    """The people behind every row that has an n. Raises UndeclaredCount for a row of no known kind."""
    found: dict[str, Row] = {}
    memo: dict[tuple[str, ...], list[pd.Series]] = {}
    for row in rows:
        if row.n is not None:
            found[row.result_id] = _row(c, row, material, memo)
    return found


def _row(c: Crowd, row: ResultRow, material: Material, memo: dict[tuple[str, ...], list[pd.Series]]) -> Row:
    plan = material.plan
    if row.outcome == "power":
        return (
            Row(n=c.of(known_people(c, "absence_days")), plain=True)
            if row.result_id.endswith("-achieved")
            else Row(n=None)
        )
    if row.outcome == "balance":
        return _balance(c, row)
    if row.outcome == "benefit_cost":
        return _ratio(c, row, plan)
    outcome = plan.outcomes[row.outcome]
    known = known_people(c, outcome.column)
    if row.method.endswith("of the arm"):
        return _arm(c, row, outcome, known, plan)
    if row.estimand in ("icc", "multiplicity") or row.result_id.endswith("/hedges-g"):
        return Row(n=c.of(known), plain=row.estimand != "multiplicity", worth=GIVEN_UP)
    return _analysis(c, row, _analysis_of(row, plan), outcome, material, memo)


def _balance(c: Crowd, row: ResultRow) -> Row:
    """Tests of all characteristics among groups, and differences of baselines: recorded, imputed, all."""
    tail = row.result_id.rsplit("/", 1)[1]
    if row.estimand == "omnibus":
        return Row(n=c.of(known_people(c, _GROUPS[tail])))
    everyone, known = known_people(c, "person"), known_people(c, "baseline_absence")
    groups = {"recorded": known, "imputed": everyone & ~known}
    # Plain differences of means: what is imputed varies, what is recorded does not.
    return _of_size(c, row, [groups.get(tail, everyone), everyone], plain=True, worth=GIVEN_UP)


def _arm(c: Crowd, row: ResultRow, outcome: Outcome, known: pd.Series, plan: Plan) -> Row:
    """A mean or standard deviation of one arm; of zeros and ones both are as good as the count."""
    own = known & (c.frame["treatment"] == plan.design.arms[row.contrast])
    worth = KEPT if outcome.role == "primary" else 2
    if outcome.kind != "binary":
        return Row(n=c.of(own), plain=True, worth=worth)
    part = c.of(own & (c.frame[outcome.column] == 1))
    if row.estimand.startswith("mean_"):
        return Row(n=c.of(own), part=part, share=True, plain=True, worth=2)
    return Row(n=c.of(own), goes_with=(part,), plain=True, worth=2)


def _ratio(c: Crowd, row: ResultRow, plan: Plan) -> Row:
    """Benefit-cost ratios rest on those with known absence, or on all with known turnover, of whom a version may need the baseline."""
    absence, turnover = (known_people(c, plan.outcomes[key].column) for key in ("sickness_absence", "turnover"))
    recorded = turnover & known_people(c, "baseline_absence")
    p = c.frame
    priced = turnover & (p["left"] == 1) & p["replacement_cost"].notna() & absence
    plain = row.estimand == "leaver_cost" or row.result_id.split("/")[2] == "leaver_cost"  # a mean over leavers
    return _of_size(c, row, [absence, turnover, absence & turnover, priced, recorded], plain=plain, worth=GIVEN_UP)


def _analysis_of(row: ResultRow, plan: Plan) -> PlannedAnalysis:
    """The planned analysis that a row belongs to: by its id, else by outcome and method, else by the start of the method."""
    _, outcome, estimand, method = row.result_id.split("/")
    own = [each for each in plan.analyses if each.outcome == outcome]
    for fits in (
        lambda each: each.id == f"{outcome}/{estimand}/{method}", lambda each: each.id.split("/")[2] == method,
        lambda each: method.startswith(each.id.split("/")[2]),
    ):  # fmt: skip
        found = [each for each in own if fits(each)]
        if found:
            return found[0]
    raise UndeclaredCount(f"{row.result_id}: no planned analysis says whom its n counts")


def _analysis(
    c: Crowd, row: ResultRow, analysis: PlannedAnalysis, outcome: Outcome, material: Material,
    memo: dict[tuple[str, ...], list[pd.Series]],
) -> Row:  # fmt: skip
    """Those analysed, or of them those with a known outcome: the row's n says which."""
    column = outcome_column(analysis, outcome)
    key = (analysis.population, analysis.missing_outcome, analysis.baseline_absence, outcome.key, column)
    if key not in memo:
        memo[key] = _people_of(c, analysis, outcome, material, column)
    plain = (
        analysis.estimator in WITHOUT_COVARIATES
        or analysis.covariance.startswith("HC")
        or not model_terms(analysis, outcome, material.plan)
    )
    worth = KEPT if row.analysis == "planned" else GIVEN_UP
    found = _of_size(c, row, memo[key], plain=plain, worth=worth)
    if outcome.kind != "binary" or not plain:
        return found
    arms = material.plan.design.arms.values()
    parts = tuple(c.of(memo[key][0] & (c.frame[column] == 1) & (c.frame["treatment"] == code)) for code in arms)
    return Row(n=found.n, plain=True, worth=worth, goes_with=parts)


def _people_of(
    c: Crowd, analysis: PlannedAnalysis, outcome: Outcome, material: Material, column: str
) -> list[pd.Series]:
    everybody = c.frame.loc[c.frame["randomised"].astype(bool)]
    whole = material.people
    try:
        # Of imagined people too: the same conditions on the same columns.
        there = analysed(
            analysis, outcome, Material(plan=material.plan, people=whole, imputations={}, redraws=material.redraws)
        ).index
        imagined = everybody.iloc[len(whole) :]
        rest = (
            analysed(
                analysis,
                outcome,
                Material(plan=material.plan, people=imagined, imputations={}, redraws=material.redraws),
            ).index
            if len(imagined)
            else pd.Index([])
        )
    except EstimationError:
        there, rest = whole.index, pd.Index([])
    own = pd.Series(np.isin(np.arange(len(c.frame)), [*there, *rest]), index=c.frame.index)
    return [own & c.frame[column].notna(), own]


def _of_size(c: Crowd, row: ResultRow, candidates: Sequence[pd.Series], *, plain: bool, worth: int) -> Row:
    for each in candidates:
        members = c.of(each)
        if int(members[: c.there].sum()) == row.n:
            return Row(n=members, plain=plain, worth=worth)
    sizes = ", ".join(str(int(c.of(each)[: c.there].sum())) for each in candidates)
    raise UndeclaredCount(f"{row.result_id}: n is {row.n}, but the people of its analysis are {sizes}")
