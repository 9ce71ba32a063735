"""Horizontal bars with their numbers beside them: shares of people, counts, pounds.

What may not be printed has no bar, and the mark stands in its place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from hhp_stats.present.numbers import withheld
from hhp_stats.present.row_axes import Rows, row_axes
from hhp_stats.present.style import INK, WIDTH, fitted, narrow

_ROW = 0.27  # inches
_ROOM = 1.45  # of the longest bar: how far the axis reaches where words stand beside it
_THICK = 0.62  # of the height of a row


def labelled_bars(
    labels: Sequence[str],
    values: Sequence[object],
    *,
    words: Sequence[str],
    unit: str,
    width: float = WIDTH,
    colours: Sequence[str] = (),
    most: float | None = None,
) -> Figure:
    """One bar a label, from the top, its words to the right of it; `values` are numbers, `WITHHELD`, or not a number:
    then the words alone are there.

    `colours`: one a bar; all in ink where nothing else is said. `most`: the largest value there can be, such as 100 of
    percentages; the axis is numbered no further.
    """
    frame, lengths = _frame(labels, words, width=width, around=0.65), [_length(value) for value in values]
    frame.axes.barh(frame.places, lengths, height=_THICK * frame.unit, color=list(colours) or INK)
    _finish(frame, lengths, words, unit=unit, width=width, most=most)
    return frame.figure


def _length(value: object) -> float:
    number = math.nan if withheld(value) else float(str(value))
    return 0.0 if math.isnan(number) else number


class Part(NamedTuple):
    """One part of every stacked bar: what the legend calls it, its numbers, and how it is filled."""

    label: str
    values: Sequence[int]
    fill: str
    hatch: str = ""


def stacked_bars(
    labels: Sequence[str], parts: Sequence[Part], *, words: Sequence[str], unit: str, width: float = WIDTH
) -> Figure:
    """One bar a label, from the top, made of `parts` from left to right, its words to the right of it."""
    frame, ends = _frame(labels, words, width=width, around=1.0), [0] * len(labels)
    for part in parts:
        frame.axes.barh(
            frame.places,
            list(part.values),
            left=ends,
            height=_THICK * frame.unit,
            color=part.fill,
            edgecolor=INK,
            linewidth=0.7,
            hatch=part.hatch,
            label=part.label,
        )
        ends = [end + value for end, value in zip(ends, part.values, strict=True)]
    _finish(frame, ends, words, unit=unit, width=width, most=None)
    frame.figure.legend(loc="outside upper left", ncols=2 if frame.above else len(parts))
    return frame.figure


def _frame(labels: Sequence[str], words: Sequence[str], *, width: float, around: float) -> Rows:
    """The frame of the bars: on a telephone the words stand above them, else beside them."""
    return row_axes(labels, width=width, row=_ROW, around=around, words=words if narrow(width) else ())


def _finish(
    frame: Rows, ends: Sequence[float], words: Sequence[str], *, unit: str, width: float, most: float | None
) -> None:
    """Words beside bars, the horizontal axis with its ends and ticks, and what it counts."""
    axes = frame.axes
    for place, end, said in [] if frame.above else zip(frame.places, ends, words, strict=True):
        axes.annotate(
            said, (end, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK
        )
    axes.set_xlim(0, (1.02 if frame.above else _ROOM) * max(ends, default=0) or 1.0)
    if most is not None:
        last = min(most, axes.get_xlim()[1])
        axes.set_xticks([tick for tick in axes.get_xticks() if tick <= last])
        axes.spines["bottom"].set_bounds(0, last)  # the room for words beside the bars is not part of the scale
    axes.set_xlabel(fitted(unit, width))


def bars_in_words(labels: Sequence[str], words: Sequence[str]) -> str:
    """The same for an alternative text: `Control: 8.0%; Goal-setting: 5.9%`."""
    return "; ".join(f"{label}: {said}" for label, said in zip(labels, words, strict=True))
