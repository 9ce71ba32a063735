"""Do 5% tests reject 5% under no effect, and 95% intervals cover, from 9 to 264 clusters?"""

import numpy as np
import pytest

from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix


def rejections(clusters, treated, trials, seed, kind, df):
    """Share of trials without an effect in which the interval of the treatment misses zero."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    sizes = np.resize([2, 3, 5, 7, 12, 20], clusters)
    team = np.repeat(np.arange(clusters), sizes)
    missed = 0
    for _ in range(trials):
        arm = np.zeros(clusters)
        arm[rng.permutation(clusters)[:treated]] = 1
        x = rng.normal(size=len(team))
        outcome = x + rng.normal(0, 0.5, clusters)[team] + rng.normal(size=len(team))
        matrix = ModelMatrix(
            values=np.column_stack([np.ones(len(team)), arm[team], x]), names=("intercept", "treatment", "x")
        )
        fit = ols(outcome=outcome, matrix=matrix)
        found = coefficient(fit, cluster_covariance(fit, clusters=team, kind=kind), df=df)
        assert (found.p_value < 0.05) == (not found.conf_low < 0 < found.conf_high)
        missed += found.p_value < 0.05
    return missed / trials


def margin(trials):
    return 3.3 * np.sqrt(0.05 * 0.95 / trials)  # a right test fails this once in a thousand seeds; the seed is fixed


@pytest.mark.slow
@pytest.mark.parametrize(("clusters", "treated"), [(9, 4), (20, 5), (60, 30), (264, 132)])
def test_cr2_with_satterthwaite_holds_its_size(clusters, treated):
    trials = 3000
    share = rejections(clusters, treated, trials, 31, "CR2", "satterthwaite")
    # Satterthwaite's approximation itself is allowed one point with nine unequal clusters, where it is conservative.
    assert abs(share - 0.05) < margin(trials) + (0.01 if clusters < 30 else 0.002)


@pytest.mark.slow
def test_cr1_holds_its_size_with_many_clusters():
    trials = 3000
    assert abs(rejections(264, 132, trials, 32, "CR1", "clusters") - 0.05) < margin(trials) + 0.005


def test_small_version():
    trials = 400
    cr2 = rejections(12, 6, trials, 33, "CR2", "satterthwaite")
    cr0 = rejections(12, 6, trials, 33, "CR0", "normal")
    assert abs(cr2 - 0.05) < margin(trials) + 0.01
    assert cr0 > cr2 + 0.02, "the correction must matter where it is meant to"
