"""The people of a pilot: from its lists or its plain table, as its plan describes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.findings import Finding
from hhp_stats.intake.list_spec import ListSpec, list_column
from hhp_stats.intake.plain_lists import ListRule, Lists, read_plain_lists
from hhp_stats.intake.plain_table import load_plain_table
from hhp_stats.intake.rule import Breach, Rule, at
from hhp_stats.plan.conditions import members
from hhp_stats.plan.pilot_schema import ListColumn, PilotPlan, PlannedList

ONCE = Rule(
    code="K32",
    severity="error",
    rule="A person must be in this list once.",
    remedy="Delete the line that does not count.",
)
AMONG = Rule(
    code="K31",
    severity="error",
    rule="Everybody in a list of a pilot must be among its people, and in the population that the plan names for it.",
    remedy="Correct the person, or add him or her to the list of the people.",
)
LINES = Rule(
    code="K33",
    severity="error",
    rule="A list of a pilot must hold as many lines, and be about as many people, as the plan says.",
    remedy="Export the list again, or ask who was left out or added.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotPeople:
    """`people` has one row a person with every column that the plan describes; `inputs` and `problems` say what was
    read, `corrections` what the ledger changed.
    """

    people: pd.DataFrame
    inputs: pd.DataFrame  # path, sha256, bytes, rows
    problems: pd.DataFrame  # warnings and notes; errors are raised
    corrections: pd.DataFrame | None = None


def load_pilot(root: Path, plan: PilotPlan) -> PilotPeople:
    """Who took part in a pilot, and what is known of each? Raises DataError, with every problem, where a list or the
    table breaks a rule.
    """
    if plan.data is not None:
        read = load_plain_table(root, plan)
        return PilotPeople(people=read.people, inputs=read.inputs, problems=read.problems, corrections=read.corrections)
    first, *others = plan.lists.values()
    rules = [
        *(_once(each) for each in plan.lists.values() if each.once),
        *(_among(each, first, plan) for each in others),
    ]
    lists = read_plain_lists(
        root, study=plan.study, specs=list_specs(plan), rules=rules, found=partial(_lines, plan=plan)
    )
    people = lists.frames[first.id]
    if first.lines_as:
        people = people.assign(**{first.lines_as: 1})
    for each in others:
        people = _joined(people, lists.frames[each.id], each, plan)
    return PilotPeople(people=people, inputs=lists.inputs, problems=lists.problems)


def list_specs(plan: PilotPlan) -> tuple[ListSpec, ...]:
    """The lists of a plan as intake reads them."""
    return tuple(
        ListSpec(name=each.id, file=each.file, fields=tuple(map(_field, each.columns))) for each in plan.lists.values()
    )


def _field(column: ListColumn) -> Field:
    return list_column(
        column.column,
        column.kind,
        allowed=column.allowed,
        low=column.low,
        high=column.high,
        required=column.required,
    )


def _joined(people: pd.DataFrame, frame: pd.DataFrame, own: PlannedList, plan: PilotPlan) -> pd.DataFrame:
    """The people with what one more list says of them; of those it could be about and is not, no line is nought."""
    key = own.identifier
    if own.once:
        more = frame.assign(**({own.lines_as: 1} if own.lines_as else {}))
    else:
        by = frame.groupby(key, as_index=False)
        more = by[list(own.sums)].sum() if own.sums else frame[[key]].drop_duplicates()
        if own.lines_as:
            more = more.merge(by.size().rename(columns={"size": own.lines_as}), on=key)
    found = people.merge(more, on=key, how="left")
    counted = [*([own.lines_as] if own.lines_as else []), *own.sums]
    inside = members(people, plan.populations[own.of].where).to_numpy()
    found.loc[inside, counted] = found.loc[inside, counted].fillna(0)
    return found


def _once(own: PlannedList) -> ListRule:
    def find(lists: Lists) -> Iterator[Breach]:
        yield from at(lists[own.id].frame[own.identifier].duplicated(keep=False), own.identifier)

    return ListRule(about=own.id, find=find, rule=ONCE)


def _among(own: PlannedList, first: PlannedList, plan: PilotPlan) -> ListRule:
    """Everybody of a list must be one of the people, and of the population that the plan names."""
    population = plan.populations[own.of]

    def find(lists: Lists) -> Iterator[Breach]:
        people = lists[first.id].frame
        known = people.loc[members(people, population.where), own.identifier]
        yield from at(~lists[own.id].frame[own.identifier].isin(known), own.identifier)

    return ListRule(about=own.id, find=find, rule=AMONG)


def _lines(lists: Lists, plan: PilotPlan) -> Iterator[Finding]:
    for planned in plan.lists.values():
        table = lists[planned.id]
        there = {"lines": len(table.frame), "people": table.frame[planned.identifier].nunique()}
        for what, number in there.items():
            if getattr(planned, what) not in (None, number):
                value = f"{number} {what} of {planned.id}, {getattr(planned, what)} in the plan"
                yield Finding(rule=LINES, file=table.file, value=value, units=(planned.id,))
