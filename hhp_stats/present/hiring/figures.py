"""The figures of the chapter on the hiring experiments, with captions and alternative texts from the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.hiring.report import HiringReport
from hhp_stats.present.numbers import count, interval, level, number, percent
from hhp_stats.present.style import GRID, INK, MEANINGS, PLANNED, QUIET, WIDTH, apply_style

Row = Mapping[str, Any]


NAMES = {
    "minority": MEANINGS["applicants with a minority ethnic name"],
    "white_british": MEANINGS["applicants with a White British name"],
    "blinded": MEANINGS["applicants without a name"],
}


def _embed(
    report: HiringReport, figure: Figure, *, label: str, conclusion: str, alt: str, caption: str
) -> EmbeddedFigure:
    return embed(
        figure,
        root=report.root,
        document=report.document,
        label=label,
        conclusion=conclusion,
        alt=alt,
        caption=caption,
    )


def rates(report: HiringReport) -> EmbeddedFigure:
    """Rates of progression by condition and kind of name, with intervals (after the published figures 14 and 15)."""
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 3.1))
    words, said, ends_shown = [], [], []
    apart = 0.03  # the two names stand side by side
    for shift, name, marker, label in (
        (-apart, "minority", "D", "Minority ethnic names"),
        (apart, "white_british", "o", "White British names"),
    ):
        colour = NAMES[name]
        found = [report.row("progression", f"mean_{condition}_{name}") for condition in ("separate", "joint")]
        places = np.arange(2) + shift
        middle = np.array([row["estimate"] for row in found])
        ends = np.array([[row["conf_low"], row["conf_high"]] for row in found]).T
        axes.errorbar(places, middle, yerr=np.abs(ends - middle), fmt=marker, color=colour, elinewidth=1.8)
        axes.plot(places, middle, color=colour, linewidth=1.2)
        ends_shown += [*ends.flat]
        above = len(ends_shown) > len(found) * 2  # the second name's numbers stand above their marks, the first's below
        # Outside both intervals, so that no number lies on the other name's.
        for place, value, side, gap in zip((-apart, 1 + apart), middle, ("right", "left"), (-9, 9), strict=True):
            axes.annotate(
                f"{label}: {number(value, 1)}%" if side == "left" else f"{number(value, 1)}%",
                (place, value),
                xytext=(gap, 8 if above else -8),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=8.5,
                color=colour,
            )
        said.append(f"{label} {number(found[1]['estimate'], 1)}% in pairs and {number(found[0]['estimate'], 1)}% alone")
        words += [
            f"{label.lower().replace('white british', 'White British')}, {condition}: {number(row['estimate'], 1)}% "
            f"({interval(row['conf_low'], row['conf_high'], 1)})"
            for condition, row in zip(("separate", "joint"), found, strict=True)
        ]
    axes.set_xticks([0, 1], ["One after the other (separate)", "In pairs (joint)"])
    axes.set_xlim(-0.4, 2.1)
    step = 5
    axes.set_ylim(step * np.floor(min(ends_shown) / step), step * np.ceil(max(ends_shown) / step))
    axes.grid(axis="y", color=GRID)
    axes.set_ylabel("% of decisions to shortlist")
    return _embed(
        report,
        figure,
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


def _forest(rows: Sequence[Row], labels: Sequence[str], *, planned: Sequence[bool], unit: str, digits: int) -> Figure:
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.42 * len(rows)))
    for line, (row, label, asked) in enumerate(zip(rows, labels, planned, strict=True)):
        y = len(rows) - 1 - line
        colour = PLANNED if asked else QUIET
        axes.plot([row["conf_low"], row["conf_high"]], [y, y], color=colour, linewidth=2.2 if asked else 1.4)
        axes.plot([row["estimate"]], [y], marker="D" if asked else "o", color=colour)
        axes.annotate(label, (-0.02, y), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=8.5)
        axes.annotate(
            f"{number(row['estimate'], digits)}  ({interval(row['conf_low'], row['conf_high'], digits)})",
            (1.02, y),
            xycoords=("axes fraction", "data"),
            ha="left",
            va="center",
            fontsize=8,
        )
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(unit)
    return figure


def _contrasts(
    report: HiringReport, experiment: str, *, label: str, unit: str, digits: int, caption: str
) -> EmbeddedFigure:
    rows = [report.row(experiment, contrast.id) for contrast in report.plan.contrasts_of(experiment)]
    contrasts = [report.plan.contrasts[row["estimand"]] for row in rows]
    words = [
        f"{contrast.label}: {number(row['estimate'], digits)} ({interval(row['conf_low'], row['conf_high'], digits)})"
        for row, contrast in zip(rows, contrasts, strict=True)
    ]
    figure = _forest(
        rows,
        [contrast.label.replace(": ", ":\n") for contrast in contrasts],
        planned=[contrast.planned for contrast in contrasts],
        unit=unit,
        digits=digits,
    )
    return _embed(
        report,
        figure,
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
    apply_style()
    table, cells = report.table("score_distribution"), report.plan.cells_of("evaluation_score")
    figure, panels = plt.subplots(len(cells), 1, figsize=(WIDTH, 4.6), sharex=True, sharey=True)
    words = []
    means = []
    for axes, cell in zip(panels, cells, strict=True):
        colour = NAMES[cell.id]
        part = table.loc[table["cell"] == cell.id]
        row, spread = (
            report.row("evaluation_score", f"mean_{cell.id}"),
            report.row("evaluation_score", f"sd_{cell.id}", "raw"),
        )
        means.append(f"{cell.label} {number(row['estimate'])}")
        axes.bar(part["score"], 100 * part["share"] / _values(part), color=colour, width=_widths(part, 1.0))
        axes.axvline(row["estimate"], color=QUIET, linewidth=1.2)
        axes.axvspan(row["conf_low"], row["conf_high"], color=GRID, zorder=0)
        axes.set_title(
            f"{cell.label}: mean {number(row['estimate'])}, standard deviation {number(spread['estimate'])}, n ="
            f" {count(row['n'])}"
        )
        if part.empty:  # a group of very few people is not drawn
            words.append(f"{cell.label}: withheld")
            continue
        top = max(part.to_dict("records"), key=lambda bar: float(bar["share"]))
        low, high = int(top.get("low", top["score"])), int(top.get("high", top["score"]))
        most = f"{low}" if low == high else f"{low} to {high}"
        words.append(
            f"{cell.label}: mean {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])}), "
            f"most frequent {most} ({percent(top['share'], 0)})"
        )
    panels[-1].set_xlabel("Sum of three scores")
    panels[1].set_ylabel("% of participants per value")
    panels[-1].set_xticks(range(3, 22, 3))
    return _embed(
        report,
        figure,
        label="hiring-scores",
        conclusion=f"Mean scores: {', '.join(means)}",
        alt=f"Three histograms of scores from 3 to 21. {'; '.join(words)}.",
        caption=(
            "Experiment 2: scores given with the name removed, with a minority ethnic and with a White British name; "
            f"lines are means, bands their {level(report.plan.conf_level)} intervals{_left_out(table)}"
        ),
    )


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
    apply_style()
    table = report.table("chosen_per_person")
    figure, axes = plt.subplots(figsize=(WIDTH, 2.7))
    limit = report.plan.fact("limit")
    words = []
    # Steps, not bars side by side: classes of several values would push each other aside.
    for dash, condition in (("-", "separate"), ("--", "joint")):
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
        over = report.table("chosen_over_limit").set_index("evaluation").loc[condition, "share"]
        words.append(f"{condition}: {percent(over, 0)} above {limit:g}")
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
    axes.set_xticks(range(int(report.plan.fact("applications")) + 1))
    axes.set_xlabel("Candidates shortlisted, of ten")
    axes.set_ylabel("% of participants per number")
    axes.legend()
    return _embed(
        report,
        figure,
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


FIGURES: dict[str, Callable[[HiringReport], EmbeddedFigure]] = {
    "rates": rates,
    "contrasts": contrasts,
    "scores": scores,
    "score_contrasts": score_contrasts,
    "chosen": chosen,
}
