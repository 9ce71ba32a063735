"""The figures of the field-trial chapters, each with a caption and alternative text that state its result."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hhp_stats.errors import NoObservations, UnknownName
from hhp_stats.plan.individual import IndividualOutcome
from hhp_stats.present import prose
from hhp_stats.present.axes_window import WINDOW_WORDS, window
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.field_trials.effects_on_table import unit_of
from hhp_stats.present.field_trials.flow_figure import flow
from hhp_stats.present.field_trials.report import FieldTrialReport, group_of, label_of
from hhp_stats.present.numbers import (
    MISSING,
    WITHHELD,
    count,
    interval,
    level,
    number,
    p_clause,
    withheld_note,
)
from hhp_stats.present.row_axes import Rows, row_axes
from hhp_stats.present.study_results import Row
from hhp_stats.present.style import CONTROL, INK, QUIET, TINTS, TREATMENT, apply_style, fitted, narrow
from hhp_stats.results.frame import LACKING


def arms(report: FieldTrialReport, outcome: str) -> EmbeddedFigure:
    """Mean and interval of one outcome in every arm."""
    if report.on_table:
        return _arms_on_table(report, outcome)
    entry, row = report.outcome(outcome), report.planned(outcome)
    pairs = [
        (arm.label, report.arm(outcome, arm), colour)
        for arm, colour in ((report.control, CONTROL), (report.treatment, TREATMENT))
    ]
    spread = report.row(f"{outcome}/sd_{report.control.id}/raw")

    def draw(width: float) -> Figure:
        frame = _means(pairs, title=f"{entry.label} ({entry.unit})", width=width)
        ends = [float(mean[end]) for _, mean, _ in pairs for end in ("conf_low", "conf_high")]
        window(frame.axes, mean=float(pairs[0][1]["estimate"]), sd=float(spread["estimate"]), shown=ends)
        return frame.figure

    found = prose.verdict(row, better=entry.better)
    title = (
        f"clearly {found.direction} in the {group_of(report, report.treatment)}"
        if found.clear
        else "no clear difference"
    )
    evidence, means = (
        p_clause(row["p_value"]),
        f"means with {level(report.plan.conf_level)} intervals, unadjusted",
    )
    if adjusted := report.adjusted_for(outcome):
        title, means = (
            f"{title} once adjusted for {adjusted}",
            f"raw means with {level(report.plan.conf_level)} intervals",
        )
    words = "; ".join(
        f"{label}: mean {number(mean['estimate'])}, {level(report.plan.conf_level)} interval"
        f" {interval(mean['conf_low'], mean['conf_high'])}, {count(mean['n'])} people"
        for label, mean, _ in pairs
    )
    return embed(
        draw,
        root=report.root,
        document=report.document,
        label=label_of(report, f"arms-{outcome}"),
        conclusion=f"{entry.label}: {title}",
        alt=f"Means of {entry.label.lower()} in both arms with {level(report.plan.conf_level)} intervals. {words}.",
        caption=f"{entry.label} by arm: {title} ({evidence}); {means}; {WINDOW_WORDS}",
    )


def _means(
    arms: Sequence[tuple[str, Row, str]], *, title: str, width: float, scale: float = 1.0, digits: int = 2
) -> Rows:
    """One line an arm, (label, row, colour): the mean with its interval, the number of people beside the name."""
    apart = ", " if narrow(width) else "\n"
    labels = [f"{label}{apart}n = {count(mean['n'])}" for label, mean, _ in arms]
    said = [number(scale * mean["estimate"], digits) for _, mean, _ in arms]
    frame = row_axes(labels, width=width, row=0.42, around=0.75, words=said if narrow(width) else ())
    axes = frame.axes
    for y, (_, mean, colour), words in zip(frame.places, arms, said, strict=True):
        middle, low, high = (scale * mean[name] for name in ("estimate", "conf_low", "conf_high"))
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt")
        axes.plot([middle], [y], marker="o", color=colour, markersize=7)
        if frame.above:
            continue
        axes.annotate(
            words,
            (middle, y),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8.5,
            color=INK,
        )
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(fitted(title, width))
    return frame


def _arms_on_table(report: FieldTrialReport, name: str) -> EmbeddedFigure:
    """The same for a plain table: every arm that has the outcome, shares in per cent."""
    outcome, _ = report.comparison(name)
    scale, digits, _ = unit_of(outcome)
    every = [
        (arm.label, report.arm(outcome.id, arm), TREATMENT if place else CONTROL)
        for place, arm in enumerate((report.control, *report.plan.offered))
    ]
    rows = [(label, row, colour) for label, row, colour in every if row["status"] not in LACKING]
    if not rows:
        raise NoObservations(f"no arm has a mean of {outcome.label}")  # said in the figure's place
    title = f"{outcome.label} ({'per cent' if scale > 1 else outcome.unit})"
    conf = level(report.plan.conf_level)
    said = [
        f"{label}: {number(scale * mean['estimate'], digits)}, "
        + (
            f"{conf} interval {interval(scale * mean['conf_low'], scale * mean['conf_high'], digits)}"
            if math.isfinite(mean["conf_low"])
            else "all the same"
        )
        + f", {report.people(mean['n'])}"
        for label, mean, _ in rows
    ]
    said += [
        f"{label}: {'withheld' if row['status'] == 'withheld' else 'not known'}"
        for label, row, _ in every
        if row["status"] in LACKING
    ]
    what = "Shares" if scale > 1 else "Means"
    return embed(
        lambda width: _means(rows, title=title, width=width, scale=scale, digits=digits).figure,
        root=report.root,
        document=report.document,
        label=label_of(report, f"arms-{outcome.id}"),
        conclusion=f"{outcome.label} by arm: "
        + (", ".join(f"{label} {number(scale * mean['estimate'], digits)}" for label, mean, _ in rows) or "not known"),
        alt=f"{what} of {outcome.label} by arm with {conf} intervals. {'; '.join(said)}.",
        caption=f"{outcome.label} by arm: {'shares' if scale > 1 else 'raw means'} with {conf} intervals",
    )


def effects(report: FieldTrialReport) -> EmbeddedFigure:
    """All outcomes in standard deviations, turned so that above zero is better."""
    rows = []
    for outcome, arm in report.comparisons:
        row = report.beside(outcome.id, "hedges-g", arm)
        if row is None:
            raise UnknownName(f"the plan of {report.plan.study} has no effect of {outcome.id} in standard deviations")
        if report.on_table and row["status"] in LACKING:
            continue
        sign = 1.0 if outcome.better == "higher" else -1.0
        ends = sorted((sign * row["conf_low"], sign * row["conf_high"]))
        rows.append((_turned(report.named(outcome, arm), outcome), sign * row["estimate"], ends[0], ends[1]))
    if not rows:
        raise NoObservations("no effect is known in standard deviations")  # said in the figure's place
    reach = float(report.detectable("achieved")["estimate"]) if "achieved" in report.plan.power else math.nan
    title = (
        f"Standard deviations; above zero is better for the {group_of(report, report.treatment)}"
        if len(report.plan.offered) == 1
        else "Standard deviations; above zero is better with the offer"
    )
    words = "; ".join(f"{label}: {number(m)} ({interval(low, high)})" for label, m, low, high in rows)
    crossing = sum(low <= 0 <= high for _, _, low, high in rows)
    verdict = (
        "every interval includes zero"
        if crossing == len(rows)
        else f"{crossing} of {len(rows)} intervals {'includes' if crossing == 1 else 'include'} zero"
        if crossing
        else "no interval includes zero"
    )
    return embed(
        lambda width: _effects(rows, reach=reach, title=title, width=width),
        root=report.root,
        document=report.document,
        label=label_of(report, "effects"),
        conclusion=f"In standard deviations, {verdict}",
        alt=(
            f"Hedges\u2019 g of every outcome with {level(report.plan.conf_level)} intervals, turned so that above zero"
            f" is better. {words}."
        )
        + (f" A band marks effects below {number(reach)}." if math.isfinite(reach) else ""),
        caption=f"All outcomes in standard deviations: {verdict}; lines are {level(report.plan.conf_level)} intervals"
        + (
            ", the band marks effects smaller than the trial could be expected to detect"
            if math.isfinite(reach)
            else ""
        ),
    )


def _effects(rows: Sequence[tuple[str, float, float, float]], *, reach: float, title: str, width: float) -> Figure:
    """One line an effect, (label, estimate and ends of its interval), over a band `reach` to either side of zero, none
    where that is not known.
    """
    words = [f"{number(middle)} ({interval(low, high)})" for _, middle, low, high in rows]
    frame = row_axes([label for label, *_ in rows], width=width, row=0.34, around=0.8, words=words)
    axes = frame.axes
    if math.isfinite(reach):
        axes.axvspan(-reach, reach, color=TINTS[0], alpha=0.6, linewidth=0)
    frame.upright(0)
    for y, (_, middle, low, high) in zip(frame.places, rows, strict=True):
        axes.plot([low, high], [y, y], color=TREATMENT, linewidth=2, solid_capstyle="butt")
        axes.plot([middle], [y], marker="o", color=TREATMENT, markersize=6)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(fitted(title, min(width, frame.title)))
    return frame.figure


def _turned(name: str, outcome: IndividualOutcome) -> str:
    """The outcome's label, saying so where its sign was turned."""
    return name + (" (turned round)" if outcome.better == "lower" else "")


def attenuation(report: FieldTrialReport) -> EmbeddedFigure:
    """Effect of each outcome by period of response."""
    periods = report.table("periods")
    lines = [
        (
            _turned(outcome.label, outcome),
            [report.row(f"{outcome.id}/period_{int(p)}/hc2-sd") for p in periods["period"]],
        )
        for outcome in report.measured
    ]
    known = [row for _, rows in lines for row in rows if row["status"] == "estimated"]
    clear = sum(not row["conf_low"] <= 0 <= row["conf_high"] for row in known)
    words = [f"{label}: {', '.join(_in_words(row) for row in rows)}" for label, rows in lines]
    note = withheld_note(pd.DataFrame(row["n"] for _, rows in lines for row in rows))
    return embed(
        lambda width: _small_multiples(lines, periods, width=width),
        root=report.root,
        document=report.document,
        label=label_of(report, "attenuation"),
        conclusion=f"{clear} of {len(known)} effects by time of response differ clearly from zero",
        alt=f"Effect of each outcome by period of response, from the first to the last. {'; '.join(words)}.",
        caption=(
            "Effects by time of response, each outcome in standard deviations and turned so that above zero is better;"
            f" {level(report.plan.conf_level)} intervals. {'. '.join(['Exploratory', *note]).removesuffix('.')}"
        ),
    )


def _small_multiples(lines: Sequence[tuple[str, Sequence[Row]]], periods: pd.DataFrame, *, width: float) -> Figure:
    """A frame for each outcome, all alike: in one frame their lines and intervals would cross each other."""
    apply_style()
    across = 1 if narrow(width) else 2
    down = -(-len(lines) // across)
    figure, panels = plt.subplots(
        down, across, figsize=(width, 0.5 + 1.7 * down), sharex=True, sharey=True, squeeze=False
    )
    for axes, (label, rows) in zip(panels.flat, lines, strict=False):
        axes.axhline(0, color=QUIET, linewidth=0.8)
        _line(axes, [float(p) for p in periods["period"]], rows)
        axes.set_title(label)
    for axes in list(panels.flat)[len(lines) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xticks(
            [float(p) for p in periods["period"]], [_weeks(row).split()[-1] for row in periods.to_dict("records")]
        )
    figure.supxlabel(fitted("Week of response, from the opening of the endline survey", width), fontsize=9)
    figure.supylabel("Treated minus control (SD)", fontsize=9)
    return figure


def attenuation_average(report: FieldTrialReport) -> EmbeddedFigure:
    """Average effect by period of response."""
    periods = report.table("periods")
    rows = [report.row(f"average/period_{int(p)}/cr1-sd") for p in periods["period"]]
    change = report.row("average/arm_by_week/cr1-sd")
    falls = "falls" if change["estimate"] < 0 else "rises"
    note = withheld_note(pd.DataFrame(row["n"] for row in rows))
    words = ", ".join(
        (
            "withheld"
            if row["status"] == "withheld"
            else f"{number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
        )
        for row in rows
    )
    return embed(
        lambda width: _average(rows, periods, width=width),
        root=report.root,
        document=report.document,
        label=label_of(report, "attenuation-average"),
        conclusion=f"The average effect {falls} by {number(abs(change['estimate']))} standard deviations a week",
        alt=(
            f"Average effect over the outcomes by period of response, with {level(report.plan.conf_level)} intervals:"
            f" {words}."
        ),
        caption=(
            f"Average effect by time of response: it {falls} by {number(abs(change['estimate']))} standard"
            f" deviations a week ({p_clause(change['p_value'])}); {level(report.plan.conf_level)} intervals."
            f" {'. '.join(['Exploratory', *note]).removesuffix('.')}"
        ),
    )


def _average(rows: Sequence[Row], periods: pd.DataFrame, *, width: float) -> Figure:
    apply_style()
    figure, axes = plt.subplots(figsize=(width, 2.8))
    axes.axhline(0, color=QUIET, linewidth=0.8)
    _line(axes, [float(p) for p in periods["period"]], rows)
    names = [f"{_weeks(row)}\nn = {count(row['responses'])}" for row in periods.to_dict("records")]
    axes.set_xticks([float(p) for p in periods["period"]], names)
    axes.set_xlabel(fitted("Week of response, from the opening of the endline survey", width))
    axes.set_ylabel("Treated minus control (SD)")
    return figure


def _line(axes: Axes, x: Sequence[float], rows: Sequence[Row]) -> None:
    """Estimates with their intervals, joined where they are neighbours; a mark on the zero line where there is none."""
    there = [row["status"] == "estimated" for row in rows]
    # A line across a period without an estimate would be read as one.
    heights = [row["estimate"] if known else math.nan for row, known in zip(rows, there, strict=True)]
    axes.plot(list(x), heights, color=TREATMENT, marker="o", linewidth=1.3)
    for at, row, known in zip(x, rows, there, strict=True):
        if known:
            axes.plot([at, at], [row["conf_low"], row["conf_high"]], color=TREATMENT, linewidth=1, alpha=0.75)
        else:
            mark = WITHHELD if row["status"] == "withheld" else MISSING
            axes.annotate(mark, (at, 0), (0, 2), textcoords="offset points", ha="center", color=QUIET, fontsize=8)


def _in_words(row: Row) -> str:
    return "withheld" if row["status"] == "withheld" else number(row["estimate"])


def _weeks(row: Mapping[Any, Any]) -> str:
    """`Week 3`, `Weeks 4-6`: when the responses of a period came in."""
    first, last = row["first_week"], row["last_week"]
    return f"Week {first}" if first == last else f"Weeks {first}\u2013{last}"


FIGURES: dict[str, Callable[..., EmbeddedFigure]] = {
    "flow": flow,
    "arms": arms,
    "effects": effects,
    "attenuation": attenuation,
    "attenuation_average": attenuation_average,
}
