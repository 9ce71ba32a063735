"""Call Pandoc: chapters to one tree, and the tree through the filters to a format.

Chapters are parsed one by one and merged, so that the footnotes of one never meet those of another.
Problems found by the filters come back with the chapter and a word of the offending place, which is
looked up in the sources to give the file and line.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pypandoc

from hhp_stats.errors import RenderError
from hhp_stats.publish.glossary import read_glossary
from hhp_stats.publish.pictures import keep_picture
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source, locate
from hhp_stats.publish.weave import Woven

ASSETS = Path(__file__).resolve().parent / "assets"
# The one in the wheel: pypandoc's own search takes the newest on the machine and is not thread-safe.
_PANDOC = Path(pypandoc.__file__).parent / "files" / ("pandoc.exe" if os.name == "nt" else "pandoc")
_READER = "markdown"
_TEX = re.compile(r"Could not convert TeX math (.+?)(?:, rendering as TeX|$)", re.MULTILINE)


def words_of(project: Project) -> dict[str, str]:
    """The engine's own words (Figure, Contents, Search …) in the book's language."""
    known: dict[str, dict[str, str]] = json.loads((ASSETS / "words.json").read_text(encoding="utf-8"))
    language = project.lang.split("-")[0].lower()
    if language not in known:
        raise RenderError("_quarto.yml", None, f"no words for the language '{project.lang}'; known: {', '.join(known)}")
    return known[language]


def _call(arguments: Sequence[str], text: str, *, root: Path, sources: Sequence[Source], where: str = "") -> str:
    done = subprocess.run(
        [str(_PANDOC), *arguments, "--fail-if-warnings", "--wrap=none"],
        input=text.encode(),
        capture_output=True,
        cwd=root,
        check=False,
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
    first, *more = found
    rest = "".join(f"\n{error}" for error in more)
    return RenderError(first.file, first.line, first.message + rest)


def _meta(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"t": "MetaBool", "c": value}
    if isinstance(value, dict):
        return {"t": "MetaMap", "c": {key: _meta(inner) for key, inner in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"t": "MetaList", "c": [_meta(inner) for inner in value]}
    return {"t": "MetaString", "c": str(value)}


def merge(project: Project, sources: Sequence[Source], woven: Sequence[Woven]) -> tuple[str, dict[str, bytes]]:
    """One tree of the whole book, as Pandoc's JSON, and the files its pictures need.

    Raises RenderError where a picture is missing or lies elsewhere on the network.
    """
    figures: dict[str, bytes] = {}
    blocks: list[Any] = []
    version: Any = None
    for source, chapter in zip(sources, woven, strict=True):
        figures |= chapter.figures
        text = _call(
            ["--from", _READER, "--to", "json"],
            chapter.markdown,
            root=project.root,
            sources=[source],
            where=source.chapter.path,
        )
        tree = json.loads(text)
        version = tree["pandoc-api-version"]
        for image in _images(tree["blocks"]):
            _fetch(project, source, image, figures)
        attributes = [
            ["file", source.chapter.path],
            ["slug", source.chapter.slug],
            ["appendix", str(source.chapter.appendix).lower()],
        ]
        blocks.append({"t": "Div", "c": [["", ["book-chapter"], attributes], tree["blocks"]]})
    meta = {
        "lang": project.lang,
        "bibliography": list(project.bibliography),
        "link-citations": True,
        "number-sections": project.number_sections,
        "words": words_of(project),
        "glossary": [
            {"slug": term.slug, "forms": list(term.forms), "words": term.words} for term in read_glossary(project.root)
        ],
    }
    if project.csl:
        meta["csl"] = project.csl
    tree = {"pandoc-api-version": version, "meta": _meta(meta)["c"], "blocks": blocks}
    return json.dumps(tree), figures


def _images(node: Any) -> list[Any]:
    """Every picture within a part of the tree."""
    if isinstance(node, list):
        return [image for inner in node for image in _images(inner)]
    if isinstance(node, dict):
        return ([node] if node.get("t") == "Image" else []) + _images(node.get("c", []))
    return []


def _fetch(project: Project, source: Source, image: Any, figures: dict[str, bytes]) -> None:
    """Point a picture of the authors' own at a copy that is named by its content."""
    target = image["c"][2]
    path: str = target[0]
    if path in figures:
        return
    place = locate(source.lines, path)
    file, line = (place.file, place.number) if place else (source.chapter.path, None)
    if ":" in path:
        raise RenderError(file, line, f"the image '{path}' is not in the project; the report makes no network requests")
    folder = project.root if path.startswith("/") else project.root / PurePosixPath(source.chapter.path).parent
    found = folder / path.lstrip("/")
    if not found.is_file():
        raise RenderError(file, line, f"the image '{path}' does not exist")
    suffix = found.suffix.lower().removeprefix(".")
    if suffix not in ("svg", "png", "jpg", "jpeg", "gif"):
        raise RenderError(file, line, f"the image '{path}' is of a kind that not both formats can show")
    target[0], extra = keep_picture(figures, content=found.read_bytes(), stem=found.stem, suffix=suffix)
    attributes = image["c"][0][2]
    given = {key for key, _ in attributes}
    attributes.extend(
        [key, value] for key, value in extra.items() if not (given & {"width", "height"} and key != "dark")
    )


def write(project: Project, sources: Sequence[Source], tree: str, *, target: str) -> str:
    """The merged tree in one format: `html` gives JSON of all pages, `typst` gives the document's body."""
    options = {
        "html": ["--to", "html5", "--mathml", "--lua-filter", str(ASSETS / "html.lua")],
        "typst": [
            "--to",
            "typst-citations",
            "--syntax-highlighting",
            "idiomatic",
            "--lua-filter",
            str(ASSETS / "typst.lua"),
        ],
    }[target]
    # The format's own filter comes last, else the citation processor would take '@fig-x' for a source.
    arguments = ["--from", "json", "--lua-filter", str(ASSETS / "book.lua"), "--citeproc", *options]
    return _call(arguments, tree, root=project.root, sources=sources)
