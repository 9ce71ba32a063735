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
from hhp_stats.present.style import CONTROL, INK, PAPER, PLANNED, QUIET, TREATMENT, WIDTH, apply_style
from hhp_stats.results import LACKING
from hhp_stats.traced import note_results


def forest(
    rows: pd.DataFrame,
    *,
    labels: Sequence[str],
    unit: str,
    planned: str | Collection[str] = "",
    digits: int = 2,
    scale: float = 1.0,
    favours: tuple[str, str] = ("", ""),
    limits: tuple[float, float] | None = None,
    muted: Collection[str] = (),
    contrast: str = "",
) -> Figure:
    """Estimates and intervals, one line a row, zero marked, rows with an id in `planned` emphasised.

    Rows that could not be estimated keep their line and say so. Infinite ends run to the frame, and with `limits`
    (ends of the axis) so do those beyond it, with an arrow; their numbers stand beside the frame as all others.
    `scale` multiplies estimates and intervals (100 for percentage points). Rows with an id in `muted` are grey with
    an open mark, so that they can be told apart in print as well.
    """
    apply_style()
    note_results(rows["result_id"])
    count = len(rows)
    figure, axes = plt.subplots(figsize=(WIDTH, 0.8 + 0.205 * count))
    ends = scale * rows[["conf_low", "conf_high"]].to_numpy(dtype=float)
    finite = ends[np.isfinite(ends)]
    low, high = (min(0.0, finite.min()), max(0.0, finite.max())) if finite.size else (-1.0, 1.0)
    low, high = limits or (low, high)
    marked = {planned} if isinstance(planned, str) else set(planned)
    margin = 0.06 * (high - low or 1.0)
    axes.set_xlim(low - margin, high + margin)
    for line, (row, label) in enumerate(zip(rows.to_dict("records"), labels, strict=True)):
        _forest_line(
            axes,
            row,
            y=count - 1 - line,
            label=label,
            emphasised=row["result_id"] in marked,
            muted=row["result_id"] in muted,
            digits=digits,
            scale=scale,
        )
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
    axes.set_ylim(-0.7, count - 0.3)
    axes.set_yticks([])
    axes.set_xlabel(f"Difference, {contrast} ({unit})" if contrast else f"Difference ({unit})")
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    for x, word, align in ((0.0, favours[0], "left"), (1.0, favours[1], "right")):
        axes.annotate(word, (x, 1.0), xycoords="axes fraction", ha=align, va="bottom", fontsize=8, color=QUIET)
    return figure


def _forest_line(
    axes: Axes,
    row: Mapping[Any, Any],
    *,
    y: float,
    label: str,
    emphasised: bool,
    muted: bool,
    digits: int,
    scale: float,
) -> None:
    colour, weight = (PLANNED, "bold") if emphasised else (QUIET if muted else TREATMENT, "normal")
    axes.annotate(
        label, (-0.02, y), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=8.5, weight=weight
    )
    if row["status"] in LACKING:
        axes.annotate(
            "not estimated",
            (0.5, y),
            xycoords=("axes fraction", "data"),
            ha="center",
            va="center",
            fontsize=8,
            color=QUIET,
            style="italic",
        )
        return
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
    words = (
        f"{number(middle, digits)}  ({interval(low, high, digits)})" if not np.isnan(low) else number(middle, digits)
    )
    axes.annotate(
        words, (1.02, y), xycoords=("axes fraction", "data"), ha="left", va="center", fontsize=8, weight=weight
    )


def distribution(table: pd.DataFrame, *, unit: str, arm_labels: Mapping[str, str]) -> Figure:
    """Share of people by class of an outcome, the arms side by side.

    `table`: columns `arm` (control, treatment), `bin` (label, in order), `share` (0 to 1, or withheld: no bar, but the
    mark in its place).
    """
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 2.9))
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
    axes.set_xlabel(f"{unit} (classes of unequal width)")
    axes.set_ylabel("% of the arm")
    axes.legend(frameon=False)
    return figure


def acceptability_curve(table: pd.DataFrame) -> Figure:
    """Share of resamples whose ratio exceeds each threshold, one line a scenario.

    `table`: columns `label`, `threshold`, `probability` (0 to 1).
    """
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 2.8))
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
    axes.legend(frameon=False)
    return figure


def simple_forest(
    rows: pd.DataFrame, *, labels: Sequence[str], ends: tuple[str, str, str], muted: Sequence[bool]
) -> Figure:
    """Estimates and intervals for readers without statistics: labels above the lines, no numbers, words for the ends.

    `ends` stand below the left end, the middle and the right end. As wide as a telephone, so that its letters stay
    large there. `muted` rows are grey with an open mark.
    """
    apply_style()
    note_results(rows["result_id"])
    figure, axes = plt.subplots(figsize=(_NARROW, 0.75 + 0.5 * len(rows)))
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
_NARROW = 3.8  # inches
_SIDES = ("left", "center", "right")
