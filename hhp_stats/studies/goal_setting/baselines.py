"""Missing baseline absence: are the recorded and the imputed baselines of both arms alike? (The checks of clause
P48.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.calls.ran import name_of, ran_before, recorded
from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.estimate.imputation import Imputations
from hhp_stats.infer.pooling import pool, pool_joint
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.regression.cluster_robust import RobustCovariance, cluster_covariance, linear_contrast
from hhp_stats.regression.linear import LinearFit, ols
from hhp_stats.regression.model_matrix import Array, ModelMatrix
from hhp_stats.results.frame import Estimate, ResultRow, not_estimated
from hhp_stats.studies.sources import states_source

BASELINE = "baseline_absence"
RECORDED, FILLED, ALL = "recorded", "imputed", "all"
GROUPS = {
    RECORDED: "those with a recorded baseline",
    FILLED: "those whose baseline is imputed",
    ALL: "all randomised staff",
}


def balance_table(imputations: Imputations, plan: ReturnsPlan) -> pd.DataFrame:
    """Recorded and imputed baselines of both arms side by side. One row an arm and group of people.

    Columns group (recorded, imputed, all), arm, people, mean and sd; figures of imputed values are means over the
    completed data sets, the standard deviation the root of the mean variance.
    """
    values, missing, arm = _values(imputations)
    rows = []
    for group, inside in _groups(missing).items():
        for name, code in plan.design.arms.items():
            chosen = values[:, inside & (arm == code)]
            known = chosen.shape[1]
            rows.append(
                {
                    "group": group,
                    "arm": name,
                    "people": known,
                    "mean": float(chosen.mean()) if known else math.nan,
                    "sd": math.sqrt(float(chosen.var(axis=1, ddof=1).mean())) if known > 1 else math.nan,
                }
            )
    return pd.DataFrame(rows)


@states_source
def balance_rows(imputations: Imputations, plan: ReturnsPlan) -> list[ResultRow]:
    """Do the arms differ in recorded, in imputed, in all baselines? Differences with intervals, standardised, and one
    joint test.

    In each completed data set the baseline is regressed on the cells of arm by recorded or imputed; the arms'
    differences are contrasts, clustered by team (CR1, t with G - 1), pooled by Rubin's rules. Standardised: over the
    root of the mean of both arms' variances. The joint test is D1 that both differences are zero, with Reiter's
    degrees of freedom: it asks of the randomisation and of the imputation at once. Every row is there: where an arm has
    nobody of a group, or everybody's baseline is the same, with the reason.
    """
    with recorded() as imputed:
        values = _values(imputations)[0]
    rows: list[ResultRow] = []
    for groups in ((RECORDED, FILLED), (ALL,)):
        try:
            rows += _compared(groups, imputations, values, plan, before=imputed.names)
        except EstimationError as error:  # too few teams: a table without a test is still a check
            rows += [row for group in groups for row in _no_group(group, error, plan)]
            rows += [_none("joint", error, plan)] if len(groups) > 1 else []
    return rows


def _compared(
    groups: Sequence[str], imputations: Imputations, values: Array, plan: ReturnsPlan, *, before: Sequence[str]
) -> list[ResultRow]:
    """The arms' differences in each of the groups that together are everybody, and the joint test of several."""
    _, missing, arm = _values(imputations)
    teams, masks = imputations.frame[plan.design.cluster], _groups(missing)
    lines = {
        (str(line["group"]), str(line["arm"])): line for line in balance_table(imputations, plan).to_dict("records")
    }
    control, treated = plan.design.arms
    cells = [(group, name) for group in groups for name in plan.design.arms if lines[group, name]["people"]]
    inside = [masks[group] & (arm == plan.design.arms[name]) for group, name in cells]
    matrix = ModelMatrix(
        values=np.column_stack(inside).astype(float), names=tuple(f"{group} {name}" for group, name in cells)
    )
    with recorded() as fitted:
        ran_before(before)
        fits = [ols(outcome=one, matrix=matrix) for one in values]
        spread = [cluster_covariance(fit, clusters=teams, kind="CR1") for fit in fits]
    rows: list[ResultRow] = []
    lacking: NoObservations | None = None
    for group in groups:
        nobody = [name for name in plan.design.arms if (group, name) not in cells]
        if nobody:
            lacking = _none_there(group, nobody, plan)
            rows += _no_group(group, lacking, plan)
            continue
        weights = {f"{group} {treated}": 1.0, f"{group} {control}": -1.0}
        with recorded() as ran:
            ran_before(fitted.names)
            pooled = pool(
                [
                    linear_contrast(fit, one, weights=weights, conf_level=plan.conf_level)
                    for fit, one in zip(fits, spread, strict=True)
                ]
            )
        there = int(teams[masks[group]].nunique())
        rows += _difference(group, pooled, lines, plan, teams=there, source=ran.source)
    if len(groups) > 1:
        joint = _none("joint", lacking, plan) if lacking else _joint(fits, spread, plan, before=fitted.names)
        rows.append(joint)
    return rows


def _difference(
    group: str,
    pooled: Estimate,
    lines: Mapping[tuple[str, str], Mapping[Any, Any]],
    plan: ReturnsPlan,
    *,
    teams: int,
    source: str,
) -> list[ResultRow]:
    """The difference between the arms in one group of people of so many teams, as it is and in standard deviations."""
    control, treated = plan.design.arms
    people = sum(int(lines[group, arm]["people"]) for arm in plan.design.arms)
    row = pooled.row(
        result_id=f"{plan.study}/balance/{BASELINE}/{group}",
        population=GROUPS[group],
        contrast=plan.contrast,
        analysis="planned",
        clause="P48",
        source=source,
    )
    # The regression holds everybody, the difference the people of one group.
    row = replace(row, n=people, n_clusters=teams, status="descriptive")
    spread = math.sqrt((float(lines[group, control]["sd"]) ** 2 + float(lines[group, treated]["sd"]) ** 2) / 2)
    if not spread > 0:
        alike = NoObservations("the baselines of each arm are all the same or of one person: they have no spread")
        return [row, _standardised_lacks(group, alike, plan)]
    return [
        row,
        ResultRow(
            result_id=f"{plan.study}/balance/{BASELINE}_std/{group}",
            study=plan.study,
            outcome="balance",
            estimand=f"{BASELINE}_std",
            population=GROUPS[group],
            contrast=plan.contrast,
            method="difference of means in standard deviations",
            analysis="planned",
            estimate=pooled.estimate / spread,
            n=people,
            clause="P48",
            status="descriptive",
            source=source,
        ),
    ]


@states_source
def _joint(
    fits: Sequence[LinearFit], spread: Sequence[RobustCovariance], plan: ReturnsPlan, *, before: Sequence[str]
) -> ResultRow:
    ran_before(before)
    differences = np.array([[-1.0, 1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 1.0]])
    teams = int(spread[0].n_clusters or 0)
    try:
        found = pool_joint(
            estimates=np.array([differences @ fit.coefficients for fit in fits]),
            covariances=np.array([differences @ one.matrix @ differences.T for one in spread]),
            complete_df=teams - 1.0,
        )
    except EstimationError as error:
        return _none("joint", error, plan)
    return ResultRow(
        result_id=f"{plan.study}/balance/{BASELINE}/joint",
        study=plan.study,
        outcome="balance",
        estimand=BASELINE,
        population=GROUPS[ALL],
        contrast=plan.contrast,
        method=f"joint test, {found.method}",
        analysis="planned",
        estimate=found.statistic,
        statistic=found.statistic,
        df=found.df_denominator,
        p_value=found.p_value,
        n=len(fits[0].outcome),
        n_clusters=teams,
        clause="P48",
        status="descriptive",
        note=f"F with {found.df} and {found.df_denominator:.1f} degrees of freedom",
    )


def _none(tail: str, error: EstimationError, plan: ReturnsPlan) -> ResultRow:
    return not_estimated(
        result_id=f"{plan.study}/balance/{BASELINE}/{tail}",
        reason=f"{type(error).__name__}: {error}",
        population=GROUPS.get(tail, GROUPS[ALL]),
        contrast=plan.contrast,
        method="comparison of the arms' baselines",
        analysis="planned",
        clause="P48",
        source=name_of(balance_rows),
    )


def _values(imputations: Imputations) -> tuple[Array, npt.NDArray[np.bool_], Array]:
    """Baselines (m, n), who has none recorded (n,), and the arm (n,)."""
    frame = imputations.frame
    return (
        imputations.columns(BASELINE),
        frame[BASELINE].isna().to_numpy(),
        frame["treatment"].to_numpy(dtype=np.float64),
    )


def _groups(missing: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.bool_]]:
    return {RECORDED: ~missing, FILLED: missing, ALL: np.ones_like(missing)}


def no_balance(plan: ReturnsPlan, error: EstimationError) -> list[ResultRow]:
    """The rows of `balance_rows` with the reason why there are none: nothing could be imputed."""
    return [*(row for group in GROUPS for row in _no_group(group, error, plan)), _none("joint", error, plan)]


def _none_there(group: str, arms: Sequence[str], plan: ReturnsPlan) -> NoObservations:
    """Why the arms cannot be compared in one group."""
    whom = " or ".join(plan.design.arm_labels[name] for name in arms)
    kind = {RECORDED: "is recorded", FILLED: "had to be imputed", ALL: "is known"}[group]
    return NoObservations(f"nobody's baseline {kind} in the arm {whom}, so that there is nothing to compare")


def _no_group(group: str, error: EstimationError, plan: ReturnsPlan) -> list[ResultRow]:
    """The two rows of one group of people with the reason why the arms cannot be compared in it."""
    return [_none(group, error, plan), _standardised_lacks(group, error, plan)]


def _standardised_lacks(group: str, error: EstimationError, plan: ReturnsPlan) -> ResultRow:
    row = _none(group, error, plan)
    return replace(row, result_id=f"{plan.study}/balance/{BASELINE}_std/{group}", estimand=f"{BASELINE}_std")
