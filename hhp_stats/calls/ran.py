"""Which functions an estimate came from: recorded while they run, never typed by hand.

`with recorded() as ran:` notes every public estimator (`hhp_stats.calls.typed`) that is called inside, the outermost
only: what an estimator calls in turn stands in its own source. `ran.source` is the column `source` of a result row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

_AND = " + "


def name_of(function: Callable[..., Any]) -> str:
    """The full name of a function, as sources have it."""
    return f"{function.__module__}.{function.__qualname__}"


def source_of(names: Iterable[str]) -> str:
    """Names of functions as one text, `module.function + module.function`."""
    return _AND.join(names)


def names_in(source: str) -> tuple[str, ...]:
    """The names of functions that a source holds; none of an empty one."""
    return tuple(name for name in source.split(_AND) if name)


class Ran:
    """The functions that ran, by their full names, in the order of their first call."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._depth = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Full names, `module.function`."""
        return tuple(self._names)

    @property
    def source(self) -> str:
        """The names as one text, `module.function + module.function`."""
        return source_of(self._names)

    @contextlib.contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """While the function of this name runs."""
        if not self._depth:
            self._names.setdefault(name)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def add(self, names: Iterable[str]) -> None:
        """Functions that ran before, whose result is used now: an imputation that several analyses share."""
        if not self._depth:
            self._names.update(dict.fromkeys(names))


_now: ContextVar[Ran | None] = ContextVar("functions that run", default=None)


@contextlib.contextmanager
def recorded() -> Iterator[Ran]:
    """Note the functions that run inside; a recording within another one notes for both."""
    outer, ran = _now.get(), Ran()
    token = _now.set(ran)
    try:
        yield ran
    finally:
        _now.reset(token)
        if outer is not None:
            outer.add(ran.names)


def running(name: str) -> contextlib.AbstractContextManager[None]:
    """While the function of this name runs; nothing where nobody records."""
    now = _now.get()
    return contextlib.nullcontext() if now is None else now.inside(name)


def ran_before(names: Iterable[str]) -> None:
    """Say that what is used now was made by these functions."""
    now = _now.get()
    if now is not None:
        now.add(names)
