"""The records that the plan of a pilot consists of: its lists or its table, and what is counted in them;
`plan.pilot_plan` fills them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hhp_stats.plan.individual_schema import IndividualPlan
from hhp_stats.plan.records import Count, Natural

EVERYBODY = "everybody"  # the population of a pilot that every plan has
STATISTICS: Mapping[str, str] = {"count": "count", "share": "exact", "sum": "count", "largest": "count", "mean": "mean"}
"""What a descriptive may be, and the last part of the id of its row: numbers of people and sums are counts."""
# Tables that every study writes, or may.
OWN_TABLES = (
    "conduct",
    "corrections",
    "inputs",
    "linkage",
    "not_made",
    "people",
    "problems",
    "results",
    "second",
    "themes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListColumn:
    """One column of a list: what it holds and which values it may take."""

    column: str
    kind: Literal["identifier", "category", "integer", "number", "date"]
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedList:
    """One list of a pilot. The first lists the people; the others hold lines about them, by the same identifier.

    A list in which everybody stands once (`once`) adds its columns to the people; of the others `sums` are added up
    over each person's lines. `lines_as` names the column that says how many lines a person has. `lines` and `people`
    say how many there are: nothing else would show that some are missing.
    """

    id: str
    file: str
    columns: tuple[ListColumn, ...]
    once: bool = True
    of: str = EVERYBODY  # the population to which its people belong
    lines_as: str = ""
    sums: tuple[str, ...] = ()
    lines: Natural | None = None
    people: Natural | None = None
    sources: tuple[str, ...] = ()

    @property
    def identifier(self) -> str:
        """The column that names a person."""
        return next(each.column for each in self.columns if each.kind == "identifier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptive:
    """A number that describes: of a population those for whom `where` holds, how many they are, their share of it, or
    the sum, the largest value or the mean of a column over them.

    `id` is outcome/estimand; `noun`, singular and plural, is what they are called where their number stands in words.
    """

    id: str
    label: str
    population: str = EVERYBODY
    where: str = ""
    statistics: tuple[str, ...] = ("count",)  # of STATISTICS
    column: str = ""
    known: str = ""  # column that must be known of whoever belongs to the population
    noun: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableClass:
    """One line of a table of classes: the people for whom the condition holds."""

    label: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTable:
    """A table with a line for each class of a population: how many people, their share, and sums over them.

    Classes are the values that `column` may take, or conditions of their own; people of the population who are in none
    have a last line.
    """

    id: str
    label: str  # of its first column
    population: str = EVERYBODY
    column: str = ""
    classes: tuple[TableClass, ...] = ()
    share: bool = True
    sums: tuple[str, ...] = ()
    question: str = ""  # that was asked, above its lines where several tables stand below each other
    title: str = ""  # above its bars, "" for the label
    note: str = ""
    synthetic: str = ""  # a note that holds while the data are synthetic
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotDesign:
    """Whom a pilot is about; nobody was randomised."""

    kind: Literal["pilot"]
    unit: str = ""  # in words; "" for the plan's word for a person
    people: Count | None = None  # how many there are; a plan of a plain table has to say it
    clauses: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotPlan(IndividualPlan):
    """The plan of a study in which people are counted and described, and nothing is compared: no arms, no analyses."""

    lists: Mapping[str, PlannedList] = field(default_factory=dict)
    descriptives: Mapping[str, Descriptive] = field(default_factory=dict)
    tables: Mapping[str, ClassTable] = field(default_factory=dict)
