"""Every error this package raises on purpose, so that a caller can tell them apart.

Three families: what is wrong with a file (`Problem`, `DataError`), what is wrong with the plan
(`PlanError`), and what cannot be estimated (`EstimationError` and its kinds). Each says what was
found, where, which rule it breaks and what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


class HhpError(Exception):
    """Base of all errors raised on purpose; the command line prints it without a traceback and ends with its status."""

    exit_status = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one place of one file, in words its owner can act on.

    `value` is what was found there, never a name or e-mail address: `intake` masks those first.
    """

    code: str  # stable, for example "R07"; the rule's function and test carry it
    severity: Severity
    file: str  # path relative to the project, with forward slashes
    rule: str  # what must hold, in plain English
    remedy: str  # what to do about it
    sheet: str = ""
    cell: str = ""  # "G14"; for CSV files "row 14, column G (days)"
    value: str = ""
    cells: int = 1  # how many it is about: the last of very many in one column stands for the rest

    def __str__(self) -> str:
        sheet = f", sheet {self.sheet!r}" if self.sheet else ""
        cell = f", {self.cell}" if self.cell else ""
        found = f" Found {self.value}." if self.value else ""
        return f"{self.file}{sheet}{cell}: [{self.code}] {self.rule}{found} {self.remedy}"


class DataError(HhpError):
    """Raw files break rules; nothing was read into an analysis. Carries every problem found.

    `beside`: what was found with them and alone would stop nothing. It may say where the problems come from.
    """

    def __init__(self, problems: list[Problem], beside: Sequence[Problem] = ()) -> None:
        self.problems, self.beside = tuple(problems), tuple(beside)
        count = sum(problem.cells for problem in self.problems)
        head = f"{count} problem{'s' if count != 1 else ''} in the data:"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes."""
        return type(self), (list(self.problems), self.beside)


def refuse_errors(found: Sequence[Problem]) -> None:
    """Refuses (DataError) raw files with errors among what was found; warnings and notes go with these."""
    errors = [problem for problem in found if problem.severity == "error"]
    if errors:
        raise DataError(errors, [problem for problem in found if problem.severity != "error"])


class PlanError(HhpError):
    """The plan contradicts itself, cites an unknown clause, or differs from what ran."""

    def __init__(self, file: str, place: str, rule: str, remedy: str) -> None:
        self.file, self.place, self.rule, self.remedy = file, place, rule, remedy
        super().__init__(f"{file}, {place}: {rule} {remedy}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes."""
        return type(self), (self.file, self.place, self.rule, self.remedy)


class RenderError(HhpError):
    """A document cannot be rendered: names the source file and line."""

    def __init__(self, file: str, line: int | None, message: str) -> None:
        self.file, self.line, self.message = file, line, message
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes."""
        return type(self), (self.file, self.line, self.message)


class EstimationError(HhpError):
    """The estimate that was asked for does not exist for these data. Never replaced silently."""


class NoObservations(EstimationError):
    """Nothing is left to analyse: for example all outcomes are missing."""


class NothingUnknown(EstimationError):
    """Bounds were asked for, and everybody's outcome is known: nothing that is missing could change the effect."""


class ConstantTreatment(EstimationError):
    """Everyone analysed is in the same arm."""


class SingleClusterArm(EstimationError):
    """An arm holds fewer than two clusters: its variance is not identified."""


class CollinearTerms(EstimationError):
    """Terms of the model determine each other exactly; the message names them."""


class Separation(EstimationError):
    """A term predicts a binary outcome perfectly: the maximum likelihood estimate is infinite."""


class NonConvergence(EstimationError):
    """The optimiser stopped before it found a maximum; the message holds its report."""


class UnknownName(EstimationError):
    """An estimator was asked for a term, method or covariance that does not exist."""


class InvalidInput(EstimationError, ValueError):
    """A value or argument that cannot be what it claims: a score off its scale, a share above one."""


class NoConclusion(HhpError):
    """A sentence asks what follows from a result that these data do not give."""


class UndeclaredCount(HhpError):
    """A number of people is about to be written of which nobody said whom it counts, or of others than was said."""


class ImputationRefused(EstimationError):
    """A variable cannot be imputed as planned: constant, of another kind, or circular."""


class ValidationFailed(HhpError):
    """An estimator no longer gives the number that other software, a publication or arithmetic gives."""


class SelfCheckFailed(HhpError):
    """Numbers of our own results or rendered pages contradict each other; names each with its result id or page."""

    def __init__(self, head: str, problems: list[str]) -> None:
        self.head, self.problems = head, tuple(problems)
        super().__init__("\n".join([f"{head}{':' if problems else ''}", *(f"  {problem}" for problem in problems)]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes."""
        return type(self), (self.head, list(self.problems))


class SecondProgrammeDisagrees(SelfCheckFailed):
    """A planned result is not what statsmodels or linearmodels make of the same rows; names each with both numbers."""
