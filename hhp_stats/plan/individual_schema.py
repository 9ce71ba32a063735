"""The records that the plan of a study without teams consists of; `plan.individual` fills them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hhp_stats.errors import UnknownName
from hhp_stats.estimate.model_matrix import Term, TermKind
from hhp_stats.plan.disclosure import DisclosureSettings
from hhp_stats.plan.schema import Better, Role
from hhp_stats.results import Analysis

EFFECT_SIZES = frozenset({"hedges-g", "hedges-g-clustered"})  # estimators that put an effect in standard deviations
Combination = Literal["scale", "sum", "standardised_sum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndividualDesign:
    """What was randomised and how; `randomised` people, or 0 where nobody was (a pilot)."""

    kind: str
    unit: str
    randomised: int
    clauses: tuple[str, ...] = ()
    within: str = ""  # column of the blocks in which the arms were drawn, "" for one draw of all
    cluster: str = ""  # column of the groups that were drawn whole, "" where people were drawn one by one
    decision: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # places in the documents, for a study without clauses of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm: how the allocation list writes it, its number in the model (0 is the control) and its name."""

    id: str
    code: int
    label: str
    randomised: int | None = None  # people, where the documents or the list give it
    printed: bool = False  # whether `randomised` stands in the documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An authority, cohort or site within which people were randomised."""

    id: str  # as the allocation list writes it
    label: str
    randomised: int | None = None
    survey_opened: dt.date | None = None  # first day of the endline survey
    printed: bool = False  # whether the date stands in the documents; otherwise it is assumed
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPopulation:
    """Whom an analysis is about."""

    id: str
    label: str
    rule: str
    clauses: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # places in the documents, where no clause commits to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Survey items that make one score. `printed` says whether the documents name the instrument and its items."""

    id: str
    label: str
    items: tuple[str, ...]  # columns of the survey export
    low: float
    high: float
    rule: Literal["mean", "sum"]
    printed: bool
    basis: str  # where the instrument comes from, or why it is assumed
    reverse: tuple[str, ...] = ()  # items counted from the other end
    step: float = 1.0  # distance of neighbouring answers
    waves: tuple[str, ...] = ("baseline", "endline")
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A survey question with options that no scale scores; `id` is its column in the export."""

    id: str
    label: str
    options: tuple[str, ...]
    waves: tuple[str, ...]
    clauses: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()  # who was asked, where not everybody was


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOutcome:
    """One outcome: the score that measures it, its unit, and which direction is better.

    `combine`: the score of one scale, the sum of several, or the sum of several after each was divided by
    its standard deviation in the sample `reference`.
    """

    id: str
    label: str
    role: Role
    unit: str
    kind: Literal["continuous", "binary"]
    better: Better
    clauses: tuple[str, ...] = ()
    scales: tuple[str, ...] = ()
    combine: Combination = "scale"
    reference: str = ""
    column: str = ""  # where it is no survey score: the column that holds it
    missing: str = ""  # why there are no data at all, "" where there are
    decision: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # places in the documents, where no clause commits to it


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTerm:
    """One covariate that an analysis may name."""

    column: str
    kind: TermKind
    base: str = ""
    levels: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()

    @property
    def term(self) -> Term:
        """The same for the model matrix."""
        return Term(column=self.column, kind=self.kind, base=self.base or None, levels=self.levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAnalysis:
    """One planned cell of the report; `id` is outcome/estimand/method, the tail of the result id."""

    id: str
    kind: Analysis
    population: str
    estimator: str
    covariance: str
    df: Literal["residual", "satterthwaite", "clusters", "normal"]
    label: str  # in tables and figures
    clauses: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()  # columns of the planned terms in the model beside the arm
    moderator: str = ""  # one of the terms, of two levels: the estimate is then its interaction with the arm
    contrast: str = ""  # where it is not the plan's
    decision: tuple[str, ...] = ()
    note: str = ""
    sources: tuple[str, ...] = ()  # places in the documents, where no clause commits to it

    @property
    def outcome(self) -> str:
        """Key of the outcome."""
        return self.id.split("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPower:
    """What was assumed for a minimum detectable effect, and the number printed for it."""

    id: str
    label: str
    alpha: float
    power: float
    clauses: tuple[str, ...] = ()
    analysed: int | None = None  # planned number analysed
    response: float | None = None  # planned share that answers
    printed: float | None = None  # standard deviations
    note: str = ""
    sources: tuple[str, ...] = ()  # places in the documents, where no clause commits to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number of the design or process evaluation that the prose quotes, with its place in the documents."""

    id: str
    number: float
    about: str
    sources: tuple[str, ...]
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsePeriods:
    """How responses are split by time for an exploratory analysis of fading effects."""

    days: int  # length of one period
    minimum: int  # a period with fewer responses is merged into the one before
    expected: int  # number of periods the documents speak of
    clauses: tuple[str, ...]
    decision: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndividualPlan:
    """The plan of one study without teams."""

    study: str
    title: str
    chapter: str
    contrast: str
    conf_level: float
    seed: int
    design: IndividualDesign
    arms: tuple[Arm, ...]
    blocks: tuple[Block, ...]
    populations: Mapping[str, StudyPopulation]
    scales: Mapping[str, Scale]
    questions: Mapping[str, Question]
    outcomes: Mapping[str, StudyOutcome]
    terms: Mapping[str, PlannedTerm]
    analyses: tuple[StudyAnalysis, ...]
    power: Mapping[str, StudyPower]
    facts: Mapping[str, Fact]
    periods: ResponsePeriods | None
    disclosure: DisclosureSettings
    clauses: tuple[str, ...]  # every clause that some entry cites

    def analysis(self, key: str) -> StudyAnalysis:
        """The planned analysis with this id."""
        for analysis in self.analyses:
            if analysis.id == key:
                return analysis
        raise UnknownName(f"the plan of {self.study} has no analysis {key!r}")

    def planned(self, outcome: str) -> StudyAnalysis | None:
        """The planned analysis of an outcome's effect, none where the outcome has none."""
        found = (a for a in self.analyses if a.outcome == outcome and a.kind == "planned" and not a.moderator)
        return next(found, None)

    def model_of(self, analysis: StudyAnalysis) -> StudyAnalysis:
        """The analysis whose model an analysis rests on: an effect size on the planned one of its outcome."""
        planned = self.planned(analysis.outcome)
        return planned if analysis.estimator in EFFECT_SIZES and planned is not None else analysis

    def result_id(self, analysis: StudyAnalysis) -> str:
        """The id its row carries in the result frame."""
        return f"{self.study}/{analysis.id}"

    def fact(self, key: str) -> float:
        """The number of one fact."""
        if key not in self.facts:
            raise UnknownName(f"the plan of {self.study} has no fact {key!r}; it has {', '.join(self.facts)}")
        return self.facts[key].number
