"""Does the list of sources print the same in both engines?

Quarto cites page by page, the embedded engine for the whole book. What a citation looks like must not depend on which
other sources are cited on the same page, so each needs a label of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Refuse = Callable[[str, int, str], None]

_ENTRY = re.compile(
    r"^[ \t]*@(?!comment\b|string\b|preamble\b)(\w+)\s*\{\s*([^,\s]+)\s*,", re.MULTILINE | re.IGNORECASE
)
_FIELD = re.compile(r"([A-Za-z][\w-]*)\s*=\s*")
_LISTS = ("publisher", "institution", "school", "organization", "location", "address")
_BRACE = re.compile(r"[{}]")
_AND = re.compile(r"\sand\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One source: its fields in small letters, values without the outer braces, and where each stands."""

    key: str
    line: int
    fields: Mapping[str, str]
    lines: Mapping[str, int]


def read_entries(text: str) -> Iterator[Entry]:
    """The entries of a BibTeX file, whatever their kind."""
    for found in _ENTRY.finditer(text):
        end = _closing(text, text.index("{", found.start()))
        fields: dict[str, str] = {}
        lines: dict[str, int] = {}
        at = found.end()
        while field := _FIELD.search(text, at, end):
            stop = _value_end(text, field.end(), end)
            name = field[1].lower()
            fields[name] = _without_outer(text[field.end() : stop].strip())
            lines[name] = text.count("\n", 0, field.start()) + 1
            at = stop
        yield Entry(key=found[2], line=text.count("\n", 0, found.start()) + 1, fields=fields, lines=lines)


def _closing(text: str, opening: int) -> int:
    """Where the brace at `opening` is closed; the end of the text where it never is."""
    depth = 0
    for brace in _BRACE.finditer(text, opening):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(text)


def _value_end(text: str, start: int, end: int) -> int:
    """Where a field's value ends: with its brace or quotation mark, or before a comma."""
    if text[start : start + 1] == "{":
        return _closing(text, start) + 1
    if text[start : start + 1] == '"':
        closed = text.find('"', start + 1)
        return closed + 1 if closed > 0 else end
    comma = text.find(",", start, end)
    return comma if comma > 0 else end


def _without_outer(value: str) -> str:
    quoted = value[:1] + value[-1:] in ("{}", '""')
    return value[1:-1] if quoted else value


def _bare(value: str) -> str:
    """The value with everything in braces taken out: BibTeX leaves that alone."""
    while (less := re.sub(r"\{[^{}]*\}", "", value)) != value:
        value = less
    return value


def check_bibliography(root: Path, file: str, cited: Collection[str], refuse: Refuse) -> None:
    """Refuse two sources that the book cites under the same authors and year, and names of one house that are read as
    those of two.
    """
    entries = list(read_entries((root / file).read_text(encoding="utf-8")))
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        for name in _LISTS:
            if _AND.search(_bare(entry.fields.get(name, ""))):
                refuse(
                    file,
                    entry.lines[name],
                    f"'and' in the {name} of '{entry.key}' makes two of it: write '{{and}}' where it belongs to a name",
                )
        if entry.key not in cited:
            continue
        year = entry.fields.get("year") or entry.fields.get("date", "")
        who = entry.fields.get("author") or entry.fields.get("editor", "")
        label = (" ".join(who.split()).casefold(), year)
        if who and year and label in first:
            refuse(
                file,
                entry.lines.get("year", entry.lines.get("date", entry.line)),
                f"'{entry.key}' and '{first[label].key}' have the same authors and year: a page that cites one of them"
                f" would print another label than a page that cites both; write '{year}a' and '{year}b'",
            )
        first.setdefault(label, entry)
