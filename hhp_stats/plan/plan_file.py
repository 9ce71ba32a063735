"""One way to read the plan of a study, of whatever kind: its head, its tables as typed records, and what they cite.

The readers of the kinds (`plan.load`, `plan.individual`, `plan.experiments`) say which tables their plans have; what is
wrong with a key, a type, a name or a citation is said here alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hhp_stats.errors import PlanError
from hhp_stats.plan.catalogue import HEADER, check_head, kind_of
from hhp_stats.plan.citations import CLAUSES, known_clauses
from hhp_stats.plan.conflicts import CONFLICTS, PLACE, load_conflicts, load_sources
from hhp_stats.plan.disclosure import DisclosureSettings, disclosure_settings
from hhp_stats.plan.glance import Glance
from hhp_stats.plan.nearest import meant, refuse_unknown
from hhp_stats.plan.records import CITATIONS, read_plan_file, record_of, records_of
from hhp_stats.plan.thresholds import KEY, Threshold

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")

_COMMON = ("design", "disclosure", KEY)  # tables of every plan
_HEADS = ("study", "title", "chapter")  # of every plan, for the catalogue too
Entries = Mapping[str, Mapping[str, Any]]


class _Levels(Protocol):
    @property
    def column(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def base(self) -> str | None: ...
    @property
    def levels(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """The tables of one study's plan. Every method raises PlanError, naming file, place and what is allowed."""

    root: Path
    study: str
    raw: Mapping[str, Any]

    @classmethod
    def open(cls, root: Path, study: str) -> PlanFile:
        """The plan in `data/plan/<study>.toml`; refuses a file that is missing or not valid TOML."""
        return cls(root=root, study=study, raw=read_plan_file(root, f"data/plan/{study}.toml"))

    @property
    def file(self) -> str:
        """Its place below the project."""
        return f"data/plan/{self.study}.toml"

    def header(self, kind: type[Record], *blank: str, tables: Collection[str]) -> Record:
        """The single values at the head, as a record that begins with study, title and chapter.

        Refuses a key that is neither there, nor read for the catalogue, nor one of the `tables` of such a plan; and
        what the catalogue, the table of studies and the checks of raw files would refuse in their parts.
        """
        known = [*(field.name for field in dataclasses.fields(kind)), *sorted({*tables, *_COMMON, *HEADER})]
        if isinstance(self.raw.get("design"), Mapping):
            kind_of(self.file, self.raw)  # first: which keys there are follows from it
        for name in self.raw:
            if name not in known:
                raise PlanError(
                    self.file,
                    "the header",
                    f"has an unknown key {name!r}.",
                    f"{meant(name, known)}Known keys: {', '.join(known)}.",
                )
        self._check_lists_of_citations()
        own = {name: self.raw[name] for name in (field.name for field in dataclasses.fields(kind)) if name in self.raw}
        found = record_of(own, file=self.file, place="the header", kind=kind, may_be_empty=frozenset(blank))
        if self.raw["study"] != self.study:
            raise PlanError(
                self.file, "study", f"is {self.raw['study']!r}.", f"Write {self.study!r}, the name of the file."
            )
        check_head(self.file, self.raw)
        if "glance" in self.raw:
            self.record("glance", Glance)
        self.records(KEY, Threshold)
        return found

    def _check_lists_of_citations(self) -> None:
        for place, entry in self.entries():
            for key in entry.keys() & CITATIONS:
                if not isinstance(entry[key], list) or not all(isinstance(each, str) for each in entry[key]):
                    raise PlanError(
                        self.file, place or "the header", f"has {entry[key]!r} under {key!r}.", "Write a list of texts."
                    )
            for value in _single(entry):
                if not isinstance(value, str):
                    raise PlanError(self.file, place, f"cites the clause {value!r}.", "Write its id in quotes.")

    def table(self, key: str, within: Mapping[str, Any] | None = None, *, named: str = "") -> Mapping[str, Any]:
        """A table that no such plan lacks; `within` another, whose place is `named`."""
        found = (self.raw if within is None else within).get(key)
        if not isinstance(found, Mapping):
            place = f"{named}.{key}" if named else key
            if found is not None:
                raise PlanError(self.file, place, "is no table.", f"Write [{place}] once, with keys below it.")
            raise PlanError(self.file, place, "is missing.", f"Add a table [{place}].")
        return found

    def tables(self, key: str, within: Mapping[str, Any] | None = None, *, named: str = "") -> Entries:
        """The tables of a table, by their names; none where it is missing."""
        place = f"{named}.{key}" if named else key
        found = (self.raw if within is None else within).get(key, {})
        if not isinstance(found, Mapping) or not all(isinstance(entry, Mapping) for entry in found.values()):
            raise PlanError(self.file, place, "is no table of tables.", f"Write [{place}.name] for each.")
        return found

    def record(
        self, key: str, kind: type[Record], *blank: str, given: Mapping[str, Any] | None = None, optional: bool = True
    ) -> Record | None:
        """A table as a record; None where it is missing and `optional`."""
        if optional and key not in self.raw:
            return None
        return self.one(key, kind, self.table(key), *blank, given=given)

    def one(
        self, place: str, kind: type[Record], entry: Any, *blank: str, given: Mapping[str, Any] | None = None
    ) -> Record:
        """Any table as a record."""
        return record_of(
            entry,
            file=self.file,
            place=place,
            kind=kind,
            may_be_empty=frozenset(blank),
            cited=True,
            given=given or {},
        )

    def records(
        self,
        key: str,
        kind: type[Record],
        *blank: str,
        tables: Mapping[str, Any] | None = None,
        within: tuple[str, ...] = (),
        optional: bool = True,
    ) -> tuple[Record, ...]:
        """A list of tables as records, each with its own id (among those with the same values of the fields `within`);
        of `tables` in place of the whole plan's.
        """
        return records_of(
            self.raw if tables is None else tables,
            file=self.file,
            key=key,
            kind=kind,
            may_be_empty=frozenset(blank),
            optional=optional,
            cited=True,
            within=within,
        )

    def by_id(self, key: str, kind: type[Record], *blank: str) -> dict[str, Record]:
        """The same by id."""
        identity = dataclasses.fields(kind)[0].name
        return {getattr(record, identity): record for record in self.records(key, kind, *blank)}

    def named(self, key: str, kind: type[Record], *blank: str) -> dict[str, Record]:
        """The tables of a table as records by their names, which they keep as their first field."""
        identity = dataclasses.fields(kind)[0].name
        return {
            name: self.one(f"{key}.{name}", kind, entry, *blank, given={identity: name})
            for name, entry in self.tables(key).items()
        }

    def disclosure(self) -> DisclosureSettings:
        """How small counts of people are protected."""
        return disclosure_settings(self.raw, file=self.file)

    def entries(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every table of the plan, however deep, with its place."""
        yield from _tables_within(self.raw, "")

    def cited(self) -> tuple[str, ...]:
        """Every clause that some entry cites."""
        found = {clause for _, entry in self.entries() for clause in entry.get("clauses", ())}
        return tuple(sorted(found | {value for _, entry in self.entries() for value in _single(entry)}))

    def check_citations(self, must_cite: Callable[[str, Mapping[str, Any]], bool]) -> None:
        """Refuses clauses, conflicts and places in documents that do not exist, and an entry that cites nothing though
        it commits to something: `must_cite(section, entry)`.
        """
        clauses = known_clauses(self.root)
        conflicts = {conflict.id for conflict in load_conflicts(self.root)}
        lengths = {document.code: document.lines for document in load_sources(self.root)}
        for place, entry in self.entries():
            place = place or "the header"
            refuse_unknown(self.file, place, "clause", (*entry.get("clauses", ()), *_single(entry)), clauses, CLAUSES)
            refuse_unknown(self.file, place, "conflict", entry.get("decision", ()), conflicts, CONFLICTS)
            for code in entry.get("sources", ()):
                match = PLACE.fullmatch(code)
                if match is None or int(match[2]) > lengths.get(match[1], 0):
                    raise PlanError(
                        self.file, place, f"has the source {code!r}.", "Give document and line, as in 001:302."
                    )
        for section, place, entry in self._listed():
            if must_cite(section, entry) and not (entry.get("clauses") or entry.get("sources")):
                raise PlanError(
                    self.file,
                    place,
                    "cites no clause.",
                    "Say which clause, or where no protocol is public which place, commits to it, or mark it"
                    " exploratory.",
                )

    def check_levels(self, terms: Iterable[_Levels]) -> None:
        """Refuses a categorical term whose base is not among its levels."""
        for term in terms:
            if term.kind == "categorical" and term.base not in term.levels:
                raise PlanError(
                    self.file,
                    f"terms {term.column}",
                    f"has base level {term.base!r} outside its levels.",
                    f"{meant(term.base, term.levels)}Name the base among the levels: {', '.join(term.levels)}.",
                )

    def _listed(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """The entries of the plan's lists, with their section and place; a table that is no list is one itself."""
        for section, part in self.raw.items():
            if isinstance(part, list):
                for number, entry in enumerate(part, start=1):
                    if isinstance(entry, Mapping):
                        yield section, f"{section} {_own_name(entry, number)}", entry
            elif isinstance(part, Mapping) and part and all(isinstance(value, Mapping) for value in part.values()):
                for name, entry in part.items():
                    yield section, f"{section}.{name}", entry
            elif isinstance(part, Mapping):
                yield section, section, part


def _single(entry: Mapping[str, Any]) -> Iterator[Any]:
    """The clauses of single values: `recruited_clause` is that of `recruited`."""
    return (value for key, value in entry.items() if key.endswith("_clause"))


def _tables_within(part: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(part, Mapping):
        yield place, part
        for key, value in part.items():
            yield from _tables_within(value, f"{place}.{key}" if place else key)
    elif isinstance(part, list):
        for number, value in enumerate(part, start=1):
            if isinstance(value, Mapping):
                yield from _tables_within(value, f"{place} {_own_name(value, number)}")


def _own_name(entry: Mapping[str, Any], number: int) -> object:
    return entry.get("id", entry.get("key", entry.get("column", number)))
