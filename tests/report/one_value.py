"""Does every quantity have one value on all pages? By decimal arithmetic of its own, not the presenters' functions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pandas as pd

from hhp_stats.publish.checks.mark_check import _marks

COLUMNS = (
    "estimate",
    "std_error",
    "df",
    "statistic",
    "p_value",
    "p_adjusted",
    "conf_low",
    "conf_high",
    "n",
    "n_clusters",
    "conf_level",
    "mc_error",
    "mc_error_p",
)


def printed_numbers(pages: Path) -> Iterator[tuple[str, str, str]]:
    """Page, result id and number of every marked number; the two ends of an interval are two."""
    for page in sorted(pages.glob("*.html")):
        for key, text, _ in json.loads(_marks(page.read_text(encoding="utf-8"))):
            for end in text.split(" to "):
                yield page.name, key, end.strip()


def is_rounding(text: str, value: float) -> bool:
    """Is the number, as it is or in per cent, with or without its sign, one rounding of the double?"""
    size = Decimal(text.replace(",", "").lstrip("\u2212"))
    exact = abs(Decimal(value))
    step = Decimal(1).scaleb(-len(text.partition(".")[2]))
    return any((scale * exact).quantize(step, ROUND_HALF_EVEN) == size for scale in (1, 100))


def differing_values(pages: Path, frame: pd.DataFrame) -> tuple[int, list[str]]:
    """How many numbers were compared, and those that are no rounding of what their result holds in any column.

    Two numbers of one result and column that are roundings of one double agree up to the digits shown; so this is asked
    of each number, and the numbers of a result that fit no column are listed with the pages on which they stand.
    """
    rows = frame.set_index("result_id")[list(COLUMNS)].to_dict("index")
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    compared = 0
    for page, key, text in printed_numbers(pages):
        if text[:1] in "<>" or "\u221e" in text:
            continue
        compared += 1
        values = [float(value) for value in rows[key].values() if pd.notna(value) and abs(float(value)) != float("inf")]
        if not any(is_rounding(text, value) for value in values):
            found[key, text].add(page)
    return compared, [f"{key}: {text} ({', '.join(sorted(pages))})" for (key, text), pages in sorted(found.items())]
