"""What the site says about a number when a reader asks: rows, clauses, functions with their source, inputs.

The engine calls `explanations` once a rendering, with the results and functions that its pages name, and
writes what it returns beside the pages. Nothing is fetched when a reader opens a panel.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.present.provenance import locate, source_text
from hhp_stats.results import row_of
from hhp_stats.studies.output import StudyOutput, read_output

CLAUSES = "data/published/protocol_clauses.csv"
SHOWN = (
    "study", "outcome", "estimand", "population", "contrast", "method", "analysis", "estimate", "std_error", "df", "statistic", "p_value",
    "p_adjusted", "conf_low", "conf_high", "conf_level", "n", "n_clusters", "status", "note",
)  # fmt: skip


def explanations(root: Path, *, results: Collection[str], functions: Collection[str]) -> dict[str, Any]:
    """Everything the panels of the site show, for JSON.

    `results`: row fields, clause ids and names of functions by result id. `clauses`: words by id.
    `code`: file, line, question, formula and source by dotted name, of the functions behind the rows
    and of `functions`. `inputs`: paths and checksums by study. Refuses an id that no study made
    (ResultError) and a function that does not exist.
    """
    outputs: dict[str, StudyOutput] = {}
    with (root / CLAUSES).open(encoding="utf-8", newline="") as stream:
        words = {entry["clause_id"]: entry["commitment"] for entry in csv.DictReader(stream)}
    rows: dict[str, Any] = {}
    for result_id in sorted(results):
        study = result_id.split("/")[0]
        if study not in outputs:
            outputs[study] = read_output(root, study)
        row = row_of(outputs[study].results, result_id)
        rows[result_id] = {name: value for name in SHOWN if (value := _plain(row[name])) is not None} | {
            "clauses": str(row["clause"]).split(), "code": [name for name in str(row["source"]).split(" + ") if name],
        }  # fmt: skip
    cited = {clause for row in rows.values() for clause in row["clauses"]}
    named = {name for row in rows.values() for name in row["code"]} | set(functions)
    return {
        "results": rows,
        "clauses": {key: words[key] for key in sorted(cited) if key in words},
        "code": {name: _code(root, name) for name in sorted(named)},
        "inputs": {
            study: output.tables["inputs"][["path", "sha256"]].to_numpy().tolist()
            for study, output in sorted(outputs.items())
        },
    }


def _plain(value: Any) -> Any:
    """A value JSON can hold, or None where there is nothing to say."""
    if isinstance(value, str):
        return value or None
    if value is None or pd.isna(value):
        return None
    number = float(value)
    if math.isinf(number):
        return "\u221e" if number > 0 else "\u2212\u221e"
    return int(number) if number.is_integer() else number


def _code(root: Path, name: str) -> Mapping[str, Any]:
    place = locate(root, name)
    return {"file": place.file, "line": place.line, "question": place.question, "formula": place.formula,
            "source": source_text(name)}  # fmt: skip
