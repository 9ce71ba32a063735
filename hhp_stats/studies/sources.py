"""What stands in the column `source` of a row: the functions that ran for it, noted while they ran."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, ParamSpec, TypeVar, cast

from hhp_stats.ran import name_of, names_in, ran_before, recorded, source_of
from hhp_stats.results import ResultRow

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
    """The row with a p value adjusted for several tests, and what adjusted it in its source."""
    names = dict.fromkeys([*names_in(row.source), *adjustment.made_by])
    return replace(row, p_adjusted=adjustment.value, source=source_of(names))


def states_source(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """A function of a study that makes rows. Those that it leaves without a source name the estimators that ran in it;
    where none did, the function computes by itself, and they name the function.
    """
    return _stating(function, itself=False)


def states_itself(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """The same for a function that holds a formula of its own: its rows name it after the estimators that it called."""
    return _stating(function, itself=True)


def _stating(function: Callable[Given, Made], *, itself: bool) -> Callable[Given, Made]:
    @functools.wraps(function)
    def call(*arguments: Given.args, **named: Given.kwargs) -> Made:
        with recorded() as ran:
            made = function(*arguments, **named)
        names = [*ran.names, *([name_of(function)] if itself or not ran.names else [])]
        return cast(Made, _stated(made, source_of(names)))

    return call


def _stated(made: Any, source: str) -> Any:
    """Every row among what was made, in lists and tuples as well, with the source where it has none."""
    if isinstance(made, ResultRow):
        return made if made.source else replace(made, source=source)
    if type(made) in (list, tuple):
        return type(made)(_stated(one, source) for one in made)
    return made
