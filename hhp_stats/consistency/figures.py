"""The file of printed figures: one row each, found again by id, with its rounding."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from hhp_stats.consistency.printed import PrintedFigure, printed_figure
from hhp_stats.errors import InvalidInput, UnknownName

COLUMNS = (
    "id",
    "trial",
    "outcome",
    "research_question",
    "group",
    "statistic",
    "value",
    "as_printed",
    "unit",
    "source_file",
    "source_line",
    "note",
)

# Counted, not rounded: an n of 207 is 207.
_COUNTED = ("n", "n_planned", "count")

_TERM = re.compile(r"(?:(?P<factor>\d+(?:\.\d+)?)\s*\*\s*)?(?P<id>[A-Za-z][\w-]*)|(?P<number>\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All printed figures of a file. `frame` has the columns `COLUMNS`, ids unique, values numeric."""

    frame: pd.DataFrame
    places: Mapping[str, int] = field(init=False, repr=False, compare=False)  # id: place in the frame
    texts: Sequence[tuple[float, str]] = field(init=False, repr=False, compare=False)  # by place: value, as printed

    def __post_init__(self) -> None:
        # Thousands of look-ups a run: by a dictionary, since comparing a column of text costs a millisecond each, and
        # a row of the frame a tenth.
        texts = zip(self.frame["value"].astype(float), self.frame["as_printed"].astype(str), strict=True)
        object.__setattr__(self, "places", {str(key): place for place, key in enumerate(self.frame["id"])})
        object.__setattr__(self, "texts", tuple(texts))

    def _place(self, figure_id: str) -> int:
        if figure_id not in self.places:
            raise UnknownName(f"no printed figure {figure_id!r}")
        return self.places[figure_id]

    def row(self, figure_id: str) -> pd.Series:
        """One figure's row; refuses an id that is not there (UnknownName)."""
        return self.frame.iloc[self._place(figure_id)]

    def printed(self, figure_id: str) -> PrintedFigure:
        """One figure with its rounding."""
        value, text = self.texts[self._place(figure_id)]
        return printed_figure(value=value, text=text)

    def limits(self, figure_id: str) -> tuple[float, float]:
        """Between which numbers the unrounded figure lies; a count is itself, and words are taken at their value."""
        row, figure = self.row(figure_id), self.printed(figure_id)
        if row["statistic"] in _COUNTED or figure.in_words:
            return figure.value, figure.value
        return figure.value - figure.margin, figure.value + figure.margin

    def has(self, expression: str) -> bool:
        """Are all figures that an expression names in the file?"""
        return all(figure_id in self.places for figure_id in ids_in(expression))

    def evaluate(self, expression: str) -> tuple[float, float, float]:
        """A linear combination, "BEN-N-RAND - 0.5*BEN-N-TREAT": its value, and least and most over the rounding."""
        value = low = high = 0.0
        for sign, factor, figure_id in _terms(expression):
            if figure_id is None:
                value, low, high = (x + sign * factor for x in (value, low, high))
                continue
            ends = [sign * factor * end for end in self.limits(figure_id)]
            value += sign * factor * self.printed(figure_id).value
            low, high = low + min(ends), high + max(ends)
        return value, low, high


def load_figures(path: Path) -> Figures:
    """Read a file of printed figures, such as `data/published/published_results.csv`."""
    return figures(pd.read_csv(path, dtype={"as_printed": "str", "id": "str"}, keep_default_na=False))


def read_published(folder: Path, name: str) -> pd.DataFrame:
    """A file of `data/published` as text."""
    return pd.read_csv(folder / name, dtype="str", keep_default_na=False)


def published_figures(folder: Path) -> pd.DataFrame:
    """All printed figures of `data/published`: results, and under them the facts of designs."""
    results, design = (read_published(folder, f"{name}.csv") for name in ("published_results", "trial_design"))
    return pd.concat([results, design_figures(design)], ignore_index=True)


def figures(frame: pd.DataFrame) -> Figures:
    """Take a frame of printed figures in.

    Refuses missing columns (UnknownName), ids used twice and values that are not numbers (InvalidInput).
    """
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise UnknownName(f"the file of printed figures has no column {', '.join(missing)}")
    doubled = frame.loc[frame["id"].duplicated(), "id"].tolist()
    if doubled:
        raise InvalidInput(f"used twice as id of a printed figure: {', '.join(doubled)}")
    values = pd.to_numeric(frame["value"], errors="coerce").astype("float64")
    if not values.map(math.isfinite).all():
        bad = frame.loc[~values.map(math.isfinite), "id"].tolist()
        raise InvalidInput(f"printed figures without a number: {', '.join(map(str, bad))}")
    text = [c for c in COLUMNS if c not in ("value", "source_line")]
    clean = frame[list(COLUMNS)].reset_index(drop=True)
    clean[text] = clean[text].astype("object").fillna("").astype("str")
    return Figures(frame=clean.assign(value=values.to_numpy()))


def design_figures(trial_design: pd.DataFrame) -> pd.DataFrame:
    """The numbers of `trial_design.csv` as printed figures, to be stacked under the results: id "TD-trial-item".

    Items without a plain number (dates, names, ranges, what is not printed) are left out. Refuses missing
    columns (UnknownName).
    """
    wanted = ("trial", "item", "value", "as_printed", "source_file", "source_line", "note")
    missing = [column for column in wanted if column not in trial_design.columns]
    if missing:
        raise UnknownName(f"the file of design facts has no column {', '.join(missing)}")
    values = pd.to_numeric(trial_design["value"], errors="coerce")
    kept = trial_design[values.notna() & trial_design["as_printed"].astype("str").str.len().gt(0)]
    return pd.DataFrame(
        {
            "id": "TD-" + kept["trial"] + "-" + kept["item"],
            "trial": kept["trial"],
            "outcome": "design",
            "research_question": "",
            "group": kept["item"],
            "statistic": "design",
            "value": values[kept.index],
            "as_printed": kept["as_printed"],
            "unit": "",
            "source_file": kept["source_file"],
            "source_line": kept["source_line"],
            "note": kept["note"],
        }
    )


def ids_in(expression: str) -> Sequence[str]:
    """Which figures does an expression name?"""
    return [figure_id for _, _, figure_id in _terms(expression) if figure_id is not None]


def _terms(expression: str) -> list[tuple[int, float, str | None]]:
    """Split "a + 2*b - 3" into (sign, factor, id or None); ids hold hyphens, so the signs need spaces around them."""
    parts = re.split(r"\s+([+-])\s+", expression.strip())
    out: list[tuple[int, float, str | None]] = []
    for i in range(0, len(parts), 2):
        sign = -1 if i and parts[i - 1] == "-" else 1
        found = _TERM.fullmatch(parts[i].strip())
        if found is None:
            raise InvalidInput(f"cannot read {parts[i]!r} in {expression!r}")
        if found["number"]:
            out.append((sign, float(found["number"]), None))
        else:
            out.append((sign, float(found["factor"] or 1), found["id"]))
    return out
