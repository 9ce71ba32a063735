"""Whom do the numbers of the hiring experiments count? Declarations for disclosure control; decisions are no people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from hhp_stats.disclosure.crowd import Crowd, crowd
from hhp_stats.disclosure.declared import (
    GIVEN_UP,
    KEPT,
    Bars,
    Columns,
    Declared,
    Mask,
    Row,
    counted,
    other,
    share,
    statistic,
)
from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.results.frame import ResultRow

JUDGED, SCORED = "progression", "evaluation_score"


def declared(
    decisions: pd.DataFrame,
    scores: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    rows: Sequence[ResultRow],
    plan: ExperimentPlan,
) -> Declared:
    """The sets of participants behind every number of people; decisions, rows and pairs are declared as no people."""
    people = _participants(decisions, scores)
    c = crowd(people)
    columns = {
        "flow": _flow(c, tables["flow"]),
        "conditions": _conditions(c, tables["conditions"]),
        "name_sets": _name_sets(c, tables["name_sets"]),
        "chosen_over_limit": _over(c, tables["chosen_over_limit"], plan),
        "pair_choices": {"pairs": other(), "share": other()},
        "roles": {
            "people": counted(
                [
                    c.of((c.frame["role"] == row["role"]) & (c.frame["evaluation"] == row["evaluation"]))
                    for row in tables["roles"].to_dict("records")
                ]
            )
        },
    }
    put_forward = tables["chosen_per_person"]["chosen"]
    above = frozenset(map(int, put_forward[put_forward > plan.fact("limit")]))
    bars = {
        "score_distribution": Bars(
            group="cell",
            value="score",
            moments=2,
            members=tuple(
                c.of((c.frame["shown"] == row["cell"]) & (c.frame["score"] == row["score"]))
                for row in tables["score_distribution"].to_dict("records")
            ),
        ),
        # The decisions of a condition add up to the numbers put forward, so the mean is known; the sum of squares is
        # a part of the standard errors by participant, which are printed unrounded. Who passed the limit is counted
        # in a table of its own.
        "chosen_per_person": Bars(
            group="evaluation",
            value="chosen",
            moments=2,
            members=tuple(
                c.of((c.frame["evaluation"] == row["evaluation"]) & (c.frame["chosen"] == row["chosen"]))
                for row in tables["chosen_per_person"].to_dict("records")
            ),
            known=(above,),
        ),
    }
    return Declared(
        people=c.there,
        columns=columns,
        bars=bars,
        rows={row.result_id: _row(c, row, plan) for row in rows if row.n is not None},
    )


def _participants(decisions: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """One row a participant of either experiment: conditions, role, how many were put forward, and the score given."""
    first = decisions.drop_duplicates("participant").set_index("participant")[["role", "evaluation", "name_set"]]
    chosen = decisions.groupby("participant")["progressed"].sum().rename("chosen")
    second = scores.set_index("participant")[["name_shown", "outcome"]].set_axis(["shown", "score"], axis="columns")
    return first.join(chosen, how="outer").join(second, how="outer").reset_index()


def _flow(c: Crowd, table: pd.DataFrame) -> Columns:
    own: list[Mask] = []
    answered: list[Mask | None] = []
    for row in table.to_dict("records"):
        judged = row["experiment"] == JUDGED
        members = c.frame["evaluation" if judged else "shown"] == row["condition"]
        own.append(c.of(members))
        answered.append(None if judged else c.of(members & c.frame["score"].notna()))
    return {
        "people": counted(own, worth=KEPT),
        "rows": counted([each if known is not None else None for each, known in zip(own, answered, strict=True)]),
        "answered": counted(answered),
    }


def _conditions(c: Crowd, table: pd.DataFrame) -> Columns:
    own: list[Mask] = []
    answered: list[Mask | None] = []
    for row in table.to_dict("records"):
        judged = row["experiment"] == JUDGED
        members = c.frame["evaluation"] == row["cell"].split("_", 1)[0] if judged else c.frame["shown"] == row["cell"]
        own.append(c.of(members))
        answered.append(None if judged else c.of(members & c.frame["score"].notna()))
    rows = counted([each if known is not None else None for each, known in zip(own, answered, strict=True)])
    return {"people": counted(own, worth=KEPT), "rows": rows, "answered": counted(answered), "positive": other()}


def _name_sets(c: Crowd, table: pd.DataFrame) -> Columns:
    own = [
        c.of((c.frame["evaluation"] == row["evaluation"]) & (c.frame["name_set"] == row["name_set"]))
        for row in table.to_dict("records")
    ]
    return {"name_set": other(), "people": counted(own), "minority": statistic(own), "white_british": statistic(own)}


def _over(c: Crowd, table: pd.DataFrame, plan: ExperimentPlan) -> Columns:
    p = c.frame
    groups = [p["chosen"].notna() if name == "all" else p["evaluation"] == name for name in table["evaluation"]]
    own, over = [c.of(each) for each in groups], [c.of(each & (p["chosen"] > plan.fact("limit"))) for each in groups]
    return {"people": counted(own), "mean": statistic(own), "over": counted(over), "share": share(over, own)}


def _row(c: Crowd, row: ResultRow, plan: ExperimentPlan) -> Row:
    p = c.frame
    if row.result_id.endswith("/count"):
        if row.estimand in ("rows", "answered"):
            return Row(n=None)  # decisions
        own = p["evaluation"].notna() if row.outcome == JUDGED else p["shown"].notna()
        for part in row.estimand.split("_")[1:]:
            own &= p["name_set"] == int(part[3:]) if part.startswith("set") else p["evaluation"] == part
        return Row(n=c.of(own), part=c.of(own), plain=True, worth=KEPT)
    if row.outcome == JUDGED:
        return Row(n=None)  # decisions; the participants are its clusters
    known = p["score"].notna()
    cell = row.estimand.split("_", 1)[1]
    if row.estimand.startswith(("mean_", "sd_")):
        return Row(n=c.of(known & (p["shown"] == cell)), plain=True, worth=KEPT)
    contrast = plan.contrasts.get(row.estimand)
    method = next((one for one in plan.methods_of(row.outcome) if row.result_id.endswith(f"/{one.id}")), None)
    if contrast is not None and method is not None and not ESTIMATORS[method.estimator].all_groups:
        known &= p["shown"].isin([*contrast.plus, *contrast.minus])
    return Row(n=c.of(known), plain=True, worth=KEPT if row.analysis == "planned" else GIVEN_UP)
