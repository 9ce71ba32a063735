"""The records of the plan of a trial on returns. `load` fills them from `data/plan/<study>.toml`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hhp_stats.plan.records import Amount, Count, Natural, Portion, Positive, Several, Share
from hhp_stats.plan.schema import Outcome, PlannedAnalysis, TrialPlan
from hhp_stats.regression.model_matrix import Term
from hhp_stats.results.frame import Analysis

Average = Literal["people", "teams"]
Leavers = Literal["pro_rata", "absent_after_leaving", "left_out"]
MissingOutcome = Literal["complete_cases", "multiple_imputation", "selection", "weights", "bounds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An authority taking part. `launch_printed` says whether the date stands in the documents."""

    local_authority: str
    slug: str
    launch: dt.date
    launch_printed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What was randomised, to which arms, by which rule, and when it was measured."""

    kind: str
    cluster: str
    arms: Mapping[str, int]
    arm_labels: Mapping[str, str]
    recruited: Count
    within: str
    absence_groups: Count
    agency_groups: Count
    balance_alpha: Share
    max_redraws: Count
    baseline_months: Count
    interim_weeks: Count
    endline_weeks: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnsOutcome(Outcome):
    """An outcome in a column that is made of returns and surveys."""

    baseline_unit: str = ""  # of the baseline value, where it differs from that of the outcome
    question: str = ""  # of the survey, with answers in words, of which `answers` make the outcome a one
    answers: tuple[str, ...] = ()
    weight: str = ""  # column by which people count, "" where all count alike: a rate weighs by its denominator


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnsAnalysis(PlannedAnalysis):
    """A planned analysis with its rules for leavers, for missing baselines and for outcomes that are not known."""

    leavers: Leavers  # rule for the outcome of leavers; the plan's measures give the default
    leaver_floor: Amount  # working days in post below which a leaver has no rate; the plan's measures give the default
    missing_outcome: MissingOutcome = "complete_cases"  # what is done about outcomes that are not known
    baseline: str = ""  # column of the outcome's baseline value in place of that of the outcome
    baseline_absence: str = ""  # rule for missing baseline absence, "" where it does not enter
    strata: bool = False  # stratum dummies in the model
    adjusted: bool = True  # False: the arm alone, no covariate
    average: Average = "people"  # over whom the effect is averaged: people alike, or teams alike whatever their size
    imputations: Natural = 0  # how many of the completed data sets are used, 0: all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Rules that turn raw fields into outcomes and covariates."""

    working_days_per_week: Count
    baseline_prorata_over_months: Amount
    leaver_floor_days: Amount
    leaver_rule: Leavers
    wellbeing_rule: Literal["r_squared", "correlation"]
    wellbeing_threshold: Share
    time_pressure_alpha: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationModel:
    """One way of imputing; analyses name it by its key as their rule for missing baselines.

    baselines: `together` both arms in one model, arm and outcomes among the predictors; `apart` a model for each arm;
    `from_baselines` both arms in one model that knows neither arm nor outcome. outcomes: `apart` a model for each arm,
    `together` one for both, `none` where the model imputes no outcome.
    """

    key: str
    label: str
    baselines: Literal["together", "apart", "from_baselines"]
    outcomes: Literal["together", "apart", "none"]
    team_effect: bool
    m: Several  # completed data sets


@dataclass(frozen=True, slots=True, kw_only=True)
class MonteCarloLimits:
    """How far the draws of the imputation may move a planned result (White, Royston and Wood 2011, section 7).

    The estimate by `estimate` of its standard error; the p value by `p_value`, or by `share` of itself where that is
    more.
    """

    estimate: Positive
    p_value: Positive
    share: Amount

    def of_p(self, p_value: float) -> float:
        """The limit for one p value."""
        return max(self.p_value, self.share * p_value)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineCriterion:
    """When are imputed baselines too far apart between the arms? Beyond `std_difference`, or where p is below
    `alpha`.
    """

    std_difference: Positive
    alpha: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationSettings:
    """How missing values are imputed, how long the chains run, and how their results are judged."""

    iterations: Count
    donors: Count
    models: Mapping[str, ImputationModel]
    monte_carlo: MonteCarloLimits
    balance: BaselineCriterion


@dataclass(frozen=True, slots=True, kw_only=True)
class TippingSettings:
    """How far answers that were not given are shifted, in standard deviations of the outcome."""

    outcomes: tuple[str, ...]
    deltas: tuple[float, ...]
    imputations: Count  # of those made, for speed


@dataclass(frozen=True, slots=True, kw_only=True)
class CostScenario:
    """How much staff time the programme is costed at."""

    key: str
    label: str
    days: Positive  # working days a member of staff
    kind: Analysis
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparator:
    """Another intervention that the protocol wants the ratio compared with, and why its trial gives none."""

    key: str
    label: str
    absence: str  # what its trial says about absence, in words
    turnover: str
    cost: str  # what is known about its cost, in words
    reason: str  # why there is no ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBenefit:
    """What the benefit-cost ratio is made of beside the two effects."""

    salary: Positive  # pounds a year
    working_days: Positive  # a year
    draws: Count  # of the joint bootstrap of teams
    thresholds: tuple[float, ...]
    scenarios: tuple[CostScenario, ...]
    clauses: tuple[str, ...]
    comparators: tuple[Comparator, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerAssumption:
    """What the protocol assumed for one outcome's minimum detectable effect."""

    alpha: Share
    power: Share
    icc: Portion
    cluster_size: Positive
    cv: Amount
    correlation: Portion
    n_before_attrition: Count
    attrition: Portion
    printed: Positive
    baseline: Positive | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnsPlan(TrialPlan[ReturnsOutcome, ReturnsAnalysis]):
    """The plan of a trial on the returns of authorities."""

    design: Design
    sites: tuple[Site, ...]
    terms: tuple[Term, ...]
    measures: Measures
    imputation: ImputationSettings
    tipping: TippingSettings
    cost_benefit: CostBenefit
    power: Mapping[str, PowerAssumption]
