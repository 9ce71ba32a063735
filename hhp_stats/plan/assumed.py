"""Which entries of a plan were assumed, and which of them has somebody confirmed?

A plan says of what the documents leave open that it is not printed: `printed = false` in an entry, or
`launch_printed = false` beside `launch`. Such values were chosen so that synthetic data could be drawn. Before real
data are analysed each needs to be confirmed, or corrected: `data/plan/confirmed.toml` holds who said so, and the value
that was confirmed, so that an entry that changes afterwards has to be confirmed again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hhp_stats.errors import UnknownName
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.records import read_plan_file, read_records

CONFIRMED = "data/plan/confirmed.toml"
_NAMES = ("id", "local_authority", "key", "label")  # what an entry of a list is called by, the first that it has
_PRINTED = "printed"
_WORDS = (*_NAMES, "slug", "clauses", "sources", "decision", "note", "basis", "code")  # name it, or say why


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """One entry of a plan that no document prints: its place, its values as written, and what the plan says of it."""

    place: str  # "sites.Kent.launch", "blocks.Dudley"
    values: Mapping[str, str]  # key -> value, as TOML writes it
    why: str

    @property
    def value(self) -> str:
        """All values in one text: what a confirmation refers to."""
        return ", ".join(f"{key} = {value}" for key, value in self.values.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Somebody looked: the entry of a plan is right as it stood then."""

    entry: str  # "goal_setting/sites.Kent.launch"
    study: str
    value: str
    source: str  # what it is known from: a record of the trial
    on: dt.date


def assumed(root: Path, study: str) -> tuple[Assumed, ...]:
    """Every entry of the study's plan that is marked as not printed, in the plan's order.

    Raises PlanError where the plan cannot be read.
    """
    return tuple(_found(read_plan_file(root, f"data/plan/{study}.toml"), ""))


def _found(raw: Any, place: str) -> Iterator[Assumed]:
    if isinstance(raw, list):
        for number, entry in enumerate(raw, start=1):
            name = next((str(entry[key]) for key in _NAMES if isinstance(entry, Mapping) and key in entry), str(number))
            yield from _found(entry, f"{place}.{name}")
        return
    if not isinstance(raw, Mapping):
        return
    why = next((str(raw[key]) for key in ("note", "basis") if raw.get(key)), "")
    for key, value in raw.items():
        if value is False and key == _PRINTED:
            own = {name: each for name, each in raw.items() if name not in (*_WORDS, _PRINTED)}
            own = {name: each for name, each in own.items() if not isinstance(each, bool | Mapping)}
            yield Assumed(place=place, values={name: written(each) for name, each in own.items()}, why=why)
        elif value is False and key.endswith(f"_{_PRINTED}"):
            name = key.removesuffix(f"_{_PRINTED}")
            if name in raw:
                yield Assumed(place=f"{place}.{name}", values={name: written(raw[name])}, why=why)
        else:
            yield from _found(value, f"{place}.{key}" if place else key)


def written(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dt.date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


def confirmations(root: Path) -> dict[str, Confirmation]:
    """What has been confirmed, by entry; nothing where the file is not there. Raises PlanError where it is damaged."""
    if not (root / CONFIRMED).is_file():
        return {}
    found = read_records(root, file=CONFIRMED, key="confirmed", kind=Confirmation, optional=True)
    return {each.entry: each for each in found}


def unconfirmed(root: Path, study: str) -> tuple[Assumed, ...]:
    """The assumed entries that nobody has confirmed as they stand now."""
    known = confirmations(root)
    return tuple(
        each
        for each in assumed(root, study)
        if (said := known.get(f"{study}/{each.place}")) is None or said.value != each.value
    )


def confirm(root: Path, study: str, places: Collection[str], *, source: str, on: dt.date) -> tuple[Assumed, ...]:
    """Record that assumed entries are right as the plan has them now.

    Raises UnknownName for a place that the plan does not mark as assumed, and then records nothing.
    """
    entries = {each.place: each for each in assumed(root, study)}
    for place in places:
        if place not in entries:
            raise UnknownName(f"no assumed entry {place!r} in data/plan/{study}.toml. {allowed(entries, place)}")
    said = confirmations(root)
    for place in places:
        entry = f"{study}/{place}"
        said[entry] = Confirmation(entry=entry, study=study, value=entries[place].value, source=source, on=on)
    lines = [_HEAD]
    for each in said.values():
        lines += ["", "[[confirmed]]", *(f"{key} = {written(value)}" for key, value in asdict(each).items())]
    path = root / CONFIRMED
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")
    partial.replace(path)
    return tuple(entries[place] for place in places)


_HEAD = "# Entries of plans that were assumed for synthetic data, and who confirmed them: `hhp start-real --confirm`."
