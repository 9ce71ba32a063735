"""The logic model of a study as a figure: what is offered, the routes from there, and where they lead."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import study_entry
from hhp_stats.plan.logic_model import END, MIDDLE, START, CausalStep, LogicModel, load_logic_model
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.listing import capital, listed_words
from hhp_stats.present.numbers import lowered, spelled
from hhp_stats.present.style import INK, QUIET, TREATMENT, apply_style

_INCHES = 3.7  # wide, about a telephone: its letters keep their size there
_ROW = 18.0  # height of a step on a route, in units of which the width has a hundred
_SIZE = 8.2


def figure(study: str, *, root: Path | None = None) -> EmbeddedFigure:
    """The logic model of a study, with what the trial measures of it told apart; refuses as `load_logic_model`."""
    home = root or find_root()
    entry, model = study_entry(home, study), load_logic_model(home, study)
    measured = [step for step in model.between if step.measured]
    between = len(model.between)
    caption = (
        "How the programme is meant to work. Steps are lettered as in the protocol. Solid frames: measured in the"
        " trial; broken frames: not measured."
    )
    return embed(
        lambda _: draw(model),
        root=home,
        document=entry.chapter,
        label=f"{entry.short}-logic-model",
        conclusion=(
            f"{capital(spelled(len(measured)))} of {spelled(between)} steps between the offer and"
            f" {lowered(model.at(MIDDLE)[0].words)} are measured"
        ),
        alt=in_words(model),
        caption=caption,
    )


def in_words(model: LogicModel) -> str:
    """The model as sentences: the offer, each route with its steps, and where all of them lead."""
    routes = [
        f"{route.words}: {listed_words([_lowered(step) for step in model.at(route.id)])}." for route in model.routes
    ]
    ends = listed_words([lowered(step.words) for step in model.at(END)])
    return (
        f"Offered is: {lowered(model.at(START)[0].words)}. {' '.join(routes)} All routes lead to"
        f" {lowered(model.at(MIDDLE)[0].words)}, and from there to {ends}."
    )


def draw(model: LogicModel) -> Figure:
    """Offer at the top, one column a route, the outcome they meet in, and what follows from it at the foot."""
    apply_style()
    most = max(len(model.at(route.id)) for route in model.routes)
    height = 73 + (_ROW + 3) * most
    figure, axes = plt.subplots(figsize=(_INCHES, _INCHES * height / 100))
    axes.set_xlim(0, 100)
    axes.set_ylim(0, height)
    axes.axis("off")
    _box(axes, model.at(START)[0], x=50, y=height - 9, width=94)
    columns = _places(len(model.routes))
    top, meeting = height - 29, 27.0
    for (x, width), route in zip(columns, model.routes, strict=True):
        _arrow(axes, (x, height - 17), (x, top + 6))
        axes.text(
            x,
            top,
            textwrap.fill(route.words, 14),
            ha="center",
            va="center",
            fontsize=_SIZE,
            weight="bold",
            color=TREATMENT,
        )
        y = top - 15
        for step in model.at(route.id):
            _box(axes, step, x=x, y=y, width=width)
            y -= _ROW + 3
        _arrow(axes, (x, y + _ROW / 2 + 2), (x, meeting + 6))
    _box(axes, model.at(MIDDLE)[0], x=50, y=meeting, width=94, tall=9)
    ends = model.at(END)
    for (x, width), step in zip(_places(len(ends)), ends, strict=True):
        _arrow(axes, (x, meeting - 5.5), (x, 12))
        _box(axes, step, x=x, y=6.5, width=width, tall=9)
    return figure


def _lowered(step: CausalStep) -> str:
    return f"{lowered(step.words)} ({'measured' if step.measured else 'not measured'})"


def _places(number: int) -> Sequence[tuple[float, float]]:
    """Middle and width of columns of equal width."""
    share = 100 / number
    return [(share * (at + 0.5), share - 4) for at in range(number)]


def _box(axes: Axes, step: CausalStep, *, x: float, y: float, width: float, tall: float = _ROW - 2) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - tall / 2),
            width,
            tall,
            boxstyle="round,pad=0.2,rounding_size=1",
            facecolor="none",
            edgecolor=INK if step.measured else QUIET,
            linewidth=1.1 if step.measured else 0.9,
            linestyle="solid" if step.measured else (0, (4, 2.5)),
        )
    )
    words = textwrap.fill(step.named, width=max(12, round(width * 0.5)))
    axes.text(x, y, words, ha="center", va="center", fontsize=_SIZE, linespacing=1.15)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 0.9})
