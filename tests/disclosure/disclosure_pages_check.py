"""Every page of a rendering against the public frames: what does it print of people that nobody may read there?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disclosure_pages import (
    not_among,
    numbers_of_sources,
    numbers_of_study,
    people_in_prose,
    people_in_tables,
    people_listed,
    withheld_results,
)

from hhp_stats.results.frame import read_results

SUMS = 1_000  # pages about several studies add their people up, and tell of other people's studies


def problems_of_pages(root: Path, output: Path, plans: Mapping[str, Any]) -> tuple[int, list[str]]:
    """How many numbers of people the pages of `output` print, and those that are not public; `root` holds the frames
    they claim to print.
    """
    printed, found = 0, []
    chapters = {Path(raw["chapter"]).with_suffix(".html").name: study for study, raw in plans.items()}
    own = {
        study: numbers_of_study(root, study, threshold=raw["disclosure"]["threshold"]) for study, raw in plans.items()
    }
    everyone = set().union(*own.values())
    sources = numbers_of_sources(root, threshold=max(raw["disclosure"]["threshold"] for raw in plans.values()))
    for page in sorted(output.glob("*.html")):
        text = page.read_text(encoding="utf-8")
        study = chapters.get(page.name)
        allowed = own[study] if study else everyone
        tables, prose = list(people_in_tables(text)), list(people_in_prose(text))
        printed += len(tables) + len(prose)
        wrong = [*not_among(tables, allowed), *not_among(prose, allowed | sources)]
        most = max(people_listed(root, study)) if study else SUMS  # more people than a study has are not its own
        found += [f"{page.name}: {number} ({where})" for number, where in wrong if number <= most]
    return printed, found


def problems_of_results(root: Path, output: Path, plans: Mapping[str, Any]) -> tuple[int, list[str]]:
    """How many numbers of people are withheld in results, and those that the published `results.csv` holds."""
    results = read_results(output / "results.csv").set_index("result_id")
    gone = [place for study in plans for place in withheld_results(root, study)]
    return len(gone), [f"{key}, {column}" for key, column in gone if results[column].notna()[key]]
