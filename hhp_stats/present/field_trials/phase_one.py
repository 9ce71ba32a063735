"""What the chapters on letters and coffee say beside what every field trial has: how much these trials could have
found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.intake.themes import load_themes
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.field_trials.figures import FIGURES
from hhp_stats.present.field_trials.report import FieldTrialReport, label_of, open_field_trial
from hhp_stats.present.field_trials.sentences import SENTENCES
from hhp_stats.present.field_trials.tables import TABLES
from hhp_stats.present.figures import planned_and_others
from hhp_stats.present.marks import shown
from hhp_stats.present.numbers import (
    MISSING,
    count,
    count_of,
    interval,
    level,
    lowered,
    number,
    p_clause,
    p_value,
    percent,
    withheld,
    withheld_note,
)
from hhp_stats.present.stand_in import drawn_or_said
from hhp_stats.present.status import read_release
from hhp_stats.present.tables import plain_table, text_table

Made = TypeVar("Made")


def detectable(report: FieldTrialReport) -> str:
    """What an individually randomised trial of this size finds, with everybody and with those who answered."""
    whole, achieved = (report.detectable(key) for key in ("recruited", "achieved"))
    entry = report.plan.power["achieved"]
    where = " in the synthetic files" if read_release(report.root).is_synthetic(report.plan.study) else ""
    return (
        f"If all {count(whole['n'])} people had answered, the trial could have detected an effect of"
        f" {number(whole['estimate'])} standard deviations in {percent(entry.power, 0)} of cases; with the"
        f" {count(achieved['n'])} who answered{where}, one of {number(achieved['estimate'])}."
    )


def detectable_clustered(report: FieldTrialReport, outcome: str) -> str:
    """The same for a trial of buildings, beside what as many independent people would allow."""
    whole, achieved = (report.row(f"{outcome}/mde_{key}/clustered") for key in ("recruited", "achieved"))
    free = report.row("power/mde_achieved/formula")
    return (
        f"With {count(achieved['n_clusters'])} buildings and colleagues as similar as found here, the trial detects an"
        f" effect of {number(achieved['estimate'])} standard deviations in"
        f" {percent(report.plan.power['achieved'].power, 0)} of cases, and one of {number(whole['estimate'])} if"
        f" everyone answers. As many people randomised individually could detect {number(free['estimate'])}."
    )


def drawn(report: FieldTrialReport) -> str:
    """How the buildings were drawn."""
    table = report.table("clusters")
    sizes = [n for n in table["people"] if not withheld(n)]
    treated = int((table["arm"] == report.treatment.id).sum())
    return (
        f"In all, {count(len(table))} buildings with {count(min(sizes))} to {count(max(sizes))} social workers were"
        f" randomly assigned, {count(treated)} to coffee and tea and {count(len(table) - treated)} to carry on as"
        " usual."
    )


def allocations(report: FieldTrialReport) -> str:
    """How many allocations the randomisation could have produced."""
    table = report.table("clusters")
    return count(float(report.table("allocations")["allocations"].iloc[0])) if len(table) else MISSING


def few_clusters(report: FieldTrialReport, outcome: str) -> str:
    """The p-values of all ways to deal with few clusters, beside the one that ignores them."""
    names = {
        "cr2": "CR2 with Satterthwaite's degrees of freedom",
        "cr1": "CR1",
        "wild-webb": "the wild bootstrap",
        "randomisation": "randomisation inference",
        "building-means": "the buildings' means",
    }
    words = ", ".join(
        f"{p_value(report.row(f'{outcome}/itt/{key}')['p_value'])} by {name}" for key, name in names.items()
    )
    ignored = report.row(f"{outcome}/itt/people-hc2")
    planned = report.row(f"{outcome}/itt/cr2")
    return (
        f"The p-value is {words}; it would be {p_value(ignored['p_value'])} if buildings were ignored. The"
        f" standard error is {number(planned['std_error'])} with buildings and {number(ignored['std_error'])} without."
    )


def chance(report: FieldTrialReport) -> str:
    """What the largest difference of a trial without any effect is."""
    rows = [(o, report.planned(o.id), report.row(f"{o.id}/itt/hedges-g")) for o in report.measured]
    entry, row, effect = max(rows, key=lambda found: abs(float(found[2]["estimate"])))
    kind = "adjusted " if report.adjusted_for(entry.id) else ""
    return (
        f"The largest {kind}difference, in {entry.label.lower()}, is {number(effect['estimate'])} standard"
        f" deviations ({p_clause(row['p_value'])}). Nothing was planted: this is what chance alone brings about"
        " in a trial of this size."
    )


def versions_figure(report: FieldTrialReport, outcome: str) -> EmbeddedFigure:
    """Every version of the analysis of one outcome, in its unit."""
    entry = report.outcome(outcome)
    analyses = [
        a
        for a in report.plan.analyses
        if a.outcome == outcome and a.estimator not in ("hedges-g", "hedges-g-clustered")
    ]
    rows = [report.row(a.id) for a in analyses]
    title = f"{report.treatment.label} minus {lowered(report.control.label)}, {entry.unit.split(',')[0].split(' (')[0]}"
    said = "; ".join(
        f"{a.label}: {number(r['estimate'])} ({interval(r['conf_low'], r['conf_high'])})"
        for a, r in zip(analyses, rows, strict=True)
    )
    crossing = sum(row["conf_low"] <= 0 <= row["conf_high"] for row in rows)
    return embed(
        lambda width: planned_and_others(
            rows,
            labels=[analysis.label for analysis in analyses],
            planned=[analysis.kind == "planned" for analysis in analyses],
            title=title,
            width=width,
        ),
        root=report.root,
        document=report.document,
        conclusion=f"{entry.label}: {crossing} of {len(rows)} intervals include zero",
        label=f"{report.plan.study}-versions-{outcome.replace('_', '-')}",
        alt=f"Estimates and {level(report.plan.conf_level)} intervals of every version of the analysis. {said}.",
        caption=(
            f"{entry.label}: the planned analysis (diamond) and sensitivity analyses, with"
            f" {level(report.plan.conf_level)} intervals, in data without any effect"
        ),
    )


def buildings(report: FieldTrialReport) -> GT:
    """The buildings with arm, size and response."""
    table = report.table("clusters")
    labels = {arm.id: arm.label for arm in report.plan.arms}
    rows = pd.DataFrame(
        {
            "Building": table["cluster"].str.removeprefix("Building "),
            "Arm": table["arm"].map(labels),
            "Social workers": [count(n) for n in table["people"]],
            "Answered": [count_of(n, of, 0) for n, of in zip(table["responded"], table["people"], strict=True)],
        }
    )
    return plain_table(
        rows, stub="Building", notes=["Buildings are numbered; sizes and arms are assumed.", *withheld_note(table)]
    )


def clustering(report: FieldTrialReport) -> GT:
    """Likeness within buildings and detectable effects, by outcome."""
    cells = []
    for outcome in report.measured:
        icc = report.row(f"{outcome.id}/icc/anova")
        reach: str = MISSING if pd.isna(icc["conf_low"]) else interval(icc["conf_low"], icc["conf_high"])
        found = {
            key: number(report.row(f"{outcome.id}/mde_{key}/clustered")["estimate"])
            for key in ("recruited", "achieved")
        }
        cells.append(
            {
                "Outcome": outcome.label,
                "Intraclass correlation": number(icc["estimate"], 3),
                f"{level(report.plan.conf_level)} CI": reach,
                "Detectable if all answer": found["recruited"],
                "Detectable as answered": found["achieved"],
            }
        )
    notes = ["Detectable effects in standard deviations. A negative correlation counts as zero in them."]
    return plain_table(pd.DataFrame(cells), stub="Outcome", notes=notes)


def themes(report: FieldTrialReport) -> GT:
    """What the documents report in words."""
    table = load_themes(report.root, report.plan.study).frame
    rows = pd.DataFrame(
        {
            "Theme": table["topic"],
            "What was said": table["finding"],
            "Voices": table["voices"],
            "How many": table["stated"],
        }
    )
    return text_table(rows, stub="Theme")


OWN_SENTENCES: Mapping[str, Callable[..., str]] = {
    "detectable": detectable,
    "detectable_clustered": detectable_clustered,
    "drawn": drawn,
    "allocations": allocations,
    "few_clusters": few_clusters,
    "chance": chance,
}
OWN_TABLES: Mapping[str, Callable[..., GT]] = {"buildings": buildings, "clustering": clustering, "themes": themes}
OWN_FIGURES: Mapping[str, Callable[..., EmbeddedFigure]] = {"versions": versions_figure}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseOneChapter:
    """What a chapter calls; names are those of the field trials and those above."""

    report: FieldTrialReport

    def table(self, name: str) -> GT:
        """A table, by name or name/argument."""
        return _made({**TABLES, **OWN_TABLES}, name, self.report)

    def figure(self, name: str) -> EmbeddedFigure:
        """A figure with its caption and alternative text."""
        draw = partial(_made, {**FIGURES, **OWN_FIGURES}, name, self.report)
        report = self.report
        return drawn_or_said(draw, root=report.root, document=report.document, label=lambda: label_of(report, name))

    def say(self, name: str) -> str:
        """A sentence or number for inline code."""
        return _made({**SENTENCES, **OWN_SENTENCES}, name, self.report)


def _made(registry: Mapping[str, Callable[..., Made]], name: str, report: FieldTrialReport) -> Made:
    head, _, argument = name.partition("/")
    if head not in registry:
        raise UnknownName(f"nothing is called {head!r} here; known: {', '.join(sorted(registry))}")
    arguments: tuple[Any, ...] = (argument,) if argument else ()
    return shown(registry[head], report, *arguments)


def chapter(study: str, *, document: str = "", root: Path | None = None) -> PhaseOneChapter:
    """Open the results of letters or coffee for the chapter `document` (default: the one the plan names)."""
    return PhaseOneChapter(report=open_field_trial(study, document=document, root=root))
