"""The figures of the goal-setting chapter, with captions and alternative texts from the same rows."""

from __future__ import annotations

import pandas as pd

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.figures import acceptability_curve, distribution, forest
from hhp_stats.present.flow import flow_diagram, flow_in_words
from hhp_stats.present.goal_setting.more_tables import versions
from hhp_stats.present.goal_setting.named import figure
from hhp_stats.present.numbers import interval, level, lowered, number, percent, withheld, withheld_note

REACH = 0.75  # standard deviations that the strip of survey outcomes shows; what lies beyond is printed beside it


@figure
def flow(report: StudyReport) -> EmbeddedFigure:
    """The participant flow."""
    table = report.table("flow")
    return embed(
        flow_diagram(table),
        root=report.root,
        document=report.document,
        label="gs-flow",
        alt=f"Flow of teams and people. {flow_in_words(table)}",
        caption=". ".join(
            [
                "Flow of teams and people through the trial, after the CONSORT extension to cluster trials",
                *(note.rstrip(".") for note in withheld_note(table)),
            ]
        ),
    )


@figure
def absence_versions(report: StudyReport) -> EmbeddedFigure:
    """All versions of the absence analysis."""
    outcome = report.outcome("sickness_absence")
    rows, planned = versions(report, "sickness_absence"), report.planned("sickness_absence")
    found = prose.verdict(planned, better=outcome.better)
    title = "no clear difference" if not found.clear else f"{found.direction} with goal-setting"
    words = "; ".join(
        (
            f"{label}: {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
            if row["status"] == "estimated"
            else f"{label}: not estimated"
        )
        for label, row in zip(report.labels(rows), rows.to_dict("records"), strict=True)
    )
    return embed(
        forest(
            rows,
            labels=report.labels(rows),
            unit="working days",
            planned=str(planned["result_id"]),
            contrast=prose.contrast_of(report.plan).lower(),
            favours=("", ""),
        ),
        root=report.root,
        document=report.document,
        label="gs-absence-versions",
        alt=(
            f"Estimates and {level(report.plan.conf_level)} intervals of the difference in days absent, goal-setting"
            f" minus control. {words}."
        ),
        caption=(
            f"Sickness absence, every version of the analysis: {title} in the planned one (diamond); "
            f"points are estimates, lines {level(report.plan.conf_level)} intervals"
        ),
    )


@figure
def absence_distribution(report: StudyReport) -> EmbeddedFigure:
    """Days absent by class, in both arms."""
    table, labels = report.table("absence_distribution"), report.plan.design.arm_labels
    words = "; ".join(
        f"{labels[str(arm)]}: "
        + ", ".join(f"{row['bin']} days {percent(row['share'], 0)}" for row in part.to_dict("records"))
        for arm, part in table.groupby("arm", sort=False)
    )
    zero = table.loc[table["bin"] == "0"].set_index("arm")["share"]
    caption = (
        "Days absent through sickness"
        if withheld(*zero)
        else (
            f"Days absent through sickness: {percent(zero['control'], 0)} of the control arm and "
            f"{percent(zero['treatment'], 0)} of the goal-setting arm had none"
        )
    )
    return embed(
        distribution(table, unit="Working days absent over 24 weeks", arm_labels=labels),
        root=report.root,
        document=report.document,
        label="gs-absence-distribution",
        alt=f"Bars of the share of each arm by days absent. {words}.",
        caption=". ".join([caption, *(note.rstrip(".") for note in withheld_note(table))]),
    )


@figure
def wellbeing_versions(report: StudyReport) -> EmbeddedFigure:
    """Every way of dealing with missing answers, for wellbeing and the two mediators, in standard deviations of the
    outcome.
    """
    parts, labels = [], []
    for key in ("wellbeing", "time_pressure", "efficacy"):
        rows = versions(report, key)
        scale = float(report.row(f"{key}/sd_control/raw")["estimate"])
        parts.append(rows.assign(**{name: rows[name] / scale for name in ("estimate", "conf_low", "conf_high")}))
        labels += [f"{report.outcome(key).label}: {lowered(label)}" for label in report.labels(rows)]
    rows = pd.concat(parts, ignore_index=True)
    # Worst-case bounds reach far beyond the others and would flatten them: they are in the words, not in the figure.
    shown = ~rows["result_id"].str.endswith("worst-case")
    words = "; ".join(
        f"{label}: {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
        for label, row in zip(labels, rows.to_dict("records"), strict=True)
    )
    kept = [label for label, keep in zip(labels, shown, strict=True) if keep]
    return embed(
        forest(
            rows.loc[shown],
            labels=kept,
            unit="standard deviations",
            contrast=prose.contrast_of(report.plan).lower(),
            limits=(-REACH, REACH),
            planned=set(rows.loc[rows["analysis"] == "planned", "result_id"]),
        ),
        root=report.root,
        document=report.document,
        label="gs-wellbeing-versions",
        alt=(
            f"Estimates and {level(report.plan.conf_level)} intervals in standard deviations of the control arm, by way"
            f" of dealing with missing answers. {words}."
        ),
        caption=(
            "Wellbeing, time pressure and efficacy under every way of dealing with missing answers (diamonds: planned)."
            " Worst-case bounds are too wide to be drawn; an arrow marks an interval that goes on"
        ),
    )


@figure
def acceptability(report: StudyReport) -> EmbeddedFigure:
    """How many resamples lie above each ratio."""
    curve = report.table("acceptability")
    shown = curve.loc[curve["scenario"] != "printed-days"]
    words = "; ".join(
        f"{row['label']}, ratio above {row['threshold']:g}: {percent(row['probability'], 0)}"
        for row in shown.to_dict("records")
    )
    even = shown.loc[shown["threshold"] == 1, "probability"]
    return embed(
        acceptability_curve(shown),
        root=report.root,
        document=report.document,
        label="gs-acceptability",
        alt=f"Curves of the share of resamples in which the ratio exceeds a threshold. {words}.",
        caption=(
            f"Share of resampled trials in which benefits exceed costs by a given factor: {percent(even.min(), 0)} to "
            f"{percent(even.max(), 0)} break even with missing baselines imputed as planned"
        ),
    )
