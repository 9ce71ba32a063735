"""Means and spreads of the arms, sizes of the sample, and what it can detect, as rows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from hhp_stats.calls.ran import name_of
from hhp_stats.design.detectable_effect import ErrorRates, individual_detectable_effect, people_needed
from hhp_stats.errors import EstimationError
from hhp_stats.plan.individual import Arm, IndividualOutcome, IndividualPlan, StudyPower
from hhp_stats.regression.spread import spread
from hhp_stats.results.contrast import EITHER_WAY
from hhp_stats.results.frame import ResultRow, not_estimated
from hhp_stats.studies.field_trial.analysed import outcome_column
from hhp_stats.studies.field_trial.clusters import arm_mean, as_equal_arms, by_own_arms, people_of
from hhp_stats.studies.sources import sourced, states_source

ALIKE = "All values are the same: there is no standard error and no interval."
TOO_FEW = "NoObservations: fewer than two people of the arm have the outcome"


@states_source
def arm_rows(people: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """Mean with standard error and t interval, and standard deviation, of each outcome by arm.

    An arm whose values are all the same has its mean alone.
    """
    rows = []
    for outcome in plan.outcomes.values():
        column = outcome_column(plan, outcome.id)
        if outcome.missing:
            continue
        for arm in plan.arms:
            values = people.loc[(people["treatment"] == arm.code) & people[column].notna(), column].to_numpy(
                dtype=np.float64
            )
            if len(values) < 2:
                rows += _no_mean(
                    outcome, arm, plan, "NoObservations: fewer than two people of the arm have the outcome"
                )
                continue
            sd, n = spread(values), len(values)
            error, df, source = sd / math.sqrt(n), float(n - 1), name_of(arm_rows)
            if plan.design.cluster and sd > 0:
                own = people.loc[(people["treatment"] == arm.code) & people[column].notna()]
                try:
                    clustered = sourced(
                        partial(arm_mean, own[column], own[plan.design.cluster], conf_level=plan.conf_level)
                    )
                except EstimationError as refused:
                    rows += _no_mean(outcome, arm, plan, f"{type(refused).__name__}: {refused}", ", clustered")
                    continue
                error, df, source = clustered.value.std_error, clustered.value.df, clustered.source
            alike = not error > 0
            if alike:  # all values are the same: nothing says how far the mean may be off
                error = df = math.nan
            reach = float(stats.t.ppf(0.5 + plan.conf_level / 2, df)) * error
            about: dict[str, Any] = {
                "study": plan.study,
                "outcome": outcome.id,
                "population": "those with a known outcome",
                "contrast": arm.id,
                "analysis": "exploratory",
                "n": n,
                "status": "descriptive",
                "clause": " ".join(outcome.clauses),
                "conf_level": plan.conf_level,
            }
            mean = float(values.mean())
            rows.append(
                ResultRow(
                    result_id=f"{plan.study}/{outcome.id}/mean_{arm.id}/raw",
                    estimand=f"mean_{arm.id}",
                    method="mean of the arm, standard error of the mean, t interval",
                    estimate=mean,
                    std_error=error,
                    df=df,
                    conf_low=mean - reach,
                    conf_high=mean + reach,
                    source=source,
                    note=ALIKE if alike else "",
                    **about,
                )
            )
            rows.append(
                ResultRow(
                    result_id=f"{plan.study}/{outcome.id}/sd_{arm.id}/raw",
                    estimand=f"sd_{arm.id}",
                    method="standard deviation of the arm",
                    estimate=sd,
                    source=name_of(arm_rows),
                    **about,
                )
            )
    return rows


def slug(name: str) -> str:
    """A name as part of an id: `Bracknell Forest` becomes bracknell_forest."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _no_mean(outcome: IndividualOutcome, arm: Arm, plan: IndividualPlan, reason: str, how: str = "") -> list[ResultRow]:
    """The rows of an arm whose mean has no standard error, with the reason."""
    return [
        not_estimated(
            result_id=f"{plan.study}/{outcome.id}/{estimand}_{arm.id}/raw",
            reason=reason,
            population="those with a known outcome",
            contrast=arm.id,
            method=f"{words} of the arm{how}",
            analysis="exploratory",
            clause=" ".join(outcome.clauses),
        )
        for estimand, words in (("mean", "mean"), ("sd", "standard deviation"))
    ]


def group_masks(people: pd.DataFrame, plan: IndividualPlan) -> list[tuple[str, str, pd.Series]]:
    """Arms, then blocks: ending of a result id, label, and who belongs to it."""
    groups = [(f"_{arm.id}", arm.label, people["arm"] == arm.id) for arm in plan.arms]
    if plan.design.within:
        groups += [(f"_{slug(block.id)}", block.label, people[plan.design.within] == block.id) for block in plan.blocks]
    return groups


@states_source
def sample_rows(people: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """How many were randomised and how many answered: in all, by arm and by block; and the shares."""
    groups = [("", "everyone", pd.Series(True, index=people.index)), *group_masks(people, plan)]
    rows = []
    for suffix, label, mask in groups:
        part = people.loc[mask]
        answered = int(part["responded"].sum())
        found = {
            "randomised": (float(len(part)), "people"),
            "responded": (float(answered), "people"),
            "response_rate": (answered / len(part), "share of those randomised"),
        }
        if "in_post_at_endline" in people:
            found["left"] = (float((part["in_post_at_endline"] == "no").mean()), "share of those randomised")
        for name, (value, unit) in found.items():
            rows.append(
                ResultRow(
                    result_id=f"{plan.study}/sample/{name}{suffix}/count",
                    study=plan.study,
                    outcome="sample",
                    estimand=f"{name}{suffix}",
                    population=label,
                    contrast="none",
                    method=f"count, {unit}",
                    analysis="exploratory",
                    estimate=value,
                    n=len(part),
                    clause=" ".join(plan.design.clauses),
                    status="descriptive",
                )
            )
    if "recall" in plan.questions:
        rows += _recall_rows(people, plan)
    return rows


def _recall_rows(people: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """How many treated respondents answered the recall question, and how many of them remember the messages."""
    said = people.loc[(people["treatment"] == 1) & (people["responded"] == 1), "recall_t2"].dropna()
    found = {"recall_asked": float(len(said)), "recall_yes": float((said == "yes").sum())}
    return [
        ResultRow(
            result_id=f"{plan.study}/sample/{name}/count",
            study=plan.study,
            outcome="sample",
            estimand=name,
            population="treated respondents",
            contrast="none",
            method="count, people",
            analysis="exploratory",
            estimate=value,
            n=len(said),
            clause=" ".join(plan.questions["recall"].clauses),
            status="descriptive",
        )
        for name, value in found.items()
    ]


def _detectable(share: float, *, people: float, rates: ErrorRates) -> float:
    return individual_detectable_effect(people=people * share, rates=rates)


def _needed(share: float, *, effect: float, rates: ErrorRates) -> float:
    return people_needed(effect=effect, rates=rates) / share


def _of_arms(
    computed: Callable[[float], float], people: pd.DataFrame, entry: StudyPower, plan: IndividualPlan
) -> float:
    """A formula of people in two equal arms, for the share of all people who in equal arms would tell as much."""
    if not by_own_arms(plan):
        return computed(1.0)
    assumed = entry.analysed is not None or entry.response is not None  # else it is about those who answered
    arms = people["arm"] if assumed else people.loc[people["responded"] == 1, "arm"]
    return computed(2 * as_equal_arms(arms, plan) / len(arms))


@states_source
def power_rows(people: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """Detectable effects as planned and as achieved, and how many people the printed effect would have needed.

    Those of a plain table are by the arms as large as they are, and of several arms about the smallest that is compared
    with the control: of the same total, unequal arms find less.
    """
    rows = []
    analysed = int(people["responded"].sum())
    for entry in plan.power.values():
        n = people_of(entry, plan, answered=analysed)
        rates = ErrorRates(alpha=entry.alpha, power=entry.power)
        shape = "arms as large as here" if by_own_arms(plan) else "equal arms"
        asked: dict[str, Callable[[float], float]] = {"mde": partial(_detectable, people=n, rates=rates)}
        if entry.printed is not None:
            asked["people_needed"] = partial(_needed, effect=entry.printed, rates=rates)
        for name, computed in asked.items():
            try:
                made = sourced(partial(_of_arms, computed, people, entry, plan))
            except EstimationError as error:  # nobody, or one person, answered
                rows.append(
                    not_estimated(
                        result_id=f"{plan.study}/power/{name}_{entry.id}/formula",
                        reason=f"{type(error).__name__}: {error}",
                        population=entry.label,
                        contrast=EITHER_WAY,
                        method=f"normal quantiles, {shape}",
                        analysis="exploratory",
                        clause=" ".join(entry.clauses),
                        source=name_of(power_rows),
                    )
                )
                continue
            rows.append(
                ResultRow(
                    result_id=f"{plan.study}/power/{name}_{entry.id}/formula",
                    study=plan.study,
                    outcome="power",
                    estimand=f"{name}_{entry.id}",
                    population=entry.label,
                    contrast=EITHER_WAY,
                    method=f"normal quantiles, {shape}, alpha {entry.alpha:g}, power {entry.power:g}",
                    analysis="exploratory",
                    estimate=made.value,
                    n=n,
                    clause=" ".join(entry.clauses),
                    status="descriptive",
                    note=entry.note,
                    source=made.source,
                )
            )
    return rows
