"""What stands beside the effects of a field trial: arms, sample, response, balance, detectable effects."""

from __future__ import annotations

import math

import pandas as pd

from hhp_stats.design.balance_table import BALANCE_COLUMNS, balance_table
from hhp_stats.errors import EstimationError
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.studies.field_trial.analysed import baseline_column
from hhp_stats.studies.field_trial.arm_rows import group_masks

FLOW_COLUMNS = ("stage", "arm", "label", "people", "kind")


def participant_flow(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """Counts of people by stage and arm; each stage equals the one before minus its losses."""
    if plan.data is not None:
        return _flow_of_table(people, plan)
    rows: list[tuple[str, str, str, int, str]] = [("randomised", "all", "Randomised", len(people), "stage")]
    for arm in plan.arms:
        part = people.loc[people["arm"] == arm.id]
        rows.append(("allocated", arm.id, arm.label, len(part), "stage"))
        opened = part["opened_t2"]
        if "in_post_at_endline" in part:
            gone = (part["in_post_at_endline"] == "no") & ~opened
            rows.append(("survey", arm.id, "Left before the endline survey", int(gone.sum()), "loss"))
            rows.append(("survey", arm.id, "Did not answer", int((~opened & ~gone).sum()), "loss"))
        else:
            rows.append(("survey", arm.id, "Did not answer", int((~opened).sum()), "loss"))
        rows.append(("survey", arm.id, "Began the endline survey", int(opened.sum()), "stage"))
        known = part["responded"] == 1
        rows.append(("analysed", arm.id, "Primary outcome not answered", int((opened & ~known).sum()), "loss"))
        rows.append(("analysed", arm.id, "Analysed: primary outcome", int(known.sum()), "stage"))
        for outcome in plan.outcomes.values():
            if outcome.scales and outcome.role != "primary":
                label = f"Analysed: {outcome.label[0].lower()}{outcome.label[1:]}"
                rows.append(("analysed", arm.id, label, int(part[outcome.id].notna().sum()), "note"))
    return pd.DataFrame(rows, columns=list(FLOW_COLUMNS))


def _flow_of_table(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """The same without surveys: whose outcomes are known."""
    rows: list[tuple[str, str, str, int, str]] = [("randomised", "all", "Randomised", len(people), "stage")]
    for arm in plan.arms:
        part = people.loc[people["arm"] == arm.id]
        known = int((part["responded"] == 1).sum())
        rows.append(("allocated", arm.id, arm.label, len(part), "stage"))
        rows.append(("analysed", arm.id, "Primary outcome not known", len(part) - known, "loss"))
        rows.append(("analysed", arm.id, "Analysed: primary outcome", known, "stage"))
        rows += [
            ("analysed", arm.id, f"Known: {outcome.label}", int(part[outcome.column].notna().sum()), "note")
            for outcome in plan.measured
            if outcome.role != "primary"
        ]
    return pd.DataFrame(rows, columns=list(FLOW_COLUMNS))


def missing_data(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """How many of each arm of a plain table have each outcome and each baseline: people and those known, one row an
    arm and column.
    """
    columns = {outcome.column: (outcome.id, "outcome") for outcome in plan.measured}
    for outcome in plan.measured:
        if outcome.baseline:
            columns.setdefault(outcome.baseline, (outcome.id, "baseline"))
    rows = []
    for column, (outcome_id, what) in columns.items():
        for arm in plan.arms:
            part = people.loc[people["arm"] == arm.id]
            rows.append(
                {
                    "outcome": outcome_id,
                    "what": what,
                    "arm": arm.id,
                    "people": len(part),
                    "known": int(part[column].notna().sum()),
                }
            )
    return pd.DataFrame(rows, columns=["outcome", "what", "arm", "people", "known"])


def attrition(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """Response by arm and block: people, respondents to each survey, those gone."""
    rows = []
    for number, (_, label, mask) in enumerate(group_masks(people, plan)):
        kind = "arm" if number < len(plan.arms) else "block"
        part = people.loc[mask]
        gone = (part["in_post_at_endline"] == "no").mean() if "in_post_at_endline" in part else math.nan
        rows.append(
            {
                "kind": kind,
                "label": label,
                "people": len(part),
                "baseline": int(part["opened_t1"].sum()),
                "responded": int(part["responded"].sum()),
                "left": gone,
            }
        )
    return pd.DataFrame(rows)


def balance(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """Baseline scores and listed characteristics of the endline respondents, by arm: those known in both arms."""
    if plan.data is not None:
        return _balance_of_table(people, plan)
    columns = [baseline_column(plan, outcome.id) for outcome in plan.measured]
    listed = [name for name in (plan.design.within, "staff_group") if name and name in people]
    answered = people.loc[people["responded"] == 1]
    # What is known of nobody in an arm, as after a survey that an arm did not answer, cannot be compared.
    known = answered.groupby("treatment")[[*columns, *listed]].count().reindex([0.0, 1.0], fill_value=0).min() > 0
    columns, listed = ([name for name in names if known[name]] for names in (columns, listed))
    if not columns and not listed:
        return pd.DataFrame(columns=[*BALANCE_COLUMNS, "population", "missing", "share"])
    table = balance_table(answered, continuous=columns, categorical=listed, levels=_levels(plan))
    missing = table["missing_treatment"] + table["missing_control"]
    return table.assign(population="responders", missing=missing, share=table["kind"] == "level")


def _levels(plan: IndividualPlan) -> dict[str, tuple[str, ...]]:
    """The levels of columns in the order of the plan and of its table's dictionary."""
    found = {term.column: term.levels for term in plan.terms.values()}
    found[plan.design.within] = tuple(block.id for block in plan.blocks)
    for name, column in plan.columns.items():
        found[name] = column.allowed or (column.no_yes if column.kind == "0/1" else ())
    return found


def balance_values(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """The people with zeros and ones of the balance table in the table's own words, else as no and yes: their means
    are shares.
    """
    words = {
        name: people[name].map(dict(zip((0.0, 1.0), plan.columns[name].no_yes, strict=True)))
        for name in plan.balance
        if plan.columns[name].kind == "0/1"
    }
    return people.assign(**words)


def _balance_of_table(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """The plan's columns for everyone randomised, each arm against the control; `arm` says which.

    A column that is unknown for a whole arm has a row without means.
    """
    parts, people = [], balance_values(people, plan)
    for arm in plan.offered:
        frame = people.loc[people["arm"].isin([arm.id, plan.control.id])]
        frame = frame.assign(treatment=(frame["arm"] == arm.id).astype("float64"))
        for name in plan.balance:
            numeric = plan.columns[name].kind == "number"
            try:
                table = balance_table(
                    frame,
                    continuous=[name] if numeric else [],
                    categorical=[] if numeric else [name],
                    levels=_levels(plan),
                )
            except EstimationError:
                gone = {
                    f"missing_{side}": int(frame.loc[frame["treatment"] == code, name].isna().sum())
                    for side, code in (("treatment", 1.0), ("control", 0.0))
                }
                table = pd.DataFrame(
                    [{"covariate": name, "level": "", "kind": "unknown", **gone}], columns=list(BALANCE_COLUMNS)
                )
            parts.append(table.assign(arm=arm.id))
    if not parts:
        return pd.DataFrame(columns=[*BALANCE_COLUMNS, "arm", "population", "missing", "share"])
    table = pd.concat([part.dropna(axis="columns", how="all") for part in parts], ignore_index=True)
    table = table.reindex(columns=[*BALANCE_COLUMNS, "arm"])
    missing = table["missing_treatment"] + table["missing_control"]
    return table.assign(population="randomised", missing=missing, share=table["kind"] == "level")


def recall(people: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """Who remembers the messages, among the treated who answered; empty where the question is not asked."""
    if "recall" not in plan.questions:
        return pd.DataFrame(columns=["answer", "people", "of"])
    treated = people.loc[(people["treatment"] == 1) & (people["responded"] == 1), "recall_t2"]
    counts = treated.value_counts()
    return pd.DataFrame(
        [
            {"answer": answer, "people": int(counts.get(answer, 0)), "of": int(treated.notna().sum())}
            for answer in plan.questions["recall"].options
        ]
    )
