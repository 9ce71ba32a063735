"""Which values are missing: the map by arm and authority, and the unanswered items of the scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from great_tables import GT
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from hhp_stats.present.data_appendix.own_trial import OfReturns
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.numbers import WITHHELD, count, lowered, percent, plural, withheld, withheld_note
from hhp_stats.present.row_axes import row_axes
from hhp_stats.present.style import GRID, INK, PAPER, QUIET, TINTS, TREATMENT, narrow
from hhp_stats.present.tables import plain_table

# Share missing above which a cell of the map has the next fill; the text of the darkest is in the paper's colour.
CLASSES = (
    (0.0, "none", "none", INK),
    (0.10, "up to 10%", GRID, INK),
    (0.50, "10% to 50%", TINTS[0], INK),
    (1.01, "over 50%", TREATMENT, PAPER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(OfReturns):
    """Which values are missing, of whom."""

    def map(self) -> EmbeddedFigure:
        """Share of the randomised who lack each variable, by arm and authority, as a map."""
        table = self.report.table("missingness")
        shares = table.assign(
            share=[
                (
                    WITHHELD
                    if withheld(row["missing"], row["people"])
                    else row["missing"] / row["people"]
                    if row["people"]
                    else float("nan")
                )
                for row in table.to_dict("records")
            ]
        )
        grid = shares.pivot_table(index="label", columns="group", values="share", aggfunc="first", sort=False)
        grid = grid.loc[list(dict.fromkeys(table["label"])), list(dict.fromkeys(table["group"]))]
        arms = list(self.report.plan.design.arm_labels.values())
        mark = "".join(f". {note}" for note in withheld_note(grid))
        return embed(
            lambda width: _heat_map(grid, arms=len(arms), width=width),
            root=self.report.root,
            document=self.report.document,
            label="c-missingness",
            conclusion=_most_missing(shares),
            alt=f"Map of the share of randomised staff without a value. {_map_in_words(grid, arms)}",
            caption=f"Share of randomised staff without a value, by arm and local authority{mark.rstrip('.')}",
        )

    def items(self, wave: str) -> GT:
        """How completely the scales of one survey were answered by those who answered it at all."""
        table = self.report.table("item_nonresponse")
        part = table.loc[table["wave"] == wave]
        cells = pd.DataFrame(
            {
                "Scale": part["label"],
                "Items": [count(n) for n in part["items"]],
                "Answers missing": [_in_whole_percent(share) for share in part["missing_share"]],
            }
        )
        return plain_table(
            cells,
            stub="Scale",
            notes=[
                f"Of the answers of the {count(part['respondents'].iloc[0])} randomised staff who answered the {wave}"
                " survey."
            ],
        )


def _heat_map(grid: pd.DataFrame, *, arms: int, width: float) -> Figure:
    """Cells filled by class of share and labelled with it; arms stand apart from authorities."""
    frame = row_axes([str(name) for name in grid.index], width=width, row=0.27, around=1.7)
    figure, axes = frame.figure, frame.axes
    gap = 0.25
    centres = [column + (gap if column >= arms else 0) for column in range(grid.shape[1])]
    tall = 0.92 * frame.unit
    for y, (_, row) in zip(frame.places, grid.iterrows(), strict=True):
        for x, share in zip(centres, row, strict=True):
            fill, ink, text = _look(share)
            axes.add_patch(
                Rectangle((x - 0.48, y - tall / 2), 0.96, tall, facecolor=fill, edgecolor=GRID, linewidth=0.6)
            )
            axes.text(x, y, text, ha="center", va="center", fontsize=7.5, color=ink)
    axes.set_xlim(-0.6, centres[-1] + 0.6)
    axes.set_xticks(
        centres, [str(name) for name in grid.columns], rotation=40, ha="left", rotation_mode="anchor", fontsize=8
    )
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(False)
    handles = [Patch(facecolor=fill, edgecolor=QUIET, linewidth=0.6, label=label) for _, label, fill, _ in CLASSES]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=2 if narrow(width) else len(CLASSES),
        fontsize=8,
        title="Share missing",
        title_fontsize=8,
    )
    return figure


def _look(share: Any) -> tuple[str, str, str]:
    """Fill, colour of the text, and text of one cell."""
    if withheld(share):
        return "none", QUIET, WITHHELD
    value = float(share)
    if pd.isna(value):
        return "none", QUIET, ""
    _, _, fill, ink = next(each for each in CLASSES if value <= each[0])
    return fill, ink, "0" if value == 0 else percent(value, 0) if value >= 0.005 else "< 1%"


def _most_missing(shares: pd.DataFrame) -> str:
    """Which variable is missing most often, and where; `shares` has `label`, `group` and `share` or its mark."""
    known = [row for row in shares.to_dict("records") if not withheld(row["share"]) and not pd.isna(row["share"])]
    if not known:
        return "No share may be shown"
    most = max(known, key=lambda row: float(row["share"]))
    return f"Missing most often: {lowered(most['label'])}, for {percent(most['share'], 0)} in {most['group']}"


def _map_in_words(grid: pd.DataFrame, arms: Sequence[str]) -> str:
    """Variables complete everywhere together; the others with both arms and the range over authorities."""
    complete, sentences = [], []
    for label, row in grid.iterrows():
        if all(not withheld(share) and share == 0 for share in row):
            complete.append(str(label))
            continue
        by_arm = ", ".join(f"{percent(row[arm], 0)} of {lowered(arm)}" for arm in arms)
        others: Mapping[str, Any] = {str(name): share for name, share in row.items() if name not in arms}
        known = {name: float(share) for name, share in others.items() if not withheld(share) and not pd.isna(share)}
        spread = ""
        if known:
            low, high = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
            spread = f"; by authority {percent(known[low], 0)} ({low}) to {percent(known[high], 0)} ({high})"
        hidden = sum(withheld(share) for share in others.values())
        spread += f"; withheld for {plural(hidden, 'authority', 'authorities')}" if hidden else ""
        sentences.append(f"{label}: {by_arm}{spread}.")
    lead = f"Complete in every group: {', '.join(lowered(label) for label in complete)}. " if complete else ""
    return lead + " ".join(sentences)


def _in_whole_percent(share: Any) -> str:
    """A share so rounded that no count of people follows from it."""
    value = float(share)
    return "none" if value == 0 else "under 1%" if value < 0.01 else percent(value, 0)
