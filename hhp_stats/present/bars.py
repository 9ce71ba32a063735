"""Horizontal bars with their numbers beside them: shares of people, counts, pounds.

What may not be printed has no bar, and the mark stands in its place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hhp_stats.present.numbers import withheld
from hhp_stats.present.style import INK, WIDTH, apply_style

_ROW = 0.27  # inches
_ROOM = 1.45  # of the longest bar: how far the axis reaches, for the words beside it


def labelled_bars(
    labels: Sequence[str],
    values: Sequence[object],
    *,
    words: Sequence[str],
    unit: str,
    colours: Sequence[str] = (),
    most: float | None = None,
) -> Figure:
    """One bar a label, from the top, its words to the right of it; `values` are numbers, `WITHHELD`, or not a number:
    then the words alone are there.

    `colours`: one a bar; all in ink where nothing else is said. `most`: the largest value there can be, such as 100 of
    percentages; the axis is numbered no further.
    """
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 0.65 + _ROW * len(labels)))
    lengths = [_length(value) for value in values]
    places = list(range(len(labels) - 1, -1, -1))
    axes.barh(places, lengths, height=0.62, color=list(colours) or INK)
    for place, length, said in zip(places, lengths, words, strict=True):
        axes.annotate(
            said, (length, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK
        )
    axes.set_yticks(places, list(labels))
    axes.tick_params(axis="y", length=0)
    _number_to(axes, longest=max(lengths, default=0.0), most=most)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_xlabel(unit)
    return figure


def _length(value: object) -> float:
    number = math.nan if withheld(value) else float(str(value))
    return 0.0 if math.isnan(number) else number


class Part(NamedTuple):
    """One part of every stacked bar: what the legend calls it, its numbers, and how it is filled."""

    label: str
    values: Sequence[int]
    fill: str
    hatch: str = ""


def stacked_bars(labels: Sequence[str], parts: Sequence[Part], *, words: Sequence[str], unit: str) -> Figure:
    """One bar a label, from the top, made of `parts` from left to right, its words to the right of it."""
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 1.0 + _ROW * len(labels)))
    places = list(range(len(labels) - 1, -1, -1))
    ends = [0] * len(labels)
    for part in parts:
        axes.barh(
            places,
            list(part.values),
            left=ends,
            height=0.62,
            color=part.fill,
            edgecolor=INK,
            linewidth=0.7,
            hatch=part.hatch,
            label=part.label,
        )
        ends = [end + value for end, value in zip(ends, part.values, strict=True)]
    for place, end, said in zip(places, ends, words, strict=True):
        axes.annotate(said, (end, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5)
    axes.set_yticks(places, list(labels))
    axes.tick_params(axis="y", length=0)
    _number_to(axes, longest=max(ends, default=0), most=None)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_xlabel(unit)
    figure.legend(loc="outside upper left", ncols=len(parts))
    return figure


def _number_to(axes: Axes, *, longest: float, most: float | None) -> None:
    """Ends of the horizontal axis, with room for the words beside the longest bar; ticks up to `most`."""
    axes.set_xlim(0, _ROOM * longest or 1.0)
    if most is not None:
        axes.set_xticks([tick for tick in axes.get_xticks() if tick <= min(most, axes.get_xlim()[1])])


def bars_in_words(labels: Sequence[str], words: Sequence[str]) -> str:
    """The same for an alternative text: `Control: 8.0%; Goal-setting: 5.9%`."""
    return "; ".join(f"{label}: {said}" for label, said in zip(labels, words, strict=True))
