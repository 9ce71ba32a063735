"""The report as a publication: authors, publisher, version, licence, identifiers, funding, contact.

`data/imprint.toml` is the one place where they stand; the cover, the pages, the metadata of the PDF and the entry to
cite are made of it. What is not decided yet is marked `[to be confirmed]`: a report with real data refuses the mark.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from hhp_stats.errors import PlanError
from hhp_stats.plan.book_studies import TO_CONFIRM
from hhp_stats.plan.records import read_plan_file, record_of, records_of

IMPRINT = "data/imprint.toml"
_LISTS = ("author", "funder", "person")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_ISBN = re.compile(r"(?:97[89][- ]?)?(?:\d[- ]?){9}[\dX]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Somebody who made the report, or an organisation that did."""

    name: str
    affiliation: str
    organisation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Funder:
    """Who paid for what."""

    name: str
    funded: str
    grant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody whom the published documents of the trials name; no author of this report."""

    name: str
    affiliation: str
    part: Literal["author", "academic collaborator"]


NONE = "none"  # in place of an identifier that the report has not


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    version: str
    date: dt.date
    publisher: str
    contact: str
    licence: str
    licence_url: str
    doi: str
    isbn: str
    competing_interests: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint(_Head):
    """Everything that `data/imprint.toml` says."""

    authors: tuple[Author, ...]
    funders: tuple[Funder, ...]
    people: tuple[Person, ...]


def read_imprint(root: Path) -> Imprint:
    """The imprint of the report.

    Raises PlanError, naming the key and what may stand there, for a missing file or key, an unknown one, a value of
    another type, and a DOI or ISBN that cannot be one.
    """
    raw = read_plan_file(root, IMPRINT)
    head = record_of(
        {key: value for key, value in raw.items() if key not in _LISTS}, file=IMPRINT, place="the head", kind=_Head
    )
    for key, form, example in (("doi", _DOI, "10.1234/abcd"), ("isbn", _ISBN, "978-0-306-40615-7")):
        value: str = getattr(head, key)
        if value not in (TO_CONFIRM, NONE) and not form.fullmatch(value):
            raise PlanError(
                IMPRINT,
                key,
                f"is {value!r}.",
                f"Write one such as {example}, {NONE} where it has none, or {TO_CONFIRM}.",
            )
    return Imprint(
        **{item.name: getattr(head, item.name) for item in fields(_Head)},
        authors=records_of(raw, file=IMPRINT, key="author", kind=Author),
        funders=records_of(raw, file=IMPRINT, key="funder", kind=Funder, optional=True),
        people=records_of(raw, file=IMPRINT, key="person", kind=Person, optional=True),
    )


def has_imprint(root: Path) -> bool:
    """Whether the book says who made it: a book that is no report of the programme need not."""
    return (root / IMPRINT).is_file()


def known(value: str) -> str:
    """A value of the imprint; "" where it is not decided yet, or there is none."""
    return "" if TO_CONFIRM in value or value == NONE else value


def unconfirmed(imprint: Imprint) -> Iterator[str]:
    """The keys that nobody has decided yet."""
    for item in fields(_Head):
        if TO_CONFIRM in str(getattr(imprint, item.name)):
            yield item.name
    for author in imprint.authors:
        if TO_CONFIRM in author.name or TO_CONFIRM in author.affiliation:
            yield f"author {author.name}"
    for funder in imprint.funders:
        if TO_CONFIRM in f"{funder.name} {funder.funded} {funder.grant}":
            yield f"funder {funder.name}"


def refuse_unconfirmed(root: Path) -> None:
    """For a report with real data: nothing of the imprint may be undecided (PlanError, naming every key)."""
    open_keys = list(unconfirmed(read_imprint(root)))
    if open_keys:
        raise PlanError(
            IMPRINT,
            ", ".join(open_keys),
            f"{'is' if len(open_keys) == 1 else 'are'} {TO_CONFIRM}, and the data are real.",
            "Write what holds: a report with real data says who answers for it.",
        )


def refuse_older(root: Path, release: str) -> None:
    """The report is not older than its data: its date stands on the cover, that of the data in the notices (PlanError).

    A release that is named by no date says nothing about it.
    """
    try:
        data = dt.date.fromisoformat(release)
    except ValueError:
        return
    own = read_imprint(root).date
    if own < data:
        raise PlanError(
            IMPRINT,
            "date",
            f"is {own.isoformat()}, before the data of {release} that data/manifest.toml names.",
            "Write the day of this report here and in _quarto.yml, under book.",
        )
