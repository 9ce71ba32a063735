"""Horizontal bars with their numbers beside them: shares of people, counts, pounds.

What may not be printed has no bar, and the mark stands in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from hhp_stats.present.numbers import withheld
from hhp_stats.present.style import INK, WIDTH, apply_style

_ROW = 0.27  # inches
_ROOM = 1.45  # of the longest bar: how far the axis reaches, for the words beside it


def labelled_bars(
    labels: Sequence[str], values: Sequence[object], *, words: Sequence[str], unit: str, colours: Sequence[str] = ()
) -> Figure:
    """One bar a label, from the top, its words to the right of it; `values` are numbers or `WITHHELD`.

    `colours`: one a bar; all in ink where nothing else is said.
    """
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 0.65 + _ROW * len(labels)))
    lengths = [0.0 if withheld(value) else float(str(value)) for value in values]
    places = list(range(len(labels) - 1, -1, -1))
    axes.barh(places, lengths, height=0.62, color=list(colours) or INK)
    for place, length, said in zip(places, lengths, words, strict=True):
        axes.annotate(
            said, (length, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK
        )
    axes.set_yticks(places, list(labels))
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, _ROOM * max(lengths, default=1.0) or 1.0)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_xlabel(unit)
    return figure


def bars_in_words(labels: Sequence[str], words: Sequence[str]) -> str:
    """The same for an alternative text: `Control: 8.0%; Goal-setting: 5.9%`."""
    return "; ".join(f"{label}: {said}" for label, said in zip(labels, words, strict=True))
