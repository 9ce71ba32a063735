"""The participant flow as a diagram, drawn from the table of counts, and the same in words."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from hhp_stats.present.numbers import count, plural
from hhp_stats.present.style import QUIET, WIDTH, apply_style

_STAGES = ("allocated", "followed", "analysed", "survey")


def flow_diagram(flow: pd.DataFrame) -> Figure:
    """Boxes of teams and people by stage, the arms side by side. `flow` as `participant_flow` makes it."""
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 6.1))
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.axis("off")
    _box(axes, x=50, y=92, text=_lines(flow, "listed", "all"), width=62)
    _box(axes, x=50, y=76, text=_lines(flow, "randomised", "all"), width=62)
    _arrow(axes, (50, 86.2), (50, 81.8))
    arms = [arm for arm in dict.fromkeys(flow["arm"]) if arm != "all"]
    heights = (59, 41.5, 25, 8.5)
    for x, arm in zip((25, 75), arms, strict=True):
        _arrow(axes, (50, 70.2), (x, 64.8))
        for upper, y, stage in zip((None, *heights[:-1]), heights, _STAGES, strict=True):
            if upper is not None:
                _arrow(axes, (x, upper - 5.8), (x, y + 5.8))
            _box(axes, x=x, y=y, text=_lines(flow, stage, arm), width=48)
    return figure


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


def _box(axes: Axes, *, x: float, y: float, text: list[str], width: float) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - 5.2),
            width,
            10.4,
            boxstyle="round,pad=0.3,rounding_size=0.8",
            facecolor="none",
            edgecolor=QUIET,
            linewidth=0.9,
        )
    )
    step = 3.1
    top = y + step * (len(text) - 1) / 2
    for line, words in enumerate(text):
        axes.text(
            x,
            top - step * line,
            words,
            ha="center",
            va="center",
            fontsize=8.3 if line == 0 else 7.4,
            weight="bold" if line == 0 else "normal",
        )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 0.9})
