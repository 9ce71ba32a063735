"""Plans of survey experiments whose comparisons are contrasts of cells, not one arm against another.

`load_experiment_plan` reads `data/plan/<study>.toml`: a header and lists of experiments, cells, populations, terms,
contrasts, methods, power assumptions and facts. Every contrast of an experiment is estimated by every method of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hhp_stats.errors import PlanError
from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.plan.conditions import condition_of
from hhp_stats.plan.estimators import check_df, check_estimator
from hhp_stats.plan.individual_schema import PlannedTerm
from hhp_stats.plan.nearest import refuse_unknown
from hhp_stats.plan.plan_file import PlanFile
from hhp_stats.plan.records import Count, Share
from hhp_stats.plan.schema import Fact, PlannedAnalysis, Population, StudyPlan
from hhp_stats.results.frame import Analysis

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
    participants: Count
    decisions: Count  # rows of the analysis
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
    people: Count | None = None  # printed, where the documents give a number that can be one
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
    population: str
    terms: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan(StudyPlan):
    """The plan of one study made of experiments."""

    alpha: float
    power: float
    experiments: Mapping[str, Experiment]
    cells: Mapping[str, ExperimentCell]
    terms: Mapping[str, PlannedTerm]
    contrasts: Mapping[str, CellContrast]
    methods: tuple[ExperimentMethod, ...]

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

    def analysis(self, contrast: CellContrast, method: ExperimentMethod) -> PlannedAnalysis:
        """One contrast by one method of its experiment, as plans of trials list their analyses."""
        cited = [*method.clauses, *contrast.clauses] if contrast.planned else contrast.clauses
        return PlannedAnalysis(
            id=f"{contrast.experiment}/{contrast.id}/{method.id}",
            kind=self.kind(contrast, method),
            population=method.population,
            estimator=method.estimator,
            covariance=method.covariance,
            df=method.df,
            label=method.label,
            clauses=tuple(dict.fromkeys(cited)),
            note=method.note,
        )

    def row_id(self, experiment: str, estimand: str, method: str) -> str:
        """The id of any row of the result frame."""
        return f"{self.study}/{experiment}/{estimand}/{method}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    study: str
    title: str
    chapter: str
    conf_level: Share
    alpha: Share
    power: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class _Design:
    kind: str


_LISTS = ("experiments", "cells", "populations", "terms", "contrasts", "methods", "facts")


@kept_reading
def load_experiment_plan(root: Path, study: str) -> ExperimentPlan:
    """What was to be compared in these experiments, and how? Reads `data/plan/<study>.toml` and cross-checks it.

    Raises PlanError, naming file and place, for what every plan is refused for (`plan_file.PlanFile`); experiments,
    cells, populations, terms or estimators that do not exist; a condition that cannot be read; a cell without the
    intercept among its dummies, two cells with the same dummies, contrasts across experiments or of a cell with
    itself, an experiment without exactly one planned method, and planned entries that cite no clause.
    """
    return experiment_plan(PlanFile.open(root, study))


def experiment_plan(source: PlanFile) -> ExperimentPlan:
    """The same from the tables of a plan."""
    header = source.header(_Header, tables=_LISTS)
    source.record("design", _Design, optional=False)
    plan = ExperimentPlan(
        **{field.name: getattr(header, field.name) for field in dataclasses.fields(_Header)},
        experiments=source.by_id("experiments", Experiment, "cluster"),
        cells=source.by_id("cells", ExperimentCell),
        populations=source.by_id("populations", Population),
        terms=source.by_id("terms", PlannedTerm, "base"),
        contrasts=source.by_id("contrasts", CellContrast, "question"),
        # Methods are named within their experiment, so two experiments may both have `hc2`.
        methods=source.records("methods", ExperimentMethod, "note", within=("experiment",)),
        facts=source.by_id("facts", Fact),
        disclosure=source.disclosure(),
        clauses=source.cited(),
    )
    source.check_citations(_must_cite)
    source.check_levels(plan.terms.values())
    _check_cells(source.file, plan)
    _check_contrasts(source.file, plan)
    _check_populations(source.file, plan)
    _check_methods(source.file, plan)
    return plan


def _must_cite(section: str, entry: Mapping[str, Any]) -> bool:
    """Does an entry commit to something?"""
    return section == "experiments" or entry.get("planned") is True or entry.get("kind") == "planned"


def _check_cells(file: str, plan: ExperimentPlan) -> None:
    for cell in plan.cells.values():
        place = f"cells {cell.id}"
        refuse_unknown(file, place, "experiment", [cell.experiment], plan.experiments, "the plan's experiments")
        if INTERCEPT not in cell.dummies:
            raise PlanError(file, place, "lacks the intercept.", "Name it among the dummies.")
        same = [c.id for c in plan.cells_of(cell.experiment) if set(c.dummies) == set(cell.dummies)]
        if len(same) > 1:
            raise PlanError(file, place, f"has the dummies of {same[0]}.", "Tell the cells apart.")


def _check_contrasts(file: str, plan: ExperimentPlan) -> None:
    for contrast in plan.contrasts.values():
        place = f"contrasts {contrast.id}"
        own = {cell.id for cell in plan.cells_of(contrast.experiment)}
        refuse_unknown(file, place, "experiment", [contrast.experiment], plan.experiments, "the plan's experiments")
        refuse_unknown(file, place, "cell", (*contrast.plus, *contrast.minus), own, "the cells of its experiment")
        if len(contrast.plus) != len(contrast.minus) or set(contrast.plus) & set(contrast.minus) or not contrast.plus:
            raise PlanError(file, place, "does not set as many cells against as many others.", "Mend plus or minus.")


def _check_populations(file: str, plan: ExperimentPlan) -> None:
    for population in plan.populations.values():
        if population.where:
            condition_of(file, f"populations {population.id}", population.where)


def _check_methods(file: str, plan: ExperimentPlan) -> None:
    for method in plan.methods:
        place = f"methods {method.experiment} {method.id}"
        refuse_unknown(file, place, "experiment", [method.experiment], plan.experiments, "the plan's experiments")
        check_estimator(file, place, "contrasts", estimator=method.estimator, covariance=method.covariance)
        check_df(file, place, "contrasts", estimator=method.estimator, covariance=method.covariance, df=method.df)
        refuse_unknown(file, place, "term", method.terms, plan.terms, "the plan's terms")
        refuse_unknown(file, place, "population", [method.population], plan.populations, "the plan's populations")
        if method.covariance.startswith("CR") and not plan.experiments[method.experiment].cluster:
            raise PlanError(file, place, "is clustered, but the experiment has no clusters.", "Name the column.")
    for experiment in plan.experiments:
        planned = [method.id for method in plan.methods_of(experiment) if method.kind == "planned"]
        if len(planned) != 1:
            raise PlanError(file, f"experiments {experiment}", f"has {len(planned)} planned methods.", "Plan one.")
