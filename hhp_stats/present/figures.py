"""Figures of effects and distributions. Each returns a drawing; titles and words come from the caller's rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hhp_stats.present.numbers import WITHHELD, interval, number, withheld
from hhp_stats.present.row_axes import row_axes
from hhp_stats.present.style import CONTROL, INK, PAPER, PLANNED, QUIET, TREATMENT, WIDTH, apply_style, fitted, narrow
from hhp_stats.results.frame import LACKING
from hhp_stats.results.traced import note_results


def forest(
    rows: pd.DataFrame,
    *,
    labels: Sequence[str],
    unit: str,
    width: float = WIDTH,
    planned: str | Collection[str] = "",
    digits: int = 2,
    scale: float = 1.0,
    favours: tuple[str, str] = ("", ""),
    limits: tuple[float, float] | None = None,
    muted: Collection[str] = (),
    contrast: str = "",
    title: str = "",
) -> Figure:
    """Estimates and intervals, one line a row, zero marked, rows with an id in `planned` emphasised.

    Rows that could not be estimated keep their line and say so. Infinite ends run to the frame, and with `limits`
    (ends of the axis) so do those beyond it, with an arrow; their numbers are printed as all others.
    `scale` multiplies estimates and intervals (100 for percentage points). Rows with an id in `muted` are grey with
    an open mark, so that they can be told apart in print as well. The axis is called `title`, or by what is a
    difference in `unit`.
    """
    note_results(rows["result_id"])
    ends = scale * rows[["conf_low", "conf_high"]].to_numpy(dtype=float)
    finite = ends[np.isfinite(ends)]
    low, high = (min(0.0, finite.min()), max(0.0, finite.max())) if finite.size else (-1.0, 1.0)
    low, high = limits or (low, high)
    marked = {planned} if isinstance(planned, str) else set(planned)
    records = rows.to_dict("records")
    emphasised = [row["result_id"] in marked for row in records]
    frame = row_axes(
        labels,
        width=width,
        row=0.205,
        around=0.8,
        words=[_in_numbers(row, digits=digits, scale=scale) for row in records],
        bold=emphasised,
    )
    axes = frame.axes
    margin = 0.06 * (high - low or 1.0)
    axes.set_xlim(low - margin, high + margin)
    for row, y, strong in zip(records, frame.places, emphasised, strict=True):
        if row["status"] not in LACKING:
            _forest_line(axes, row, y=y, emphasised=strong, muted=row["result_id"] in muted, scale=scale)
    frame.upright(0)
    words = title or (f"Difference, {contrast} ({unit})" if contrast else f"Difference ({unit})")
    axes.set_xlabel(fitted(words, width))
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    for x, word, align in ((0.0, favours[0], "left"), (1.0, favours[1], "right")):
        axes.annotate(word, (x, 1.0), xycoords="axes fraction", ha=align, va="bottom", fontsize=8, color=QUIET)
    return frame.figure


def _in_numbers(row: Mapping[Any, Any], *, digits: int, scale: float) -> str:
    """`-0.78  (-1.62 to 0.05)`, or that the row has no number."""
    if row["status"] in LACKING:
        return "not estimated"
    middle, low, high = (scale * row[name] for name in ("estimate", "conf_low", "conf_high"))
    return number(middle, digits) if np.isnan(low) else f"{number(middle, digits)}  ({interval(low, high, digits)})"


def _forest_line(axes: Axes, row: Mapping[Any, Any], *, y: float, emphasised: bool, muted: bool, scale: float) -> None:
    colour = PLANNED if emphasised else QUIET if muted else TREATMENT
    middle, low, high = (scale * row[name] for name in ("estimate", "conf_low", "conf_high"))
    left, right = axes.get_xlim()
    inset = 0.02 * (right - left)  # room for the arrow of an interval that goes on
    left, right = left + inset, right - inset
    if not np.isnan(low):
        axes.plot(
            [max(low, left), min(high, right)],
            [y, y],
            color=colour,
            linewidth=2.4 if emphasised else 1.4,
            solid_capstyle="butt",
        )
        for end, beyond, mark in ((left, low < left, "<"), (right, high > right, ">")):
            if beyond:
                axes.plot([end], [y], marker=mark, color=colour, markersize=4)
    axes.plot(
        [middle],
        [y],
        marker="D" if emphasised else "o",
        color=colour,
        markersize=6 if emphasised else 4.5,
        markerfacecolor="white" if muted else colour,
    )


def planned_and_others(
    rows: Sequence[Mapping[str, Any]],
    *,
    labels: Sequence[str],
    planned: Sequence[bool],
    title: str,
    width: float,
    digits: int = 2,
) -> Figure:
    """Estimates and intervals, one line a row: planned ones as diamonds, all others as grey circles."""
    words = [_in_numbers(row, digits=digits, scale=1.0) for row in rows]
    frame = row_axes(labels, width=width, row=0.38, around=0.85, words=words)
    axes = frame.axes
    for row, y, asked in zip(rows, frame.places, planned, strict=True):
        if row["status"] not in LACKING:
            colour = PLANNED if asked else QUIET
            axes.plot([row["conf_low"], row["conf_high"]], [y, y], color=colour, linewidth=2.2 if asked else 1.4)
            axes.plot([row["estimate"]], [y], marker="D" if asked else "o", color=colour)
    frame.upright(0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(fitted(title, width))
    return frame.figure


def distribution(table: pd.DataFrame, *, unit: str, arm_labels: Mapping[str, str], width: float = WIDTH) -> Figure:
    """Share of people by class of an outcome, the arms side by side.

    `table`: columns `arm` (control, treatment), `bin` (label, in order), `share` (0 to 1, or withheld: no bar, but the
    mark in its place).
    """
    apply_style()
    figure, axes = plt.subplots(figsize=(width, 2.9))
    bins = list(dict.fromkeys(table["bin"]))
    position = np.arange(len(bins))
    for shift, arm, colour, hatch in ((-0.2, "control", CONTROL, ""), (0.2, "treatment", TREATMENT, "//")):
        share = table.loc[table["arm"] == arm].set_index("bin")["share"].reindex(bins)
        hidden = np.array([withheld(value) for value in share])
        share = pd.Series(pd.to_numeric(share.mask(hidden)), dtype="float64")
        for x in position[hidden]:
            axes.annotate(WITHHELD, (x + shift, 0), ha="center", va="bottom", fontsize=7.5, color=QUIET)
        axes.bar(
            position + shift,
            100 * share,
            width=0.38,
            color=colour,
            label=arm_labels[arm],
            hatch=hatch,
            edgecolor="white",
            linewidth=0.5,
        )
    axes.set_xticks(position, bins)
    axes.set_xlabel(fitted(f"{unit} (classes of unequal width)", width))
    axes.set_ylabel("% of the arm")
    axes.legend(frameon=False)
    return figure


def acceptability_curve(table: pd.DataFrame, *, width: float = WIDTH) -> Figure:
    """Share of resamples whose ratio exceeds each threshold, one line a scenario.

    `table`: columns `label`, `threshold`, `probability` (0 to 1).
    """
    apply_style()
    figure, axes = plt.subplots(figsize=(width, 2.8))
    for style, mark, (label, part) in zip(_DASHES, "os^v", table.groupby("label", sort=False), strict=False):
        axes.plot(
            part["threshold"],
            100 * part["probability"],
            linestyle=style,
            color=INK,
            marker=mark,
            markersize=4,
            label=label,
        )
    axes.axvline(1, color=QUIET, linewidth=0.8)
    axes.set_ylim(0, 100)
    axes.set_xlabel("Benefit-cost ratio of at least (1: breaking even)")
    axes.set_ylabel("% of resamples")
    if narrow(width):  # no place inside is free
        figure.legend(loc="outside upper left")
    else:
        axes.legend(frameon=False)
    return figure


def simple_forest(
    rows: pd.DataFrame,
    *,
    labels: Sequence[str],
    ends: tuple[str, str, str],
    muted: Sequence[bool],
    width: float = WIDTH,
) -> Figure:
    """Estimates and intervals for readers without statistics: labels above the lines, no numbers, words for the ends.

    `ends` stand below the left end, the middle and the right end. `muted` rows are grey with an open mark.
    """
    apply_style()
    note_results(rows["result_id"])
    figure, axes = plt.subplots(figsize=(width, 0.75 + (0.5 if narrow(width) else 0.42) * len(rows)))
    reach = 1.08 * float(np.nanmax(np.abs(rows[["conf_low", "conf_high"]].to_numpy(dtype=float))))
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-0.6, len(rows) - 0.25)
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
    for line, (row, label, grey) in enumerate(zip(rows.to_dict("records"), labels, muted, strict=True)):
        y, colour = len(rows) - 1 - line, QUIET if grey else TREATMENT
        axes.annotate(
            label,
            (0.0, y + 0.18),
            xycoords=("axes fraction", "data"),
            va="bottom",
            fontsize=8.5,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},  # the line of no effect ends behind the words
        )
        axes.plot([row["conf_low"], row["conf_high"]], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot(
            [row["estimate"]], [y], "o", color=colour, markersize=5.5, markerfacecolor="white" if grey else colour
        )
    axes.set_yticks([])
    axes.set_xticks([])
    for x, word, side in zip((0.0, 0.5, 1.0), (f"\u2190 {ends[0]}", ends[1], f"{ends[2]} \u2192"), _SIDES, strict=True):
        axes.annotate(
            word,
            (x, 0.0),
            xytext=(0, -4),
            xycoords="axes fraction",
            textcoords="offset points",
            ha=side,
            va="top",
            fontsize=8.5,
            color=QUIET,
        )
    for side in ("left", "top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    return figure


_DASHES = ("-", "--", ":", "-.")
_SIDES = ("left", "center", "right")
