"""What differs between two releases, or between the last one and now? Inputs, results, conclusions, print.

Who may read how much of it:

- The page of the report and `hhp changes --json`, which travel, take `public_inputs`. Of raw files they say, by kind
of file and
  wave and never by authority, how many cells of which field differ and whether the ledger explains them. A number
  below the threshold of disclosure control (`[disclosure]` of the plans) is said to be below it, and its field is
  pooled
  with others: beside the old and the new mean, a single changed cell of a named field in a named authority would give
  one person's change.
- Of the ledger they give a line's id, the day on which it was received and its field: each line changes one cell.
Neither
  authority nor wave nor value is given, nor the reason or who asked for it, which are free text and may name somebody.
- The terminal has the same in exact numbers and by file, still without a value, a row or a person. It stands on a
machine
  that holds the data.
- Cells of returns with their values are given by `hhp changes --cells` alone, on the terminal, from data that are
there.
- Names of files and columns are repeated only where the project itself uses them (`raw_places`).

Changed results and print are given in full: both states of them were published.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hhp_stats.intake.raw_files import studies
from hhp_stats.intake.raw_places import OTHER_FIELDS
from hhp_stats.plan.disclosure import load_disclosure
from hhp_stats.plan.primary import primary_outcomes
from hhp_stats.present.numbers import count, plural, spelled
from hhp_stats.publish.input_changes import CellChange, FieldCount, InputChanges, changed_cells, input_changes
from hhp_stats.publish.release import NOW, ReleaseRefused, Snapshot, check_release, read_snapshot, releases
from hhp_stats.publish.result_changes import Flip, ResultChange, flips, largest, result_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedChange:
    """A sentence, or a cell of a table, that reads otherwise. `places` are the chapters that print it."""

    places: tuple[str, ...]
    cell: str  # row / column, "" for a sentence
    old: str  # "" where it is new
    new: str  # "" where it is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """Everything that differs between two snapshots `a` (earlier) and `b`, but no value of anybody."""

    a: str
    b: str
    inputs: InputChanges
    threshold: int  # the smallest number of cells or people that may be published
    results: tuple[ResultChange, ...]  # by how much they matter (`largest`)
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
        printed = (
            f"{plural(len(self.figures), 'published figure')} and {plural(len(self.sentences), 'sentence')} differ"
        )
        return f"{numbers} changed, {verdict} ({printed})."

    def causes(self, *, exact: bool = False) -> str:
        """What changed in the inputs, in one line; with exact numbers for the terminal alone."""
        found = self.inputs
        parts = [plural(len(found.files), "input file")] if found.files else []
        if found.fields:
            cells = sum(each.cells for each in found.fields)
            explained = sum(each.explained for each in found.fields)
            said = plural(cells, "cell") if exact else f"{self.masked(cells)} cells"
            parts.append(f"{said} of raw files ({self._explained(cells, explained, exact=exact)})")
        added, gone = (sum(getattr(each, name) for each in found.rows) for name in ("added", "gone"))
        if added or gone:
            said = " and ".join(
                f"{(spelled(n) if exact else self.masked(n))} {word}"
                for n, word in ((added, "added"), (gone, "gone"))
                if n
            )
            parts.append(f"people or lines of lists ({said})")
        if found.ledger:
            parts.append(plural(len(found.ledger), "line") + " of the corrections ledger")
        if self.software:
            parts.append(plural(len(self.software), "software version"))
        if self.code_changed:
            parts.append("the code of the analyses or the report")
        said = f"Changed: {', '.join(parts)}." if parts else "No input, no code and no software changed."
        return " ".join([said, *(f"{reason[:1].upper()}{reason[1:]}." for reason in found.unknown)])

    def masked(self, number: int) -> str:
        """A number of cells or people as it may be published."""
        return count(number) if number == 0 or number >= self.threshold else f"fewer than {spelled(self.threshold)}"

    def _explained(self, cells: int, explained: int, *, exact: bool) -> str:
        if explained == 0:
            return "the ledger explains none of them"
        if explained == cells:
            return "the ledger explains all of them"
        small = min(explained, cells - explained) < self.threshold
        return f"the ledger explains {'some' if small and not exact else spelled(explained)} of them"

    def public_inputs(self) -> list[dict[str, str]]:
        """Cells and people of raw files as they may be published: what, field, cells, and whether the ledger explains
        them.

        Files of one kind and wave are taken together. Fields with few changed cells are pooled, and a sum that is
        still small is only said to be so.
        """
        rows = []
        for what, own in _by_place(self.inputs.fields).items():
            totals, explained = Counter[str](), Counter[str]()
            for each in own:
                totals[each.field] += each.cells
                explained[each.field] += each.explained
            for small in [name for name, n in totals.items() if n < self.threshold and name != OTHER_FIELDS]:
                totals[OTHER_FIELDS] += totals.pop(small)
                explained[OTHER_FIELDS] += explained.pop(small, 0)
            if 0 < totals[OTHER_FIELDS] < self.threshold and len(totals) > 1:
                # The rest would follow from a total: it is taken together with the least of the others.
                least = min((name for name in totals if name != OTHER_FIELDS), key=lambda name: (totals[name], name))
                totals[OTHER_FIELDS] += totals.pop(least)
                explained[OTHER_FIELDS] += explained.pop(least, 0)
            rows += [
                {
                    "what": what,
                    "field": name,
                    "cells": self.masked(n),
                    "explained": self._explained(n, explained[name], exact=False)
                    .removeprefix("the ledger explains ")
                    .removesuffix(" of them"),
                }
                for name, n in sorted(totals.items(), key=lambda item: (item[0] == OTHER_FIELDS, item[0]))
                if n
            ]
        for what in dict.fromkeys(each.place.public for each in self.inputs.rows):
            for name in ("added", "gone"):
                number = sum(getattr(each, name) for each in self.inputs.rows if each.place.public == what)
                if number:
                    rows.append(
                        {
                            "what": what,
                            "field": f"people or lines {name}",
                            "cells": self.masked(number),
                            "explained": "",
                        }
                    )
        return rows

    def public_files(self) -> list[dict[str, str]]:
        """Changed files by the names under which others may read of them, and how many of each."""
        found = Counter((each.public, each.change) for each in self.inputs.files)
        notes = {(each.public, each.change): each.note for each in self.inputs.files if each.note}
        return [
            {"file": name, "change": change, "files": count(n), "note": notes.get((name, change), "")}
            for (name, change), n in found.items()
        ]

    def record(self) -> dict[str, Any]:
        """What may be published of it, for a program; numbers that are missing are null."""
        results = [
            {key: _finite(value) for key, value in asdict(each).items()}
            | {
                "absolute": _finite(each.absolute),
                "relative": _finite(each.relative),
                "in_std_errors": _finite(each.in_std_errors),
            }
            for each in self.results
        ]
        return {
            "from": self.a,
            "to": self.b,
            "headline": self.headline(),
            "causes": self.causes(),
            "inputs": self.public_files(),
            "cells": self.public_inputs(),
            "ledger": [asdict(each) for each in self.inputs.ledger],
            "not_compared": list(self.inputs.unknown),
            "results": results,
            "flips": [asdict(each) for each in self.flips],
            "figures": [asdict(each) for each in self.figures],
            "sentences": [asdict(each) for each in self.sentences],
            "software": {name: list(versions) for name, versions in self.software.items()},
            "code_changed": self.code_changed,
        }


def _by_place(fields: Iterable[FieldCount]) -> dict[str, list[FieldCount]]:
    found: dict[str, list[FieldCount]] = {}
    for each in fields:
        found.setdefault(each.place.public, []).append(each)
    return found


def compare_releases(root: Path, a: str | None = None, b: str = NOW) -> ChangeReport:
    """What differs between release `a` (default: the last before `b`) and `b` (default: the state of now)?

    Raises ReleaseRefused where there is no such release, where one was changed after it was frozen, or where the
    results of now are older than their inputs.
    """
    return compare(*_snapshots(root, a, b))


def private_cells(root: Path, a: str | None = None, b: str = NOW) -> list[CellChange]:
    """The cells of returns that differ, with their values: for the terminal of a machine that holds the data.

    Raises ReleaseRefused as `compare_releases`, and where the private part of a release is not on this machine.
    """
    old, new = _snapshots(root, a, b)
    for snapshot in (old, new):
        if not snapshot.private:
            raise ReleaseRefused(
                f"the private part of the release of {snapshot.name} is not on this machine: no cells to compare"
            )
    return changed_cells(old, new)


def compared_names(root: Path, a: str | None, b: str = NOW) -> tuple[str, str]:
    """The names of what `compare_releases` compares; raises ReleaseRefused where one of them is not there."""
    earlier = a or last_release(root, before=b)
    if earlier is None:
        raise ReleaseRefused("there is no earlier release to compare with: freeze one with `hhp release`")
    for name in (earlier, b):
        if name != NOW:
            check_release(root, name)
    return earlier, b


def _snapshots(root: Path, a: str | None, b: str) -> tuple[Snapshot, Snapshot]:
    earlier, later = compared_names(root, a, b)
    return read_snapshot(root, earlier), read_snapshot(root, later)


def last_release(root: Path, *, before: str = NOW) -> str | None:
    """The date of the latest release before `before`, if there is one."""
    found = [date for date in releases(root) if before == NOW or date < before]
    return found[-1] if found else None


def compare(old: Snapshot, new: Snapshot) -> ChangeReport:
    """What differs between two snapshots?"""
    names = sorted({*old.software, *new.software})
    versions = {name: (old.software.get(name, ""), new.software.get(name, "")) for name in names}
    return ChangeReport(
        a=old.name,
        b=new.name,
        inputs=input_changes(old, new),
        threshold=_threshold(new.root),
        results=tuple(largest(result_changes(old.results, new.results, primary=primary_outcomes(new.root)))),
        flips=tuple(flips(old.results, new.results)),
        figures=tuple(_figures(old, new)),
        sentences=tuple(_sentences(old, new)),
        software={name: pair for name, pair in versions.items() if pair[0] != pair[1]},
        code_changed=old.code != new.code,
    )


def _threshold(root: Path) -> int:
    """The strictest of the studies' plans: what changed is said for all of them together."""
    return max(load_disclosure(root, study).threshold for study in studies(root))


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
