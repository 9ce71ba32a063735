"""What the chapter can ask for by name: the name is that of the function, so that no list repeats it.

`gs.say("primary")` is the function `primary` marked with `@sentence` in one of the modules of this folder. A table or
figure beside a sentence of the same name ends in `_table` or `_figure`: `gs.table("primary")` is `primary_table`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from great_tables import GT

from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure

Made = TypeVar("Made")
Presenter = Callable[[StudyReport], Made]

SENTENCES: dict[str, Presenter[str]] = {}
TABLES: dict[str, Presenter[GT]] = {}
FIGURES: dict[str, Presenter[EmbeddedFigure]] = {}


def sentence(function: Presenter[str]) -> Presenter[str]:
    """A sentence of the chapter, by the function's name; two of one name are refused (ValueError)."""
    return _named(SENTENCES, function)


def table(function: Presenter[GT]) -> Presenter[GT]:
    """The same for a table; its function may end in `_table`."""
    return _named(TABLES, function, "_table")


def figure(function: Presenter[EmbeddedFigure]) -> Presenter[EmbeddedFigure]:
    """The same for a figure; its function may end in `_figure`."""
    return _named(FIGURES, function, "_figure")


def _named(known: dict[str, Presenter[Made]], function: Presenter[Made], kind: str = "") -> Presenter[Made]:
    name = function.__name__.removesuffix(kind)
    if name in known:
        other = known[name].__module__
        raise ValueError(f"{name} is in {other} and in {function.__module__}: one name, one function")
    known[name] = function
    return function
