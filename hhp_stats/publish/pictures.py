"""Pictures of the report: named by their content, with a size and, if drawn in our style, a dark twin.

A figure may come with a second drawing for telephones; neither that nor what is dark goes into print.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from hhp_stats.present.style import INK, dark_svg

FOLDER = "assets/figures"

_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_SVG_SIDE = r"<svg\b[^>]*?\s{}=\"([\d.]+)(pt|px|)\""
_PLACES = re.compile(r'\b(?:d|x|y|points)="[^"]*"|translate\([^)]*\)')
_FINE = re.compile(r"(\.\d\d)\d+")
_ON_SCREEN = re.compile(r"-[0-9a-f]{8}(?:-phone|-dark|-phone-dark)\.svg$")
_HASHED = re.compile(r"-[0-9a-f]{8,}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as pages show it: its name, the attributes of its image (`width` and `height` in pixels, so that the
    text below does not jump when it arrives; `dark`, the name of its twin for the dark theme), its files by name.
    """

    name: str
    attributes: Mapping[str, str]
    files: Mapping[str, bytes]

    def written(self) -> bytes:
        """The picture as bytes that can be kept."""
        sizes = {name: len(content) for name, content in self.files.items()}
        head = json.dumps({"name": self.name, "attributes": dict(self.attributes), "sizes": sizes})
        return b"\n".join([head.encode(), b"".join(self.files.values())])

    @classmethod
    def read(cls, kept: bytes) -> Picture:
        """The picture that was written so."""
        first, _, content = kept.partition(b"\n")
        head, at, files = json.loads(first), 0, {}
        for name, size in head["sizes"].items():
            files[name] = content[at : at + size]
            at += size
        return cls(name=head["name"], attributes=head["attributes"], files=files)


def picture_of(*, content: bytes, stem: str, suffix: str, phone: bool = False) -> Picture:
    """What pages show of a picture that code or authors made; `phone`: one that is for telephones alone.

    A drawing in the report's ink gets a twin for the dark theme.
    """
    if suffix != "svg":
        name = f"{FOLDER}/{_HASHED.sub('', stem)}-{_digest(content)}.{suffix}"
        return Picture(name=name, attributes={}, files={name: content})
    text = content.decode("utf-8")
    # matplotlib's metadata may hold a date and its version: neither belongs into the report.
    text = "\n".join(line.rstrip() for line in _METADATA.sub("", text).splitlines()) + "\n"
    # Places to a hundredth of a point: what is finer nobody sees, and it is a third of the file.
    text = _PLACES.sub(lambda found: _FINE.sub(r"\1", found[0]), text)
    content = text.encode()
    base = f"{FOLDER}/{_HASHED.sub('', stem)}-{_digest(content)}{'-phone' if phone else ''}"
    files, attributes = {f"{base}.svg": content}, _size(text)
    if INK in text:
        files[f"{base}-dark.svg"] = dark_svg(text).encode()
        attributes["dark"] = f"{base}-dark.svg"
    return Picture(name=f"{base}.svg", attributes=attributes, files=files)


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
