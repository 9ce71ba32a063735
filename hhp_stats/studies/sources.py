"""What stands in the column `source` of a row: the functions that ran for it, noted while they ran."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, ParamSpec, TypeVar, cast

from hhp_stats.calls.ran import name_of, names_in, ran_before, recorded, source_of
from hhp_stats.results.frame import ResultRow

Given = ParamSpec("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced(Generic[Made]):
    """Something that several rows rest on, and the functions that made it."""

    value: Made
    made_by: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The functions, as the column `source` has them."""
        return source_of(self.made_by)

    def used(self) -> Made:
        """The value, for a row that is being made: what made it belongs to the row's source."""
        ran_before(self.made_by)
        return self.value


def sourced(task: Callable[[], Made]) -> Sourced[Made]:
    """What a task returns, with the functions that ran in it."""
    with recorded() as ran:
        made = task()
    return Sourced(value=made, made_by=ran.names)


def adjusted(row: ResultRow, adjustment: Sourced[float]) -> ResultRow:
    """The row with a p value adjusted for several tests and, where it has one, what adjusted it in its source."""
    if math.isnan(adjustment.value):
        return row
    names = dict.fromkeys([*names_in(row.source), *adjustment.made_by])
    return replace(row, p_adjusted=adjustment.value, source=source_of(names))


def states_source(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """A function of a study that makes rows: it stands first in the source of each, before the estimators that it
    called.

    Rows that it gives a source of their own keep that after it; to the others belongs whatever ran inside.
    """

    @functools.wraps(function)
    def call(*arguments: Given.args, **named: Given.kwargs) -> Made:
        with recorded() as ran:
            made = function(*arguments, **named)
        return cast(Made, _stated(made, name_of(function), ran.names))

    return call


def _stated(made: Any, name: str, ran: tuple[str, ...]) -> Any:
    """Every row among what was made, in lists and tuples as well, with its source."""
    if isinstance(made, ResultRow):
        return replace(made, source=source_of(dict.fromkeys([name, *(names_in(made.source) or ran)])))
    if type(made) in (list, tuple):
        return type(made)(_stated(one, name, ran) for one in made)
    return made
