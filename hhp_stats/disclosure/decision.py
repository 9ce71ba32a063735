"""What a study publishes: its frames with small numbers of people, and what would give them away, blanked.

Decided once, when the study writes its results. In tables a blanked cell holds the word `WITHHELD`; in the result
frame it is empty, the row's note says which numbers are withheld, and a row of which nothing is left has the status
`withheld`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hhp_stats.disclosure.bars import pooled
from hhp_stats.disclosure.declared import Column, Declared, Mask, counted, other
from hhp_stats.disclosure.places import RESULTS, Place, places_of
from hhp_stats.disclosure.released import Released, nothing_released
from hhp_stats.disclosure.system import CountedSet
from hhp_stats.disclosure.withholding import withheld_sets
from hhp_stats.errors import HhpError
from hhp_stats.plan.disclosure import DisclosureSettings
from hhp_stats.results.withheld import DECIMALS, NOTE, NUMBERS, WITHHELD

REGISTER = ("table", "row", "column", "people")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What may be read: tables, results, and the list of all places where numbers of people stand (`REGISTER`).

    In the list `people` is the number printed, or `WITHHELD`. `undefended` names what a reader of the last release, or
    of the documents, could still work out, because too little else changed.
    """

    tables: Mapping[str, pd.DataFrame]
    results: pd.DataFrame
    register: pd.DataFrame
    undefended: tuple[str, ...] = ()


def published(
    *,
    study: str,
    tables: Mapping[str, pd.DataFrame],
    results: pd.DataFrame,
    declared: Declared,
    settings: DisclosureSettings,
    public: Iterable[str] = (),
    last: Released | None = None,
) -> Published:
    """Which numbers of people may be printed? The others are blanked wherever they stand, with what is made of them.

    `public`: result ids whose numbers documents have printed before; `last`: what the last release printed and
    withheld. A study whose rule is `printed before` prints the small numbers that are public, and withholds others
    like any study. Raises UndeclaredCount for numbers that nobody declared.
    """
    tables, declared, exposed = _with_classes(tables, declared, settings)
    places = places_of(tables, results, declared, study=study)
    kept = {name: table for name, table in tables.items() if name not in declared.withdrawn}
    if settings.rule == "none":
        return Published(tables=kept, results=results, register=_register(places, set(), declared.people))
    before = last or nothing_released()
    sets = _Sets(places, declared.people, frozenset(public))
    if settings.rule == "printed before" and not _unprinted(sets, settings):
        # What follows from printed figures is as public as they are; a count that none of them prints is withheld
        # below.
        return Published(
            tables=_tables(kept, declared, set()), results=results, register=_register(places, set(), declared.people)
        )
    hidden, undefended = _hidden(sets, settings, before)
    gone = {sets.keys[at] for at in hidden}
    gone |= {sets.key(each) for each in exposed}
    blank = {
        (each.table, each.at, each.column) for each in places if _goes(each, gone, sets, settings, declared.people)
    }
    return Published(
        tables=_tables(kept, declared, blank),
        results=_results(results, declared, blank),
        register=_register(places, blank, declared.people),
        undefended=undefended,
    )


class _Sets:
    """The distinct sets of people that some place tells the number of."""

    def __init__(self, places: list[Place], people: int, known: frozenset[str]) -> None:
        self.people = people
        self.members: dict[bytes, Mask] = {}
        self.worth: dict[bytes, int] = {}
        self.labels: dict[bytes, str] = {}
        self.places: dict[bytes, list[tuple[str, str, str]]] = {}
        self.public: set[bytes] = set()
        for place in places:
            for each in place.tells:
                key = self.key(each)
                self.members[key] = each
                self.worth[key] = max(self.worth.get(key, 0), place.worth)
                self.labels.setdefault(key, f"{place.table}, {place.label}, {place.column}")
            if place.tells:
                first = self.key(place.tells[0])
                self.places.setdefault(first, []).append((place.table, place.label, place.column))
                if place.table == RESULTS and place.label in known and place.column == "estimate":
                    self.public.add(first)
        self.keys = [key for key in self.members if self.members[key].any()]

    def key(self, members: Mask) -> bytes:
        return np.packbits(members).tobytes()

    def size(self, key: bytes) -> int:
        return int(self.members[key][: self.people].sum())

    def counted(self, before: Released) -> list[CountedSet]:
        return [
            CountedSet(
                label=self.labels[key],
                members=self.members[key],
                worth=self.worth[key],
                public=key in self.public or self.seen(key, before),
            )
            for key in self.keys
        ]

    def seen(self, key: bytes, before: Released) -> bool:
        """Did the last release print the same number in the same place?"""
        return any(before.printed.get(place) == self.size(key) for place in self.places.get(key, ()))

    def hidden_before(self, key: bytes, before: Released) -> bool:
        """Did the last release withhold it?"""
        return any(place in before.withheld for place in self.places.get(key, ()))


def _hidden(sets: _Sets, settings: DisclosureSettings, before: Released) -> tuple[set[int], tuple[str, ...]]:
    """Places in `sets` that are withheld, and what cannot be kept from a reader of the last release or of the
    documents.
    """
    sticky = frozenset(
        at for at, key in enumerate(sets.keys) if sets.hidden_before(key, before) and key not in sets.public
    )
    found, undefended = _defended(sets, settings, before, sticky)
    lowest = 1 if settings.zeros == "published" else 0
    small = {
        at
        for at, key in enumerate(sets.keys)
        if lowest <= sets.size(key) < settings.threshold and key not in sets.public
    }
    return found | small, undefended


def _defended(
    sets: _Sets, settings: DisclosureSettings, before: Released, sticky: frozenset[int]
) -> tuple[set[int], tuple[str, ...]]:
    """What is withheld, and what a reader of more than this release can still work out.

    Nothing may be left that could hide a number: too little changed since the last release, or all others were printed
    in documents, as after one corrected line of a list of twelve people. Then what is known from elsewhere is withheld
    like anything else, so that this release alone tells nothing; and where even that does not help, every number is.
    """
    alone = nothing_released()
    unknown = [replace(each, public=False) for each in sets.counted(alone)]
    attempts = [sets.counted(before), *([sets.counted(alone)] if before.printed else []), unknown]
    undefended: tuple[str, ...] = ()
    for attempt in attempts:
        try:
            return set(withheld_sets(attempt, settings, people=sets.people, before=sticky)), undefended
        except HhpError as refused:
            undefended = undefended or (str(refused),)
    return set(range(len(sets.keys))), undefended


def _unprinted(sets: _Sets, settings: DisclosureSettings) -> bool:
    """Is a number of people small that no document has printed, as one that a corrected answer moved?"""
    lowest = 1 if settings.zeros == "published" else 0
    return any(lowest <= sets.size(key) < settings.threshold and key not in sets.public for key in sets.keys)


def _tables(
    tables: Mapping[str, pd.DataFrame], declared: Declared, blank: set[tuple[str, int, str]]
) -> dict[str, pd.DataFrame]:
    return {name: _shown(table, declared.columns.get(name, {}), blank, name) for name, table in tables.items()}


def _with_classes(
    tables: Mapping[str, pd.DataFrame], declared: Declared, settings: DisclosureSettings
) -> tuple[dict[str, pd.DataFrame], Declared, list[Mask]]:
    """Distributions in classes, declared like any table."""
    exposed: list[Mask] = []
    shown, columns = dict(tables), dict(declared.columns)
    for name, bars in declared.bars.items():
        if settings.rule == "none":
            columns[name] = {bars.value: other(), "people": counted(bars.members), "share": other()}
            continue
        found = pooled(
            tables[name], bars, threshold=settings.threshold, lowest=1 if settings.zeros == "published" else 0
        )
        shown[name] = found.table
        classes = counted(found.members)
        columns[name] = {
            bars.value: other(),
            "low": other(),
            "high": other(),
            "people": classes,
            "share": Column(kind="other", goes_with=classes.tells),
        }
        exposed += found.exposed
    return (
        shown,
        Declared(people=declared.people, columns=columns, rows=declared.rows, withdrawn=declared.withdrawn),
        exposed,
    )


def _goes(place: Place, gone: set[bytes], sets: _Sets, settings: DisclosureSettings, people: int) -> bool:
    if any(sets.key(each) in gone for each in (*place.tells, *place.goes_with)):
        return True
    lowest = 1 if settings.zeros == "published" else 0
    smallest = [int(each[:people].sum()) for each in place.describes]
    if any(0 < size < settings.threshold for size in smallest):
        return True
    parts = [int(each[:people].sum()) for each in place.goes_with]
    return any(lowest <= size < settings.threshold for size in parts) and not all(
        sets.key(each) in sets.public for each in place.goes_with
    )


def _shown(
    table: pd.DataFrame, columns: Mapping[str, Column], blank: set[tuple[str, int, str]], name: str
) -> pd.DataFrame:
    kept = table[[column for column in table.columns if columns.get(str(column), other()).kind != "internal"]].copy()
    for column, entry in columns.items():
        if column not in kept:
            continue
        if isinstance(entry.digits, int):
            kept[column] = kept[column].round(entry.digits)
        elif entry.digits is not None:
            kept[column] = [
                round(float(value), digits) for value, digits in zip(kept[column], entry.digits, strict=True)
            ]
        if any(entry.empty):
            kept[column] = kept[column].astype("Float64").mask(np.array(entry.empty))
        if entry.least:
            blank = blank | {(name, at, column) for at, value in enumerate(kept[column]) if 0 < value < entry.least}
        places = [at for at in range(len(kept)) if (name, at, column) in blank]
        if places:
            values = kept[column].to_list()
            for at in places:
                values[at] = WITHHELD
            kept[column] = pd.Series(values, index=kept.index, dtype=object)
    return kept


def _results(results: pd.DataFrame, declared: Declared, blank: set[tuple[str, int, str]]) -> pd.DataFrame:
    shown = results.copy()
    n, whole, rounded = (np.zeros(len(results), dtype=np.bool_) for _ in range(3))
    estimates, notes = results["estimate"].to_numpy(dtype=np.float64).copy(), results["note"].to_list()
    for at, key in enumerate(results["result_id"].astype(str)):
        whole[at] = (RESULTS, at, "estimate") in blank
        n[at] = whole[at] or (RESULTS, at, "n") in blank
        if not n[at]:
            continue
        words = "all its numbers" if whole[at] else "n"
        entry = declared.rows.get(key)
        if not whole[at] and entry is not None and entry.plain and entry.digits is not None:
            rounded[at] = True
            estimates[at] = round(float(estimates[at]), entry.digits)
            words = f"n, and {DECIMALS}{entry.digits}"
        notes[at] = f"{notes[at]} {NOTE}{words}.".strip()
    shown["n"] = shown["n"].mask(n)
    for column in NUMBERS:
        shown[column] = shown[column].mask(whole | rounded)
    shown["estimate"] = shown["estimate"].where(~rounded, estimates)
    shown["status"] = shown["status"].mask(whole, "withheld")
    shown["note"] = pd.Series(notes, index=shown.index, dtype=shown["note"].dtype)
    return shown


def _register(places: list[Place], blank: set[tuple[str, int, str]], people: int) -> pd.DataFrame:
    rows = []
    for place in places:
        gone = (place.table, place.at, place.column) in blank
        if place.tells or gone:
            shown = WITHHELD if gone else str(int(place.tells[0][:people].sum()))
            rows.append((place.table, place.label, place.column, shown))
    return pd.DataFrame(rows, columns=list(REGISTER)).astype("str")
