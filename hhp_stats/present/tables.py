"""Tables of the report, by great_tables. Cells are formatted text; notes say n, clusters, df and method."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present.escaped import EscapedTable
from hhp_stats.present.marked_text import marked, plain
from hhp_stats.present.numbers import (
    MANY,
    MISSING,
    WITHHELD,
    count,
    interval,
    level,
    lowered,
    number,
    p_value,
    percent,
    withheld,
    withheld_note,
)
from hhp_stats.results.frame import LACKING, shown
from hhp_stats.results.lacking import as_sentence
from hhp_stats.results.traced import traced_records

FIGURE_SPACE, POINT_SPACE = "\u2007", "\u2009"  # a blank as wide as a figure; one about as wide as a decimal point
NOTHING = "None in this edition"
ANALYSED = ("People", "Teams")


def effects_table(
    rows: pd.DataFrame,
    *,
    labels: Sequence[str],
    stub: str,
    digits: int = 2,
    scale: float = 1.0,
    arms: Mapping[str, Sequence[str]] | None = None,
    groups: Sequence[str] = (),
    subjects: Sequence[str] = (),
    notes: Sequence[str] = (),
    contrast: str,
    analysed: Sequence[str] = ANALYSED,
) -> GT:
    """Estimates with interval, p, df, people and teams, one line a row; `analysed` are the headings of the last two, or
    of people alone.

    `groups` names the block each line belongs to, `subjects` in the notes what it is about (else the block without what
    is in brackets). `arms` gives formatted cells of further columns before the
    difference (for example arm means). A row that could not be estimated shows dashes and its reason among the notes.
    """
    cells: dict[str, list[str]] = {stub: list(labels)} | ({"group": list(groups)} if groups else {})
    cells |= {heading: list(texts) for heading, texts in (arms or {}).items()}
    kept = traced_records(rows)
    conf = level(kept[0]["conf_level"])
    own: dict[str, list[str]] = {}
    own["Difference"] = aligned([number(scale * row["estimate"], digits) for row in kept])
    own[f"{conf} CI"] = [_reach(row, scale, digits) for row in kept]
    own["p"] = aligned([p_value(row["p_value"]) for row in kept])
    own["df"] = _df_column([row["df"] for row in kept])
    for heading, column in zip(analysed, ("n", "n_clusters"), strict=False):
        own[heading] = [_analysed(row, column) for row in kept]
    cells |= own
    reasons: dict[str, list[str]] = {}
    for at, (label, row) in enumerate(zip(labels, kept, strict=True)):
        if row["status"] in LACKING:
            # Two blocks may have a line of the same name.
            about = subjects[at] if subjects else groups[at].partition(" (")[0] if groups else ""
            name = f"{about}, {lowered(label)}" if about else label
            reasons.setdefault(as_sentence(row["note"]), []).append(name)
    table = plain_table(
        pd.DataFrame(cells),
        stub=stub,
        notes=[
            *notes,
            *(f"{'; '.join(names)}: {reason}" for reason, names in reasons.items()),
            *withheld_note(pd.DataFrame({heading: own[heading] for heading in analysed})),
        ],
        spanner=list(arms) if arms else None,
        groups="group" if groups else None,
    )
    effect = [heading for heading in own if heading not in analysed]
    return table.tab_spanner(contrast, columns=effect).tab_spanner("Analysed", columns=list(analysed))


def _analysed(row: Mapping[str, Any], column: str) -> str:
    """How many people, or clusters, an analysis counts: a dash where it has none, the mark where it is withheld."""
    return WITHHELD if shown(row)[column] == WITHHELD else count(row[column])


def _reach(row: Mapping[Any, Any], scale: float, digits: int) -> str:
    low, high = row["conf_low"], row["conf_high"]
    return MISSING if pd.isna(low) else interval(scale * low, scale * high, digits)


def _df_column(values: Sequence[float]) -> list[str]:
    """Degrees of freedom with one decimal where some of the column have a fraction."""
    known = [df for df in values if not pd.isna(df) and df <= MANY]
    digits = 0 if all(float(df).is_integer() for df in known) else 1
    return [_df(df, digits) for df in values]


def _df(df: float, digits: int) -> str:
    if pd.isna(df):
        return MISSING
    if df > MANY:
        return "normal" if df == float("inf") else marked(f"> {count(MANY)}", df)
    return number(df, digits)


def aligned(texts: Sequence[str]) -> list[str]:
    """The texts padded at their end, so that decimal points stand below each other in a column aligned right.

    Figures are of one width in tables; a figure space is as wide as a figure. Texts without a digit stay as they are.
    """
    bare = [plain(text) for text in texts]
    places = [len(text.partition(".")[2]) if re.search(r"\d", text) else 0 for text in bare]
    most = max(places, default=0)
    return [
        text + (POINT_SPACE if most and not place else "") + FIGURE_SPACE * (most - place)
        if re.search(r"\d", seen)
        else text
        for text, seen, place in zip(texts, bare, places, strict=True)
    ]


def plain_table(
    cells: pd.DataFrame,
    *,
    stub: str,
    notes: Sequence[str] = (),
    spanner: Sequence[str] | None = None,
    spanner_label: str = "Arm",
    groups: str | None = None,
) -> GT:
    """Any frame of formatted cells: first column as row headers, numbers aligned right, columns of words alone left. A
    frame without rows and columns, because every study it would tell of has gone, says so.
    """
    if not len(cells.columns):
        return EscapedTable(pd.DataFrame({stub: [NOTHING]}), rowname_col=stub).tab_stubhead(stub)
    table = EscapedTable(cells, rowname_col=stub, groupname_col=groups).tab_stubhead(stub)
    others = [name for name in cells if name not in (stub, groups)]
    words = [name for name in others if only_words(cells[name])]
    table = table.cols_align("right", columns=[name for name in others if name not in words])
    if words:
        table = table.cols_align("left", columns=words)
    if spanner:
        table = table.tab_spanner(spanner_label, columns=list(spanner))
    for note in notes:
        table = table.tab_source_note(note)
    return table


def only_words(texts: Iterable[str]) -> bool:
    """Whether a column says something in words and holds no number: `planned`, `higher`, `no`."""
    seen = [plain(str(text)) for text in texts]
    said = [text for text in seen if text not in ("", MISSING, WITHHELD)]
    return bool(said) and not any(re.search(r"\d", text) for text in said)


def filled(cells: pd.DataFrame, *, stub: str) -> pd.DataFrame:
    """The columns in which some row says something; the first always. A column of dashes tells a reader nothing."""
    return cells[[name for name in cells if name == stub or not cells[name].isin(["", MISSING]).all()]]


def balance_table(
    balance: pd.DataFrame, *, arm_labels: Mapping[str, str], covariates: Mapping[str, str], notes: Sequence[str]
) -> GT:
    """Covariates by arm with standardised differences; `balance` as `design.balance.balance_table` makes it, with
    `missing` and `share`.

    Rows of `share` are shown as shares; the others as means with standard deviations.
    `covariates` gives the printed names; the levels of a categorical covariate are indented below it.
    """
    cells = []
    for row in balance.to_dict("records"):
        level = row["level"] if isinstance(row["level"], str) else ""
        label = (
            f"\u2003{level[:1].upper()}{level[1:]}"
            if level
            else covariates.get(row["covariate"], row["covariate"].capitalize())
        )
        head = row["kind"] == "categorical"
        cells.append(
            {
                "Characteristic": label,
                arm_labels["control"]: "" if head else _summary(row, "control"),
                arm_labels["treatment"]: "" if head else _summary(row, "treatment"),
                "Std. difference": number(row["std_difference"], 2),
                "Missing": "" if level else count(row["missing"]),
            }
        )
    return plain_table(
        pd.DataFrame(cells),
        stub="Characteristic",
        notes=notes,
        spanner=[arm_labels["control"], arm_labels["treatment"]],
    )


def _summary(row: Mapping[Any, Any], arm: str) -> str:
    if withheld(row[f"mean_{arm}"]):
        return WITHHELD
    mean, sd = float(row[f"mean_{arm}"]), float(row[f"sd_{arm}"])
    return percent(mean) if row["share"] else f"{number(mean, 1)} ({number(sd, 1)})"


def text_table(cells: pd.DataFrame, *, stub: str, numeric: Sequence[str] = (), notes: Sequence[str] = ()) -> GT:
    """A table whose cells are mostly words: aligned left, but for the columns named in `numeric`. Of nothing as
    `plain_table`.
    """
    if not len(cells.columns):
        return EscapedTable(pd.DataFrame({stub: [NOTHING]}), rowname_col=stub).tab_stubhead(stub)
    table = EscapedTable(cells, rowname_col=stub).tab_stubhead(stub).cols_align("left")
    if numeric:
        table = table.cols_align("right", columns=list(numeric))
    for note in notes:
        table = table.tab_source_note(note)
    return table
