"""Rules about the names in a plain table: are two of them one, typed in two ways?

A cluster, a stratum or a person under two spellings is two to a program: clusters look more and smaller than they are,
and a person counts twice. Only a reader sees that "School 1" and "school 01" are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hhp_stats.intake.findings import Finding
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_table import TableCheck
from hhp_stats.intake.spellings import same

ALIKE = Rule(
    code="T29",
    severity="error",
    rule=(
        "Names of people, clusters and other groups must differ in more than capitals, blanks, hyphens and leading"
        " zeros."
    ),
    remedy="Write what is one in one way, with `hhp correct` or in a new file.",
)
ALLOWED_ALIKE = Rule(
    code="T30",
    severity="warning",
    rule="Values that the dictionary allows should differ in more than capitals, blanks, hyphens and leading zeros.",
    remedy="If they are one, keep one of them in the dictionary; else nothing: each is read as it stands.",
)
NAME_RULES = (ALIKE, ALLOWED_ALIKE)
_JOINED = re.compile(r"(?<=\w)[\s_./\-]+(?=\w)")
_PARTS = re.compile(r"[^\W\d_]+|\d+|\S")


def as_heard(name: str) -> tuple[str, ...]:
    """A name without what typing changes: letters in one case, numbers without leading zeros, each on its own.

    "School 1", "school-01" and "SCHOOL1" are alike; "A1" and "A11", "grade B+" and "grade B-" are not.
    """
    parts = _PARTS.findall(_JOINED.sub(" ", same(name)))
    return tuple(part.lstrip("0") or "0" if part.isdecimal() else part for part in parts)


def name_findings(check: TableCheck) -> Iterator[Finding]:
    """Where a column holds two names that are alike; of a column with allowed values, where two of these are."""
    for name, column in check.plan.columns.items():
        if column.allowed:
            for first, *others in _alike(column.allowed):
                said = f"{', '.join(map(repr, others))} next to {first!r} in {name}"
                yield Finding(
                    rule=ALLOWED_ALIKE, file=check.table.file, cell=f"column {name}", value=said, units=(name,)
                )
        elif column.kind in ("identifier", "cluster", "category"):
            yield from _in_column(check, name)


def _in_column(check: TableCheck, name: str) -> Iterator[Finding]:
    values = check.frame[name]
    first = {value: position for position, value in reversed(list(enumerate(values)))}
    counts = values.value_counts()
    for group in _alike(counts.index):
        usual, *others = sorted(group, key=lambda value: (-counts[value], first[value]))
        for other in others:
            here, there = first[other], first[usual]
            yield Finding(
                rule=ALIKE,
                file=check.table.file,
                cell=check.table.cell(name, here),
                value=(
                    f"{check.table.quote(name, here)} next to {check.table.quote(name, there)} of"
                    f" {check.table.cell(name, there)}, in {name}"
                ),
                units=(name,),
            )


def _alike(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The groups of names that are alike, in their order."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for each in names:
        groups.setdefault(as_heard(each), []).append(each)
    yield from (tuple(group) for group in groups.values() if len(group) > 1)
