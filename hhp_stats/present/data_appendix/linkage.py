"""What became of the answers to the surveys: used, matched to staff, by arm and authority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present.data_appendix.own_trial import OfReturns
from hhp_stats.present.numbers import WITHHELD, count, percent, withheld, withheld_note
from hhp_stats.present.tables import plain_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage(OfReturns):
    """What became of the answers to each survey."""

    def table(self) -> GT:
        """What became of the responses to each survey."""
        table = self._linkage()
        steps = {
            "responses": "Responses received",
            "consented": "With consent",
            "duplicates": "Set aside: another response of the same person counts",
            "used": "Used",
            "matched": "Matched to staff",
            "unmatched": "Code missing or unknown",
        }
        cells = pd.DataFrame(
            [
                {"Responses": label}
                | {f"{wave.capitalize()} survey": count(table.loc[wave, name]) for wave in table.index}
                for name, label in steps.items()
            ]
        )
        return plain_table(cells, stub="Responses", notes=withheld_note(table))

    def matched(self) -> str:
        """The match rate of each survey, as far as it may be told."""
        table = self._linkage()
        told = [(wave, row) for wave, row in table.iterrows() if not withheld(row["matched"], row["used"])]
        if not told:
            return (
                "How many responses could be matched to a member of staff is withheld: with other numbers, it would"
                " give away a count of very few people."
            )
        rates = [
            f"{percent(row['matched'] / row['used']) if row['used'] else 'none'} of the responses used at {wave}"
            for wave, row in told
        ]
        return f"Matched to a member of staff: {' and '.join(rates)}."

    def response(self) -> GT:
        """Answers matched to randomised staff, by arm and authority."""
        table = self.report.table("attrition")
        kinds = {"arm": "Arm", "authority": "Local authority"}
        cells = pd.DataFrame(
            [
                {"Group": row["label"], "of": kinds[row["kind"]], "Staff": count(row["people"])}
                | {
                    wave: _of(row["people"], row[column])
                    for wave, column in (("Baseline survey", "baseline_survey"), ("Endline survey", "endline_survey"))
                }
                for row in table.to_dict("records")
            ]
        )
        return plain_table(
            cells,
            stub="Group",
            groups="of",
            spanner=["Baseline survey", "Endline survey"],
            spanner_label="Matched, with an answer",
            notes=withheld_note(table[["people", "baseline_survey", "endline_survey"]]),
        )

    def _linkage(self) -> pd.DataFrame:
        """Sums over the groups by wave; what is withheld is marked in a wave's first row."""
        table = self.report.table("linkage")
        names = ["responses", "consented", "duplicates", "used", "matched", "unmatched"]
        rows = {
            str(wave): {name: WITHHELD if withheld(*part[name]) else int(part[name].sum()) for name in names}
            for wave, part in table.groupby("wave", sort=False)
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=names).astype(object)


def _of(people: Any, share: Any) -> str:
    """Count and share in one cell; both go where either is withheld."""
    if withheld(people, share):
        return WITHHELD
    return f"{count(round(people * share))} ({percent(share, 0)})" if not pd.isna(share) else count(0)
