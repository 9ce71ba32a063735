"""What is a rule? Code, severity, fields, what must hold, what to do, and the function that finds breaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hhp_stats.errors import Problem, Severity
from hhp_stats.intake.container import Refused

if TYPE_CHECKING:
    from hhp_stats.intake.table import Table

Mask = npt.NDArray[np.bool_]
LISTED = 60  # breaches of one rule in one column of one file that are listed cell by cell


class Breach(NamedTuple):
    """One breach in a return: the field and position (in `Return.frame`) of the offending cell, and more."""

    field: str
    position: int
    value: str | None = None  # what to say was found; None quotes the cell, masked
    also: str = ""  # address of a second cell concerned


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `find` gets what the rule's scope reads (a return, all returns, a survey ...)."""

    code: str
    severity: Severity
    rule: str
    remedy: str
    fields: tuple[str, ...] = ()
    find: Callable[[Any], Iterable[Any]] | None = None

    def problem(self, *, file: str, sheet: str = "", cell: str = "", value: str = "", cells: int = 1) -> Problem:
        """A problem that breaks this rule at one place."""
        return Problem(
            code=self.code,
            severity=self.severity,
            file=file,
            sheet=sheet,
            cell=cell,
            value=value,
            rule=self.rule,
            remedy=self.remedy,
            cells=cells,
        )

    def refused(self, *, file: str, refused: Refused) -> Problem:
        """The problem of a file that could not be opened, in the words of what refused it."""
        return Problem(
            code=self.code,
            severity=self.severity,
            file=file,
            rule=refused.rule,
            remedy=refused.remedy,
            value=refused.found,
        )


def at(mask: Any, name: str) -> Iterator[Breach]:
    """A breach of the field at every position where the mask holds."""
    for position in np.flatnonzero(np.asarray(mask, dtype=bool)):
        yield Breach(name, int(position))


def numbers(table: Table, name: str) -> npt.NDArray[np.float64]:
    """The numbers of a field, all missing where the file does not have it."""
    if name not in table.frame:
        return np.full(len(table.frame), np.nan)
    return table.frame[name].to_numpy(dtype=float)


def breach_problems(rule: Rule, table: Table, breaches: Iterable[Breach]) -> list[Problem]:
    """The problems of one rule in one return; very many breaches of one column are summed up by rows."""
    by_field: dict[str, list[Breach]] = {}
    for breach in breaches:
        by_field.setdefault(breach.field, []).append(breach)
    problems = []
    for name, found in by_field.items():
        for breach in found[:LISTED]:
            cell = table.cell(name, breach.position)
            value = table.quote(name, breach.position) if breach.value is None else breach.value
            problems.append(
                rule.problem(
                    file=table.file,
                    sheet=table.sheet,
                    value=value,
                    cell=f"{cell}, {breach.also}" if breach.also else cell,
                )
            )
        rest = found[LISTED:]
        if rest:
            first, last = table.cell(name, rest[0].position), table.cell(name, rest[-1].position)
            problems.append(
                rule.problem(
                    file=table.file,
                    sheet=table.sheet,
                    cell=f"{first}:{last}",
                    value=f"{len(rest)} more cells of this column like the {LISTED} listed",
                    cells=len(rest),
                )
            )
    return problems
