"""What these data do not allow keeps its rows, each with the reason, and the report goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import pandas as pd

from hhp_stats.errors import EstimationError
from hhp_stats.estimate.imputation import Imputations
from hhp_stats.estimate.tipping import SHIFTED
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.results.contrast import EITHER_WAY
from hhp_stats.results.frame import NOT_ALLOWED, Analysis, ResultRow, not_estimated
from hhp_stats.studies.output import NOT_MADE

T = TypeVar("T")


def attempted(task: Callable[[], T]) -> T | EstimationError:
    """What a task makes, or why the data do not allow it."""
    try:
        return task()
    except EstimationError as error:
        return error
    except NOT_ALLOWED as error:
        return EstimationError(str(error))


def reason(error: EstimationError) -> str:
    """As it stands in the note of a row."""
    return f"{type(error).__name__}: {error}"


def lacking(
    plan: ReturnsPlan,
    tails: Iterable[str],
    error: EstimationError,
    *,
    method: str,
    source: str,
    kind: Analysis = "exploratory",
    clause: str = "",
    contrast: str = EITHER_WAY,
) -> list[ResultRow]:
    """A row for each id that would have been there, with the reason."""
    return [
        not_estimated(
            result_id=f"{plan.study}/{tail}",
            reason=reason(error),
            population=plan.populations["randomised"].label,
            contrast=contrast,
            method=method,
            analysis=kind,
            clause=clause,
            source=source,
        )
        for tail in tails
    ]


def made_tables(
    tables: Mapping[str, pd.DataFrame | EstimationError], *, lines: Mapping[tuple[str, str], EstimationError]
) -> dict[str, pd.DataFrame]:
    """The tables that could be made, and, where any could not, or a line of one could not (`lines`, by table and line),
    the list of these with the reasons.

    The list has the columns table, line (empty where there is no table) and reason.
    """
    made = {name: table for name, table in tables.items() if not isinstance(table, EstimationError)}
    lost = [(name, "", reason(error)) for name, error in tables.items() if isinstance(error, EstimationError)]
    lost += [(*place, reason(error)) for place, error in lines.items()]
    return made | ({NOT_MADE: pd.DataFrame(lost, columns=["table", "line", "reason"])} if lost else {})


def tipping_tails(outcome: str) -> list[str]:
    """The ids, without the study, of an outcome's tipping points."""
    return [f"{outcome}/tipping/{shifted}-{side}" for shifted in SHIFTED for side in ("low", "high")]


class CompletedTrials(Mapping[str, Imputations]):
    """The completed data sets of every model by name; asked for one that could not be made, it raises why.

    Iterating gives those that were made.
    """

    def __init__(self, made: Mapping[str, Imputations | EstimationError]) -> None:
        self._made = made

    def __getitem__(self, name: str) -> Imputations:
        found = self._made[name]
        if isinstance(found, EstimationError):
            raise found
        return found

    def __iter__(self) -> Iterator[str]:
        return (name for name, found in self._made.items() if not isinstance(found, EstimationError))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def failed(self) -> dict[str, EstimationError]:
        """Those that could not be made, with why."""
        return {name: found for name, found in self._made.items() if isinstance(found, EstimationError)}

    def attempt(self, name: str, task: Callable[[Imputations], Any]) -> Any:
        """What a task makes of one of them, or why it could not."""
        return attempted(lambda: task(self[name]))
