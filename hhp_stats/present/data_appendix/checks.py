"""What the checks of the files found and accepted, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.intake.rules_table import FILE_OF_TABLE_RULES, TABLE_RULES
from hhp_stats.intake.rules_table_sizes import SIZE_RULES
from hhp_stats.intake.rules_table_waves import WAVE_RULES_OF_TABLES
from hhp_stats.present.data_appendix.own_trial import OfReturns
from hhp_stats.present.marked_text import code_entry
from hhp_stats.present.marks import presented
from hhp_stats.present.numbers import count, plural, withheld
from hhp_stats.present.tables import text_table

SEVERITY = ("error", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks(OfReturns):
    """What the checks found and accepted, and the rules themselves."""

    def fired(self) -> GT:
        """Rules that found something, with how often."""
        rules = self.report.table("rules")
        cells = pd.DataFrame(
            [
                {
                    "Rule": row["code"],
                    "What must hold": row["rule"],
                    "About": row["scope"],
                    "Severity": row["severity"],
                    "Entries": self._entries(row["fired"]),
                    "Files": count(row["files"]),
                }
                for severity in SEVERITY
                for row in rules.loc[_fired(rules) & (rules["severity"] == severity)].to_dict("records")
            ]
            or [
                {
                    "Rule": "None",
                    "What must hold": "No rule was broken.",
                    "About": "",
                    "Severity": "",
                    "Entries": "",
                    "Files": "",
                }
            ]
        )
        return text_table(
            cells,
            stub="Rule",
            numeric=("Entries", "Files"),
            notes=["An entry stands for one cell, or for all responses of one file that break the rule."],
        )

    def summary(self) -> str:
        """How many rules there are, and how many found something."""
        rules = self.report.table("rules")
        levels = [f"{count((rules['severity'] == level).sum())} {level}s" for level in SEVERITY]
        fired = rules.loc[_fired(rules)]
        found = [self._sum(fired.loc[fired["severity"] == level, "fired"], level) for level in SEVERITY[1:]]
        return (
            f"The files are checked against {count(len(rules))} rules: {levels[0]}, {levels[1]} and {levels[2]}. A file"
            " that breaks a rule of severity error is not analysed. In this run no error was left; the checks gave"
            f" {found[0]} and {found[1]}."
        )

    def _entries(self, fired: Any) -> str:
        return f"under {self.report.plan.disclosure.threshold}" if withheld(fired) else count(fired)

    @staticmethod
    def _sum(fired: pd.Series, level: str) -> str:
        """Entries in all; where a number of few is not told, that there are more than the others, or a few."""
        known = sum(int(n) for n in fired if not withheld(n))
        if not withheld(*fired):
            return plural(known, level)
        return f"more than {plural(known, level)}" if known else f"a few {level}s"

    @presented
    def rules(self, *scopes: str) -> GT:
        """The rules about some kinds of files (all kinds where none is named)."""
        rules = self.report.table("rules")
        kept = rules.loc[rules["scope"].isin(scopes)] if scopes else rules
        cells = pd.DataFrame(
            {
                "Rule": [code_entry(str(code), rule=True) for code in kept["code"]],
                "Severity": kept["severity"],
                "What must hold": kept["rule"],
                "What to do": kept["remedy"],
            }
        )
        return text_table(cells, stub="Rule")

    @presented
    def table_rules(self) -> GT:
        """The rules for the plain table of a trial."""
        every = (*FILE_OF_TABLE_RULES, *TABLE_RULES, *SIZE_RULES, *WAVE_RULES_OF_TABLES)
        rules = sorted(every, key=lambda rule: rule.code)
        cells = pd.DataFrame(
            {
                "Rule": [code_entry(rule.code, rule=True) for rule in rules],
                "Severity": [rule.severity for rule in rules],
                "What must hold": [rule.rule for rule in rules],
                "What to do": [rule.remedy for rule in rules],
            }
        )
        return text_table(cells, stub="Rule")

    def tolerances(self) -> GT:
        """Habits of typing that were accepted, by file and column."""
        table = self.report.table("tolerances")
        if not len(table):
            return text_table(pd.DataFrame([{"File": "None", "Column": "", "Habit": "", "Cells": ""}]), stub="File")
        groups = table.fillna({"field": ""})
        least = self.report.plan.disclosure.threshold
        cells = pd.DataFrame(
            {
                "File": [_short(path) for path in groups["file"]],
                "Column": groups["field"],
                "Habit": groups["habit"],
                "Cells": [f"under {least}" if withheld(n) else count(n) for n in groups["count"]],
            }
        )
        return text_table(cells, stub="File", numeric=("Cells",))


def _fired(rules: pd.DataFrame) -> pd.Series:
    """Which rules found something, however little."""
    return pd.Series([withheld(n) or n > 0 for n in rules["fired"]], index=rules.index)


def _short(path: str) -> str:
    """A file as readers know it: authority and wave, or the name of the survey."""
    parts = path.rsplit(".", 1)[0].split("/")
    kind = "survey" if "surveys" in parts else "return"
    if kind == "return" and "returns" in parts:
        return f"{parts[-2].replace('-', ' ').title().replace(' And ', ' and ')}, {parts[-1]}"
    return f"Survey, {parts[-1]}" if kind == "survey" else path
