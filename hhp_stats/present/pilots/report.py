"""What every pilot has: plan, rows and tables, its themes, who took part, and the published figures that come back."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.reproduction import share_reproduced
from hhp_stats.errors import UnknownName
from hhp_stats.plan.pilot_schema import PilotPlan
from hhp_stats.present.conflicts import conflict_in_words
from hhp_stats.present.numbers import WITHHELD, count, matching, number, plural, spelled, withheld
from hhp_stats.present.status import read_release
from hhp_stats.present.study_results import Row, StudyResults
from hhp_stats.present.tables import text_table
from hhp_stats.results.lacking import note
from hhp_stats.results.withheld import NUMBERS

SMALL_COUNT = 10  # below it numbers are words
LEANING = {"benefit": "benefit", "problem": "problem", "condition": "mixed", "context": "context"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotReport(StudyResults[PilotPlan]):
    """Plan, rows and tables of one pilot. Nothing here estimates anything."""

    def row(self, key: str) -> Row:
        """The row of `outcome/estimand/method`; its numbers are `WITHHELD` where they may not be printed."""
        row = StudyResults.row(self, key)
        return {**row, **dict.fromkeys(NUMBERS, WITHHELD)} if row["status"] == "withheld" else row

    def count(self, key: str) -> int | str:
        """A count: `usage/logged_on`; `WITHHELD` where it may not be printed."""
        value = self.row(f"{key}/count")["estimate"]
        return WITHHELD if withheld(value) else round(value)


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


def people(report: PilotReport) -> str:
    """How many took part: the lines of the first list, or of the table."""
    n = report.plan.design.randomised
    return f"{plural(n, *report.plan.words.person)} took part in this pilot."


def theme_count(report: PilotReport) -> str:
    """How many themes were coded and how they lean."""
    table = report.table("themes")
    leans = table["leaning"].value_counts()
    parts = [
        f"{count(leans.get(key, 0))} {words}"
        for key, words in (
            ("benefit", "on benefits"),
            ("problem", "on problems"),
            ("condition", "mixed or dependent on something else"),
            ("context", "on the context or with divided views"),
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
    same, all_of = share_reproduced(report.reproduction("small_studies"))
    return (
        f"We could compare {count(all_of)} published counts and shares of this pilot with the {made_up(report)}files;"
        f" {matching(same, all_of)}."
    )


def made_up(report: PilotReport) -> str:
    """The word before files of the pilot while they are synthetic."""
    return "synthetic " if read_release(report.root).is_synthetic(report.plan.study) else ""
