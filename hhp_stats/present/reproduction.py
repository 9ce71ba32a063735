"""Appendix D: published figures beside those of the pipeline. The comparison is that of
`hhp_stats.consistency.ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.ledger import (
    DATA_DIFFER,
    WITHHELD_HERE,
    Standing,
    counted,
    further_rows,
    ledger,
    read_lists,
    unexplained,
)
from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import catalogue, study_entry
from hhp_stats.plan.clauses import protocol_study
from hhp_stats.plan.conflicts import load_conflicts
from hhp_stats.present.bars import Part, bars_in_words, stacked_bars
from hhp_stats.present.consistency_report import as_printed, trial_names
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.listing import listed_words
from hhp_stats.present.marked_text import code_entry
from hhp_stats.present.marks import shown
from hhp_stats.present.numbers import MISSING, WITHHELD, count, matching, percent
from hhp_stats.present.published_names import in_the_style_of, outcome_in_words, published_names
from hhp_stats.present.release import standing
from hhp_stats.present.study_results import printed_figures
from hhp_stats.present.style import GRID, INK, PAPER
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.studies.output import open_output

DOCUMENT = "report/D-consistency.qmd"
KINDS: Mapping[str, tuple[str, ...]] = {
    "Numbers of people and other counts": ("n", "count", "min", "max"),
    "Means and rates of an arm": ("mean",),
    "Standard errors": ("se",),
    "P-values": ("p",),
    "Shares": ("percent", "response_rate"),
    "Detectable effects": ("mdes", "mdes_planned"),
    "Directions in words": ("stated_direction",),
    "Claims of significance": ("stated_significant",),
}
_MATCH: Mapping[str, str] = {
    "reproduced": "yes",
    "other_reading": "read otherwise",
    "not_reproduced": "no",
    "not_compared": "nothing to compare",
}
# How the parts of a bar are filled, which must be told apart in print as well.
_FILLS: Mapping[Standing, tuple[str, str]] = {
    "reproduced": (INK, ""),
    "other_reading": (GRID, "///"),
    "not_reproduced": (PAPER, ""),
}
_IN_A_LEGEND: Mapping[Standing, str] = {
    "reproduced": "match",
    "other_reading": "match if read otherwise",
    "not_reproduced": "do not match",
}
_SAID: Mapping[Standing, str] = {"other_reading": "if read otherwise", "not_reproduced": "not at all"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """The printed figures of all studies with what the pipeline makes of the raw files."""

    root: Path
    ledger: pd.DataFrame

    def table(self, name: str) -> GT:
        """A table, by name or name/argument."""
        head, _, argument = name.partition("/")
        if head not in TABLES:
            raise UnknownName(f"nothing is called {head!r} here; known: {', '.join(sorted(TABLES))}")
        return shown(TABLES[head], self, *([argument] if argument else []))

    def figure(self) -> EmbeddedFigure:
        """Of the published figures of each study that can be compared: how many match, do if read otherwise, do not?"""
        names = trial_names(self.root)
        trials = [trial for trial in names if (self.compared["trial"] == trial).any()]
        found = {trial: counted(self.compared[self.compared["trial"] == trial]) for trial in trials}
        labels = [names[trial] for trial in trials]
        of = [sum(found[trial][key] for key in _FILLS) for trial in trials]
        words = [f"{count(found[trial]['reproduced'])} of {count(n)}" for trial, n in zip(trials, of, strict=True)]
        kept = [key for key in _FILLS if any(found[trial][key] for trial in trials)]
        parts = [Part(_IN_A_LEGEND[key], [int(found[trial][key]) for trial in trials], *_FILLS[key]) for key in kept]
        matched = sum(found[trial]["reproduced"] for trial in trials)
        conclusion = (
            f"{count(matched)} of {count(sum(of))} published figures that can be compared match"
            f" ({percent(matched / sum(of), 0)})"
        )
        others = "; ".join(
            f"{label}: {', '.join(f'{count(found[trial][key])} {_SAID[key]}' for key in kept[1:] if found[trial][key])}"
            for label, trial in zip(labels, trials, strict=True)
            if any(found[trial][key] for key in kept[1:])
        )
        return embed(
            lambda width: stacked_bars(
                labels, parts, words=words, unit="Published figures that can be compared", width=width
            ),
            root=self.root,
            document=DOCUMENT,
            label="d-matches",
            conclusion=conclusion,
            alt=f"Bars of published figures that match, by study. {bars_in_words(labels, words)}."
            + (f" The others match: {others}." if others else ""),
            caption=f"{conclusion}. The numbers say how many match of those that can be compared"
            + ("; the data were made so that most would" if standing(self.root).synthetic else ""),
        )

    def say(self, name: str) -> str:
        """A sentence by name."""
        if name not in SENTENCES:
            raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(SENTENCES))}")
        return SENTENCES[name](self)

    @property
    def compared(self) -> pd.DataFrame:
        """The figures that something in the release could give."""
        return self.ledger[self.ledger["standing"] != "not_compared"]


def share(report: Reproduction) -> str:
    """The share of printed figures that come back, with its denominator."""
    found = counted(report.ledger)
    of = len(report.compared)
    left = len(unexplained(report.ledger))
    missed = (
        "each for a reason that is given below"
        if not left
        else f"{count(left)} of them for no other reason than that the data are not those behind the documents"
    )
    return (
        f"Of {count(len(report.ledger))} figures and claims in the list of published results, we can compare"
        f" {count(of)}"
        f" with a number that we compute. Of these, {count(found['reproduced'])}"
        f" ({percent(found['reproduced'] / of, 0)}) match; {count(found['other_reading'])} more match if they"
        " are read in"
        f" another way than the text says; {count(found['not_reproduced'])} do not match, {missed}. For the other"
        f" {count(found['not_compared'])} there is nothing to compare."
    )


def meaning(report: Reproduction) -> str:
    """What the share means, for synthetic and for real data."""
    found = standing(report.root)
    if found.mixed:
        names = listed_words([f"the {entry.noun}" for entry in found.real])
        return (
            f"The data of {names} are real: a figure that does not match there comes from another analysis than"
            " that of this report. The raw files of the others are synthetic and were made so that"
            " group sizes, means and standard errors match, which is no evidence that the documents are right."
        )
    if found.synthetic:
        return (
            "The raw files are synthetic and were made so that group sizes, means and standard errors match. The share"
            " therefore shows that such data are possible and that our analysis of them gives the published results."
            " It is no evidence that the documents are right. The figures that do not match are the informative part:"
            " no data that match the others could match these, or only with another analysis than the one planned. The"
            " conflict named says which."
        )
    return (
        "The raw files are those of the trials, so a figure that does not match comes from another analysis than"
        " that of this report."
    )


def _of_arms(report: Reproduction) -> pd.Series:
    """Which of the figures of single arms of the field trials and of the second experiment come back."""
    kept = report.ledger[
        report.ledger["statistic"].isin(["n", "mean", "se"])
        & report.ledger["id"].str.fullmatch(r"(BEN|SWI|MOD)-\w+-[TC]-(N|M|SE)|DIVB-(B|ME|WB)-(N|M|SE)")
    ]
    return kept["standing"].isin(["reproduced", "other_reading"])


def arms(report: Reproduction) -> str:
    """How many figures of single arms are printed."""
    return count(len(_of_arms(report)))


def arms_back(report: Reproduction) -> str:
    """How many of them come back."""
    found = _of_arms(report)
    return matching(int(found.sum()), len(found))


def by_study(report: Reproduction) -> GT:
    """Published against ours, by study."""
    names = trial_names(report.root)
    known = [trial for trial in names if (report.ledger["trial"] == trial).any()]
    lines = [(names[trial], report.ledger[report.ledger["trial"] == trial]) for trial in known]
    return _counts([*lines, ("All", report.ledger)], stub="Study")


def by_kind(report: Reproduction) -> GT:
    """Published against ours, by kind of figure; only what can be compared."""
    return _counts(
        [(label, report.compared[report.compared["statistic"].isin(names)]) for label, names in KINDS.items()],
        stub="Kind",
    )


def _counts(lines: list[tuple[str, pd.DataFrame]], *, stub: str) -> GT:
    rows = []
    for label, part in lines:
        found = counted(part)
        of = len(part) - found["not_compared"]
        rows.append(
            {
                stub: label,
                "Figures": count(len(part)),
                "Comparable": count(of),
                "Match": count(found["reproduced"]),
                "Read otherwise": count(found["other_reading"]),
                "Not": count(found["not_reproduced"]),
                "Match, share": percent(found["reproduced"] / of, 0) if of else MISSING,
            }
        )
    return plain_table(
        pd.DataFrame(rows),
        stub=stub,
        notes=["Comparable: something in the release could give the figure. The share is of these."],
    )


def missed(report: Reproduction) -> GT:
    """What does not come back, or only under another reading, and why."""
    names = trial_names(report.root)
    own = protocol_study(report.root)
    there = f", those of the {study_entry(report.root, own).noun} in Appendix A" if own else ""
    topics = {entry.id: entry.topic for entry in load_conflicts(report.root)}
    rows = []
    for row in report.ledger[report.ledger["standing"].isin(["not_reproduced", "other_reading"])].to_dict("records"):
        why = f"{topics[str(row['conflict'])]} ({row['conflict']})" if row["conflict"] else row["reason"] or DATA_DIFFER
        rows.append(
            {
                "Figure": code_entry(str(row["id"])),
                "of": names[str(row["trial"])],
                "Published": as_printed(row["as_printed"]),
                "Here": _ours(row),
                "Matches": _MATCH[str(row["standing"])],
                "Why": (
                    f"{why}; read as {row['reason']}" if row["standing"] == "other_reading" and row["reason"] else why
                ),
            }
        )
    if not rows:
        return plain_table(
            pd.DataFrame([{"Figure": "None", "Published": "", "Here": "", "Matches": "", "Why": ""}]), stub="Figure"
        )
    table = plain_table(
        pd.DataFrame(rows),
        stub="Figure",
        groups="of",
        notes=[f"Here: as computed from the raw files. Conflicts by their number: at the end of this appendix{there}."],
    )
    return table.cols_align("left", columns=["Published", "Matches", "Why"])


def figures_of(report: Reproduction, trial: str) -> GT:
    """All figures of one study that can be compared, published against ours."""
    own = report.compared[report.compared["trial"] == trial]
    if own.empty:
        raise UnknownName(f"no published figure of {trial!r} can be compared")
    names = published_names(report.root)
    rows = [
        {
            "Figure": code_entry(str(row["id"])),
            "Outcome": outcome_in_words(names, str(row["outcome"])),
            "Published": as_printed(row["as_printed"]),
            "Here": _ours(row),
            "Matches": " ".join(
                filter(None, (_MATCH[str(row["standing"])], f"({row['conflict']})" if row["conflict"] else ""))
            ),
        }
        for row in own.to_dict("records")
    ]
    return text_table(pd.DataFrame(rows), stub="Figure", numeric=["Here"])


def without(report: Reproduction) -> GT:
    """The figures that nothing in the release could give, by reason."""
    rest = report.ledger[report.ledger["standing"] == "not_compared"]
    rows, notes = [], []
    for reason, part in rest.groupby("reason", sort=False):
        # The first words name the kind; what follows the comma is said once, below the table.
        kind, _, why = str(reason).partition(", ")
        rows.append(
            {
                "Kind": kind[:1].upper() + kind[1:],
                "Figures": count(len(part)),
                "Which": ", ".join(map(code_entry, sorted(part["id"]))),
            }
        )
        notes += [f"{kind[:1].upper()}{kind[1:]}: {why}."] if why else []
    return text_table(pd.DataFrame(rows), stub="Kind", numeric=["Figures"], notes=notes)


def _ours(row: Mapping[Any, Any]) -> str:
    """Our number in the style of the printed one; of a claim what our rows say."""
    if row["said"]:
        return str(row["said"])
    if row["reason"] == WITHHELD_HERE:
        return WITHHELD
    return in_the_style_of(str(row["as_printed"]), float(row["ours"]), statistic=str(row["statistic"]))


TABLES: dict[str, Callable[..., GT]] = {
    "by_study": by_study,
    "by_kind": by_kind,
    "missed": missed,
    "figures": figures_of,
    "without": without,
}
SENTENCES: dict[str, Callable[[Reproduction], str]] = {
    "share": share,
    "meaning": meaning,
    "arms": arms,
    "arms_back": arms_back,
}


def chapter(*, root: Path | None = None) -> Reproduction:
    """Open results and published figures for appendix D; refuses studies whose results are not ready (HhpError)."""
    home = root or find_root()
    outputs = {entry.study: open_output(home, entry.study) for entry in catalogue(home)}
    results = pd.concat([output.results for output in outputs.values()], ignore_index=True)
    phases = {entry.study: entry.phase for entry in catalogue(home)}
    further = further_rows(results, tables={key: output.tables for key, output in outputs.items()}, phases=phases)
    table = ledger(printed_figures(home), pd.concat([results, further], ignore_index=True), read_lists(home))
    return Reproduction(root=home, ledger=table)
