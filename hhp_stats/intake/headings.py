"""Where does the table start, and what does each column hold? Found by the headings, wherever they stand."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.grid import Grid
from hhp_stats.intake.masking import words_of
from hhp_stats.intake.spellings import Spellings, same
from hhp_stats.intake.units import other_unit, own_words

SEARCHED_ROWS = 40
FEWEST_MATCHES = 3
_BRACKETS = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\])")
_EXTRA = re.compile(r"^\[[^\]]*\]\s*")
_PERSONAL = re.compile(
    r"\b(?:(?:fore|sur|first|last|full|employee|staff|worker'?s?)[ -]?names?|names?|e-?mail|telephone|phone|mobile|"
    r"address|postcode|date of birth|dob|ni number|national insurance)\b"
)
# Behind these words a heading says that something else is counted than the template asks for.
_LEFT_OUT = re.compile(
    r"\b(?:excl|excluding|exclusive|except|without|minus|less|not incl|not including|other than|only)\b"
)
_OTHER_DAYS = re.compile(r"\bcalendar\b|\bper (?:week|month|year)\b|\bweekends?\b")
_SINCE = re.compile(r"\bsince (?!launch\b|the launch\b)\w+|\b(?:year to date|ytd|this year|quarter|financial year)\b")
_LAST_MONTHS = re.compile(
    r"\b(?:last|previous|past|prior)?\s*(\d+|one|two|three|six|nine|twelve|eighteen)["
    r" -]?(months?|weeks?|years?|days?)\b"
)
_A_YEAR = ("12", "twelve")
_HARMLESS = words_of(
    """a an and anonymised anonymous as at authority by code codes column count counted date dd drop down each enter
    extra for from full give gbp hr id if in incl including is la la's list mm no not number of on one optional or
    organisation our per person please post record recorded records required select since start the to total trial
    unique use whole with working y yes n yy yyyy launch last 12 months twelve period"""
) | {"12", "1", "0"}
_TOTAL = re.compile(r"(?:(?:grand|overall|team|column) )?(?:sub[- ]?)?(?:total|sum|average|mean|median)s?(?:\W|$)")
_PERIOD = re.compile(r"^over the (?:last|previous|past) 12 months:?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headings:
    """The heading row(s) of a table: first data row, field of each column, headings as found."""

    row: int
    first_data_row: int
    columns: dict[str, int]  # field -> column number
    found: dict[str, str]  # field -> heading text
    doubled: tuple[tuple[str, int], ...]  # field that a second column claims, that column
    unknown: tuple[tuple[int, str], ...]  # column number, heading text


@functools.lru_cache(maxsize=4096)  # the returns of all authorities have the same headings
def comparable_headings(text: str) -> tuple[str, ...]:
    """The forms in which a heading is looked up: as it stands, then without marks, explanations and period."""
    whole = same(text)
    unmarked = _EXTRA.sub("", whole).rstrip(" *:?.")
    short = _BRACKETS.sub("", unmarked).rstrip(" *:?.")
    later = tuple(_PERIOD.sub("", form) for form in (unmarked, short))
    return tuple(dict.fromkeys((whole, unmarked, short, *later)))


def heading_labels(fields: tuple[Field, ...], spellings: Spellings) -> dict[str, str]:
    """Comparable heading -> field name, from the labels of the dictionary and the mapping of spellings."""
    names = {field.name for field in fields}
    labels = {form: name for form, name in spellings.of("heading").items() if name in names}
    for field in fields:
        for form in comparable_headings(field.label):
            labels[form] = field.name
    return labels


def field_of(text: Any, labels: dict[str, str]) -> str | None:
    """The field that a heading names, or None."""
    if not isinstance(text, str):
        return None
    return next((labels[form] for form in comparable_headings(text) if form in labels), None)


def remark(found: str, field: Field) -> tuple[str, bool]:
    """What a heading says in brackets or marks beyond the label of its field, and whether that contradicts the field.

    Another unit, another period, or a selection ("excluding long-term") contradicts; words that the template does not
    use may. Empty where the heading says no more than its label.
    """
    own = {tidied for text in _bracketed(same(field.label)) if (tidied := text.strip())}
    extra = " ".join(text for text in _bracketed(same(found)) if text.strip() not in own).strip()
    if not extra:
        return "", False
    if field.kind not in ("number", "integer", "yes/no", "date"):
        return "", False  # what a code, a role or a gender is cannot be changed by a remark
    figure = field.kind in ("number", "integer")
    spans = [match for match in _LAST_MONTHS.finditer(extra) if field.period]
    other_period = any(not (match[1] in _A_YEAR and match[2].startswith("month")) for match in spans)
    without_period = _LAST_MONTHS.sub(" ", extra) if field.period else extra
    left_out = _LEFT_OUT.search(extra) or ("holiday" in extra and "holiday" not in same(field.label))
    if figure and (
        left_out
        or other_period
        or _OTHER_DAYS.search(extra)
        or (field.period and _SINCE.search(extra))
        or other_unit(without_period, field.unit)
    ):
        return extra, True
    words = re.findall(r"[^\W_]+", extra)
    label = set(re.findall(r"[^\W_]+", same(f"{field.label} {field.name} {field.unit} {' '.join(field.allowed)}")))
    known = _HARMLESS | label | own_words(field.unit)
    return (extra, False) if any(word not in known for word in words) else ("", False)


def _bracketed(heading: str) -> list[str]:
    """The texts in brackets of a heading in comparable form, but for the mark of an extra column before it."""
    return [text.strip("()[] ") for text in re.findall(r"\([^()]*\)|\[[^\[\]]*\]", _EXTRA.sub("", heading))]


def is_personal(heading: str) -> bool:
    """Whether a heading announces names, addresses or other direct identifiers."""
    return bool(_PERSONAL.search(same(heading)))


def find_headings(grid: Grid, fields: tuple[Field, ...], spellings: Spellings) -> Headings | None:
    """The heading row among the first rows: the one (or two) whose labels name most fields.

    Two-line headings are joined column by column. None where no row names the staff ID and two more fields.
    """
    labels = heading_labels(fields, spellings)
    field_of_text = functools.lru_cache(maxsize=None)(lambda text: field_of(text, labels))
    rows = [number for number in sorted(grid.rows) if number <= SEARCHED_ROWS]
    best: Headings | None = None
    for lines in (1, 2):
        if best is not None and len(best.columns) == len(fields):
            break
        for number in rows:
            candidate = _candidate(grid, number, lines, field_of_text)
            usable = len(candidate.columns) >= FEWEST_MATCHES and "staff_id" in candidate.columns
            if usable and (best is None or len(candidate.columns) > len(best.columns)):
                best = candidate
    return best


def _candidate(grid: Grid, number: int, lines: int, field_of_text: Callable[[str], str | None]) -> Headings:
    texts = {column: str(value) for column, value in grid.rows.get(number, {}).items()}
    below = {column: str(value) for column, value in grid.rows.get(number + 1, {}).items()} if lines == 2 else {}
    columns: dict[str, int] = {}
    found: dict[str, str] = {}
    doubled: list[tuple[str, int]] = []
    unknown: list[tuple[int, str]] = []
    for column in sorted(texts.keys() | below.keys()):
        forms = (f"{texts.get(column, '')} {below.get(column, '')}", texts.get(column, ""), below.get(column, ""))
        name, text = next(((name, form) for form in forms if (name := field_of_text(form))), (None, forms[0].strip()))
        if name is None:
            unknown.append((column, text))
        elif name in columns:
            doubled.append((name, column))
        else:
            columns[name], found[name] = column, text
    return Headings(
        row=number,
        first_data_row=number + lines,
        columns=columns,
        found=found,
        doubled=tuple(doubled),
        unknown=tuple(unknown),
    )


def repeats_headings(cells: dict[int, Any], headings: Headings, labels: dict[str, str]) -> bool:
    """Whether a row below the headings is the heading row once more, as printed on every page."""
    first = cells.get(headings.columns["staff_id"])
    if not isinstance(first, str) or any(map(str.isdigit, first)):
        return False  # an identifier: the common case, for which one look must do
    again = sum(field_of(cells.get(column), labels) == name for name, column in headings.columns.items())
    return again >= FEWEST_MATCHES


def is_total(cells: dict[int, Any], headings: Headings) -> bool:
    """Whether a row below the headings sums others up: a word for it stands in place of the staff ID, or there is no
    ID.
    """
    first = cells.get(headings.columns["staff_id"])
    if first is None or (isinstance(first, str) and not first.strip()):
        return any(isinstance(value, str) and _TOTAL.match(same(value)) for value in cells.values())
    return isinstance(first, str) and bool(_TOTAL.match(same(first)))
