"""What a presenter made, with the results it quotes: sentences, tables and figures that know their numbers.

A number of a result is printed with its mark (`present.marked_text`). Here the marks become what both render engines
read: spans in Markdown, spans in tables of great_tables. A number without a mark is none of a result's: a count of the
data, a setting of the plan, or something worked out from several results.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import html
import re
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, cast

from great_tables import GT

from hhp_stats.present.embed import EmbeddedFigure
from hhp_stats.present.escaped import EscapedTable
from hhp_stats.present.marked_text import Piece, attributes, markdown_mark, pieces, plain
from hhp_stats.present.numbers import MISSING
from hhp_stats.present.stand_in import kind_of, stand_in
from hhp_stats.results.lacking import noted
from hhp_stats.results.traced import Recording, open_recording, recording

Given = ParamSpec("Given")
Made = TypeVar("Made")

_NO_NUMBER = "a number that belongs here does not exist"
_NOTHING = "<!-- nothing to say -->"  # Quarto prints the code of an inline value that is empty
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()>#+\-.!<$~^@|])")
_CITATION = re.compile(r"(\[-?@[\w:.-]+(?:; -?@[\w:.-]+)*\])")
_TABLE = '<table class="gt_table"'


class Sentence(str):
    """A sentence whose numbers know their results; everywhere but in a chapter it is plain text."""

    parts: Sequence[Piece]

    def __new__(cls, text: str) -> Sentence:
        """A sentence of a text with marks."""
        made = super().__new__(cls, plain(text))
        made.parts = pieces(text)
        return made

    def _repr_markdown_(self) -> str:
        return "".join(markdown_mark(part, _escaped(part.text)) for part in self.parts) or _NOTHING


def _escaped(text: str) -> str:
    """Plain text as Markdown; citations in brackets stay citations."""
    return "".join(
        part if _CITATION.fullmatch(part) else _MARKDOWN.sub(r"\\\1", part) for part in _CITATION.split(text)
    )


class ReportTable(EscapedTable):
    """A table that knows the function and the results behind it and writes its marks as spans."""

    presenter: str
    results: tuple[str, ...]

    def as_raw_html(self, *args: Any, **options: Any) -> str:
        """The table as HTML, marks written as spans."""
        text = super().as_raw_html(*args, **options)
        data = f' data-presenter="{html.escape(self.presenter)}" data-results="{html.escape(" ".join(self.results))}"'
        return "".join(map(_span, pieces(text))).replace(_TABLE, _TABLE + data, 1)


def _span(piece: Piece) -> str:
    if piece.origin is None:
        return piece.text
    if piece.place.startswith("code-"):
        return f'<span data-anchor="{html.escape(piece.place)}">{piece.text}</span>'
    anchor = f' data-anchor="{piece.place}"' if piece.place else ""
    return f'<span class="result" {attributes(piece.origin)}{anchor}>{piece.text}</span>'


def shown(function: Callable[..., Made], *arguments: Any, **named: Any) -> Made:
    """Call a presenter and give back what it made, with the results it quotes attached."""
    return _called(function, arguments, named)


def presented(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """A presenter whose tables, figures and sentences always come with the results they quote."""

    @functools.wraps(function)
    def call(*arguments: Given.args, **named: Given.kwargs) -> Made:
        return _called(function, arguments, named)

    return call


def _called(function: Callable[..., Made], arguments: Sequence[Any], named: dict[str, Any]) -> Made:
    if open_recording() is not None:  # part of another presenter, which reads what this one writes
        return function(*arguments, **named)
    with recording() as seen, noted() as reasons:
        try:
            made = function(*arguments, **named)
        except Exception:
            # Of what these data do not give, nothing can be shown but the reason; any other failure is a fault.
            if not reasons or kind_of(function) is None:
                raise
            made = cast(Made, stand_in(function, reasons))
        if isinstance(made, str) and MISSING in plain(made):  # a sentence must not quote a number that does not exist
            made = cast(Made, stand_in(function, reasons or [_NO_NUMBER]))
    return _known(made, function, seen)


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
        known = Sentence(made)
    return cast(Made, known)
