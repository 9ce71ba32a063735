"""How long do the intention-to-treat estimators take? OLS with CR1, with CR2, and the logit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from hhp_stats.estimate.logistic import ProbabilityChange, change_at_means, clustered_logit_covariance, logit
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.results.frame import Estimate

Call = Callable[[pd.DataFrame, ModelMatrix], object]
Case = tuple[str, str, Callable[[], object]]

SIZES = ((1_850, 264), (100_000, 14_286), (1_000_000, 142_857))
ROLES = tuple(f"role {i}" for i in range(8))
AUTHORITIES = tuple(f"authority {i}" for i in range(10))
TERMS = (
    Term(column="role", kind="categorical", base=ROLES[0], levels=ROLES),
    Term(column="service", kind="continuous"),
    Term(column="authority", kind="categorical", base=AUTHORITIES[0], levels=AUTHORITIES),
    Term(column="coffee", kind="binary"),
)


def trial(people: int, teams: int, *, seed: int = 2019) -> tuple[pd.DataFrame, ModelMatrix]:
    """A made-up trial shaped like the main one: teams of about seven, 20 columns, people in any order."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    team = rng.permutation(np.arange(people) % teams)
    frame = pd.DataFrame(
        {
            "team_id": team,
            "treatment": (rng.permutation(teams) % 2)[team].astype(float),
            "role": pd.Categorical.from_codes(rng.integers(0, len(ROLES), people), pd.Index(ROLES)),
            "service": rng.gamma(2.0, 3.0, people),
            "authority": pd.Categorical.from_codes(
                rng.integers(0, len(AUTHORITIES), teams)[team], pd.Index(AUTHORITIES)
            ),
            "coffee": rng.integers(0, 2, people).astype(float),
        }
    )
    between = rng.normal(0, 1, teams)[team]
    frame["absence"] = 6 - 0.5 * frame["treatment"] + 0.1 * frame["service"] + between + rng.gamma(1, 6, people)
    log_odds = -1.5 - 0.2 * frame["treatment"] - 0.05 * frame["service"] + 0.4 * between
    frame["left"] = (rng.random(people) < 1 / (1 + np.exp(-log_odds))).astype(float)
    return frame, model_matrix(frame, TERMS)


def ols_cr1(frame: pd.DataFrame, matrix: ModelMatrix) -> Estimate:
    """Fit, CR1 by team, t with G-1 degrees of freedom."""
    fit = ols(outcome=frame["absence"].to_numpy(), matrix=matrix)
    return coefficient(fit, cluster_covariance(fit, clusters=frame["team_id"]))


def ols_cr2(frame: pd.DataFrame, matrix: ModelMatrix) -> Estimate:
    """Fit, CR2 by team, Satterthwaite degrees of freedom of the treatment."""
    fit = ols(outcome=frame["absence"].to_numpy(), matrix=matrix)
    return coefficient(fit, cluster_covariance(fit, clusters=frame["team_id"], kind="CR2"), df="satterthwaite")


def logit_at_means(frame: pd.DataFrame, matrix: ModelMatrix) -> ProbabilityChange:
    """Fit, clustered covariance, change from 0 to 1 at the means."""
    fit = logit(outcome=frame["left"].to_numpy(), matrix=matrix)
    return change_at_means(fit, clustered_logit_covariance(fit, clusters=frame["team_id"]))


def cases(sizes: tuple[tuple[int, int], ...] = SIZES) -> list[Case]:
    """One (name, shape, call) per row of the speed table and size; the data are made before the call."""
    calls: tuple[tuple[str, Call], ...] = (
        ("OLS, CR1", ols_cr1),
        ("OLS, CR2, Satterthwaite", ols_cr2),
        ("logit, clustered, change at the means", logit_at_means),
    )
    found: list[Case] = []
    for people, teams in sizes:
        frame, matrix = trial(people, teams)
        shape = f"n={people:,} G={teams:,} k={matrix.values.shape[1]}"
        found += [(name, shape, partial(call, frame, matrix)) for name, call in calls]
    return found
