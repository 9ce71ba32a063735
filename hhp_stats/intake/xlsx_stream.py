"""The parts of a workbook read as they come, without building a tree; what all readers of parts need."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from hhp_stats.intake.container import Refused

RAISED = ("superscript", "subscript")


ADDRESS = re.compile(r"([A-Z]{1,3})(\d{1,7})")


SAVE_AGAIN = "Open it in a spreadsheet program, save it as .xlsx and send it again."


def stream_part(
    stream: Any,
    starts: dict[str, Callable[[dict[str, str]], None]],
    ends: dict[str, Callable[[], None]],
    text: list[str],
) -> None:
    """One pass of expat over a part: handlers by tag, character data appended to `text`."""

    def start(tag: str, attributes: dict[str, str]) -> None:
        handler = starts.get(tag)
        if handler is not None:
            handler(attributes)

    def end(tag: str) -> None:
        handler = ends.get(tag)
        if handler is not None:
            handler()

    def first(tag: str, attributes: dict[str, str]) -> None:
        # Some programs write every tag with a prefix, such as x:worksheet.
        prefix, colon, _ = tag.rpartition(":")
        if colon:
            starts.update({f"{prefix}:{name}": handler for name, handler in starts.items()})
            ends.update({f"{prefix}:{name}": handler for name, handler in ends.items()})
        parser.StartElementHandler = start

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = first
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.ParseFile(stream)


def _no_doctype(*_: Any) -> None:
    raise Refused("A workbook must not declare document types or entities.", SAVE_AGAIN)
