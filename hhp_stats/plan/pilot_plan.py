"""Plans of pilots: lists or a plain table of people, and what is counted in them.

A pilot has `[[lists]]`, or `[data]` with a dictionary; `[[populations]]` as conditions on their columns;
`[[descriptives]]`, each a row of the result frame or two; `[[tables]]` with a line a class; and `[[facts]]`. A
condition may name a fact in braces: `sessions > {often}`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from hhp_stats.errors import PlanError
from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.plan.conditions import in_codes
from hhp_stats.plan.individual_schema import IndividualDesign
from hhp_stats.plan.nearest import refuse_unknown
from hhp_stats.plan.pilot_checks import check_pilot
from hhp_stats.plan.pilot_schema import (
    EVERYBODY,
    ClassTable,
    Descriptive,
    ListColumn,
    PilotDesign,
    PilotPlan,
    PlannedList,
    TableClass,
)
from hhp_stats.plan.plan_file import PlanFile
from hhp_stats.plan.records import Share
from hhp_stats.plan.schema import Fact, Population
from hhp_stats.plan.table_dictionary import read_table_dictionary, words_of_codes
from hhp_stats.plan.table_reader import described_table, in_codes_of, words_of
from hhp_stats.plan.table_schema import DataTable, TableColumn

Record = TypeVar("Record", Population, Descriptive, TableClass)

KIND = "pilot"
_TABLES = ("lists", "populations", "descriptives", "tables", "facts", "words", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    study: str
    title: str
    chapter: str
    conf_level: Share = 0.95


@kept_reading
def load_pilot_plan(root: Path, study: str) -> PilotPlan:
    """What is counted in this pilot? Reads `data/plan/<study>.toml` under `root` and cross-checks it.

    Raises PlanError, naming file and place, for what every plan is refused for (`plan_file.PlanFile`); a pilot with
    neither lists nor a table, or both; a list without an identifier, or with another than that of the people; a
    condition that cannot be read, or compares a column with what it cannot hold; a statistic that is not known or lacks
    its column; classes and a column, or neither.
    """
    return pilot_plan(PlanFile.open(root, study))


def pilot_plan(source: PlanFile) -> PilotPlan:
    """The same from the tables of a plan."""
    file = source.file
    header = source.header(_Header, tables=_TABLES)
    design = source.record("design", PilotDesign, optional=False)
    assert design is not None
    words = words_of(source)
    facts = source.by_id("facts", Fact)
    if ("lists" in source.raw) == ("data" in source.raw):
        raise PlanError(
            file, "the plan", "has both [[lists]] and [data], or neither.", "Say where the people are: in one of them."
        )
    data, columns = _table(source, design) if "data" in source.raw else (None, {})
    everybody = Population(id=EVERYBODY, label=f"All {words.person[1]}")
    plan = PilotPlan(
        **{each.name: getattr(header, each.name) for each in dataclasses.fields(_Header)},
        design=IndividualDesign(
            kind=KIND,
            unit=design.unit or words.person[0],
            randomised=design.people or 0,
            clauses=design.clauses,
            decision=design.decision,
            sources=design.sources,
        ),
        populations=_with_facts(file, "populations", source.by_id("populations", Population), facts, "where")
        | ({} if "populations" in source.raw and _named(source, EVERYBODY) else {EVERYBODY: everybody}),
        lists=_lists(source),
        descriptives=_with_facts(
            file, "descriptives", source.by_id("descriptives", Descriptive), facts, "label", "where"
        ),
        tables=_class_tables(source, facts),
        facts=facts,
        words=words,
        data=data,
        columns=columns,
        disclosure=source.disclosure(),
        clauses=source.cited(),
        contrast="none",
        seed=0,
        arms=(),
        blocks=(),
        scales={},
        questions={},
        outcomes={},
        terms={},
        analyses=(),
        power={},
        periods=None,
    )
    plan = _in_codes(file, plan)
    source.check_citations(lambda section, entry: False)
    check_pilot(file, plan)
    return plan


def _in_codes(file: str, plan: PilotPlan) -> PilotPlan:
    """The plan with the words of zeros and ones of its table in conditions as codes; refuses as `in_codes`."""
    words = words_of_codes(plan.columns)

    def coded(place: str, entry: Record) -> Record:
        return replace(entry, where=in_codes(file, place, entry.where, words))

    return replace(
        plan,
        populations=in_codes_of(file, plan.populations, plan.columns),
        descriptives={name: coded(f"descriptives {name}", each) for name, each in plan.descriptives.items()},
        tables={
            name: replace(table, classes=tuple(coded(f"tables {name} {each.label}", each) for each in table.classes))
            for name, table in plan.tables.items()
        },
    )


def _named(source: PlanFile, name: str) -> bool:
    return any(isinstance(entry, Mapping) and entry.get("id") == name for entry in source.raw["populations"])


def _table(source: PlanFile, design: PilotDesign) -> tuple[DataTable, Mapping[str, TableColumn]]:
    data = described_table(source)
    columns = read_table_dictionary(source.root, data.dictionary)
    if design.people is None:
        raise PlanError(
            source.file,
            "design",
            "lacks 'people'.",
            "Say how many there are: nothing else shows that some are missing.",
        )
    if arms := [column.column for column in columns.values() if column.kind == "arm"]:
        raise PlanError(
            source.file, "data", f"has the column of arms {arms[0]!r}.", "A pilot compares none: make it a category."
        )
    return data, columns


def _lists(source: PlanFile) -> dict[str, PlannedList]:
    found: dict[str, PlannedList] = {}
    given = source.raw.get("lists", [])
    for number, entry in enumerate(given if isinstance(given, list) else [given], start=1):
        place = f"lists {entry.get('id', number)}" if isinstance(entry, Mapping) else f"lists {number}"
        if not isinstance(entry, Mapping):
            raise PlanError(source.file, place, f"is {entry!r}.", "Write [[lists]] with keys and values.")
        columns = source.records("columns", ListColumn, tables=entry, optional=False)
        rest = {key: value for key, value in entry.items() if key != "columns"}
        record = source.one(place, PlannedList, rest, given={"columns": columns})
        if record.id in found:
            raise PlanError(source.file, place, "stands twice.", "Give every list its own id.")
        found[record.id] = record
    return found


def _class_tables(source: PlanFile, facts: Mapping[str, Fact]) -> dict[str, ClassTable]:
    found: dict[str, ClassTable] = {}
    given = source.raw.get("tables", [])
    for number, entry in enumerate(given if isinstance(given, list) else [given], start=1):
        place = f"tables {entry.get('id', number)}" if isinstance(entry, Mapping) else f"tables {number}"
        if not isinstance(entry, Mapping):
            raise PlanError(source.file, place, f"is {entry!r}.", "Write [[tables]] with keys and values.")
        classes = source.records("classes", TableClass, tables=entry)
        classes = tuple(_filled(source.file, place, each, facts, "label", "where") for each in classes)
        rest = {key: value for key, value in entry.items() if key != "classes"}
        record = source.one(place, ClassTable, rest, given={"classes": classes})
        if record.id in found:
            raise PlanError(source.file, place, "stands twice.", "Give every table its own id.")
        found[record.id] = record
    return found


def _with_facts(
    file: str, section: str, records: Mapping[str, Record], facts: Mapping[str, Fact], *names: str
) -> dict[str, Record]:
    return {key: _filled(file, f"{section} {key}", each, facts, *names) for key, each in records.items()}


def _filled(file: str, place: str, record: Record, facts: Mapping[str, Fact], *names: str) -> Record:
    """The record with the numbers of the facts that its texts name in braces."""

    def number(found: re.Match[str]) -> str:
        refuse_unknown(file, place, "fact", [found[1]], facts, "the plan's facts")
        return f"{facts[found[1]].number:g}"

    filled: dict[str, Any] = {name: re.sub(r"\{(\w+)\}", number, getattr(record, name)) for name in names}
    return replace(record, **filled)


def any_pilot(source: Mapping[str, Any]) -> bool:
    """Is this the plan of a pilot?"""
    design = source.get("design")
    return isinstance(design, Mapping) and design.get("kind") == KIND
