"""The classes of people of a pilot: tables with a line each, and bars."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from great_tables import GT
from matplotlib.figure import Figure

from hhp_stats.errors import UnknownName
from hhp_stats.plan.catalogue import study_entry
from hhp_stats.plan.pilot_schema import EVERYBODY, ClassTable
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.listing import capital
from hhp_stats.present.numbers import count, percent, withheld, withheld_note
from hhp_stats.present.pilots.report import PilotReport
from hhp_stats.present.release import while_synthetic
from hhp_stats.present.style import INK, apply_style, narrow
from hhp_stats.present.tables import plain_table


def _named(report: PilotReport, names: str) -> list[ClassTable]:
    known = report.plan.tables
    for name in names.split("/"):
        if name not in known:
            raise UnknownName(f"the plan of {report.plan.study} has no table {name!r}; known: {', '.join(known)}")
    return [known[name] for name in names.split("/")]


def classes(report: PilotReport, names: str) -> GT:
    """People by class, with shares and sums; several tables, `frequency/would_continue`, below each other under their
    questions.
    """
    tables = _named(report, names)
    several, stub = len(tables) > 1, tables[0].label
    parts = []
    for table in tables:
        found = report.table(table.id)
        cells: dict[str, list[str]] = {stub: [capital(str(label)) for label in found["class"]]}
        if several:
            cells["of"] = [table.question or table.label] * len(found)
        cells["People"] = [count(n) for n in found["people"]]
        if table.share:
            cells["Share"] = [percent(v, 0) for v in found["share"]]
        for name in table.sums:
            cells[capital(name.replace("_", " "))] = [count(n) for n in found[name]]
            cells[f"Share of all {name.replace('_', ' ')}"] = [percent(v, 0) for v in found[f"share_of_{name}"]]
        parts.append(pd.DataFrame(cells))
    return plain_table(
        pd.concat(parts, ignore_index=True).fillna(""),
        stub=stub,
        groups="of" if several else None,
        notes=[*_notes(report, tables), *withheld_note(pd.concat([report.table(table.id) for table in tables]))],
    )


def _notes(report: PilotReport, tables: Sequence[ClassTable]) -> list[str]:
    """Of whom the lines are, and what the plan says of them; what holds of synthetic data only while they are."""
    whom = dict.fromkeys(report.plan.populations[table.population].label for table in tables)
    about = [f"{', '.join(whom)}."] if any(table.population != EVERYBODY for table in tables) else []
    said = [each for table in tables for each in (table.note, _synthetic(report, table)) if each]
    return [" ".join(each) for each in [[*about, *dict.fromkeys(said)]] if each]


def _synthetic(report: PilotReport, table: ClassTable) -> str:
    return while_synthetic(report.plan.study, table.synthetic, root=report.root) if table.synthetic else ""


def _most_frequent(table: pd.DataFrame) -> str:
    """The class with the most people among those that may be shown."""
    known = [row for row in table.to_dict("records") if not withheld(row["people"])]
    return str(max(known, key=lambda row: int(row["people"]))["class"]).lower() if known else "withheld"


def bars(report: PilotReport, names: str, *, caption: str = "") -> EmbeddedFigure:
    """Bars of people by class, a panel for each table named, `minutes/frequency`, on one scale."""
    tables = _named(report, names)
    found = [report.table(table.id) for table in tables]
    titles = [table.title or table.label for table in tables]
    words = [
        f"{title}: {', '.join(f'{label}: {count(n)}' for label, n in zip(each['class'], each['people'], strict=True))}"
        for title, each in zip(titles, found, strict=True)
    ]
    most = [f"{title}: {_most_frequent(each)}" for title, each in zip(titles, found, strict=True)]
    return embed(
        lambda width: _drawn(list(zip(titles, found, strict=True)), width=width),
        root=report.root,
        document=report.document,
        label=f"{study_entry(report.root, report.plan.study).short}-{names.replace('/', '-').replace('_', '-')}",
        conclusion=f"Most frequent. {'; '.join(most)}",
        alt=f"Bar chart{'s' if len(found) > 1 else ''} of people. {'. '.join(words)}.",
        caption=caption or f"{'; '.join(titles)}: people",
    )


def _drawn(panels: Sequence[tuple[str, pd.DataFrame]], *, width: float) -> Figure:
    """Bars of people, side by side; on a telephone one below the other."""
    apply_style()
    stacked, many = narrow(width), len(panels)
    down, across = (many, 1) if stacked else (1, many)
    height = sum(0.9 + 0.4 * len(table) for _, table in panels) if stacked else 3.0
    figure, grid = plt.subplots(down, across, figsize=(width, height), sharex=stacked, squeeze=False)
    drawn = list(grid.flat)
    # One scale for all: the numbers of people are comparable, what they did is not.
    shown = [float(people) for _, table in panels for people in table["people"] if not withheld(people)]
    for axes, (title, table) in zip(drawn, panels, strict=True):
        places = range(len(table) - 1, -1, -1)
        # A withheld number has no bar; its mark stands in its place.
        axes.barh(places, pd.to_numeric(table["people"], errors="coerce").fillna(0), color=INK)
        axes.set_yticks(list(places), table["class"].astype(str))
        axes.set_title(title)
        axes.set_xlim(0, 1.15 * max([1.0, *shown]))
        axes.xaxis.get_major_locator().set_params(integer=True)
        for place, people in zip(places, table["people"], strict=True):
            axes.annotate(
                count(people),
                (0 if withheld(people) else people, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
            )
    for axes in drawn[-1:] if stacked else drawn:
        axes.set_xlabel("People")
    return figure
