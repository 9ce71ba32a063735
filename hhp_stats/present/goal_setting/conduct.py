"""How the trial was conducted: timeline, randomisation, balance, taking part. Tables, figures, sentences."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from great_tables import GT
from matplotlib.figure import Figure

from hhp_stats.plan.schema import Site
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.goal_setting.named import figure, sentence, table
from hhp_stats.present.numbers import alpha_of, count, level, number, p_clause, percent, plural, spelled, withheld_note
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.status import read_release
from hhp_stats.present.style import CONTROL, QUIET, TINTS, TREATMENT, WIDTH, apply_style
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.studies.goal_setting_terms import ANALYSED, COVARIATES
from hhp_stats.tails import student_quantile

WAVES = ("baseline", "interim", "endline")
LOCKDOWN = dt.date(2020, 3, 23)  # first day of the first national lockdown
GROUP_LABELS = {"randomised": "Randomised", "absence": "Absence known", "wellbeing": "Wellbeing known"}


def _day(day: dt.date) -> str:
    return f"{day.day}\u00a0{day:%b}\u00a0{day:%Y}"


def _retrieved(report: StudyReport) -> Mapping[tuple[str, str], dt.date]:
    inputs = report.table("inputs").dropna(subset=["retrieved"])
    return {
        (str(row["local_authority"]), str(row["wave"])): dt.date.fromisoformat(str(row["retrieved"])[:10])
        for row in inputs.to_dict("records")
    }


def _by_launch(report: StudyReport) -> list[Site]:
    return sorted(report.plan.sites, key=lambda site: site.launch)


def _place(day: dt.date) -> int:
    return day.toordinal()


def _months(start: dt.date, end: dt.date) -> list[dt.date]:
    found, day = [], start.replace(day=1)
    while day <= end:
        found.append(day)
        day = (day + dt.timedelta(days=32)).replace(day=1)
    return found


# ---------------------------------------------------------------- timeline
@table
def sites(report: StudyReport) -> GT:
    """Launch, planned end and the days on which the records were drawn, by authority."""
    drawn, design = _retrieved(report), report.plan.design
    synthetic = read_release(report.root).is_synthetic(report.plan.study)
    without = sorted(
        {site.local_authority for site in report.plan.sites} - set(report.table("spells")["local_authority"])
    )
    cells = pd.DataFrame(
        [
            {
                "Local authority": site.local_authority,
                "Launch": _day(site.launch) + ("" if site.launch_printed else "*"),
                f"{design.endline_weeks} weeks end": _day(site.launch + dt.timedelta(weeks=design.endline_weeks)),
                **{
                    wave.capitalize(): (
                        _day(drawn[site.local_authority, wave])
                        if (site.local_authority, wave) in drawn
                        else "not received"
                    )
                    for wave in WAVES
                },
            }
            for site in _by_launch(report)
        ]
    )
    table = text_table(
        cells,
        stub="Local authority",
        notes=[
            "* The documents print the first and the last launch; the others are assumed"
            + (" for the synthetic release." if synthetic else "."),
            (
                f"Spells of absence are recorded in all authorities but {', '.join(without)}."
                if without
                else "All authorities record spells of absence."
            ),
        ],
    )
    return table.tab_spanner("Records drawn", columns=[wave.capitalize() for wave in WAVES])


@figure
def timeline(report: StudyReport) -> EmbeddedFigure:
    """Follow-up of each authority from its launch, and when its records were drawn."""
    apply_style()
    order, drawn, weeks = _by_launch(report)[::-1], _retrieved(report), report.plan.design.endline_weeks
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.3 * len(order)))
    marks = {"baseline": "o", "interim": "s", "endline": "D"}
    words = []
    for y, site in enumerate(order):
        end = site.launch + dt.timedelta(weeks=weeks)
        axes.barh(y, (end - site.launch).days, left=_place(site.launch), height=0.46, color=TINTS[0])
        said = []
        for wave, mark in marks.items():
            day = drawn.get((site.local_authority, wave))
            if day is not None:
                axes.plot(
                    [_place(day)],
                    [y],
                    mark,
                    color=CONTROL if wave == "baseline" else TREATMENT,
                    markersize=4.5,
                    label=f"{wave.capitalize()} return" if y == 0 else None,
                )
                said.append(f"{wave} return {_day(day)}")
        words.append(f"{site.local_authority}: launch {_day(site.launch)}, end {_day(end)}, {', '.join(said)}")
    axes.axvline(_place(LOCKDOWN), color=QUIET, linewidth=0.9, linestyle="--")
    axes.annotate(
        "lockdown",
        (_place(LOCKDOWN), len(order) - 0.45),
        fontsize=7.5,
        color=QUIET,
        ha="right",
        xytext=(-3, 0),
        textcoords="offset points",
        va="bottom",
    )
    axes.set_yticks(range(len(order)), [site.local_authority for site in order])
    axes.set_ylim(-0.6, len(order) + 0.1)
    first = min(drawn.values(), default=order[-1].launch)
    months = [day for day in _months(first, order[0].launch + dt.timedelta(weeks=weeks)) if day.month % 2]
    axes.set_xticks([_place(day) for day in months], [f"{day:%b %y}" for day in months])
    axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.45, -0.12), fontsize=8)
    late = [site for site in order if site.launch + dt.timedelta(weeks=weeks) >= LOCKDOWN]
    return embed(
        figure,
        root=report.root,
        document=report.document,
        label="gs-timeline",
        alt=(
            f"Bars of the {weeks} weeks after the launch in each authority, with the days on which records were drawn. "
            f"{'; '.join(words[::-1])}. The first national lockdown began on {_day(LOCKDOWN)}."
        ),
        caption=(
            f"Follow-up of each authority from its launch (bars: {weeks} weeks) and the days on which its records were"
            f" drawn: {spelled(len(late))} of {spelled(len(order))} follow-ups reach{'es' if len(late) == 1 else ''}"
            " into the first national lockdown"
        ),
    )


# ---------------------------------------------------------------- randomisation
@table
def randomised_authorities(report: StudyReport) -> GT:
    """Strata and teams of each authority by arm, with the chances of its teams under the rule."""
    strata, chances = report.table("strata"), report.table("assignment_map")
    cells = []
    for name, part in strata.groupby("local_authority", sort=True):
        share = chances.loc[chances["local_authority"] == name, "probability"]
        cells.append(
            {
                "Local authority": str(name),
                "Strata": count(len(part)),
                "Control": count(part["teams_control"].sum()),
                "Goal-setting": count(part["teams_treatment"].sum()),
                "Lowest": percent(share.min()),
                "Highest": percent(share.max()),
            }
        )
    summary: Any = report.table("assignment").iloc[0]
    table = plain_table(
        pd.DataFrame(cells),
        stub="Local authority",
        spanner=["Control", "Goal-setting"],
        spanner_label="Teams",
        notes=[
            f"Chance: share of {count(summary['draws'])} further draws by the same rule in which a team of the"
            " authority is drawn for goal-setting; the lowest and the highest of its teams."
        ],
    )
    return table.tab_spanner("Chance of goal-setting", columns=["Lowest", "Highest"])


@figure
def assignment_map(report: StudyReport) -> EmbeddedFigure:
    """The chance of each team to be drawn for goal-setting, by authority."""
    table = report.table("assignment_map")
    summary: Any = report.table("assignment").iloc[0]
    names = sorted(set(table["local_authority"]), reverse=True)
    reach = float(student_quantile(0.5 + report.plan.conf_level / 2, math.inf)) * float(
        np.sqrt(0.25 / summary["draws"])
    )
    figure = _strip(table, names, reach)
    words = "; ".join(
        f"{name}: {len(share)} teams, {percent(share.min())} to {percent(share.max())}"
        for name in reversed(names)
        for share in (table.loc[table["local_authority"] == name, "probability"],)
    )
    outside = int(summary["beyond_chance"])
    return embed(
        figure,
        root=report.root,
        document=report.document,
        label="gs-assignment-map",
        alt=(
            "One point a team: the share of further draws in which it is drawn for goal-setting, by authority."
            f" {words}."
        ),
        caption=(
            f"Chance of each team to be drawn for goal-setting under the rule, in {count(summary['draws'])} further"
            f" draws. Band: where {level(report.plan.conf_level)} of the points lie if every chance is one half;"
            f" {count(outside)} of {count(summary['teams'])} lie outside"
        ),
    )


def _strip(table: pd.DataFrame, names: list[str], reach: float) -> Figure:
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.28 * len(names)))
    axes.axvspan(100 * (0.5 - reach), 100 * (0.5 + reach), color=TINTS[0], linewidth=0)
    axes.axvline(50, color=QUIET, linewidth=0.8)
    for y, name in enumerate(names):
        share = 100 * table.loc[table["local_authority"] == name, "probability"].to_numpy()
        # Spread up and down in a fixed pattern, so that equal shares stay visible and the drawing is the same each
        # time.
        shift = 0.24 * (np.arange(len(share)) % 5 - 2) / 2
        axes.plot(share, y + shift, "o", color=TREATMENT, markersize=2.8, alpha=0.75)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("% of further draws in which the team is drawn for goal-setting")
    return figure


@sentence
def strata_if_zero(report: StudyReport) -> str:
    """What "null imputed" read as zero would have done to the strata."""
    row: Any = report.table("strata_if_zero").iloc[0]
    return (
        "Staff without a record of absence do not enter the mean of their team. Had they counted as zero,"
        f" {count(row['other_stratum'])} of {count(row['teams'])} teams would have stood in another stratum, and the"
        f" share of agency staff would have correlated at {number(row['agency_with_absence_if_zero'])} with the mean"
        f" that makes the quartiles, in place of {number(row['agency_with_absence'])}."
    )


# ---------------------------------------------------------------- balance
@table
def balance_differences(report: StudyReport) -> GT:
    """Standardised differences among everyone randomised and among those analysed."""
    rows = report.table("balance_differences").to_dict("records")
    cells = pd.DataFrame(
        {
            "Characteristic": [_characteristic(row) for row in rows],
            **{GROUP_LABELS[group]: [number(row[group]) for row in rows] for group in ANALYSED},
        }
    )
    tests = {
        group: report.row(f"balance/omnibus/{name}")
        for group, name in (("randomised", "randomised"), ("absence", "analysed"), ("wellbeing", "respondents"))
    }
    words = "; ".join(
        f"{GROUP_LABELS[group].lower()}, {plural(test['n'], 'person', 'people')} in"
        f" {plural(test['n_clusters'], 'team')}: d\u00b2 = {number(test['statistic'], 1)}, {p_clause(test['p_value'])}"
        for group, test in tests.items()
    )
    return plain_table(
        cells,
        stub="Characteristic",
        spanner=list(GROUP_LABELS.values()),
        spanner_label="Standardised difference",
        notes=[
            (
                f"{contrast_of(report.plan)} in pooled standard deviations. Wellbeing known: those in the complete-case"
                " analyses of wellbeing."
            ),
            (
                "All characteristics together, against the trial\u2019s own further draws of its teams "
                f"({_largest_error(tests)}): {words}."
            ),
            *withheld_note(report.table("balance_differences")),
        ],
    )


def _largest_error(tests: Mapping[str, Mapping[str, Any]]) -> str:
    return f"Monte Carlo errors of p up to {number(max(test['mc_error_p'] for test in tests.values()), 3)}"


def _characteristic(row: Mapping[Any, Any]) -> str:
    level = row["level"] if isinstance(row["level"], str) else ""
    return (
        f"\u2003{level[:1].upper()}{level[1:]}"
        if level
        else COVARIATES.get(row["covariate"], str(row["covariate"]).capitalize())
    )


@sentence
def balance_analysed(report: StudyReport) -> str:
    """Are those whose outcome is known still alike?"""
    absence, wellbeing = (report.row(f"balance/omnibus/{name}") for name in ("analysed", "respondents"))
    alpha = alpha_of(report.plan.conf_level)
    alike = [test["p_value"] >= alpha for test in (absence, wellbeing)]
    evidence = f"({p_clause(absence['p_value'], alpha=alpha)} and {p_clause(wellbeing['p_value'], alpha=alpha)})"
    if all(alike):
        return (
            "Those whose absence is known, and those who answered about wellbeing, are as alike as chance would have"
            f" it too {evidence}."
        )
    whom = "those whose absence is known" if not alike[0] else "those who answered about wellbeing"
    both = "both those whose absence is known and those who answered about wellbeing"
    return f"Among {whom if any(alike) else both} the arms differ more than chance explains {evidence}."


# ---------------------------------------------------------------- records and taking part
@sentence
def interim(report: StudyReport) -> str:
    """What the interim return held; described, not tested."""
    table = report.lines("interim", by="arm")
    weeks = report.plan.design.interim_weeks
    return (
        f"In the interim return, {weeks} weeks after the launch, control staff had been absent for"
        f" {number(table['control']['mean'])} days and staff offered goal-setting for"
        f" {number(table['treatment']['mean'])} on average. No rule for stopping was planned, so this is described and"
        " not tested."
    )


@table
def uptake(report: StudyReport) -> GT:
    """Who took part: course log, survey, and modules completed by those who started."""
    table, modules = report.table("uptake"), report.table("modules")
    sources = {"started": "Course log", "completed": "Course log", "crossed": "Course log"}
    rows = [
        {
            "Taking part": row["label"],
            "of": sources.get(row["key"], "Answers to the endline survey, goal-setting arm"),
            "People": count(row["people"]),
            "Of": count(row["of"]),
            "Share": percent(row["share"]),
        }
        for row in table.to_dict("records")
    ]
    started = report.lines("uptake", by="key")["started"]["people"]
    rows += [
        {
            "Taking part": plural(row["modules"], "module"),
            "of": "Modules completed by those who started",
            "People": count(row["people"]),
            "Of": count(started),
            "Share": percent(row["share"]),
        }
        for row in modules.to_dict("records")
    ]
    notes = dict.fromkeys([*withheld_note(table), *withheld_note(modules)])
    return plain_table(pd.DataFrame(rows), stub="Taking part", groups="of", notes=list(notes))
