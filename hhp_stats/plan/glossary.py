"""The words a reader can look up, and those that mean the same to the search: `report/glossary.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.errors import RenderError
from hhp_stats.plan.nearest import allowed

GLOSSARY = "report/glossary.toml"
_LISTS = ("term", "abbreviation", "alike")
_KEYS = ("name", "forms", "words")  # of a term


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A term, the forms in which it may stand in a sentence (itself among them), and what it means."""

    slug: str
    forms: tuple[str, ...]
    words: str

    @property
    def name(self) -> str:
        """The term itself."""
        return self.forms[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Abbreviation:
    """An abbreviation, what it stands for, and whether this report uses it or only the documents behind it."""

    short: str
    words: str
    ours: bool


def read_glossary(root: Path) -> tuple[Term, ...]:
    """The project's terms; none where there is no file.

    Raises RenderError where the file is not valid TOML, an entry lacks its name or words or has other
    keys, or two entries claim the same form.
    """
    raw = _read(root)
    terms: list[Term] = []
    owner: dict[str, str] = {}
    for entry in raw.get("term", []):
        name, words, forms = entry.get("name"), entry.get("words"), entry.get("forms", [])
        if not (isinstance(name, str) and name.strip() and isinstance(words, str) and words.strip()):
            raise RenderError(GLOSSARY, None, f"a term needs a name and words: {entry}")
        if unknown := set(entry) - set(_KEYS):
            raise RenderError(
                GLOSSARY, None, f"the term '{name}' has an unknown key {min(unknown)!r}. {allowed(_KEYS, min(unknown))}"
            )
        for form in (name, *forms):
            if not (isinstance(form, str) and form.strip()):
                raise RenderError(GLOSSARY, None, f"the term '{name}' has a form that is no word: {form!r}")
            if form.lower() in owner:
                raise RenderError(GLOSSARY, None, f"'{form}' belongs to both '{owner[form.lower()]}' and '{name}'")
            owner[form.lower()] = name
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        terms.append(Term(slug=slug, forms=(name, *forms), words=" ".join(words.split())))
    return tuple(terms)


def read_abbreviations(root: Path) -> tuple[Abbreviation, ...]:
    """The abbreviations in the order of the alphabet; none where there is no file. `study`: whose name it is, with
    which it goes (`hhp remove`).

    Raises RenderError where the file is not valid TOML, an entry lacks something or has other keys, two are of one
    abbreviation, or one is of a study that has no plan.
    """
    found: dict[str, Abbreviation] = {}
    for entry in _read(root).get("abbreviation", []):
        short, words, ours = entry.get("short"), entry.get("words"), entry.get("ours")
        whole = isinstance(short, str) and short.strip() and isinstance(words, str) and words.strip()
        if not whole or not isinstance(ours, bool) or set(entry) - {"short", "words", "ours", "study"}:
            raise RenderError(GLOSSARY, None, f"an abbreviation needs short, words and ours, and nothing else: {entry}")
        if short in found:
            raise RenderError(GLOSSARY, None, f"the abbreviation '{short}' stands twice")
        if "study" in entry and not (root / f"data/plan/{entry['study']}.toml").is_file():
            raise RenderError(GLOSSARY, None, f"'{short}' is of the study {entry['study']!r}, which has no plan")
        found[short] = Abbreviation(short=short, words=" ".join(words.split()), ours=ours)
    return tuple(sorted(found.values(), key=lambda entry: entry.short.casefold()))


def read_alike(root: Path) -> list[list[str]]:
    """Groups of words that the search takes for each other, in small letters; none where there is no file.

    Raises RenderError where the file is not valid TOML, a group has fewer than two words, or two groups share one.
    """
    groups: list[list[str]] = []
    seen: set[str] = set()
    for group in _read(root).get("alike", []):
        words = group.get("words")
        if unknown := set(group) - {"words"}:
            raise RenderError(GLOSSARY, None, f"a group of words has an unknown key {min(unknown)!r}: write words")
        if not (isinstance(words, list) and len(words) > 1 and all(isinstance(word, str) and word for word in words)):
            raise RenderError(GLOSSARY, None, f"a group of words that mean the same needs two words: {group}")
        lowered = [word.lower() for word in words]
        if shared := seen & set(lowered):
            raise RenderError(GLOSSARY, None, f"'{min(shared)}' stands in two groups of words that mean the same")
        seen |= set(lowered)
        groups.append(lowered)
    return groups


def _read(root: Path) -> dict[str, Any]:
    file = root / GLOSSARY
    if not file.is_file():
        return {}
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RenderError(GLOSSARY, None, f"not valid TOML: {error}") from None
    for key, entries in raw.items():
        if key not in _LISTS:
            raise RenderError(GLOSSARY, None, f"{key!r} is no list of the words. {allowed(_LISTS, key)}")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise RenderError(GLOSSARY, None, f"{key!r} is no list of tables: write [[{key}]] above each entry")
    return raw
