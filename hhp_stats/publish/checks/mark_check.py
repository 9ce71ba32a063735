"""Does every number on a page that says which result it comes from still say what that result says?

A number printed from a row of the result frame carries the row's id, which it had since it was read
(`hhp_stats.results.traced`). Here the digits alone are held against the row, when everything is rendered: a page edited
by hand or a chapter kept from an earlier run cannot reach the report. Nor can a page with a mark that nobody wrote out.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.errors import SelfCheckFailed
from hhp_stats.files.remember import Remember, code_of, make_again
from hhp_stats.present.marked_text import plain
from hhp_stats.present.numbers import MANY, MINUS, count, number, p_value
from hhp_stats.publish import well_formed
from hhp_stats.publish.well_formed import Reader

ATTRIBUTE, TURNED = "data-result", "data-turned"
INFINITE = "\u221e"
_P = ("p_value", "p_adjusted")
_COUNTS = ("n", "n_clusters")
_VALUES = ("estimate", "std_error", "df", "statistic", "conf_low", "conf_high", "conf_level", "mc_error", "mc_error_p")
# A share is printed in per cent, an effect on a probability in percentage points.
_SCALES = (1, 100)


def check_marks(folder: Path, frame: pd.DataFrame, *, remember: Remember = make_again) -> int:
    """Is every marked number of the pages below `folder` one of its result's? Returns how many were checked.

    `frame`: the result frame that the pages claim to print. `remember` may keep the marks of a page. Refuses
    (SelfCheckFailed, naming page, number and result) any that is not.
    """
    rows = {
        str(row["result_id"]): {str(name): value for name, value in row.items()} for row in frame.to_dict("records")
    }
    checked, found = 0, []
    for file in sorted(folder.glob("*.html")):
        html = file.read_text(encoding="utf-8")
        if html != plain(html):
            found.append(f"{file.name}: marks of numbers stand in the text of the page itself")
        for problem in _mark_problems(html, rows, remember):
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
    code = code_of(sys.modules[__name__], well_formed)
    for key, text, turned in json.loads(remember(["marks", code, html], partial(_marks, html))):
        if key not in rows:
            yield f"{text!r} is said to come from {key}, which is no result"
        elif not all(printed_from(end, rows[key], turned=turned) for end in text.split(" to ")):
            yield f"{text!r} is said to come from {key}, which has {_values(rows[key])}"
        else:
            yield ""


def _marks(html: str) -> str:
    """Every marked number of a page as [result id, text, whether its sign is turned], as JSON; spaces that do not break
    are spaces.
    """
    reader = _Marks()
    reader.feed(html)
    return json.dumps([[key, text.replace("\u00a0", " "), turned] for key, text, turned in reader.found])


class _Marks(Reader):
    """The texts of all elements with a result's id; `found` holds (id, text, whether the sign is turned)."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str, bool]] = []
        self.key = ""  # of the marked element that is open
        self.turned = False
        self.depth = 0  # of the elements open within it
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "span":
            return
        if self.key:
            self.depth += 1
        elif key := attributes.get(ATTRIBUTE):
            self.key, self.depth, self.words, self.turned = key, 0, [], TURNED in attributes

    def handle_endtag(self, tag: str) -> None:
        if tag != "span" or not self.key:
            return
        if self.depth:
            self.depth -= 1
            return
        text = "".join(self.words).strip()
        # Appendix F marks the names of results as well, cut at the slashes.
        if not self.key.endswith(text):
            self.found.append((self.key, text, self.turned))
        self.key = ""

    def handle_data(self, data: str) -> None:
        if self.key:
            self.words.append(data)


def printed_from(text: str, row: Mapping[str, Any], *, turned: bool = False) -> bool:
    """Would one of the row's values be printed as this number, or, where it is `turned`, its negative?"""
    if any(prints_p(text, float(row[name])) for name in _P if not _missing(row[name])):
        return True
    if any(text == count(float(row[name])) for name in _COUNTS if not _missing(row[name])):
        return True
    if text == f"> {count(MANY)}":
        return not _missing(row["df"]) and MANY < float(row["df"]) < math.inf
    size = text.removeprefix(MINUS)
    if text[:1] in "<>." or not size:
        return False
    if size == INFINITE:
        return (-math.inf if (size != text) != turned else math.inf) in (row["conf_low"], row["conf_high"])
    digits = len(size.partition(".")[2])
    values = [(-1 if turned else 1) * float(row[name]) for name in _VALUES if not _missing(row[name])]
    return any(
        size == number(abs(scale * value), digits) and not (text != size and value > 0)
        for value in values
        if math.isfinite(value)
        for scale in _SCALES
    )


def prints_p(text: str, p: float) -> bool:
    """Is `text` how a p value is printed? Beside another level than the usual one it may have more digits."""
    usual = p_value(p)
    if text == usual:
        return True
    digits = len(text) - 1
    return text[:1] == "." and digits >= len(usual) - 1 and p < 1 and text == f"{p:.{digits}f}".removeprefix("0")


def _missing(value: Any) -> bool:
    return value is None or math.isnan(float(value))


def _values(row: Mapping[str, Any]) -> str:
    known = [
        f"{name} {float(row[name]):.6g}"
        for name in ("estimate", *_COUNTS, "p_value", "conf_low", "conf_high")
        if not _missing(row[name])
    ]
    return ", ".join(known) or "no value"
