"""Randomisation: who was drawn to which arm, in which strata, and whether the log replays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from great_tables import GT
from matplotlib.figure import Figure

from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.goal_setting.named import figure, sentence, table
from hhp_stats.present.numbers import (
    count,
    level,
    number,
    p_clause,
    p_value,
    percent,
    plural_in_words,
    withheld_note,
)
from hhp_stats.present.row_axes import row_axes
from hhp_stats.present.style import QUIET, TINTS, TREATMENT, fitted
from hhp_stats.present.tables import plain_table
from hhp_stats.tails import student_quantile


@figure
def assignment_map(report: StudyReport) -> EmbeddedFigure:
    """The chance of each team to be drawn for goal-setting, by authority."""
    table = report.table("assignment_map")
    summary: Any = report.table("assignment").iloc[0]
    names = sorted(set(table["local_authority"]))
    reach = float(student_quantile(0.5 + report.plan.conf_level / 2, math.inf)) * float(
        np.sqrt(0.25 / summary["draws"])
    )
    words = "; ".join(
        f"{name}: {len(share)} teams, {percent(share.min())} to {percent(share.max())}"
        for name in names
        for share in (table.loc[table["local_authority"] == name, "probability"],)
    )
    outside = int(summary["beyond_chance"])
    return embed(
        lambda width: _strip(table, names, reach, width=width),
        root=report.root,
        document=report.document,
        label="gs-assignment-map",
        conclusion=(
            f"{count(outside)} of {count(summary['teams'])} teams lie outside the band in which"
            f" {level(report.plan.conf_level)} would lie if every chance were one half"
        ),
        alt=(
            "One point for each team: the share of simulated randomisations that assign it to goal-setting, by"
            " authority."
            f" {words}."
        ),
        caption=(
            f"Each team\u2019s chance of being assigned to goal-setting, in {count(summary['draws'])} simulated"
            f" randomisations by the same rule. Band: where {level(report.plan.conf_level)} of the points are"
            " expected if"
            f" every chance is one half; {count(outside)} of {count(summary['teams'])} are outside"
        ),
    )


def _strip(table: pd.DataFrame, names: list[str], reach: float, *, width: float) -> Figure:
    frame = row_axes(names, width=width, row=0.28, around=0.9)
    axes = frame.axes
    axes.axvspan(100 * (0.5 - reach), 100 * (0.5 + reach), color=TINTS[0], linewidth=0)
    axes.axvline(50, color=QUIET, linewidth=0.8)
    for y, name in zip(frame.places, names, strict=True):
        share = 100 * table.loc[table["local_authority"] == name, "probability"].to_numpy()
        # Spread up and down in a fixed pattern, so that equal shares stay visible and the drawing is the same each
        # time.
        shift = 0.12 * frame.unit * (np.arange(len(share)) % 5 - 2)
        axes.plot(share, y + shift, "o", color=TREATMENT, markersize=2.8, alpha=0.75)
    axes.set_xlabel(fitted("% of simulated randomisations that assign the team to goal-setting", width))
    return frame.figure


@sentence
def strata_if_zero(report: StudyReport) -> str:
    """What "null imputed" read as zero would have done to the strata."""
    row: Any = report.table("strata_if_zero").iloc[0]
    return (
        "Staff without a record of absence do not enter the mean of their team. Had they counted as zero,"
        f" {count(row['other_stratum'])} of the {count(row['teams'])} teams would have been in a different stratum, and"
        f" the share of agency staff would have correlated at {number(row['agency_with_absence_if_zero'])} with"
        " the mean"
        f" that makes the quartiles, instead of {number(row['agency_with_absence'])}."
    )


@table
def replay_table(report: StudyReport) -> GT:
    """The draws of the randomisation, repeated."""
    rows = report.table("replay").to_dict("records")
    cells = pd.DataFrame(
        {
            "Draw": [count(row["draw"]) for row in rows],
            "p, role": [p_value(row["p_role"]) for row in rows],
            "p, length of service": [p_value(row["p_service"]) for row in rows],
            "Accepted": ["yes" if row["accepted"] else "no" for row in rows],
            "Replay": ["agrees" if row["agrees"] else f"differs: {row['note']}" for row in rows],
        }
    )
    return plain_table(cells, stub="Draw")


@table
def strata(report: StudyReport) -> GT:
    """Strata with teams and people by arm."""
    table = report.table("strata")
    rows = table.to_dict("records")
    cells = pd.DataFrame(
        {
            "Stratum": [
                row["stratum"].split("|", 1)[1].replace("|", ", ").replace("agency-", "agency staff ") for row in rows
            ],
            "Authority": [row["local_authority"] for row in rows],
            "Control teams": [count(row["teams_control"]) for row in rows],
            "Goal-setting teams": [count(row["teams_treatment"]) for row in rows],
            "Control people": [count(row["people_control"]) for row in rows],
            "Goal-setting people": [count(row["people_treatment"]) for row in rows],
        }
    )
    return plain_table(
        cells,
        stub="Stratum",
        groups="Authority",
        notes=[
            (
                "q: quartile of the team\u2019s mean absence within the authority; thin strata merged; q0: teams"
                " without a usable record of absence."
            ),
            *withheld_note(table),
        ],
    )


@sentence
def replay(report: StudyReport) -> str:
    """Does the log repeat?"""
    table = report.table("replay")
    last = table.iloc[-1]
    agreed = (
        "gives the same strata, p-values and arms"
        if last["agrees"]
        else f"differs from the list on file: {last['note']}"
    )
    return (
        f"The log holds {plural_in_words(len(table), 'draw')}{'; the last' if len(table) > 1 else ', which'} was"
        f" {'accepted' if last['accepted'] else 'kept without being accepted'} (role {p_clause(last['p_role'])},"
        f" service {p_clause(last['p_service'])}). Repeating it from its seed and the baseline returns {agreed}."
    )


@sentence
def assignment(report: StudyReport) -> str:
    """Even chances?"""
    row = report.table("assignment").iloc[0]
    return (
        f"In {count(row['draws'])} simulated randomisations by the same rule, each team is assigned to goal-setting in"
        f" {percent(row['smallest'], 0)} to {percent(row['largest'], 0)} of them, close to the expected 50%;"
        f" {percent(row['accepted'], 0)} of the assignments kept pass both tests."
    )
