"""Scales: reverse scoring, composites by share answered, standardising, the rule for combining, reliability."""

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import InvalidInput, NonConvergence, NoObservations, UnknownName
from hhp_stats.measures.reliability import cronbach_alpha, mcdonald_omega, spearman_brown
from hhp_stats.measures.scales import combination_rule, composite, reverse_scored, standardise, standardised_sum

ANSWERS = pd.DataFrame(
    {"a": [1.0, 5, 3, np.nan, np.nan], "b": [2.0, 5, np.nan, 4, np.nan], "c": [5.0, 1, 3, np.nan, np.nan]},
    index=["p1", "p2", "p3", "p4", "p5"],
)
EVERYONE = pd.Series(True, index=ANSWERS.index)


def test_reverse_scoring_swaps_the_ends_and_keeps_gaps():
    got = reverse_scored(ANSWERS["a"], low=1, high=5)
    assert got.dropna().tolist() == [5, 1, 3] and got.isna().sum() == 2


def test_mean_and_sum_with_a_reversed_item():
    mean = composite(ANSWERS, items=["a", "b", "c"], rule="mean", low=1, high=5, reverse=["c"])
    assert mean["p1"] == pytest.approx((1 + 2 + 1) / 3) and mean["p2"] == 5
    assert mean[["p3", "p4", "p5"]].isna().all()
    total = composite(ANSWERS, items=["a", "b", "c"], rule="sum", low=1, high=5, reverse=["c"])
    assert total["p1"] == pytest.approx(4) and total["p2"] == pytest.approx(15)


@pytest.mark.parametrize(("share", "scored"), [(1.0, 2), (0.667, 3), (0.5, 3), (0.34, 3), (1 / 3, 4), (0.01, 4)])
def test_minimum_share_of_items(share, scored):
    got = composite(ANSWERS, items=["a", "b", "c"], rule="mean", low=1, high=5, minimum_share=share)
    assert got.notna().sum() == scored and np.isnan(got["p5"])


def test_a_skipped_item_counts_as_the_mean_of_the_others_in_a_sum():
    got = composite(ANSWERS, items=["a", "b", "c"], rule="sum", low=1, high=5, minimum_share=0.6)
    assert got["p3"] == pytest.approx(9)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"items": ["a", "z"]}, UnknownName),
        ({"items": []}, InvalidInput),
        ({"items": ["a", "a"]}, InvalidInput),
        ({"reverse": ["b"], "items": ["a"]}, InvalidInput),
        ({"minimum_share": 0.0}, InvalidInput),
        ({"minimum_share": 1.1}, InvalidInput),
        ({"high": 4}, InvalidInput),
        ({"low": 7, "high": 1}, InvalidInput),
    ],
)
def test_composite_refuses(change, error):
    with pytest.raises(error):
        composite(ANSWERS, **{"items": ["a", "b"], "rule": "mean", "low": 1, "high": 5} | change)


def test_standardising_on_a_named_sample():
    reference = pd.Series([True, True, True, False, False], index=ANSWERS.index)
    got = standardise(ANSWERS["a"], reference=reference, sample="control at baseline")
    assert (got.mean, got.sd, got.n, got.sample) == (3, 2, 3, "control at baseline")
    assert got.values["p1"] == -1


def test_standardised_sum_is_missing_where_a_part_is():
    got = standardised_sum(ANSWERS, columns=["a", "c"], reference=EVERYONE, sample="everyone")
    assert got.isna().sum() == 2 and got["p3"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("scores", "reference", "sample", "error"),
    [
        (ANSWERS["a"], EVERYONE & False, "nobody", NoObservations),
        (ANSWERS["a"] * 0, EVERYONE, "constant", InvalidInput),
        (ANSWERS["a"], EVERYONE, "", InvalidInput),
        (ANSWERS["a"], EVERYONE.reset_index(drop=True), "other people", InvalidInput),
    ],
)
def test_standardise_refuses(scores, reference, sample, error):
    with pytest.raises(error):
        standardise(scores, reference=reference, sample=sample)


def correlated(r, n=200):
    """Two series whose sample correlation is exactly r."""
    x, e = np.random.default_rng(5).normal(size=(2, n))
    x = (x - x.mean()) / np.linalg.norm(x - x.mean())
    e = e - e.mean() - x * (x @ (e - e.mean()))
    return pd.Series(x), pd.Series(r * x + np.sqrt(1 - r * r) * e / np.linalg.norm(e))


@pytest.mark.parametrize(
    ("r", "square", "correlation"),
    [
        (0.72, "combined", "combined"),
        (0.70, "components", "combined"),
        (0.51, "components", "combined"),
        (0.49, "components", "components"),
        (-0.9, "components", "components"),
    ],
)
def test_both_readings_of_the_combination_rule(r, square, correlation):
    first, second = correlated(r)
    for reading, branch in (("r_squared", square), ("correlation", correlation)):
        got = combination_rule(first, second, reading=reading)
        assert got.branch == branch
        assert (got.branch_by_r_squared, got.branch_by_correlation) == (square, correlation)
        assert got.correlation == pytest.approx(r, abs=1e-12)  # exact by construction, up to rounding
        assert got.readings_agree == (square == correlation)
        assert branch in got.reason and f"{r:.2f}" in got.reason


def test_combination_rule_counts_pairs_and_refuses():
    first, second = correlated(0.8)
    assert combination_rule(first.mask(first.index < 20), second.mask(second.index > 189)).n == 170
    with pytest.raises(NoObservations):
        combination_rule(first[:2], second[:2])
    with pytest.raises(InvalidInput):
        combination_rule(first, second * 0)


def items(seed=1, n=120, k=4):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(n, 1)) + rng.normal(size=(n, k)), columns=list("wxyz")[:k])


def test_omega_bootstrap_interval_is_seeded_and_holds_the_estimate():
    one, two = (mcdonald_omega(items(), draws=40, seed=3) for _ in range(2))
    assert one == two
    assert one.conf_low < one.estimate < one.conf_high
    assert mcdonald_omega(items(), draws=40, seed=4) != one


def test_reliability_counts_complete_persons_only():
    frame = items().mask(np.random.default_rng(2).random((120, 4)) < 0.1)
    assert cronbach_alpha(frame).n == len(frame.dropna()) == mcdonald_omega(frame).n


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: cronbach_alpha(items(k=1)), InvalidInput),
        (lambda: cronbach_alpha(items()[:2]), NoObservations),
        (lambda: cronbach_alpha(items().assign(x=1.0)), InvalidInput),
        (lambda: mcdonald_omega(items(k=2)), InvalidInput),
        (lambda: mcdonald_omega(items().assign(z=lambda d: d.w)), InvalidInput),
        (lambda: mcdonald_omega(items(), draws=10), InvalidInput),
        (lambda: spearman_brown(items()), InvalidInput),
        (lambda: spearman_brown(items(k=2).assign(x=lambda d: -d.w)), InvalidInput),
        (lambda: spearman_brown(items(k=2)[:3]), NoObservations),
    ],
)
def test_reliability_refuses(call, error):
    with pytest.raises(error):
        call()


@pytest.mark.parametrize("method", ["ml", "minres"])
def test_a_heywood_case_is_named(method):
    rng = np.random.default_rng(0)
    f = rng.normal(size=400)
    frame = pd.DataFrame({"a": f, "b": 0.5 * f + 0.9 * rng.normal(size=400), "c": 0.5 * f + 0.9 * rng.normal(size=400)})
    with pytest.raises(NonConvergence, match="Heywood"):
        mcdonald_omega(frame, method=method)
