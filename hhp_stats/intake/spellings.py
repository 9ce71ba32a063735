"""What did the authority mean? The published mapping of spellings, and how texts are compared."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.dictionary import Field

SPELLINGS = "data/spellings.csv"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_BLANKS = re.compile(r"\s+")
_SIGNS = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "‑": "-"})
_ITEM_NUMBER = re.compile(r"_\d+$")


def tidy(text: str) -> str:
    """The text without invisible characters, outer blanks, doubled blanks and typographic signs.

    Other widths of a sign are the sign itself; raised, lowered and circled digits and fractions are not: "5²" is no 52.
    """
    if text.isascii() and "  " not in text and text.isprintable():
        return text.strip()
    folded = "".join(sign if _says_more(sign) else unicodedata.normalize("NFKC", sign) for sign in text)
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFC", folded)).translate(_SIGNS)
    return _BLANKS.sub(" ", plain).strip()


def _says_more(sign: str) -> bool:
    return not sign.isascii() and (
        unicodedata.category(sign) == "No" or unicodedata.decomposition(sign).startswith(("<super>", "<sub>"))
    )


def same(text: str) -> str:
    """The form in which two spellings are compared: tidy and in lower case."""
    return tidy(text).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spellings:
    """For each field (or group such as `blank`): spelling in comparable form -> what it stands for."""

    by_field: dict[str, dict[str, str]]
    # The same of columns of numbers that are written in words.
    numbers: dict[str, dict[str, str]] = dataclass_field(default_factory=dict)

    def numbers_of(self, field: Field) -> dict[str, str]:
        """What the words of a field count as, where its numbers are written in words."""
        return self.numbers.get(field.name, {})

    def of(self, name: str) -> dict[str, str]:
        """The spellings of one field or group: comparable form -> meaning."""
        return self.by_field.get(name, {})

    def accepted(self, field: Field) -> dict[str, str]:
        """Everything that may stand in a category field: its allowed values and their other spellings."""
        stem = self.of(_ITEM_NUMBER.sub("", field.name))
        return {same(value): value for value in field.allowed} | stem | self.of(field.name)

    def told_by_case(self, field: Field) -> dict[str, dict[str, str]]:
        """Allowed values that differ in capitals alone, as the genotypes AA, Aa and aa: by their comparable form the
        values, by the exact text that stands for each. Of such values nothing but the exact text may be read.
        """
        forms: dict[str, dict[str, str]] = {}
        for value in field.allowed:
            forms.setdefault(same(value), {})[tidy(value)] = value
        return {form: values for form, values in forms.items() if len(values) > 1}

    def is_blank(self, text: str) -> bool:
        """Whether a text such as "N/A" or "-" says that there is no value."""
        return same(text) in self.of("blank")


def load_spellings(root: Path, fields: tuple[Field, ...]) -> Spellings:
    """Which spellings are accepted? Reads `data/spellings.csv`; refuses one that maps to an unknown value."""
    path = root / SPELLINGS
    allowed = {field.name: field.allowed for field in fields if field.allowed}
    by_field: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []

    def refuse(cell: str, rule: str) -> None:
        problems.append(
            Problem(
                code="D02", severity="error", file=SPELLINGS, cell=cell, rule=rule, remedy="Correct the mapping file."
            )
        )

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != ("field", "spelling", "read_as", "note"):
                raise ValueError("columns")
            for number, line in enumerate(reader, start=2):
                field, spelling, read_as = line["field"], same(line["spelling"] or ""), line["read_as"]
                known = by_field.setdefault(field, {})
                if not spelling:
                    refuse(f"row {number}", "A spelling must not be empty.")
                elif known.get(spelling, read_as) != read_as:
                    refuse(f"row {number}", "A spelling must stand for one value only.")
                elif field in allowed and read_as not in allowed[field]:
                    refuse(f"row {number}", "A spelling must stand for an allowed value of the dictionary.")
                known[spelling] = read_as
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, TypeError, AttributeError):
        refuse("", "The mapping of spellings must have the columns field, spelling, read_as, note.")
    if problems:
        raise DataError(problems)
    return Spellings(by_field=by_field)
