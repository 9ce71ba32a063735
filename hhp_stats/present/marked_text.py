"""Text that carries, unseen, which result each of its numbers is.

What prints a number of a result (`present.numbers`) puts its origin round it in characters for private use alone:
letters, digits and signs of the text stay what they are, so that it can be cut, joined and put into cells like any
other. Whoever writes text out takes the marks off (`plain`) or makes something of them (`pieces`).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from hhp_stats.results.traced import Origin, open_recording, origin_of

# <opening><kind><id and field, letter by letter><middle>text<end>, all but the text in Unicode's area for private use.
_OPENING, _MIDDLE, _END, _ANCHOR, _TURNED = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
_HIDDEN = {code: 0xE100 + code for code in range(0x21, 0x7F)}
_SHOWN = {hidden: code for code, hidden in _HIDDEN.items()}
_ENTRY = "entry"  # the field of a mark that is no result's: the place of a code
_FIELD = " "  # between id and field, neither of which holds a blank
_HIDDEN[ord(_FIELD)], _SHOWN[0xE120] = 0xE120, ord(_FIELD)
_PRIVATE = re.compile("[\ue000-\ue004\ue120-\ue17e]+")
_MARK = re.compile(f"{_OPENING}([{_ANCHOR}{_TURNED}]?)([^{_MIDDLE}]*){_MIDDLE}([^{_END}]*){_END}")


class Piece(NamedTuple):
    """A stretch of text, and the number of which result it prints, if it does."""

    text: str
    origin: Origin | None = None
    anchor: bool = False  # the place of the result in the index, or of a code in its register, and no number of it

    @property
    def place(self) -> str:
        """The name of the place that the piece is, "" of any other."""
        if not self.anchor or self.origin is None:
            return ""
        return self.origin.result_id if self.origin.field == _ENTRY else f"result-{self.origin.result_id}"


def marked(text: str, value: Any) -> str:
    """The print of a value, with its origin where it has one and a recording is open."""
    origin = origin_of(value)
    return (
        text if origin is None or open_recording() is None else _hidden(text, origin, _TURNED if origin.turned else "")
    )


def anchored(text: str, result_id: str) -> str:
    """A cell that is the place of a result in the index: links to the result end there."""
    return _hidden(text, Origin(result_id, ""), _ANCHOR) if open_recording() else text


def code_entry(code: str, *, rule: bool = False) -> str:
    """A cell that is the entry of a code in its register: wherever the code is printed, a link leads here."""
    place = f"code-{'rule-' if rule else ''}{code.lower()}"
    return _hidden(code, Origin(place, _ENTRY), _ANCHOR) if open_recording() else code


def _hidden(text: str, origin: Origin, kind: str = "") -> str:
    name = f"{origin.result_id}{_FIELD}{origin.field}".translate(_HIDDEN)
    return f"{_OPENING}{kind}{name}{_MIDDLE}{text}{_END}"


def plain(text: str) -> str:
    """The text without its marks."""
    return text if text.isascii() else _PRIVATE.sub("", text)


def pieces(text: str) -> list[Piece]:
    """The text cut at its marks; the pieces in a row are the plain text."""
    if text.isascii():
        return [Piece(text)] if text else []
    found, at = [], 0
    for mark in _MARK.finditer(text):
        found += [Piece(plain(text[at : mark.start()])), _marked_piece(mark)]
        at = mark.end()
    return [piece for piece in [*found, Piece(plain(text[at:]))] if piece.text]


def _marked_piece(mark: re.Match[str]) -> Piece:
    result_id, _, field = mark[2].translate(_SHOWN).partition(_FIELD)
    return Piece(mark[3], Origin(result_id, field, mark[1] == _TURNED), mark[1] == _ANCHOR)


def markdown_mark(piece: Piece, text: str) -> str:
    """`text`, the piece as Markdown, in the span by which both render engines know a number of a result."""
    return text if piece.origin is None else f"[{text}]{{.result {attributes(piece.origin)}}}"


def attributes(origin: Origin) -> str:
    """The attributes of the span round a number of a result: its id and, where it is, that its sign is turned."""
    return f'data-result="{origin.result_id}"' + (' data-turned="true"' if origin.turned else "")
