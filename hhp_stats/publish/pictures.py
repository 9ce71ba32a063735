"""Pictures of the report: named by their content, with a size and, if drawn in our style, a dark twin.

A figure may come with a second drawing for telephones; neither that nor what is dark goes into print.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from hhp_stats.present.style import INK, dark_svg

FOLDER = "assets/figures"

_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_SVG_SIDE = r"<svg\b[^>]*?\s{}=\"([\d.]+)(pt|px|)\""
_PLACES = re.compile(r'\b(?:d|x|y|points)="[^"]*"|translate\([^)]*\)')
_FINE = re.compile(r"(\.\d\d)\d+")
_ON_SCREEN = re.compile(r"-[0-9a-f]{8}(?:-phone|-dark|-phone-dark)\.svg$")
_HASHED = re.compile(r"-[0-9a-f]{8,}$")


def keep_picture(
    figures: dict[str, bytes], *, content: bytes, stem: str, suffix: str, phone: bool = False
) -> tuple[str, dict[str, str]]:
    """Add a picture to `figures` (names under the output folder to bytes); `phone`: one that is for telephones alone.

    Returns its name and attributes for the image: `width` and `height` in pixels, so that the text
    below does not jump when it arrives, and `dark`, the name of the twin for the dark theme, if the
    picture is drawn with the report's ink.
    """
    if suffix != "svg":
        name = f"{FOLDER}/{_HASHED.sub('', stem)}-{_digest(content)}.{suffix}"
        figures[name] = content
        return name, {}
    text = content.decode("utf-8")
    # matplotlib's metadata may hold a date and its version: neither belongs into the report.
    text = "\n".join(line.rstrip() for line in _METADATA.sub("", text).splitlines()) + "\n"
    # Places to a hundredth of a point: what is finer nobody sees, and it is a third of the file.
    text = _PLACES.sub(lambda found: _FINE.sub(r"\1", found[0]), text)
    content = text.encode()
    base = f"{FOLDER}/{_HASHED.sub('', stem)}-{_digest(content)}{'-phone' if phone else ''}"
    figures[f"{base}.svg"] = content
    attributes = _size(text)
    if INK in text:
        figures[f"{base}-dark.svg"] = dark_svg(text).encode()
        attributes["dark"] = f"{base}-dark.svg"
    return f"{base}.svg", attributes


def for_print(figures: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those that paper and word processors show."""
    return {name: content for name, content in figures.items() if not _ON_SCREEN.search(name)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def _size(svg: str) -> dict[str, str]:
    sides = {}
    for side in ("width", "height"):
        found = re.search(_SVG_SIDE.format(side), svg)
        if not found:
            return {}
        sides[side] = str(round(float(found[1]) * (96 / 72 if found[2] == "pt" else 1)))
    return sides
