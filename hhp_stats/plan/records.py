"""Lists of records in the plan's TOML files, read with the same checks everywhere."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hhp_stats.errors import PlanError
from hhp_stats.plan.nearest import meant, refuse_unknown
from hhp_stats.plan.passages import unmarked

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


def read_plan_file(root: Path, file: str) -> Mapping[str, Any]:
    """The tables of a plan file; refuses a file that is missing or not valid TOML."""
    return _tables(plan_text(root, file), file)


def known_tables(root: Path, file: str, known: Collection[str]) -> Mapping[str, Any]:
    """The same of a file that may hold these keys alone; refuses (PlanError) any other, with the nearest of them."""
    tables = read_plan_file(root, file)
    refuse_unknown(file, "the file", "the key", tables, known, "those of the file")
    return tables


def plan_text(root: Path, file: str) -> str:
    """The text of a plan file; refuses a file that is missing, may not be read, or is no UTF-8 text."""
    path = root / file
    if not path.is_file():
        raise PlanError(file, "the file", "does not exist.", "Restore it: the report cannot be rendered without it.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PlanError(
            file, "the file", f"is not a text in UTF-8 (byte {error.start + 1}).", "Save it as UTF-8, or restore it."
        ) from None
    except OSError as error:
        raise PlanError(file, "the file", f"cannot be read ({error.strerror}).", "Give read permission.") from None


def _tables(text: str, file: str) -> Mapping[str, Any]:
    try:
        return parsed(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(file, "the file", f"is not valid TOML: {error}.", "Mend the line named.") from None


@lru_cache(maxsize=64)
def parsed(text: str) -> Mapping[str, Any]:
    """The tables of a TOML text; nobody may edit them.

    The same file is asked for its tables one by one, in a chapter dozens of times.
    """
    return tomllib.loads(unmarked(text))


@cache
def _hints(kind: type[DataclassInstance]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which numbers may a field hold? From `least` to `most`, above `above`, below `below`; and the same in words."""

    words: str
    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    ends: bool = False  # of two numbers in place of one: the ends of a range, or none

    def hold(self, value: Any) -> bool:
        """Is the number inside?"""
        if self.ends:
            return not value or (len(value) == 2 and bool(value[0] < value[1]))
        return bool(self.least <= value <= self.most and self.above < value < self.below)


Share = Annotated[float, Limits(words="above 0 and below 1", above=0, below=1)]
Fraction = Annotated[float, Limits(words="from 0 to 1", least=0, most=1)]
Portion = Annotated[float, Limits(words="of at least 0 and below 1", least=0, below=1)]
Amount = Annotated[float, Limits(words="of at least 0", least=0)]
Positive = Annotated[float, Limits(words="above 0", above=0)]
Count = Annotated[int, Limits(words="from 1 to ten millions", least=1, most=10_000_000)]
Several = Annotated[int, Limits(words="from 2 to ten millions", least=2, most=10_000_000)]
Natural = Annotated[int, Limits(words="from 0 to 2^32", least=0, most=2**32)]
Ends = Annotated[tuple[float, ...], Limits(words="of two, the lower first", ends=True)]


def read_records(
    root: Path,
    *,
    file: str,
    key: str,
    kind: type[Record],
    may_be_empty: frozenset[str] = frozenset(),
    optional: bool = False,
    beside: tuple[str, ...] = (),
) -> tuple[Record, ...]:
    """What records does the list of tables `key` of a plan file hold?

    Field types of the dataclass `kind` decide what an entry may hold: text, a list of texts, a whole
    number, a number, yes or no, a date, or one of the words of a Literal. Lines of text are joined with
    single spaces. The first field identifies the record.

    Refuses (PlanError) a file with other keys than this and those `beside` it, an empty list unless `optional`,
    unknown or missing keys, values of another type, text that is blank unless its field is in `may_be_empty`, words
    that a Literal does not know, and an id used twice.
    """
    text = plan_text(root, file)
    return _read(text, file=file, key=key, kind=kind, may_be_empty=may_be_empty, optional=optional, beside=beside)


@lru_cache(maxsize=256)
def _read(
    text: str,
    *,
    file: str,
    key: str,
    kind: type[Record],
    may_be_empty: frozenset[str],
    optional: bool,
    beside: tuple[str, ...],
) -> tuple[Record, ...]:
    """The records of one text are the same each time, and are frozen; a plan is checked against the others again and
    again.
    """
    tables = _tables(text, file)
    refuse_unknown(file, "the file", "the key", tables, (key, *beside), "those of the file")
    return records_of(tables, file=file, key=key, kind=kind, may_be_empty=may_be_empty, optional=optional)


def list_of(tables: Mapping[str, Any], *, file: str, key: str) -> list[Any]:
    """The list of tables under a key; refuses (PlanError) one that is missing, empty, or no list."""
    entries = tables.get(key)
    if not isinstance(entries, list) or not entries:
        raise PlanError(file, f"[[{key}]]", "holds no entry.", "Add at least one.")
    return entries


def records_of(
    tables: Mapping[str, Any],
    *,
    file: str,
    key: str,
    kind: type[Record],
    may_be_empty: frozenset[str] = frozenset(),
    optional: bool = False,
    cited: bool = False,
    within: Sequence[str] = (),
) -> tuple[Record, ...]:
    """As `read_records`, of tables that have been read; with `cited` as `record_of`. Ids are unique among those that
    share the values of the fields `within`.
    """
    if optional and key not in tables:
        return ()
    entries = list_of(tables, file=file, key=key)
    identity = dataclasses.fields(kind)[0].name
    found: dict[tuple[Any, ...], Record] = {}
    for number, entry in enumerate(entries, start=1):
        own = entry.get(identity, "") if isinstance(entry, Mapping) else ""
        place = f"{key} {own}" if isinstance(own, str) and own.strip() else f"{key} number {number}"
        record = record_of(entry, file=file, place=place, kind=kind, may_be_empty=may_be_empty, cited=cited)
        name = tuple(getattr(record, own) for own in (*within, identity))
        if name in found:
            raise PlanError(file, place, "stands twice.", f"Give each entry of {key} its own {identity}.")
        found[name] = record
    return tuple(found.values())


CITATIONS: Mapping[str, str] = {"clauses": "clauses", "decision": "conflicts", "sources": "places"}
"""The keys by which any entry of a study's plan may say what it rests on."""


def record_of(
    entry: Mapping[str, Any],
    *,
    file: str,
    place: str,
    kind: type[Record],
    may_be_empty: frozenset[str] = frozenset(),
    cited: bool = False,
    given: Mapping[str, Any] = MappingProxyType({}),
) -> Record:
    """One table of a plan file as a record of `kind`; refuses what `read_records` refuses.

    `cited`: the table may cite clauses, conflicts and places though the record keeps none. `given`: fields that are
    records of their own, read before.
    """
    hints, fields = _hints(kind), dataclasses.fields(kind)
    required = {
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if not isinstance(entry, Mapping):
        raise PlanError(file, place, f"is {entry!r}.", "Write a table with keys and values.")
    beside = dict.fromkeys(set(CITATIONS) - set(hints), tuple[str, ...]) if cited else {}
    for name in sorted(set(entry) - (set(hints) - set(given)) - set(beside)):
        known = [field.name for field in fields if field.name not in given]
        raise PlanError(
            file, place, f"has an unknown key {name!r}.", f"{meant(name, known)}Known keys: {', '.join(known)}."
        )
    for name in sorted(required - set(entry) - set(given)):
        raise PlanError(file, place, f"lacks {name!r}.", f"Add it: {allowed_values(hints[name])}.")
    values = {name: _value(file, place, name, value, (hints | beside)[name]) for name, value in entry.items()}
    for name, value in values.items():
        if value == "" and name not in may_be_empty:
            raise PlanError(file, place, f"has no text under {name!r}.", "Write it.")
        if value == () and cited and name in required and name not in CITATIONS:
            raise PlanError(file, place, f"has an empty list under {name!r}.", f"Write {allowed_values(hints[name])}.")
    return kind(**{name: value for name, value in values.items() if name not in beside}, **given)


_KINDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dt.date: "a date",
    str: "text without control characters",
    tuple[str, ...]: "a list of texts",
    tuple[float, ...]: "a list of numbers",
    Mapping[str, str]: 'a table of texts, { name = "text" }',
    Mapping[str, int]: "a table of whole numbers, { name = 1 }",
}


def _parts(hint: Any) -> list[Any]:
    """The types of which a value may be one; without the key there is none."""
    several = get_origin(hint) in (UnionType, Union)
    return [part for part in get_args(hint) if part is not type(None)] if several else [hint]


def allowed_values(hint: Any) -> str:
    """What a field of this type may hold, in words."""
    if get_origin(hint) is Literal:
        known = get_args(hint)
        return f"one of {', '.join(known if all(known) else map(repr, known))}"
    return " or ".join(map(_in_words, _parts(hint)))


def _in_words(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        base, limits = get_args(kind)
        return f"{_KINDS[base]} {limits.words}"
    return _KINDS.get(kind, "a list of texts")


def allowed_in(kind: type[DataclassInstance], name: str) -> str:
    """What a field of a record may hold, in words."""
    return allowed_values(_hints(kind)[name])


def _value(file: str, place: str, name: str, value: Any, hint: Any) -> Any:
    """One value of an entry as its field wants it."""
    if get_origin(hint) is Literal:
        known = get_args(hint)
        if value not in known:
            shown = allowed_values(hint)
            raise PlanError(file, place, f"has an unknown {name} {value!r}.", f"{meant(value, known)}Write {shown}.")
        return value
    kinds = _parts(hint)
    for kind in kinds:
        found = _as(kind, value)
        if found is not None:
            return found
    if isinstance(value, list) and all(isinstance(item, str) for item in value) and tuple[str, ...] in kinds:
        if not all(_as(str, item) for item in value):
            raise PlanError(file, place, f"has a text without words under {name!r}.", "Write it, or take it out.")
        raise PlanError(file, place, f"repeats an entry under {name!r}.", "Keep one.")
    raise PlanError(file, place, f"has {value!r} under {name!r}.", f"Write {allowed_values(hint)}.")


def _as(kind: Any, value: Any) -> Any:
    """A value as one type wants it; None where it is of another."""
    if get_origin(kind) is Annotated:
        base, limits = get_args(kind)
        found = _as(base, value)
        return found if found is not None and limits.hold(found) else None
    if kind is bool:
        return value if isinstance(value, bool) else None
    if kind in (int, float) and isinstance(value, int) and not isinstance(value, bool):
        return kind(value)
    if kind is float:
        return value if isinstance(value, float) and math.isfinite(value) else None
    if kind is dt.date:
        return value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else None
    if kind is str:
        whole = isinstance(value, str) and all(sign.isprintable() or sign.isspace() for sign in value)
        return " ".join(value.split()) if whole else None
    if kind == tuple[float, ...]:
        whole = isinstance(value, list) and all(_as(float, item) is not None for item in value)
        return tuple(float(item) for item in value) if whole else None
    if kind == Mapping[str, str]:
        whole = isinstance(value, Mapping) and all(_as(str, item) for item in value.values())
        return dict(value) if whole else None
    if kind == Mapping[str, int]:
        whole = isinstance(value, Mapping) and all(_as(int, item) is not None for item in value.values())
        return dict(value) if whole else None
    if get_origin(kind) is tuple and isinstance(value, list) and all(_as(str, item) for item in value):
        return tuple(value) if len(set(value)) == len(value) else None
    return None
