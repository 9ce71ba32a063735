"""Does every number on a page that says which result it comes from still say what that result says?

A number printed from a row of the result frame carries the row's id (`present.marks`). It is held against the row when
everything is rendered: a page edited by hand, a chapter kept from an earlier run, or a presenter that reads one row and
names another cannot reach the report.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.errors import SelfCheckFailed
from hhp_stats.present.numbers import MANY, MINUS, count, number, p_value
from hhp_stats.remember import Remember, make_again

ATTRIBUTE = "data-result"
_P = ("p_value", "p_adjusted")
_COUNTS = ("n", "n_clusters")
_VALUES = ("estimate", "std_error", "df", "statistic", "conf_low", "conf_high", "conf_level")
# A share is printed in per cent, an effect on a probability in percentage points.
_SCALES = (1, 100)


def check_marks(folder: Path, frame: pd.DataFrame, *, remember: Remember = make_again) -> int:
    """Is every marked number of the pages below `folder` one of its result's? Returns how many were checked.

    `frame`: the result frame that the pages claim to print. `remember` may keep the marks of a page. Refuses (SelfCheckFailed, naming page, number and result) any
    that is not.
    """
    rows = {
        str(row["result_id"]): {str(name): value for name, value in row.items()} for row in frame.to_dict("records")
    }
    checked, found = 0, []
    for file in sorted(folder.glob("*.html")):
        for problem in _mark_problems(file.read_text(encoding="utf-8"), rows, remember):
            checked += 1
            if problem:
                found.append(f"{file.name}: {problem}")
    if found:
        raise SelfCheckFailed("numbers on the rendered pages are not those of the results they name", found)
    return checked


def mark_problems(html: str, rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """For every marked number of a page: what is wrong with it, or "".

    `rows`: the result frame by result id. A number is right if one of its row's values, in its own unit or in per cent,
    is printed so at the digits that the number has. Signs may be in the words ("lower by 0.71").
    """
    yield from _mark_problems(html, rows, make_again)


def _mark_problems(html: str, rows: Mapping[str, Mapping[str, Any]], remember: Remember) -> Iterator[str]:
    code = Path(__file__).read_text(encoding="utf-8")
    for key, text in json.loads(remember(["marks", code, html], partial(_marks, html))):
        if key not in rows:
            yield f"{text!r} is said to come from {key}, which is no result"
        elif not all(printed_from(end, rows[key]) for end in text.split(" to ")):
            yield f"{text!r} is said to come from {key}, which has {_values(rows[key])}"
        else:
            yield ""


_SPAN = re.compile(r"""<(/?)span\b(?:[^>"']|"[^"]*"|'[^']*')*>""")
_KEY = re.compile(rf"""\s{ATTRIBUTE}=(?:"([^"]+)"|'([^']+)')""")
_TAG = re.compile(r"""</?[A-Za-z](?:[^>"']|"[^"]*"|'[^']*')*>""")


def _marks(html: str) -> str:
    """Every marked number of a page as [result id, text], as JSON; spaces that do not break are spaces.

    Pages are our own, and spans on them close: looking for spans alone is several times as fast as reading the page.
    """
    found: list[tuple[str, str]] = []
    key, begin, depth = "", 0, 0
    for tag in _SPAN.finditer(html):
        if not key:
            marked = _KEY.search(tag[0])
            if marked and not tag[1]:
                key, begin, depth = unescape(marked[1] or marked[2]), tag.end(), 0
        elif not tag[1]:
            depth += 1
        elif depth:
            depth -= 1
        else:
            text = unescape(_TAG.sub("", html[begin : tag.start()])).strip()
            # Appendix F marks the names of results as well, cut at the slashes.
            if not key.endswith(text):
                found.append((key, text.replace("\u00a0", " ")))
            key = ""
    return json.dumps(found)


def printed_from(text: str, row: Mapping[str, Any]) -> bool:
    """Would one of the row's values be printed as this number?"""
    if any(text == p_value(float(row[name])) for name in _P if not _missing(row[name])):
        return True
    if any(text == count(float(row[name])) for name in _COUNTS if not _missing(row[name])):
        return True
    if text == f"> {count(MANY)}":
        return not _missing(row["df"]) and MANY < float(row["df"]) < math.inf
    size = text.removeprefix(MINUS)
    if text[:1] in "<>." or not size:
        return False
    digits = len(size.partition(".")[2])
    values = [float(row[name]) for name in _VALUES if not _missing(row[name])]
    return any(
        size == number(abs(scale * value), digits) and not (text != size and value > 0)
        for value in values
        if math.isfinite(value)
        for scale in _SCALES
    )


def _missing(value: Any) -> bool:
    return value is None or math.isnan(float(value))


def _values(row: Mapping[str, Any]) -> str:
    known = [f"{name} {float(row[name]):.6g}" for name in ("estimate", *_COUNTS, "p_value", "conf_low", "conf_high")
             if not _missing(row[name])]  # fmt: skip
    return ", ".join(known) or "no value"
