"""Mark the numbers of a sentence or table with the id of the result they were printed from.

A number is marked where it is how `present.numbers` prints a value that was read off a row while the
sentence or table was made. Two rows with the same printed value are told apart by the order of reading,
which is the order of printing. A number without such a row (a count of the data, a setting of the plan)
stays unmarked. Both render engines read the marks: spans in Markdown, spans in tables of great_tables.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import html
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar, cast

import pandas as pd
from great_tables import GT

from hhp_stats.present.embed import EmbeddedFigure
from hhp_stats.present.escaped import EscapedTable
from hhp_stats.present.numbers import MINUS, count, number, prints_p
from hhp_stats.traced import Recording, Use, open_recording, recording

Given = ParamSpec("Given")
Made = TypeVar("Made")
Segment = tuple[str, str]  # text, and the id of its result or ""

# Characters for private use: they stand in cells only until the table is written as HTML.
_START, _MIDDLE, _END, _ANCHOR = "\ue000", "\ue001", "\ue002", "\ue003"
_MARK = re.compile(f"{_START}({_ANCHOR}?)([^{_MIDDLE}]*){_MIDDLE}([^{_END}]*){_END}")
_NUMBER = re.compile(
    rf"(?<![\w.,{MINUS}])(?:[<>] )?{MINUS}?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)?(?:\.\d+)?(?<=\d)(?!\w|\.\d|%"
    r" (?:CI|interval|level))"
)
_PER_CENT = re.compile(rf"(?: to {MINUS}?[\d.,]+)?%")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()>#+\-.!<$~^@|])")
_CITATION = re.compile(r"(\[-?@[\w:.-]+(?:; -?@[\w:.-]+)*\])")
_TABLE = '<table class="gt_table"'


def segments(text: str, uses: Iterable[Use]) -> list[Segment]:
    """The text cut at every number that one of the readings explains."""
    left = list(uses)
    taken: dict[int, str] = {}
    found: list[Segment] = []
    at = 0
    for token in _NUMBER.finditer(text):
        points = bool(_PER_CENT.match(text, token.end())) or "point" in text
        fitting = [place for place, use in enumerate(left) if _prints(use, token[0], hundredfold=points)]
        # A reading that is printed already explains the same digits again, not another rounding of itself.
        free = [place for place in fitting if place not in taken] or [p for p in fitting if taken[p] == token[0]]
        if not free:
            continue
        taken[free[0]] = token[0]
        found += [(text[at : token.start()], ""), (token[0], left[free[0]].result_id)]
        at = token.end()
    return [part for part in [*found, (text[at:], "")] if part[0]]


def _prints(use: Use, token: str, *, hundredfold: bool = True) -> bool:
    """Would this reading be printed as this number, as it is or, where `hundredfold`, in per cent?"""
    if use.field in ("p_value", "p_adjusted"):
        return prints_p(token, use.value)
    if token[0] in "<>.":
        return False
    if use.field in ("n", "n_clusters"):
        return token == count(use.value)
    if math.isinf(use.value):
        return False
    digits = len(token.partition(".")[2])
    size, negative = token.removeprefix(MINUS), token.startswith(MINUS)
    # A sentence may say `lower by 0.71`; the ends of an interval always carry their sign.
    if (negative and use.value > 0) or (
        use.value < 0 and not negative and use.field != "estimate" and float(size.replace(",", ""))
    ):
        return False
    scales = (1, 100) if hundredfold and use.field != "df" else (1,)
    return any(size == number(abs(scale * use.value), digits) for scale in scales)


class Sentence(str):
    """A sentence whose numbers know their results; everywhere but in a chapter it is plain text."""

    parts: Sequence[Segment]

    def __new__(cls, text: str, uses: Iterable[Use] = ()) -> Sentence:
        """The sentence and the readings behind it."""
        made = super().__new__(cls, text)
        made.parts = segments(text, uses)
        return made

    def _repr_markdown_(self) -> str:
        return "".join(
            f'[{_escaped(text)}]{{.result data-result="{result_id}"}}' if result_id else _escaped(text)
            for text, result_id in self.parts
        )


def _escaped(text: str) -> str:
    """Plain text as Markdown; citations in brackets stay citations."""
    return "".join(
        part if _CITATION.fullmatch(part) else _MARKDOWN.sub(r"\\\1", part) for part in _CITATION.split(text)
    )


def cell(text: str, result_id: str) -> str:
    """A whole cell as the print of one result; text without a digit stays as it is. Only while a table is recorded."""
    return f"{_START}{result_id}{_MIDDLE}{text}{_END}" if open_recording() and re.search(r"\d", text) else text


def anchored(text: str, result_id: str) -> str:
    """A cell that is the place of a result in the index: links to the result end there."""
    return f"{_START}{_ANCHOR}{result_id}{_MIDDLE}{text}{_END}" if open_recording() else text


def marked_cells(cells: pd.DataFrame, *, words: Sequence[str]) -> pd.DataFrame:
    """The frame with its numbers marked by what was read for it; columns in `words` are left alone."""
    seen = open_recording()
    if seen is None:
        return cells
    left = dict(seen.uses)
    # Lists, not the frame: pandas takes ten times as long for a cell.
    columns = {at: list(cells.iloc[:, at]) for at, name in enumerate(cells.columns) if name not in words}
    changed = set()
    for row in range(len(cells)):
        for at, texts in columns.items():
            text = texts[row]
            if isinstance(text, str) and _START not in text:
                parts = segments(text, left.values())
                # A reading explains one cell only, while there is another that explains the next as well.
                for _, result_id in parts:
                    for key in [key for key in left if result_id and key[0] == result_id and _in(left[key], parts)]:
                        left[key] = left.pop(key)
                texts[row] = "".join(
                    f"{_START}{result_id}{_MIDDLE}{part}{_END}" if result_id else part for part, result_id in parts
                )
                if texts[row] != text:
                    changed.add(at)
    marked = cells.copy()
    for at in changed:
        marked.isetitem(at, pd.Series(columns[at], index=cells.index, dtype=cells.dtypes.iloc[at]))
    return marked


def _in(use: Use, parts: Sequence[Segment]) -> bool:
    return any(result_id == use.result_id and _prints(use, text) for text, result_id in parts)


def marked_note(note: str) -> Any:
    """A note below a table with its numbers marked."""
    seen = open_recording()
    if seen is None:
        return note
    return "".join(
        f"{_START}{result_id}{_MIDDLE}{part}{_END}" if result_id else part
        for part, result_id in segments(note, seen.uses.values())
    )


class ReportTable(EscapedTable):
    """A table that knows the function and the results behind it and writes its marks as spans."""

    presenter: str
    results: tuple[str, ...]

    def as_raw_html(self, *args: Any, **options: Any) -> str:
        """The table as HTML, marks written as spans."""
        text = super().as_raw_html(*args, **options)
        data = f' data-presenter="{html.escape(self.presenter)}" data-results="{html.escape(" ".join(self.results))}"'
        return _MARK.sub(_span, text).replace(_TABLE, _TABLE + data, 1)


def _span(found: re.Match[str]) -> str:
    anchor = f' data-anchor="result-{found[2]}"' if found[1] else ""
    return f'<span class="result" data-result="{found[2]}"{anchor}>{found[3]}</span>'


def shown(function: Callable[..., Made], *arguments: Any) -> Made:
    """Call a presenter and give back what it made, with the results it quotes attached."""
    with recording() as seen:
        made = function(*arguments)
    return _known(made, function, seen)


def presented(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """A presenter whose tables, figures and sentences always come with the results they quote."""

    @functools.wraps(function)
    def call(*arguments: Given.args, **named: Given.kwargs) -> Made:
        with recording() as seen:
            made = function(*arguments, **named)
        return _known(made, function, seen)

    return call


def _known(made: Made, function: Callable[..., Made], seen: Recording) -> Made:
    # What a cell defines itself is shown as the cell's source.
    name = "" if function.__module__ == "__main__" else f"{function.__module__}.{function.__qualname__}"
    known: Any = made
    if isinstance(made, GT):
        known = copy.copy(made)
        known.__class__ = ReportTable
        known.presenter, known.results = name, tuple(seen.results)
    elif isinstance(made, EmbeddedFigure):
        known = dataclasses.replace(made, presenter=name, results=tuple(seen.results))
    elif isinstance(made, str):
        known = Sentence(made, seen.uses.values())
    return cast(Made, known)
