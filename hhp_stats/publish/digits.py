"""Which digits of the prose were typed by hand? Numbers of the report come from results, never from a keyboard.

Allowed are years, references, mathematics, tables, code, addresses, identifiers, list numbers, dates in
words, the levels 95% and 5%, and "0 to 1". Anything else needs a line in `report/allowed-digits.txt`: a
regular expression, then `#` and the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hhp_stats.publish.source import Line

ALLOWED_FILE = "report/allowed-digits.txt"
Refuse = Callable[[str, int, str], None]

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_ALLOWED = [
    re.compile(r"<[^<>\s]+>|https?://[^\s)>\]]+|\]\([^)]*\)|[\w.+-]+@[\w.-]+\.\w+"),  # addresses
    re.compile(r"\{\{<.*?>\}\}", re.DOTALL),
    re.compile(r"\{[^{}]*\}"),  # identifiers and attributes
    re.compile(r"\[[^\[\]]*(?<!\w)@[^\[\]]*\]"),  # references in brackets, with their pages
    re.compile(r"-?@[A-Za-z0-9_][\w:.+/-]*"),  # references
    re.compile(r"\[\^[^\]]*\]:?"),  # notes
    re.compile(r"^\s*\(?\d+[.)]\s", re.MULTILINE),  # list numbers
    re.compile(
        rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s(?:{_MONTHS})\b(?:\s\d{{4}})?|\b(?:{_MONTHS})\s\d{{1,2}}(?:,\s\d{{4}})?\b"
    ),
    re.compile(r"(?<![\d.,])(?:19\d\d|20\d\d|2100)(?:[-\u2013/](?:\d{4}|\d{2}))?s?(?![\d%]|[.,]\d)"),  # years
    re.compile(r"(?<![\d.,])(?:95|5)\s?%"),  # levels
    re.compile(r"(?<![\d.,\u2212-])0\sto\s1(?![\d%]|[.,]\d)"),
]
_DIGIT = re.compile(r"\d")
_EDGES = re.compile(r"^[^\w.]+|[^\w%]+$")
_TOKEN = re.compile(r"[^\s]*\d[^\s]*")


def read_allowed(root: Path, refuse: Refuse) -> list[re.Pattern[str]]:
    """The project's own allowances; `refuse` is told of a line without a reason or with a broken pattern."""
    file = root / ALLOWED_FILE
    if not file.is_file():
        return []
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        pattern, mark, reason = line.partition(" #")
        if not line.strip() or line.startswith("#"):
            continue
        if not mark or not reason.strip():
            refuse(ALLOWED_FILE, number, "an allowance needs a reason: write 'pattern  # reason'")
            continue
        try:
            compiled = re.compile(pattern.strip())
        except re.error as error:
            refuse(ALLOWED_FILE, number, f"not a regular expression: {error}")
            continue
        if compiled.search("") or all(map(compiled.search, ("7", "12", "3.4 days"))):
            refuse(ALLOWED_FILE, number, "this pattern would allow any digit")
            continue
        found.append(compiled)
    return found


def check_digits(
    paragraph: Sequence[Line], texts: Iterable[str], allowed: Sequence[re.Pattern[str]], refuse: Refuse
) -> None:
    """Tell `refuse` of every digit of a paragraph that no allowance covers.

    `texts` are its lines without code and mathematics. Tables (lines that begin with a bar) are left out.
    """
    shown = ["" if text.lstrip(" >").startswith("|") else text for text in texts]
    left = "\n".join(shown)
    if not _DIGIT.search(left):
        return
    for pattern in [*allowed, *_ALLOWED]:
        left = pattern.sub(_blank, left)
    for line, text in zip(paragraph, left.split("\n"), strict=True):
        if found := _TOKEN.search(text):
            word = _EDGES.sub("", found[0])
            refuse(
                line.file,
                line.number,
                f"the number '{word}' is typed into the prose; print it from a result or the plan, write it in words, "
                f"or give a reason in {ALLOWED_FILE}",
            )


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
