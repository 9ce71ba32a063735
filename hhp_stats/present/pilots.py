"""Tables, figures and sentences of the pilots' chapters: counts, answers, themes; no effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import matplotlib.pyplot as plt
import pandas as pd
from great_tables import GT

from hhp_stats.consistency.figures import load_figures
from hhp_stats.consistency.reproduction import read_mapping, reproduction_table, share_reproduced
from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.lacking import note
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.present.conflicts import conflict_in_words
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.marks import shown
from hhp_stats.present.numbers import (
    WITHHELD,
    count,
    interval,
    level,
    number,
    percent,
    plural,
    spelled,
    withheld,
    withheld_note,
)
from hhp_stats.present.release import while_synthetic
from hhp_stats.present.stand_in import drawn_or_said
from hhp_stats.present.status import read_release
from hhp_stats.present.style import INK, WIDTH, apply_style
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.results import row_of
from hhp_stats.studies.output import StudyOutput, open_output
from hhp_stats.withheld import NUMBERS

Made = TypeVar("Made")
Row = Mapping[str, Any]
PUBLISHED = "data/published/published_results.csv"
SMALL_COUNT = 10  # below it numbers are words
LEANING = {"benefit": "benefit", "problem": "problem", "condition": "mixed", "context": "context"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotReport:
    """Plan, rows and tables of one pilot. Nothing here estimates anything."""

    root: Path
    plan: IndividualPlan
    output: StudyOutput
    document: str

    def row(self, key: str) -> Row:
        """The row of `outcome/estimand/method`; its numbers are `WITHHELD` where they may not be printed."""
        row = row_of(self.output.results, f"{self.plan.study}/{key}")
        return {**row, **dict.fromkeys(NUMBERS, WITHHELD)} if row["status"] == "withheld" else row

    def count(self, key: str) -> int | str:
        """A count: `usage/logged_on`; `WITHHELD` where it may not be printed."""
        value = self.row(f"{key}/count")["estimate"]
        return WITHHELD if withheld(value) else round(value)

    def table(self, name: str) -> pd.DataFrame:
        """A table that the study wrote."""
        if name not in self.output.tables:
            raise UnknownName(
                f"{self.plan.study} wrote no table {name!r}; it wrote {', '.join(sorted(self.output.tables))}"
            )
        return self.output.tables[name]


# ---------------------------------------------------------------- tables
def themes(report: PilotReport, question: str = "") -> GT:
    """Coded themes, all or those of one part of the findings."""
    table = report.table("themes")
    if question:
        known = ", ".join(dict.fromkeys(table["question"]))
        table = table.loc[table["question"] == question]
        if table.empty:
            reason = f"no theme belongs to {question!r}; the list has {known}"
            note(reason)  # the last theme of a part may have been taken out of the list
            raise UnknownName(reason)
    rows = pd.DataFrame(
        {
            "Theme": table["topic"],
            "Part": table["question"],
            "What was said": table["finding"],
            "Voices": table["voices"],
            "How many": table["stated"].astype("object").fillna(""),
            "Type of finding": table["leaning"].map(LEANING),
        }
    )
    return text_table(rows.drop(columns="Part") if question else rows, stub="Theme")


def roles(report: PilotReport) -> GT:
    """Participants or interviewees by role."""
    table = report.table("roles")
    rows = pd.DataFrame({"Role": table["role"].str.capitalize(), "People": [count(n) for n in table["people"]]})
    return plain_table(rows, stub="Role", notes=withheld_note(table))


def experience(report: PilotReport) -> GT:
    """Interviewees by how long they have used the policy."""
    table = report.table("experience")
    rows = pd.DataFrame(
        {"Use of the policy": table["experience"].str.capitalize(), "People": [count(n) for n in table["people"]]}
    )
    return plain_table(rows, stub="Use of the policy", notes=withheld_note(table))


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


# ---------------------------------------------------------------- figures
def _most_frequent(table: pd.DataFrame, column: str) -> str:
    """The class with the most people among those that may be shown."""
    known = [row for row in table.to_dict("records") if not withheld(row["people"])]
    return str(max(known, key=lambda row: int(row["people"]))[column]).lower() if known else "withheld"


def usage_figure(report: PilotReport) -> EmbeddedFigure:
    """Minutes in the app and reported use, side by side (after the published figure 18)."""
    apply_style()
    minutes, frequency = report.table("minutes"), report.table("frequency")
    figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 3.0))
    for axes, table, column, title in (
        (panels[0], minutes, "minutes", "Brent: minutes in the app"),
        (panels[1], frequency, "answer", "Coventry: as reported"),
    ):
        places = range(len(table) - 1, -1, -1)
        # A withheld number has no bar; its mark stands in its place.
        axes.barh(places, pd.to_numeric(table["people"], errors="coerce").fillna(0), color=INK)
        axes.set_yticks(list(places), table[column].astype(str))
        axes.set_xlabel("People")
        axes.set_title(title)
        for place, people in zip(places, table["people"], strict=True):
            axes.annotate(
                count(people),
                (0 if withheld(people) else people, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
            )
    words = [
        ", ".join(f"{label}: {count(n)}" for label, n in zip(table[column].astype(str), table["people"], strict=True))
        for table, column in ((minutes, "minutes"), (frequency, "answer"))
    ]
    most = max(float(people) for table in (minutes, frequency) for people in table["people"] if not withheld(people))
    for axes in panels:  # one scale for both: the numbers of people are comparable, what they did is not
        axes.set_xlim(0, 1.15 * most)
    return embed(
        figure,
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


# ---------------------------------------------------------------- sentences
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
        f"In the {_made_up(report)}logs these {spelled(report.count('usage/frequent'))} people account for"
        f" {percent(share, 0)} of all minutes."
    )


def _made_up(report: PilotReport) -> str:
    """The word before files of the pilot while they are synthetic."""
    return "synthetic " if read_release(report.root).is_synthetic(report.plan.study) else ""


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


def interviewees(report: PilotReport) -> str:
    """Who was interviewed about flexitime."""
    return (
        f"{count(report.count('sample/interviewees'))} people were interviewed."
        f" {spelled(report.count('sample/team_managers')).capitalize()} manage a team and"
        f" {spelled(report.count('sample/service_leads'))} leads the service; the other"
        f" {spelled(report.count('sample/social_workers'))} are social workers,"
        f" {spelled(report.count('sample/senior_practitioners'))} of them in a senior post."
        f" {spelled(report.count('sample/long_term_users')).capitalize()} had used the policy for more than a year,"
        f" {spelled(report.count('sample/recent_users'))} for less, and {spelled(report.count('sample/non_users'))} did"
        " not use it."
    )


def theme_count(report: PilotReport) -> str:
    """How many themes were coded and how they lean."""
    table = report.table("themes")
    leans = table["leaning"].value_counts()
    parts = [
        f"{count(leans.get(key, 0))} {words}"
        for key, words in (
            ("benefit", "are benefits"),
            ("problem", "problems"),
            ("condition", "are mixed or depend on something else"),
            ("context", "are context or divided views"),
        )
    ]
    numbered = int(table["people"].notna().sum())
    return (
        f"We coded {plural(len(table), 'theme')} from the published text: {', '.join(parts[:-1])} and {parts[-1]}."
        f" For {count(numbered)} of them the text gives or implies a number of people; for the others it says several,"
        " most or some."
    )


def fact(report: PilotReport, key: str) -> str:
    """A number of the plan in words where it is small."""
    value = report.plan.fact(key)
    return spelled(int(value)) if value < SMALL_COUNT else number(value, 0)


def conflict(report: PilotReport, key: str) -> str:
    """A contradiction in the documents, and what is used."""
    return conflict_in_words(report.root, key)


def reproduced(report: PilotReport) -> str:
    """How many printed figures come back."""
    mapping = read_mapping(report.root, "small_studies")
    own = mapping.loc[mapping["result_id"].str.startswith(f"{report.plan.study}/")]
    same, all_of = share_reproduced(
        reproduction_table(load_figures(report.root / PUBLISHED), report.output.results, own)
    )
    return (
        f"We could compare {count(all_of)} published counts and shares of this pilot with the {_made_up(report)}files;"
        f" {count(same)} match."
    )


TABLES: Mapping[str, Callable[..., GT]] = {
    "themes": themes,
    "roles": roles,
    "experience": experience,
    "usage": usage,
    "survey": survey,
}
FIGURES: Mapping[str, Callable[..., EmbeddedFigure]] = {"usage": usage_figure}
SENTENCES: Mapping[str, Callable[..., str]] = {
    "access": access,
    "brent": brent,
    "concentration": concentration,
    "coventry": coventry,
    "goes_on": goes_on,
    "interviewees": interviewees,
    "themes": theme_count,
    "fact": fact,
    "conflict": conflict,
    "reproduced": reproduced,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotChapter:
    """What a chapter calls, by name or name/argument."""

    report: PilotReport

    def table(self, name: str) -> GT:
        """A table for a cell labelled `tbl-...`."""
        return _made(TABLES, name, self.report)

    def figure(self, name: str) -> EmbeddedFigure:
        """A figure with its caption and alternative text."""
        draw, report = partial(_made, FIGURES, name, self.report), self.report
        label = f"{report.plan.study[:3]}-{name}".replace("_", "-").replace("/", "-")
        return drawn_or_said(draw, root=report.root, document=report.document, label=lambda: label)

    def say(self, name: str) -> str:
        """A sentence or number for inline code."""
        return _made(SENTENCES, name, self.report)


def _made(registry: Mapping[str, Callable[..., Made]], name: str, report: PilotReport) -> Made:
    head, _, argument = name.partition("/")
    if head not in registry:
        raise UnknownName(f"nothing is called {head!r} here; known: {', '.join(sorted(registry))}")
    arguments: tuple[Any, ...] = (argument,) if argument else ()
    return shown(registry[head], report, *arguments)


def chapter(study: str, *, document: str = "", root: Path | None = None) -> PilotChapter:
    """Open the results of a pilot for the chapter `document` (default: the one the plan names)."""
    home = root or find_root()
    plan = load_individual_plan(home, study)
    return PilotChapter(
        report=PilotReport(root=home, plan=plan, output=open_output(home, study), document=document or plan.chapter)
    )
