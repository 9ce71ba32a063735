"""The CONSORT 2025 checklist with the cluster extension: where the report answers each item, and where it does not.

`data/plan/consort.toml` holds one entry an item, in our own words. Items and their numbers: Hopewell and others
(2025), table of the checklist; the items that a cluster trial adds: Campbell and others (2012), table 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hhp_stats.errors import PlanError
from hhp_stats.plan.book_sections import BookSection, book_sections
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.records import read_plan_file, read_records
from hhp_stats.plan.returns_schema import ReturnsPlan

CONSORT = "data/plan/consort.toml"
CLUSTER = "cluster-"

Part = Literal["Title and abstract", "Open science", "Introduction", "Methods", "Results", "Discussion"]
ItemStatus = Literal["reported", "partly", "gap", "not_applicable"]

ITEMS: Mapping[Part, tuple[str, ...]] = {
    "Title and abstract": ("1a", "1b"),
    "Open science": ("2", "3", "4", "5a", "5b"),
    "Introduction": ("6", "7"),
    "Methods": (
        "8",
        "9",
        "10",
        "11",
        "12a",
        "12b",
        "13",
        "14",
        "15",
        "16a",
        "16b",
        "17a",
        "17b",
        "18",
        "19",
        "20a",
        "20b",
        "21a",
        "21b",
        "21c",
        "21d",
    ),
    "Results": ("22a", "22b", "23a", "23b", "24a", "24b", "25", "26", "27", "28"),
    "Discussion": ("29", "30"),
}
# What the extension adds, by its own numbers (those of 2010), and the item of 2025 that it belongs to.
CLUSTER_ITEMS: Mapping[str, str] = {
    "1a": "1a",
    "1b": "1b",
    "2a": "6",
    "2b": "7",
    "3a": "9",
    "4a": "12b",
    "5": "13",
    "6a": "14",
    "7a": "16a",
    "8b": "17b",
    "9": "18",
    "10a": "19",
    "10b": "19",
    "10c": "19",
    "12a": "21a",
    "13a": "22a",
    "13b": "22b",
    "15": "25",
    "16": "26",
    "17a": "26",
    "21": "30",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One item: what it asks, where it is answered, and what is missing.

    `status`: reported; partly, where the note says what is missing; gap, where the report has nothing;
    not_applicable, where the question does not arise for this trial.
    """

    id: str  # number of CONSORT 2025, or "cluster-" and the number of the extension
    asks: str
    status: ItemStatus
    sections: tuple[str, ...]  # labels of sections of the book
    results: tuple[str, ...]  # outcome/estimand/method
    note: str

    @property
    def extends(self) -> str:
        """The item of 2025 that an item of the extension belongs to; "" for an item of 2025 itself."""
        return CLUSTER_ITEMS[self.id.removeprefix(CLUSTER)] if self.id.startswith(CLUSTER) else ""

    @property
    def part(self) -> Part:
        """The part of the checklist it stands in."""
        number = self.extends or self.id
        return next(part for part, numbers in ITEMS.items() if number in numbers)


def checklist_order() -> tuple[str, ...]:
    """Ids of all items in the order of the checklist, each followed by what the extension adds to it."""
    order: list[str] = []
    for number in (number for numbers in ITEMS.values() for number in numbers):
        order.append(number)
        order += [f"{CLUSTER}{added}" for added, extended in CLUSTER_ITEMS.items() if extended == number]
    return tuple(order)


def load_checklist(root: Path) -> tuple[ChecklistItem, ...]:
    """Where does the report answer each item, and what is missing?

    Refuses (PlanError) what `read_records` refuses; items that do not exist, are missing or stand in another
    order; sections that no source of the book has; results that the study cannot make (`known_result`); and a
    status without its ground: reported without a section, partly without section and note, gap without a note
    or with a section, not_applicable without a note.
    """
    study = read_plan_file(root, CONSORT).get("study")
    if not isinstance(study, str):
        raise PlanError(CONSORT, "study", "is missing.", "Name the study that the checklist is about.")
    plan, sections = load_plan(root, study), book_sections(root)
    items = read_records(
        root, file=CONSORT, key="item", kind=ChecklistItem, may_be_empty=frozenset({"note"}), beside=("study",)
    )
    _check_complete([item.id for item in items])
    for item in items:
        place = f"item {item.id}"
        check_item(CONSORT, place, item, sections)
        for result in item.results:
            if not known_result(result, plan):
                raise PlanError(
                    CONSORT,
                    place,
                    f"points to result {result!r}, which {study} does not make.",
                    "Use the id of an analysis in the plan, or of a descriptive figure.",
                )
    return items


def check_item(file: str, place: str, item: ChecklistItem, sections: Mapping[str, BookSection]) -> None:
    """Refuses (PlanError) an item that points to a section the book does not have, or whose status lacks its ground."""
    for section in item.sections:
        if section not in sections:
            raise PlanError(
                file,
                place,
                f"points to section {section!r}, which the report does not have.",
                "Use the label of a heading in index.qmd or report/*.qmd.",
            )
    _check_ground(file, place, item)


def known_result(result: str, plan: ReturnsPlan) -> bool:
    """Can the study make a result with this id (outcome/estimand/method, without the study)?

    Yes for every analysis of the plan, and for what a study adds beside them without the plan naming it:
    arm means and standard deviations at baseline and endline (`raw`), the intraclass correlation (`reml`, `anova`) and
    standardised effect
    (`hedges-g`) of an outcome of the plan; parts of an analysis of the plan (predictions of an arm, odds ratio, rho,
    the two bounds); detectable effects of a power assumption of the plan; the ratio of a cost scenario; and the
    omnibus tests of balance. Whether it was made in this run is checked when the checklist is shown.
    """
    if any(result == analysis.id for analysis in plan.analyses):
        return True
    outcome, estimand, method = [*result.split("/"), "", "", ""][:3]
    if re.fullmatch(
        r"(baseline_)?(mean|sd)_(control|treatment)/raw|icc/(reml|anova)|itt/hedges-g", f"{estimand}/{method}"
    ):
        return outcome in plan.outcomes
    if re.fullmatch(r"predicted_(control|treatment)|rho|lower_bound|upper_bound", estimand) or (
        estimand == "ratio" and outcome in plan.outcomes
    ):
        return any(analysis.id == f"{outcome}/itt/{method}" for analysis in plan.analyses)
    if (outcome, estimand) == ("power", "mdes"):
        return method.split("-")[0] in plan.power
    if (outcome, estimand) == ("benefit_cost", "ratio"):
        return any(
            re.fullmatch(rf"{re.escape(entry.key)}(-bootstrap|-fieller)?", method)
            for entry in plan.cost_benefit.scenarios
        )
    return result in tuple(f"balance/omnibus/{group}" for group in ("randomised", "analysed", "respondents"))


def gaps(items: Iterable[ChecklistItem]) -> tuple[ChecklistItem, ...]:
    """Items that the report does not answer, or answers in part only; the notes say what is missing."""
    return tuple(item for item in items if item.status in ("gap", "partly"))


def _check_complete(given: list[str]) -> None:
    order = checklist_order()
    for name in given:
        if name not in order:
            raise PlanError(
                CONSORT,
                f"item {name}",
                "does not exist.",
                f"Use a number of CONSORT 2025, or {CLUSTER!r} and one of the extension.",
            )
    for name in order:
        if name not in given:
            raise PlanError(CONSORT, f"item {name}", "has no entry.", "Say where the report answers it.")
    for name, expected in zip(given, order, strict=True):
        if name != expected:
            raise PlanError(
                CONSORT, f"item {name}", f"stands where {expected} belongs.", "Keep the order of the checklist."
            )


def _check_ground(file: str, place: str, item: ChecklistItem) -> None:
    pointed, status = bool(item.sections), item.status
    rules = (
        (status in ("reported", "partly") and not pointed, f"is {status} without a section.", "Name one."),
        (
            status in ("partly", "gap", "not_applicable") and not item.note,
            f"is {status} without a note.",
            "Say what is missing, or why the question does not arise.",
        ),
        (
            status == "gap" and (pointed or bool(item.results)),
            "is a gap, but points to where it is answered.",
            "Call it partly, or remove section and results.",
        ),
    )
    for broken, rule, remedy in rules:
        if broken:
            raise PlanError(file, place, rule, remedy)
