"""The cells of the returns as intake reads them: kept with a release, so that a later one can be compared cell by cell.

Survey exports are not kept: they hold names and addresses, which are never written anywhere.
"""

from __future__ import annotations

import gzip
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.errors import HhpError
from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.returns import RETURN_TYPES, read_return
from hhp_stats.intake.spellings import load_spellings

PLACE = re.compile(r"data/returns/(?P<study>[^/]+)/(?P<slug>[^/]+)/(?P<wave>[^/.]+)(?P<type>\.\w+)")
KEYS = ("file", "staff_id", "row")


class UnreadableReturn(HhpError):
    """A return cannot be compared cell by cell: it cannot be read as a table."""


def is_return(file: str) -> bool:
    """Whether a path from the project root names a return workbook."""
    found = PLACE.fullmatch(file)
    return found is not None and found["type"] in RETURN_TYPES


def return_cells(root: Path, file: str) -> pd.DataFrame:
    """One return as text: file, staff_id, row in the sheet, and a column per field in its own unit.

    Values are those intake reads (dates ISO, yes/no as 1 and 0), so that a typing habit is no change.
    Raises UnreadableReturn where no table is found.
    """
    place = PLACE.fullmatch(file)
    if place is None:
        raise UnreadableReturn(f"{file} is no return")
    fields = load_dictionary(root)
    study = load_study(root, place["study"])
    ret = read_return(
        root / file,
        file=file,
        wave=place["wave"],
        study=study,
        fields=fields,
        spellings=load_spellings(root, fields),
        site=study.by_slug(place["slug"]),
    )
    if not ret.readable:
        raise UnreadableReturn(f"{file} cannot be read as a table of people")
    cells = pd.DataFrame({"file": file, "row": ret.frame["row"].astype(str)})
    for name in ret.columns:
        cells[name] = [cell_text(value) for value in ret.frame[name]]
    return cells


def cell_text(value: Any) -> str:
    """A value as text: numbers as short as they are exact, dates as year-month-day, nothing as nothing."""
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return str(value)


def packed(frames: list[pd.DataFrame]) -> bytes:
    """Cells of several returns as one compressed CSV, the same bytes each time."""
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(KEYS))
    return gzip.compress(whole.to_csv(index=False, lineterminator="\n").encode(), mtime=0)


def unpacked(content: bytes) -> pd.DataFrame:
    """What `packed` packed; cells of fields that a return does not have are missing, empty cells are empty text."""
    text = io.StringIO(gzip.decompress(content).decode())
    frame = pd.read_csv(text, dtype=str, keep_default_na=False)
    return frame.astype(str)
