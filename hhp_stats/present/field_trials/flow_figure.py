"""The flow of clusters and people through a trial, as CONSORT draws it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from textwrap import wrap
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.field_trials.report import FieldTrialReport, label_of
from hhp_stats.present.numbers import (
    WITHHELD,
    count,
    withheld,
    withheld_note,
)
from hhp_stats.present.style import INK, QUIET, WIDTH, apply_style


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
        _diagram(report, table),
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


STEP, EDGE, GAP = (
    4.4,
    1.9,
    9.0,
)  # of a flow diagram, in hundredths of the height of one of four rows: line, edge of a box, arrow


TALL = 4.9  # inches that a hundred of these units take


def _diagram(report: FieldTrialReport, table: pd.DataFrame) -> Figure:
    """Boxes of everyone, then of each arm by stage, as high as their lines ask for on a plain table."""
    names = [arm for arm in dict.fromkeys(table["arm"]) if arm != "all"]
    room = 100 / len(names)
    first = _lines(report, table, "randomised", "all")
    stages = [stage for stage in ("allocated", "survey", "analysed") if stage in set(table["stage"])]
    boxes = {(stage, arm): _lines(report, table, stage, arm) for stage in stages for arm in names}
    places, height = {"allocated": 76.0, "survey": 51.0, "analysed": 17.0}, 100.0
    if report.on_table or "survey" not in stages:
        boxes = {key: _wrapped(lines, int(room)) for key, lines in boxes.items()}
        tall = {stage: _half(max(len(boxes[stage, arm]) for arm in names)) for stage in stages}
        height = 2 * _half(1) + sum(2 * half + GAP for half in tall.values()) + 2
        at = height - 2 * _half(1)
        for stage in stages:
            places[stage] = at - GAP - tall[stage]
            at -= GAP + 2 * tall[stage]
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, TALL * height / 100))
    axes.set_xlim(0, 100)
    axes.set_ylim(0, height)
    axes.axis("off")
    top = height - 6
    _box(axes, x=50, y=top, text=first, width=46)
    for place, arm in enumerate(names):
        x = room * (place + 0.5)
        tops = [
            (places[stage], _box(axes, x=x, y=places[stage], text=boxes[stage, arm], width=room - 3))
            for stage in stages
        ]
        _arrow(axes, (50, top - 4.2), (x, tops[0][0] + tops[0][1]))
        for (upper, half), (lower, reach) in pairwise(tops):
            _arrow(axes, (x, upper - half), (x, lower + reach))
    return figure


def _wrapped(lines: list[str], most: int) -> list[str]:
    """Lines of a box, broken where they are longer than it is wide; what goes on is indented."""
    head, *rest = lines
    found = ["\n".join(wrap(head, most)), *("\n".join(wrap(line, int(1.15 * most))) for line in rest)]
    return [f"{'*' if number == 0 else ''}{part}" for number, line in enumerate(found) for part in line.split("\n")]


def _half(lines: int) -> float:
    """Half the height of a box of so many lines."""
    return STEP * lines / 2 + EDGE


def _box(axes: Axes, *, x: float, y: float, text: list[str], width: float) -> float:
    """Draw a box and return half its height; the first line, and lines marked as its continuation, are headings."""
    half = STEP * len(text) / 2 + 1.6
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - half),
            width,
            2 * half,
            boxstyle="round,pad=0.3,rounding_size=0.8",
            facecolor="none",
            edgecolor=QUIET,
            linewidth=0.9,
        )
    )
    top = y + STEP * (len(text) - 1) / 2
    for line, words in enumerate(text):
        head = line == 0 or words.startswith("*")
        axes.text(
            x,
            top - STEP * line,
            words.removeprefix("*"),
            ha="center",
            va="center",
            fontsize=8.2 if head else 7.2,
            weight="bold" if head else "normal",
            color=INK,
        )
    return half + 0.3


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 0.9})
