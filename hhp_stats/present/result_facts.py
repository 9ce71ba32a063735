"""A result row as a reader who clicks a number sees it: digits as many as make sense, words for codes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from hhp_stats.plan.records import read_plan_file
from hhp_stats.present.listing import capital
from hhp_stats.present.numbers import count, level, number, p_value
from hhp_stats.results.withheld import WITHHELD

SIGNIFICANT = 3  # digits of a standard error that say anything
SHORT = {
    "itt": "effect of the offer (intention to treat)",
    "cace": "effect on those who took part because of the offer (complier average)",
    "mde": "smallest detectable effect",
    "mdes": "smallest detectable effect in standard deviations",
    "icc": "intraclass correlation",
    "sd": "standard deviation",
    "std": "standardised",
    "rho": "correlation of the selection model",
    "vs": "against",
    "omnibus": "test of all together",
    "multiplicity": "p-value adjusted for several tests",
    "tipping": "tipping point",
}
"""Parts of the codes in results.csv that no reader outside the field knows, in words."""

Fact = list[str]
"""Key of the label, what is said, and what stands before the label ("95%")."""


def words_of_code(code: str, labels: Mapping[str, str] = MappingProxyType({})) -> str:
    """A code of results.csv (`mean_control`, `itt`) as words: "Mean control", "Effect of the offer …".

    What the plan calls by a key (`labels`, see `plan_labels`) is said in the plan's words, also behind another code:
    `sd_white_british` is "Standard deviation: White British name".
    """
    if code in labels:
        return capital(labels[code])
    for split in re.finditer("_", code):
        head, tail = code[: split.start()], code[split.end() :]
        if tail in labels:
            return f"{words_of_code(head)}: {labels[tail]}"
    return capital(" ".join(SHORT.get(part, part) for part in re.split(r"[_:]+", code)))


_LABELLED = ("arms", "cells", "contrasts", "outcomes", "experiments")


def plan_labels(root: Path, study: str) -> Mapping[str, str]:
    """What a study's plan calls its outcomes, arms, cells and contrasts, by key; none where the book has no plan for
    the study.
    """
    file = f"data/plan/{study}.toml"
    plan = read_plan_file(root, file) if (root / file).is_file() else {}
    found: dict[str, str] = {}
    for name in _LABELLED:
        listed = plan.get(name, {})
        entries = listed.items() if isinstance(listed, Mapping) else ((entry.get("id"), entry) for entry in listed)
        found |= {str(key): str(entry["label"]) for key, entry in entries if "label" in entry}
    return found


def places_of(row: Mapping[str, Any]) -> int:
    """How many digits after the point an estimate deserves: `SIGNIFICANT` digits of its standard error.

    Where there is none, four digits of the estimate itself; none for whole numbers.
    """
    error, estimate = _known(row["std_error"]), _known(row["estimate"])
    if error:
        return max(0, SIGNIFICANT - 1 - math.floor(math.log10(error)))
    if not estimate or estimate.is_integer():
        return 0
    return max(0, 3 - math.floor(math.log10(abs(estimate))))


def _known(value: Any) -> float | None:
    """A finite number, or None."""
    if value is None or isinstance(value, str) or pd.isna(value) or math.isinf(value):
        return None
    return float(value)


def _error(value: Any) -> str:
    """A Monte Carlo error with two digits that count."""
    known = _known(value)
    return number(value, max(0, 1 - math.floor(math.log10(known))) if known else 0)


def facts_of(row: Mapping[str, Any], labels: Mapping[str, str]) -> list[Fact]:
    """What the panel lists of a row, in order; `labels` are those of the study's plan.

    A number is printed as in the report; nothing is said of what the row does not have. Never raises.
    """
    digits = places_of(row)
    has = {key for key, value in row.items() if not (value is None or (not isinstance(value, str) and pd.isna(value)))}
    said: list[Fact] = []

    def fact(label: str, column: str, words: str, before: str = "") -> None:
        if column in has and words:
            said.append([label, words, before])

    fact("estimate", "estimate", number(row["estimate"], digits))
    if {"conf_low", "conf_high"} <= has:
        ends = " to ".join(number(row[end], digits) for end in ("conf_low", "conf_high"))
        fact("interval", "conf_low", WITHHELD if WITHHELD in ends else ends, level(row["conf_level"]))
    fact("std_error", "std_error", number(row["std_error"], digits))
    fact("statistic", "statistic", number(row["statistic"], 2))
    fact("df", "df", _degrees(row["df"]))
    fact("p", "p_value", p_value(row["p_value"]))
    fact("p_adjusted", "p_adjusted", p_value(row["p_adjusted"]))
    fact("mc_error", "mc_error", _error(row["mc_error"]))
    fact("mc_error_p", "mc_error_p", _error(row["mc_error_p"]))
    fact("people", "n", count(row["n"]))
    fact("clusters", "n_clusters", count(row["n_clusters"]))
    fact("outcome", "outcome", words_of_code(str(row["outcome"]), labels))
    fact("estimand", "estimand", words_of_code(str(row["estimand"]), labels))
    fact("population", "population", capital(str(row["population"])))
    if row["contrast"] != "none":
        fact("contrast", "contrast", capital(str(row["contrast"])))
    fact("method", "method", capital(str(row["method"])))
    status = "" if row["status"] == "estimated" else f", {words_of_code(str(row['status'])).lower()}"
    fact("analysis", "analysis", capital(str(row["analysis"])) + status)
    fact("note", "note", str(row["note"]))
    return said


def _degrees(value: Any) -> str:
    known = _known(value)
    return number(value, 0 if known is not None and known.is_integer() else 1)
