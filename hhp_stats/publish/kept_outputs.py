"""What the chapters' code printed before: kept under a digest of everything it came from, whole chapters and single
steps.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from hhp_stats.publish.dependencies import Files
from hhp_stats.publish.kept_text import read_checked, write_checked
from hhp_stats.publish.project import Project
from hhp_stats.publish.showing import keys_of
from hhp_stats.publish.source import Cell, Inline, Source, steps

CACHE = Path(".report") / "cache"
_KEPT_PER_CHAPTER = 3
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)|\bphone=\"([^\"]+)\"")

Output = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A chapter that has to run: its steps, which of them, and what is kept of the others."""

    source: Source
    name: str  # under which its outputs will be kept
    keys: tuple[str, ...]  # of its steps
    kept: Mapping[str, Sequence[Output]] = field(default_factory=dict)  # by key
    read: Mapping[str, str] = field(default_factory=dict)  # files that the kept steps read
    run: tuple[int, ...] = ()  # the places of the steps to run

    @property
    def to_run(self) -> list[Cell | Inline]:
        """The steps to run, in their order."""
        planned = steps(self.source)
        return [planned[at] for at in self.run]

    def completed(self, ran: Sequence[Sequence[Output]]) -> list[Sequence[Output]]:
        """The outputs of all steps, of those that ran and of the others."""
        new = dict(zip(self.run, ran, strict=True))
        return [new[at] if at in new else self.kept[key] for at, key in enumerate(self.keys)]


def standing(project: Project, source: Source, name: str, files: Files) -> Sequence[Sequence[Output]] | None:
    """Kept outputs of the same code that read what is there now, or None."""
    for file, kept in _entries(_latest(project, source, name)):
        if files.unchanged(kept["read"]) and _has_files(project, source, kept["outputs"]):
            os.utime(file)  # recently used outputs are kept longest
            outputs: Sequence[Sequence[Output]] = kept["outputs"]
            return outputs
    return None


def waiting(project: Project, source: Source, name: str, *, inputs: str, files: Files | None) -> Waiting:
    """What of a chapter has to run: with no `files` to compare all of it, else what no kept step stands for.

    Where a step runs, so does every step before it that does more than show (`showing`).
    """
    found = keys_of(steps(source))
    keys = tuple(key for key, _ in found)
    everything = Waiting(source=source, name=name, keys=keys, run=tuple(range(len(keys))))
    if files is None:
        return everything
    best = everything
    for _, kept in _entries(_latest(project, source)):
        if kept.get("inputs") != inputs or not files.unchanged(kept["read"]):
            continue
        by_key = dict(zip(kept["keys"], kept["outputs"], strict=True))
        there = {key: outputs for key, outputs in by_key.items() if _has_files(project, source, [outputs])}
        last = max((at for at, key in enumerate(keys) if key not in there), default=-1)
        run = tuple(at for at, (key, shows) in enumerate(found) if at <= last and not (shows and key in there))
        if len(run) < len(best.run):
            best = Waiting(source=source, name=name, keys=keys, kept=there, read=kept["read"], run=run)
    return best


def keep(project: Project, chapter: Waiting, outputs: Sequence[Any], *, read: Mapping[str, str], inputs: str) -> None:
    """Write what a chapter showed and read, and forget all but the latest of it."""
    folder = project.root / CACHE
    value = {"read": dict(read), "inputs": inputs, "keys": list(chapter.keys), "outputs": list(outputs)}
    files = hashlib.sha256(repr(sorted(read.items())).encode()).hexdigest()[:12]
    write_checked(folder / f"{chapter.name}-{files}.json", json.dumps(value).encode())
    for old in _latest(project, chapter.source)[_KEPT_PER_CHAPTER:]:
        old.unlink(missing_ok=True)


def _latest(project: Project, source: Source, name: str = "") -> list[Path]:
    """The files with outputs of a chapter, or with those of one name; the latest first."""
    pattern = re.compile(rf"{re.escape(source.chapter.slug)}-[0-9a-f]{{20}}-[0-9a-f]{{12}}\.json")
    found = [file for file in (project.root / CACHE).glob(f"{name}*.json") if pattern.fullmatch(file.name)]
    return sorted(found, key=lambda file: file.stat().st_mtime, reverse=True)


def _entries(files: Iterable[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """What is kept in files; nothing of one that was damaged."""
    for file in files:
        data = read_checked(file)
        if data is not None:
            yield file, json.loads(data)


def _has_files(project: Project, source: Source, outputs: Sequence[Sequence[Output]]) -> bool:
    """Whether the pictures that kept Markdown refers to are still there: code may write them aside."""
    folder = project.root / PurePosixPath(source.chapter.path).parent
    for output in (output for step in outputs for output in step):
        text = output.get("data", {}).get("text/markdown", "") or output.get("text", "")
        # Most outputs are tables without any: to look for them takes longer than to see that there is no sign of one.
        found = _PICTURE.findall(text) if "![" in text or 'phone="' in text else ()
        for path in map("".join, found):
            if not ((project.root / path[1:]) if path.startswith("/") else folder / path).is_file():
                return False
    return True
