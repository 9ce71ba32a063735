"""Figures of one line a row: where the names of the rows stand, and their numbers.

Beside the frame on paper, names to the left and numbers to the right. On a telephone that would leave a frame of an
inch: names and numbers stand above the mark of their row, and the frame is as wide as the figure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hhp_stats.errors import NoConclusion
from hhp_stats.present.marked_text import plain
from hhp_stats.present.style import QUIET, apply_style, broken, letters, narrow

_SIZE, _SMALL = 8.5, 8.0  # points: names, numbers
LINE = 11.0  # points from one line of words to the next
_MARK = 15.0  # points that a mark below its words takes
_NAMES = 0.5  # share of a figure's width that names beside the frame may take
_APART = 2  # letters between a name and the numbers on its line


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A frame for rows, their names and numbers written: `places` from the top, where their marks belong; `unit` is
    the height that the mark of one row may take.
    """

    figure: Figure
    axes: Axes
    places: Sequence[float]
    unit: float
    above: bool  # names stand above their marks
    title: float  # inches that a title centred below the frame may take

    def upright(self, x: float) -> None:
        """A line of reference; where names stand above marks, at the marks alone: it would cross the names."""
        if self.above:
            half = self.unit / 2
            low, high = [y - half for y in self.places], [y + half for y in self.places]
            self.axes.vlines([x] * len(low), low, high, color=QUIET, linewidth=0.8, zorder=0)
        else:
            self.axes.axvline(x, color=QUIET, linewidth=0.8, zorder=0)


def row_axes(
    labels: Sequence[str],
    *,
    width: float,
    row: float,
    around: float,
    words: Sequence[str] = (),
    bold: Sequence[bool] = (),
) -> Rows:
    """A figure `width` inches wide with a frame for one row a label, from the top.

    `row` is the height of a row in inches where names stand beside it (below each other they take what they need),
    `around` that of everything else: axis, its title, words above the frame. `words` are the numbers of the rows,
    `bold` says which of them are emphasised. Refuses a figure without a row (NoConclusion): where nothing could be
    estimated, the page says the reason in its place.
    """
    if not labels:
        raise NoConclusion("a figure has no row, since nothing that it would show has a number")
    apply_style()
    names = [plain(label) for label in labels]
    numbers = [plain(said) for said in words] or [""] * len(names)
    weights = ["bold" if strong else "normal" for strong in bold] or ["normal"] * len(names)
    if narrow(width):
        return _above(names, numbers, weights, width=width, around=around)
    room = letters(_NAMES * width, _SIZE)
    names = ["\n".join(broken(name, room)) if _widest(name) > room else name for name in names]
    row = max(row, LINE * max((name.count("\n") + 1 for name in names), default=1) / 72)
    figure, axes = plt.subplots(figsize=(width, around + row * len(names)))
    places = list(range(len(names) - 1, -1, -1))
    for y, name, said, weight in zip(places, names, numbers, weights, strict=True):
        _write(axes, name, (-0.02, y), side="right", size=_SIZE, weight=weight)
        if said:
            _write(axes, said, (1.02, y), side="left", size=_SMALL, weight=weight)
    axes.set_yticks([])
    axes.set_ylim(-0.7, len(names) - 0.3)
    left, right = (_inches(max(map(_widest, each), default=0)) for each in (names, numbers))
    # Centred below the frame it may reach over the numbers to the right, and as far to the left.
    return Rows(
        figure=figure, axes=axes, places=places, unit=1.0, above=False, title=max(1.5, width - left + right - 0.3)
    )


def _widest(text: str) -> int:
    return max(map(len, text.split("\n")))


def _inches(signs: int) -> float:
    """About how wide so many letters of a name are; `letters` the other way round."""
    return 0.45 * _SIZE * signs / 72


def _above(
    names: Sequence[str], numbers: Sequence[str], weights: Sequence[str], *, width: float, around: float
) -> Rows:
    """The same for a telephone. The vertical axis is in points, so that lines of words keep their distance."""
    room = letters(width - 0.1, _SIZE)
    blocks = [_lines(name.replace("\n", " "), said, room) for name, said in zip(names, numbers, strict=True)]
    height = sum(LINE * len(lines) + _MARK for lines in blocks)
    figure, axes = plt.subplots(figsize=(width, around + height / 72))
    places, top = [], height
    for lines, weight in zip(blocks, weights, strict=True):
        for name, said in lines:
            _write(axes, name, (0.0, top), side="left", size=_SIZE, weight=weight, lowered=True)
            if said:
                _write(axes, said, (1.0, top), side="right", size=_SMALL, weight=weight, lowered=True)
            top -= LINE
        places.append(top - 0.5 * _MARK + 2)
        top -= _MARK
    axes.set_yticks([])
    axes.set_ylim(0, height)
    axes.spines["left"].set_visible(False)  # names begin there
    return Rows(figure=figure, axes=axes, places=places, unit=0.8 * _MARK, above=True, title=width)


def _lines(name: str, said: str, room: int) -> list[tuple[str, str]]:
    """The lines above a mark: the name, and the numbers on its last line or, where they do not fit, on one more."""
    lines = textwrap.wrap(name, room) or [""]
    found = [(line, "") for line in lines[:-1]]
    if not said or len(lines[-1]) + _APART + len(said) <= room:
        return [*found, (lines[-1], said)]
    first = textwrap.wrap(name, max(12, room - _APART - len(said)))
    if len(first) == len(lines):  # an earlier break makes room for the numbers
        return [*((line, "") for line in first[:-1]), (first[-1], said)]
    return [*found, (lines[-1], ""), ("", said)]


def _write(
    axes: Axes,
    words: str,
    place: tuple[float, float],
    *,
    side: str,
    size: float,
    weight: str,
    lowered: bool = False,
) -> None:
    words_of_row = axes.annotate(
        words,
        place,
        xycoords=("axes fraction", "data"),
        ha=side,
        va="top" if lowered else "center",
        fontsize=size,
        weight=weight,
    )
    words_of_row.set_in_layout(not lowered)  # above a mark they lie within the frame
