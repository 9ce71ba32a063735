"""Whom do the numbers of a field trial count? Declarations for its tables and results, for disclosure control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.disclosure.crowd import Crowd, crowd
from hhp_stats.disclosure.declared import (
    GIVEN_UP,
    KEPT,
    LESSER,
    Column,
    Declared,
    Mask,
    Row,
    counted,
    internal,
    other,
    share,
    statistic,
)
from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.plan.individual import IndividualAnalysis, IndividualPlan
from hhp_stats.results import ResultRow
from hhp_stats.studies.estimators.beside import beside_effect
from hhp_stats.studies.field_trial.analysed import in_arms, in_population, outcome_column
from hhp_stats.studies.field_trial.descriptives import balance_values, group_masks
from hhp_stats.studies.field_trial.sample import PRIMARY
from hhp_stats.studies.intake_columns import intake_columns
from hhp_stats.studies.planned import sibling

LEFT = (
    "refused",
    "duplicates",
    "unmatched",
    "other",
)  # responses of a survey that are no answer of a person of the trial

LABELS = ("kind", "label", "covariate", "level", "arm", "cluster", "stratum", "outcome", "what", "box", "group")


def declared(
    people: pd.DataFrame,
    linkage: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    rows: Sequence[ResultRow],
    plan: IndividualPlan,
) -> Declared:
    """The sets of people behind every number of a field trial's tables and rows."""
    found = crowd(people, imagined=imagined(people, plan), anonymous=_responses(people, linkage))
    listed = {f"data/allocation/{plan.study}.csv" if plan.data is None else plan.data.file: found.everyone()}
    columns = {
        **intake_columns(tables["inputs"], known=listed),
        "flow": {"people": _flow(found, plan)},
        "attrition": _attrition(found, plan),
        "balance": _balance_of_arms(found, tables["balance"], plan),
        "recall": _recall(found, plan),
        "reliability": _reliability(found, tables["reliability"], plan),
        "linkage": _linkage(found, linkage),
    }
    if "corrections" in tables:
        kept = ("person", "old_value", "new_value", "file", "cell", "ledger_line")
        columns["corrections"] = dict.fromkeys(kept, internal())
    if "missing" in tables:
        columns["missing"] = _missing(found, tables["missing"], plan)
    if "clusters" in tables:
        columns |= _clusters(found, tables["clusters"], plan)
    if "periods" in tables:
        columns["periods"] = _periods(found, tables["periods"], plan)
    columns = {name: {**_labels(table), **columns.get(name, {})} for name, table in tables.items()}
    return Declared(people=found.there, columns=columns, rows=_rows(found, tables, rows, plan))


def _labels(table: pd.DataFrame) -> dict[str, Column]:
    """The columns of names: an arm, a category or a cluster may be called by a number, and counts nobody."""
    return {name: other() for name in LABELS if name in table and not pd.api.types.is_numeric_dtype(table[name])}


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


def _responses(people: pd.DataFrame, linkage: pd.DataFrame) -> dict[str, int]:
    blocks: dict[str, int] = {}
    for row in linkage.to_dict("records"):
        wave = row["wave"]
        parts = {
            "refused": row["responses"] - row["consented"],
            "duplicates": row["duplicates"],
            "unmatched": row["unmatched"],
        }
        known = sum(parts.values()) + row["matched"]
        blocks |= {f"{wave} {name}": int(size) for name, size in {**parts, "other": row["responses"] - known}.items()}
    return blocks


# ---------------------------------------------------------------- tables
def _gone(people: pd.DataFrame) -> pd.Series:
    return (people["in_post_at_endline"] == "no") & ~people["opened_t2"]


def _flow(c: Crowd, plan: IndividualPlan) -> Column:
    """Row by row as `participant_flow` counts them."""
    p = c.frame
    if plan.data is not None:
        return _flow_of_table(c, plan)
    rows, worth = [c.everyone()], [KEPT]
    opened, known = p["opened_t2"].astype(bool), p["responded"] == 1
    for arm in plan.arms:
        own = p["arm"] == arm.id
        steps: list[tuple[pd.Series, int]] = [(own, KEPT)]
        if "in_post_at_endline" in p:
            steps += [(own & _gone(p), 2), (own & ~opened & ~_gone(p), 2)]
        else:
            steps += [(own & ~opened, 2)]
        steps += [(own & opened, 2), (own & opened & ~known, 2), (own & known, KEPT)]
        steps += [
            (own & p[outcome.id].notna(), 2)
            for outcome in plan.outcomes.values()
            if outcome.scales and outcome.role != PRIMARY
        ]
        rows += [c.of(members) for members, _ in steps]
        worth += [value for _, value in steps]
    return counted(rows, worth=worth)


def _flow_of_table(c: Crowd, plan: IndividualPlan) -> Column:
    p = c.frame
    rows, worth = [c.everyone()], [KEPT]
    known = p["responded"] == 1
    for arm in plan.arms:
        own = p["arm"] == arm.id
        steps = [(own, KEPT), (own & ~known, 2), (own & known, KEPT)]
        steps += [(own & p[outcome.column].notna(), 2) for outcome in plan.measured if outcome.role != PRIMARY]
        rows += [c.of(members) for members, _ in steps]
        worth += [value for _, value in steps]
    return counted(rows, worth=worth)


def _missing(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> dict[str, Column]:
    p = c.frame
    own, known = [], []
    for row in table.to_dict("records"):
        outcome = plan.outcomes[row["outcome"]]
        column = outcome.column if row["what"] == "outcome" else outcome.baseline
        mine = p["arm"] == row["arm"]
        own.append(c.of(mine))
        known.append(c.of(mine & p[column].notna()))
    return {"people": counted(own, worth=KEPT), "known": counted(known)}


def _attrition(c: Crowd, plan: IndividualPlan) -> dict[str, Column]:
    p = c.frame
    groups = [members for _, _, members in group_masks(p, plan)]
    whole = [c.of(each) for each in groups]
    left = p["in_post_at_endline"] == "no" if "in_post_at_endline" in p else None
    return {
        "people": counted(whole, worth=KEPT),
        "baseline": counted([c.of(each & p["opened_t1"]) for each in groups]),
        "responded": counted([c.of(each & (p["responded"] == 1)) for each in groups]),
        "left": other() if left is None else share([c.of(each & left) for each in groups], whole),
    }


def _balance_of_arms(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> dict[str, Column]:
    """Of those who answered a survey; on a plain table of everyone, each arm against the control."""
    answered = c.frame["responded"] == 1
    if plan.data is None:
        return _balance(c, c.frame, table, answered=answered, arms=[("control", "treatment")] * len(table))
    pairs = [(plan.control.id, str(arm)) for arm in table["arm"]]
    everyone = pd.Series(True, index=answered.index)
    return _balance(c, balance_values(c.frame, plan), table, answered=everyone, arms=pairs)


def _balance(
    c: Crowd, p: pd.DataFrame, table: pd.DataFrame, *, answered: pd.Series, arms: Sequence[tuple[str, str]]
) -> dict[str, Column]:
    """Means of those looked at; shares of levels, and of each difference both arms' shares. `arms` row by row."""
    found: dict[str, dict[str, list[Mask | None]]] = {
        arm: {"known": [], "level": [], "mean": []} for arm in ("control", "treatment")
    }
    heads: list[list[Mask]] = []
    missing: list[Mask | None] = []
    for row, pair in zip(table.to_dict("records"), arms, strict=True):
        name, level = row["covariate"], row["kind"] == "level"
        values = p[name]
        missing.append(None if level else c.of(answered & p["arm"].isin(pair) & values.isna()))
        heads.append(
            [
                c.of(answered & (p["arm"] == arm) & (values == each))
                for arm in pair
                for each in sorted(values.dropna().unique())
            ]
            if row["kind"] == "categorical"
            else []
        )
        for arm, parts in zip(pair, found.values(), strict=True):
            own = answered & (p["arm"] == arm)
            parts["known"].append(c.of(own & values.notna()))
            parts["level"].append(c.of(own & (values == row["level"])) if level else None)
            parts["mean"].append(c.of(own & values.notna()) if row["kind"] == "continuous" else None)
    columns: dict[str, Column] = {
        "std_difference": statistic(found["control"]["mean"], found["treatment"]["mean"])
        .with_(found["control"]["level"], found["treatment"]["level"])
        .rounded(2),
        "missing": counted(missing, worth=LESSER),
        "variance_ratio": internal(),
        "missing_control": internal(),
        "missing_treatment": internal(),
    }
    columns["std_difference"] = _going_with(columns["std_difference"], heads)
    for arm, parts in found.items():
        shares = share(
            parts["level"],
            [k if at is not None else None for k, at in zip(parts["known"], parts["level"], strict=True)],
        )
        means = statistic(parts["mean"])
        digits = [3 if level is not None else 1 for level in parts["level"]]  # as they are printed: shares as per cent
        columns[f"mean_{arm}"] = Column(kind="other", tells=shares.tells, describes=means.describes).rounded(digits)
        columns[f"sd_{arm}"] = Column(kind="other", goes_with=shares.tells, describes=means.describes).rounded(digits)
        columns[f"n_{arm}"] = internal()
    return columns


def _going_with(column: Column, more: Sequence[Sequence[Mask]]) -> Column:
    before = column.goes_with or tuple(() for _ in more)
    return Column(
        kind=column.kind,
        describes=column.describes,
        digits=column.digits,
        goes_with=tuple((*old, *new) for old, new in zip(before, more, strict=True)),
    )


def _recall(c: Crowd, plan: IndividualPlan) -> dict[str, Column]:
    if "recall" not in plan.questions:
        return {"people": other(), "of": other()}
    p = c.frame
    asked = (p["treatment"] == 1) & (p["responded"] == 1) & p["recall_t2"].notna()
    options = plan.questions["recall"].options
    return {
        "people": counted([c.of(asked & (p["recall_t2"] == option)) for option in options]),
        "of": counted([c.of(asked)] * len(options)),
    }


def _reliability(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> dict[str, Column]:
    p = c.frame.iloc[: c.people]
    complete = []
    for name in table["scale"]:
        items = [f"{item}_t2" for item in plan.scales[name].items]
        answered = np.zeros(len(c.frame), dtype=bool)
        answered[: c.people] = p[items].notna().all(axis="columns")
        complete.append(c.of(answered))
    inside = statistic(complete)
    return {
        "estimate": inside.rounded(2),
        "conf_low": internal(),
        "conf_high": internal(),
        "n": internal(),
        "items": other(),
    }


def _linkage(c: Crowd, linkage: pd.DataFrame) -> dict[str, Column]:
    columns: dict[str, list[Mask]] = {
        name: [] for name in ("responses", "consented", "duplicates", "matched", "unmatched")
    }
    for row in linkage.to_dict("records"):
        wave = row["wave"]
        matched = c.frame["opened_t1" if wave == "baseline" else "opened_t2"].astype(bool)
        refused, duplicates, unmatched, rest = (f"{wave} {name}" for name in LEFT)
        columns["responses"].append(c.of(matched, refused, duplicates, unmatched, rest))
        columns["consented"].append(c.of(matched, duplicates, unmatched, rest))
        columns["duplicates"].append(c.nobody(duplicates))
        columns["matched"].append(c.of(matched))
        columns["unmatched"].append(c.nobody(unmatched))
    return {name: counted(members, worth=LESSER) for name, members in columns.items()}


def _clusters(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> dict[str, dict[str, Column]]:
    p = c.frame
    own = [p[plan.design.cluster].astype(str) == str(name) for name in table["cluster"]]
    return {
        "clusters": {
            "people": counted([c.of(each) for each in own]),
            "responded": counted([c.of(each & (p["responded"] == 1)) for each in own]),
        },
        "allocations": {"clusters": other(), "treated": other(), "allocations": other()},
    }


def _periods(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> dict[str, Column]:
    own = [_period(c.frame, row) for row in table.to_dict("records")]
    arms = {arm.id: counted([c.of(each & (c.frame["arm"] == arm.id)) for each in own]) for arm in plan.arms}
    return {
        "period": other(),
        "first_week": other(),
        "last_week": other(),
        "responses": counted([c.of(each) for each in own]),
        **arms,
    }


def _weeks(people: pd.DataFrame, row: Mapping[Any, Any]) -> pd.Series:
    # Weeks are printed from one on; the column counts from zero.
    return people["week"].between(row["first_week"] - 1, row["last_week"] - 1)


def _period(people: pd.DataFrame, row: Mapping[Any, Any]) -> pd.Series:
    return (people["responded"] == 1) & _weeks(people, row)


# ---------------------------------------------------------------- rows of results
def _rows(
    c: Crowd, tables: Mapping[str, pd.DataFrame], rows: Sequence[ResultRow], plan: IndividualPlan
) -> dict[str, Row]:
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
    """Detectable effects: for a number of people assumed by the design, or for those who answered."""
    entry = next(each for each in plan.power.values() if row.estimand.endswith(f"_{each.id}"))
    if entry.analysed is not None or entry.response is not None:
        return Row(n=None)
    known = c.frame["responded"] == 1 if row.outcome == "power" else c.frame[outcome_column(plan, row.outcome)].notna()
    return Row(n=c.of(known), plain=True)
