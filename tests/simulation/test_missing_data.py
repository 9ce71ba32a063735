"""Planted truth: imputation and selection models recover effects that complete cases miss, and cover them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, impute
from hhp_stats.estimate.selection import heckman_likelihood
from hhp_stats.infer.pooling import pool
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.results.frame import Estimate

EFFECT = 0.4


def trial(rng: np.random.Generator, *, n: int, teams: int, icc: float = 0.15) -> pd.DataFrame:
    """A cluster trial; answering depends on baseline, the other way round in the treated arm."""
    team = rng.permutation(np.arange(n) % teams)
    arm = (rng.permutation(teams) % 2)[team].astype(float)
    baseline = rng.normal(size=n)
    y = (
        EFFECT * arm
        + 0.7 * baseline
        + np.sqrt(icc) * rng.normal(size=teams)[team]
        + np.sqrt(1 - icc) * rng.normal(size=n)
    )
    frame = pd.DataFrame({"team_id": team, "treatment": arm, "baseline": baseline, "y": y})
    frame.loc[rng.random(n) > 1 / (1 + np.exp(-(0.4 + baseline * (1 - 2 * arm)))), "y"] = np.nan
    return frame


def plan(
    seed: int, *, imputations: int = 10, random_intercept: bool = True, kind: str = "continuous"
) -> ImputationPlan:
    return ImputationPlan(
        variables=(ImputedVariable(name="y", kind=kind),),
        terms=(Term(column="baseline", kind="continuous"),),  # type: ignore[arg-type]
        clusters="team_id" if random_intercept else None,
        imputations=imputations,
        iterations=2,
        seed=seed,
    )


def effect(frame: pd.DataFrame) -> Estimate:
    """The unadjusted difference: complete cases are biased for it, since answering depends on baseline."""
    fit = ols(outcome=frame["y"].to_numpy(), matrix=model_matrix(frame, []))
    return coefficient(fit, cluster_covariance(fit, clusters=frame["team_id"]))


def intraclass(frame: pd.DataFrame) -> float:
    residual = frame["y"] - 0.7 * frame["baseline"] - EFFECT * frame["treatment"]
    groups = residual.groupby(frame["team_id"])
    size = groups.size()
    within = float(((residual - groups.transform("mean")) ** 2).sum()) / (len(frame) - len(size))
    between = float((size * groups.mean() ** 2).sum()) / len(size)
    usual = float(size.mean())
    return (between - within) / (between + (usual - 1) * within)


@pytest.mark.parametrize("kind", ["continuous", "pmm"])
def test_imputation_recovers_the_effect_that_complete_cases_miss(kind: str) -> None:
    rng = np.random.default_rng(1)
    frame = trial(rng, n=8000, teams=400)
    pooled = pool([effect(each) for each in impute(frame, plan(2, kind=kind))])
    complete_cases = effect(frame[frame["y"].notna()])
    # Three standard errors of the pooled estimate; complete cases are off by more than six of theirs.
    assert abs(pooled.estimate - EFFECT) < 3 * pooled.std_error
    assert abs(complete_cases.estimate - EFFECT) > 6 * complete_cases.std_error


def test_team_effects_keep_the_clustering_that_other_imputations_lose() -> None:
    rng = np.random.default_rng(3)
    frame = trial(rng, n=8000, teams=400, icc=0.3)
    kept = np.mean([intraclass(f) for f in impute(frame, plan(4, imputations=5))])
    matched = np.mean([intraclass(f) for f in impute(frame, plan(4, imputations=5, kind="pmm"))])
    lost = np.mean([intraclass(f) for f in impute(frame, plan(4, imputations=5, random_intercept=False))])
    # The sample's own correlation differs from .3 by about .02 (400 teams); the model sees the truth within that.
    assert abs(kept - 0.3) < 0.05 and abs(matched - 0.3) < 0.05
    # 45% imputed as if independent: pairs with both observed are about a third.
    assert lost < 0.2


def coverage(repetitions: int, seed: int, *, teams: int) -> tuple[int, float, float]:
    """How many 95% intervals cover; mean estimate and its standard error over repetitions."""
    covered, estimates = 0, []
    for child in np.random.SeedSequence(seed).spawn(repetitions):
        rng = np.random.default_rng(child)
        frame = trial(rng, n=teams * 8, teams=teams)
        pooled = pool([effect(each) for each in impute(frame, plan(int(rng.integers(2**31))))])
        covered += pooled.conf_low < EFFECT < pooled.conf_high
        estimates.append(pooled.estimate)
    return covered, float(np.mean(estimates)), float(np.std(estimates) / np.sqrt(repetitions))


def test_pooled_intervals_cover_in_a_small_simulation() -> None:
    covered, mean, error = coverage(80, 5, teams=60)
    # Exact binomial limit at 95% coverage with probability .001; 80 repetitions cannot show too much coverage.
    assert stats.binom.ppf(0.001, 80, 0.95) <= covered
    assert abs(mean - EFFECT) < 4 * error


@pytest.mark.slow
@pytest.mark.parametrize("teams", [20, 60, 264])
def test_pooled_intervals_cover(teams: int) -> None:
    covered, mean, error = coverage(1500, 6, teams=teams)
    # With few teams CR1 with t(G-1) is itself a little liberal or conservative: one point of slack.
    assert stats.binom.ppf(0.001, 1500, 0.94) <= covered <= stats.binom.ppf(0.999, 1500, 0.97)
    assert abs(mean - EFFECT) < 4 * error


def answers(
    rng: np.random.Generator, n: int, teams: int, rho: float
) -> tuple[np.ndarray, ModelMatrix, ModelMatrix, np.ndarray]:
    team = rng.integers(0, teams, n)
    arm = (team % 2).astype(float)
    x, z = rng.normal(size=(2, n))
    u = rng.normal(size=n)
    y = EFFECT * arm + 0.5 * x + rho * u + np.sqrt(1 - rho**2) * rng.normal(size=n)
    y[0.3 + 0.6 * arm + 0.5 * x + z + u < 0] = np.nan
    matrix = ModelMatrix(values=np.column_stack([np.ones(n), arm, x]), names=("intercept", "treatment", "x"))
    return y, matrix, ModelMatrix(values=np.column_stack([matrix.values, z]), names=(*matrix.names, "z")), team


def heckman_coverage(repetitions: int, seed: int) -> tuple[int, int, float, float]:
    covered, rho_covered, estimates = 0, 0, []
    for child in np.random.SeedSequence(seed).spawn(repetitions):
        y, matrix, response, team = answers(np.random.default_rng(child), 1200, 120, 0.5)
        fit = heckman_likelihood(outcome=y, matrix=matrix, selection_matrix=response, clusters=team)
        found = fit.coefficient(df="clusters")
        covered += found.conf_low < EFFECT < found.conf_high
        rho_covered += fit.rho_conf_low < 0.5 < fit.rho_conf_high
        estimates.append(found.estimate)
    return covered, rho_covered, float(np.mean(estimates)), float(np.std(estimates) / np.sqrt(repetitions))


def test_selection_model_covers_in_a_small_simulation() -> None:
    covered, rho_covered, mean, error = heckman_coverage(150, 7)
    # Exact binomial limits at 95% coverage with probability .001 on either side.
    for count in (covered, rho_covered):
        assert stats.binom.ppf(0.001, 150, 0.95) <= count <= stats.binom.ppf(0.999, 150, 0.95)
    assert abs(mean - EFFECT) < 4 * error


@pytest.mark.slow
def test_selection_model_covers() -> None:
    covered, rho_covered, mean, error = heckman_coverage(2000, 8)
    # The sandwich with 120 teams is slightly liberal: one point of slack below.
    for count in (covered, rho_covered):
        assert stats.binom.ppf(0.001, 2000, 0.94) <= count <= stats.binom.ppf(0.999, 2000, 0.96)
    assert abs(mean - EFFECT) < 4 * error
