"""What was asked: survey and return of the trial on returns, by its dictionary; other scales, by their plans.

Items are told in our words; the wording of the scales is in the works they come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.files.project_root import find_root
from hhp_stats.intake.dictionary import WAVES, Field, load_dictionary
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.present.listing import capital
from hhp_stats.present.markdown import printed_table
from hhp_stats.present.numbers import DASH, MISSING, count, number, spelled
from hhp_stats.present.tables import plain_table, text_table

SURVEY, RETURN = "survey", "return"
_ASSUMED = "assumed: "  # what a plan begins with that says where a scale comes from, where no document does
_KINDS: Mapping[str, str] = {  # what a field without limits or a list of values may hold
    "free text": "in own words",
    "text": "a text",
    "category": "one of a list",
    "yes/no": "yes; no",
    "number": "a number",
    "integer": "a whole number",
    "date": "a date",
    "identifier": "a code",
    "header": "a text above the table",
    "header date": "a date above the table",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaires:
    """The fields of the dictionary, and what the plans say of other surveys."""

    root: Path
    fields: tuple[Field, ...]

    def survey(self) -> GT:
        """Every question of the wellbeing survey in the order of the questionnaire, with its answers and waves."""
        own = [field for field in self.fields if field.file == SURVEY]
        rows = [
            {
                "Column": field.name,
                "What it asks": capital(field.meaning or field.name.replace("_", " ")),
                "Answers": _answers(field),
                "Asked at": _waves(field),
                "Clause": field.clause.replace(";", ", ") or MISSING,
            }
            for field in own
        ]
        return text_table(
            pd.DataFrame(rows),
            stub="Column",
            notes=[f"{MISSING}: in the questionnaire, with no analysis planned. Results are exploratory."],
        )

    def returns(self) -> GT:
        """Every field of the return of an authority, and whether the printed template has it."""
        own = [field for field in self.fields if field.file == RETURN]
        rows = [
            {
                "Field": field.label,
                "What it holds": capital(field.meaning),
                "Values": _answers(field),
                "Covers": field.period or MISSING,
                "Returns": _waves(field),
                "Printed": "yes" if field.in_template else "added",
            }
            for field in own
        ]
        return text_table(
            pd.DataFrame(rows),
            stub="Field",
            notes=[
                f"Covers: the time that a number is about; {MISSING} where a field is about a person as of the return.",
                "Printed: the field is in the template of the protocol. Added: the analysis needs it; most of these are"
                " marked [extra] in the workbook.",
            ],
        )

    def counts(self) -> str:
        """How many fields the printed template lacks, in a sentence."""
        own = [field for field in self.fields if field.file == RETURN]
        added = sum(not field.in_template for field in own)
        return f"Of {spelled(len(own))} fields, {spelled(added)} are not in the printed template."

    def scales(self) -> str:
        """The scales of every other study with a survey, as a Markdown table, or a sentence where there is none."""
        scales = [
            (entry, scale)
            for entry in catalogue(self.root)
            for plan in [plan_of(self.root, entry.study)]
            if isinstance(plan, IndividualPlan)
            for scale in plan.scales.values()
        ]
        if not scales:
            return "No other study of this report scores the answers to a survey.\n"
        # What is true of every scale is said once, below them.
        alike = all(scale.basis.startswith(_ASSUMED) for _, scale in scales)
        rows = [
            {
                "Scale": scale.label,
                "of": entry.name,
                "Items": count(len(scale.items)),
                "Answers": f"{number(scale.low, 0)}{DASH}{number(scale.high, 0)}",
                "Where it comes from": capital(scale.basis.removeprefix(_ASSUMED if alike else "")),
            }
            for entry, scale in scales
        ]
        notes = ["All of these scales are assumed."] if alike else []
        table = plain_table(pd.DataFrame(rows), stub="Scale", groups="of", notes=notes)
        return printed_table(
            table.cols_align("left", columns=["Where it comes from"]),
            label="tbl-questionnaires-scales",
            caption="Scales of the other surveys",
        )


def _answers(field: Field) -> str:
    if field.allowed:
        return "; ".join(field.allowed)
    if field.minimum is not None and field.maximum is not None:
        ends = f"{number(field.minimum, 0)} to {number(field.maximum, 0)}"
        return f"{ends} {field.unit}".strip()
    return _KINDS[field.kind]


def _waves(field: Field) -> str:
    return "all" if set(field.waves) == set(WAVES) else ", ".join(field.waves)


def questionnaires(*, root: Path | None = None) -> Questionnaires:
    """Open the dictionary; refuses what `load_dictionary` refuses."""
    home = root or find_root()
    return Questionnaires(root=home, fields=load_dictionary(home))
