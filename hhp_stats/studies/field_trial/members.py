"""Whom do the numbers of a field trial count? Declarations for its tables and results, for disclosure control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hhp_stats.disclosure.crowd import Crowd, crowd
from hhp_stats.disclosure.declared import (
    KEPT,
    LESSER,
    Column,
    Columns,
    Declared,
    Mask,
    counted,
    internal,
    other,
    share,
    statistic,
)
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.field_trial.arm_rows import group_masks
from hhp_stats.studies.field_trial.descriptives import balance_values
from hhp_stats.studies.field_trial.imagined_members import imagined
from hhp_stats.studies.field_trial.row_members import members_of_rows, period
from hhp_stats.studies.field_trial.sample import PRIMARY
from hhp_stats.studies.intake_columns import correction_columns, intake_columns

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
        columns["corrections"] = correction_columns()
    if "missing" in tables:
        columns["missing"] = _missing(found, tables["missing"], plan)
    if "clusters" in tables:
        columns |= _clusters(found, tables["clusters"], plan)
    if "periods" in tables:
        columns["periods"] = _periods(found, tables["periods"], plan)
    columns = {name: {**_labels(table), **columns.get(name, {})} for name, table in tables.items()}
    return Declared(people=found.there, columns=columns, rows=members_of_rows(found, tables, rows, plan))


def _labels(table: pd.DataFrame) -> Columns:
    """The columns of names: an arm, a category or a cluster may be called by a number, and counts nobody."""
    return {name: other() for name in LABELS if name in table and not pd.api.types.is_numeric_dtype(table[name])}


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


def _missing(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> Columns:
    p = c.frame
    own, known = [], []
    for row in table.to_dict("records"):
        outcome = plan.outcomes[row["outcome"]]
        column = outcome.column if row["what"] == "outcome" else outcome.baseline
        mine = p["arm"] == row["arm"]
        own.append(c.of(mine))
        known.append(c.of(mine & p[column].notna()))
    return {"people": counted(own, worth=KEPT), "known": counted(known)}


def _attrition(c: Crowd, plan: IndividualPlan) -> Columns:
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


def _balance_of_arms(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> Columns:
    """Of those who answered a survey; on a plain table of everyone, each arm against the control."""
    answered = c.frame["responded"] == 1
    if plan.data is None:
        return _balance(c, c.frame, table, answered=answered, arms=[("control", "treatment")] * len(table))
    pairs = [(plan.control.id, str(arm)) for arm in table["arm"]]
    everyone = pd.Series(True, index=answered.index)
    return _balance(c, balance_values(c.frame, plan), table, answered=everyone, arms=pairs)


def _balance(
    c: Crowd, p: pd.DataFrame, table: pd.DataFrame, *, answered: pd.Series, arms: Sequence[tuple[str, str]]
) -> Columns:
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
    columns: Columns = {
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


def _recall(c: Crowd, plan: IndividualPlan) -> Columns:
    if "recall" not in plan.questions:
        return {"people": other(), "of": other()}
    p = c.frame
    asked = (p["treatment"] == 1) & (p["responded"] == 1) & p["recall_t2"].notna()
    options = plan.questions["recall"].options
    return {
        "people": counted([c.of(asked & (p["recall_t2"] == option)) for option in options]),
        "of": counted([c.of(asked)] * len(options)),
    }


def _reliability(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> Columns:
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


def _linkage(c: Crowd, linkage: pd.DataFrame) -> Columns:
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


def _clusters(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> dict[str, Columns]:
    p = c.frame
    own = [p[plan.design.cluster].astype(str) == str(name) for name in table["cluster"]]
    return {
        "clusters": {
            "people": counted([c.of(each) for each in own]),
            "responded": counted([c.of(each & (p["responded"] == 1)) for each in own]),
        },
        "allocations": {"clusters": other(), "treated": other(), "allocations": other()},
    }


def _periods(c: Crowd, table: pd.DataFrame, plan: IndividualPlan) -> Columns:
    own = [period(c.frame, row) for row in table.to_dict("records")]
    arms = {arm.id: counted([c.of(each & (c.frame["arm"] == arm.id)) for each in own]) for arm in plan.arms}
    return {
        "period": other(),
        "first_week": other(),
        "last_week": other(),
        "responses": counted([c.of(each) for each in own]),
        **arms,
    }
