"""What a check of the raw files found, and whether a deviation explains it: then it is a note, and the run goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hhp_stats.errors import Problem
from hhp_stats.intake.rule import Rule
from hhp_stats.plan.conduct import DEVIATIONS, Deviation

NAMED = 8  # of many things a message names so many one by one
UNITS = 70  # units that it names, since an entry that explains the finding has to name them too

NOT_THERE = Rule(
    code="A10",
    severity="error",
    rule="A deviation that explains a finding of the checks must match one.",
    remedy="Remove the entry, or name the rule and the units that the finding names.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One breach of a rule that a deviation may explain: where, what was found, and the units it is about."""

    rule: Rule
    file: str
    value: str
    units: tuple[str, ...]  # teams, authorities, arms or people of an open list; "log" for the log of the randomisation
    cell: str = ""
    group: str = ""  # what an entry may name instead of all units

    def problem(self) -> Problem:
        """As it blocks the analysis."""
        named = "" if all(unit in self.value for unit in self.units) else f"; units: {listed(self.units, UNITS)}"
        problem = self.rule.problem(file=self.file, cell=self.cell, value=f"{self.value}{named}")
        if problem.severity != "error":
            return problem  # it stops nothing, so no entry is needed
        way_out = (
            f' If it is so, a [[deviation]] in data/plan/deviations.toml with rule = "{self.rule.code}", these units'
            " and the reason lets the run go on."
        )
        return replace(problem, remedy=problem.remedy + way_out)


def judged(findings: Iterable[Finding], deviations: Sequence[Deviation]) -> list[Problem]:
    """The problems of these findings: notes where an entry names the rule and every unit, and errors for entries in
    vain.

    `deviations` are those about the study's data; a finding may share the units of one entry, an entry several
    findings.
    """
    problems, used = [], {id(entry): set[str]() for entry in deviations}
    for finding in findings:
        about = {*finding.units, finding.group}
        named = [entry for entry in deviations if entry.rule == finding.rule.code and about & set(entry.units)]
        covered = {unit for entry in named for unit in entry.units}
        for entry in named:
            used[id(entry)] |= about
        if named and (finding.group in covered or set(finding.units) <= covered):
            ids = ", ".join(entry.id for entry in named)
            problem = finding.rule.problem(file=finding.file, cell=finding.cell, value=finding.value)
            problems.append(replace(problem, severity="note", remedy=f"Nothing to do: explained by deviation {ids}."))
        else:
            problems.append(finding.problem())
    for entry in deviations:
        vain = [unit for unit in entry.units if unit not in used[id(entry)]]
        if vain:
            value = f"{entry.id}: rule {entry.rule} finds nothing about {listed(vain)}"
            problems.append(NOT_THERE.problem(file=DEVIATIONS, value=value))
    return problems


def listed(names: Iterable[str], most: int = NAMED) -> str:
    """Names in a row, the first of many only."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def rows_of(numbers: Iterable[int]) -> str:
    """Row numbers of a list as a place: "row 4", "rows 2 to 9", "rows 2, 5, 9"."""
    found = sorted(set(numbers))
    if len(found) < 2:
        return f"row {found[0]}" if found else ""
    if found[-1] - found[0] == len(found) - 1:
        return f"rows {found[0]} to {found[-1]}"
    return f"rows {listed(map(str, found))}"
