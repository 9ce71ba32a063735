"""A reader of any study: every printed cell as an equation over the people it says it counts, solved without the
protection's code.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from disclosure_attack import WITHHELD, Mask, Reader

from hhp_stats.disclosure.decision import Published
from hhp_stats.studies.output import StudyOutput


def read_everything(output: StudyOutput, public: Published) -> Reader:
    """All tables and results of a study; what one printed set has more than another is aimed at, too."""
    declared = output.declared
    reader = Reader(people=declared.people)
    for label, mask, shown in (*_cells(output, public), *_results(output, public)):
        number = int(mask[: declared.people].sum())
        reader.read(label, mask, WITHHELD if shown else number)
    _aim_at_differences(reader)
    return reader


def _cells(output: StudyOutput, public: Published) -> Iterator[tuple[str, Mask, bool]]:
    for name, columns in output.declared.columns.items():
        if name in output.declared.withdrawn or name in output.declared.bars:
            continue
        for column, entry in columns.items():
            if entry.kind == "internal":
                assert column not in public.tables[name], (name, column)
                continue
            exact_mean = entry.kind == "statistic" and entry.digits is None
            told = entry.describes if exact_mean else entry.tells
            for at, masks in enumerate(told):
                if entry.empty and entry.empty[at]:
                    continue
                cell: Any = public.tables[name][column].iloc[at]
                whole: Any = output.tables[name][column].iloc[at]
                if entry.kind == "count" and cell != WITHHELD and masks:
                    assert int(cell) == int(whole), (name, column, at)
                for which, mask in enumerate(masks):
                    yield f"{name}, {column}, row {at}, {which}", mask, cell == WITHHELD


def _results(output: StudyOutput, public: Published) -> Iterator[tuple[str, Mask, bool]]:
    for at, row in enumerate(output.results.to_dict("records")):
        entry = output.declared.rows.get(str(row["result_id"]))
        if entry is None or (pd.isna(row["n"]) and row["status"] == "not_estimated"):
            continue
        shown = public.results.iloc[at]
        if entry.n is not None and not pd.isna(row["n"]):
            yield f"n of {row['result_id']}", entry.n, bool(pd.isna(shown["n"]))
        if entry.part is not None:
            gone = bool(pd.isna(shown["estimate"]))
            yield f"part of {row['result_id']}", entry.part, gone
            if entry.share and entry.n is not None:
                yield f"whole of {row['result_id']}", entry.n, gone


def _aim_at_differences(reader: Reader, threshold: int = 5) -> None:
    """Two printed sets, one within the other whatever the data: those in the one alone, where they are few."""
    if not reader.facts:
        return
    members = np.array([mask for _, mask, _ in reader.facts], dtype=bool)
    _, first = np.unique(np.packbits(members, axis=1), axis=0, return_index=True)
    members = members[first]
    numbers = members.astype(np.float32)
    outside = numbers @ (1 - numbers).T  # people of the one who are not in the other
    sizes = members[:, : reader.people].sum(axis=1)
    for one, other in np.argwhere(outside == 0):
        if 0 < sizes[other] - sizes[one] < threshold:
            labels = [reader.facts[first[place]][0] for place in (other, one)]
            reader.aim(f"{labels[0]} less {labels[1]}", members[other] & ~members[one])
