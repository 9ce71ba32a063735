"""The figures of the chapter on the hiring experiments, with captions and alternative texts from the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.figures import planned_and_others
from hhp_stats.present.hiring.report import HiringReport
from hhp_stats.present.marked_text import plain
from hhp_stats.present.numbers import count, interval, level, number, percent
from hhp_stats.present.style import GRID, INK, MEANINGS, QUIET, apply_style, fitted, narrow

Row = Mapping[str, Any]


NAMES = {
    "minority": MEANINGS["applicants with a minority ethnic name"],
    "white_british": MEANINGS["applicants with a White British name"],
    "blinded": MEANINGS["applicants without a name"],
}


def _embed(
    report: HiringReport,
    draw: Callable[[float], Figure],
    *,
    label: str,
    conclusion: str,
    alt: str,
    caption: str,
) -> EmbeddedFigure:
    return embed(
        draw,
        root=report.root,
        document=report.document,
        label=label,
        conclusion=conclusion,
        alt=alt,
        caption=caption,
    )


_CONDITIONS = ("separate", "joint")
_KINDS = {"minority": "Minority ethnic names", "white_british": "White British names"}


def rates(report: HiringReport) -> EmbeddedFigure:
    """Rates of progression by condition and kind of name, with intervals (after the published figures 14 and 15)."""
    found = {
        name: [report.result("progression", f"mean_{condition}_{name}") for condition in _CONDITIONS] for name in _KINDS
    }
    said = [
        f"{_KINDS[name]} {number(joint['estimate'], 1)}% in pairs and {number(separate['estimate'], 1)}% alone"
        for name, (separate, joint) in found.items()
    ]
    words = [
        f"{_KINDS[name].lower().replace('white british', 'White British')}, {condition}: {number(row['estimate'], 1)}% "
        f"({interval(row['conf_low'], row['conf_high'], 1)})"
        for name, rows in found.items()
        for condition, row in zip(_CONDITIONS, rows, strict=True)
    ]
    return _embed(
        report,
        lambda width: _rates(found, width=width),
        label="hiring-rates",
        conclusion=f"Shortlisted: {'; '.join(said)}",
        alt=(
            f"Share of decisions to put a candidate forward, with {level(report.plan.conf_level)} intervals."
            f" {'; '.join(words)}."
        ),
        caption=(
            "Experiment 1: how often candidates were shortlisted, by condition and kind of name; lines are"
            f" {level(report.plan.conf_level)} intervals, clustered by participant. The axis does not begin at zero"
        ),
    )


def _rates(found: Mapping[str, Sequence[Row]], *, width: float) -> Figure:
    """A line from one condition to the other for each kind of name: the second's numbers stand above their marks, the
    first's below.
    """
    apply_style()
    figure, axes = plt.subplots(figsize=(width, 3.1))
    ends_shown: list[float] = []
    apart = 0.03  # the two names stand side by side
    for (name, rows), place, marker in zip(found.items(), (-1, 1), "Do", strict=True):
        colour, shift = NAMES[name], place * apart
        places = np.arange(2) + shift
        middle = np.array([row["estimate"] for row in rows])
        ends = np.array([[row["conf_low"], row["conf_high"]] for row in rows]).T
        axes.errorbar(
            places,
            middle,
            yerr=np.abs(ends - middle),
            fmt=marker,
            color=colour,
            elinewidth=1.8,
            label=_KINDS[name],
        )
        axes.plot(places, middle, color=colour, linewidth=1.2)
        ends_shown += [*ends.flat]
        # Outside both intervals, so that no number lies on the other name's.
        for at, value, side, gap in zip((-apart, 1 + apart), middle, ("right", "left"), (-9, 9), strict=True):
            named = side == "left" and not narrow(width)
            axes.annotate(
                f"{_KINDS[name]}: {number(value, 1)}%" if named else f"{number(value, 1)}%",
                (at, value),
                xytext=(gap, 8 * place),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=8.5,
                color=colour,
            )
    names = ["One after the other (separate)", "In pairs (joint)"]
    axes.set_xticks([0, 1], [fitted(name, 0.6 * width) for name in names])
    axes.set_xlim(-0.4, 1.4 if narrow(width) else 2.1)
    step = 5
    axes.set_ylim(step * np.floor(min(ends_shown) / step), step * np.ceil(max(ends_shown) / step))
    axes.grid(axis="y", color=GRID)
    axes.set_ylabel("% of decisions to shortlist")
    if narrow(width):
        figure.legend(loc="outside upper left", ncols=2, columnspacing=1, handletextpad=0.2)
    return figure


def _contrasts(
    report: HiringReport, experiment: str, *, label: str, unit: str, digits: int, caption: str
) -> EmbeddedFigure:
    rows = [report.result(experiment, contrast.id) for contrast in report.plan.contrasts_of(experiment)]
    contrasts = [report.plan.contrasts[row["estimand"]] for row in rows]
    words = [
        f"{contrast.label}: {number(row['estimate'], digits)} ({interval(row['conf_low'], row['conf_high'], digits)})"
        for row, contrast in zip(rows, contrasts, strict=True)
    ]
    return _embed(
        report,
        lambda width: planned_and_others(
            rows,
            labels=[contrast.label.replace(": ", ":\n") for contrast in contrasts],
            planned=[contrast.planned for contrast in contrasts],
            title=unit,
            digits=digits,
            width=width,
        ),
        label=label,
        conclusion=(
            f"{sum(not row['conf_low'] <= 0 <= row['conf_high'] for row in rows)} of {len(rows)} differences are clear"
        ),
        alt=f"Differences with {level(report.plan.conf_level)} intervals. {'; '.join(words)}.",
        caption=caption,
    )


def contrasts(report: HiringReport) -> EmbeddedFigure:
    """The contrasts of experiment 1."""
    return _contrasts(
        report,
        "progression",
        label="hiring-contrasts",
        unit="Difference in percentage points",
        digits=1,
        caption=(
            f"Experiment 1: differences between conditions and kinds of name with {level(report.plan.conf_level)}"
            " intervals; diamonds are comparisons that a research question asks for, circles were not planned"
        ),
    )


def score_contrasts(report: HiringReport) -> EmbeddedFigure:
    """The contrasts of experiment 2."""
    return _contrasts(
        report,
        "evaluation_score",
        label="hiring-score-contrasts",
        unit="Difference in points of the score",
        digits=2,
        caption=(
            f"Experiment 2: differences in the score between the three conditions with {level(report.plan.conf_level)}"
            " intervals (HC2)"
        ),
    )


def scores(report: HiringReport) -> EmbeddedFigure:
    """Distribution of the scores of each arm, with mean and interval (after the published figure 16)."""
    table, cells = report.table("score_distribution"), report.plan.cells_of("evaluation_score")
    means = {cell.id: report.result("evaluation_score", f"mean_{cell.id}") for cell in cells}
    return _embed(
        report,
        lambda width: _scores(report, width=width),
        label="hiring-scores",
        conclusion="Mean scores: " + ", ".join(f"{cell.label} {number(means[cell.id]['estimate'])}" for cell in cells),
        alt=(
            "Three histograms of scores from 3 to 21. "
            + "; ".join(
                f"{cell.label}: {_scores_in_words(means[cell.id], table.loc[table['cell'] == cell.id])}"
                for cell in cells
            )
            + "."
        ),
        caption=(
            "Experiment 2: scores given with the name removed, with a minority ethnic and with a White British name; "
            f"lines are means, bands their {level(report.plan.conf_level)} intervals{_left_out(table)}"
        ),
    )


def _scores_in_words(row: Row, part: pd.DataFrame) -> str:
    """Mean and most frequent score of one arm; a group of very few people is not drawn."""
    if part.empty:
        return "withheld"
    top = max(part.to_dict("records"), key=lambda bar: float(bar["share"]))
    low, high = int(top.get("low", top["score"])), int(top.get("high", top["score"]))
    most = f"{low}" if low == high else f"{low} to {high}"
    return (
        f"mean {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])}), "
        f"most frequent {most} ({percent(top['share'], 0)})"
    )


def _scores(report: HiringReport, *, width: float) -> Figure:
    table, cells = report.table("score_distribution"), report.plan.cells_of("evaluation_score")
    apply_style()
    figure, panels = plt.subplots(len(cells), 1, figsize=(width, 4.6), sharex=True, sharey=True)
    for axes, cell in zip(panels, cells, strict=True):
        part = table.loc[table["cell"] == cell.id]
        row = report.result("evaluation_score", f"mean_{cell.id}")
        spread = report.result("evaluation_score", f"sd_{cell.id}", "raw")
        axes.bar(part["score"], 100 * part["share"] / _values(part), color=NAMES[cell.id], width=_widths(part, 1.0))
        axes.axvline(row["estimate"], color=QUIET, linewidth=1.2)
        axes.axvspan(row["conf_low"], row["conf_high"], color=GRID, zorder=0)
        title = (
            f"{cell.label}: mean {number(row['estimate'])}, standard deviation {number(spread['estimate'])}, n ="
            f" {count(row['n'])}"
        )
        axes.set_title(fitted(plain(title), width, size=10.5))
    panels[-1].set_xlabel("Sum of three scores")
    panels[1].set_ylabel("% of participants per value")
    panels[-1].set_xticks(range(3, 22, 3))
    return figure


def _widths(part: pd.DataFrame, width: float) -> list[float]:
    """Bars over classes of several values are as much wider, with a gap between neighbours."""
    if "low" not in part:  # an internal render draws every value
        return [0.8 * width] * len(part)
    return [(high - low + 1) * width - 0.2 * width for low, high in zip(part["low"], part["high"], strict=True)]


def _values(part: pd.DataFrame) -> Any:
    """How many values each bar holds: a bar over several is as high as their mean, so that areas are shares."""
    return part["high"] - part["low"] + 1 if "low" in part else 1


def _left_out(table: pd.DataFrame) -> str:
    """The end of a caption of bars of which some hold several values."""
    joined = "low" in table and bool((table["high"] > table["low"]).any())
    return (
        "; values of very few people are drawn together with their neighbours, as high as the mean of the class"
        if joined
        else ""
    )


def chosen(report: HiringReport) -> EmbeddedFigure:
    """How many of ten candidates participants put forward."""
    table, limit = report.table("chosen_per_person"), report.plan.fact("limit")
    over = report.table("chosen_over_limit").set_index("evaluation")["share"]
    words = [f"{condition}: {percent(over[condition], 0)} above {limit:g}" for condition in _CONDITIONS]
    return _embed(
        report,
        lambda width: _chosen(table, limit=limit, most=int(report.plan.fact("applications")), width=width),
        label="hiring-chosen",
        conclusion=f"Above the limit: {'; '.join(words)}",
        alt=(
            "Bars of the share of participants by number of candidates shortlisted. Share above the limit that"
            f" participants were asked to keep: {'; '.join(words)}."
        ),
        caption=(
            "Experiment 1: candidates shortlisted by each participant; the upright line is the number they were asked"
            f" not to exceed{_left_out(table)}"
        ),
    )


def _chosen(table: pd.DataFrame, *, limit: float, most: int, width: float) -> Figure:
    """Steps, not bars side by side: classes of several values would push each other aside."""
    apply_style()
    figure, axes = plt.subplots(figsize=(width, 2.7))
    for dash, condition in zip(("-", "--"), _CONDITIONS, strict=True):
        part = table.loc[table["evaluation"] == condition]
        low = part["low"] if "low" in part else part["chosen"]
        high = part["high"] if "high" in part else part["chosen"]
        axes.stairs(
            100 * part["share"] / _values(part),
            [*(low - 0.5), float(high.iloc[-1]) + 0.5] if len(part) else [0.0],
            color=INK,
            linestyle=dash,
            linewidth=1.5,
            label=condition.capitalize(),
        )
    axes.axvline(limit + 0.5, color=QUIET, linewidth=1)
    axes.annotate(
        f"limit: {limit:g}",
        (limit + 0.5, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(4, -2),
        textcoords="offset points",
        va="top",
        fontsize=8,
        color=QUIET,
    )
    axes.set_ylim(0, 1.12 * axes.get_ylim()[1])  # room for the words of the limit
    axes.set_xticks(range(most + 1))
    axes.set_xlabel("Candidates shortlisted, of ten")
    axes.set_ylabel("% of participants per number")
    axes.legend()
    return figure


FIGURES: dict[str, Callable[[HiringReport], EmbeddedFigure]] = {
    "rates": rates,
    "contrasts": contrasts,
    "scores": scores,
    "score_contrasts": score_contrasts,
    "chosen": chosen,
}
