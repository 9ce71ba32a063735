"""The table of clauses in appendix A: what each commits to, what became of it, and where to look it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from hhp_stats.errors import PlanError
from hhp_stats.plan.book_sections import BookSection
from hhp_stats.plan.clauses import CLAUSE_STATUS, ClauseStatus, Status
from hhp_stats.present.markdown import code, escaped, pipe_table, result_code, section_reference

STATUS: Mapping[Status, str] = {
    "done": "as planned",
    "deviated": "deviated",
    "conflict": "conflict resolved",
    "not_done": "cannot be done",
    "context": "no analysis",
}
COLUMNS = {"Clause": 7, "What it commits to": 24, "What happened": 25, "Where to find it": 44}
FEW = 4  # results named in full; the rest are counted


def clause_table(
    entries: Sequence[ClauseStatus],
    *,
    study: str,
    results: pd.DataFrame,
    sections: Mapping[str, BookSection],
    document: str,
    label: str,
    caption: str,
) -> str:
    """One line a clause, as Markdown for a cell with `output: asis`.

    The last column names the section (as a cross reference), the places in the plan, the results that cite the
    clause, and the tests. `study` is the one whose protocol it is, `results` the result frame of all; `document` the
    source of the page that prints the table.
    Refuses (PlanError) a clause whose section no source of the book has.
    """
    citing: dict[str, list[str]] = {}
    known = [str(result_id) for result_id in results["result_id"]]
    own = results.loc[results["study"] == study]
    for result_id, cited in zip(own["result_id"], own["clause"], strict=True):
        for clause in str(cited).split():
            citing.setdefault(clause, []).append(str(result_id))
    rows = [
        [
            f"[{entry.id}]{{#code-{entry.id.lower()}}}",
            escaped(entry.commitment),
            _outcome(entry),
            _places(entry, citing.get(entry.id, []), known=known, sections=sections, document=document),
        ]
        for entry in entries
    ]
    return pipe_table(list(COLUMNS), rows, label=label, caption=caption, widths=list(COLUMNS.values()))


def _outcome(entry: ClauseStatus) -> str:
    """Status, note, and the ids of conflicts, departures and deviations, which the other tables of the appendix
    explain.
    """
    told = f"{STATUS[entry.status].capitalize()}." + (f" {escaped(entry.note)}" if entry.note else "")
    named = [*entry.conflicts, *entry.departures, *entry.deviations]
    return f"{told} See {', '.join(named)}." if named else told


def _places(
    entry: ClauseStatus,
    results: Sequence[str],
    *,
    known: Sequence[str],
    sections: Mapping[str, BookSection],
    document: str,
) -> str:
    if entry.section not in sections:
        raise PlanError(
            CLAUSE_STATUS,
            f"clause {entry.id}",
            f"is reported in {entry.section!r}, which no source has.",
            "Use the label of a heading in index.qmd or report/*.qmd.",
        )
    parts = [f"{section_reference(sections[entry.section], document=document)}."]
    if entry.where:
        parts.append(f"Plan: {', '.join(code(path) for path in entry.where)}.")
    if results:
        rest = f" and {len(results) - FEW} more" if len(results) > FEW else ""
        named_here = ", ".join(result_code(name, known) for name in results[:FEW])
        parts.append(f"Results: {named_here}{rest}.")
    if entry.tests:
        named = (test.split("::") for test in entry.tests)
        parts.append(f"Tests: {', '.join(f'{code(function)} in {code(file)}' for file, function in named)}.")
    return " ".join(parts)
