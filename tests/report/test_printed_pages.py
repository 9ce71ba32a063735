"""Every page of both printed volumes: page numbers in the lists, tables over pages, gaps, lonely rows."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pikepdf
import pytest
from pypdf import PdfReader

VOLUMES = ("report.pdf", "appendices.pdf")
TOP, FOOT = 842 - 27 / 25.4 * 72, 27 / 25.4 * 72  # points from the foot of the page: where the text may stand
LEAST = 0.4  # of a page, but for the last of a chapter
A_COLUMN = 200  # points: entries of a list are as wide as their column
NOTES = 8.0  # points of type
BULLETS = ("\u2022", "\u2023", "\u2013", "1.")
LIST_ENTRY = re.compile(r"^(?:Section|Chapter|Appendix|Figure|Table)\b")
FLOAT = re.compile(r"(?:Figure|Table) [\dA-Z.]+")
# The operators that place words (ISO 32000-1, annex A). The paths of figures are nine tenths of a page, and reading them in
# Python takes most of the time.
PLACING = "q Q cm Do BT ET Tf Td TD Tm T* Tj TJ ' \" Tc Tw Tz TL Ts"
CONTINUED = re.compile(r"^(Table [\dA-Z]+(?:\.\d+)?), continued")


class Piece(NamedTuple):
    """Words of a page and where they stand, in points from its lower left corner, and in which type."""

    x: float
    y: float
    words: str
    face: str
    size: float


class Volume:
    """A volume as it is printed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.reader = PdfReader(words_alone(file))
        self.pages, self.texts = zip(*map(read, self.reader.pages), strict=True)
        self.opening = {
            self.reader.get_destination_page_number(item) for item in self.reader.outline if not isinstance(item, list)
        }

    def body(self, number: int) -> list[Piece]:
        """What stands between head and foot of a page."""
        return [piece for piece in self.pages[number] if FOOT <= piece.y <= TOP]

    def line(self, number: int, *, last: bool) -> list[Piece]:
        """The first or the last line of what stands between head and foot of a page."""
        body = self.body(number)
        height = (min if last else max)((piece.y for piece in body), default=0.0)
        return [piece for piece in body if abs(piece.y - height) < 1]

    def text(self, number: int) -> str:
        """All words of a page."""
        return self.texts[number]


def words_alone(file: Path) -> io.BytesIO:
    """The volume with its links, lists and words, but nothing drawn on its pages."""
    bare = io.BytesIO()
    with pikepdf.open(file) as pdf:
        for page in pdf.pages:
            placed = pikepdf.parse_content_stream(page, PLACING)
            page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(placed))
        pdf.save(bare, compress_streams=False)
    return bare


def read(page: Any) -> tuple[list[Piece], str]:
    """The words of a page with their places, and all of them as one text."""
    found: list[Piece] = []

    def visit(text: str, user: list[float], matrix: list[float], font: Any, size: float) -> None:
        if text.strip():
            x = matrix[4] * user[0] + matrix[5] * user[2] + user[4]
            y = matrix[4] * user[1] + matrix[5] * user[3] + user[5]
            face = str((font or {}).get("/BaseFont", ""))
            found.append(Piece(x, y, text.strip(), face, size * matrix[0] * user[0]))

    text = page.extract_text(visitor_text=visit)
    return found, text


@pytest.fixture(scope="module", params=VOLUMES)
def volume(request: pytest.FixtureRequest, whole_report: Path) -> Volume:
    return Volume(whole_report / "first" / request.param)


def test_the_page_with_the_most_drawings_is_read_as_without(volume: Volume) -> None:
    whole = PdfReader(volume.file)
    number = max(range(len(whole.pages)), key=lambda at: len(whole.pages[at].get_contents().get_data()))
    assert volume.text(number)
    assert read(whole.pages[number]) == (volume.pages[number], volume.text(number))


def test_every_entry_of_the_lists_has_the_page_it_leads_to(volume: Volume) -> None:
    named = {
        name: volume.reader.get_destination_page_number(place)
        for name, place in volume.reader.named_destinations.items()
    }
    checked, wrong = 0, []
    for number, page in enumerate(volume.reader.pages):
        for note in page.get("/Annots", []):
            link = note.get_object()
            if "/Dest" not in link or not LIST_ENTRY.search(str(link.get("/Contents", ""))):
                continue
            # An entry that goes on in the next column has a corner list of its own for each part.
            corners = [float(value) for value in link.get("/QuadPoints", link["/Rect"])][-8:]
            left, right = min(corners[::2]), max(corners[::2])
            low, high = min(corners[1::2]), max(corners[1::2])
            last = max(
                (p for p in volume.pages[number] if left <= p.x <= right and low - 1 <= p.y <= high + 1),
                key=lambda piece: (piece.x, -piece.y),
                default=None,
            )
            if last is None or right - left < A_COLUMN or not last.words.isdigit():
                continue  # a reference in the text
            place = link["/Dest"]
            target = named[place] if isinstance(place, str) else volume.reader.get_page_number(place[0].get_object())
            checked += 1
            if int(last.words) != target + 1:
                wrong.append((number + 1, last.words, target + 1))
            # What the link says of itself is not enough: a picture may have moved away from there.
            entry = str(note.get_object()["/Contents"])
            if FLOAT.fullmatch(entry) and not re.search(rf"^{re.escape(entry)}\s", volume.text(target), re.MULTILINE):
                wrong.append((number + 1, entry, target + 1))
    assert checked > 100 and wrong == []


def test_no_page_but_the_last_of_a_chapter_is_almost_empty(volume: Volume) -> None:
    thin = {}
    for number in range(1, len(volume.pages) - 1):
        if number + 1 in volume.opening:
            continue
        lowest = min((piece.y for piece in volume.body(number)), default=TOP)
        if (filled := (TOP - lowest) / (TOP - FOOT)) < LEAST:
            thin[number + 1] = round(filled, 2)
    assert thin == {}


def test_a_table_that_goes_on_says_so_at_the_head_of_the_page_and_nothing_stands_between(volume: Volume) -> None:
    """The page before has the table, and what is above it on this page is the line that says so: no figure."""
    found = 0
    for number in range(len(volume.pages)):
        for piece in volume.pages[number]:
            if said := CONTINUED.match(piece.words):
                found += 1
                assert piece.y > TOP - 12, (number + 1, piece)
                before = volume.text(number - 1)
                assert said[1] in before, (number + 1, said[1])
    assert found > 3


def test_no_heading_is_the_last_line_of_a_page(volume: Volume) -> None:
    def titles(items: list[Any]) -> Iterator[Any]:
        for item in items:
            if isinstance(item, list):
                yield from titles(item)
            else:
                yield item

    alone = []
    for item in titles(volume.reader.outline):
        number = volume.reader.get_destination_page_number(item)
        height = float(item.top) if item.top is not None else TOP
        below = [piece for piece in volume.body(number) if piece.y < height - 30]
        if not below and number + 1 not in volume.opening:
            alone.append((number + 1, item.title))
    assert alone == []


def test_neither_the_name_of_a_group_of_rows_nor_what_announces_a_list_ends_a_page(volume: Volume) -> None:
    names, announced = [], []
    for number in range(1, len(volume.pages)):
        line = volume.line(number, last=True)
        if line and all("Bold" in piece.face for piece in line):
            names.append((number + 1, line[0].words))
        following = volume.line(number + 1, last=False) if number + 1 < len(volume.pages) else []
        if line and line[-1].words.endswith(":") and following and following[0].words in BULLETS:
            announced.append((number + 1, line[-1].words))
    assert (names, announced) == ([], [])


def test_no_page_begins_with_the_notes_of_a_table_on_the_page_before(volume: Volume) -> None:
    """Notes are the only words in this size and colour that are neither bold nor below a table's head."""
    alone = [
        (number + 1, line[0].words)
        for number in range(1, len(volume.pages))
        if (line := volume.line(number, last=False)) and abs(line[0].size - NOTES) < 0.05 and "Bold" not in line[0].face
    ]
    assert alone == []


def test_names_of_groups_stand_above_rows(volume: Volume) -> None:
    """Where a table goes on, the name of the group that goes on is said again, and never that of one that has ended."""
    for number in range(1, len(volume.pages)):
        lines: dict[int, list[Piece]] = {}
        for piece in volume.body(number):
            lines.setdefault(round(piece.y), []).append(piece)
        single = [len(line) == 1 and "Bold" in line[0].face and line[0].size < 9 for _, line in sorted(lines.items())]
        if any(CONTINUED.match(piece.words) for piece in volume.body(number)):
            assert not any(one and other for one, other in itertools.pairwise(single)), number + 1
