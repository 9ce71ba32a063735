"""Glossary and abbreviations as printed tables: what pages explain where it occurs, for readers of paper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hhp_stats.files.project_root import find_root
from hhp_stats.plan.glossary import Abbreviation, Term, read_abbreviations, read_glossary
from hhp_stats.present.listing import capital, listed_words
from hhp_stats.present.markdown import escaped, pipe_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Both lists, each as Markdown for a cell with `output: asis`."""

    terms: tuple[Term, ...]
    abbreviations: tuple[Abbreviation, ...]

    def glossary(self) -> str:
        """Every term with what it means here, in the order of the alphabet."""
        rows = [
            [escaped(capital(term.name)), escaped(term.words)]
            for term in sorted(self.terms, key=lambda term: term.name.casefold())
        ]
        return pipe_table(
            ["Term", "What it means here"],
            rows,
            label="tbl-words-terms",
            caption="Terms of statistics",
            widths=[26, 74],
        )

    def short_forms(self) -> str:
        """Every abbreviation, and where it is used."""
        rows = [
            [escaped(entry.short), escaped(capital(entry.words)), "this report" if entry.ours else "the documents"]
            for entry in self.abbreviations
        ]
        return pipe_table(
            ["Short form", "What it stands for", "Used in"],
            rows,
            label="tbl-words-abbreviations",
            caption="Abbreviations",
            widths=[20, 62, 18],
        )

    def only_in_documents(self) -> str:
        """Which abbreviations this report does without, in a sentence."""
        others = [entry.short for entry in self.abbreviations if not entry.ours]
        return f"This report writes out what the documents call {listed_words(others)}." if others else ""


def words(*, root: Path | None = None) -> Words:
    """Open both lists; refuses what `read_glossary` and `read_abbreviations` refuse."""
    home = root or find_root()
    return Words(terms=read_glossary(home), abbreviations=read_abbreviations(home))
