"""Deviations of this report from the plans, for appendix A: what was planned, what was done instead, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.plan.catalogue import study_names
from hhp_stats.plan.conduct import Deviation, load_deviations
from hhp_stats.present.marked_text import code_entry
from hhp_stats.present.numbers import interval, number, plural, plural_in_words
from hhp_stats.present.tables import text_table
from hhp_stats.results.frame import LACKING
from hhp_stats.results.traced import traced_records


def deviation_table(root: Path, results: pd.DataFrame) -> GT:
    """Deviations of this report from the plan, with planned and actual estimate where both exist."""
    rows = {str(row["result_id"]): row for row in traced_records(results)}
    names = study_names(root)

    def shown(result_id: str) -> str:
        row = rows.get(result_id)
        if row is None or row["status"] in LACKING:
            return ""
        return f"{number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"

    entries = [
        {
            "Id": code_entry(d.id),
            "Clause": d.clause,
            "Analysis": _subject(d, others, of=names.get(d.study, d.study)),
            # Few columns, so that the long one is wide: each of its own would be two words wide.
            "Planned, and done": (
                f"Planned: {_both(d.planned, shown(d.planned_result))}. Done: {_both(d.done, shown(d.done_result))}."
            ),
            "Reason": f"{d.reason} Decided {d.decided}, {'before' if d.before_unblinding else 'after'} unblinding.",
        }
        for d, others in _by_id(load_deviations(root))
    ]
    return text_table(
        pd.DataFrame(entries, columns=["Id", "Clause", "Analysis", "Planned, and done", "Reason"]),
        stub="Id",
    )


def deviation_count(root: Path) -> str:
    """How many deviations there are, in a sentence."""
    found = _by_id(load_deviations(root))
    if not found:
        return "Every planned analysis was run as the plan says; there is no deviation of this report to explain."
    own = [others for entry, others in found if not entry.rule]
    analyses, of_data = sum(1 + others for others in own), len(found) - len(own)
    said = (
        f"This section explains {plural_in_words(len(own), 'deviation')} from the protocols,"
        f" in {plural_in_words(analyses, 'planned analysis', 'planned analyses')}."
    )
    if not of_data:
        return said
    return (
        f"{said} {plural(of_data, 'entry explains', 'entries explain')} what the checks of raw files found and let"
        " pass."
    )


def _subject(entry: Deviation, others: int, *, of: str) -> str:
    """What an entry is about: an analysis, or what a rule found about so many units of a study, which are not named in
    print.
    """
    if entry.rule:
        return f"{of}: {entry.analysis}, rule {entry.rule}: {plural(len(entry.units), 'unit')}"
    # With its study: of two studies with a result of one name, a link must know which is meant.
    return f"{entry.study}/{entry.analysis}" + (f" and {others} more" if others else "")


def _by_id(deviations: Sequence[Deviation]) -> list[tuple[Deviation, int]]:
    """The first analysis of each deviation, and how many more it is about."""
    counts: dict[tuple[str, str], list[Deviation]] = {}
    for entry in deviations:
        counts.setdefault((entry.study, entry.id), []).append(entry)
    return [(entries[0], len(entries) - 1) for entries in counts.values()]


_METHODS: Mapping[str, str] = {
    "together": "both arms in one model",
    "ols": "least squares",
    "zero_with_indicator": "zero with an indicator",
}


def _both(words: str, estimate: str) -> str:
    what, _, why = _METHODS.get(words, words.replace("_", " ")).partition(": ")
    said = f"{what} ({why})" if why else what
    return f"{said}, {estimate}" if estimate else said
