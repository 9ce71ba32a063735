"""Missing outcomes: selection model, pooling, weights, tipping points and bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pandas as pd

from hhp_stats.consistency.validation import data
from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.estimate.bounds import Bounds, imbens_manski, lee_bounds, worst_case_bounds
from hhp_stats.estimate.imputation import ImputationPlan, Imputations, ImputedVariable, impute
from hhp_stats.estimate.selection import SelectionFit, heckman_likelihood, heckman_two_step
from hhp_stats.estimate.tipping import tipping_points
from hhp_stats.estimate.weights import response_weights, weighted_effect
from hhp_stats.infer.pooling import PooledEstimate, barnard_rubin_df, pool, pool_joint
from hhp_stats.regression.cluster_robust import coefficient, heteroskedastic_covariance
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix
from hhp_stats.results.frame import Estimate

TABLE_17_1 = "Wooldridge (2002), table 17.1"
GRETL = "gretl 2022c"
MICE = "R 4.2.2, mice 3.15.0"
BY_HAND = "arithmetic"

WAGE, WORK = "educ exper expersq", "nwifeinc educ exper expersq age kidslt6 kidsge6"


def _mroz(other_income: str = "nwifeinc") -> dict[str, object]:
    frame = data.married_women()
    return {
        "outcome": frame["log_wage"].to_numpy(dtype=np.float64),
        "matrix": data.matrix_of(frame, WAGE),
        "selection_matrix": data.matrix_of(frame, WORK.replace("nwifeinc", other_income)),
    }


@cache
def _two_step(other_income: str = "nwifeinc") -> SelectionFit:
    return heckman_two_step(**_mroz(other_income))  # type: ignore[arg-type]


def _recomputed(term: str) -> Estimate:
    """A coefficient where other income is family income less own earnings, not the column that comes with the data."""
    return _two_step("family_less_own").coefficient(term=term)


@cache
def _likelihood(clustered: bool) -> SelectionFit:
    clusters = data.married_women()["team"] if clustered else None
    return heckman_likelihood(**_mroz(), clusters=clusters)  # type: ignore[arg-type]


@cache
def _wages() -> SelectionFit:
    """Wages themselves, Greene's example: the likelihood is higher at an edge, where rho is .993."""
    women = data.married_women()
    frame = women.assign(kids=(women["kidslt6"] + women["kidsge6"] > 0).astype(float), age_square=women["age"] ** 2)
    return heckman_likelihood(
        outcome=frame["wage"].to_numpy(dtype=np.float64),
        matrix=data.matrix_of(frame, "exper expersq educ city"),
        selection_matrix=data.matrix_of(frame, "age age_square faminc kids educ"),
    )


def _selection(quantity: str, printed: str, source: str, compute: Callable[[], float]) -> ValidationCase:
    return ValidationCase(method="selection", quantity=quantity, printed=printed, source=source, compute=compute)


SELECTION = (
    _selection("Mroz, two-step: intercept", "-0.578103", TABLE_17_1, lambda: _recomputed("intercept").estimate),
    _selection("Mroz, two-step: SE of intercept", "0.305006", TABLE_17_1, lambda: _recomputed("intercept").std_error),
    _selection("Mroz, two-step: educ", "0.109066", TABLE_17_1, lambda: _recomputed("educ").estimate),
    _selection("Mroz, two-step: SE of educ", "0.015523", TABLE_17_1, lambda: _recomputed("educ").std_error),
    _selection("Mroz, two-step: exper", "0.043887", TABLE_17_1, lambda: _recomputed("exper").estimate),
    _selection("Mroz, two-step: SE of exper", "0.016261", TABLE_17_1, lambda: _recomputed("exper").std_error),
    _selection("Mroz, two-step: exper squared", "-0.000859114", TABLE_17_1, lambda: _recomputed("expersq").estimate),
    _selection(
        "Mroz, two-step: SE of exper squared", "0.000438916", TABLE_17_1, lambda: _recomputed("expersq").std_error
    ),
    _selection(
        "Mroz, two-step: lambda", "0.032262", TABLE_17_1, lambda: _two_step("family_less_own").lambda_coefficient
    ),
    _selection(
        "Mroz, two-step: SE of lambda", "0.133625", TABLE_17_1, lambda: _two_step("family_less_own").lambda_std_error
    ),
    _selection("Mroz, two-step: sigma", "0.663629", TABLE_17_1, lambda: _two_step("family_less_own").sigma),
    _selection("Mroz, two-step: rho", "0.048614", TABLE_17_1, lambda: _two_step("family_less_own").rho),
    _selection(
        "Mroz, two-step, income as distributed: intercept",
        "-0.57810766",
        GRETL,
        lambda: _two_step().coefficient(term="intercept").estimate,
    ),
    _selection(
        "Mroz, two-step, income as distributed: SE of intercept",
        "0.30500652",
        GRETL,
        lambda: _two_step().coefficient(term="intercept").std_error,
    ),
    _selection(
        "Mroz, two-step, income as distributed: lambda", "0.03226445", GRETL, lambda: _two_step().lambda_coefficient
    ),
    _selection(
        "Mroz, two-step, income as distributed: SE of lambda", "0.13362496", GRETL, lambda: _two_step().lambda_std_error
    ),
    _selection("Mroz, two-step, income as distributed: sigma", "0.66362880", GRETL, lambda: _two_step().sigma),
    _selection("Mroz, two-step, income as distributed: rho", "0.04861822", GRETL, lambda: _two_step().rho),
    _selection(
        "Mroz, likelihood: coefficient of educ",
        "0.1083503",
        GRETL,
        lambda: _likelihood(False).coefficient(term="educ").estimate,
    ),
    _selection(
        "Mroz, likelihood: SE of educ",
        "0.0148607",
        GRETL,
        lambda: _likelihood(False).coefficient(term="educ").std_error,
    ),
    _selection("Mroz, likelihood: rho", "0.0266091", GRETL, lambda: _likelihood(False).rho),
    _selection("Mroz, likelihood: log likelihood", "-832.885200", GRETL, lambda: _likelihood(False).log_likelihood),
    _selection(
        "Mroz, likelihood, 40 clusters: SE of educ",
        "0.0136964",
        GRETL,
        lambda: _likelihood(True).coefficient(term="educ").std_error,
    ),
    _selection(
        "Mroz, likelihood, 40 clusters: SE of exper",
        "0.0151929",
        GRETL,
        lambda: _likelihood(True).coefficient(term="exper").std_error,
    ),
    _selection(
        "Mroz, wages, likelihood: coefficient of educ",
        "0.4570051",
        GRETL,
        lambda: _wages().coefficient(term="educ").estimate,
    ),
    _selection(
        "Mroz, wages, likelihood: SE of educ", "0.0732299", GRETL, lambda: _wages().coefficient(term="educ").std_error
    ),
    _selection("Mroz, wages, likelihood: rho", "-0.131959", GRETL, lambda: _wages().rho),
    _selection("Mroz, wages, likelihood: sigma", "3.108376", GRETL, lambda: _wages().sigma),
    _selection("Mroz, wages, likelihood: log likelihood", "-1581.257676", GRETL, lambda: _wages().log_likelihood),
)


# ------------------------------------------------------------------------------------------ pooling

FIVE = (0.30, 0.25, 0.41, 0.33, 0.28)
VARIANCES = (0.010, 0.012, 0.011, 0.0095, 0.0105)


def _pooled(complete_df: float = math.inf) -> PooledEstimate:
    estimates = [
        Estimate(estimate=q, std_error=math.sqrt(u), df=complete_df, n=50, n_clusters=None, method="arithmetic")
        for q, u in zip(FIVE, VARIANCES, strict=True)
    ]
    return pool(estimates)


def _pooling(quantity: str, printed: str, source: str, compute: Callable[[], float]) -> ValidationCase:
    return ValidationCase(method="imputation", quantity=quantity, printed=printed, source=source, compute=compute)


def _with_df(n: int, k: int) -> PooledEstimate:
    return _pooled(float(n - k))


def _joint_of_one() -> float:
    """With one parameter the joint statistic is the square of the pooled t with infinite complete-data df."""
    joint = pool_joint(estimates=np.array(FIVE)[:, None], covariances=np.array(VARIANCES)[:, None, None])
    return joint.statistic


POOLING = (
    _pooling("Five estimates: mean", "0.314", MICE, lambda: _pooled().estimate),
    _pooling("Five estimates: variance within", "0.0106", MICE, lambda: _pooled().within),
    _pooling("Five estimates: variance between", "0.00373", MICE, lambda: _pooled().between),
    _pooling("Five estimates: total variance", "0.015076", MICE, lambda: _pooled().std_error ** 2),
    _pooling(
        "Five estimates: relative increase of the variance", "0.422264", MICE, lambda: _pooled().relative_increase
    ),
    _pooling("Five estimates: df, complete-data df infinite", "45.37870", MICE, lambda: _pooled().df),
    _pooling("Five estimates: df, complete-data df 47", "18.671145", MICE, lambda: _with_df(50, 3).df),
    _pooling("Five estimates: df, complete-data df 12", "6.297509", MICE, lambda: _with_df(14, 2).df),
    _pooling(
        "Five estimates: fraction missing, complete-data df infinite",
        "0.325962",
        MICE,
        lambda: _pooled().fraction_missing_information,
    ),
    _pooling(
        "Five estimates: fraction missing, complete-data df 47",
        "0.361784",
        MICE,
        lambda: _with_df(50, 3).fraction_missing_information,
    ),
    _pooling(
        "Five estimates: fraction missing, complete-data df 12",
        "0.448141",
        MICE,
        lambda: _with_df(14, 2).fraction_missing_information,
    ),
    _pooling(
        "Five estimates: D1, equal to the square of t", "6.539931", "arithmetic: 0.314² / 0.015076", _joint_of_one
    ),
    ValidationCase(
        method="imputation",
        quantity="Nothing missing: df of 60 complete-data df",
        printed="1220/21",
        source="arithmetic: (60 + 1)/(60 + 3) × 60",
        compute=lambda: barnard_rubin_df(imputations=5, missing_share=0.0, complete_df=60.0),
    ),
)


# -------------------------------------------------------------- weights, tipping points and bounds


@cache
def _weighted() -> Estimate:
    """Two arms, each with two kinds of people who answer at different rates; one outcome value a kind and arm.

    Treated: of 20 of kind A 5 answer (mean 2), of 20 of kind B 15 (mean 4). Control: of 20 of kind A
    10 answer (mean 1), of 20 of kind B 16 (mean 3). Everybody: (2 + 4)/2 - (1 + 3)/2 = 1.
    """
    cells = [(1.0, 0.0, 20, 5, 2.0), (1.0, 1.0, 20, 15, 4.0), (0.0, 0.0, 20, 10, 1.0), (0.0, 1.0, 20, 16, 3.0)]
    rows = [
        (arm, kind, mean + i - (answers - 1) / 2 if i < answers else math.nan)
        for arm, kind, people, answers, mean in cells
        for i in range(people)
    ]
    arm, kind, outcome = (np.array(column) for column in zip(*rows, strict=True))
    names = ("intercept", "treatment", "kind")
    full = ModelMatrix(values=np.column_stack([np.ones(len(arm)), arm, kind]), names=names)
    response = response_weights(answered=~np.isnan(outcome), matrix=full, trim_above=1.0)
    plain = ModelMatrix(values=full.values[:, :2], names=names[:2])
    return weighted_effect(outcome=outcome, matrix=plain, response=response, clusters=np.arange(len(arm)))


@cache
def _half_answered() -> tuple[np.ndarray, ModelMatrix]:
    """Twenty treated of whom 15 answer 1 to 15, ten of twenty controls answer 1 to 10; a scale from 0 to 20."""
    treated = [*np.arange(1.0, 16.0), *[math.nan] * 5]
    control = [*np.arange(1.0, 11.0), *[math.nan] * 10]
    arm = np.repeat([1.0, 0.0], 20)
    matrix = ModelMatrix(values=np.column_stack([np.ones(40), arm]), names=("intercept", "treatment"))
    return np.array([*treated, *control]), matrix


@cache
def _lee() -> Bounds:
    outcome, matrix = _half_answered()
    return lee_bounds(outcome=outcome, treatment=matrix.values[:, 1], draws=100, seed=1)


@cache
def _worst() -> Bounds:
    outcome, matrix = _half_answered()
    return worst_case_bounds(outcome=outcome, matrix=matrix, lowest=0.0, highest=20.0, clusters=np.arange(40))


@cache
def _completed() -> Imputations:
    """Twenty people an arm, six treated outcomes missing and imputed."""
    rng = np.random.default_rng(11)
    frame = pd.DataFrame({"treatment": np.repeat([1.0, 0.0], 20), "y": rng.standard_normal(40)})
    frame.loc[:5, "y"] = math.nan
    plan = ImputationPlan(
        variables=(ImputedVariable(name="y", kind="continuous"),), imputations=3, iterations=1, seed=5
    )
    return impute(frame, plan, n_jobs=1)


def _difference(frame: pd.DataFrame) -> Estimate:
    matrix = data.matrix_of(frame, "treatment")
    fit = ols(outcome=frame["y"].to_numpy(dtype=np.float64), matrix=matrix)
    return coefficient(fit, heteroskedastic_covariance(fit, kind="HC2"), df="residual")


def _moved_by(delta: float) -> float:
    found = tipping_points(_completed(), outcome="y", fit=_difference, deltas=[delta], shifted=["treated"])
    grid = found.grid.set_index("delta")["estimate"]
    return float(grid[delta] - grid[0.0])


def _multiplier(width: float) -> float:
    low, _ = imbens_manski(lower=0.0, upper=width, lower_error=1.0, upper_error=1.0)
    return -low


def _nonresponse(
    quantity: str, printed: str, source: str, compute: Callable[[], float], *, exact: bool = True
) -> ValidationCase:
    return ValidationCase(
        method="nonresponse", quantity=quantity, printed=printed, source=source, compute=compute, exact=exact
    )


NONRESPONSE = (
    _nonresponse(
        "Weights: effect among everyone, two kinds of people",
        "1",
        "arithmetic: post-stratified means",
        lambda: _weighted().estimate,
    ),
    _nonresponse(
        "Tipping point: effect moves when 6 of 20 imputed outcomes rise by 2",
        "0.6",
        "arithmetic: 2 × 6/20",
        partial(_moved_by, 2.0),
    ),
    _nonresponse(
        "Lee: share trimmed, 15 of 20 against 10 of 20 answered",
        "1/3",
        "arithmetic: (0.75 − 0.5)/0.75",
        lambda: _lee().trimmed_share,
    ),
    _nonresponse("Lee: lower bound, means of 1..10 and 1..10", "0", BY_HAND, lambda: _lee().lower.estimate),
    _nonresponse("Lee: upper bound, means of 6..15 and 1..10", "5", BY_HAND, lambda: _lee().upper.estimate),
    _nonresponse(
        "Worst case: lower bound on a scale from 0 to 20",
        "-27/4",
        "arithmetic: 120/20 − 255/20",
        lambda: _worst().lower.estimate,
    ),
    _nonresponse(
        "Worst case: upper bound on a scale from 0 to 20",
        "33/4",
        "arithmetic: 220/20 − 55/20",
        lambda: _worst().upper.estimate,
    ),
    _nonresponse(
        "Imbens and Manski: multiplier, bounds far apart",
        "1.645",
        "normal quantile, one-sided",
        partial(_multiplier, 50.0),
        exact=False,
    ),
    _nonresponse(
        "Imbens and Manski: multiplier, bounds equal",
        "1.960",
        "normal quantile, two-sided",
        partial(_multiplier, 0.0),
        exact=False,
    ),
)

CASES = (*SELECTION, *POOLING, *NONRESPONSE)
