"""The diagram of who went through a trial: boxes for everyone, then one column of boxes an arm, as CONSORT draws it."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from hhp_stats.present.marked_text import plain
from hhp_stats.present.style import INK, QUIET, apply_style, broken, letters, narrow

Box = Sequence[str]
"""The lines of a box; the first is its heading."""

# In points.
_HEAD, _TEXT = 8.2, 7.4  # letters
_LINE = 10.5
_EDGE = 6.0  # between frame and words
_ARROW = 19.0
_APART = 10.0  # between two columns


def flow_boxes(everyone: Sequence[Box], columns: Sequence[Sequence[Box]], *, width: float) -> Figure:
    """`everyone`'s boxes below each other, then a column an arm; boxes of one stage are as high as the tallest.

    Lines longer than their box are broken. The figure is `width` inches wide and as high as its boxes need.
    """
    apply_style()
    whole = 72 * width
    share = whole / len(columns)
    wide = share - _APART
    top = [_broken(box, whole - 4 if narrow(width) else 0.62 * whole) for box in everyone]
    arms = [[_broken(box, wide) for box in column] for column in columns]
    stages = [max(_height(box) for box in stage) for stage in zip(*arms, strict=True)]
    height = sum(map(_height, top)) + sum(stages) + _ARROW * (len(top) - 1 + len(stages)) + 4
    figure = plt.figure(figsize=(width, height / 72), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, whole)
    axes.set_ylim(0, height)
    axes.axis("off")
    y = height - 2
    middle = whole / 2
    for number, box in enumerate(top):
        if number:
            _arrow(axes, (middle, y), (middle, y - _ARROW))
            y -= _ARROW
        _draw(axes, box, x=middle, top=y, width=whole - 4 if narrow(width) else 0.62 * whole, height=_height(box))
        y -= _height(box)
    tops = [y - _ARROW * (stage + 1) - sum(stages[:stage]) for stage in range(len(stages))]
    for place, boxes in enumerate(arms):
        x = share * (place + 0.5)
        _arrow(axes, (middle, y), (x, tops[0]))
        for (upper, tall), lower in zip(zip(tops, stages, strict=True), tops[1:], strict=False):
            _arrow(axes, (x, upper - tall), (x, lower))
        for at, tall, box in zip(tops, stages, boxes, strict=True):
            _draw(axes, box, x=x, top=at, width=wide, height=tall)
    return figure


def _broken(box: Box, width: float) -> list[tuple[str, bool]]:
    """The lines of a box as they fit into `width` points, and whether each belongs to the heading."""
    room = (width - 2 * _EDGE) / 72
    return [
        (part, number == 0)
        for number, line in enumerate(box)
        for part in broken(plain(line), letters(room, _TEXT if number else 1.06 * _HEAD))
    ]


def _height(lines: Sequence[tuple[str, bool]]) -> float:
    return _LINE * len(lines) + 2 * _EDGE


def _draw(axes: Axes, lines: Sequence[tuple[str, bool]], *, x: float, top: float, width: float, height: float) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, top - height),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=3.5",
            facecolor="none",
            edgecolor=QUIET,
            linewidth=0.9,
        )
    )
    first = top - height / 2 + _LINE * (len(lines) - 1) / 2
    for line, (words, head) in enumerate(lines):
        axes.text(
            x,
            first - _LINE * line,
            words,
            ha="center",
            va="center",
            fontsize=_HEAD if head else _TEXT,
            weight="bold" if head else "normal",
            color=INK,
        )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 0.9, "shrinkA": 1, "shrinkB": 1},
    )
