"""Did the effect fade? Effects by time of response, for each outcome and on average: exploratory.

All effects are in standard deviations and turned so that more is better (conflict C35). The time of response is
chosen by the respondent after treatment, so people of different periods differ for other reasons too (C36).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.calls.ran import name_of, recorded, source_of
from hhp_stats.errors import ConstantTreatment, EstimationError, InvalidInput, NoObservations
from hhp_stats.plan.individual import IndividualOutcome, IndividualPlan
from hhp_stats.regression.cluster_robust import (
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
    linear_contrast,
)
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Array, ModelMatrix, Term, model_matrix
from hhp_stats.regression.spread import spread
from hhp_stats.results.contrast import BY_WEEK
from hhp_stats.results.frame import Estimate, ResultRow, not_estimated

AVERAGE = "average"
UNIT = "standard deviations, more is better"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Weeks of response that are analysed together, numbered from 1; weeks count from 0 at the opening."""

    number: int
    weeks: tuple[int, ...]


def response_periods(weeks: pd.Series, *, minimum: int) -> tuple[Period, ...]:
    """Which weeks are analysed together? A week with fewer than `minimum` responses joins the one before.

    The first week has none before it and joins the next. Refuses weeks before the opening (EstimationError)
    and no responses (NoObservations).
    """
    known = weeks.dropna().astype("int64")
    if known.empty:
        raise NoObservations("nobody responded: there are no periods")
    if known.min() < 0:
        raise EstimationError(f"{int((known < 0).sum())} responses lie before the opening of the survey")
    counts = known.value_counts().sort_index()
    groups: list[list[int]] = []
    sizes: list[int] = []
    for week, count in counts.items():
        if groups and (count < minimum or sizes[-1] < minimum):
            groups[-1].append(int(str(week)))
            sizes[-1] += int(count)
        else:
            groups.append([int(str(week))])
            sizes.append(int(count))
    return tuple(Period(number=number, weeks=tuple(group)) for number, group in enumerate(groups, start=1))


def attenuation(people: pd.DataFrame, plan: IndividualPlan) -> tuple[list[ResultRow], pd.DataFrame]:
    """Rows of the effects by period and of the change by week, and the table of periods with their responses.

    Standard deviations are pooled within arms over all respondents, so that periods share one unit.
    """
    if plan.periods is None:
        return [], pd.DataFrame()
    outcomes = [o for o in plan.outcomes.values() if o.scales and not o.missing]
    answered = people.loc[people["responded"] == 1]
    try:
        periods = response_periods(answered["week"], minimum=plan.periods.minimum)
    except NoObservations:  # nobody answered: the rows of the first period, which is empty, say so
        periods = (Period(number=1, weeks=()),)
    aligned, refused = dict[str, pd.Series](), dict[str, EstimationError]()
    for outcome in outcomes:
        try:
            aligned[outcome.id] = _aligned(people, outcome)
        except EstimationError as error:
            aligned[outcome.id], refused[outcome.id] = people[outcome.id].astype("float64"), error
    scored = pd.DataFrame(aligned).assign(treatment=people["treatment"], week=people["week"], person=people["person"])
    rows: list[ResultRow] = []
    for period in periods:
        part = scored.loc[scored["week"].isin(period.weeks)]
        rows += _rows(
            part,
            outcomes,
            plan,
            refused,
            estimand=f"period_{period.number}",
            contrast=plan.contrast,
            population=f"Respondents of period {period.number}",
        )
    rows += _rows(
        scored.loc[people["responded"] == 1],
        outcomes,
        plan,
        refused,
        estimand="arm_by_week",
        contrast=BY_WEEK,
        population="All respondents",
        by_week=True,
    )
    return rows, _table(answered, periods, plan)


def _aligned(people: pd.DataFrame, outcome: IndividualOutcome) -> pd.Series:
    """The outcome in standard deviations, pooled within arms, with higher values better."""
    values, arm = people[outcome.id], people["treatment"]
    groups = [values[(arm == code) & values.notna()] for code in (0, 1)]
    freedom = sum(len(group) - 1 for group in groups)
    if min(map(len, groups)) < 2:
        raise NoObservations(f"fewer than two people of an arm answered about {outcome.label.lower()}")
    variance = sum(spread(group) ** 2 * (len(group) - 1) for group in groups) / freedom
    if not variance > 0:
        raise InvalidInput(f"all answers about {outcome.label.lower()} are the same within the arms: they have no unit")
    unit = float(np.sqrt(variance)) * (1.0 if outcome.better == "higher" else -1.0)
    aligned: pd.Series = values / unit
    return aligned


def _rows(
    part: pd.DataFrame,
    outcomes: Sequence[IndividualOutcome],
    plan: IndividualPlan,
    refused: Mapping[str, EstimationError],
    *,
    estimand: str,
    contrast: str,
    population: str,
    by_week: bool = False,
) -> list[ResultRow]:
    assert plan.periods is not None
    about: dict[str, Any] = {
        "population": population,
        "contrast": contrast,
        "analysis": "exploratory",
        "clause": " ".join(plan.periods.clauses),
    }
    rows = []
    for outcome in outcomes:
        key = f"{plan.study}/{outcome.id}/{estimand}/hc2-sd"
        known = part.loc[part[outcome.id].notna()]
        single = partial(_single, known, outcome.id, plan.conf_level, refused, by_week=by_week)
        rows.append(_row(key, single, "", about))
    key = f"{plan.study}/{AVERAGE}/{estimand}/cr1-sd"
    average = partial(_average, part, [o.id for o in outcomes], plan.conf_level, refused, by_week=by_week)
    rows.append(_row(key, average, " Outcomes stacked, clustered by person.", about))
    return rows


def _row(key: str, estimate: partial[Estimate], note: str, about: Mapping[str, Any]) -> ResultRow:
    with recorded() as ran:
        try:
            found = estimate()
            row = found.row(result_id=key, note=f"Unit: {UNIT}.{note}", **about)
        except EstimationError as error:
            row = not_estimated(result_id=key, reason=f"{type(error).__name__}: {error}", method="ols", **about)
    return replace(row, source=source_of([name_of(estimate.func), *ran.names]))


def _single(
    known: pd.DataFrame, outcome: str, conf_level: float, refused: Mapping[str, EstimationError], *, by_week: bool
) -> Estimate:
    if outcome in refused:
        raise refused[outcome]
    if known.empty:
        raise NoObservations("nobody responded in this period")
    y = known[outcome].to_numpy(dtype=np.float64)
    matrix, wanted = model_matrix(known, ()), "treatment"
    if by_week:
        plain = model_matrix(known, (Term(column="week", kind="continuous"),))
        matrix, wanted = _times_week(plain), "treatment:week"
    fit = ols(outcome=y, matrix=matrix)
    return coefficient(
        fit, heteroskedastic_covariance(fit, kind="HC2"), term=wanted, df="residual", conf_level=conf_level
    )


def _times_week(matrix: ModelMatrix) -> ModelMatrix:
    product = matrix.values[:, matrix.position("treatment")] * matrix.values[:, matrix.position("week")]
    return ModelMatrix(values=np.column_stack([matrix.values, product]), names=(*matrix.names, "treatment:week"))


def _average(
    part: pd.DataFrame,
    outcomes: Sequence[str],
    conf_level: float,
    refused: Mapping[str, EstimationError],
    *,
    by_week: bool,
) -> Estimate:
    """The plain mean of the outcomes' effects, its variance from the outcomes of one person together.

    Outcomes are stacked, each with its own intercept and effect (and both times week); the estimate is the mean
    of the effects, the covariance CR1 by person with G-1 degrees of freedom.
    """
    for error in refused.values():
        raise error
    values, codes, people = [], [], []
    for place, outcome in enumerate(outcomes):
        known = part.loc[part[outcome].notna(), [outcome, "treatment", "week", "person"]]
        if known.empty or known["treatment"].nunique() < 2:
            raise ConstantTreatment(f"{outcome}: this period lacks an arm")
        values.append(known.rename(columns={outcome: "y"}))
        codes.append(np.full(len(known), place))
        people.append(known["person"])
    stacked, code = pd.concat(values, ignore_index=True), np.concatenate(codes)
    arm, week = (stacked[name].to_numpy(dtype=np.float64) for name in ("treatment", "week"))
    columns: list[Array] = []
    names: list[str] = []
    for place, outcome in enumerate(outcomes):
        here = (code == place).astype(np.float64)
        blocks = {"intercept": here, "treatment": here * arm}
        if by_week:
            blocks |= {"week": here * week, "treatment:week": here * arm * week}
        columns += list(blocks.values())
        names += [f"{name}[{outcome}]" for name in blocks]
    fit = ols(
        outcome=stacked["y"].to_numpy(dtype=np.float64),
        matrix=ModelMatrix(values=np.column_stack(columns), names=tuple(names)),
    )
    covariance = cluster_covariance(fit, clusters=pd.concat(people, ignore_index=True).to_numpy(), kind="CR1")
    wanted = "treatment:week" if by_week else "treatment"
    weights = {f"{wanted}[{outcome}]": 1 / len(outcomes) for outcome in outcomes}
    found = linear_contrast(fit, covariance, weights=weights, df="clusters", conf_level=conf_level)
    return replace(found, n=int(pd.concat(people).nunique()))  # people, not the stacked answers


def _table(answered: pd.DataFrame, periods: Sequence[Period], plan: IndividualPlan) -> pd.DataFrame:
    rows = []
    for period in (each for each in periods if each.weeks):
        part = answered.loc[answered["week"].isin(period.weeks)]
        by_arm = part["arm"].value_counts()
        rows.append(
            {
                "period": period.number,
                "first_week": min(period.weeks) + 1,
                "last_week": max(period.weeks) + 1,
                "responses": len(part),
                **{arm.id: int(by_arm.get(arm.id, 0)) for arm in plan.arms},
            }
        )
    columns = ["period", "first_week", "last_week", "responses", *(arm.id for arm in plan.arms)]
    return pd.DataFrame(rows, columns=columns)
