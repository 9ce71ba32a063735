"""What must not matter to randomisation, bootstrap, multiplicity and power: checked on random inputs."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hhp_stats.design.detectable_effect import Clustering, cluster_detectable_effect
from hhp_stats.design.enumeration import count_allocations, enumerate_allocations
from hhp_stats.design.randomisation import AllocationRule, randomise
from hhp_stats.design.team_sums import StratifiedDraw
from hhp_stats.infer.multiplicity import holm, westfall_young
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix

FEW = settings(max_examples=25, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def trial(seed, teams=8):
    rng = np.random.default_rng(seed)
    clusters = np.r_[np.arange(teams), rng.integers(0, teams, 4 * teams)]
    arm = (rng.permutation(teams) % 2).astype(float)
    x = rng.standard_normal(len(clusters))
    y = rng.standard_normal(len(clusters)) + rng.standard_normal(teams)[clusters] + x
    return y, np.column_stack([np.ones(len(y)), arm[clusters], x]), clusters, arm


def matrix(values):
    return ModelMatrix(values=values, names=("intercept", "treatment", "x"))


def run_both(y, values, clusters, every):
    boot = wild_bootstrap(ols(outcome=y, matrix=matrix(values)), clusters=clusters, rng=np.random.default_rng(0))
    redraw = randomisation_test(outcome=y, matrix=matrix(values), clusters=clusters, assignments=every)
    return boot, redraw


@FEW
@given(seeds)
def test_affine_outcome_order_of_people_and_names_of_teams_do_not_matter(seed):
    y, values, clusters, arm = trial(seed)
    every = np.array([arm, *(np.random.default_rng(seed + 1).permutation(8) % 2 for _ in range(40))])
    base = run_both(y, values, clusters, every)
    moved = run_both(3 - 2 * y + 5 * values[:, 2], values, clusters, every)
    order = np.random.default_rng(seed).permutation(len(y))
    shuffled = run_both(y[order], values[order], clusters[order], every)
    renamed = run_both(y, values, clusters * 10 + 100, every)
    for one, other, flipped in ((base, shuffled, 1), (base, renamed, 1), (base, moved, -2)):
        for left, right in zip(one, other, strict=True):
            assert left.p_weak == right.p_weak
            assert left.p_strict == right.p_strict
            ends = np.array([left.estimate.conf_low, left.estimate.conf_high]) * flipped
            # Ends come from bisection to 1e-10 of a standard error, on sums in another order.
            np.testing.assert_allclose(
                sorted(ends),
                [right.estimate.conf_low, right.estimate.conf_high],
                rtol=1e-6,
                atol=1e-7 * right.estimate.std_error,
            )


@FEW
@given(seeds)
def test_shifting_the_treated_shifts_the_interval(seed):
    """Outcome plus 4 * treatment: the same test around an estimate 4 higher."""
    y, values, clusters, arm = trial(seed)
    every = np.array([arm, *(np.random.default_rng(seed + 1).permutation(8) % 2 for _ in range(40))])
    for left, right in zip(
        run_both(y, values, clusters, every), run_both(y + 4 * values[:, 1], values, clusters, every), strict=True
    ):
        low, high = left.estimate.conf_low + 4, left.estimate.conf_high + 4
        np.testing.assert_allclose(
            [right.estimate.conf_low, right.estimate.conf_high],
            [low, high],
            atol=1e-6 * left.estimate.std_error,
            rtol=1e-9,
        )  # bisection, sums in another order


@FEW
@given(seeds)
def test_swapping_the_arms_mirrors_everything(seed):
    y, values, clusters, arm = trial(seed)
    every = np.array([arm, *(np.random.default_rng(seed + 1).permutation(8) % 2 for _ in range(40))])
    swapped = values.copy()
    swapped[:, 1] = 1 - swapped[:, 1]
    for left, right in zip(
        run_both(y, values, clusters, every), run_both(y, swapped, clusters, 1 - every), strict=True
    ):
        assert left.p_weak == right.p_weak
        np.testing.assert_allclose(left.estimate.conf_low, -right.estimate.conf_high, rtol=1e-6, atol=1e-7)  # bisection


@FEW
@given(seeds)
def test_duplicating_everybody_within_teams_keeps_the_redraws_order(seed):
    """Twice the people in each team: coefficients are the same, so unstudentised p-values are."""
    y, values, clusters, arm = trial(seed)
    every = np.array([arm, *(np.random.default_rng(seed + 1).permutation(8) % 2 for _ in range(40))])
    common = {"assignments": every, "statistic": "difference", "interval": False}
    once = randomisation_test(outcome=y, matrix=matrix(values), clusters=clusters, **common)
    twice = randomisation_test(
        outcome=np.r_[y, y], matrix=matrix(np.r_[values, values]), clusters=np.r_[clusters, clusters], **common
    )
    assert once.p_weak == twice.p_weak


@FEW
@given(st.lists(st.integers(0, 4), min_size=2, max_size=14), seeds)
def test_every_stratum_is_halved(labels, seed):
    drawn = StratifiedDraw.of(labels)(np.random.default_rng(seed), 50)
    assert drawn.shape == (50, len(labels))
    for label in set(labels):
        inside = np.array(labels) == label
        assert (np.abs(2 * drawn[:, inside].sum(axis=1).astype(int) - inside.sum()) <= 1).all()
    assert count_allocations(labels) >= len(np.unique(drawn, axis=0))


@FEW
@given(seeds, st.floats(0, 0.9), st.integers(0, 5))
def test_enumerated_chances_sum_to_one_and_treat_the_arms_alike(seed, alpha, redraws):
    rng = np.random.default_rng(seed)
    team = np.r_[np.arange(7), rng.integers(0, 7, 30)]
    people = pd.DataFrame({"staff_id": np.arange(37), "team_id": team, "local_authority": "A"})
    people = people.assign(role=rng.choice(["a", "b"], 37), service_years=rng.gamma(2, 2, 37))
    strata = pd.DataFrame({"team_id": np.arange(7), "stratum": np.arange(7) % 2})
    rule = AllocationRule(alpha=alpha, max_redraws=redraws)
    every, chance, _ = enumerate_allocations(people=people, strata=strata, rule=rule)
    np.testing.assert_allclose(chance.sum(), 1, rtol=1e-12)  # a sum of 36 numbers
    np.testing.assert_allclose(chance @ every, 0.5, rtol=1e-12)
    assert len(np.unique(every, axis=0)) == len(every)
    drawn = randomise(people=people, strata=strata, rule=rule, seed=seed).teams["treatment"].to_numpy()
    place = int(np.flatnonzero((every == drawn).all(axis=1))[0])
    assert chance[place] > 0


@FEW
@given(probabilities)
def test_holm_is_monotone_and_between_plain_and_bonferroni(p):
    p = np.array(p)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, len(p) * p) + 1e-15).all()
    order = np.argsort(p)
    assert (np.diff(adjusted[order]) >= 0).all()
    np.testing.assert_array_equal(holm(p[::-1]), adjusted[::-1])


@FEW
@given(seeds, st.sampled_from(["max_t", "min_p"]))
def test_westfall_young_keeps_the_order_and_lies_above_the_plain_values(seed, method):
    rng = np.random.default_rng(seed)
    t, drawn = rng.standard_normal(4) * 2, rng.standard_normal((99, 4))
    adjusted = westfall_young(statistics=t, drawn=drawn, method=method)
    plain = np.array([westfall_young(statistics=t[[j]], drawn=drawn[:, [j]], method=method)[0] for j in range(4)])
    assert (adjusted >= plain - 1e-15).all()
    assert adjusted.max() <= 1
    columns = rng.permutation(4)
    permuted = westfall_young(statistics=t[columns], drawn=drawn[:, columns], method=method)
    if len(np.unique(plain)) == 4 or method == "max_t":  # equal p-values have no order to keep
        np.testing.assert_array_equal(permuted, adjusted[columns])


@FEW
@given(st.floats(2, 30), st.floats(3, 200), st.floats(0, 0.5), st.floats(0, 1.5), st.floats(0, 0.9))
def test_detectable_effect_moves_the_right_way(m, k, icc, cv, r):
    def effect(m=m, k=k, icc=icc, cv=cv, r=r):
        design = Clustering(mean_size=m, clusters_per_arm=k, icc=icc, size_cv=cv)
        return cluster_detectable_effect(clustering=design, baseline_correlation=r)

    assert effect(k=k + 1) < effect()
    assert effect(icc=icc + 0.1) > effect()
    assert effect(cv=cv + 0.5) >= effect()
    assert effect(r=r / 2) >= effect()
    assert effect(m=m * 2) <= effect() * (1 + 1e-12)  # more people in the same teams never hurt
