"""Everything that a chapter can say, from results whose numbers tell where they belong.

Numbers are replaced by repeated digits: 3333.33 printed in any way (3,333.33; 333,333.3%; 3,333) still shows nothing
but threes. So each printed number says from which arm, or from which field of a row, it was taken.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from great_tables import GT
from matplotlib.text import Text

from hhp_stats.errors import HhpError
from hhp_stats.plan.conflicts import load_conflicts
from hhp_stats.present import embed
from hhp_stats.studies.output import StudyOutput

NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?|(?<![\w.])\.\d+")
FIELDS: Mapping[str, float] = {
    "conf_low": 1111.1111,
    "estimate": 2222.2222,
    "conf_high": 3333.3333,
    "p_value": 0.4444,
    "p_adjusted": 0.2222,
    "n": 7777,
    "n_clusters": 8888,
}
ARM_DIGITS = {"control": "3", "treatment": "4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one presenter made: sentences and captions as texts, tables as frames, drawings as the words in them."""

    name: str
    texts: tuple[str, ...] = ()
    table: pd.DataFrame | None = None
    drawn: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """Every word and number in one text."""
        cells = (
            [] if self.table is None else [*map(str, self.table.columns), *self.table.astype("str").to_numpy().ravel()]
        )
        return "\n".join([*self.texts, *cells, *self.drawn])


def say_all(
    report: Any, registries: Mapping[str, Mapping[str, Callable[..., Any]]], monkeypatch: Any
) -> dict[str, Said]:
    """Call every presenter of a chapter; with each outcome or key of the plan where it needs an argument."""
    drawn: list[str] = []

    def words(figure: Any) -> bytes:
        drawn.extend(text.get_text() for text in figure.findobj(Text) if text.get_text())
        for axes in figure.axes:
            drawn.extend(label.get_text() for label in axes.get_yticklabels())
        plt.close(figure)
        return b"drawing"

    monkeypatch.setattr(embed, "svg_bytes", words)
    found = {}
    for kind, registry in registries.items():
        for name, function in registry.items():
            for argument in _arguments(function, report):
                drawn.clear()
                key = f"{kind}:{name}" + (f"/{argument[0]}" if argument else "")
                try:
                    made = function(report, *argument)
                except (HhpError, KeyError, StopIteration):
                    continue  # a study, outcome or key that this presenter is not about
                found[key] = _said(key, made, tuple(drawn))
    return found


def _arguments(function: Callable[..., Any], report: Any) -> list[tuple[str, ...]]:
    needed = [
        name for name, one in list(inspect.signature(function).parameters.items())[1:] if one.default is one.empty
    ]
    if not needed:
        return [()]
    if needed == ["outcome"]:
        return [(outcome.id,) for outcome in report.measured]
    keys = [
        *getattr(report.plan, "facts", {}),
        load_conflicts(report.root)[0].id,
    ]  # words of the plan alone: one is enough
    return [(key,) for key in keys] if needed == ["key"] else []


def _said(name: str, made: Any, drawn: tuple[str, ...]) -> Said:
    if isinstance(made, str):
        return Said(name=name, texts=(made,))
    if isinstance(made, GT):
        spanners = tuple(str(spanner.spanner_label) for spanner in made._spanners)
        return Said(name=name, table=made._tbl_data, texts=tuple(map(str, made._source_notes)), drawn=spanners)
    return Said(name=name, texts=(made.alt, made.caption), drawn=drawn)


def digit_of(token: str) -> str:
    """The one digit that a printed number repeats, or nothing where it is no mark."""
    digits = token.replace(",", "").replace(".", "").strip("0")
    return digits[0] if len(digits) >= 4 and len(set(digits)) == 1 else ""


def marks(text: str) -> Iterator[tuple[int, str]]:
    """Places and digits of the marked numbers of a text."""
    for token in NUMBER.finditer(text):
        digit = digit_of(token[0])
        if digit:
            yield token.start(), digit


def _filled(frame: pd.DataFrame, rows: Any, column: str, value: float) -> None:
    kind = frame[column].dtype
    if pd.api.types.is_bool_dtype(kind) or not pd.api.types.is_numeric_dtype(kind):
        return
    whole = pd.api.types.is_integer_dtype(kind)
    known = frame[column].notna() & rows
    frame.loc[known, column] = int(value) if whole else value


def with_arms(output: StudyOutput, labels: Mapping[str, str], digits: Mapping[str, str]) -> StudyOutput:
    """One digit in every cell about one arm, another in every cell about the other, wherever they stand."""

    def marked(frame: pd.DataFrame, columns: list[str] | None = None) -> pd.DataFrame:
        frame = frame.copy()
        words = frame.select_dtypes(include=["object", "string", "str"])
        for arm, digit in digits.items():
            value = float(f"{digit * 4}.{digit * 4}")
            for column in frame.columns:
                if str(column).endswith(f"_{arm}"):
                    _filled(frame, pd.Series(True, index=frame.index), column, value)
            whose = words.isin([arm, labels[arm]]).any(axis="columns")
            whose |= words.apply(lambda column, arm=arm: column.astype("str").str.contains(f"_{arm}/")).any(
                axis="columns"
            )
            for column in columns or frame.columns:
                _filled(frame, whose, column, value)
        return frame

    results = marked(output.results, ["estimate", "conf_low", "conf_high", "std_error", "n", "n_clusters"])
    return replace(output, results=results, tables={name: marked(table) for name, table in output.tables.items()})


def with_fields(output: StudyOutput) -> StudyOutput:
    """The same number in every cell of one field, another number for each field; tables with such columns as well."""

    def marked(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        for column, value in FIELDS.items():
            if column in frame:
                _filled(frame, pd.Series(True, index=frame.index), column, value)
        return frame

    return replace(
        output,
        results=marked(output.results),
        tables={
            name: marked(table) if "conf_low" in table or name == "maxima" else table
            for name, table in output.tables.items()
        },
    )


def mirrored(output: StudyOutput) -> StudyOutput:
    """Every difference between the arms with its sign turned; what is about one arm, or has no sign, as it was."""

    def turned(frame: pd.DataFrame, rows: Any) -> pd.DataFrame:
        frame = frame.copy()
        low, high = -frame["conf_high"], -frame["conf_low"]
        for column, values in {"estimate": -frame["estimate"], "conf_low": low, "conf_high": high}.items():
            frame[column] = frame[column].mask(rows, values)
        return frame

    signed = output.results["estimand"].str.fullmatch("itt|cace|uptake|arm_by_week|tipping|baseline_absence|all")
    signed |= output.results["result_id"].str.contains("balance/baseline_absence")
    signed &= ~output.results["outcome"].isin(["power", "benefit_cost"])
    return replace(output, results=turned(output.results, signed))


def with_level(output: StudyOutput, conf_level: float) -> StudyOutput:
    """As if every interval had been made at another level."""
    return replace(output, results=output.results.assign(conf_level=conf_level))
