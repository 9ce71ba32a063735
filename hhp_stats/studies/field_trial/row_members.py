"""Whom every row of a trial on lists or on a table counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from hhp_stats.disclosure.crowd import Crowd
from hhp_stats.disclosure.declared import (
    GIVEN_UP,
    KEPT,
    Row,
)
from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.plan.individual import IndividualAnalysis, IndividualPlan
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.estimators.beside import beside_effect
from hhp_stats.studies.field_trial.analysed import in_arms, in_population, outcome_column
from hhp_stats.studies.field_trial.arm_rows import group_masks
from hhp_stats.studies.field_trial.clusters import by_own_arms
from hhp_stats.studies.planned import sibling


def _weeks(people: pd.DataFrame, row: Mapping[Any, Any]) -> pd.Series:
    # Weeks are printed from one on; the column counts from zero.
    return people["week"].between(row["first_week"] - 1, row["last_week"] - 1)


def period(people: pd.DataFrame, row: Mapping[Any, Any]) -> pd.Series:
    """Who answered within the weeks of a line of the table of periods."""
    return (people["responded"] == 1) & _weeks(people, row)


def members_of_rows(
    c: Crowd, tables: Mapping[str, pd.DataFrame], rows: Sequence[ResultRow], plan: IndividualPlan
) -> dict[str, Row]:
    """Whom each row counts, by result id; rows that count nobody are left out."""
    analyses = {plan.result_id(analysis): analysis for analysis in plan.analyses}
    periods = {row["period"]: row for row in tables["periods"].to_dict("records")} if "periods" in tables else {}
    found: dict[str, Row] = {}
    for row in rows:
        if row.n is None:
            continue
        entry = _row(c, row, analyses, periods, plan)
        if entry is not None:
            found[row.result_id] = entry
    return found


def _row(
    c: Crowd,
    row: ResultRow,
    analyses: Mapping[str, IndividualAnalysis],
    periods: Mapping[int, Mapping[object, object]],
    plan: IndividualPlan,
) -> Row | None:
    p = c.frame
    if row.outcome == "sample":
        return _sample_row(c, row, plan)
    if row.outcome == "power" or row.estimand.startswith("mde_"):
        return _power_row(c, row, plan)
    if row.outcome == "average" or row.estimand.startswith(("period_", "arm_by_week")):
        part = p["responded"] == 1
        if row.estimand.startswith("period_"):
            part = _weeks(p, periods[int(row.estimand[7:])])
        columns = [o.id for o in plan.measured if not o.missing] if row.outcome == "average" else [row.outcome]
        # A sentence and a figure are made of the averages: those of single outcomes go first.
        worth = KEPT if row.outcome == "average" else GIVEN_UP
        return Row(n=c.of(part & p[columns].notna().any(axis="columns")), plain=True, worth=worth)
    column = outcome_column(plan, row.outcome)
    known = p[column].notna()
    if row.estimand.startswith(("mean_", "sd_")):
        own = known & (p["arm"] == row.estimand.split("_", 1)[1])
        positive = _positive(p[column])
        if positive is None:
            return Row(n=c.of(own), plain=True, worth=KEPT)
        if row.estimand.startswith("mean_"):
            return Row(n=c.of(own), part=c.of(own & positive), share=True, plain=True, worth=KEPT)
        return Row(n=c.of(own), plain=True, goes_with=(c.of(own & positive),), worth=KEPT)
    if row.estimand == "icc":
        return Row(n=c.of(known), plain=True)
    analysis = next((analyses[key] for key in analyses if _belongs(row.result_id, key, analyses[key])), None)
    if analysis is None:
        return None
    pair = plan.compared(analysis)
    own = in_population(p, analysis.population, plan) & in_arms(p, analysis, plan)
    if analysis.estimator == "cluster-means":
        return Row(n=None)  # n counts clusters
    inside = own if ESTIMATORS[analysis.estimator].counts else own & known
    positive = _positive(p[column])
    parts = () if positive is None else tuple(c.of(inside & positive & (p["arm"] == arm.id)) for arm in pair)
    if plan.data is not None and ESTIMATORS[analysis.estimator].everyone:
        # Their notes and estimates tell how many of each arm have the outcome, and how many lack it.
        for arm in pair:
            mine = own & (p["arm"] == arm.id)
            parts += (c.of(mine & known), c.of(mine & ~known))
    return Row(n=c.of(inside), plain=True, goes_with=parts, worth=KEPT if analysis.kind == "planned" else GIVEN_UP)


def _belongs(result_id: str, key: str, analysis: IndividualAnalysis) -> bool:
    """Is the row that of the analysis, or of another estimand of it (the ends of bounds, an odds ratio)?"""
    return result_id in {key, *(sibling(key, name) for name in beside_effect(analysis))}


def _positive(values: pd.Series) -> pd.Series | None:
    """Who has a one, where a column holds zeros and ones only."""
    known = values.dropna()
    return values == 1 if len(known) and known.isin([0, 1]).all() and known.nunique() == 2 else None


def _sample_row(c: Crowd, row: ResultRow, plan: IndividualPlan) -> Row:
    p = c.frame
    if row.estimand.startswith("recall_"):
        asked = (p["treatment"] == 1) & (p["responded"] == 1) & p["recall_t2"].notna()
        part = asked if row.estimand == "recall_asked" else asked & (p["recall_t2"] == "yes")
        return Row(n=c.of(asked), part=c.of(part), plain=True, worth=KEPT)
    groups = {"": pd.Series(True, index=p.index)} | {suffix: members for suffix, _, members in group_masks(p, plan)}
    for name in ("randomised", "responded", "response_rate", "left"):
        suffix = row.estimand.removeprefix(name)
        if row.estimand.startswith(name) and suffix in groups:
            own = groups[suffix]
            part = {"randomised": own, "left": own & (p.get("in_post_at_endline", "") == "no")}.get(
                name, own & (p["responded"] == 1)
            )
            return Row(
                n=c.of(own),
                part=c.of(part),
                share=name in ("response_rate", "left"),
                plain=True,
                worth=KEPT if name == "randomised" else 2,
            )
    raise AssertionError(row.result_id)


def _power_row(c: Crowd, row: ResultRow, plan: IndividualPlan) -> Row:
    """Detectable effects: for a number of people assumed by the design, or for those who answered.

    With arms as large as here the sizes of people's arms follow from them; with clusters only how many of these.
    """
    entry = next(each for each in plan.power.values() if row.estimand.endswith(f"_{each.id}"))
    p = c.frame
    by_people = by_own_arms(plan) and row.outcome == "power"
    known = p["responded"] == 1 if row.outcome == "power" else p[outcome_column(plan, row.outcome)].notna()
    assumed = entry.analysed is not None or entry.response is not None
    arms = [p["arm"] == arm.id if assumed else known & (p["arm"] == arm.id) for arm in plan.arms] if by_people else []
    sizes = tuple(c.of(arm) for arm in arms)
    return Row(n=None, goes_with=sizes) if assumed else Row(n=c.of(known), plain=True, goes_with=sizes)
