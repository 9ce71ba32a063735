"""The participant flow as a diagram, drawn from the table of counts, and the same in words."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from hhp_stats.present.flow_boxes import flow_boxes
from hhp_stats.present.numbers import count, plural
from hhp_stats.present.style import WIDTH

_STAGES = ("allocated", "followed", "analysed", "survey")


def flow_diagram(flow: pd.DataFrame, *, width: float = WIDTH) -> Figure:
    """Boxes of teams and people by stage, the arms side by side. `flow` as `participant_flow` makes it."""
    everyone = [_lines(flow, stage, "all") for stage in ("listed", "randomised")]
    arms = [arm for arm in dict.fromkeys(flow["arm"]) if arm != "all"]
    return flow_boxes(everyone, [[_lines(flow, stage, arm) for stage in _STAGES] for arm in arms], width=width)


def flow_in_words(flow: pd.DataFrame) -> str:
    """The alternative text of the diagram: every stage with its counts, arm by arm."""
    sentences = []
    for arm in dict.fromkeys(flow["arm"]):
        stages = dict.fromkeys(flow.loc[flow["arm"] == arm, "stage"])
        sentences += ["; ".join(_lines(flow, stage, arm)) for stage in stages]
    return ". ".join(sentences) + "."


def _lines(flow: pd.DataFrame, stage: str, arm: str) -> list[str]:
    part = flow.loc[(flow["stage"] == stage) & (flow["arm"] == arm)]
    head = part.loc[part["kind"] == "stage"].iloc[0]
    lines = [f"{head['label']}: {plural(head['teams'], 'team')}, {plural(head['people'], 'person', 'people')}"]
    lines += [f"{row['label']}: {count(row['people'])}" for row in part.to_dict("records") if row["kind"] != "stage"]
    return lines
