"""Simulated trials: the analysis is the package's own, the data are as described, refusals."""

import numpy as np
import pytest

from hhp_stats.design.detectable_effect import Clustering, ErrorRates, cluster_detectable_effect
from hhp_stats.design.planned_trial import PlannedTrial
from hhp_stats.design.power import simulate_power, simulated_detectable_effect
from hhp_stats.design.simulated_trials import TrialDesign, _analyse, _binary, _normal, team_sizes
from hhp_stats.errors import InvalidInput
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix

SIZES = team_sizes(people=1665, mean_size=7, size_cv=0.5)


@pytest.mark.parametrize("with_x", [False, True])
@pytest.mark.parametrize("with_groups", [False, True])
@pytest.mark.parametrize("with_attrition", [False, True])
def test_vectorised_analysis_is_least_squares_with_cr1(with_x, with_groups, with_attrition):
    rng = np.random.default_rng(3)
    sizes = np.array([1, 4, 3, 6, 2, 5, 7, 3, 4, 4, 5, 6])
    groups = np.repeat([0, 1, 2], 4) if with_groups else np.zeros(12, dtype=int)
    arm = np.array([[0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0], [1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1]]).T.astype(float)
    team = np.repeat(np.arange(12), sizes)
    d, y = arm[team], rng.standard_normal((50, 2))
    x = rng.standard_normal((50, 2)) if with_x else None
    kept = rng.random((50, 2)) > 0.2 if with_attrition else None
    if kept is not None:
        kept[team == 5] = False  # a team lost whole
    got = _analyse(d, None if x is None else x.copy(), y.copy(), kept, sizes, groups)
    for j in range(2):
        rows = np.ones(50, dtype=bool) if kept is None else kept[:, j]
        columns = {"intercept": np.ones(50), "treatment": d[:, j]}
        columns |= {f"g{g}": groups[team] == g for g in range(1, groups.max() + 1)}
        if x is not None:
            columns["x"] = x[:, j]
        values = np.column_stack([np.asarray(c, dtype=float)[rows] for c in columns.values()])
        fit = ols(outcome=y[rows, j], matrix=ModelMatrix(values=values, names=tuple(columns)))
        want = coefficient(fit, cluster_covariance(fit, clusters=team[rows]))
        # The same least squares by partialling out; 50 rows in double precision.
        np.testing.assert_allclose(got[:, j], [want.estimate, want.std_error, want.df], rtol=1e-9)


def icc_of(values, sizes):
    """One-way analysis of variance estimator for equal teams."""
    m = sizes[0]
    groups = values.reshape(len(sizes), m, -1)
    between = m * groups.mean(axis=1).var(axis=0, ddof=1).mean()
    within = groups.var(axis=1, ddof=1).mean()
    return (between - within) / (between + (m - 1) * within)


def test_simulated_data_have_the_planted_correlations():
    rng, sizes = np.random.default_rng(1), np.full(400, 5)
    normal = _normal(0.3, sizes, 50, rng)
    assert normal.var() == pytest.approx(1, abs=0.02)  # 20,000 x 50 values in correlated fives
    assert icc_of(normal, sizes) == pytest.approx(0.3, abs=0.01)
    design = TrialDesign(cluster_sizes=tuple(sizes), icc=0.1, outcome="binary", control_rate=0.2)
    leavers = _binary(design, 0.1, np.zeros((400, 50)), sizes, rng)
    assert leavers.mean() == pytest.approx(0.2, abs=0.005)
    assert icc_of(leavers, sizes) == pytest.approx(0.1, abs=0.01)
    assert _binary(design, 0.1, np.ones((400, 50)), sizes, rng).mean() == pytest.approx(0.3, abs=0.005)


def test_simulated_power_meets_the_formula_where_the_formula_holds():
    design = TrialDesign(cluster_sizes=SIZES, icc=0.1, baseline_correlation=0.6)
    teams = Clustering.of_total(people=1665, mean_size=7, icc=0.1, size_cv=0.5, lost_clusters=0)
    formula = cluster_detectable_effect(clustering=teams, baseline_correlation=0.6)
    got = simulate_power(design=design, effect=formula, trials=1_000, rng=np.random.default_rng(4))
    # Three standard errors each over 1,000 trials: of the power sqrt(.8 x .2/1000) = .0126, of a standard deviation
    # 1/sqrt(2000) = .022 of it, of the mean .0017, of the coverage sqrt(.95 x .05/1000) = .0069.
    assert got.power == pytest.approx(0.8, abs=0.038)
    assert got.mean_std_error == pytest.approx(got.estimate_std_dev, rel=0.067)
    assert got.mean_estimate == pytest.approx(formula, abs=0.005)
    assert got.coverage == pytest.approx(0.95, abs=0.021)
    assert got.conf_low < got.power < got.conf_high


def test_detectable_effect_by_simulation_is_where_the_curve_crosses():
    design = TrialDesign(cluster_sizes=SIZES[::4], icc=0.1)
    effect = simulated_detectable_effect(design=design, trials=500, rng=np.random.default_rng(2))
    nothing, below, at = (
        simulate_power(design=design, effect=each, trials=500, rng=np.random.default_rng(2)).power
        for each in (0.0, effect - 1e-3, effect)
    )
    assert nothing < below <= 0.8 <= at


@pytest.mark.parametrize("baseline", [None, 0.3])
def test_a_planned_trial_is_simulated_as_its_formula_counts_it(baseline):
    trial = PlannedTrial(
        people=1850,
        cluster_size=7,
        icc=0.1,
        size_cv=0.5,
        correlation=0.6 if baseline is None else 0.0,
        attrition=0.1,
        baseline=baseline,
        rates=ErrorRates(),
    )
    formula, found = trial.detectable(), trial.simulated(trials=1_000, rng=np.random.default_rng(3))
    assert set(found) == set(formula) - {"sd_t"}
    for name, (value, error) in found.items():
        # Three standard errors of the simulation, and 1.5% of an effect or .02 of power for t in place of normal
        # quantiles, teams of their own sizes and, of a proportion, a variance that differs between the arms.
        if baseline is None:
            assert value == pytest.approx(formula[name], abs=3 * error + 0.015 * formula[name])
            assert error / value == pytest.approx(0.0126 / 0.785, abs=0.0005)  # sqrt(.8 x .2/1000) / (2.80 x .2800)
        else:
            assert value == pytest.approx(0.8, abs=3 * error + 0.02)


def test_no_effect_is_found_in_five_trials_of_a_hundred():
    design = TrialDesign(cluster_sizes=(7,) * 60, icc=0.2, strata=tuple(i % 6 for i in range(60)), attrition=0.1)
    got = simulate_power(design=design, effect=0.0, trials=1_500, rng=np.random.default_rng(9))
    assert got.power == pytest.approx(0.05, abs=0.02)  # 3.5 binomial standard errors


def test_many_stratum_dummies_make_cr1_too_small():
    """Four teams a stratum: CR1 counts people, not teams, when it pays for the dummies."""
    many = TrialDesign(cluster_sizes=(7,) * 80, icc=0.3, strata=tuple(i // 4 for i in range(80)), strata_in_model=True)
    got = simulate_power(design=many, effect=0.0, trials=1_000, rng=np.random.default_rng(9))
    assert got.mean_std_error < 0.93 * got.estimate_std_dev
    assert got.power > 0.06


def test_team_sizes_add_up_and_vary_as_asked():
    assert sum(SIZES) == 1665
    assert min(SIZES) >= 1
    assert np.std(SIZES) / np.mean(SIZES) == pytest.approx(0.5, abs=0.02)  # rounding to whole people
    assert set(team_sizes(people=70, mean_size=7, size_cv=0)) == {7}
    assert sum(team_sizes(people=33, mean_size=7, size_cv=1.5)) == 33


@pytest.mark.parametrize(
    "change",
    [
        {"cluster_sizes": (5, 5, 5)},
        {"cluster_sizes": (5, 5, 5, 0)},
        {"strata": (1, 2)},
        {"icc": 1.0},
        {"attrition": 1.0},
        {"baseline_correlation": 1.0},
        {"outcome": "binary"},
        {"outcome": "binary", "control_rate": 0.1, "baseline_correlation": 0.4},
    ],
)
def test_impossible_designs_are_refused(change):
    with pytest.raises(InvalidInput):
        TrialDesign(**({"cluster_sizes": (5, 5, 5, 5), "icc": 0.1} | change))


def test_impossible_requests_are_refused():
    binary = TrialDesign(cluster_sizes=(5,) * 8, icc=0.1, outcome="binary", control_rate=0.05)
    rng = np.random.default_rng(1)
    with pytest.raises(InvalidInput, match=r"outside 0\.\.1"):
        simulate_power(design=binary, effect=-0.06, rng=rng)
    with pytest.raises(InvalidInput, match="binary"):
        simulated_detectable_effect(design=binary, rng=rng)
    with pytest.raises(InvalidInput, match="draws must be"):
        simulate_power(design=binary, effect=0.1, trials=0, rng=rng)
    with pytest.raises(InvalidInput):
        team_sizes(people=5, mean_size=7, size_cv=0.5)
