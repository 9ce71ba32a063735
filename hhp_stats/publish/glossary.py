"""The words a reader can look up: `report/glossary.toml`, checked once a rendering."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import RenderError

GLOSSARY = "report/glossary.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A term, the forms in which it may stand in a sentence (itself among them), and what it means."""

    slug: str
    forms: tuple[str, ...]
    words: str


def read_glossary(root: Path) -> tuple[Term, ...]:
    """The project's terms; none where there is no file.

    Raises RenderError where the file is not valid TOML, an entry lacks its name or words or has other
    keys, or two entries claim the same form.
    """
    file = root / GLOSSARY
    if not file.is_file():
        return ()
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RenderError(GLOSSARY, None, f"not valid TOML: {error}") from None
    terms: list[Term] = []
    owner: dict[str, str] = {}
    for entry in raw.get("term", []):
        name, words, forms = entry.get("name"), entry.get("words"), entry.get("forms", [])
        if not (isinstance(name, str) and name.strip() and isinstance(words, str) and words.strip()):
            raise RenderError(GLOSSARY, None, f"a term needs a name and words: {entry}")
        if unknown := set(entry) - {"name", "words", "forms"}:
            raise RenderError(GLOSSARY, None, f"the term '{name}' has unknown keys: {', '.join(sorted(unknown))}")
        for form in (name, *forms):
            if form.lower() in owner:
                raise RenderError(GLOSSARY, None, f"'{form}' belongs to both '{owner[form.lower()]}' and '{name}'")
            owner[form.lower()] = name
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        terms.append(Term(slug=slug, forms=(name, *forms), words=" ".join(words.split())))
    return tuple(terms)
