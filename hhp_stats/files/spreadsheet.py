"""Text that a spreadsheet must not run: what begins like a formula is written so that it stays text.

A cell of a CSV file that begins with =, +, -, @, a tab or a line break is a formula to Excel, LibreOffice and Google
Sheets, and a formula can call programs and send what stands in other cells away (OWASP, "CSV injection"). An apostrophe
before it makes it text; `from_csv` takes it off again. Numbers and intervals stay as they are, also negative ones.
`assets/tables.js` follows the same rule for the tables that readers download; a test compares both.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

_BEGINS = re.compile(
    "[ \u00a0]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
)  # the last four: full width, as typed in East Asia
_NUMBER = r"[+-]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?%?"
_PLAIN = re.compile(rf"{_NUMBER}(?: to {_NUMBER})?(?: [(\[]{_NUMBER}(?: to |, ){_NUMBER}[)\]])?|[-+]?(?:inf|\u221e)|-+")
_MARKED = re.compile(rf"'+{_BEGINS.pattern}")
GUARD = "'"


def runs(text: str) -> bool:
    """Whether a spreadsheet may take the text for a formula; a number or an interval is none."""
    return bool(_BEGINS.match(text)) and not _PLAIN.fullmatch(text)


def to_csv(text: str) -> str:
    """The text for a cell of a CSV file: as it is, or with an apostrophe before it where a spreadsheet would run it.

    Line breaks within become those of Unix: Python's writers leave a lone carriage return unquoted, which ends the row.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return GUARD + text if runs(text) or _MARKED.match(text) else text


def from_csv(text: str) -> str:
    """The text that `to_csv` was given (but for its line breaks)."""
    return text.removeprefix(GUARD) if _MARKED.match(text) else text


def frame_to_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV without its index, with Unix line ends; texts (headings too) as `to_csv` says, numbers
    untouched.
    """
    return guarded_frame(frame).to_csv(index=False, lineterminator="\n")


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Writes what `frame_to_csv` gives into a file."""
    guarded_frame(frame).to_csv(path, index=False, lineterminator="\n")


def guarded_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its texts as `to_csv` says."""
    guarded = frame.copy(deep=False)
    for at in range(guarded.shape[1]):
        column = guarded.iloc[:, at]
        if not pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_datetime64_any_dtype(column.dtype):
            guarded.isetitem(at, list(column.map(_guarded)))
    guarded.columns = [_guarded(name) for name in guarded.columns]
    return guarded


def frame_from_csv(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame read from what `frame_to_csv` wrote, with the texts as they were."""
    plain = frame.copy(deep=False)
    for at in range(plain.shape[1]):
        column = plain.iloc[:, at]
        if not pd.api.types.is_numeric_dtype(column.dtype) and column.astype("str").str.startswith(GUARD).any():
            plain.isetitem(at, list(column.map(_unguarded)))
    plain.columns = [_unguarded(name) for name in plain.columns]
    return plain


def _guarded(value: Any) -> Any:
    return to_csv(value) if isinstance(value, str) else value


def _unguarded(value: Any) -> Any:
    return from_csv(value) if isinstance(value, str) else value


_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # openpyxl refuses them: XML cannot hold them


def write_cell(cell: Any, value: Any) -> Any:
    """Writes a value into an openpyxl cell; a text stays a text, whatever it begins with, also when it is edited."""
    if isinstance(value, str):
        cell.value = _CONTROLS.sub("", value)
        cell.data_type = "s"
        if runs(value):
            cell.quotePrefix = True
    else:
        cell.value = value
    return cell
