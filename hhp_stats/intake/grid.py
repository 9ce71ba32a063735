"""The cells of one sheet as they stand in the file, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


class CellError:
    """An error value that a spreadsheet program left in a cell, such as #REF!."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _NoStoredValue:
    """A formula whose result was never stored by the program that wrote the file."""


NO_STORED_VALUE: Final = _NoStoredValue()

MAX_ROWS = 200_000
OWN_COMMENTS = frozenset({"hhp check", "hhp template"})  # authors of the comments that this program writes
MAX_COLUMNS = 256
MAX_CELLS = 2_000_000  # of a sheet: 100,000 people with every column of the template
MAX_MERGED = 10_000  # merged areas that are kept; more say nothing new
HEAD_ROWS = 60  # rows of a sheet by which it is recognised


@dataclass(slots=True, kw_only=True)
class Grid:
    """Cells of one sheet: row number -> column number -> value, both counted from 1 as in the program.

    Values are str, int, float, bool, datetime, `CellError` or `NO_STORED_VALUE`; empty cells are absent.
    `typed` is False where the format knows only text (CSV): numbers and ISO dates as text are then no habit.
    """

    sheet: str
    rows: dict[int, dict[int, Any]]
    typed: bool = True
    formulas: set[tuple[int, int]] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    other_sheets: list[str] = field(default_factory=list)  # names described, never quoted
    other_tables: list[str] = field(default_factory=list)  # those of them that hold a table too: "visible" or "hidden"
    hidden: bool = False
    external_links: int = 0
    encoding: str = ""
    formats: dict[tuple[int, int], str] = field(default_factory=dict)  # number formats that show more than the number
    struck: set[tuple[int, int]] = field(default_factory=set)  # cells struck through as a whole
    white: set[tuple[int, int]] = field(default_factory=set)  # cells in white on white
    mixed: set[tuple[int, int]] = field(
        default_factory=set
    )  # texts of which a part is raised, lowered or struck through
    comments: list[tuple[int, int]] = field(default_factory=list)  # of others than this program
    cells: int = 0  # counted where rows are repeated
    from_1904: bool = False  # whether day numbers count from 1904 instead of 1900


def column_letter(number: int) -> str:
    """1 -> A, 26 -> Z, 27 -> AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """A -> 1, AA -> 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
