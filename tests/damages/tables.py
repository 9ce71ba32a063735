"""One damage to a table of texts or values: a cell, a column, a row, a heading. Each gets the rows and a random
generator.

A damage changes the rows in place and says what it did, with the column it concerns ("" where it concerns none).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import mistakes
from grid import Damage, Row, Table, number_of, plain


def cell(make: Callable[[Any, random.Random], Any]) -> Damage:
    """One cell of one column changed."""

    def damage(table: Table, rng: random.Random) -> str:
        name, column = table.pick(rng)
        row = rng.choice(table.body())
        row[column] = make(row[column], rng)
        return name

    return damage


def column(make: Callable[[Any, random.Random], Any], *, figures: bool = False, share: float = 1.0) -> Damage:
    """Every cell of one column (of numbers, where `figures`) changed, or a share of them."""

    def damage(table: Table, rng: random.Random) -> str:
        def mostly(at: int) -> bool:
            return sum(number_of(row[at]) is not None for row in table.body()) * 3 > len(table.body())

        choice = [(name, at) for name, at in sorted(table.fields.items()) if not figures or mostly(at)]
        name, at = rng.choice(choice or sorted(table.fields.items()))
        for row in table.body():
            if rng.random() < share:
                row[at] = make(row[at], rng)
        return name

    return damage


def times(factor: float) -> Callable[[Any, random.Random], Any]:
    """A number times a factor; anything else as it is."""

    def make(value: Any, rng: random.Random) -> Any:
        number = number_of(value)
        return value if number is None else plain(number * factor)

    return make


def plus(more: float) -> Callable[[Any, random.Random], Any]:
    """A number plus another; anything else as it is."""

    def make(value: Any, rng: random.Random) -> Any:
        number = number_of(value)
        return value if number is None else plain(number + more)

    return make


def text(change: Callable[[str], Any]) -> Callable[[Any, random.Random], Any]:
    """A change of the text of a value that is there."""
    return lambda value, rng: value if value in (None, "") or isinstance(value, datetime) else change(str(value))


def heading(change: Callable[[str], str]) -> Damage:
    """One heading in other words."""

    def damage(table: Table, rng: random.Random) -> str:
        name, at = table.pick(rng)
        table.rows[table.heads][at] = change(str(table.rows[table.heads][at]))
        return name

    return damage


def rows(change: Callable[[list[Row], random.Random], list[Row]]) -> Damage:
    """Rows added, left out or moved."""

    def damage(table: Table, rng: random.Random) -> str:
        table.rows[table.first :] = change(table.body(), rng)
        return ""

    return damage


def _without(body: list[Row], rng: random.Random) -> list[Row]:
    gone = rng.randrange(len(body))
    return [row for at, row in enumerate(body) if at != gone]


def _again(body: list[Row], rng: random.Random) -> list[Row]:
    return [*body, list(rng.choice(body))]


def _mixed_up(body: list[Row], rng: random.Random) -> list[Row]:
    return rng.sample(body, len(body))


def _with_blank(body: list[Row], rng: random.Random) -> list[Row]:
    at = rng.randrange(len(body))
    return [*body[:at], [None] * len(body[0]), *body[at:]]


def _with_total(body: list[Row], rng: random.Random) -> list[Row]:
    sums: Row = [
        sum(n for row in body if len(row) > at and (n := number_of(row[at])) is not None) for at in range(len(body[0]))
    ]
    return [*body, ["Total", *sums[1:]]]


def _block_again(body: list[Row], rng: random.Random) -> list[Row]:
    start = rng.randrange(len(body))
    return [*body, *(list(row) for row in body[start : start + 10])]


CELLS: dict[str, Damage] = {
    "cell emptied": cell(lambda value, rng: None),
    "cell with a word": cell(lambda value, rng: rng.choice(("none", "see note", "approx", "x", "N/A", "?"))),
    "cell ten times": cell(times(10)),
    "cell a hundred times": cell(times(100)),
    "cell of the other sign": cell(times(-1)),
    "cell with a decimal comma": cell(lambda value, rng: f"{rng.randrange(9)},{rng.randrange(1, 9)}"),
    "cell as a percentage": cell(lambda value, rng: f"{value}%"),
    "cell with a unit": cell(lambda value, rng: f"{value} {rng.choice(('days', 'hrs', 'years', 'pts'))}"),
    "cell with a raised sign": cell(lambda value, rng: f"{value}{rng.choice('²³¹*†')}"),
    "cell as a range": cell(lambda value, rng: f"{value} - {rng.randrange(1, 9)}"),
    "cell with an error value": cell(lambda value, rng: rng.choice(("#N/A", "#REF!", "#DIV/0!"))),
    "cell as true": cell(lambda value, rng: rng.choice(("TRUE", "FALSE"))),
    "cell as a date": cell(lambda value, rng: rng.choice(("05-Sep", "03/04/2019", "12/25/2019", "2019-05-03"))),
    "cell with blanks": cell(text(lambda value: f"\u00a0{value} ")),
    "cell in capitals": cell(text(str.upper)),
    "cell in small letters": cell(text(str.lower)),
    "cell with a line break": cell(text(lambda value: f"{value}\n")),
    "cell in full width": cell(text(lambda value: "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in value))),
    "cell without leading zeros": cell(text(lambda value: value.lstrip("0") or "0")),
    "cell with a large number": cell(lambda value, rng: rng.choice((10**12, 1e300, "1E+15", -(10**9)))),
    "cell with a formula as text": cell(lambda value, rng: "=1+1"),
}
COLUMNS: dict[str, Damage] = {
    "column ten times": column(times(10), figures=True),
    "column a tenth": column(times(0.1), figures=True),
    "column a twelfth": column(times(1 / 12), figures=True),
    "column times 7.4": column(times(7.4), figures=True),
    "column in thousands": column(times(0.001), figures=True),
    "column plus one": column(plus(1), figures=True),
    "column of the other sign": column(times(-1), figures=True),
    "column turned round": mistakes.turned_round,
    "column with blanks for zeros": column(mistakes.blank_for_zero, figures=True),
    "column with zeros for blanks": column(mistakes.zero_for_blank, figures=True),
    "column with decimal commas": column(text(lambda value: value.replace(".", ",")), figures=True),
    "column as percentages": column(text(lambda value: f"{value}%"), figures=True),
    "column as texts": column(text(str)),
    "column in small letters": column(text(str.lower)),
    "column in capitals": column(text(str.upper)),
    "column without leading zeros": column(
        text(lambda value: "-".join(part.lstrip("0") or "0" for part in value.split("-")))
    ),
    "column emptied": column(lambda value, rng: None),
    "a third of a column emptied": column(lambda value, rng: None, share=1 / 3),
    "column of one value": column(lambda value, rng: 1, figures=True),
    "column shifted by a row": mistakes.shifted,
    "column sorted alone": mistakes.sorted_alone,
    "column filled down": mistakes.filled_down,
    "column filled down to the end": mistakes.filled_to_the_end,
    "column filled on as a series": mistakes.filled_on,
    "column with a cell inserted": mistakes.pushed_down,
    "column with a block emptied": mistakes.block_emptied,
    "two codes exchanged": mistakes.codes_exchanged,
    "found and replaced": mistakes.replaced_everywhere,
    "dates in American order": mistakes.dates(mistakes.american),
    "dates a year later": mistakes.dates(mistakes.a_year_on),
    "column rounded": column(
        lambda value, rng: value if number_of(value) is None else round(number_of(value)), figures=True
    ),
    "two columns exchanged": mistakes.exchanged_values,
    "two headings exchanged": mistakes.exchanged_headings,
    "column moved": mistakes.moved_column,
    "column left out": mistakes.dropped_column,
    "column doubled": mistakes.doubled_column,
    "heading in capitals": heading(str.upper),
    "heading with another unit": heading(lambda label: f"{label.split(' (')[0]} (hours)"),
    "heading misspelt": heading(lambda label: label[:-2]),
    "heading emptied": heading(lambda label: ""),
}
ROWS: dict[str, Damage] = {
    "row left out": rows(_without),
    "row doubled": rows(_again),
    "ten rows doubled": rows(_block_again),
    "rows mixed up": rows(_mixed_up),
    "second half left out": rows(lambda body, rng: body[: len(body) // 2]),
    "blank row": rows(_with_blank),
    "row of totals": rows(_with_total),
    "no rows": rows(lambda body, rng: []),
}
EVERY: dict[str, Damage] = CELLS | COLUMNS | ROWS
