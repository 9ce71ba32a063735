"""Lists of records in the plan's TOML files, read with the same checks everywhere."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from hhp_stats.errors import PlanError
from hhp_stats.plan.nearest import meant
from hhp_stats.plan.passages import unmarked

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


def read_plan_file(root: Path, file: str) -> Mapping[str, Any]:
    """The tables of a plan file; refuses a file that is missing or not valid TOML."""
    return _tables(_text(root, file), file)


def _text(root: Path, file: str) -> str:
    path = root / file
    if not path.is_file():
        raise PlanError(file, "the file", "does not exist.", "Restore it: the report cannot be rendered without it.")
    return path.read_text(encoding="utf-8")


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


_hints = lru_cache(maxsize=None)(get_type_hints)


def read_records(
    root: Path,
    *,
    file: str,
    key: str,
    kind: type[Record],
    may_be_empty: frozenset[str] = frozenset(),
    optional: bool = False,
) -> tuple[Record, ...]:
    """What records does the list of tables `key` of a plan file hold?

    Field types of the dataclass `kind` decide what an entry may hold: text, a list of texts, a whole
    number, a number, yes or no, a date, or one of the words of a Literal. Lines of text are joined with
    single spaces. The first field identifies the record.

    Refuses (PlanError) an empty list unless `optional`, unknown or missing keys, values of another type, text
    that is blank unless its field is in `may_be_empty`, words that a Literal does not know, and an id used twice.
    """
    return _records(_text(root, file), file=file, key=key, kind=kind, may_be_empty=may_be_empty, optional=optional)


@lru_cache(maxsize=256)
def _records(
    text: str, *, file: str, key: str, kind: type[Record], may_be_empty: frozenset[str], optional: bool
) -> tuple[Record, ...]:
    """The records of one text are the same each time, and are frozen; a plan is checked against the others again and
    again.
    """
    entries = _tables(text, file).get(key)
    if optional and entries is None:
        return ()
    if not isinstance(entries, list) or not entries:
        raise PlanError(file, f"[[{key}]]", "holds no entry.", "Add at least one.")
    identity = dataclasses.fields(kind)[0].name
    found: dict[str, Record] = {}
    for number, entry in enumerate(entries, start=1):
        place = f"{key} {entry.get(identity, f'number {number}')}"
        record = record_of(entry, file=file, place=place, kind=kind, may_be_empty=may_be_empty)
        name = getattr(record, identity)
        if name in found:
            raise PlanError(file, place, "stands twice.", f"Give every {key} its own {identity}.")
        found[name] = record
    return tuple(found.values())


def record_of(
    entry: Mapping[str, Any],
    *,
    file: str,
    place: str,
    kind: type[Record],
    may_be_empty: frozenset[str] = frozenset(),
) -> Record:
    """One table of a plan file as a record of `kind`; refuses what `read_records` refuses."""
    hints, fields = _hints(kind), dataclasses.fields(kind)
    required = {
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if not isinstance(entry, Mapping):
        raise PlanError(file, place, f"is {entry!r}.", "Write a table with keys and values.")
    for name in sorted(set(entry) - set(hints)):
        known = [field.name for field in fields]
        raise PlanError(
            file, place, f"has an unknown key {name!r}.", f"{meant(name, known)}Known keys: {', '.join(known)}."
        )
    for name in sorted(required - set(entry)):
        raise PlanError(file, place, f"lacks {name!r}.", f"Add it: {allowed_values(hints[name])}.")
    values = {name: _value(file, place, name, value, hints[name]) for name, value in entry.items()}
    for name, value in values.items():
        if value == "" and name not in may_be_empty:
            raise PlanError(file, place, f"has no text under {name!r}.", "Write it.")
    return kind(**values)


_KINDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dt.date: "a date",
    str: "text",
    tuple[str, ...]: "a list of texts",
    tuple[float, ...]: "a list of numbers",
    Mapping[str, str]: 'a table of texts, { name = "text" }',
}


def allowed_values(hint: Any) -> str:
    """What a field of this type may hold, in words."""
    if get_origin(hint) is Literal:
        return f"one of {', '.join(get_args(hint))}"
    parts = [part for part in get_args(hint) if part is not type(None)] if get_origin(hint) is UnionType else [hint]
    return " or ".join(_KINDS.get(part, "a list of texts") for part in parts)


def allowed_in(kind: type[DataclassInstance], name: str) -> str:
    """What a field of a record may hold, in words."""
    return allowed_values(_hints(kind)[name])


def _value(file: str, place: str, name: str, value: Any, hint: Any) -> Any:
    """One value of an entry as its field wants it."""
    if get_origin(hint) is Literal:
        known = get_args(hint)
        if value not in known:
            raise PlanError(
                file, place, f"has an unknown {name} {value!r}.", f"{meant(value, known)}Known: {', '.join(known)}."
            )
        return value
    # A value that may be left out (the key is absent then), or may be of several types.
    kinds = [part for part in get_args(hint) if part is not type(None)] if get_origin(hint) is UnionType else [hint]
    for kind in kinds:
        found = _as(kind, value)
        if found is not None:
            return found
    if isinstance(value, list) and all(isinstance(item, str) for item in value) and tuple[str, ...] in kinds:
        raise PlanError(file, place, f"repeats an entry under {name!r}.", "Keep one.")
    raise PlanError(file, place, f"has {value!r} under {name!r}.", f"Write {allowed_values(hint)}.")


def _as(kind: Any, value: Any) -> Any:
    """A value as one type wants it; None where it is of another."""
    if kind is bool:
        return value if isinstance(value, bool) else None
    if kind in (int, float) and isinstance(value, int) and not isinstance(value, bool):
        return kind(value)
    if kind is float:
        return value if isinstance(value, float) and math.isfinite(value) else None
    if kind is dt.date:
        return value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else None
    if kind is str:
        return " ".join(value.split()) if isinstance(value, str) else None
    if kind == tuple[float, ...]:
        whole = isinstance(value, list) and all(_as(float, item) is not None for item in value)
        return tuple(float(item) for item in value) if whole else None
    if kind == Mapping[str, str]:
        whole = isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())
        return dict(value) if whole else None
    if get_origin(kind) is tuple and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value) if len(set(value)) == len(value) else None
    return None
