"""Rules about the plain table of a trial: is it what its dictionary and its plan say?

One function a rule; what a deviation may explain (how many people, how large the arms) is a finding
(`intake.findings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from hhp_stats.intake import values as v
from hhp_stats.intake.corrections import Applied
from hhp_stats.intake.masking import shown
from hhp_stats.intake.rule import Breach, Rule, at, numbers
from hhp_stats.intake.rules_cells import CELL_RULES, KIND_RULES
from hhp_stats.intake.table import Table
from hhp_stats.plan.individual_schema import IndividualPlan
from hhp_stats.plan.table_schema import ARM

EVERYONE = "everyone"  # the unit of a finding about the table as a whole
# What is wrong with how a cell is written, whatever its kind: rules of every file, each with a remedy of its own.
FORMS = tuple(rule for rule in CELL_RULES if rule not in KIND_RULES or rule.code in (v.ERROR_VALUE, v.NO_RESULT))
_OTHERWISE = frozenset(rule.code for rule in FORMS)
_KINDS = {"number": "a number", "0/1": "0 or 1 (or yes, no)", "date": "a date", "identifier": "an identifier"}


@dataclass(slots=True, kw_only=True)
class PlainTable(Table):
    """The table as read; `synthetic` and `unmarked` say what its column `release` says of it."""

    synthetic: bool = False
    unmarked: bool = False
    applied: list[Applied] = field(default_factory=list)  # corrections of the ledger
    undescribed: list[str] = field(default_factory=list)  # headings that the dictionary does not describe


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCheck:
    """What the rules look at: the table as read, and the plan."""

    table: PlainTable
    plan: IndividualPlan

    @property
    def frame(self) -> pd.DataFrame:
        """The rows."""
        return self.table.frame

    @property
    def unread(self) -> Mapping[str, Mapping[int, str]]:
        """The cells that could not be read, by column: position and code of the broken rule."""
        return self.table.unread


TABLE_MISSING = Rule(
    code="T01",
    severity="error",
    rule="The table of the trial must be there.",
    remedy="Put the file in its place, or correct data.file in the plan.",
)
TABLE_UNREADABLE = Rule(
    code="T02",
    severity="error",
    rule="The table must be a whole, readable CSV, XLSX, ODS or SAV file with its headings in the first row.",
    remedy="Restore the file, or save it again in one of these formats.",
)
UNKNOWN_COLUMN = Rule(
    code="T03",
    severity="warning",
    rule="A column that the dictionary does not describe is not read.",
    remedy="Add a line to the dictionary (and its heading to [data.columns] of the plan), or delete the column.",
)
RAGGED = Rule(
    code="T04",
    severity="error",
    rule="Every row of the table must have as many fields as its headings.",
    remedy="Complete the row, or put texts with commas in quotation marks.",
)
COLUMN_MISSING = Rule(
    code="T05",
    severity="error",
    rule="Every column of the dictionary must stand once in the table.",
    remedy="Correct the heading, say it in [data.columns] of the plan, or take the line out of the dictionary.",
)
PERSONAL_COLUMN = Rule(
    code="T06",
    severity="error",
    rule="A table must not hold names, email addresses or other details that identify a person.",
    remedy="Delete the column, or describe it in the dictionary if it identifies no one.",
)
NO_PEOPLE = Rule(
    code="T07",
    severity="error",
    rule="The table must hold people below its headings.",
    remedy="Send the table with its rows.",
)


def _wrong_kind(check: TableCheck) -> Iterator[Breach]:
    for name, cells in check.table.unread.items():
        column = check.plan.columns[name]
        kind = column.kind
        wanted = " or ".join(column.words if kind != "category" else ()) or _KINDS.get(kind, "a text")
        for position, broken in cells.items():
            if broken not in _OTHERWISE and not (broken == v.CATEGORY and kind in ("category", "arm")):
                yield Breach(
                    name,
                    position,
                    f"{check.table.quote(name, position)} where {wanted} should stand",
                )


def _not_allowed(check: TableCheck) -> Iterator[Breach]:
    for name, cells in check.table.unread.items():
        column = check.plan.columns[name]
        for position, broken in cells.items():
            if broken == v.CATEGORY and column.kind == "category":
                yield Breach(
                    name, position, f"{check.table.quote(name, position)}, allowed {', '.join(column.allowed)}"
                )


def _outside(check: TableCheck) -> Iterator[Breach]:
    for name, column in check.plan.columns.items():
        if column.minimum is None and column.maximum is None:
            continue
        value = numbers(check.table, name)
        low = -np.inf if column.minimum is None else column.minimum
        high = np.inf if column.maximum is None else column.maximum
        for breach in at((value < low) | (value > high), name):
            yield breach._replace(
                value=f"{value[breach.position]:.12g}, allowed {low:g} to {high:g} {column.unit}".rstrip()
            )


def _outside_range(check: TableCheck) -> Iterator[Breach]:
    """Values of an outcome beyond the ends that the plan gives its scale; those beyond the dictionary's are another
    rule's.
    """
    for outcome in check.plan.measured:
        if outcome.kind == "binary" or not outcome.range:
            continue
        low, high = outcome.range
        name, column = outcome.column, check.plan.columns[outcome.column]
        value = numbers(check.table, name)
        within = np.ones(len(value), dtype=bool)
        for end, side in ((column.minimum, value.__ge__), (column.maximum, value.__le__)):
            within &= True if end is None else side(end)
        for breach in at(((value < low) | (value > high)) & within, name):
            yield breach._replace(value=f"{value[breach.position]:.12g}, the plan's range is {low:g} to {high:g}")


def _blank(check: TableCheck) -> Iterator[Breach]:
    for name, spec in check.table.fields.items():
        if spec.required and name != ARM:
            yield from _empty(check, name)


def _without_arm(check: TableCheck) -> Iterator[Breach]:
    if check.plan.arms:
        yield from _empty(check, ARM)


def _empty(check: TableCheck, name: str) -> Iterator[Breach]:
    missing = check.frame[name].isna().to_numpy(copy=True)
    missing[list(check.table.unread.get(name, ()))] = False
    yield from (Breach(name, breach.position, "an empty cell") for breach in at(missing, name))


def _unknown_arm(check: TableCheck) -> Iterator[Breach]:
    known = ", ".join(str(arm.value) for arm in check.plan.arms)
    for position, broken in check.table.unread.get(ARM, {}).items():
        if broken == v.CATEGORY:
            yield Breach(ARM, position, f"{check.table.quote(ARM, position)}; the plan's arms are written {known}")


def _person_twice(check: TableCheck) -> Iterator[Breach]:
    assert check.plan.data is not None
    name = check.plan.data.person
    if name:
        people = check.frame[name]
        first = {person: place for place, person in reversed(list(enumerate(people)))}
        for breach in at(people.notna() & people.duplicated(), name):
            yield breach._replace(also=f"first in {check.table.cell(name, first[people.iloc[breach.position]])}")


def _split(check: TableCheck, names: Iterable[str]) -> Iterator[Breach]:
    cluster = check.plan.design.cluster
    for name in names if cluster else ():
        for _, part in check.frame.dropna(subset=[cluster, name]).groupby(cluster, sort=False):
            sizes = part[name].value_counts()
            if len(sizes) > 1:
                odd = part.loc[part[name] == sizes.index[-1]]
                said = " and ".join(
                    f"{size} {shown(value, vocabulary=check.table.vocabulary)}" for value, size in sizes.items()
                )
                yield Breach(name, int(odd.index[0]), f"rows of one {cluster} with {said}")


def _cluster_in_two_arms(check: TableCheck) -> Iterator[Breach]:
    yield from _split(check, [ARM])


def _cluster_in_two_strata(check: TableCheck) -> Iterator[Breach]:
    yield from _split(check, check.plan.strata)


def _nobody_in_arm(check: TableCheck) -> Iterator[Breach]:
    for arm in check.plan.arms:
        if not (check.frame[ARM] == arm.id).any():
            yield Breach(ARM, 0, f"no one with {arm.value} ({arm.label})")


def _all_missing(check: TableCheck) -> Iterator[Breach]:
    for name in check.plan.columns:
        known = check.frame[name].notna()
        if name == ARM or check.table.unread.get(name):
            continue
        if not known.any():
            yield Breach(name, 0, "no value at all")
            continue
        empty = [
            arm.label
            for arm in check.plan.arms
            if (own := check.frame[ARM] == arm.id).any() and not (known & own).any()
        ]
        if empty:
            yield Breach(name, 0, f"no value in the arm {' nor in '.join(empty)}")


def _stratum_of_one_arm(check: TableCheck) -> Iterator[Breach]:
    strata = list(check.plan.strata)
    if strata:
        for _, part in check.frame.dropna(subset=[*strata, ARM]).groupby(strata, sort=False):
            if part[ARM].nunique() < 2:
                yield Breach(strata[0], int(part.index[0]), f"{len(part)} rows of one stratum, all in one arm")


TABLE_RULES: tuple[Rule, ...] = (
    Rule(
        code="T08",
        severity="error",
        find=_wrong_kind,
        rule="A value must be of the kind that the dictionary gives its column.",
        remedy=(
            "Correct the value, leave it empty if it is not known, or list its code under missing in the dictionary."
        ),
    ),
    Rule(
        code="T09",
        severity="error",
        find=_not_allowed,
        rule="A value must be one that the dictionary allows.",
        remedy="Correct the value, or add it to the allowed values of the dictionary.",
    ),
    Rule(
        code="T10",
        severity="error",
        find=_outside,
        rule="A number must lie within the limits of the dictionary.",
        remedy="Correct the value or the limits; a code such as -9 belongs under missing in the dictionary.",
    ),
    Rule(
        code="T28",
        severity="error",
        find=_outside_range,
        rule="An outcome must lie within the range that the plan gives it.",
        remedy="Correct the value, or range of the outcome in the plan; a code for not known belongs under missing.",
    ),
    Rule(
        code="T11",
        severity="error",
        find=_blank,
        rule="Person, cluster and strata must be known for everyone.",
        remedy="Fill in the value from the list of the randomisation.",
    ),
    Rule(
        code="T12",
        severity="error",
        fields=(ARM,),
        find=_without_arm,
        rule="Everyone on the table must be in an arm.",
        remedy=(
            "Fill in the arm from the list of the randomisation; who was not randomised does not belong on the table."
        ),
    ),
    Rule(
        code="T13",
        severity="error",
        fields=(ARM,),
        find=_unknown_arm,
        rule="An arm must be written as the plan's arms are (value, or else id).",
        remedy="Correct the value, or the plan's arm.",
    ),
    Rule(
        code="T14",
        severity="error",
        find=_person_twice,
        rule="A person must be in one row.",
        remedy="Delete the row that is not the person's, or correct the identifier.",
    ),
    Rule(
        code="T15",
        severity="error",
        fields=(ARM,),
        find=_cluster_in_two_arms,
        rule="Clusters were drawn whole, so everyone in a cluster must be in one arm.",
        remedy="Compare the table with the list that was drawn.",
    ),
    Rule(
        code="T16",
        severity="error",
        find=_cluster_in_two_strata,
        rule="A cluster must lie in one stratum.",
        remedy="Compare the table with the list that was drawn, or take the column out of the strata of the plan.",
    ),
    Rule(
        code="T17",
        severity="error",
        fields=(ARM,),
        find=_nobody_in_arm,
        rule="Every arm of the plan must hold people.",
        remedy="Check how the table writes its arms, or take the arm out of the plan.",
    ),
    Rule(
        code="T18",
        severity="warning",
        find=_all_missing,
        rule="A column of the dictionary should hold a value in every arm.",
        remedy="Check the export; what cannot be estimated without it is listed in the report with the reason.",
    ),
    Rule(
        code="T19",
        severity="warning",
        find=_stratum_of_one_arm,
        rule="A stratum in which the arms were drawn should hold more than one arm.",
        remedy="Check strata and arms against the list that was drawn; such a stratum tells nothing of the effect.",
    ),
)
FILE_OF_TABLE_RULES = (
    TABLE_MISSING,
    TABLE_UNREADABLE,
    UNKNOWN_COLUMN,
    RAGGED,
    COLUMN_MISSING,
    PERSONAL_COLUMN,
    NO_PEOPLE,
)
