"""Citations of the whole book, written by the citation style in one go.

Numbers, years with letters and "ibid." depend on everything that was cited before, so the style sees all citations of
the book in their order, once; each chapter is handed its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hhp_stats.errors import RenderError
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.numbering import Register, cited_keys, joined, problem_at
from hhp_stats.publish.pandoc import metadata, pandoc_digest, run_pandoc
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source

_LETTERED = re.compile(r"\d{4}[a-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bibliography:
    """The book's sources as Pandoc's metadata, and the style they are cited in."""

    entries: Mapping[str, Any]  # by key; trees and not CSL JSON, which forgets what must keep its capitals
    style: str  # the style's own text, "" for Pandoc's default


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """What one chapter prints of it, as trees in JSON."""

    citations: str = ""  # one block for each citation, in the order of the chapter's register
    references: str = ""  # the list of references, where the chapter holds it


def read_bibliography(project: Project, *, kept: KeptTexts) -> Bibliography:
    """All sources that the book may cite. Raises RenderError where a file cannot be read."""
    entries: dict[str, Any] = {}
    for name in project.bibliography:
        file = project.root / name
        if not file.is_file():
            raise RenderError("_quarto.yml", None, f"the bibliography '{name}' does not exist")
        text = file.read_text(encoding="utf-8")
        kind = "csljson" if file.suffix == ".json" else "biblatex"
        arguments = ["--from", kind, "--to", "json", "--standalone"]

        def read(arguments: Sequence[str] = arguments, text: str = text, name: str = name) -> str:
            return run_pandoc(arguments, text, root=project.root, sources=[], where=name)

        made = kept.text(["bibliography", pandoc_digest(), *arguments, text], read)
        found = json.loads(made)["meta"].get("references", {"c": []})["c"]
        entries |= {_plain(entry["c"]["id"]): _dated(entry) for entry in found}
    style = (project.root / project.csl).read_text(encoding="utf-8") if project.csl else ""
    return Bibliography(entries=entries, style=style)


def _dated(entry: Any) -> Any:
    """The entry with a year that has a letter as words: read as a date, `2008a` would be none ("n.d.")."""
    issued = entry["c"].get("issued")
    if issued and issued["t"] == "MetaString" and _LETTERED.fullmatch(issued["c"]):
        entry["c"]["issued"] = {"t": "MetaMap", "c": {"literal": issued}}
    return entry


def _plain(value: Any) -> str:
    """A metadata value's words, where it is a word."""
    return str(value["c"]) if value["t"] == "MetaString" else "".join(part.get("c", " ") for part in value["c"])


def write_citations(
    project: Project,
    sources: Sequence[Source],
    registers: Sequence[Register],
    bibliography: Bibliography,
    *,
    kept: KeptTexts,
) -> list[Cited]:
    """All citations of one format, a `Cited` for each chapter in its order.

    Raises RenderError for what is cited and not in the bibliography.
    """
    problems = [
        problem_at(source, f"@{key}", f"the citation '@{key}' is not in the bibliography")
        for source, register in zip(sources, registers, strict=True)
        for key in dict.fromkeys(cited_keys(register))
        if key not in bibliography.entries
    ]
    if problems:
        raise joined(problems)
    cites = [tree for register in registers for tree in register["cites"]]
    if not cites:
        return [Cited() for _ in sources]
    version = cites[0]["pandoc-api-version"]
    keys = dict.fromkeys(key for register in registers for key in cited_keys(register))
    meta = metadata({"lang": project.lang, "link-citations": True, **({"csl": project.csl} if project.csl else {})})
    meta["references"] = {"t": "MetaList", "c": [bibliography.entries[key] for key in keys]}
    blocks = [cite["blocks"][0] for cite in cites] + [{"t": "Div", "c": [["refs", [], []], []]}]
    document = json.dumps({"pandoc-api-version": version, "meta": meta, "blocks": blocks})
    arguments = ["--from", "json", "--to", "json", "--citeproc"]
    written = kept.text(
        ["citations", pandoc_digest(), bibliography.style, document],
        lambda: run_pandoc(arguments, document, root=project.root, sources=sources),
    )
    *made, references = json.loads(written)["blocks"]

    def tree(blocks: Sequence[Any]) -> str:
        whole = {"pandoc-api-version": version, "meta": {}, "blocks": blocks}
        return json.dumps(whole, ensure_ascii=False) if blocks else ""

    found, at = [], 0
    for register in registers:
        mine = made[at : at + len(register["cites"])]
        at += len(mine)
        found.append(Cited(citations=tree(mine), references=tree([references] if register["lists"] else [])))
    return found
