"""One damage to a table of texts or values: a cell, a column, a row, a heading. Each gets the rows and a random
generator.

A damage changes the rows in place and says what it did, with the column it concerns ("" where it concerns none).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = list[Any]


@dataclass(slots=True)
class Table:
    """Rows of which `heads` is the number of the heading row, and data begin at `first`."""

    rows: list[Row]
    heads: int
    first: int
    fields: dict[str, int]  # field -> column

    def pick(self, rng: random.Random) -> tuple[str, int]:
        """A column at random."""
        return rng.choice(sorted(self.fields.items()))

    def body(self) -> list[Row]:
        """The rows of data."""
        return self.rows[self.first :]


Damage = Callable[[Table, random.Random], str]


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool | datetime) else float(value)
    except (TypeError, ValueError):
        return None


def _plain(number: float) -> Any:
    return int(number) if float(number).is_integer() else round(number, 6)


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
            return sum(_number(row[at]) is not None for row in table.body()) * 3 > len(table.body())

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
        number = _number(value)
        return value if number is None else _plain(number * factor)

    return make


def plus(more: float) -> Callable[[Any, random.Random], Any]:
    """A number plus another; anything else as it is."""

    def make(value: Any, rng: random.Random) -> Any:
        number = _number(value)
        return value if number is None else _plain(number + more)

    return make


def text(change: Callable[[str], Any]) -> Callable[[Any, random.Random], Any]:
    """A change of the text of a value that is there."""
    return lambda value, rng: value if value in (None, "") or isinstance(value, datetime) else change(str(value))


def _turned_round(table: Table, rng: random.Random) -> str:
    names = [
        (name, at)
        for name, at in sorted(table.fields.items())
        if sum(_number(r[at]) is not None for r in table.body()) > 5
    ]
    name, at = rng.choice(names or sorted(table.fields.items()))
    known = [number for row in table.body() if (number := _number(row[at])) is not None]
    for row in table.body():
        number = _number(row[at])
        if number is not None:
            row[at] = _plain(max(known) + min(known) - number)
    return name


def _shifted(table: Table, rng: random.Random) -> str:
    name, at = table.pick(rng)
    values = [row[at] for row in table.body()]
    for row, value in zip(table.body(), [*values[1:], values[0]], strict=True):
        row[at] = value
    return name


def _sorted_alone(table: Table, rng: random.Random) -> str:
    name, at = table.pick(rng)
    for row, value in zip(table.body(), sorted((row[at] for row in table.body()), key=str), strict=True):
        row[at] = value
    return name


def _exchanged_values(table: Table, rng: random.Random) -> str:
    (one, a), (other, b) = rng.sample(sorted(table.fields.items()), 2)
    for row in table.body():
        row[a], row[b] = row[b], row[a]
    return f"{one}|{other}"


def _exchanged_headings(table: Table, rng: random.Random) -> str:
    (one, a), (other, b) = rng.sample(sorted(table.fields.items()), 2)
    heads = table.rows[table.heads]
    heads[a], heads[b] = heads[b], heads[a]
    return f"{one}|{other}"


def _moved_column(table: Table, rng: random.Random) -> str:
    _, at = table.pick(rng)
    to = rng.randrange(len(table.rows[table.heads]))
    for row in table.rows:
        if len(row) > max(at, to):
            row.insert(to, row.pop(at))
    return ""


def _dropped_column(table: Table, rng: random.Random) -> str:
    name, at = table.pick(rng)
    for row in table.rows:
        if len(row) > at:
            del row[at]
    return name


def _doubled_column(table: Table, rng: random.Random) -> str:
    name, at = table.pick(rng)
    for row in table.rows:
        row.append(row[at] if len(row) > at else None)
    return name


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
        sum(n for row in body if len(row) > at and (n := _number(row[at])) is not None) for at in range(len(body[0]))
    ]
    return [*body, ["Total", *sums[1:]]]


def _filled_down(table: Table, rng: random.Random) -> str:
    name, at = table.pick(rng)
    start = rng.randrange(len(table.body()))
    for row in table.body()[start : start + 30]:
        row[at] = table.body()[start][at]
    return name


def _blank_for_zero(value: Any, rng: random.Random) -> Any:
    return None if _number(value) == 0 else value


def _zero_for_blank(value: Any, rng: random.Random) -> Any:
    return 0 if value in (None, "") else value


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
    "column turned round": _turned_round,
    "column with blanks for zeros": column(_blank_for_zero, figures=True),
    "column with zeros for blanks": column(_zero_for_blank, figures=True),
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
    "column shifted by a row": _shifted,
    "column sorted alone": _sorted_alone,
    "column filled down": _filled_down,
    "two columns exchanged": _exchanged_values,
    "two headings exchanged": _exchanged_headings,
    "column moved": _moved_column,
    "column left out": _dropped_column,
    "column doubled": _doubled_column,
    "heading in capitals": heading(str.upper),
    "heading with another unit": heading(lambda label: f"{label.split(' (')[0]} (hours)"),
    "heading misspelt": heading(lambda label: label[:-2]),
    "heading emptied": heading(lambda label: ""),
}
ROWS: dict[str, Damage] = {
    "row left out": rows(_without),
    "row doubled": rows(_again),
    "rows mixed up": rows(_mixed_up),
    "second half left out": rows(lambda body, rng: body[: len(body) // 2]),
    "blank row": rows(_with_blank),
    "row of totals": rows(_with_total),
    "no rows": rows(lambda body, rng: []),
}
EVERY: dict[str, Damage] = CELLS | COLUMNS | ROWS
