"""Identities and refusals of Rubin's rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hhp_stats.errors import EstimationError
from hhp_stats.infer.pooling import barnard_rubin_df, jackknife_error, pool, pool_joint
from hhp_stats.results.frame import Estimate


def one(estimate: float, std_error: float = 0.1, **changes) -> Estimate:
    return Estimate(
        **{
            "estimate": estimate,
            "std_error": std_error,
            "df": 131.0,
            "n": 500,
            "n_clusters": 132,
            "method": "OLS, CR1 by team, t(G-1)",
        }
        | changes
    )


def test_nothing_missing_gives_the_complete_analysis_back() -> None:
    pooled = pool([one(0.3)] * 5)
    assert_allclose([pooled.estimate, pooled.std_error], [0.3, 0.1], rtol=1e-12)  # a mean of equal numbers
    assert (
        pooled.between == 0 and pooled.fraction_missing_information == 0 and pooled.mc_error == pooled.mc_error_p == 0
    )
    # Barnard and Rubin's observed-data df at lambda = 0.
    assert_allclose(pooled.df, 132 / 134 * 131, rtol=1e-12)


def test_df_never_exceed_those_of_the_complete_data() -> None:
    rng = np.random.default_rng(3)
    for m in (2, 5, 50):
        for share in rng.random(20):
            for complete in (3, 20, 131):
                df = barnard_rubin_df(imputations=m, missing_share=share, complete_df=complete)
                assert 0 < df < complete
                assert df < (m - 1) / share**2
    # The limit of infinite complete-data df is Rubin's own formula.
    limit = barnard_rubin_df(imputations=20, missing_share=0.3, complete_df=1e12)
    assert_allclose(limit, barnard_rubin_df(imputations=20, missing_share=0.3, complete_df=math.inf), rtol=1e-9)


def test_the_cluster_df_are_used_and_kept() -> None:
    few = pool([one(x) for x in (0.2, 0.3, 0.4)])
    assert few.complete_df == 131 and few.n_clusters == 132 and few.n == 500
    many = pool([one(x) for x in (0.2, 0.3, 0.4)], complete_df=math.inf)
    assert few.df < many.df
    assert "3 imputations" in few.method and "Barnard-Rubin" in few.method and few.method.startswith("OLS, CR1")


def test_units_and_order() -> None:
    values = [0.2, 0.31, 0.4, 0.28]
    pooled, scaled = pool([one(x) for x in values]), pool([one(-10 * x, 1.0) for x in reversed(values)])
    # Rescaling by ten rounds once per number.
    assert_allclose([scaled.estimate, scaled.std_error], [-10 * pooled.estimate, 10 * pooled.std_error], rtol=1e-12)
    assert_allclose(
        [scaled.df, scaled.fraction_missing_information], [pooled.df, pooled.fraction_missing_information], rtol=1e-12
    )


def test_joint_test_of_one_parameter_is_the_square_of_t() -> None:
    values = np.array([0.2, 0.31, 0.4, 0.28, 0.33, 0.25])
    pooled = pool([one(x) for x in values], complete_df=math.inf)
    joint = pool_joint(estimates=values[:, None], covariances=np.full((6, 1, 1), 0.01))
    assert_allclose(joint.statistic, pooled.statistic**2, rtol=1e-10)  # the same formula, another route


def test_joint_test_is_invariant_to_recombining_the_parameters_when_nothing_is_missing() -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(3, 3))
    covariance, turn = root @ root.T + np.eye(3), rng.normal(size=(3, 3))
    q = np.tile(rng.normal(size=3), (4, 1))
    first = pool_joint(estimates=q, covariances=np.tile(covariance, (4, 1, 1)))
    second = pool_joint(estimates=q @ turn.T, covariances=np.tile(turn @ covariance @ turn.T, (4, 1, 1)))
    assert math.isinf(first.df_denominator)
    assert_allclose(second.statistic, first.statistic, rtol=1e-8)  # two small inversions


def test_refusals() -> None:
    with pytest.raises(EstimationError, match="two imputations"):
        pool([one(0.3)])
    with pytest.raises(EstimationError, match="differ in n "):
        pool([one(0.3), one(0.2, n=499)])
    with pytest.raises(EstimationError, match="differ in df"):
        pool([one(0.3), one(0.2, df=40.5)])
    with pytest.raises(EstimationError, match="differ in method"):
        pool([one(0.3), one(0.2, method="OLS, CR2")])
    with pytest.raises(EstimationError, match="zero"):
        pool([one(0.3), one(0.2, std_error=0.0)])
    with pytest.raises(EstimationError, match="singular"):
        pool_joint(estimates=np.ones((3, 2)), covariances=np.ones((3, 2, 2)))
    with pytest.raises(EstimationError, match="above 4"):
        pool_joint(estimates=np.array([[1.0], [1.2]]), covariances=np.ones((2, 1, 1)), complete_df=50)
    # Differing df are fine once the complete-data df are named (Satterthwaite df differ by data set).
    assert pool([one(0.3), one(0.2, df=40.5)], complete_df=40).complete_df == 40


def drawn_again(count: int, rng: np.random.Generator) -> list[Estimate]:
    """Estimates of one imputation: between variance .04 about a fixed mean, squared standard errors near .09."""
    return [
        one(0.6 + 0.2 * rng.standard_normal(), math.sqrt(0.09 * (1 + 0.05 * rng.standard_normal())))
        for _ in range(count)
    ]


def test_the_monte_carlo_errors_are_the_spread_over_imputations_made_again() -> None:
    rng = np.random.default_rng(12)
    again = [pool(drawn_again(20, rng)) for _ in range(600)]
    for name, error in (("estimate", "mc_error"), ("p_value", "mc_error_p")):
        spread = np.std([getattr(found, name) for found in again], ddof=1)
        # The jackknife variance is unbiased to first order, and the spread of 600 repetitions has an error of 3%; p is
        # curved in the estimate.
        root_mean_square = math.sqrt(np.mean([getattr(found, error) ** 2 for found in again]))
        assert root_mean_square == pytest.approx(spread, rel=0.10)


def test_the_jackknife_of_the_pooled_estimate_is_its_closed_form() -> None:
    found = drawn_again(9, np.random.default_rng(1))
    without = np.array([pool(found[:j] + found[j + 1 :]).estimate for j in range(9)])
    assert_allclose(jackknife_error(without), pool(found).mc_error, rtol=1e-12)
    without_p = np.array([pool(found[:j] + found[j + 1 :]).p_value for j in range(9)])
    assert_allclose(jackknife_error(without_p), pool(found).mc_error_p, rtol=1e-9)
    assert math.isnan(pool(found[:2]).mc_error_p)
    with pytest.raises(EstimationError, match="three"):
        jackknife_error(np.array([0.1, 0.2]))
