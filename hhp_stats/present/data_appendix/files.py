"""What arrived, of which release, and what was corrected since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.intake.masking import public_id
from hhp_stats.intake.raw_files import raw_files
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.present.data_appendix.own_trial import OfReturns
from hhp_stats.present.numbers import WITHHELD, count, plural, withheld_note
from hhp_stats.present.release import standing
from hhp_stats.present.status import read_release
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.studies.output import open_output

WAVES = ("baseline", "interim", "endline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files(OfReturns):
    """What arrived: returns, lists and surveys, the release they are of, and the corrections applied since."""

    root: Path

    def returns(self) -> GT:
        """Returns by authority and wave: staff listed, and the day on which the records were drawn."""
        inputs = self._inputs()
        found = {(row["local_authority"], row["wave"]): row for row in inputs.to_dict("records")}
        cells = [
            {"Local authority": site.local_authority}
            | {wave.capitalize(): self._return(found, site.local_authority, wave) for wave in WAVES}
            for site in self.report.plan.sites
        ]
        return plain_table(
            pd.DataFrame(cells),
            stub="Local authority",
            spanner=[wave.capitalize() for wave in WAVES],
            spanner_label="Return",
            notes=["Staff listed (day on which the authority drew the records)."],
        )

    @staticmethod
    def _return(found: Mapping[tuple[str, str], Mapping[Any, Any]], authority: str, wave: str) -> str:
        if (authority, wave) not in found:
            return "not received"
        row = found[authority, wave]
        return f"{count(row['rows'])} ({_day(str(row['retrieved']))})"

    def lists(self) -> GT:
        """All other files: lists of the trial team, surveys, ledger, plan and dictionary."""
        inputs = self._inputs()
        rest = inputs.loc[inputs["wave"] == ""]
        rows = [WITHHELD if pd.isna(rows) else count(rows) for rows in rest["rows"]]
        cells = pd.DataFrame({"File": rest["path"], "Rows": rows})
        return plain_table(cells, stub="File", notes=withheld_note(cells))

    def arrived(self) -> str:
        """How many files there are, and how complete the returns."""
        inputs = self._inputs()
        returns = int((inputs["wave"] != "").sum())
        due = len(WAVES) * len(self.report.plan.sites)
        whole = "one for each wave of each authority" if returns == due else f"{count(due)} were due"
        return f"For that chapter {plural(len(inputs), 'file')} were read, {count(returns)} of them returns ({whole})."

    def manifest(self) -> str:
        """Are these the files of the release?"""
        found = standing(self.root)
        kind = "synthetic and real data in a" if found.mixed else f"a {'synthetic' if found.synthetic else 'real'}"
        return (
            f"The manifest describes {kind} release of {_day(read_release(self.root).date)}."
            " Every raw file of every study is there with the checksum that it records, and no raw file is read that"
            " it does not list: a study that finds otherwise is not analysed. Plans, dictionary, spellings and"
            " published figures are sources of this report and no raw files; the ledger of corrections is none either,"
            " but its recorded lines must stand as they were."
        )

    def studies(self) -> GT:
        """Study by study: what the data are, how many raw files were read, what the checks left, and how many
        corrections were applied.
        """
        release, known = read_release(self.root), set(raw_files(self.root))
        rows = []
        for entry in catalogue(self.root):
            tables = open_output(self.root, entry.study).tables
            raw = tables["inputs"].loc[tables["inputs"]["path"].isin(known)]
            codes = sorted({str(code) for code in tables["problems"]["code"]})
            rows.append(
                {
                    "Study": entry.name,
                    "Data": "synthetic" if release.is_synthetic(entry.study) else "real",
                    "Raw files": count(len(raw)),
                    "Warnings and notes": ", ".join(codes) or "none",
                    "Corrections": count(len(tables.get("corrections", ()))),
                }
            )
        return text_table(pd.DataFrame(rows), stub="Study", numeric=("Raw files", "Corrections"))

    def corrections(self) -> GT:
        """Corrections applied after the returns arrived: when and of which field; not whose, where, from what to
        what, or why.

        A reason is free text and may name somebody; authority and wave would lead to the person in a small team.
        """
        table = self.report.table("corrections")
        rows = [
            {
                "Correction": public_id(row["id"]),
                "Received": str(row["received_on"]),
                "Field": str(row["field"]),
                "Cells": "1",
            }
            for row in table.to_dict("records")
        ]
        nothing = {"Correction": "None", "Received": "", "Field": "", "Cells": ""}
        return text_table(pd.DataFrame(rows or [nothing]), stub="Correction")

    def corrected(self) -> str:
        """How many corrections were applied."""
        number = len(self.report.table("corrections"))
        if not number:
            return "The ledger of corrections is empty: every value is the one that the authority sent."
        return (
            f"{plural(number, 'correction was', 'corrections were')} applied; only the ledger has the values,"
            " people and"
            " reasons."
        )

    def _inputs(self) -> pd.DataFrame:
        names = ["local_authority", "wave", "retrieved"]
        table = self.report.table("inputs")
        return table.assign(**{name: table[name].astype("object").fillna("") for name in names})


def _day(text: str) -> str:
    """`2 May 2019` from an ISO date; a date that could not be read is said."""
    if not text:
        return "no date"
    day = dt.date.fromisoformat(text)
    return f"{day.day} {day:%B %Y}"
