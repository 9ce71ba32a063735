"""What stands on a page in place of a sentence or table that these data do not allow: the reason."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib.pyplot as plt
import pandas as pd
from great_tables import GT
from matplotlib.figure import Figure

from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.escaped import EscapedTable
from hhp_stats.present.markdown import escaped
from hhp_stats.results.lacking import as_sentence, noted

Kind = Literal["str", "GT"]
HEAD = "These data do not allow it"


def kind_of(function: Callable[..., Any]) -> Kind | None:
    """What a presenter makes, by its annotation: a sentence, a table, or something that nothing can stand in for."""
    while isinstance(function, functools.partial):
        function = function.func
    made = getattr(function, "__annotations__", {}).get("return")
    name = made if isinstance(made, str) else getattr(made, "__name__", "")
    return name if name in ("str", "GT") else None  # type: ignore[return-value]


def stand_in(function: Callable[..., Any], reasons: Sequence[str]) -> str | GT:
    """The first reason, as a sentence or as the only line of a table."""
    reason = as_sentence(reasons[0])
    if kind_of(function) == "str":
        return f"({HEAD}. {escaped(reason)})"
    return EscapedTable(pd.DataFrame([{HEAD: reason}]))


def drawn_or_said(
    draw: Callable[[], EmbeddedFigure], *, root: Path, document: str, label: Callable[[], str]
) -> EmbeddedFigure:
    """A figure; or, of what these data do not give, a frame with the reason under the label that texts refer to."""
    with noted() as reasons:
        try:
            return draw()
        except Exception:
            if not reasons:  # a fault
                raise
            reason = as_sentence(reasons[0])
    alt = f"An empty frame: {HEAD[0].lower()}{HEAD[1:]}."
    caption = f"Not drawn. {HEAD}. {reason.rstrip('.')}"  # whoever embeds it escapes its signs
    return embed(_empty, root=root, document=document, label=label(), conclusion=reason, alt=alt, caption=caption)


def _empty(width: float) -> Figure:
    figure, axes = plt.subplots(figsize=(width, 1.2))
    axes.set_axis_off()
    axes.text(0.5, 0.5, f"{HEAD}.", ha="center", va="center")
    return figure
