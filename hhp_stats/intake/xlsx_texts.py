"""The texts that a workbook keeps in one place, and which of them are struck through or raised in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from openpyxl.xml.constants import SHARED_STRINGS

from hhp_stats.intake.container import Refused
from hhp_stats.intake.xlsx_stream import RAISED, stream_part

MAX_TEXTS = 2_000_000  # different texts of a workbook; the largest return has some hundred thousand cells


class Runs:
    """Whether a run of a text is raised, lowered or struck through; a text is made of runs, each with its
    properties.
    """

    def __init__(self) -> None:
        self.found = self._now = False
        self.starts: dict[str, Callable[[dict[str, str]], None]] = {
            "r": self._begin,
            "vertAlign": self._raised,
            "strike": self._struck,
        }

    def _begin(self, _: dict[str, str]) -> None:
        self._now = False

    def _raised(self, attributes: dict[str, str]) -> None:
        self._now = self._now or attributes.get("val") in RAISED

    def _struck(self, attributes: dict[str, str]) -> None:
        self._now = self._now or attributes.get("val", "1") in ("1", "true")

    def end(self, text: str) -> None:
        """A run has ended with this text."""
        self.found = self.found or (self._now and bool(text.strip()))
        self._now = False

    def taken(self) -> bool:
        """Whether the text that ends here has such a run; the next one starts without."""
        found, self.found = self.found, False
        return found


class Texts(NamedTuple):
    """The shared texts of a workbook, and the places of those of which a part is raised or struck through."""

    texts: list[str]
    mixed: frozenset[int]


def shared_texts(archive: Any, reader: Any) -> Texts:
    """The workbook's shared texts in their order, without reading aids.

    openpyxl makes an object of each and takes twenty times as long: a small file of millions of empty ones stalls it.
    """
    part = reader.package.find(SHARED_STRINGS)
    if part is None:
        return Texts([], frozenset())
    texts: list[str] = []
    mixed: set[int] = set()
    runs = Runs()
    text: list[str] = []
    pieces: list[str] = []
    phonetic = False

    def start_text(_: dict[str, str]) -> None:
        text.clear()

    def end_text() -> None:
        if not phonetic:
            pieces.append("".join(text))
            runs.end(pieces[-1])

    def reading_aid(on: bool) -> Callable[..., None]:
        def switch(*_: Any) -> None:
            nonlocal phonetic
            phonetic = on

        return switch

    def end_item() -> None:
        if len(texts) >= MAX_TEXTS:
            raise Refused(
                f"A workbook may hold at most {MAX_TEXTS} texts.", "Copy the table alone into a new workbook."
            )
        if runs.taken():
            mixed.add(len(texts))
        texts.append("".join(pieces).replace("x005F_", ""))  # the format's mark of an underscore, as openpyxl reads it
        pieces.clear()

    with archive.open(part.PartName[1:]) as stream:
        stream_part(
            stream,
            {"t": start_text, "rPh": reading_aid(True), **runs.starts},
            {"t": end_text, "rPh": reading_aid(False), "si": end_item},
            text,
        )
    return Texts(texts, frozenset(mixed))
