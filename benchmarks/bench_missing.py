"""How long do missing outcomes take? Chained equations with pooled effects, and Heckman's likelihood."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, impute
from hhp_stats.estimate.selection import heckman_likelihood
from hhp_stats.infer.pooling import PooledEstimate, pool
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.results.frame import Estimate

Case = tuple[str, str, Callable[[], object]]

SIZES = ((1_850, 264), (100_000, 14_286), (1_000_000, 142_857))
OUTCOMES = ("wellbeing", "efficacy", "stress")
CONTINUOUS = tuple(f"baseline_{i}" for i in range(11))
TERMS = (
    *(Term(column=name, kind="continuous") for name in CONTINUOUS),
    Term(column="local_authority", kind="categorical"),
)


def survey(people: int, teams: int, *, seed: int = 2019) -> pd.DataFrame:
    """A made-up trial: 12 covariates, three survey outcomes of which 40% are missing, depending on a covariate."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    team = rng.permutation(np.arange(people) % teams)
    x = rng.normal(size=(people, len(CONTINUOUS)))
    frame = pd.DataFrame(x, columns=list(CONTINUOUS))
    frame["team_id"] = team
    frame["treatment"] = (rng.permutation(teams) % 2)[team].astype(float)
    frame["local_authority"] = np.array(list("ABCDE"))[rng.integers(0, 5, teams)[team]]
    for outcome in OUTCOMES:
        between = rng.normal(0, 0.3, teams)[team]
        values = 0.2 * frame["treatment"] + 0.3 * x[:, :4].sum(axis=1) + between + rng.normal(size=people)
        values[rng.random(people) < 1 / (1 + np.exp(0.43 + 0.6 * x[:, 0]))] = np.nan
        frame[outcome] = values
    return frame


def plan(*, team_effect: bool) -> ImputationPlan:
    """20 imputations, 10 iterations, by matching within arm; with or without a team effect."""
    return ImputationPlan(
        variables=tuple(ImputedVariable(name=name, kind="pmm") for name in OUTCOMES),
        terms=TERMS,
        clusters="team_id" if team_effect else None,
        imputations=20,
        iterations=10,
        seed=2019,
    )


def imputed_effects(frame: pd.DataFrame, *, team_effect: bool, n_jobs: int | None) -> list[PooledEstimate]:
    """The whole call: impute, analyse every set by OLS with CR1, pool."""
    imputations = impute(frame, plan(team_effect=team_effect), n_jobs=n_jobs)
    matrix = model_matrix(frame, TERMS)

    def effect(outcome: str, number: int) -> Estimate:
        fit = ols(outcome=imputations.column(outcome, number).astype(np.float64, copy=False), matrix=matrix)
        return coefficient(fit, cluster_covariance(fit, clusters=frame["team_id"]))

    return [pool([effect(outcome, i) for i in range(len(imputations))]) for outcome in OUTCOMES]


def selection_effect(frame: pd.DataFrame, matrix: ModelMatrix) -> Estimate:
    """Heckman's likelihood with teams as clusters."""
    fit = heckman_likelihood(outcome=frame["wellbeing"].to_numpy(), matrix=matrix, clusters=frame["team_id"])
    return fit.coefficient()


def cases(sizes: tuple[tuple[int, int], ...] = SIZES) -> list[Case]:
    """Every case to be timed: name, shape, call."""
    found: list[Case] = []
    for people, teams in sizes:
        frame = survey(people, teams)
        shape = f"n={people:,}, {teams:,} teams, 3 outcomes, 40% missing, m=20"
        # Two processes cost more to start than a small problem takes.
        n_jobs = None if people < 10_000 else 2
        found.append(
            (
                "chained equations, pooled OLS CR1",
                shape,
                partial(imputed_effects, frame, team_effect=False, n_jobs=n_jobs),
            )
        )
        found.append(
            ("the same with team effects", shape, partial(imputed_effects, frame, team_effect=True, n_jobs=n_jobs))
        )
        shape = f"n={people:,}, {teams:,} teams, 16 columns a side"
        found.append(
            ("Heckman likelihood, clustered", shape, partial(selection_effect, frame, model_matrix(frame, TERMS)))
        )
    return found
