"""Whom do the numbers of a pilot count? Helpers for the declarations of its tables and rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from hhp_stats.disclosure.crowd import Crowd
from hhp_stats.disclosure.declared import Columns, Row, counted, share


def classes(c: Crowd, values: pd.Series, labels: Iterable[Any], *, of: pd.Series | None = None) -> Columns:
    """Columns `people` and, where `of` is given, `share` of a table with one row a class of `values`."""
    people = [c.of(values == label) for label in labels]
    found = {"people": counted(people)}
    if of is not None:
        found["share"] = share(people, [c.of(of)] * len(people))
    return found


def rows_of(c: Crowd, counts: Mapping[str, tuple[Any, Any]], sums: Mapping[str, Any], *, study: str) -> dict[str, Row]:
    """Rows of counts and shares by `outcome/estimand`: (who, of whom); and rows of sums over people, by the people."""
    found: dict[str, Row] = {}
    for key, (part, of) in counts.items():
        found[f"{study}/{key}/count"] = Row(n=c.of(of), part=c.of(part), plain=True)
        found[f"{study}/{key}/exact"] = Row(n=c.of(of), part=c.of(part), share=True, plain=True)
    for key, (summed, of) in sums.items():
        found[f"{study}/{key}/count"] = Row(n=c.of(of), goes_with=(c.of(summed),), plain=True)
    return found
