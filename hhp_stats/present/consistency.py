"""Appendix D: the published figures recomputed. Tables by name; the arithmetic is that of `hhp_stats.consistency`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.audit import load_scales
from hhp_stats.consistency.comparisons import READINGS
from hhp_stats.consistency.figures import figures, published_figures, read_published
from hhp_stats.consistency.verdict import Finding, in_figures
from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.conflicts import load_conflicts, load_departures
from hhp_stats.present.conflicts import KNOWN
from hhp_stats.present.consistency_recomputed import detectable, rate_errors, rates, tests
from hhp_stats.present.consistency_report import KINDS, VERDICT, ConsistencyReport, as_printed, flat, grouped, tidy
from hhp_stats.present.marked_text import code_entry
from hhp_stats.present.numbers import MISSING, count
from hhp_stats.present.published_names import published_names
from hhp_stats.present.tables import plain_table, text_table

_COUNTS: Mapping[Finding, str] = {
    "reproduces": "Reproduces",
    "another_reading": "Under another reading",
    "does_not_reproduce": "Does not",
    "not_checkable": "Cannot be checked",
}


def counts(report: ConsistencyReport) -> GT:
    """Verdicts by study."""
    return _counted(report.verdicts, by="trial", labels=report.trials, stub="Study", total=True)


def kinds(report: ConsistencyReport) -> GT:
    """Verdicts by kind of check, for the figures that can be checked."""
    checked = report.verdicts[report.verdicts["kind"] != "none"]
    return _counted(checked, by="kind", labels=KINDS, stub="Check", total=False)


def _counted(verdicts: pd.DataFrame, *, by: str, labels: Mapping[str, str], stub: str, total: bool) -> GT:
    table = pd.crosstab(verdicts[by], verdicts["verdict"]).reindex(columns=list(_COUNTS), fill_value=0)
    unknown = sorted(set(table.index) - set(labels))
    if unknown:
        raise UnknownName(f"no printed name for {', '.join(map(str, unknown))}")
    rows = [
        {stub: label, "Figures": count(table.loc[key].sum())} | {_COUNTS[f]: count(table.loc[key, f]) for f in _COUNTS}
        for key, label in labels.items()
        if key in table.index
    ]
    if total:
        last = {_COUNTS[f]: count(table[f].sum()) for f in _COUNTS}
        rows.append({stub: "All", "Figures": count(len(verdicts))} | last)
    return plain_table(pd.DataFrame(rows), stub=stub)


def wording(report: ConsistencyReport) -> GT:
    """What the words claim against what the numbers say."""
    return _verdict_table(report, report.verdicts["kind"].isin(["direction", "significance"]), recomputed=False)


def possible(report: ConsistencyReport) -> GT:
    """Which means and standard errors the scale allows."""
    return _verdict_table(report, report.verdicts["kind"].isin(["spread", "granularity"]), recomputed=False)


def every(report: ConsistencyReport, trial: str) -> GT:
    """All figures of one study that can be checked, with verdict and reason."""
    own = (report.verdicts["trial"] == trial) & (report.verdicts["kind"] != "none")
    if not own.any():
        raise UnknownName(f"no published figure of {trial!r} can be checked")
    return _verdict_table(report, own, recomputed=True)


def _verdict_table(report: ConsistencyReport, kept: pd.Series, *, recomputed: bool) -> GT:
    rows = []
    for row in report.verdicts[kept].to_dict("records"):
        cells = {"Figure": _figure(str(row["id"])), "Printed": as_printed(str(row["as_printed"]))}
        if recomputed:
            cells["Recomputed"] = MISSING if pd.isna(row["recomputed"]) else tidy(in_figures(row["recomputed"], 4))
        reading = "" if row["reading"] == "as reported" else f"Read as {row['reading']}: "
        rows.append(
            cells | {"Verdict": VERDICT[str(row["verdict"])], "Why": tidy(reading + report.named(str(row["reason"])))}
        )
    if not rows:
        rows = [
            {"Figure": "None", "Printed": "", **({"Recomputed": ""} if recomputed else {}), "Verdict": "", "Why": ""}
        ]
    return text_table(
        pd.DataFrame(rows),
        stub="Figure",
        numeric=["Recomputed"] if recomputed else [],
        notes=["Figures by their id in data/published; TD stands for a fact of the design."],
    )


def _figure(name: str) -> str:
    """The id of a published figure as its entry; a fact of the design, whose id is a name, has none."""
    return code_entry(name) if name.isupper() else name


def conflicts(report: ConsistencyReport) -> GT:
    """Conflicts in the documents, those of the trial with a protocol left out, with the reading chosen."""
    rows = [
        {
            "Id": code_entry(each.id),
            "of": report.subjects[each.study],
            "What conflicts": f"{each.topic}. {flat(each.finding)}",
            "Reading": flat(each.reading),
            "Weight": each.grade,
        }
        for study in report.subjects
        for each in load_conflicts(report.root)
        if each.study == study
    ]
    return grouped(
        rows,
        stub="Id",
        words=["What conflicts", "Reading", "Weight"],
        notes=[
            "Weight: high changes a result or an analysis, medium a fact of the design, low is wording or bookkeeping."
        ],
    )


def departures(report: ConsistencyReport) -> GT:
    """Departures from plan in the second phase, as far as the documents show them."""
    rows = [
        {
            "Id": code_entry(each.id),
            "of": report.subjects[each.study],
            "Planned": flat(each.planned),
            "Done": flat(each.done),
            "Known": each.status,
            "What it means": flat(each.consequence),
        }
        for study in report.subjects
        for each in load_departures(report.root)
        if each.study == study
    ]
    return grouped(
        rows,
        stub="Id",
        words=["Planned", "Done", "Known", "What it means"],
        notes=[KNOWN],
    )


def readings(report: ConsistencyReport) -> GT:
    """Which readings were tried on p-values that do not come back, and how many each would fit."""
    fitted = report.verdicts[report.verdicts["kind"] == "two_sample"]
    rows = [
        {
            "Reading": words,
            "P-values it fits": count(
                ((fitted["reading"] == words) & fitted["verdict"].isin(["reproduces", "another_reading"])).sum()
            ),
        }
        for words in READINGS.values()
    ]
    return plain_table(pd.DataFrame(rows), stub="Reading")


TABLES: dict[str, Callable[..., GT]] = {
    "counts": counts,
    "kinds": kinds,
    "tests": tests,
    "rates": rates,
    "detectable": detectable,
    "wording": wording,
    "possible": possible,
    "every": every,
    "rate_errors": rate_errors,
    "conflicts": conflicts,
    "departures": departures,
    "readings": readings,
}


def chapter(*, root: Path | None = None) -> ConsistencyReport:
    """Open the published figures for appendix D."""
    home = root or find_root()
    folder = home / "data/published"
    return ConsistencyReport(
        root=home,
        figures=figures(published_figures(folder)),
        relations=read_published(folder, "relations.csv"),
        detectable_effects=read_published(folder, "detectable_effects.csv"),
        scales=load_scales(folder / "scales.csv"),
        names=published_names(home),
        tables=TABLES,
    )
