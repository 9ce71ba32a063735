"""Wild bootstrap and randomisation test beyond the reference cases: blocks, ties, ends, refusals."""

import itertools

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.team_sums import StratifiedDraw
from hhp_stats.errors import EstimationError, InvalidInput, SingleClusterArm, UnknownName
from hhp_stats.infer.multiplicity import holm, westfall_young
from hhp_stats.infer.randomisation_test import randomisation_statistics, randomisation_test
from hhp_stats.infer.resampling import DrawMoments, invert, resampling_test
from hhp_stats.infer.wild_bootstrap import wild_bootstrap, wild_bootstrap_statistics
from hhp_stats.processes.blocks import block_sizes, child_seeds
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix
from hhp_stats.results.frame import Estimate


def trial(teams=40, *, effect=0.0, seed=1, covariates=2):
    rng = np.random.default_rng(seed)
    clusters = np.r_[np.arange(teams), rng.integers(0, teams, 5 * teams)]
    strata = np.arange(teams) % min(4, teams // 2)
    arm = StratifiedDraw.of(strata)(rng, 1)[0].astype(float)
    x = rng.standard_normal((len(clusters), covariates))
    y = (
        effect * arm[clusters]
        + x.sum(axis=1)
        + 0.6 * rng.standard_normal(teams)[clusters]
        + rng.standard_normal(len(clusters))
    )
    names = ("intercept", "treatment", *(f"x{i}" for i in range(covariates)))
    matrix = ModelMatrix(values=np.column_stack([np.ones(len(clusters)), arm[clusters], x]), names=names)
    return y, matrix, clusters, StratifiedDraw.of(strata)


def both(y, matrix, clusters, draw, *, draws=1_999, seed=7, **options):
    """The two tests, by name."""
    boot = wild_bootstrap(
        ols(outcome=y, matrix=matrix), clusters=clusters, draws=draws, rng=np.random.default_rng(seed), **options
    )
    redraw = randomisation_test(
        outcome=y, matrix=matrix, clusters=clusters, draw=draw, draws=draws, rng=np.random.default_rng(seed), **options
    )
    return {"bootstrap": boot, "randomisation": redraw}


def test_both_agree_with_the_t_test_where_there_are_many_teams():
    y, matrix, clusters, draw = trial(200, effect=0.25)
    for test in both(y, matrix, clusters, draw, draws=4_999).values():
        estimate = test.estimate
        normal = estimate.estimate - 1.96 * estimate.std_error, estimate.estimate + 1.96 * estimate.std_error
        # The 2.5% quantile of 4,999 draws has a standard error of sqrt(.025 x .975/4999)/.0584 = .038 deviations: two
        # of them.
        assert (estimate.conf_low, estimate.conf_high) == pytest.approx(normal, abs=0.076 * estimate.std_error)
        assert estimate.n_clusters == 200
        assert estimate.conf_low < estimate.estimate < estimate.conf_high


def test_interval_and_p_value_do_not_contradict_each_other():
    for seed in range(8):
        for test in both(*trial(12, effect=0.6, seed=seed), draws=999).values():
            inside = test.estimate.conf_low <= 0 <= test.estimate.conf_high
            assert inside == (test.estimate.p_value > 0.05)


def test_same_seed_same_numbers_and_another_seed_others():
    data = trial()
    first, second, other = both(*data), both(*data), both(*data, seed=8)
    for name in first:
        assert first[name].estimate == second[name].estimate
        assert not np.array_equal(first[name].moments.linear0, other[name].moments.linear0)


def test_p_values_of_random_draws_are_never_zero():
    y, matrix, clusters, draw = trial(60, effect=50.0)
    for test in both(y, matrix, clusters, draw, draws=199).values():
        assert test.p_weak == 1 / 200


def test_signs_are_enumerated_only_where_all_fit():
    y, matrix, clusters, _ = trial(9)
    fit = ols(outcome=y, matrix=matrix)
    rng = np.random.default_rng(1)
    assert wild_bootstrap(fit, clusters=clusters, draws=512, rng=rng).enumerated
    assert not wild_bootstrap(fit, clusters=clusters, draws=511, rng=rng).enumerated
    assert not wild_bootstrap(fit, clusters=clusters, draws=512, rng=rng, weights="webb").enumerated


def test_random_signs_approach_the_enumeration():
    y, matrix, clusters, _ = trial(10, effect=0.5)
    fit = ols(outcome=y, matrix=matrix)
    exact = wild_bootstrap(fit, clusters=clusters, rng=np.random.default_rng(1), draws=1_024, interval=False)
    drawn = wild_bootstrap(
        fit, clusters=np.asarray(clusters), rng=np.random.default_rng(1), draws=1_023, interval=False
    )
    assert exact.enumerated
    assert drawn.p_weak == pytest.approx(exact.p_weak, abs=0.06)  # four binomial standard errors at most


def test_blocks_of_clusters_leave_the_numbers_alone(monkeypatch):
    """Enumerated signs through several blocks of clusters and of draws."""
    y, matrix, clusters, draw = trial(10)
    fit = ols(outcome=y, matrix=matrix)
    whole = wild_bootstrap(fit, clusters=clusters, rng=np.random.default_rng(1))
    redraws = randomisation_test(
        outcome=y, matrix=matrix, clusters=clusters, draw=draw, draws=500, rng=np.random.default_rng(1)
    )
    monkeypatch.setattr("hhp_stats.infer.wild_bootstrap.CLUSTERS_AT_ONCE", 3)
    monkeypatch.setattr("hhp_stats.infer.wild_bootstrap.DRAWS_AT_ONCE", 100)
    monkeypatch.setattr("hhp_stats.infer.redraw_sums.CLUSTERS_AT_ONCE", 3)
    split = wild_bootstrap(fit, clusters=clusters, rng=np.random.default_rng(1))
    redrawn = randomisation_test(
        outcome=y, matrix=matrix, clusters=clusters, draw=draw, draws=500, rng=np.random.default_rng(1)
    )
    np.testing.assert_allclose(
        split.moments.statistics(), whole.moments.statistics(), rtol=1e-9
    )  # another order of sums
    np.testing.assert_allclose(redrawn.moments.statistics(), redraws.moments.statistics(), rtol=1e-9)


def test_progress_is_told_of_every_block():
    y, matrix, clusters, draw = trial()
    seen = {"bootstrap": [], "randomisation": []}
    wild_bootstrap(
        ols(outcome=y, matrix=matrix),
        clusters=clusters,
        draws=2_500,
        rng=np.random.default_rng(1),
        progress=lambda *step: seen["bootstrap"].append(step),
    )
    randomisation_test(
        outcome=y,
        matrix=matrix,
        clusters=clusters,
        draw=draw,
        draws=600,
        rng=np.random.default_rng(1),
        progress=lambda *step: seen["randomisation"].append(step),
    )
    assert seen == {"bootstrap": [(1, 3), (2, 3), (3, 3)], "randomisation": [(1, 3), (2, 3), (3, 3)]}


def test_too_few_teams_give_an_unbounded_interval():
    """Sixteen sign vectors of which two are always as extreme: no effect can be rejected at 5%."""
    y, matrix, clusters, _ = trial(4)
    test = wild_bootstrap(ols(outcome=y, matrix=matrix), clusters=clusters, rng=np.random.default_rng(1))
    assert test.enumerated
    assert test.estimate.p_value >= 2 / 16
    assert (test.estimate.conf_low, test.estimate.conf_high) == (-np.inf, np.inf)


@pytest.mark.parametrize("units", [1e-4, 1.0, 1e5])
def test_the_interval_of_the_plain_coefficient_scales_with_the_units(units):
    y, matrix, clusters, draw = trial(30)
    common = {"clusters": clusters, "draw": draw, "draws": 999, "statistic": "difference", "matrix": matrix}
    base = randomisation_test(outcome=y, rng=np.random.default_rng(1), **common)
    scaled = randomisation_test(outcome=units * y, rng=np.random.default_rng(1), **common)
    assert np.isnan(base.estimate.std_error)
    ends = np.array([base.estimate.conf_low, base.estimate.conf_high])
    # Bisection stops at 1e-10 of the spread of the draws.
    np.testing.assert_allclose([scaled.estimate.conf_low, scaled.estimate.conf_high], units * ends, rtol=1e-6)
    assert base.p_at(base.estimate.conf_low - 1e-3) <= 0.05 < base.p_at(base.estimate.conf_low + 1e-3)


def test_inversion_finds_the_outermost_end():
    """A p-value that dips and recovers: the end is beyond the dip."""

    def p_at(effect):
        return 0.01 if 1 < effect < 1.6 or effect > 3.123 else 0.5

    assert invert(p_at=p_at, estimate=0.0, step=1.0, alpha=0.05, side="high") == pytest.approx(3.123, abs=1e-8)
    assert invert(p_at=p_at, estimate=0.0, step=1.0, alpha=0.05, side="low") == -np.inf


def test_columns_of_a_draw_are_matched_by_label():
    y, matrix, clusters, draw = trial(20)
    labels = np.array([f"team {i:02d}" for i in range(20)])
    shuffled = np.random.default_rng(4).permutation(20)
    arm = np.zeros(20)
    arm[clusters] = matrix.values[:, 1]
    every = np.array([arm, *draw(np.random.default_rng(1), 300)])
    plain = randomisation_test(outcome=y, matrix=matrix, clusters=clusters, assignments=every)
    named = randomisation_test(
        outcome=y,
        matrix=matrix,
        clusters=labels[clusters],
        assignments=every[:, shuffled],
        draw_clusters=list(labels[shuffled]),
    )
    assert named.p_weak == plain.p_weak
    np.testing.assert_allclose(named.moments.statistics(), plain.moments.statistics(), rtol=1e-9)  # order of sums
    # A team of which nobody is analysed keeps its column in the draw.
    kept = clusters != 3
    smaller = ModelMatrix(values=matrix.values[kept], names=matrix.names)
    some = randomisation_test(
        outcome=y[kept], matrix=smaller, clusters=clusters[kept], assignments=every, draw_clusters=range(20)
    )
    assert some.estimate.n_clusters == 19


def test_redraws_that_no_estimate_exists_for_count_as_extreme():
    """A stratum dummy per pair: the draw that treats all of one stratum is explained by the dummy."""
    y, _, clusters, _ = trial(8, covariates=0)
    dummy = (np.arange(8) < 4)[clusters].astype(float)
    arm = np.tile([0.0, 1.0], 4)
    values = np.column_stack([np.ones(len(y)), arm[clusters], dummy])
    every = np.array([arm, 1 - arm, (np.arange(8) < 4), (np.arange(8) >= 4)]).astype(np.uint8)
    test = randomisation_test(
        outcome=y,
        matrix=ModelMatrix(values=values, names=("intercept", "treatment", "dummy")),
        clusters=clusters,
        assignments=every,
    )
    assert test.p_weak == 1.0
    assert "2 redraws are determined by the covariates" in test.estimate.note


def test_families_share_their_draws():
    """One outcome twice, once rescaled: perfectly correlated, so adjusting costs nothing."""
    y, matrix, clusters, draw = trial(30, effect=0.7)
    noise = np.random.default_rng(8).standard_normal(len(y))
    fits = [ols(outcome=o, matrix=matrix) for o in (y, 5 * y, noise)]
    runs = {
        "bootstrap": wild_bootstrap_statistics(fits, clusters=[clusters] * 3, draws=999, rng=np.random.default_rng(1)),
        "randomisation": randomisation_statistics(
            [(fit.outcome, matrix, clusters) for fit in fits], draw=draw, draws=999, rng=np.random.default_rng(1)
        ),
    }
    for observed, drawn, weights in runs.values():
        assert weights is None
        np.testing.assert_allclose(drawn[:, 0], drawn[:, 1], rtol=1e-9)  # the same t in other units
        single = westfall_young(statistics=observed[:1], drawn=drawn[:, :1])
        pair = westfall_young(statistics=observed[:2], drawn=drawn[:, :2])
        assert pair.tolist() == [single[0]] * 2
        three = westfall_young(statistics=observed, drawn=drawn)
        assert (three >= pair[0]).all()
        raw = [westfall_young(statistics=observed[[j]], drawn=drawn[:, [j]])[0] for j in range(3)]
        assert (three <= holm(raw) + 0.02).all()  # uses the correlation; simulation noise of 999 draws


def test_families_match_the_single_test():
    y, matrix, clusters, _ = trial(9, effect=0.7)
    fit = ols(outcome=y, matrix=matrix)
    observed, drawn, weights = wild_bootstrap_statistics([fit], clusters=[clusters], rng=np.random.default_rng(1))
    assert weights.sum() == pytest.approx(1)
    single = wild_bootstrap(fit, clusters=clusters, rng=np.random.default_rng(1))
    assert westfall_young(statistics=observed, drawn=drawn, weights=weights)[0] == pytest.approx(single.p_weak)


def test_outcomes_with_different_people_are_matched_by_cluster_label():
    y, matrix, clusters, _ = trial(8)
    kept = clusters != 2
    part = ols(outcome=y[kept], matrix=ModelMatrix(values=matrix.values[kept], names=matrix.names))
    observed, drawn, _ = wild_bootstrap_statistics(
        [ols(outcome=y, matrix=matrix), part], clusters=[clusters, clusters[kept]], rng=np.random.default_rng(1)
    )
    alone = wild_bootstrap(part, clusters=clusters[kept], rng=np.random.default_rng(1))
    assert drawn.shape == (2**8, 2)
    assert np.mean(np.abs(drawn[:, 1]) >= abs(observed[1]) * (1 - 1e-9)) == pytest.approx(alone.p_weak)


def test_bad_requests_are_refused():
    y, matrix, clusters, draw = trial(10)
    fit, rng = ols(outcome=y, matrix=matrix), np.random.default_rng(1)
    common = {"outcome": y, "matrix": matrix, "clusters": clusters}
    with pytest.raises(UnknownName):
        wild_bootstrap(fit, clusters=clusters, rng=rng, weights="mammen")
    with pytest.raises(UnknownName):
        wild_bootstrap(fit, clusters=clusters, rng=rng, term="coffee")
    with pytest.raises(InvalidInput):
        wild_bootstrap(fit, clusters=clusters, rng=rng, draws=0)
    with pytest.raises(InvalidInput):
        wild_bootstrap(fit, clusters=clusters, rng=rng, conf_level=1.0)
    with pytest.raises(InvalidInput):
        wild_bootstrap_statistics([fit], clusters=[clusters, clusters], rng=rng)
    with pytest.raises(InvalidInput, match="either"):
        randomisation_test(**common)
    with pytest.raises(InvalidInput, match="rng"):
        randomisation_test(**common, draw=draw)
    with pytest.raises(InvalidInput, match="observed allocation"):
        randomisation_test(**common, assignments=np.zeros((1, 10)))
    with pytest.raises(InvalidInput, match="0 and 1"):
        randomisation_test(**common, assignments=np.full((3, 10), 0.5))
    with pytest.raises(InvalidInput, match="0 and 1"):
        randomisation_test(**common, draw=lambda rng, size: np.full((size, 10), 2, dtype=np.uint8), rng=rng)
    with pytest.raises(InvalidInput, match="instead of"):
        randomisation_test(**common, draw=lambda rng, size: np.zeros((1, 10)), rng=rng)
    arm = pd.Series(matrix.values[:, 1]).groupby(clusters).first().to_numpy()
    with pytest.raises(InvalidInput, match="sum to one"):
        randomisation_test(**common, assignments=arm[None, :], probabilities=[0.4])
    with pytest.raises(UnknownName):
        randomisation_test(**common, draw=draw, rng=rng, statistic="rank")
    with pytest.raises(UnknownName):
        randomisation_test(**common, draw=draw, rng=rng, alternative="both")
    with pytest.raises(EstimationError, match="not among those drawn"):
        randomisation_test(**common, draw=draw, rng=rng, draw_clusters=range(9))
    with pytest.raises(EstimationError, match="same for everybody"):
        randomisation_test(**common | {"clusters": np.arange(len(y)) % 7}, draw=draw, rng=rng)
    one = np.where(clusters == 0, 1.0, 0.0)
    lone = ModelMatrix(values=np.column_stack([np.ones(len(y)), one]), names=("intercept", "treatment"))
    with pytest.raises(SingleClusterArm):
        wild_bootstrap(ols(outcome=y, matrix=lone), clusters=clusters, rng=rng)
    with pytest.raises(SingleClusterArm):
        randomisation_test(outcome=y, matrix=lone, clusters=clusters, draw=draw, rng=rng)


def test_blocks_and_seeds():
    assert block_sizes(2_500, 1_000) == [1_000, 1_000, 500]
    with pytest.raises(InvalidInput):
        block_sizes(0, 10)
    seeds = child_seeds(np.random.default_rng(1), 3)
    states = {tuple(seed.generate_state(2)) for seed in seeds}
    assert len(states) == 3


@pytest.mark.parametrize("p", [[0.5, 1.2], [-0.1]])
def test_holm_refuses_what_is_no_p_value(p):
    with pytest.raises(InvalidInput):
        holm(p)


def test_holm_leaves_out_what_was_not_estimated():
    np.testing.assert_array_equal(holm([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])


def test_westfall_young_refuses_shapes_that_do_not_match():
    t, drawn = np.array([1.0, 2.0]), np.zeros((5, 2))
    for bad in (
        {"drawn": np.zeros((5, 3))},
        {"drawn": np.zeros((0, 2))},
        {"statistics": np.array([1.0, np.nan])},
        {"weights": np.ones(4)},
    ):
        with pytest.raises(InvalidInput):
            westfall_young(**({"statistics": t, "drawn": drawn} | bad))
    with pytest.raises(UnknownName):
        westfall_young(statistics=t, drawn=drawn, method="bonferroni")


def test_westfall_young_with_weights_is_the_weighted_count():
    every = np.array(list(itertools.product((-1.0, 1.0), repeat=2))) * [2.0, 3.0]
    got = westfall_young(statistics=np.array([2.0, 3.0]), drawn=every, weights=np.full(4, 0.25))
    assert got.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("conf_level", [0.8, 0.9, 0.95, 0.99])
def test_a_p_value_equal_to_the_level_rejects(conf_level):
    """1 - .9 is below .1 in double precision and 1 - .95 above .05: neither may decide."""
    alternatives = round((1 - conf_level) * 100)
    # One hundred equally likely draws of which `alternatives` are as extreme as the observed one at every effect.
    numerator = np.where(np.arange(100) < alternatives, 1e6, 0.0)
    moments = DrawMoments(
        linear0=numerator,
        linear1=np.zeros(100),
        square0=np.ones(100),
        square1=np.zeros(100),
        square2=np.zeros(100),
        scale=(1.0, 0.0, 0.0),
        weights=np.full(100, 0.01),
    )
    base = Estimate(estimate=3.0, std_error=1.0, df=9, n=100, n_clusters=10, method="m", conf_level=conf_level)
    test = resampling_test(moments=moments, base=base, method="m")
    assert test.estimate.p_value == pytest.approx(1 - conf_level, rel=1e-12)
    # All draws but those are zero: as extreme as an observed zero only, so only the estimate itself is kept.
    assert (test.estimate.conf_low, test.estimate.conf_high) == pytest.approx((3.0, 3.0), abs=1e-6)
