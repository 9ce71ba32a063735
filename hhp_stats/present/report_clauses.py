"""Clauses of the documents that are no protocol: what a report says was done, study by study, for appendix A.

Of some studies only the report is public. Their plans cite what it commits to; here is each such clause, so that a
code that a chapter prints leads to its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.plan.catalogue import study_names
from hhp_stats.plan.citations import cited_clauses
from hhp_stats.plan.clauses import CLAUSE_STATUS, load_clause_status
from hhp_stats.plan.conduct import load_deviations
from hhp_stats.plan.conflicts import load_conflicts
from hhp_stats.present.marked_text import code_entry
from hhp_stats.present.numbers import MISSING
from hhp_stats.present.tables import plain_table

SEVERAL = "Several studies"
FEW = 2  # results named in full, estimates before counts; the rest are counted


def report_clauses(root: Path, results: pd.DataFrame) -> GT:
    """A line a clause without an entry in `data/plan/clause_status.toml`, in blocks by study: what it commits to, the
    results that cite it, conflicts and deviations about it. `results` is the result frame of all studies.
    """
    names = study_names(root)
    told = {entry.id for entry in load_clause_status(root)} if (root / CLAUSE_STATUS).is_file() else set()
    citing, about = _citing(results), _about(root)
    order = [*names, ""]  # a clause about a study that has gone is not printed
    kept = [clause for clause in cited_clauses(root) if clause.id not in told and clause.about in order]
    rows = [
        {
            "Clause": code_entry(clause.id),
            "of": names[clause.about] if clause.about else SEVERAL,
            "What the report says": clause.commitment,
            "Results": _some(citing.get(clause.id, [])),
            "See": ", ".join(about.get(clause.id, [])) or MISSING,
        }
        for clause in sorted(kept, key=lambda clause: order.index(clause.about))
    ]
    words = ["What the report says", "Results", "See"]
    if not rows:
        return plain_table(pd.DataFrame([{"Clause": "None", **dict.fromkeys(words, "")}]), stub="Clause")
    notes = ["Results: those whose plan cites the clause. See: conflicts (C) and deviations (V) about it."]
    return plain_table(pd.DataFrame(rows), stub="Clause", groups="of", notes=notes).cols_align("left", columns=words)


def _citing(results: pd.DataFrame) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    first = results.sort_values("analysis", key=lambda kind: kind != "planned", kind="stable")
    for result_id, cited in zip(first["result_id"], first["clause"], strict=True):
        for clause in str(cited).split():
            found.setdefault(clause, []).append(str(result_id))
    return found


def _some(results: list[str]) -> str:
    if not results:
        return "none"
    rest = f" and {len(results) - FEW} more" if len(results) > FEW else ""
    return f"{', '.join(results[:FEW])}{rest}"


def _about(root: Path) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for conflict in load_conflicts(root):
        for clause in conflict.clauses:
            found.setdefault(clause, []).append(conflict.id)
    for deviation in load_deviations(root):
        # One deviation may be about several analyses, and is then listed once for each.
        if deviation.id not in found.setdefault(deviation.clause, []):
            found[deviation.clause].append(deviation.id)
    return found
