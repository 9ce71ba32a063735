"""The dictation pilot: use of the app as its logs and a survey have it."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from great_tables import GT
from matplotlib.figure import Figure

from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.numbers import (
    WITHHELD,
    count,
    interval,
    level,
    number,
    percent,
    spelled,
    withheld,
    withheld_note,
)
from hhp_stats.present.pilots.report import PilotReport, made_up
from hhp_stats.present.release import while_synthetic
from hhp_stats.present.study_results import Row
from hhp_stats.present.style import INK, apply_style, narrow
from hhp_stats.present.tables import plain_table


def usage(report: PilotReport) -> GT:
    """Use of the app in Brent."""
    table = report.table("usage")
    rows = pd.DataFrame(
        {
            "Use in Brent": table["use"].str.capitalize(),
            "People": [count(n) for n in table["people"]],
            "Share": [percent(v, 0) for v in table["share"]],
            "Sessions": [count(n) for n in table["sessions"]],
            "Minutes": [count(n) for n in table["minutes"]],
            "Share of all minutes": [percent(v, 0) for v in table["share_of_minutes"]],
        }
    )
    return plain_table(
        rows,
        stub="Use in Brent",
        notes=[
            "From app logs. Numbers of people are as published; single sessions and minutes are made up to fit.",
            *withheld_note(report.table("usage")),
        ],
    )


def survey(report: PilotReport) -> GT:
    """Answers of Coventry."""
    parts = []
    for name, heading in (("frequency", "How often do you use it?"), ("would_continue", "Would you go on using it?")):
        table = report.table(name)
        parts.append(
            pd.DataFrame(
                {
                    "Answer": table["answer"].str.capitalize(),
                    "of": heading,
                    "Respondents": [count(n) for n in table["people"]],
                    "Share": [percent(v, 0) for v in table["share"]],
                }
            )
        )
    notes = ["Survey respondents in Coventry. Of the answers on frequency only the last is published exactly."]
    notes += withheld_note(pd.concat([report.table("frequency"), report.table("would_continue")]))
    return plain_table(pd.concat(parts, ignore_index=True), stub="Answer", groups="of", notes=notes)


def _most_frequent(table: pd.DataFrame, column: str) -> str:
    """The class with the most people among those that may be shown."""
    known = [row for row in table.to_dict("records") if not withheld(row["people"])]
    return str(max(known, key=lambda row: int(row["people"]))[column]).lower() if known else "withheld"


def usage_figure(report: PilotReport) -> EmbeddedFigure:
    """Minutes in the app and reported use, side by side (after the published figure 18)."""
    minutes, frequency = report.table("minutes"), report.table("frequency")
    words = [
        ", ".join(f"{label}: {count(n)}" for label, n in zip(table[column].astype(str), table["people"], strict=True))
        for table, column in ((minutes, "minutes"), (frequency, "answer"))
    ]
    return embed(
        lambda width: _usage(minutes, frequency, width=width),
        root=report.root,
        document=report.document,
        label="dic-usage",
        conclusion=(
            f"Most frequent: {_most_frequent(minutes, 'minutes')} in Brent; {_most_frequent(frequency, 'answer')} in"
            " Coventry"
        ),
        alt=(
            f"Two bar charts of people. Brent, minutes in the app over the pilot: {words[0]}. Coventry, frequency as"
            f" reported: {words[1]}."
        ),
        caption=(
            "Use of the app: minutes as recorded in Brent, and frequency as respondents in Coventry reported it; the"
            " two cannot be compared"
            + while_synthetic(
                report.plan.study,
                ". Minutes of single users, and how the answers divide beyond the published text, are invented"
                " to fit it",
                root=report.root,
            )
        ),
    )


def _usage(minutes: pd.DataFrame, frequency: pd.DataFrame, *, width: float) -> Figure:
    """Bars of people, side by side; on a telephone one below the other."""
    apply_style()
    stacked = narrow(width)
    down, across = (2, 1) if stacked else (1, 2)
    figure, panels = plt.subplots(down, across, figsize=(width, 5.0 if stacked else 3.0), sharex=stacked)
    # One scale for both: the numbers of people are comparable, what they did is not.
    most = max(float(people) for table in (minutes, frequency) for people in table["people"] if not withheld(people))
    for axes, table, column, title in (
        (panels[0], minutes, "minutes", "Brent: minutes in the app"),
        (panels[1], frequency, "answer", "Coventry: as reported"),
    ):
        places = range(len(table) - 1, -1, -1)
        # A withheld number has no bar; its mark stands in its place.
        axes.barh(places, pd.to_numeric(table["people"], errors="coerce").fillna(0), color=INK)
        axes.set_yticks(list(places), table[column].astype(str))
        axes.set_title(title)
        axes.set_xlim(0, 1.15 * most)
        axes.xaxis.get_major_locator().set_params(integer=True)
        for place, people in zip(places, table["people"], strict=True):
            axes.annotate(
                count(people),
                (0 if withheld(people) else people, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
            )
    for axes in panels[1:] if stacked else panels:
        axes.set_xlabel("People")
    return figure


def _exact(row: Row) -> str:
    if withheld(row["estimate"]):
        return WITHHELD
    return (
        f"{percent(row['estimate'], 0)}, {level(row['conf_level'])} CI"
        f" {interval(100 * row['conf_low'], 100 * row['conf_high'], 0)}%"
    )


def access(report: PilotReport) -> str:
    """Who was given access."""
    return (
        f"{count(report.count('sample/access'))} social workers were given the app,"
        f" {count(report.count('usage/access_brent'))} in Brent and {count(report.count('survey/access_coventry'))} in"
        " Coventry."
    )


def brent(report: PilotReport) -> str:
    """Use in Brent."""
    often = report.count("usage/frequent")
    return (
        f"In Brent, {count(report.count('usage/logged_on'))} of {count(report.count('usage/access_brent'))} people"
        f" ({_exact(report.row('usage/logged_on/exact'))}) opened the app at least once, and {spelled(often)}"
        f" ({_exact(report.row('usage/frequent/exact'))}) more than {spelled(int(report.plan.fact('often')))} times."
        f" No one else spent {number(report.plan.fact('little'), 0)} minutes in it over the whole pilot."
    )


def concentration(report: PilotReport) -> str:
    """How the minutes are spread."""
    own, everyone = report.count("usage/minutes_of_frequent"), report.count("usage/minutes")
    share = WITHHELD if isinstance(own, str) or isinstance(everyone, str) else own / everyone
    return (
        f"In the {made_up(report)}logs these {spelled(report.count('usage/frequent'))} people account for"
        f" {percent(share, 0)} of all minutes."
    )


def coventry(report: PilotReport) -> str:
    """Use as reported in Coventry."""
    return (
        f"In Coventry, {count(report.count('survey/respondents'))} of {count(report.count('survey/access_coventry'))}"
        f" people answered a survey ({_exact(report.row('survey/response/exact'))}). Of these,"
        f" {percent(report.row('survey/once_a_week_or_less/exact')['estimate'], 0)} used the app once a week or less,"
        f" {percent(report.row('survey/several_times_a_week/exact')['estimate'], 0)} several times a week or more,"
        f" {spelled(report.count('survey/most_days'))} of them on most days."
    )


def goes_on(report: PilotReport) -> str:
    """Who would go on using it, of respondents and of all."""
    respondents, everyone = report.row("survey/continue/exact"), report.row("survey/continue_of_access/exact")
    return (
        f"{count(report.count('survey/continue_yes'))} respondents ({_exact(respondents)}) would go on using it,"
        f" {spelled(report.count('survey/continue_not_sure'))} were not sure and"
        f" {spelled(report.count('survey/continue_no'))} would not. Of everyone who had access in Coventry, these are"
        f" {percent(everyone['estimate'], 0)}; the view of those who did not answer is not known."
    )
