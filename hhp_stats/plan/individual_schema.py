"""The records that the plan of a study without teams consists of; `plan.individual` fills them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.plan.records import Count, Fraction, Natural, Positive, Share
from hhp_stats.plan.schema import Outcome, PlannedAnalysis, TrialPlan
from hhp_stats.plan.table_schema import DataTable, ModelDefaults, TableColumn, Words
from hhp_stats.regression.model_matrix import Term, TermKind

Combination = Literal["scale", "sum", "standardised_sum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndividualDesign:
    """What was randomised and how; `randomised` people."""

    randomised: Natural
    kind: str = ""  # in words; "" stands for what the other keys say
    unit: str = ""  # in words; "" for the plan's word for a cluster or a person
    clauses: tuple[str, ...] = ()
    within: str = ""  # column of the blocks in which the arms were drawn, "" for one draw of all
    strata: tuple[str, ...] = ()  # the same where the blocks are not listed: columns of the table, all combinations
    cluster: str = ""  # column of the groups that were drawn whole, "" where people were drawn one by one
    clusters: Count | None = None  # how many were drawn
    takeup: str = ""  # of a plain table: column of zeros and ones, who took up the offer; "" where nobody noted it
    decision: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # places in the documents, for a study without clauses of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm: how the allocation list writes it, its number in the model (0 is the control) and its name.

    In results the control arm of a plain table is `control`, of two arms the other `treatment`, of more each its own
    id.
    """

    id: str
    label: str
    code: int = -1  # in a plan of a plain table the place in the list
    value: str | int | float = ""  # as the table writes it, "" for the id
    randomised: Natural | None = None  # people, where the documents or the list give it
    printed: bool = False  # whether `randomised` stands in the documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An authority, cohort or site within which people were randomised."""

    id: str  # as the allocation list writes it
    label: str
    randomised: Natural | None = None
    survey_opened: dt.date | None = None  # first day of the endline survey
    printed: bool = False  # whether the date stands in the documents; otherwise it is assumed
    note: str = ""


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
    step: Positive = 1.0  # distance of neighbouring answers
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
class IndividualOutcome(Outcome):
    """An outcome scored from a survey, or in the columns of a plain table.

    `combine`: the score of one scale, the sum of several, or the sum of several after each was divided by
    its standard deviation in the sample `reference`.
    """

    scales: tuple[str, ...] = ()
    combine: Combination = "scale"
    reference: Literal["", "baseline"] = ""
    waves: Mapping[str, str] = field(default_factory=dict)  # of a plain table: the column of each wave, by its name
    primary_wave: str = ""  # the wave that the outcome is about, "" for the last; the others are outcomes of their own
    missing: str = ""  # why there are no data at all, "" where there are
    margin: Positive | None = None  # of a plain table: the loss from which on an arm counts as worse, in its own unit


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
class IndividualAnalysis(PlannedAnalysis):
    """A planned analysis with the terms of its model."""

    df: Literal["residual", "satterthwaite", "clusters", "normal", ""] = ""
    terms: tuple[str, ...] = ()  # columns of the planned terms in the model beside the arm
    moderator: str = ""  # one of the terms, of two levels: the estimate is then its interaction with the arm
    contrast: str = ""  # where it is not the plan's: "a minus b" by arms, or words for a moderator's difference


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPower:
    """What was assumed for a minimum detectable effect, and the number printed for it."""

    id: str
    label: str
    alpha: Share
    power: Share
    clauses: tuple[str, ...] = ()
    analysed: Count | None = None  # planned number analysed
    response: Fraction | None = None  # planned share that answers
    printed: Positive | None = None  # standard deviations
    note: str = ""
    sources: tuple[str, ...] = ()  # places in the documents, where no clause commits to it


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsePeriods:
    """How responses are split by time for an exploratory analysis of fading effects."""

    days: Count  # length of one period
    minimum: Natural  # a period with fewer responses is merged into the one before
    expected: Count  # number of periods the documents speak of
    clauses: tuple[str, ...]
    decision: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndividualPlan(TrialPlan[IndividualOutcome, IndividualAnalysis]):
    """The plan of one trial of arms."""

    design: IndividualDesign
    arms: tuple[Arm, ...]
    blocks: tuple[Block, ...]
    scales: Mapping[str, Scale]
    questions: Mapping[str, Question]
    terms: Mapping[str, PlannedTerm]
    power: Mapping[str, StudyPower]
    periods: ResponsePeriods | None
    words: Words = field(default_factory=Words)
    data: DataTable | None = None  # a plain table; None where lists and surveys are read
    columns: Mapping[str, TableColumn] = field(default_factory=dict)  # the dictionary of the table
    model: ModelDefaults = field(default_factory=ModelDefaults)
    balance: tuple[str, ...] = ()  # columns of the table that show balance
    waves: Mapping[str, str] = field(default_factory=dict)  # what the waves of a plain table are called in print

    @property
    def control(self) -> Arm:
        """The arm without the offer."""
        return self.arms[[arm.code for arm in self.arms].index(0)]

    @property
    def offered(self) -> tuple[Arm, ...]:
        """The other arms, by their codes."""
        return tuple(sorted((arm for arm in self.arms if arm.code > 0), key=lambda arm: arm.code))

    @property
    def measured(self) -> tuple[IndividualOutcome, ...]:
        """The outcomes that somebody measured on people: scored from a survey, or a column of the table."""
        return tuple(
            outcome
            for outcome in self.outcomes.values()
            if outcome.scales or (self.data is not None and outcome.column in self.columns)
        )

    @property
    def primary(self) -> IndividualOutcome:
        """The primary outcome, by which response is measured."""
        return next(outcome for outcome in self.outcomes.values() if outcome.role == "primary")

    @property
    def strata(self) -> tuple[str, ...]:
        """The columns within whose values the arms were drawn."""
        return (self.design.within,) if self.design.within else self.design.strata

    def compared(self, analysis: IndividualAnalysis) -> tuple[Arm, Arm]:
        """The two arms that an analysis compares: whose estimate above zero means more, and with which."""
        named = (analysis.contrast or self.contrast).split(" minus ")
        known = {arm.id: arm for arm in self.arms}
        if len(named) == 2 and all(name in known for name in named):
            return known[named[0]], known[named[1]]
        return self.offered[0], self.control

    def planned(self, outcome: str, arms: tuple[Arm, Arm] | None = None) -> IndividualAnalysis | None:
        """The planned analysis of an outcome's effect, none where the outcome has none; `arms` says which two of
        several.
        """
        found = (a for a in self.analyses if a.outcome == outcome and a.kind == "planned" and not a.moderator)
        return next((a for a in found if arms is None or self.compared(a) == arms), None)

    def model_of(self, analysis: IndividualAnalysis) -> IndividualAnalysis:
        """The analysis whose model an analysis rests on: an effect size on the planned one of its outcome."""
        planned = self.planned(analysis.outcome, self.compared(analysis))
        return planned if ESTIMATORS[analysis.estimator].effect_size and planned is not None else analysis
