"""Do the studies of the plans and the chapters of _quarto.yml belong together?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hhp_stats.errors import PlanError
from hhp_stats.plan.catalogue import PLANS, StudyEntry, catalogue
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.passages import UnevenMarks, unknown_studies
from hhp_stats.plan.programme import PROGRAMME, programme_plan
from hhp_stats.plan.records import plan_text, read_plan_file

BOOK = "_quarto.yml"
TO_CONFIRM = "[to be confirmed]"  # what `hhp new` writes beside a guess
_PAGE = re.compile(r"^\s*-\s+[\"']?(?P<page>[^\s\"'#]+\.qmd)[\"']?\s*(?:#.*)?$", re.MULTILINE)

_ALIKE = 0.85  # of the letters of two words: a slip, and no other word


def book_pages(root: Path) -> tuple[str, ...]:
    """The pages that `_quarto.yml` lists, in its order."""
    path = root / BOOK
    if not path.is_file():
        raise PlanError(BOOK, "the file", "does not exist.", "Restore it: it says which chapters the report has.")
    return tuple(found["page"] for found in _PAGE.finditer(path.read_text(encoding="utf-8")))


def check_book(root: Path) -> tuple[StudyEntry, ...]:
    """The catalogue, compared with the chapters of `_quarto.yml`.

    Raises PlanError for a study whose chapter or page `_quarto.yml` does not list or that does not exist, and for a
    chapter that is neither of a study nor one of the programme's pages; for what `hhp new` guessed and nobody
    confirmed, a study that no plan has, and a construct written in two ways.
    """
    entries, listed = catalogue(root), book_pages(root)
    for entry in entries:
        for key, page in [("chapter", entry.chapter), *(("pages", page) for page in entry.pages)]:
            file = f"{PLANS}/{entry.study}.toml"
            if page not in listed:
                raise PlanError(
                    file, key, f"is {page!r}, which {BOOK} does not list.", f"Enter it there. {allowed(listed, page)}"
                )
            if not (root / page).is_file():
                raise PlanError(file, key, f"is {page!r}, which does not exist.", "Write it, or run `hhp new`.")
    _check_references(root, [entry.study for entry in entries])
    for entry in entries:
        _refuse_unconfirmed(root, entry.study)
    _check_constructs(root, [entry.study for entry in entries])
    known = {page for entry in entries for page in (entry.chapter, *entry.pages)} | set(programme_plan(root).pages)
    for page in listed:
        if page not in known:
            raise PlanError(
                BOOK,
                page,
                "belongs to no study.",
                f"Name it as chapter in the plan of its study, or among the pages of {PROGRAMME}.",
            )
    return entries


def _refuse_unconfirmed(root: Path, study: str) -> None:
    """What `hhp new` guessed must have been confirmed: a guess is no plan."""
    for path in sorted((root / PLANS).glob(f"{study}.*")):
        for number, line in enumerate(plan_text(root, f"{PLANS}/{path.name}").splitlines(), start=1):
            if TO_CONFIRM in line and not line.startswith("#"):
                raise PlanError(
                    f"{PLANS}/{path.name}",
                    f"line {number}",
                    "is a guess that nobody has confirmed.",
                    f"Correct it and take {TO_CONFIRM} out, here and wherever it stands.",
                )


def _check_references(root: Path, known: Sequence[str]) -> None:
    """Commitments, deviations and passages of plan files may name no study that has no plan."""
    for path in sorted((root / PLANS).glob("*.toml")):
        file = f"{PLANS}/{path.name}"
        text = plan_text(root, file)
        if path.name.startswith(("commitments", "deviations")):
            for key in ("commitment", "deviation"):
                for number, entry in enumerate(read_plan_file(root, file).get(key, []), start=1):
                    study = entry.get("study", "")
                    if study not in known:
                        raise PlanError(
                            file,
                            f"{key} {entry.get('id', number)}",
                            f"names the study {study!r}.",
                            allowed(known, study),
                        )
        try:
            for study, line in unknown_studies(text, known):
                raise PlanError(
                    file, f"line {line}", f"has a passage about the study {study!r}.", allowed(known, study)
                )
        except UnevenMarks as error:
            raise PlanError(file, f"line {error.line}", f"{error}.", "Begin and end each passage.") from None


def _check_constructs(root: Path, studies: Sequence[str]) -> None:
    """What several trials measure must be written alike in their plans: a slip would take a trial out of the comparison
    without a word.
    """
    from difflib import get_close_matches  # slow to import, as in `nearest`

    first: dict[str, str] = {}
    for study in studies:
        file = f"{PLANS}/{study}.toml"
        listed = read_plan_file(root, file).get("outcomes", [])
        for outcome in listed.values() if isinstance(listed, Mapping) else listed:
            construct = outcome.get("construct", "") if isinstance(outcome, Mapping) else ""
            if not isinstance(construct, str) or not construct or construct in first:
                continue
            like = get_close_matches(construct, first, n=1, cutoff=_ALIKE)
            if like:
                raise PlanError(
                    file,
                    f"construct {construct!r}",
                    f"is nearly {like[0]!r} of {first[like[0]]}.",
                    "Write both alike if they are one, or in words that are further apart.",
                )
            first[construct] = study
