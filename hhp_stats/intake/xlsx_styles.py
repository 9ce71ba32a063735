"""What the eye sees beside the values of a workbook: number formats, cells struck through or white, comments."""

from __future__ import annotations

from typing import Any, NamedTuple

from openpyxl.packaging.relationship import get_dependents
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

from hhp_stats.intake.grid import (
    OWN_COMMENTS,
    column_number,
)
from hhp_stats.intake.number_format import PLAIN
from hhp_stats.intake.xlsx_stream import ADDRESS, RAISED, stream_part

MAX_COMMENTS = 10_000


class Styles(NamedTuple):
    """What cell styles make of a cell beyond its value, by the number of the style."""

    formats: dict[int, str]  # number formats other than plain ones
    struck: frozenset[int]
    raised: frozenset[int]
    white: frozenset[int]  # on white


def styles_of(book: Any) -> Styles:
    """The styles of a workbook by their numbers."""
    formats, struck, raised, white = {}, set(), set(), set()
    for number, style in enumerate(book._cell_styles):
        font = book._fonts[style.fontId] if style.fontId < len(book._fonts) else None
        if font is not None and font.strike:
            struck.add(number)
        if font is not None and font.vertAlign in RAISED:
            raised.add(number)
        fill = book._fills[style.fillId] if style.fillId < len(book._fills) else None
        if font is not None and _is_white(font.color) and _is_light(fill):
            white.add(number)
        own = style.numFmtId - BUILTIN_FORMATS_MAX_SIZE
        code = (
            book._number_formats[own]
            if 0 <= own < len(book._number_formats)
            else BUILTIN_FORMATS.get(style.numFmtId, "")
        )
        if code not in PLAIN:
            formats[number] = code
    return Styles(formats, frozenset(struck), frozenset(raised), frozenset(white))


def _is_white(color: Any) -> bool:
    """Whether a colour is white: by its red, green and blue, as the first of the theme, or from the old palette."""
    if color is None:
        return False
    by_kind = {"rgb": str(color.rgb)[-6:].upper() == "FFFFFF", "indexed": color.indexed in (1, 9)}
    return by_kind.get(color.type, color.type == "theme" and color.theme == 0 and not color.tint)


def _is_light(fill: Any) -> bool:
    """Whether the ground of a cell is white: no fill, or a white one."""
    pattern = getattr(fill, "patternType", None)
    return pattern in (None, "none") or (pattern == "solid" and _is_white(fill.fgColor))


def comments_of(archive: Any, sheet: str) -> list[tuple[int, int]]:
    """The cells with a comment that this program did not write, at most `MAX_COMMENTS`."""
    folder, _, name = sheet.rpartition("/")
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in archive.namelist():
        return []
    targets = [each.target for each in get_dependents(archive, relations) if each.Type.endswith("/comments")]
    authors: list[str] = []
    cells: list[tuple[int, int]] = []
    text: list[str] = []

    def comment(attributes: dict[str, str]) -> None:
        at = ADDRESS.fullmatch(attributes.get("ref", ""))
        author = attributes.get("authorId", "")
        own = author.isdigit() and int(author) < len(authors) and authors[int(author)] in OWN_COMMENTS
        if at and not own and len(cells) < MAX_COMMENTS:
            cells.append((int(at[2]), column_number(at[1])))

    for target in targets:
        if target in archive.namelist():
            with archive.open(target) as stream:
                stream_part(
                    stream,
                    {"author": lambda _: text.clear(), "comment": comment},
                    {"author": lambda: authors.append("".join(text))},
                    text,
                )
    return sorted(cells)
