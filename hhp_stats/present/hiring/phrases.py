"""Phrases that sentences about both experiments are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from hhp_stats.present import prose
from hhp_stats.present.hiring.report import HiringReport
from hhp_stats.present.numbers import alpha_of, apart, limit_of_p, p_clause, p_value, side, spelled

Row = Mapping[str, Any]


def evidence(row: Row, *, digits: int, unit: str = "") -> str:
    """`95% CI 10.4 to 21.8 points, p < .001`."""
    return prose.uncertainty(row, digits=digits, unit=unit)


def is_clear(row: Row) -> bool:
    """Does the interval lie on one side of zero?"""
    return prose.is_clear(row)


def towards(row: Row, *, words: tuple[str, str]) -> str:
    """The word for the sign of an estimate: the first if positive, the second if negative."""
    found = side(row["estimate"])
    return words[0] if found > 0 else words[1] if found < 0 else "neither " + " nor ".join(words)


def rates(report: HiringReport, *cells: str) -> list[str]:
    """Rates of cells that a sentence compares, in per cent."""
    return [
        f"{rate}%"
        for rate in apart(*(report.result("progression", f"mean_{cell}")["estimate"] for cell in cells), digits=1)
    ]


def verdict(row: Row) -> str:
    """Whether a difference is clear, in words: by itself, and among the planned comparisons of its experiment."""
    if not is_clear(row):
        return prose.MAY_BE_CHANCE
    alpha, adjusted = alpha_of(row["conf_level"]), row["p_adjusted"]
    if pd.isna(adjusted) or adjusted < alpha:
        return "a clear difference"
    return (
        "which would be a clear difference by itself, but not as one of several comparisons"
        f" ({p_clause(adjusted, alpha=alpha)} after Holm's adjustment)"
    )


def holm_adjusted(report: HiringReport, experiment: str) -> str:
    """How many planned comparisons of an experiment are clear before and after Holm's adjustment."""
    rows = report.contrasts(experiment, planned=True)
    alpha = alpha_of(rows["conf_level"].max())
    before, after = (
        int((rows["p_value"] < alpha).sum()),
        int((rows["p_adjusted"] < alpha).sum()),
    )
    values = ", ".join(p_value(p, alpha=alpha) for p in rows["p_adjusted"])
    return (
        f"Of {spelled(len(rows))} planned comparisons, {'none' if before == 0 else spelled(before)}"
        f" {'have' if before > 1 else 'has'} a p-value below {limit_of_p(alpha)}; after Holm's adjustment"
        f" {'none' if after == 0 else spelled(after)} {'do' if after > 1 else 'does'} (adjusted values {values})."
    )
