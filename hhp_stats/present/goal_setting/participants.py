"""Who took part: randomised, followed, left, answered. Figure, tables, sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.flow import flow_diagram, flow_in_words
from hhp_stats.present.goal_setting.named import figure, sentence, table
from hhp_stats.present.numbers import (
    WITHHELD,
    count,
    interval,
    number,
    percent,
    plural,
    withheld,
    withheld_note,
)
from hhp_stats.present.tables import plain_table

_WITHHELD = "is withheld, because the number of people concerned is very small."


def _stage(report: StudyReport, stage: str, arm: str = "all") -> pd.Series:
    flow = report.table("flow")
    return flow.loc[(flow["stage"] == stage) & (flow["arm"] == arm) & (flow["kind"] == "stage")].iloc[0]


@sentence
def sample(report: StudyReport) -> str:
    """How many authorities, teams and people were randomised, and how many to each arm."""
    whole = _stage(report, "randomised")
    arms = {arm: _stage(report, "allocated", arm) for arm in ("treatment", "control")}
    if withheld(whole["people"], *(arm["people"] for arm in arms.values())):
        return f"How many members of staff were randomised {_WITHHELD}"
    return (
        f"In all, {plural(whole['people'], 'member')} of staff in {plural(whole['teams'], 'team')} of"
        f" {plural(len(report.plan.sites), 'local authority', 'local authorities')} were randomly assigned:"
        f" {plural(arms['treatment']['teams'], 'team')} with {plural(arms['treatment']['people'], 'person', 'people')}"
        f" to goal-setting, {plural(arms['control']['teams'], 'team')} with"
        f" {plural(arms['control']['people'], 'person', 'people')} to the control group."
    )


@sentence
def followed(report: StudyReport) -> str:
    """How many of the randomised have an outcome."""
    whole = _stage(report, "randomised")["people"]
    known = [_stage(report, "analysed", arm)["people"] for arm in ("treatment", "control")]
    if withheld(whole, *known):
        return f"For how many absence is known {_WITHHELD}"
    analysed = sum(known)
    return f"Absence is known for {count(analysed)} of {count(whole)} ({percent(analysed / whole)})."


@figure
def flow(report: StudyReport) -> EmbeddedFigure:
    """The participant flow."""
    table = report.table("flow")
    return embed(
        lambda width: flow_diagram(table, width=width),
        root=report.root,
        document=report.document,
        label="gs-flow",
        conclusion=followed(report),
        alt=f"Flow of teams and people. {flow_in_words(table)}",
        caption=". ".join(
            [
                "Flow of teams and people through the trial, after the CONSORT extension to cluster trials",
                *(note.rstrip(".") for note in withheld_note(table)),
            ]
        ),
    )


@table
def attrition(report: StudyReport) -> GT:
    """Records and responses by arm and authority."""
    table = report.table("attrition")
    rows = table.to_dict("records")
    names = {"arm": "Arm", "authority": "Local authority"}
    cells = pd.DataFrame(
        {
            "Group": [row["label"] for row in rows],
            "of": [names[row["kind"]] for row in rows],
            "Teams": [count(row["teams"]) for row in rows],
            "People": [count(row["people"]) for row in rows],
            "Baseline absence known": [percent(row["baseline_absence"]) for row in rows],
            "Outcome known": [percent(row["outcome"]) for row in rows],
            "Left": [percent(row["left"]) for row in rows],
            "Baseline survey": [percent(row["baseline_survey"]) for row in rows],
            "Endline survey": [percent(row["endline_survey"]) for row in rows],
        }
    )
    return plain_table(
        cells, stub="Group", groups="of", notes=["Shares of the people randomised.", *withheld_note(table)]
    )


def _with_interval(row: Mapping[str, Any], digits: int) -> str:
    if row["status"] == "withheld":
        return WITHHELD
    return f"{number(row['estimate'], digits)} ({interval(row['conf_low'], row['conf_high'], digits)})"
