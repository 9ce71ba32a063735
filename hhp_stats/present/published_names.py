"""Words for the codes of `data/published/published_results.csv`, and our numbers in the style of the printed ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from hhp_stats.consistency.figures import read_published
from hhp_stats.present.listing import capital
from hhp_stats.present.numbers import MISSING, count, number

Names = Mapping[tuple[str, str], str]

COUNTED = ("n", "count", "max", "min")
_FURTHER = 1  # digit more than was printed: rounded like the printed figure ours would always seem to agree
_STATISTICS = {"n": "number", "se": "standard error", "p": "p-value"}


def published_names(root: Path) -> dict[tuple[str, str], str]:
    """The names of outcomes and of the parts of a contrast, by what they name and their code."""
    lines = read_published(root / "data/published", "names.csv").to_dict("records")
    return {(str(line["of"]), str(line["code"])): str(line["name"]) for line in lines}


def outcome_in_words(names: Names, code: str) -> str:
    """The name of an outcome; its code in words where the list has none."""
    return names.get(("outcome", code)) or capital(code.replace("_", " "))


def group_in_words(names: Names, code: str) -> str:
    """What a group or contrast compares: "minority ethnic names joint against separate"."""
    parts = code.removeprefix("difference").strip("_").split("_")
    return " ".join(names.get(("contrast", part), part) for part in parts)


def statistic_in_words(code: str) -> str:
    """`Standard error` for `se`."""
    return capital(_STATISTICS.get(code, code.replace("_", " ")))


def in_the_style_of(printed: str, value: float, *, statistic: str) -> str:
    """Our number as the printed one is written, with one digit more, so that a reader can judge whether they match.

    Counts have no further digit; p-values have no zero before the point; a share that was printed with % has it too.
    """
    if math.isnan(value):
        return MISSING
    if statistic in COUNTED and value.is_integer():
        return count(value)
    digits = len(printed.partition(".")[2].split(" ")[0].rstrip("%")) + _FURTHER
    if statistic != "p":
        return number(value, digits) + ("%" if printed.strip().endswith("%") else "")
    least = 10.0**-digits
    return f"< {least:.{digits}f}".replace("0.", ".") if value < least else f"{value:.{digits}f}".removeprefix("0")
