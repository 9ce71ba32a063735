"""After a study is taken out, no text that is left names it: plans, chapters and published lists, each in its own words."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hhp_stats.plan.catalogue import StudyEntry, catalogue
from hhp_stats.plan.clauses import CLAUSE_STATUS
from hhp_stats.plan.passages import unmarked
from hhp_stats.present.provenance import CLAUSES
from hhp_stats.scaffold.removal import Removal, removal

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = catalogue(ROOT)
# What a plan says to programs (names of columns, places and files), and titles of documents.
NAMES = re.compile(
    r"source\[\d+\]\.title|\.(value|sources?|tests|where|file|id|key|study|column|event|population)(\[\d+\])?$"
)
OTHER_MEANINGS = {"letters": r"letters (of|and digits)"}  # the word is English, too


def names(entry: StudyEntry) -> re.Pattern[str]:
    """The study's name in whatever writing, as a word."""
    words = [
        re.escape(word).replace(r"\-", "[- ]")
        for word in {entry.name, entry.study.replace("_", " "), *entry.published.values()}
    ]
    return re.compile(rf"(?<![\w-])({'|'.join(words)})(?![\w-])", re.IGNORECASE)


def strings(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a TOML file with its place."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from strings(part, f"{place}.{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from strings(part, f"{place}[{number}]")
    elif isinstance(value, str) and not NAMES.search(place):
        yield place, value


def left(found: Removal) -> Iterator[tuple[str, str, str]]:
    """File, place and text of everything that pages print from plans, chapters and clauses, once a study is out."""
    files = [*ROOT.glob("data/plan/*.toml"), ROOT / "index.qmd", *ROOT.glob("report/*.qmd"), ROOT / CLAUSES]
    if CLAUSE_STATUS in found.moved:  # the clauses are of the protocol of the study itself
        files.remove(ROOT / CLAUSES)
    for path in sorted(files):
        file = path.relative_to(ROOT).as_posix()
        if file in found.moved or path.name.startswith("synthetic_"):
            continue
        text = unmarked(found.edited.get(file, path.read_bytes()).decode())
        if path.suffix == ".toml":
            yield from ((file, place, said) for place, said in strings(tomllib.loads(text)))
        elif path.suffix == ".csv":
            yield from (
                (file, row["clause_id"], row["commitment"])
                for row in csv.DictReader(io.StringIO(text))
                if row["clause_id"].startswith("P")
            )
        else:
            yield from ((file, str(number), line) for number, line in enumerate(text.splitlines(), start=1))


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.study for entry in ENTRIES])
def test_no_text_that_is_left_names_a_study_that_went(entry: StudyEntry) -> None:
    name, other = names(entry), OTHER_MEANINGS.get(entry.study, r"(?!)")
    said = [
        (file, place, text[:80])
        for file, place, text in left(removal(ROOT, entry.study))
        if name.search(re.sub(other, "", text))
    ]
    assert not said
