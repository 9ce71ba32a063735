"""Plans of survey experiments whose comparisons are contrasts of cells, not one arm against another.

`load_experiment_plan` reads `data/plan/<study>.toml`: a header and lists of experiments, cells, terms, contrasts,
methods, power assumptions and facts. Every contrast of an experiment is estimated by every method of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.catalogue import HEADER
from hhp_stats.plan.conflicts import CONFLICTS, PLACE, load_conflicts, load_sources
from hhp_stats.plan.disclosure import DisclosureSettings, disclosure_settings
from hhp_stats.plan.individual import Fact, PlannedTerm
from hhp_stats.plan.load import known_clauses
from hhp_stats.plan.records import read_plan_file, read_records, record_of
from hhp_stats.results import Analysis

ESTIMATORS: Mapping[str, frozenset[str]] = {
    "ols": frozenset({"HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2", "CR3"}),
    "pooled": frozenset({"one variance"}),
    "welch": frozenset({"by arm"}),
    "hedges-g": frozenset({"pooled"}),
}
INTERCEPT = "intercept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment and its single outcome; the id is the outcome's place in result ids."""

    id: str
    label: str
    title: str
    unit: str
    question: str
    low: float
    high: float
    participants: int
    decisions: int  # rows of the analysis
    cluster: str  # column of the clusters, "" where every row is another person
    clauses: tuple[str, ...]
    decision: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentCell:
    """One group of decisions: the dummies of the model that are one in it, and how many people it should hold."""

    id: str
    experiment: str
    label: str
    dummies: tuple[str, ...]
    people: int | None = None  # printed, where the documents give a number that can be one
    decision: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellContrast:
    """The sum of the means of some cells less that of others; `planned` says whether a research question asks for
    it.
    """

    id: str
    experiment: str
    label: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]
    planned: bool
    clauses: tuple[str, ...] = ()
    question: str = ""
    decision: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentMethod:
    """One way of estimating every contrast of an experiment; `terms` are covariates beside the cells."""

    id: str
    experiment: str
    kind: Analysis
    estimator: str
    covariance: str
    df: Literal["residual", "satterthwaite", "clusters", "normal"]
    label: str
    terms: tuple[str, ...] = ()
    name_set: int | None = None  # only participants with this combination of names and applications
    clauses: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """The plan of one study made of experiments."""

    study: str
    title: str
    chapter: str
    conf_level: float
    alpha: float
    power: float
    experiments: Mapping[str, Experiment]
    cells: Mapping[str, ExperimentCell]
    terms: Mapping[str, PlannedTerm]
    contrasts: Mapping[str, CellContrast]
    methods: tuple[ExperimentMethod, ...]
    facts: Mapping[str, Fact]
    disclosure: DisclosureSettings
    clauses: tuple[str, ...]  # every clause that some entry cites

    def cells_of(self, experiment: str) -> tuple[ExperimentCell, ...]:
        """The cells of one experiment, in the order of the plan."""
        return tuple(cell for cell in self.cells.values() if cell.experiment == experiment)

    def contrasts_of(self, experiment: str) -> tuple[CellContrast, ...]:
        """The contrasts of one experiment, planned ones first as the plan lists them."""
        return tuple(contrast for contrast in self.contrasts.values() if contrast.experiment == experiment)

    def methods_of(self, experiment: str) -> tuple[ExperimentMethod, ...]:
        """The methods of one experiment."""
        return tuple(method for method in self.methods if method.experiment == experiment)

    def main_method(self, experiment: str) -> ExperimentMethod:
        """The planned method of one experiment."""
        return next(method for method in self.methods_of(experiment) if method.kind == "planned")

    def kind(self, contrast: CellContrast, method: ExperimentMethod) -> Analysis:
        """Planned where both are; a contrast nobody planned is exploratory by whatever method."""
        return method.kind if contrast.planned else "exploratory"

    def result_id(self, experiment: str, estimand: str, method: str) -> str:
        """The id of a row of the result frame."""
        return f"{self.study}/{experiment}/{estimand}/{method}"

    def fact(self, key: str) -> float:
        """The number of one fact."""
        if key not in self.facts:
            raise UnknownName(f"the plan of {self.study} has no fact {key!r}; it has {', '.join(self.facts)}")
        return self.facts[key].number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    study: str
    title: str
    chapter: str
    conf_level: float
    alpha: float
    power: float


_LISTS = ("experiments", "cells", "terms", "contrasts", "methods", "facts")


def load_experiment_plan(root: Path, study: str) -> ExperimentPlan:
    """What was to be compared in these experiments, and how? Reads `data/plan/<study>.toml` and cross-checks it.

    Raises PlanError, naming file and place, for what the strict reader refuses; clauses, conflicts, sources,
    experiments, cells, terms or estimators that do not exist; a cell without the intercept among its dummies, two
    cells with the same dummies, contrasts across experiments or of a cell with itself, an experiment without
    exactly one planned method, and planned entries that cite no clause.
    """
    file = f"data/plan/{study}.toml"
    raw = read_plan_file(root, file)
    header = record_of(
        {k: v for k, v in raw.items() if k not in {*_LISTS, *HEADER, "design", "disclosure", "thresholds"}},
        file=file,
        place="the header",
        kind=_Header,
    )

    def by_id(key: str, kind: Any, *blank: str) -> Any:
        records = read_records(root, file=file, key=key, kind=kind, may_be_empty=frozenset(blank), optional=True)
        return {getattr(record, dataclasses.fields(kind)[0].name): record for record in records}

    plan = ExperimentPlan(
        **{field.name: getattr(header, field.name) for field in dataclasses.fields(_Header)},
        experiments=by_id("experiments", Experiment, "cluster"),
        cells=by_id("cells", ExperimentCell),
        terms=by_id("terms", PlannedTerm, "base"),
        contrasts=by_id("contrasts", CellContrast, "question"),
        methods=tuple(_methods(raw, file)),
        facts=by_id("facts", Fact),
        disclosure=disclosure_settings(raw, file=file),
        clauses=tuple(sorted({clause for _, entry in _entries(raw) for clause in entry.get("clauses", ())})),
    )
    if plan.study != study:
        raise PlanError(file, "study", f"is {plan.study!r}.", f"Write {study!r}, the name of the file.")
    _check_citations(root, file, raw)
    _check_cells(file, plan)
    _check_contrasts(file, plan)
    _check_methods(file, plan)
    return plan


def _methods(raw: Mapping[str, Any], file: str) -> Iterable[ExperimentMethod]:
    """Methods are named within their experiment, so two experiments may both have `hc2`."""
    seen: set[tuple[str, str]] = set()
    for number, entry in enumerate(raw.get("methods", []), start=1):
        place = f"methods {entry.get('experiment', '')} {entry.get('id', f'number {number}')}"
        method = record_of(entry, file=file, place=place, kind=ExperimentMethod, may_be_empty=frozenset({"note"}))
        if (method.experiment, method.id) in seen:
            raise PlanError(file, place, "stands twice.", "Give every method of an experiment its own id.")
        seen.add((method.experiment, method.id))
        yield method


def _entries(raw: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for key in _LISTS:
        for entry in raw.get(key, []):
            yield f"{key} {entry.get('id', entry.get('column', ''))}".strip(), entry


def _check_citations(root: Path, file: str, raw: Mapping[str, Any]) -> None:
    clauses = known_clauses(root)
    conflicts = {conflict.id for conflict in load_conflicts(root)}
    lengths = {document.code: document.lines for document in load_sources(root)}
    for place, entry in _entries(raw):
        _known(file, place, "clause", entry.get("clauses", ()), clauses, "data/published/protocol_clauses.csv")
        _known(file, place, "conflict", entry.get("decision", ()), conflicts, CONFLICTS)
        for code in entry.get("sources", ()):
            match = PLACE.fullmatch(code)
            if match is None or int(match[2]) > lengths.get(match[1], 0):
                raise PlanError(file, place, f"has the source {code!r}.", "Give document and line, as in 001:302.")
        commits = place.startswith("experiments") or entry.get("planned") is True or entry.get("kind") == "planned"
        if commits and not entry.get("clauses"):
            raise PlanError(file, place, "cites no clause.", "Say which clause commits to it.")


def _check_cells(file: str, plan: ExperimentPlan) -> None:
    for cell in plan.cells.values():
        place = f"cells {cell.id}"
        _known(file, place, "experiment", [cell.experiment], plan.experiments, "the plan's experiments")
        if INTERCEPT not in cell.dummies:
            raise PlanError(file, place, "lacks the intercept.", "Name it among the dummies.")
        same = [c.id for c in plan.cells_of(cell.experiment) if set(c.dummies) == set(cell.dummies)]
        if len(same) > 1:
            raise PlanError(file, place, f"has the dummies of {same[0]}.", "Tell the cells apart.")


def _check_contrasts(file: str, plan: ExperimentPlan) -> None:
    for contrast in plan.contrasts.values():
        place = f"contrasts {contrast.id}"
        own = {cell.id for cell in plan.cells_of(contrast.experiment)}
        _known(file, place, "experiment", [contrast.experiment], plan.experiments, "the plan's experiments")
        _known(file, place, "cell", (*contrast.plus, *contrast.minus), own, "the cells of its experiment")
        if len(contrast.plus) != len(contrast.minus) or set(contrast.plus) & set(contrast.minus) or not contrast.plus:
            raise PlanError(file, place, "does not set as many cells against as many others.", "Mend plus or minus.")


def _check_methods(file: str, plan: ExperimentPlan) -> None:
    for method in plan.methods:
        place = f"methods {method.experiment} {method.id}"
        _known(file, place, "experiment", [method.experiment], plan.experiments, "the plan's experiments")
        _known(file, place, "estimator", [method.estimator], ESTIMATORS, "those the studies know")
        _known(file, place, "covariance", [method.covariance], ESTIMATORS[method.estimator], "those of the estimator")
        _known(file, place, "term", method.terms, plan.terms, "the plan's terms")
        if method.covariance.startswith("CR") and not plan.experiments[method.experiment].cluster:
            raise PlanError(file, place, "is clustered, but the experiment has no clusters.", "Name the column.")
    for experiment in plan.experiments:
        planned = [method.id for method in plan.methods_of(experiment) if method.kind == "planned"]
        if len(planned) != 1:
            raise PlanError(file, f"experiments {experiment}", f"has {len(planned)} planned methods.", "Plan one.")


def _known(file: str, place: str, what: str, given: Iterable[str], known: Collection[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise PlanError(
                file,
                place,
                f"names {what} {name!r}, which does not exist.",
                f"Use one of {where}: {', '.join(sorted(known)[:12])}.",
            )
