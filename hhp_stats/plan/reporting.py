"""Reporting standards beside CONSORT: what was offered (TIDieR), talks with participants (COREQ), costs (CHEERS)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from hhp_stats.errors import PlanError
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.catalogue import catalogue, check_study, study_entry
from hhp_stats.plan.consort import ChecklistItem, check_item
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.records import known_tables, read_plan_file, read_records, records_of

INTERVENTIONS = "data/plan/interventions.toml"
COREQ = "data/plan/coreq.toml"
CHEERS = "data/plan/cheers.toml"
COREQ_ITEMS, CHEERS_ITEMS = 32, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """What one study offered: the twelve items of TIDieR, in their order (Hoffmann and others 2014, table 1)."""

    study: str
    name: str
    why: str
    materials: str
    procedures: str
    provider: str
    how: str
    where: str
    dose: str
    tailoring: str
    modifications: str
    planned_check: str
    delivered: str

    @property
    def items(self) -> tuple[str, ...]:
        """The words of the twelve items."""
        return tuple(getattr(self, field.name) for field in fields(self)[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreqAsk:
    """What an item of COREQ asks for (Tong and others 2007, table 1)."""

    id: str
    part: str
    asks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreqAnswer:
    """What the documents say of it for one study."""

    item: str
    study: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coreq:
    """The items, and the answers by item and study."""

    asks: tuple[CoreqAsk, ...]
    answers: tuple[CoreqAnswer, ...]

    def of(self, item: str) -> tuple[CoreqAnswer, ...]:
        """The answers to one item."""
        return tuple(answer for answer in self.answers if answer.item == item)


def load_interventions(root: Path) -> tuple[Intervention, ...]:
    """What each study offered, in the order of the report.

    Refuses (PlanError) what `read_records` refuses, and entries of unknown studies.
    """
    found = read_records(root, file=INTERVENTIONS, key="intervention", kind=Intervention)
    order = [entry.study for entry in catalogue(root)]
    for entry in found:
        check_study(INTERVENTIONS, f"intervention {entry.study}", entry.study, order)
    return tuple(sorted(found, key=lambda entry: order.index(entry.study)))


def load_coreq(root: Path) -> Coreq:
    """The checklist of the qualitative parts.

    Refuses (PlanError) what `records_of` refuses, a list of other items than one to 32 in their order, and answers to
    items or of studies that there are not.
    """
    tables = known_tables(root, COREQ, ("ask", "answer"))
    asks = records_of(tables, file=COREQ, key="ask", kind=CoreqAsk)
    answers = records_of(tables, file=COREQ, key="answer", kind=CoreqAnswer, within=("study",), optional=True)
    _check_order(COREQ, [ask.id for ask in asks], COREQ_ITEMS)
    order = [entry.study for entry in catalogue(root)]
    known = [ask.id for ask in asks]
    for answer in answers:
        check_study(COREQ, f"answer {answer.item}", answer.study, order)
        if answer.item not in known:
            raise PlanError(COREQ, f"answer {answer.item}", "is to no item.", allowed(known, answer.item))
    return Coreq(asks=asks, answers=tuple(sorted(answers, key=lambda answer: order.index(answer.study))))


def load_cheers(root: Path) -> tuple[str, tuple[ChecklistItem, ...]]:
    """The study whose costs are evaluated, and every item of CHEERS 2022.

    Refuses (PlanError, UnknownName) what `read_records` and `check_item` refuse, an unknown study, and a list of other
    items than one to 28 in their order.
    """
    study = str(read_plan_file(root, CHEERS).get("study", ""))
    study_entry(root, study)
    items = read_records(
        root, file=CHEERS, key="item", kind=ChecklistItem, may_be_empty=frozenset({"note"}), beside=("study",)
    )
    _check_order(CHEERS, [item.id for item in items], CHEERS_ITEMS)
    sections = book_sections(root)
    for item in items:
        check_item(CHEERS, f"item {item.id}", item, sections)
    return study, items


def _check_order(file: str, given: list[str], number: int) -> None:
    wanted = [str(item) for item in range(1, number + 1)]
    if given != wanted:
        raise PlanError(file, "items", f"are {', '.join(given)}.", f"List 1 to {number}, in this order.")
