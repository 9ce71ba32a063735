"""What the plan of a pilot may not ask for: lists that do not fit together, conditions on columns that nobody has,
statistics of nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hhp_stats.errors import PlanError
from hhp_stats.plan.conditions import Comparison, Condition, condition_of, parse_condition
from hhp_stats.plan.nearest import refuse_unknown
from hhp_stats.plan.pilot_schema import OWN_TABLES, STATISTICS, ClassTable, PilotPlan

_ID = re.compile(r"[a-z][a-z0-9_]*")
_PLACES = r"data/(?:(?:allocation|usage|decisions)/{study}(?:_[a-z0-9_]+)?|surveys/{study}/[a-z0-9_]+)\.csv"
_NUMBERS = ("number", "integer", "0/1")


def check_pilot(file: str, plan: PilotPlan) -> None:
    """Refuses (PlanError, naming file and entry) lists without one identifier of people, or with a column that another
    has; conditions on columns that nobody has, or that compare them with what they cannot hold; statistics that are
    not known, or lack their column; tables with both a column and classes, or neither.
    """
    _check_lists(file, plan)
    _check_conditions(file, plan)
    _check_descriptives(file, plan)
    _check_tables(file, plan)


def columns_of(plan: PilotPlan) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The columns of the people, with kind and allowed values (of zeros and ones their words, where they have any):
    those of the dictionary, or of the lists.
    """
    if plan.data is not None:
        return {name: (column.kind, column.allowed or column.zero_one) for name, column in plan.columns.items()}
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for each in plan.lists.values():
        own = {column.column: (column.kind, column.allowed) for column in each.columns}
        found |= own if each.once else dict.fromkeys(each.sums, ("integer", ()))
        found |= {each.lines_as: ("integer", ())} if each.lines_as else {}
    return found


def classes_of(plan: PilotPlan, table: ClassTable) -> tuple[tuple[str, Condition], ...]:
    """The classes of a table, label and condition: its own, or the values that its column may take."""
    if table.classes:
        return tuple((each.label, parse_condition(each.where)) for each in table.classes)
    kind, allowed = columns_of(plan)[table.column]
    values: tuple[tuple[str, str | float], ...] = tuple((value, value) for value in allowed)
    if kind == "0/1":
        no, yes = allowed or ("no", "yes")
        values = ((yes, 1.0), (no, 0.0))
    return tuple((label, Comparison(table.column, "==", value)) for label, value in values)


def _check_lists(file: str, plan: PilotPlan) -> None:
    first = next(iter(plan.lists.values()), None)
    if first is None:
        return
    taken: dict[str, str] = {}
    for each in plan.lists.values():
        place = f"lists {each.id}"
        keys = [column.column for column in each.columns if column.kind == "identifier"]
        if len(keys) != 1:
            raise PlanError(file, place, f"has {len(keys)} identifiers.", "Give one column the kind identifier.")
        if each.identifier != first.identifier:
            raise PlanError(
                file,
                place,
                f"names people by {each.identifier!r}.",
                f"Call the column {first.identifier!r}, as elsewhere.",
            )
        if not each.once and each is first:
            raise PlanError(file, place, "lists the people, each of whom must stand once.", "Leave `once` out.")
        own = {column.column for column in each.columns if column.kind in _NUMBERS}
        refuse_unknown(file, place, "column of numbers", each.sums, own, "its own columns")
        if each.once and each.sums:
            raise PlanError(
                file, place, "has sums, though everybody has one line.", "Leave them out, or set once = false."
            )
        refuse_unknown(file, place, "population", [each.of], plan.populations, "the plan's populations")
        if not re.fullmatch(_PLACES.format(study=plan.study), each.file):
            raise PlanError(
                file,
                place,
                f"has the file {each.file!r}.",
                f"Put it where raw files of this study lie: data/allocation/{plan.study}.csv,"
                f" data/usage/{plan.study}.csv or data/surveys/{plan.study}/NAME.csv.",
            )
        kept = [column.column for column in each.columns if column.column not in keys] if each.once else list(each.sums)
        for name in [*kept, *([each.lines_as] if each.lines_as else [])]:
            if taken.setdefault(name, each.id) != each.id:
                raise PlanError(file, place, f"has the column {name!r}, as {taken[name]} has.", "Call one otherwise.")


def _conditions(plan: PilotPlan) -> Iterator[tuple[str, str]]:
    """Every condition of the plan with its place."""
    for population in plan.populations.values():
        yield f"populations {population.id}", population.where
    for entry in plan.descriptives.values():
        yield f"descriptives {entry.id}", entry.where
    for table in plan.tables.values():
        for each in table.classes:
            yield f"tables {table.id} {each.label}", each.where


def _check_conditions(file: str, plan: PilotPlan) -> None:
    known = columns_of(plan)
    for place, where in _conditions(plan):
        for part in condition_of(file, place, where).comparisons() if where else ():
            refuse_unknown(file, place, "column", [part.column], known, "those of the people")
            if not part.of_value:
                continue
            (kind, allowed), text = known[part.column], isinstance(part.value, str)
            if kind == "date" or (kind in _NUMBERS) == text or (text and part.sign not in ("==", "!=")):
                raise PlanError(
                    file,
                    place,
                    f"asks for {part.column} {part.sign} {part.value!r} (kind {kind}).",
                    "Compare numbers with numbers; of texts ask == or != only; dates are not compared.",
                )
            if allowed and text:
                refuse_unknown(file, place, "value", [str(part.value)], allowed, f"those of {part.column}")
    for each in plan.lists.values():
        there = {column.column for column in next(iter(plan.lists.values())).columns}
        where = plan.populations[each.of].where
        for part in condition_of(file, f"lists {each.id}", where).comparisons() if where else ():
            refuse_unknown(file, f"lists {each.id}", "column", [part.column], there, "those of the list of the people")


def _check_descriptives(file: str, plan: PilotPlan) -> None:
    columns = columns_of(plan)
    numeric = {name for name, (kind, _) in columns.items() if kind in _NUMBERS}
    for entry in plan.descriptives.values():
        place = f"descriptives {entry.id}"
        parts = entry.id.split("/")
        if len(parts) != 2 or not all(map(_ID.fullmatch, parts)):
            raise PlanError(
                file, place, "must have the form outcome/estimand.", "Use small letters, digits, underscores."
            )
        refuse_unknown(file, place, "population", [entry.population], plan.populations, "the plan's populations")
        refuse_unknown(file, place, "statistic", entry.statistics, STATISTICS, "those that describe")
        if not entry.statistics:
            raise PlanError(file, place, "has no statistic.", f"Name one: {', '.join(STATISTICS)}.")
        ends = [STATISTICS[each] for each in entry.statistics]
        if len(set(ends)) < len(ends):
            raise PlanError(file, place, "has two statistics of one name.", "Give each an entry of its own.")
        about = {"sum", "largest", "mean"} & set(entry.statistics)
        if bool(about) != bool(entry.column):
            needs = (
                f"needs a column for its {min(about)}."
                if about
                else f"has the column {entry.column!r} for a number of people."
            )
            raise PlanError(file, place, needs, f"Columns of numbers: {', '.join(sorted(numeric)) or 'none'}.")
        refuse_unknown(file, place, "column", [entry.column] if entry.column else [], numeric, "the columns of numbers")
        refuse_unknown(file, place, "column", [entry.known] if entry.known else [], columns, "those of the people")
        if "mean" in entry.statistics and columns[entry.column][0] == "0/1":
            raise PlanError(file, place, "has the mean of zeros and ones.", f'Write where = "{entry.column} == 1".')
        if entry.noun and len(entry.noun) != 2:
            raise PlanError(
                file,
                place,
                f"has the noun {list(entry.noun)}.",
                'Write singular and plural: ["team manager", "team managers"].',
            )


def _check_tables(file: str, plan: PilotPlan) -> None:
    columns = columns_of(plan)
    numeric = {name for name, (kind, _) in columns.items() if kind in _NUMBERS}
    for table in plan.tables.values():
        place = f"tables {table.id}"
        if not _ID.fullmatch(table.id) or table.id in OWN_TABLES:
            raise PlanError(
                file,
                place,
                "is no name for a table.",
                f"Use small letters, digits and underscores, and none of {', '.join(OWN_TABLES)}.",
            )
        refuse_unknown(file, place, "population", [table.population], plan.populations, "the plan's populations")
        refuse_unknown(file, place, "column", table.sums, numeric, "the columns of numbers")
        if bool(table.column) == bool(table.classes):
            raise PlanError(file, place, "has both a column and classes, or neither.", "Give one of them.")
        if table.column:
            refuse_unknown(file, place, "column", [table.column], columns, "those of the people")
            kind, allowed = columns[table.column]
            if not allowed and kind != "0/1":
                raise PlanError(
                    file,
                    place,
                    f"has the column {table.column!r}, whose values no list allows.",
                    "Write classes with conditions.",
                )
