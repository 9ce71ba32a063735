"""When and where the trial ran: authorities, waves, launches. Figure, tables, sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from great_tables import GT
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hhp_stats.plan.assumed import unconfirmed
from hhp_stats.plan.returns_schema import Site
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.goal_setting.named import figure, sentence, table
from hhp_stats.present.listing import capital
from hhp_stats.present.numbers import count, number, percent, spelled
from hhp_stats.present.row_axes import row_axes
from hhp_stats.present.status import read_release
from hhp_stats.present.style import INK, PAPER, QUIET, TINTS, narrow
from hhp_stats.present.tables import plain_table, text_table

WAVES = ("baseline", "interim", "endline")
LOCKDOWN = dt.date(2020, 3, 23)  # first day of the first national lockdown


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
    open_places = {each.place for each in unconfirmed(report.root, report.plan.study)}
    assumed = [
        site.local_authority for site in report.plan.sites if f"sites.{site.local_authority}.launch" in open_places
    ]
    without = sorted(
        {site.local_authority for site in report.plan.sites} - set(report.table("spells")["local_authority"])
    )
    cells = pd.DataFrame(
        [
            {
                "Local authority": site.local_authority,
                "Launch": _day(site.launch) + ("*" if site.local_authority in assumed else ""),
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
            *_of_launches(assumed=bool(assumed), synthetic=synthetic),
            (
                f"Spells of absence are recorded in all authorities but {', '.join(without)}."
                if without
                else "All authorities record spells of absence."
            ),
        ],
    )
    return table.tab_spanner("Records drawn", columns=[wave.capitalize() for wave in WAVES])


def _of_launches(*, assumed: bool, synthetic: bool) -> list[str]:
    """What the star at a launch means, where one has a star."""
    if not assumed:
        return []
    if synthetic:
        return ["* The documents give the first and the last launch; the others are assumed for the synthetic release."]
    return ["* Assumed: no document gives this launch, and no record of the trial has confirmed it."]


@figure
def timeline(report: StudyReport) -> EmbeddedFigure:
    """Follow-up of each authority from its launch, and when its records were drawn."""
    order, drawn, weeks = _by_launch(report), _retrieved(report), report.plan.design.endline_weeks
    words = []
    for site in order:
        days = {wave: drawn.get((site.local_authority, wave)) for wave in WAVES}
        said = [f"{wave} return {_day(day)}" for wave, day in days.items() if day is not None]
        end = site.launch + dt.timedelta(weeks=weeks)
        words.append(f"{site.local_authority}: launch {_day(site.launch)}, end {_day(end)}, {', '.join(said)}")
    late = [site for site in order if site.launch + dt.timedelta(weeks=weeks) >= LOCKDOWN]
    reach = (
        f"{spelled(len(late))} of {spelled(len(order))} follow-ups reach{'es' if len(late) == 1 else ''}"
        " into the first national lockdown"
    )
    return embed(
        lambda width: _timeline(order, drawn, weeks=weeks, width=width),
        root=report.root,
        document=report.document,
        label="gs-timeline",
        conclusion=capital(reach),
        alt=(
            f"Bars of the {weeks} weeks after the launch in each authority, with the days on which records were drawn. "
            f"{'; '.join(words)}. The first national lockdown began on {_day(LOCKDOWN)}."
        ),
        caption=(
            f"Follow-up of each authority from its launch (bars: {weeks} weeks) and the days on which its records were"
            f" drawn: {reach}"
        ),
    )


_MARKS: Mapping[str, Mapping[str, Any]] = {
    wave: {"marker": mark, "color": INK, "markersize": 4.5, "markerfacecolor": fill, "linestyle": "none"}
    for wave, mark, fill in zip(WAVES, "osD", (PAPER, INK, INK), strict=True)
}


def _timeline(order: Sequence[Site], drawn: Mapping[tuple[str, str], dt.date], *, weeks: int, width: float) -> Figure:
    frame = row_axes([site.local_authority for site in order], width=width, row=0.3, around=0.9)
    axes = frame.axes
    for y, site in zip(frame.places, order, strict=True):
        axes.barh(y, 7 * weeks, left=_place(site.launch), height=0.46 * frame.unit, color=TINTS[0])
        for wave, look in _MARKS.items():
            if (site.local_authority, wave) in drawn:
                axes.plot([_place(drawn[site.local_authority, wave])], [y], **look)
    axes.axvline(_place(LOCKDOWN), color=QUIET, linewidth=0.9, linestyle="--")
    axes.annotate(
        "lockdown",
        (_place(LOCKDOWN), 1.0),
        xycoords=("data", "axes fraction"),
        fontsize=7.5,
        color=QUIET,
        ha="right",
        xytext=(-3, 0),
        textcoords="offset points",
        va="bottom",
    )
    first = min(drawn.values(), default=order[0].launch)
    every = 4 if narrow(width) else 2  # months from one tick to the next
    last = order[-1].launch + dt.timedelta(weeks=weeks)
    months = [day for day in _months(first, last) if day.month % every == 1]
    axes.set_xticks([_place(day) for day in months], [f"{day:%b %y}" for day in months])
    returned = {wave for _, wave in drawn}
    frame.figure.legend(
        handles=[
            Line2D([], [], label=f"{wave.capitalize()} return", **look)
            for wave, look in _MARKS.items()
            if wave in returned
        ],
        ncols=2 if narrow(width) else len(_MARKS),
        loc="outside lower center",
        fontsize=8,
    )
    return frame.figure


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
            f"Chance: share of {count(summary['draws'])} simulated randomisations by the same rule that assign"
            " a team of"
            " the authority to goal-setting; the lowest and the highest of its teams."
        ],
    )
    return table.tab_spanner("Chance of goal-setting", columns=["Lowest", "Highest"])


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
