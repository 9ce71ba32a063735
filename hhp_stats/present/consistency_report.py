"""What the check of printed figures found, and its words on a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.audit import audit
from hhp_stats.consistency.comparisons import Comparison, find_comparisons
from hhp_stats.consistency.figures import Figures
from hhp_stats.consistency.granularity import Scale
from hhp_stats.consistency.printed import beginning
from hhp_stats.consistency.verdict import FINDINGS
from hhp_stats.errors import UnknownName
from hhp_stats.plan.catalogue import catalogue, study_names
from hhp_stats.plan.clauses import protocol_study
from hhp_stats.plan.programme import programme_plan
from hhp_stats.present.consistency_explained import RateCell, RetoldTest, rate_cells, retold
from hhp_stats.present.marks import shown
from hhp_stats.present.numbers import MINUS, count, lowered, percent
from hhp_stats.present.published_names import group_in_words, outcome_in_words
from hhp_stats.present.tables import plain_table

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
VERDICT: Mapping[str, str] = {
    "reproduces": "reproduces",
    "another_reading": "other reading",
    "does_not_reproduce": "does not",
    "not_checkable": "open",
}


@dataclass(frozen=True, kw_only=True)
class ConsistencyReport:
    """The audit of the published figures as appendix D reads it."""

    root: Path
    figures: Figures
    relations: pd.DataFrame
    detectable_effects: pd.DataFrame
    scales: Mapping[tuple[str, str], Scale]
    names: Mapping[tuple[str, str], str]  # of outcomes and contrasts whose codes do not say it themselves
    tables: Mapping[str, Callable[..., GT]]  # of the appendix, by name

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

    def in_words(self, outcome: str, contrast: str) -> str:
        """What a printed test is about: the outcome, and the contrast where there are several."""
        return ": ".join(filter(None, (outcome_in_words(self.names, outcome), group_in_words(self.names, contrast))))

    def named(self, reason: str) -> str:
        """A verdict's reason with the names of outcomes in place of their codes."""
        codes = {code: lowered(name) for (of, code), name in self.names.items() if of == "outcome"}
        return re.sub(r"\w+", lambda found: codes.get(found[0], found[0]), reason)

    def table(self, name: str) -> GT:
        """A table, by name or name/argument."""
        head, _, argument = name.partition("/")
        if head not in self.tables:
            raise UnknownName(f"nothing is called {head!r} here; known: {', '.join(sorted(self.tables))}")
        return shown(self.tables[head], self, *([argument] if argument else []))

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


def grouped(rows: list[dict[str, str]], *, stub: str, words: list[str], notes: list[str]) -> GT:
    """Lines in blocks by their cell `of`; columns in `words` aligned left."""
    if not rows:
        return plain_table(pd.DataFrame([{stub: "None", **dict.fromkeys(words, "")}]), stub=stub)
    table = plain_table(pd.DataFrame(rows), stub=stub, groups="of", notes=notes)
    return table.cols_align("left", columns=words)


def flat(text: str) -> str:
    """Words of a printed phrase on one line."""
    return tidy(" ".join(text.split()))


def tidy(text: str) -> str:
    """Names of columns as words, true minus signs."""
    words = re.sub(r"(?<=[a-z])_(?=[a-z])", " ", text)
    return re.sub(r"(?<![\w\d-])-(?=[\d.])", MINUS, words)


def as_printed(text: object) -> str:
    """The printed token; of a whole phrase only its beginning, since the figure is what counts."""
    return tidy(beginning(str(text)))
