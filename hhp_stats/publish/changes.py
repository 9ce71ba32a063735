"""What differs between two releases, or between the last one and now? Inputs, results, conclusions, print."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hhp_stats.present.numbers import plural, spelled
from hhp_stats.publish.input_changes import (
    CellChange,
    FileChange,
    LedgerChange,
    cell_changes,
    file_changes,
    ledger_changes,
)
from hhp_stats.publish.release import NOW, ReleaseRefused, Snapshot, read_snapshot, releases
from hhp_stats.publish.result_changes import Flip, ResultChange, flips, result_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedChange:
    """A sentence, or a cell of a table, that reads otherwise. `places` are the chapters that print it."""

    places: tuple[str, ...]
    cell: str  # row / column, "" for a sentence
    old: str  # "" where it is new
    new: str  # "" where it is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """Everything that differs between two snapshots `a` (earlier) and `b`."""

    a: str
    b: str
    files: tuple[FileChange, ...]
    cells: tuple[CellChange, ...]
    ledger: tuple[LedgerChange, ...]
    results: tuple[ResultChange, ...]
    flips: tuple[Flip, ...]
    figures: tuple[PrintedChange, ...]  # cells of printed tables
    sentences: tuple[PrintedChange, ...]
    software: Mapping[str, tuple[str, str]]  # name: old and new version
    code_changed: bool

    @property
    def same(self) -> bool:
        """Whether nothing that a reader sees differs."""
        return not (self.results or self.figures or self.sentences)

    def headline(self) -> str:
        """One line: how many numbers changed, and whether a conclusion flipped."""
        if self.same:
            return f"No number and no sentence changed between {self.a} and {self.b}."
        numbers = "No number" if not self.results else plural(len(self.results), "number")
        verdict = "no conclusion flipped" if not self.flips else f"{plural(len(self.flips), 'conclusion')} flipped"
        printed = f"{plural(len(self.figures), 'printed figure')} and {plural(len(self.sentences), 'sentence')} differ"
        return f"{numbers} changed, {verdict} ({printed})."

    def causes(self) -> str:
        """One line: what changed in the inputs."""
        parts = [plural(len(self.files), "input file")] if self.files else []
        if self.cells:
            explained = sum(bool(cell.ledger) for cell in self.cells)
            parts.append(
                f"{plural(len(self.cells), 'cell')} of returns ({spelled(explained)} of them asked for in the ledger)"
            )
        if self.ledger:
            parts.append(plural(len(self.ledger), "line") + " of the corrections ledger")
        if self.software:
            parts.append(plural(len(self.software), "software version"))
        if self.code_changed:
            parts.append("the code of the analyses or the report")
        return f"Changed: {', '.join(parts)}." if parts else "No input, no code and no software changed."

    def record(self) -> dict[str, Any]:
        """The same for a program; numbers that are missing are null."""
        results = [
            {key: _finite(value) for key, value in asdict(each).items()}
            | {"absolute": _finite(each.absolute), "relative": _finite(each.relative)}
            for each in self.results
        ]
        return {
            "from": self.a, "to": self.b, "headline": self.headline(), "causes": self.causes(),
            "inputs": [asdict(each) for each in self.files], "cells": [asdict(each) for each in self.cells],
            "ledger": [{"change": each.change, **each.line} for each in self.ledger], "results": results,
            "flips": [asdict(each) for each in self.flips], "figures": [asdict(each) for each in self.figures],
            "sentences": [asdict(each) for each in self.sentences],
            "software": {name: list(versions) for name, versions in self.software.items()},
            "code_changed": self.code_changed,
        }  # fmt: skip


def compare_releases(root: Path, a: str | None = None, b: str = NOW) -> ChangeReport:
    """What differs between release `a` (default: the last before `b`) and `b` (default: the state of now)?

    Raises ReleaseRefused where there is no such release, where one was changed after it was frozen, or where the
    results of now are older than their inputs.
    """
    earlier = a or last_release(root, before=b)
    if earlier is None:
        raise ReleaseRefused("there is no earlier release to compare with: freeze one with `hhp release`")
    return compare(read_snapshot(root, earlier), read_snapshot(root, b))


def last_release(root: Path, *, before: str = NOW) -> str | None:
    """The date of the latest release before `before`, if there is one."""
    found = [date for date in releases(root) if before == NOW or date < before]
    return found[-1] if found else None


def compare(old: Snapshot, new: Snapshot) -> ChangeReport:
    """What differs between two snapshots?"""
    cells, files = cell_changes(old, new, file_changes(old, new))
    names = sorted({*old.software, *new.software})
    versions = {name: (old.software.get(name, ""), new.software.get(name, "")) for name in names}
    return ChangeReport(
        a=old.name, b=new.name, files=tuple(files), cells=tuple(cells), ledger=tuple(ledger_changes(old, new)),
        results=tuple(result_changes(old.results, new.results)), flips=tuple(flips(old.results, new.results)),
        figures=tuple(_figures(old, new)), sentences=tuple(_sentences(old, new)),
        software={name: pair for name, pair in versions.items() if pair[0] != pair[1]},
        code_changed=old.code != new.code,
    )  # fmt: skip


def _figures(old: Snapshot, new: Snapshot) -> list[PrintedChange]:
    """Cells of tables that print other text; tables that only one release has are not taken apart."""
    found = []
    for name, after in new.printed.tables.items():
        before = old.printed.tables.get(name)
        if before is None:
            continue
        for cell in dict.fromkeys([*before, *after]):
            was, now = before.get(cell, ""), after.get(cell, "")
            if was != now:
                found.append(PrintedChange(places=(name,), cell=cell, old=was, new=now))
    return found


def _sentences(old: Snapshot, new: Snapshot) -> list[PrintedChange]:
    """Sentences that read otherwise; one printed in several places is listed once."""
    places: dict[tuple[str, str], list[str]] = {}
    before, after = old.printed.sentences, new.printed.sentences
    for name in dict.fromkeys([*after, *before]):
        pair = (before.get(name, ""), after.get(name, ""))
        if pair[0] != pair[1]:
            places.setdefault(pair, []).append(name)
    return [PrintedChange(places=tuple(where), cell="", old=was, new=now) for (was, now), where in places.items()]


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return list(value) if isinstance(value, tuple) else value


def largest(changes: Sequence[ResultChange]) -> list[ResultChange]:
    """Moved results, planned analyses first, then by the size of their relative change."""
    order = {"planned": 0, "sensitivity": 1, "exploratory": 2}

    def size(change: ResultChange) -> float:
        return 0.0 if math.isnan(change.relative) else -abs(change.relative)

    return sorted(changes, key=lambda each: (order.get(each.analysis, 3), size(each)))
