"""Planted truth for the ways with missing baselines, and the imputation model's own claims."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import ImputationRefused
from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, impute
from hhp_stats.infer.pooling import pool
from hhp_stats.infer.repeated_regression import repeated_regression
from hhp_stats.regression.model_matrix import Term, model_matrix

EFFECT, TEAMS, SIZE, TRIALS, SETS = -1.0, 40, 8, 60, 8
COVARIATES = (Term(column="agency", kind="binary"), Term(column="service", kind="continuous"))


def trial(seed: int) -> pd.DataFrame:
    """A cluster trial whose baselines are missing more often in the control arm, for agency staff and for the young
    in service.

    Missing at random given what is observed, arm and outcome among it; the outcome rests on the baseline, as absence
    does.
    """
    rng = np.random.default_rng(seed)
    team = np.repeat(np.arange(TEAMS), SIZE)
    arm = (rng.permutation(TEAMS) % 2)[team].astype(float)
    agency, service = (rng.random(len(team)) < 0.25).astype(float), rng.exponential(4, len(team))
    before = 6 + 2 * agency + 0.3 * service + rng.normal(0, 1, TEAMS)[team] + rng.normal(0, 3, len(team))
    days = 1 + 0.5 * before + agency + EFFECT * arm + rng.normal(0, 0.7, TEAMS)[team] + rng.normal(0, 2, len(team))
    chance = 1 / (1 + np.exp(2.2 + 0.8 * arm - 2.0 * agency - 0.25 * (days - 4)))
    return pd.DataFrame(
        {
            "team_id": team,
            "treatment": arm,
            "agency": agency,
            "service": service,
            "days": days,
            "before": np.where(rng.random(len(team)) < chance, np.nan, before),
        }
    )


def imputed(frame: pd.DataFrame, way: str, seed: int):
    """The pooled effect under one way of imputing the baseline."""
    variable = ImputedVariable(name="before", kind="pmm")
    terms = [*COVARIATES, Term(column="days", kind="continuous")]
    within = None
    if way == "together":
        terms.append(Term(column="treatment", kind="binary"))
    elif way == "own":
        terms.append(Term(column="treatment", kind="binary"))
        variable = replace(variable, within="treatment")
    else:
        within = "treatment"
    plan = ImputationPlan(
        variables=(variable,),
        terms=tuple(terms),
        within=within,
        clusters="team_id",
        imputations=SETS,
        iterations=1,
        seed=seed,
    )
    values = impute(frame, plan, n_jobs=1).columns("before")
    matrix = model_matrix(frame.assign(before=values[0]), (*COVARIATES, Term(column="before", kind="continuous")))
    fit = repeated_regression(
        matrix=matrix, varying={"before": values.T}, sets=SETS, clusters=frame["team_id"], conf_level=0.95
    )
    return pool(fit.effects(np.tile(frame["days"].to_numpy()[:, None], SETS)))


def test_every_way_with_missing_baselines_recovers_the_planted_effect():
    found = {"together": [], "apart": [], "own": []}
    missing, complete = [], []
    for seed in range(TRIALS):
        frame = trial(seed)
        missing.append(frame.groupby("treatment")["before"].apply(lambda values: values.isna().mean()).to_numpy())
        kept = frame.dropna()
        x = np.column_stack([np.ones(len(kept)), kept[["treatment", "agency", "service", "before"]]])
        complete.append(np.linalg.lstsq(x, kept["days"], rcond=None)[0][1])
        for way, estimates in found.items():
            estimates.append(imputed(frame, way, seed))
    control, treated = np.mean(missing, axis=0)
    assert control > treated + 0.05 > 0.1, "baselines are to be missing more often in one arm"
    for way, estimates in found.items():
        effects = np.array([one.estimate for one in estimates])
        error = effects.std(ddof=1) / math.sqrt(TRIALS)
        assert abs(effects.mean() - EFFECT) < 3 * error, way
        covered = np.mean([one.conf_low <= EFFECT <= one.conf_high for one in estimates])
        assert covered > 0.95 - 3 * math.sqrt(0.95 * 0.05 / TRIALS), way
    # Leaving out people by their outcome is another matter: the test would show a bias.
    bias = np.mean(complete) - EFFECT
    assert abs(bias) > 3 * np.std(complete, ddof=1) / math.sqrt(TRIALS)


def test_a_model_of_its_own_is_a_group_of_its_own():
    # One variable, one round: each arm's model sees its own arm alone, whether the whole plan or the variable is split.
    frame = trial(3)
    own = replace(ImputedVariable(name="before", kind="pmm"), within="treatment", predictors=("agency", "days"))
    terms = (*COVARIATES, Term(column="days", kind="continuous"), Term(column="treatment", kind="binary"))
    plan = ImputationPlan(
        variables=(own,), terms=terms, within=None, clusters="team_id", imputations=3, iterations=2, seed=9
    )
    found = impute(frame, plan, n_jobs=1)
    # Nothing of the other arm enters: its recorded values may be anything.
    other = frame.assign(before=frame["before"].where(frame["treatment"] == 0, frame["before"] * 50 + 7))
    again = impute(other, plan, n_jobs=1)
    for number in range(3):
        control = frame["treatment"].to_numpy() == 0
        np.testing.assert_array_equal(found.column("before", number)[control], again.column("before", number)[control])
    labels = set(found.diagnostics.convergence["group"])
    assert labels == {"treatment=0.0", "treatment=1.0"}


def test_models_of_their_own_are_refused_where_they_mean_nothing():
    own = ImputedVariable(name="before", kind="pmm", within="treatment")
    with pytest.raises(ImputationRefused, match="already separates"):
        ImputationPlan(variables=(own,), within="treatment", seed=1)
    with pytest.raises(ImputationRefused, match="only continuous and pmm"):
        ImputationPlan(variables=(replace(own, kind="binary"),), within=None, seed=1)
