"""Rows of a pilot: counts, and shares with exact intervals. Nothing here tests an effect."""

from __future__ import annotations

from scipy import stats

from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.results.frame import ResultRow, not_estimated
from hhp_stats.studies.sources import states_source


@states_source
def count_row(
    plan: IndividualPlan, key: str, value: float, *, of: int, population: str, method: str = "count"
) -> ResultRow:
    """How many? `key` is outcome/estimand; `of` the number of people looked at."""
    outcome, estimand = key.split("/")
    return ResultRow(
        result_id=f"{plan.study}/{key}/count",
        study=plan.study,
        outcome=outcome,
        estimand=estimand,
        population=population,
        contrast="none",
        method=method,
        analysis="exploratory",
        estimate=float(value),
        n=of,
        clause=" ".join(plan.design.clauses),
        status="descriptive",
    )


@states_source
def share_row(plan: IndividualPlan, key: str, count: int, *, of: int, population: str) -> ResultRow:
    """What share, and what shares are compatible with it?

    Estimator: count / of, with the exact binomial interval, as if the people were a random sample of many like
    them. They were not drawn at random; the interval shows how little so small a number pins down. Of nobody there is
    no share: the row has the reason.
    Source: Clopper and Pearson (1934), Biometrika 26, 404-413.
    """
    outcome, estimand = key.split("/")
    if not of:
        return not_estimated(
            result_id=f"{plan.study}/{key}/exact",
            reason=f"NoObservations: there is nobody among whom to take a share ({population})",
            population=population,
            contrast="none",
            method="share, exact binomial interval",
            analysis="exploratory",
            clause=" ".join(plan.design.clauses),
        )
    reach = stats.binomtest(count, of).proportion_ci(confidence_level=plan.conf_level, method="exact")
    return ResultRow(
        result_id=f"{plan.study}/{key}/exact",
        study=plan.study,
        outcome=outcome,
        estimand=estimand,
        population=population,
        contrast="none",
        method="share, exact binomial interval",
        analysis="exploratory",
        estimate=count / of,
        conf_low=float(reach.low),
        conf_high=float(reach.high),
        conf_level=plan.conf_level,
        n=of,
        clause=" ".join(plan.design.clauses),
        status="descriptive",
    )
