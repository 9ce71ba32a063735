"""Appendix D: the published figures recomputed. Tables by name; the arithmetic is that of `hhp_stats.consistency`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.audit import audit, load_scales
from hhp_stats.consistency.comparisons import READINGS, Comparison, RecomputedTest, find_comparisons, recompute
from hhp_stats.consistency.figures import Figures, figures, published_figures, read_published
from hhp_stats.consistency.granularity import Scale
from hhp_stats.consistency.relations import Recomputed, recompute_detectable_effects, recompute_relations
from hhp_stats.consistency.verdict import FINDINGS, Finding
from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import catalogue, study_names
from hhp_stats.plan.clauses import protocol_study
from hhp_stats.plan.conflicts import load_conflicts, load_departures
from hhp_stats.plan.programme import programme_plan
from hhp_stats.present.consistency_explained import RateCell, RetoldTest, rate_cells, retold
from hhp_stats.present.marked_text import code_entry
from hhp_stats.present.marks import shown
from hhp_stats.present.numbers import MINUS, MISSING, count, number, p_value, percent
from hhp_stats.present.tables import plain_table, text_table

KINDS: Mapping[str, str] = {
    "two_sample": "Tests from means, standard errors and numbers of people",
    "rate_or_sum": "Rates, sums and repeated totals",
    "detectable_effect": "Detectable effects",
    "direction": "Words of direction",
    "significance": "Claims of significance",
    "spread": "Standard errors possible on the scale",
    "granularity": "Means possible on the scale",
    "interval": "Differences and intervals",
    "repeat": "Figures printed twice",
}
# Short, so that the column keeps its width beside long reasons.
_VERDICT: Mapping[str, str] = {
    "reproduces": "reproduces",
    "another_reading": "other reading",
    "does_not_reproduce": "does not",
    "not_checkable": "open",
}
LONGEST = 6  # words of a printed phrase shown in a table
_COUNTS: Mapping[Finding, str] = {
    "reproduces": "Reproduces",
    "another_reading": "Under another reading",
    "does_not_reproduce": "Does not",
    "not_checkable": "Cannot be checked",
}


@dataclass(frozen=True, kw_only=True)
class ConsistencyReport:
    """The audit of the published figures as appendix D reads it."""

    root: Path
    figures: Figures
    relations: pd.DataFrame
    detectable_effects: pd.DataFrame
    scales: Mapping[tuple[str, str], Scale]

    @cached_property
    def trials(self) -> Mapping[str, str]:
        """What printed figures are about, by the names of the lists: parts of studies, then the programme's
        subjects.
        """
        return trial_names(self.root)

    @cached_property
    def subjects(self) -> Mapping[str, str]:
        """What conflicts and departures of this appendix are about; those of the trial with a protocol stand in
        another.
        """
        first, *others = programme_plan(self.root).subject_names().items()
        own = protocol_study(self.root)
        return dict([first, *((key, name) for key, name in study_names(self.root).items() if key != own), *others])

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """One verdict a printed figure."""
        return audit(
            self.figures.frame, relations=self.relations, detectable_effects=self.detectable_effects, scales=self.scales
        )

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Printed tests that can be recomputed from printed arms."""
        return find_comparisons(self.figures)

    def table(self, name: str) -> GT:
        """A table, by name or name/argument."""
        head, _, argument = name.partition("/")
        if head not in TABLES:
            raise UnknownName(f"nothing is called {head!r} here; known: {', '.join(sorted(TABLES))}")
        return shown(TABLES[head], self, *([argument] if argument else []))

    def say(self, name: str) -> str:
        """A sentence or number for inline code: `counts`, or a verdict's number."""
        found = self.verdicts["verdict"].value_counts()
        shown = {str(finding): int(found.get(finding, 0)) for finding in FINDINGS}
        checked = len(self.verdicts) - shown["not_checkable"]
        words = {finding: count(n) for finding, n in shown.items()}
        words |= {"figures": count(len(self.verdicts)), "checked": count(checked)}
        words["share"] = percent((shown["reproduces"] + shown["another_reading"]) / checked, 0)
        words["counts"] = (
            f"Of {words['figures']} published figures, {words['checked']} follow from other published figures. Of"
            f" these, {words['reproduces']} match, {words['another_reading']} match only when they are read in"
            " another way"
            f" than the text says, and {words['does_not_reproduce']} we could not reproduce. The other"
            f" {words['not_checkable']} cannot be checked."
        )
        if name not in words:
            raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(words)}")
        return words[name]

    def test(self, p_id: str) -> RetoldTest:
        """One comparison, its numbers ready for a sentence."""
        for comparison in self.comparisons:
            if comparison.p_id == p_id:
                return retold(self.figures, comparison, scale=self.scales.get(comparison.key))
        raise UnknownName(f"no comparison has the published p-value {p_id!r}")

    def rates(self) -> list[RateCell]:
        """The four rates of the first experiment with what their standard errors could be."""
        return rate_cells(
            self.figures, next(scale for (_, outcome), scale in self.scales.items() if outcome == "progression_rate")
        )


def trial_names(root: Path) -> dict[str, str]:
    """Names of what printed figures are about: every part of a study in the order of the catalogue, then the
    subjects.
    """
    parts = {part: name for entry in catalogue(root) for part, name in entry.trials.items()}
    return parts | programme_plan(root).subject_names()


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


def tests(report: ConsistencyReport) -> GT:
    """Every printed p-value of two arms, with what the arms give."""
    verdict = report.verdicts.set_index("id")
    rows = []
    for comparison in report.comparisons:
        if not comparison.p_id:
            continue
        found = recompute(report.figures, comparison)
        row = verdict.loc[comparison.p_id]
        other = "" if row["verdict"] != "another_reading" else f"{row['reading']}: {p_value(row['recomputed'])}"
        rows.append(
            {
                "Comparison": _contrast(found),
                "of": report.trials[comparison.trial],
                "Difference": number(found.test.estimate),
                "p from the arms": p_value(found.test.p_value),
                "Rounding allows": _p_interval(found.p_range.low, found.p_range.high),
                "p, published": as_printed(row["as_printed"]),
                "Verdict": _VERDICT[str(row["verdict"])],
                "Reading that fits": other,
            }
        )
    return _grouped(
        rows,
        stub="Comparison",
        words=["Verdict", "Reading that fits"],
        notes=[
            "Welch\u2019s test from the published means, standard errors and numbers of people; the range covers"
            " everything that rounds to the published digits."
        ],
    )


def _contrast(test: RecomputedTest) -> str:
    group = test.comparison.contrast.removeprefix("difference").strip("_")
    names = {
        "me": "minority ethnic names",
        "wb": "White British names",
        "joint": "joint",
        "sep": "separate",
        "blinded": "blinded",
        "vs": "against",
    }
    detail = " ".join(names.get(word, word) for word in group.split("_")) if group else ""
    label = _label(test.comparison.outcome)
    return f"{label}: {detail}" if detail else label


def rates(report: ConsistencyReport) -> GT:
    """Rates, sums and repeated totals."""
    return _relation_table(report, recompute_relations(report.figures, report.relations), places=4)


def detectable(report: ConsistencyReport) -> GT:
    """Detectable effects."""
    found = recompute_detectable_effects(report.figures, report.detectable_effects)
    return _relation_table(report, found, places=3, people=True)


def _relation_table(report: ConsistencyReport, found: list[Recomputed], *, places: int, people: bool = False) -> GT:
    rows = []
    for item in found:
        printed = report.figures.row(item.printed_id) if item.printed_id else None
        row = {
            "Quantity": _tidy(item.quantity),
            "Recomputed": _tidy(f"{item.value:,.{places}g}"),
            "Printed": MISSING if printed is None else as_printed(printed["as_printed"]),
        }
        if people:
            row["People it needs"] = (
                MISSING if pd.isna(item.people_for_printed) else count(round(item.people_for_printed))
            )
        row["Agree"] = MISSING if item.reproduces is None else "yes" if item.reproduces else "no"
        remark = "; ".join(filter(None, (f"read as {item.reading}" if item.reading else "", item.note)))
        rows.append(row | {"Remark": _tidy(remark)})
    # As printed are words too ("4.16 days in 6 months"): a column of numbers would not break their line.
    numeric = ["Recomputed"] + (["People it needs"] if people else [])
    return text_table(
        pd.DataFrame(rows),
        stub="Quantity",
        numeric=numeric,
        notes=["Lines without a published figure show what the others imply. Read as: another meaning that was tried."],
    )


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
        cells = {"Figure": str(row["id"]), "Printed": as_printed(str(row["as_printed"]))}
        if recomputed:
            cells["Recomputed"] = MISSING if pd.isna(row["recomputed"]) else _tidy(f"{row['recomputed']:,.4g}")
        reading = "" if row["reading"] == "as reported" else f"Read as {row['reading']}: "
        rows.append(cells | {"Verdict": _VERDICT[str(row["verdict"])], "Why": _tidy(reading + str(row["reason"]))})
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


def rate_errors(report: ConsistencyReport) -> GT:
    """Experiment 1: the printed standard error against every meaning it could have."""
    rows = [
        {
            "Rate": cell.label,
            "Printed rate": f"{number(cell.rate)}%",
            "Printed SE": cell.printed,
            "Least possible": number(cell.least),
            "All decisions separate": number(cell.binomial),
            "Spread of a yes or no": number(cell.yes_or_no, 3),
        }
        for cell in report.rates()
    ]
    return plain_table(
        pd.DataFrame(rows),
        stub="Rate",
        notes=[
            (
                "Least possible: the smallest standard error, in percentage points, that so many people with rates in"
                " steps of a fifth can have around this rate."
            ),
            (
                "All decisions separate: the standard error if each of a person\u2019s decisions counted as another"
                " person. Spread of a yes or no: standard deviation of single answers, as a proportion."
            ),
        ],
    )


def conflicts(report: ConsistencyReport) -> GT:
    """Conflicts in the documents, those of the trial with a protocol left out, with the reading chosen."""
    rows = [
        {
            "Id": code_entry(each.id),
            "of": report.subjects[each.study],
            "What conflicts": f"{each.topic}. {_flat(each.finding)}",
            "Reading": _flat(each.reading),
            "Weight": each.grade,
        }
        for study in report.subjects
        for each in load_conflicts(report.root)
        if each.study == study
    ]
    return _grouped(
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
            "Planned": _flat(each.planned),
            "Done": _flat(each.done),
            "Known": each.status,
            "What it means": _flat(each.consequence),
        }
        for study in report.subjects
        for each in load_departures(report.root)
        if each.study == study
    ]
    return _grouped(
        rows,
        stub="Id",
        words=["Planned", "Done", "Known", "What it means"],
        notes=["Known: stated where the authors say so themselves, shown where it follows from two printed facts."],
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


def _grouped(rows: list[dict[str, str]], *, stub: str, words: list[str], notes: list[str]) -> GT:
    """Lines in blocks by their cell `of`; columns in `words` aligned left."""
    if not rows:
        return plain_table(pd.DataFrame([{stub: "None", **dict.fromkeys(words, "")}]), stub=stub)
    table = plain_table(pd.DataFrame(rows), stub=stub, groups="of", notes=notes)
    return table.cols_align("left", columns=words)


def _flat(text: str) -> str:
    return _tidy(" ".join(text.split()))


def _tidy(text: str) -> str:
    """Names of columns as words, true minus signs."""
    words = re.sub(r"(?<=[a-z])_(?=[a-z])", " ", text)
    return re.sub(r"(?<![\w\d-])-(?=[\d.])", MINUS, words)


def as_printed(text: object) -> str:
    """The printed token; of a whole phrase only its beginning, since the figure is what counts."""
    words = str(text).split()
    return _tidy(" ".join(words if len(words) <= LONGEST else [*words[: LONGEST - 1], "\u2026"]))


_OUTCOMES: Mapping[str, str] = {
    "motivation_intrinsic_prosocial": "Intrinsic and prosocial motivation",
    "professional_connection": "Connection to the profession",
    "sickness_absence_self_report": "Sickness absence, self-reported",
    "org_commitment_and_support": "Organisational commitment and support",
}


def _label(outcome: str) -> str:
    text = outcome.replace("_", " ")
    return _OUTCOMES.get(outcome, text[:1].upper() + text[1:])


def _p_interval(low: float, high: float) -> str:
    if high < 0.001:
        return "< .001"
    ends = [f"{end:.3f}".removeprefix("0") for end in (low, high)]
    return " to ".join(ends) if ends[0] != ends[1] else ends[0]


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
    )
