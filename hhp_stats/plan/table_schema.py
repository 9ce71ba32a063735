"""What a plan says of a trial whose data are one plain table: file, dictionary, words, and the defaults of its
analyses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hhp_stats.plan.records import Count, Several
from hhp_stats.regression.model_matrix import TermKind

ColumnKind = Literal["identifier", "arm", "cluster", "category", "number", "0/1", "date", "text"]
TERM_KINDS: Mapping[str, TermKind] = {
    "number": "continuous",
    "0/1": "binary",
    "category": "categorical",
    "cluster": "categorical",
}
ARM = "arm"  # what the plan and the dictionary call the column of the arms, whatever its heading in the file


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Where a trial's table lies: one row a person, checked against a dictionary of its columns.

    `columns` gives the heading in the file of each column that the plan calls otherwise. Without `person` a row is a
    person.
    """

    file: str
    dictionary: str = ""  # data/plan/<study>.dictionary.csv
    person: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def heading(self, column: str) -> str:
        """The heading in the file of a column of the plan."""
        return self.columns.get(column, column)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """One line of the dictionary: what a column holds and which values it may take."""

    column: str
    meaning: str
    kind: ColumnKind
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()  # values of a category
    zero_one: tuple[str, ...] = ()  # of a column of zeros and ones in words: what stands for zero, then for one
    scale: tuple[tuple[str, float], ...] = ()  # of a column of numbers in words: each word and what it counts as
    missing: tuple[str, ...] = ()  # codes that stand for "not known"

    @property
    def no_yes(self) -> tuple[str, str]:
        """Of zeros and ones: the words for zero and for one, the table's own where it has any."""
        zero, one = self.zero_one or ("no", "yes")
        return zero, one

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that the dictionary gives the column: its categories, or what stands for its numbers."""
        return (*self.allowed, *self.zero_one, *(word for word, _ in self.scale))

    @property
    def coded(self) -> tuple[str, ...]:
        """Of numbers in words, zeros and ones too: each word with what it stands for, as in "poor (0)"."""
        pairs = (*((word, float(place)) for place, word in enumerate(self.zero_one)), *self.scale)
        return tuple(f"{word} ({number:g})" for word, number in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a report calls people and the groups that were randomised whole: singular and plural."""

    person: tuple[str, ...] = ("person", "people")
    cluster: tuple[str, ...] = ("team", "teams")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDefaults:
    """The planned model of every outcome, and what is computed beside it.

    Empty `covariance` and `df` stand for those of the design: HC2 with residual degrees of freedom where people were
    drawn, CR2 with Satterthwaite's where clusters were.
    """

    estimator: str = "ols"
    terms: tuple[str, ...] = ()
    covariance: str = ""
    df: str = ""
    beside: tuple[str, ...] | None = None  # None: the unadjusted difference, Hedges' g, and a test from the arms
    imputations: Several = 50
    iterations: Count = 10
    auxiliary: tuple[str, ...] = ()  # columns that help to impute, beside the terms and the outcome's other waves


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancePlan:
    """Which columns show whether the arms are alike; none named: the model's terms and every baseline."""

    columns: tuple[str, ...] = ()
