"""Read each chapter's Markdown with Pandoc: its tree, what it defines, its pictures.

What was read is kept, and so is each picture as pages show it: of a chapter that did not change nothing is looked at
again but the files of its pictures.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from hhp_stats.errors import RenderError
from hhp_stats.files.remember import code_of
from hhp_stats.present import style
from hhp_stats.publish import named_places, pictures
from hhp_stats.publish.codes import places
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.named_places import names_in_trees
from hhp_stats.publish.numbering import Register
from hhp_stats.publish.pandoc import ASSETS, filters, run_pandoc, words_of
from hhp_stats.publish.pictures import Picture, picture_of
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Cell, Source, locate
from hhp_stats.publish.weave import Woven

_READER = "markdown"
_SHOWN = ("svg", "png", "jpg", "jpeg", "gif")  # by both formats


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A chapter as Pandoc reads it: its tree as JSON, what it defines in each format; its pictures, tables, cells."""

    tree: str
    names: frozenset[str]  # words of the tree that may be labels, ids and codes
    registers: Mapping[str, Register]
    figures: Mapping[str, bytes]  # by file name
    tables: Mapping[str, str]  # in HTML, by the name that stands in the tree
    cells: Mapping[str, Cell]  # the code behind each labelled figure and table


def parse(project: Project, source: Source, woven: Woven, *, kept: KeptTexts) -> Parsed:
    """Read one chapter's Markdown.

    Raises RenderError where Pandoc or the filters find something, and where a picture is missing or lies
    elsewhere on the network.
    """
    book = {
        "words": words_of(project),
        "number-sections": project.number_sections,
        "attributes": {
            "file": source.chapter.path,
            "slug": source.chapter.slug,
            "appendix": str(source.chapter.appendix).lower(),
        },
    }
    given = json.dumps(book, ensure_ascii=False, sort_keys=True)
    arguments = ["--lua-filter", str(ASSETS / "book.lua"), "--metadata", f"book={given}"]

    def read() -> str:
        tree = run_pandoc(
            ["--from", _READER, "--to", "json", *arguments],
            woven.markdown,
            root=project.root,
            sources=[source],
            where=source.chapter.path,
        )
        return _taken_apart(tree)

    code = code_of(sys.modules[__name__], named_places)
    head, _, tree = kept.text(["parse", code, filters("book.lua"), given, woven.markdown], read).partition("\n")
    found = json.loads(head)
    registers: dict[str, dict[str, Any]] = found["registers"]
    brought = places(woven.tables.values())
    for register in registers.values():
        register["ids"] += brought
    figures = dict(woven.figures)
    shown = _Pictures(project, source, kept)
    about = {
        path: (shown.of(path), shown.of(phone, phone=True) if phone else None)
        for path, phone in found["pictures"]
        if path not in figures  # those that a cell shows have their names already
    }
    for picture in (each for pair in about.values() for each in pair if each is not None):
        figures |= picture.files
    if about:
        kinds = [[path, *((each.name, each.attributes) for each in pair if each)] for path, pair in about.items()]
        parts = ["pictures", code, tree, json.dumps(kinds)]
        tree = kept.text(parts, partial(_with_pictures, tree, about))
    return Parsed(
        tree=tree,
        names=frozenset(found["names"]),
        registers=registers,
        figures=figures,
        tables=woven.tables,
        cells=woven.cells,
    )


def _taken_apart(text: str) -> str:
    """A line with what is registered in a tree that Pandoc wrote, the paths of its pictures and the words that may name
    places; then the tree without metadata.
    """
    tree = json.loads(text)
    registers = json.loads(tree["meta"].pop("register")["c"])
    for register in registers.values():
        register["cites"] = [json.loads(cite) for cite in register["cites"]]
    tree["meta"] = {}
    shown = [_paths(image) for image in _images(tree["blocks"])]
    plain = json.dumps(tree, ensure_ascii=False)
    head = {"registers": registers, "pictures": shown, "names": sorted(names_in_trees([plain]))}
    return f"{json.dumps(head)}\n{plain}"


def _images(node: Any) -> list[Any]:
    """Every picture within a part of the tree."""
    if isinstance(node, list):
        return [image for inner in node for image in _images(inner)]
    if isinstance(node, dict):
        return ([node] if node.get("t") == "Image" else []) + _images(node.get("c", []))
    return []


def _paths(image: Any) -> tuple[str, str]:
    """The path of a picture, and that of its drawing for telephones where it has one."""
    attributes, target = image["c"][0][2], image["c"][2]
    return target[0], next((path for key, path in attributes if key == "phone"), "")


def _with_pictures(text: str, about: Mapping[str, tuple[Picture, Picture | None]]) -> str:
    """A tree whose pictures, and their drawings for telephones, point at copies named by their content."""
    tree = json.loads(text)
    for image in _images(tree["blocks"]):
        attributes, target = image["c"][0][2], image["c"][2]
        if target[0] not in about:
            continue
        picture, drawn = about[target[0]]
        target[0] = picture.name
        given = {key for key, _ in attributes}
        attributes.extend(
            [key, value]
            for key, value in picture.attributes.items()
            if key == "dark" or not given & {"width", "height"}
        )
        if drawn is not None:
            next(each for each in attributes if each[0] == "phone")[1] = drawn.name
            attributes.extend([f"phone-{key}", value] for key, value in drawn.attributes.items())
    return json.dumps(tree, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The pictures that a chapter has from files."""

    project: Project
    source: Source
    kept: KeptTexts

    def of(self, path: str, *, phone: bool = False) -> Picture:
        """The picture at a path, as pages show it. Raises RenderError where there is none."""
        if ":" in path:
            raise self._error(path, "is not in the project; the report makes no network requests")
        root = self.project.root
        folder = root if path.startswith("/") else root / PurePosixPath(self.source.chapter.path).parent
        found = folder / path.lstrip("/")
        if not found.is_file():
            raise self._error(path, "does not exist")
        suffix = found.suffix.lower().removeprefix(".")
        if suffix not in _SHOWN:
            raise self._error(path, "is of a kind that not both formats can show")
        content, stem = found.read_bytes(), found.stem
        digest = hashlib.sha256(content).hexdigest()
        parts = ["picture", code_of(pictures, style), digest, stem, suffix, str(phone)]
        made = self.kept.data(
            parts, lambda: picture_of(content=content, stem=stem, suffix=suffix, phone=phone).written()
        )
        return Picture.read(made)

    def _error(self, path: str, what: str) -> RenderError:
        place = locate(self.source.lines, path)
        file, line = (place.file, place.number) if place else (self.source.chapter.path, None)
        return RenderError(file, line, f"the image '{path}' {what}")
