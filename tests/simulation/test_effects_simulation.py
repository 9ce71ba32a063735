"""Do intervals cover and tests keep their level? Small versions run always, large ones are marked slow."""

import numpy as np
import pandas as pd
import pytest

from hhp_stats.estimate.complier import complier_effect
from hhp_stats.estimate.effect_size import hedges_g_clustered
from hhp_stats.estimate.icc import icc_anova
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, model_matrix


def outcomes(rng, teams, size, icc, effect):
    team = np.repeat(np.arange(teams), size)
    z = (team % 2).astype(float)
    y = effect * z + np.sqrt(icc) * rng.normal(size=teams)[team] + np.sqrt(1 - icc) * rng.normal(size=len(team))
    return y, z, team


def standardised(rng, icc):
    y, z, team = outcomes(rng, 24, 8, icc, 0.5)
    fit = ols(outcome=y, matrix=model_matrix(pd.DataFrame({"treatment": z}), []))
    effect = coefficient(fit, cluster_covariance(fit, clusters=team))
    return hedges_g_clustered(effect, outcome=y, treatment=z, clusters=team, icc=icc).g


def check_standardised(runs, slack):
    for icc in (0.0, 0.2):
        found = [standardised(np.random.default_rng(seed), icc) for seed in np.random.SeedSequence(1).spawn(runs)]
        g = np.array([e.estimate for e in found])
        error = np.array([e.std_error for e in found])
        assert g.mean() == pytest.approx(0.5, abs=4 * g.std() / np.sqrt(runs))  # four standard errors
        # The variance formula against the variance that was seen.
        assert np.sqrt((error**2).mean()) == pytest.approx(g.std(), rel=slack)
        cover = np.mean([e.conf_low <= 0.5 <= e.conf_high for e in found])
        assert cover == pytest.approx(
            0.95, abs=4 * np.sqrt(0.95 * 0.05 / runs) + 0.01
        )  # t and CR1 with 24 teams: a point


def test_standardised_effects_cover():
    check_standardised(200, 0.25)  # a standard deviation of 200 draws is known to 5%, a clustered one to more


@pytest.mark.slow
def test_standardised_effects_cover_over_many_trials():
    check_standardised(2000, 0.07)


def check_icc(runs):
    for icc in (0.0, 0.1, 0.4):
        cover = 0
        for child in np.random.SeedSequence(2).spawn(runs):
            y, z, team = outcomes(np.random.default_rng(child), 20, 7, icc, 1.0)
            got = icc_anova(outcome=y, clusters=team, treatment=z)
            cover += got.conf_low <= icc <= got.conf_high
        assert cover / runs == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / runs))  # exact: binomial noise only


def test_searle_interval_covers():
    check_icc(200)


@pytest.mark.slow
def test_searle_interval_covers_over_many_trials():
    check_icc(2000)


def check_weak_instruments(runs):
    """Anderson-Rubin keeps its level with hardly any take-up, where the t interval of two-stage least squares is no
    guide.
    """
    rejected = 0
    for child in np.random.SeedSequence(3).spawn(runs):
        rng = np.random.default_rng(child)
        team = np.repeat(np.arange(40), 5)
        z = (team % 2).astype(float)
        hidden = rng.normal(size=200)
        d = hidden + rng.normal(size=200) + 0.15 * z  # hours spent, hardly moved by the offer
        y = 1.0 * d + 2 * hidden + 0.5 * rng.normal(size=40)[team] + rng.normal(size=200)
        matrix = ModelMatrix(values=np.column_stack([np.ones(200), z]), names=("intercept", "treatment"))
        got = complier_effect(outcome=y, takeup=d, matrix=matrix, clusters=team)
        rejected += not got.anderson_rubin.contains(1.0)
    # Binomial noise, and up to a point for a clustered F with 40 teams.
    assert rejected / runs == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / runs) + 0.01)


def test_anderson_rubin_keeps_its_level():
    check_weak_instruments(120)


@pytest.mark.slow
def test_anderson_rubin_keeps_its_level_over_many_trials():
    check_weak_instruments(2000)
