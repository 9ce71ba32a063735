"""Rules about single cells that could not be read: one per kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hhp_stats.intake import values as v
from hhp_stats.intake.rule import Breach, Rule

if TYPE_CHECKING:
    from hhp_stats.intake.return_layout import Return


def _unread(code: str) -> Callable[[Return], Iterator[Breach]]:
    def find(ret: Return) -> Iterator[Breach]:
        for name, cells in ret.unread.items():
            for position, broken in cells.items():
                if broken == code:
                    yield Breach(name, position)

    return find


KIND_RULES: tuple[Rule, ...] = (
    Rule(
        code=v.NUMBER,
        severity="error",
        find=_unread(v.NUMBER),
        rule="A number must be typed as a number.",
        remedy="Enter the number alone, without words, ranges or question marks; leave the cell blank if unknown.",
    ),
    Rule(
        code=v.INTEGER,
        severity="error",
        find=_unread(v.INTEGER),
        rule="Spells of absence are counted in whole numbers.",
        remedy="Enter the number of separate spells.",
    ),
    Rule(
        code=v.DAY,
        severity="error",
        find=_unread(v.DAY),
        rule="A date must be a calendar day, such as 3 May 2019 or 03/05/2019 (day before month).",
        remedy="Enter the date again as a date.",
    ),
    Rule(
        code=v.YES_NO,
        severity="error",
        find=_unread(v.YES_NO),
        rule="The answer must be yes or no.",
        remedy="Choose yes or no from the list in the cell.",
    ),
    Rule(
        code=v.CATEGORY,
        severity="error",
        find=_unread(v.CATEGORY),
        rule="The value must be one of the options of the template.",
        remedy="Choose an option from the list in the cell; further spellings can be added to data/spellings.csv.",
    ),
    Rule(
        code=v.ERROR_VALUE,
        severity="error",
        find=_unread(v.ERROR_VALUE),
        rule="A cell must not hold an error value such as #REF! or #N/A, or a time of day.",
        remedy="Repair the formula behind it, or type the value.",
    ),
    Rule(
        code=v.NO_RESULT,
        severity="error",
        find=_unread(v.NO_RESULT),
        rule="A formula must come with its stored result; formulas are never evaluated here.",
        remedy="Open the workbook in a spreadsheet program, let it calculate, save it, or type the values.",
    ),
    Rule(
        code=v.IDENTIFIER,
        severity="error",
        find=_unread(v.IDENTIFIER),
        rule="An identifier must be a text or a whole number, not a date or a fraction.",
        remedy="Format the column as text and enter the identifier again.",
    ),
)
# How values are written in a file as a whole; these have a remedy of their own in every kind of file.
FORM_RULES: tuple[Rule, ...] = (
    Rule(
        code=v.DECIMAL_COMMA,
        severity="error",
        find=_unread(v.DECIMAL_COMMA),
        rule="A file must write its numbers in one way, with a decimal point; a comma is for thousands.",
        remedy="Enter decimals with a point, or save the workbook as .xlsx with the figures as numbers.",
    ),
    Rule(
        code=v.DATE_ORDER,
        severity="error",
        find=_unread(v.DATE_ORDER),
        rule=(
            "The dates of a column must be in one order. Here days and months were exchanged where a day could be a"
            " month, or some dates have the month first."
        ),
        remedy=(
            "Enter all dates of the column again, as 2019-05-03 or 3 May 2019; do not open exports in a program of"
            " another country."
        ),
    ),
)
SIGHT_RULES: tuple[Rule, ...] = (
    Rule(
        code=v.SEEN_OTHERWISE,
        severity="error",
        find=_unread(v.SEEN_OTHERWISE),
        rule="A number must be shown as it is meant: not as a percentage, in thousands, in another unit or hidden.",
        remedy="Format the cells as “General” or “Number” and check the figures: those shown and those stored differ.",
    ),
    Rule(
        code=v.MIXED,
        severity="error",
        find=_unread(v.MIXED),
        rule="A value must not have raised, lowered or struck-through parts, such as the mark of a footnote.",
        remedy="Enter the value alone, without marks; put remarks into a message.",
    ),
    Rule(
        code=v.STRUCK,
        severity="error",
        find=_unread(v.STRUCK),
        rule=(
            "A value or a person must not be struck through, or white on white: it is there for a program and gone for"
            " a reader."
        ),
        remedy="Delete what is struck through or white, or make it plain if it counts.",
    ),
)
CELL_RULES = (*KIND_RULES, *SIGHT_RULES, *FORM_RULES)
