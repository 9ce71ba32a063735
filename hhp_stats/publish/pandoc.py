"""Call Pandoc.

Problems found by it and by our filters come back with the chapter and a word of the offending place, which is looked
up in the sources to give the file and line.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hhp_stats.errors import RenderError
from hhp_stats.processes import children
from hhp_stats.publish.numbering import joined
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source, locate

ASSETS = Path(__file__).resolve().parent / "assets"
# The one in the wheel: pypandoc's own search takes the newest on the machine and is not thread-safe. Nothing of it is
# loaded, which would take as long as to write a short chapter.
_WHEEL = importlib.util.find_spec("pypandoc")
assert _WHEEL is not None and _WHEEL.origin is not None
_PANDOC = Path(_WHEEL.origin).parent / "files" / ("pandoc.exe" if os.name == "nt" else "pandoc")
_TEX = re.compile(r"Could not convert TeX math (.+?)(?:, rendering as TeX|$)", re.MULTILINE)


def words_of(project: Project) -> dict[str, str]:
    """The engine's own words (Figure, Contents, Search …) in the book's language."""
    known: dict[str, dict[str, str]] = json.loads((ASSETS / "words.json").read_text(encoding="utf-8"))
    language = project.lang.split("-")[0].lower()
    if language not in known:
        raise RenderError("_quarto.yml", None, f"no words for the language '{project.lang}'; known: {', '.join(known)}")
    return known[language]


def run_pandoc(arguments: Sequence[str], text: str, *, root: Path, sources: Sequence[Source], where: str = "") -> str:
    """What Pandoc makes of the text. Raises RenderError with the place in `sources`, or `where`, that it complains
    of.
    """
    done = children.run(
        [str(_PANDOC), *arguments, "--fail-if-warnings", "--wrap=none"], folder=root, given=text.encode()
    )
    if done.returncode:
        raise _error(done.stderr.decode(errors="replace"), sources, where)
    return done.stdout.decode()


def _error(report: str, sources: Sequence[Source], where: str) -> RenderError:
    """What the filters or Pandoc itself said, with the place in the sources where it can be found."""
    by_file = {source.chapter.path: source for source in sources}
    found: list[RenderError] = []
    for line in report.splitlines():
        if "HHP\t" not in line:
            continue
        _, file, needle, message = line[line.index("HHP\t") :].split("\t", 3)
        candidates = [by_file[file]] if file in by_file else list(sources)
        places = (locate(source.lines, needle) for source in candidates if needle)
        place = next((place for place in places if place), None)
        found.append(RenderError(place.file if place else file or where, place.number if place else None, message))
    tex = _TEX.search(report)
    if tex:
        place = next((line for source in sources for line in source.lines if tex[1] in line.text), None)
        message = f"this TeX is not understood: {tex[1]}"
        return RenderError(place.file if place else where or "the book", place.number if place else None, message)
    if not found:
        return RenderError(where or "the book", None, f"Pandoc: {' '.join(report.split())[:600]}")
    return joined(found)


def metadata(values: Mapping[str, str | bool]) -> dict[str, Any]:
    """Values as Pandoc's metadata."""
    return {
        key: {"t": "MetaBool" if isinstance(value, bool) else "MetaString", "c": value} for key, value in values.items()
    }


def filters(*names: str) -> str:
    """Pandoc and the bytes of our filters: other ones write another text."""
    return pandoc_digest() + "".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


@cache
def pandoc_digest() -> str:
    """Which Pandoc this is."""
    stat = _PANDOC.stat()
    return f"{importlib.metadata.version('pypandoc-binary')} {stat.st_size}"
