"""Pictures of the report: named by their content, with a size and, if drawn in our style, a dark twin."""

from __future__ import annotations

import hashlib
import re

from hhp_stats.present.style import INK, dark_svg

FOLDER = "assets/figures"

_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_SVG_SIDE = r"<svg\b[^>]*?\s{}=\"([\d.]+)(pt|px|)\""
_PLACES = re.compile(r'\b(?:d|x|y|points)="[^"]*"|translate\([^)]*\)')
_FINE = re.compile(r"(\.\d\d)\d+")
_HASHED = re.compile(r"-[0-9a-f]{8,}$")


def keep_picture(figures: dict[str, bytes], *, content: bytes, stem: str, suffix: str) -> tuple[str, dict[str, str]]:
    """Add a picture to `figures` (names under the output folder to bytes).

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
    base = f"{FOLDER}/{_HASHED.sub('', stem)}-{_digest(content)}"
    figures[f"{base}.svg"] = content
    attributes = _size(text)
    if INK in text:
        figures[f"{base}-dark.svg"] = dark_svg(text).encode()
        attributes["dark"] = f"{base}-dark.svg"
    return f"{base}.svg", attributes


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
