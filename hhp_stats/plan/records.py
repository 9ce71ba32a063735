"""Lists of records in the plan's TOML files, read with the same checks everywhere."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from hhp_stats.errors import PlanError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


def read_plan_file(root: Path, file: str) -> Mapping[str, Any]:
    """The tables of a plan file; refuses a file that is missing or not valid TOML."""
    path = root / file
    if not path.is_file():
        raise PlanError(file, "the file", "does not exist.", "Restore it: the report cannot be rendered without it.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PlanError(file, "the file", f"is not valid TOML: {error}.", "Mend the line named.") from None


def read_records(
    root: Path, *, file: str, key: str, kind: type[Record], may_be_empty: frozenset[str] = frozenset()
) -> tuple[Record, ...]:
    """What records does the list of tables `key` of a plan file hold?

    Field types of the dataclass `kind` decide what an entry may hold: text, a list of texts, a whole
    number, or one of the words of a Literal. Lines of text are joined with single spaces. The first
    field identifies the record.

    Refuses (PlanError) an empty list, unknown or missing keys, values of another type, text that is
    blank unless its field is in `may_be_empty`, words that a Literal does not know, and an id used twice.
    """
    entries = read_plan_file(root, file).get(key)
    if not isinstance(entries, list) or not entries:
        raise PlanError(file, f"[[{key}]]", "holds no entry.", "Add at least one.")
    hints, fields = get_type_hints(kind), dataclasses.fields(kind)
    identity = fields[0].name
    required = {field.name for field in fields if field.default is dataclasses.MISSING}
    found: dict[str, Record] = {}
    for number, entry in enumerate(entries, start=1):
        place = f"{key} {entry.get(identity, f'number {number}')}"
        for name in sorted(set(entry) - set(hints)):
            known = ", ".join(field.name for field in fields)
            raise PlanError(file, place, f"has an unknown key {name!r}.", f"Known keys: {known}.")
        for name in sorted(required - set(entry)):
            raise PlanError(file, place, f"lacks {name!r}.", "Add it.")
        values = {name: _value(file, place, name, value, hints[name]) for name, value in entry.items()}
        for name, value in values.items():
            if value == "" and name not in may_be_empty:
                raise PlanError(file, place, f"has no text under {name!r}.", "Write it.")
        if values[identity] in found:
            raise PlanError(file, place, "stands twice.", f"Give every {key} its own {identity}.")
        found[values[identity]] = kind(**values)
    return tuple(found.values())


def _value(file: str, place: str, name: str, value: Any, hint: Any) -> Any:
    """One value of an entry as its field wants it."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            allowed = ", ".join(get_args(hint))
            raise PlanError(file, place, f"has an unknown {name} {value!r}.", f"Known: {allowed}.")
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return " ".join(value.split())
    if get_origin(hint) is tuple and isinstance(value, list) and all(isinstance(item, str) for item in value):
        if len(set(value)) != len(value):
            raise PlanError(file, place, f"repeats an entry under {name!r}.", "Keep one.")
        return tuple(value)
    wanted = {int: "a whole number", str: "text"}.get(hint, "a list of texts")
    raise PlanError(file, place, f"has {value!r} under {name!r}.", f"Write {wanted}.")
