"""The heads and answers of a survey export as text, whether it came as CSV or as an SPSS file (.sav)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from hhp_stats.intake.container import Refused, check_size
from hhp_stats.intake.grid import MAX_ROWS
from hhp_stats.intake.spellings import tidy
from hhp_stats.intake.survey_questions import Metadata, metadata
from hhp_stats.intake.text_file import likely_delimiter, read_text, split_rows

EXPORT_TYPES = (".csv", ".sav")
HEADER_ROWS = 3
MAX_VARIABLES = 5000
_IMPORT_ID = re.compile(r'\s*\{\s*"ImportId"')
_MAGIC = (b"$FL2", b"$FL3")
_AGAIN = "Export the survey again from the platform, and do not open the file in between."
# SPSS allows letters, digits and underscores only in the name of a variable.
_SAV_NAMES = {"Duration__in_seconds_": "Duration (in seconds)"}


@dataclass(slots=True, kw_only=True)
class Export:
    """Heads of all columns, and per response its number in the file and a text per head.

    `ragged` are lines with another number of fields than the heading; `missing_codes` says per column which numbers
    the file itself declares to mean “no answer”.
    """

    heads: list[str]
    body: list[tuple[int, list[str]]]
    encoding: str
    ragged: list[tuple[int, int]] = field(default_factory=list)
    declared_missing: dict[str, list[int]] = field(default_factory=dict)  # column -> positions in body
    metadata: Metadata = field(default_factory=Metadata)


def is_import_row(rows: list[list[str]]) -> bool:
    """Whether the rows of a file begin with the three headings of an export: names, questions, import ids."""
    return len(rows) >= HEADER_ROWS and any(_IMPORT_ID.match(cell) for cell in rows[2])


def read_csv_export(path: Path) -> Export:
    """A Qualtrics CSV export; refuses (`Refused`) one without its three heading rows of names, questions, import
    ids.
    """
    text, encoding = read_text(path)
    rows = split_rows(text, likely_delimiter(text, lines=1))
    if not is_import_row(rows):
        raise Refused("The first three rows must be names, questions and import ids.", _AGAIN, "other rows 1 to 3")
    heads = [tidy(head) for head in rows[0]]
    export = Export(heads=heads, body=[], encoding=encoding, metadata=metadata(heads, rows[1], rows[2]))
    for number, row in enumerate(rows[HEADER_ROWS:], start=HEADER_ROWS + 1):
        if not any(map(str.strip, row)):
            continue
        if len(row) != len(heads):
            export.ragged.append((number, len(row)))
        else:
            export.body.append((number, row))
    return export


def read_sav_export(path: Path, *, wanted: Collection[str], unlabelled: Collection[str] = ()) -> Export:
    """An SPSS export (.sav, .zsav inside it): labelled values become their label, others their number as text; of the
    columns `unlabelled` all are numbers.

    Only the columns of `wanted` are read, so that names of no use, addresses and free text never reach memory; the
    heads of all columns are known. Codes that the file declares to be missing become empty and are counted. Refuses
    (`Refused`) other files under that name, damaged and oversized ones, and says so where pyreadstat is not installed.
    """
    check_size(path)
    with path.open("rb") as file:
        if file.read(4) not in _MAGIC:
            raise Refused("A .sav file must be an SPSS data file.", _AGAIN)
    reader = _pyreadstat()
    try:
        _, meta = reader.read_sav(str(path), metadataonly=True, output_format="dict")
        if not 0 <= meta.number_rows <= MAX_ROWS or len(meta.column_names) > MAX_VARIABLES:
            raise Refused(
                f"A survey export may hold at most {MAX_ROWS} responses and {MAX_VARIABLES} variables.", _AGAIN
            )
        heads = [_SAV_NAMES.get(name, name) for name in meta.column_names]
        used = [name for name, head in zip(meta.column_names, heads, strict=True) if head in wanted]
        columns, meta = reader.read_sav(str(path), usecols=used, user_missing=True, output_format="dict")
    except Refused:
        raise
    except Exception as error:  # whatever a damaged file provokes; messages may quote content, so only the kind is kept
        raise Refused(
            "An SPSS file must be whole and readable.", _AGAIN, f"a damaged file ({type(error).__name__})"
        ) from None
    labels_of = {_SAV_NAMES.get(name, name): label for name, label in meta.column_names_to_labels.items() if label}
    questions = metadata(list(labels_of), list(labels_of.values()), [])
    export = Export(heads=heads, body=[], encoding="SPSS", metadata=questions)
    texts: dict[str, list[str]] = {}
    for name in used:
        head = _SAV_NAMES.get(name, name)
        labels = {} if head in unlabelled else meta.variable_value_labels.get(name, {})
        missing = meta.missing_ranges.get(name, [])
        found = [None if _declared_missing(value, missing) else value for value in columns[name]]
        gone = [at for at, value in enumerate(columns[name]) if value is not None and found[at] is None]
        if gone:
            export.declared_missing[head] = gone
        texts[head] = [_text(value, labels) for value in found]
    cases = len(columns[used[0]]) if used else 0
    empty = [""] * cases
    by_head = [texts.get(head, empty) for head in heads]
    export.body = [(number, list(row)) for number, row in enumerate(zip(*by_head, strict=True), start=1)]
    return export


def _pyreadstat() -> ModuleType:
    try:
        import pyreadstat
    except ImportError:
        raise Refused(
            "Reading .sav files needs the library pyreadstat, which is not installed.",
            "Install it (it is in requirements.lock, extra “spss”), or export the survey as CSV.",
        ) from None
    module: ModuleType = pyreadstat
    return module


def _declared_missing(value: Any, ranges: list[Mapping[str, Any]]) -> bool:
    if value is None or isinstance(value, date | datetime):
        return False
    for each in ranges:
        low, high = each["lo"], each["hi"]
        if isinstance(value, str) != isinstance(low, str):
            continue
        if low <= value <= high:
            return True
    return False


def _text(value: Any, labels: Mapping[Any, str]) -> str:
    """What a CSV export with labels would hold: the label, else the number without a needless fraction."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    label = labels.get(value)
    if label is not None and label.strip():
        return str(label)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value)
