"""What happens to a column in a spreadsheet or on the way: slipped, sorted by itself, drawn down, coded otherwise."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from grid import Damage, Table, number_of, plain


def turned_round(table: Table, rng: random.Random) -> str:
    """A column of numbers the other way round on its own scale."""
    names = [
        (name, at)
        for name, at in sorted(table.fields.items())
        if sum(number_of(r[at]) is not None for r in table.body()) > 5
    ]
    name, at = rng.choice(names or sorted(table.fields.items()))
    known = [number for row in table.body() if (number := number_of(row[at])) is not None]
    for row in table.body():
        number = number_of(row[at])
        if number is not None:
            row[at] = plain(max(known) + min(known) - number)
    return name


def shifted(table: Table, rng: random.Random) -> str:
    """A column slipped up by a line, the first value last."""
    name, at = table.pick(rng)
    values = [row[at] for row in table.body()]
    for row, value in zip(table.body(), [*values[1:], values[0]], strict=True):
        row[at] = value
    return name


def sorted_alone(table: Table, rng: random.Random) -> str:
    """A column sorted by itself."""
    name, at = table.pick(rng)
    for row, value in zip(table.body(), sorted((row[at] for row in table.body()), key=str), strict=True):
        row[at] = value
    return name


def exchanged_values(table: Table, rng: random.Random) -> str:
    """Two columns exchanged below their headings."""
    (one, a), (other, b) = rng.sample(sorted(table.fields.items()), 2)
    for row in table.body():
        row[a], row[b] = row[b], row[a]
    return f"{one}|{other}"


def exchanged_headings(table: Table, rng: random.Random) -> str:
    """Two headings exchanged."""
    (one, a), (other, b) = rng.sample(sorted(table.fields.items()), 2)
    heads = table.rows[table.heads]
    heads[a], heads[b] = heads[b], heads[a]
    return f"{one}|{other}"


def moved_column(table: Table, rng: random.Random) -> str:
    """A column at another place, heading and all."""
    _, at = table.pick(rng)
    to = rng.randrange(len(table.rows[table.heads]))
    for row in table.rows:
        if len(row) > max(at, to):
            row.insert(to, row.pop(at))
    return ""


def dropped_column(table: Table, rng: random.Random) -> str:
    """A column left out."""
    name, at = table.pick(rng)
    for row in table.rows:
        if len(row) > at:
            del row[at]
    return name


def doubled_column(table: Table, rng: random.Random) -> str:
    """A column twice, the second beyond the last."""
    name, at = table.pick(rng)
    for row in table.rows:
        row.append(row[at] if len(row) > at else None)
    return name


def filled_down(table: Table, rng: random.Random) -> str:
    """A value drawn down over 30 lines."""
    name, at = table.pick(rng)
    start = rng.randrange(len(table.body()))
    for row in table.body()[start : start + 30]:
        row[at] = table.body()[start][at]
    return name


def filled_on(table: Table, rng: random.Random) -> str:
    """A cell drawn down as a series: each line one more than the one before."""
    name, at = table.pick(rng)
    start = rng.randrange(len(table.body()))
    value = number_of(table.body()[start][at])
    for more, row in enumerate(table.body()[start : start + rng.choice((5, 30, 10**6))]):
        row[at] = row[at] if value is None else plain(value + more)
    return name


def filled_to_the_end(table: Table, rng: random.Random) -> str:
    """A value drawn down to the end."""
    name, at = table.pick(rng)
    start = rng.randrange(len(table.body()))
    for row in table.body()[start:]:
        row[at] = table.body()[start][at]
    return name


def pushed_down(table: Table, rng: random.Random) -> str:
    """A cell inserted: everything below it in its column slips by a line, the last value falls off."""
    name, at = table.pick(rng)
    body = table.body()
    start = rng.randrange(len(body))
    values = [row[at] for row in body[start:]]
    for row, value in zip(body[start:], [None, *values[:-1]], strict=True):
        row[at] = value
    return name


def block_emptied(table: Table, rng: random.Random) -> str:
    """Some lines of a column emptied."""
    name, at = table.pick(rng)
    start = rng.randrange(len(table.body()))
    for row in table.body()[start : start + rng.choice((5, 20, 60))]:
        row[at] = None
    return name


def codes_exchanged(table: Table, rng: random.Random) -> str:
    """The two most frequent values of a column exchanged: another coding."""
    name, at = table.pick(rng)
    values = Counter(row[at] for row in table.body() if row[at] not in (None, ""))
    common = [value for value, _ in values.most_common(2)]
    if len(common) == 2:
        other = {common[0]: common[1], common[1]: common[0]}
        for row in table.body():
            row[at] = other.get(row[at], row[at])
    return name


def replaced_everywhere(table: Table, rng: random.Random) -> str:
    """Find and replace over the whole sheet: a value of one column by another of it, wherever it stands."""
    name, at = table.pick(rng)
    values = sorted({row[at] for row in table.body() if row[at] not in (None, "")}, key=str)
    found, put = rng.sample(values, 2) if len(values) > 1 else (None, None)
    for row in table.body():
        row[:] = [put if value == found and value not in (None, "") else value for value in row]
    return name


def american(value: Any, rng: random.Random) -> Any:
    """A date as a machine of the other country reads it: exchanged where it can, text where it cannot."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return value
    swapped = moment.replace(month=moment.day, day=moment.month) if moment.day <= 12 else None
    if isinstance(value, datetime):
        return swapped or f"{moment:%m/%d/%Y}"
    return f"{moment:%m/%d/%Y %H:%M:%S}" if len(str(value)) > 10 else f"{moment:%m/%d/%Y}"


def dates(make: Callable[[Any, random.Random], Any]) -> Damage:
    """Every cell of a column of dates changed; of any column where the file has none."""

    def damage(table: Table, rng: random.Random) -> str:
        def of_dates(at: int) -> bool:
            return any(
                isinstance(row[at], datetime) or str(row[at])[4:5] + str(row[at])[7:8] == "--" for row in table.body()
            )

        choice = [(name, at) for name, at in sorted(table.fields.items()) if of_dates(at)]
        name, at = rng.choice(choice or sorted(table.fields.items()))
        for row in table.body():
            row[at] = make(row[at], rng)
        return name

    return damage


def a_year_on(value: Any, rng: random.Random) -> Any:
    """A date a year later."""
    if isinstance(value, datetime):
        return value + timedelta(days=365)
    year = str(value)[:4]
    return f"{int(year) + 1}{str(value)[4:]}" if year.isdigit() and str(value)[4:5] == "-" else value


def blank_for_zero(value: Any, rng: random.Random) -> Any:
    """Nothing in the place of zero."""
    return None if number_of(value) == 0 else value


def zero_for_blank(value: Any, rng: random.Random) -> Any:
    """Zero in the place of nothing."""
    return 0 if value in (None, "") else value
