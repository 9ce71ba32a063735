"""The flow of clusters and people through a trial, as CONSORT draws it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.field_trials.report import FieldTrialReport, label_of
from hhp_stats.present.flow_boxes import flow_boxes
from hhp_stats.present.numbers import WITHHELD, count, withheld, withheld_note


def flow(report: FieldTrialReport) -> EmbeddedFigure:
    """Randomised, allocated, answered, analysed."""
    table = _adding_up(report.table("flow"))
    words = ". ".join(
        "; ".join(_lines(report, table, stage, arm))
        for arm in dict.fromkeys(table["arm"])
        for stage in dict.fromkeys(table.loc[table["arm"] == arm, "stage"])
    )
    parts = table.loc[(table["stage"] == "analysed") & (table["kind"] == "stage"), "people"]
    analysed = WITHHELD if withheld(*parts) else sum(int(n) for n in parts)
    mark = "".join(f". {note.rstrip('.')}" for note in withheld_note(table))
    conclusion = f"{_randomised(report)} randomised, {count(analysed)} analysed for the primary outcome"
    return embed(
        lambda width: _diagram(report, table, width=width),
        root=report.root,
        document=report.document,
        label=label_of(report, "flow"),
        conclusion=conclusion,
        alt=f"Flow of participants. {words}.",
        caption=f"Flow of participants: {conclusion}{mark}",
    )


def _adding_up(table: pd.DataFrame) -> pd.DataFrame:
    """The flow with the stages joined between which a number is withheld, so that what is printed adds up.

    How many were allocated and how many analysed is public, and so is their difference: it tells nobody how many began
    the survey without answering the primary outcome. A table without withheld losses is given back as it is.
    """
    steps = table.loc[table["stage"].isin(["survey", "analysed"]) & table["kind"].isin(["loss", "stage"])]
    if not withheld(*steps["people"]):
        return table
    rows: list[Mapping[Any, Any]] = []
    for row in table.to_dict("records"):
        step = row["stage"] in ("survey", "analysed") and row["kind"] in ("loss", "stage")
        last = step and row["stage"] == "analysed" and row["kind"] == "stage"
        if not step:
            rows.append(row)
        elif last:
            own = table.loc[table["arm"] == row["arm"]]
            sent = own.loc[own["stage"] == "allocated", "people"].iloc[0]
            losses = [loss for loss in own.loc[own["kind"] == "loss"].to_dict("records") if loss["label"] in _ALONE]
            if withheld(sent, row["people"], *(loss["people"] for loss in losses)):
                return table
            rest = int(sent) - int(row["people"]) - sum(int(loss["people"]) for loss in losses)
            rows += [{**loss, "stage": "analysed"} for loss in losses]
            rows.append({**row, "label": _JOINED, "people": rest, "kind": "loss"})
            rows.append(row)
    return pd.DataFrame(rows, columns=list(table.columns))


_ALONE = ("Left before the endline survey",)
_JOINED = "Did not answer, or not the primary outcome"


def _randomised(report: FieldTrialReport) -> str:
    people = count(report.count("randomised"))
    if not report.plan.design.cluster:
        return people
    return f"{report.clusters(len(report.table('clusters')))} with {people} {report.them}"


def _lines(report: FieldTrialReport, table: pd.DataFrame, stage: str, arm: str) -> list[str]:
    part = table.loc[(table["stage"] == stage) & (table["arm"] == arm)]
    head = part.loc[part["kind"] == "stage"].iloc[0]
    lines = [f"{head['label']}: {_clusters(report, stage, arm)}{report.people(head['people'])}"]
    return lines + [
        f"{row['label']}: {count(row['people'])}" for row in part.to_dict("records") if row["kind"] != "stage"
    ]


def _clusters(report: FieldTrialReport, stage: str, arm: str) -> str:
    """`19 schools, ` before the people of a stage, where a plain table of clusters was drawn."""
    if not (report.on_table and report.plan.design.cluster):
        return ""
    table = report.table("clusters")
    own = table if arm == "all" else table.loc[table["arm"] == arm]
    if stage == "analysed":
        if withheld(*own["responded"]):
            return ""
        own = own.loc[pd.to_numeric(own["responded"]) > 0]
    return f"{report.clusters(len(own))}, "


def _diagram(report: FieldTrialReport, table: pd.DataFrame, *, width: float) -> Figure:
    """Boxes of everyone, then of each arm by stage."""
    names = [arm for arm in dict.fromkeys(table["arm"]) if arm != "all"]
    stages = [stage for stage in ("allocated", "survey", "analysed") if stage in set(table["stage"])]
    columns = [[_lines(report, table, stage, arm) for stage in stages] for arm in names]
    return flow_boxes([_lines(report, table, "randomised", "all")], columns, width=width)
