"""What every plan says, whatever its kind: whom it is about, what is measured, and which analyses were planned.

Each kind of plan adds its own to these records: a trial on returns in `returns_schema`, one of arms in
`individual_schema`, a pilot in `pilot_schema`, experiments of contrasts in `experiments`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.disclosure import DisclosureSettings
from hhp_stats.plan.nearest import refuse_unknown
from hhp_stats.plan.records import Ends, allowed_in
from hhp_stats.results.frame import Analysis

Better = Literal["lower", "higher"]
Role = Literal["primary", "secondary", "mediator", "subscale", "exploratory"]
Kind = Literal["continuous", "binary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Whom an analysis is about: everybody, or those for whom the condition `where` holds (`plan.conditions`)."""

    id: str
    label: str
    rule: str = ""  # the same in words
    where: str = ""
    clauses: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # places in the documents, where no clause commits to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome: the column that holds it, its unit, and which direction is better."""

    id: str
    label: str
    better: Better
    role: Role = "secondary"
    construct: str = ""  # what it measures, in the same words in every trial whose effects on it may be compared
    unit: str = ""
    kind: Kind = "continuous"
    column: str = ""
    baseline: str = ""  # column of its baseline value, "" where it has none
    range: Ends = ()  # ends of its scale, for worst-case bounds
    clauses: tuple[str, ...] = ()  # none where the outcome is exploratory
    decision: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # places in the documents, where no clause commits to it


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAnalysis:
    """One planned cell of the report; `id` is outcome/estimand/method, the tail of the result id."""

    id: str
    kind: Analysis = "sensitivity"
    population: str = ""
    estimator: str = "ols"
    covariance: str = ""
    df: str = ""
    label: str = ""  # in tables and figures
    summary: Literal["", "at_means", "average"] = ""  # of a logit: where its change is taken
    clauses: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    note: str = ""
    sources: tuple[str, ...] = ()  # places in the documents, where no clause commits to it

    @property
    def outcome(self) -> str:
        """Id of the outcome."""
        return self.id.split("/")[0]

    @property
    def estimand(self) -> str:
        """Name of what is estimated."""
        return self.id.split("/")[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number of the design or process evaluation that the prose quotes, with its place in the documents."""

    id: str
    number: float
    about: str
    sources: tuple[str, ...]
    clauses: tuple[str, ...] = ()


OutcomeOf = TypeVar("OutcomeOf", bound=Outcome)
AnalysisOf = TypeVar("AnalysisOf", bound=PlannedAnalysis)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """What the plan of any study says: its chapter, whom it is about, the numbers of its design, and how small counts
    are protected.
    """

    study: str
    title: str
    chapter: str
    conf_level: float
    populations: Mapping[str, Population]
    disclosure: DisclosureSettings
    clauses: tuple[str, ...]  # every clause that some entry cites
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def fact(self, key: str) -> float:
        """The number of one fact."""
        if key not in self.facts:
            raise UnknownName(f"the plan of {self.study} has no fact {key!r}; it has {', '.join(self.facts)}")
        return self.facts[key].number

    def result_id(self, analysis: PlannedAnalysis) -> str:
        """The id that its row carries in the result frame."""
        return f"{self.study}/{analysis.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlan(StudyPlan, Generic[OutcomeOf, AnalysisOf]):
    """The plan of one trial: outcomes by id, and the analyses of them in the plan's order."""

    contrast: str
    seed: int
    outcomes: Mapping[str, OutcomeOf]
    analyses: tuple[AnalysisOf, ...]

    def analysis(self, key: str) -> AnalysisOf:
        """The planned analysis with this id."""
        for analysis in self.analyses:
            if analysis.id == key:
                return analysis
        raise UnknownName(f"the plan of {self.study} has no analysis {key!r}")


def check_complete(
    file: str, raw: Mapping[str, Any], kinds: Mapping[str, Any], needed: Mapping[str, tuple[str, ...]]
) -> None:
    """Refuses (PlanError) an entry without what a plan of its kind has to say itself: keys `needed` by section, whose
    records are of `kinds`.
    """
    for section, names in needed.items():
        for place, entry in _entries(section, raw.get(section, [])):
            for name in names:
                if isinstance(entry, Mapping) and name not in entry:
                    raise PlanError(file, place, f"lacks {name!r}.", f"Add it: {allowed_in(kinds[section], name)}.")


def _entries(section: str, part: Any) -> list[tuple[str, Any]]:
    """The entries of a list, of a table of tables, or the one table, with their places."""
    if isinstance(part, Mapping) and part and all(isinstance(entry, Mapping) for entry in part.values()):
        return [(f"{section}.{name}", entry) for name, entry in part.items()]
    if isinstance(part, Mapping):
        return [(section, part)]
    return [
        (f"{section} {entry.get('id', '')}".strip() if isinstance(entry, Mapping) else section, entry) for entry in part
    ]


class _Labelled(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...


def check_labels(file: str, **lists: Iterable[_Labelled]) -> None:
    """Refuses (PlanError) two entries of one list with one label: no reader could tell them apart."""
    for name, entries in lists.items():
        taken: dict[str, str] = {}
        for entry in entries:
            if entry.label in taken:
                raise PlanError(
                    file,
                    f"{name} {entry.id}",
                    f"has the label {entry.label!r}, as {taken[entry.label]} has.",
                    "Give each a label of its own: it is printed.",
                )
            taken[entry.label] = entry.id


def check_names(file: str, plan: TrialPlan[Any, Any]) -> None:
    """Refuses (PlanError) an analysis whose id is not outcome/estimand/method, or whose outcome or population the plan
    does not have.
    """
    for analysis in plan.analyses:
        place = f"analyses {analysis.id}"
        if analysis.id.count("/") != 2:
            raise PlanError(file, place, "must have the form outcome/estimand/method.", "Rename it.")
        refuse_unknown(file, place, "outcome", [analysis.outcome], plan.outcomes, "the plan's outcomes")
        refuse_unknown(file, place, "population", [analysis.population], plan.populations, "the plan's populations")
