"""Power by the noncentral t against R's power.t.test (see SOURCE.md)."""

from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.design.detectable_by_t import cluster_detectable_effect_t
from hhp_stats.design.detectable_effect import Clustering, ErrorRates, cluster_detectable_effect, power_of
from hhp_stats.design.individual_power import individual_detectable_effect_t, individual_power
from hhp_stats.errors import EstimationError, InvalidInput
from hhp_stats.estimate.effect_size import hedges_g_from_summary, noncentral_interval

BY_T = pd.read_csv(Path(__file__).parent / "by_t.csv", skipinitialspace=True)
TAILS = pd.read_csv(Path(__file__).parent / "tails.csv", skipinitialspace=True)
EXPECTED = pd.read_csv(Path(__file__).parent / "expected.csv", skipinitialspace=True)


@pytest.mark.parametrize("row", EXPECTED.to_dict("records"), ids=lambda r: f"{r['n']}-{r['delta']}-{r['alpha']}")
def test_agrees_with_power_t_test(row):
    n = row["n"]
    found = individual_power(effect=row["delta"], n_treatment=n, n_control=n, alpha=row["alpha"])
    assert found == pytest.approx(row["power"], rel=1e-9)  # two series for the same integral
    smallest = individual_detectable_effect_t(
        n_treatment=n, n_control=n, rates=ErrorRates(alpha=row["alpha"], power=0.8)
    )
    assert smallest == pytest.approx(row["detectable"], rel=1e-6)  # R's root is good to some seven digits


@pytest.mark.parametrize("row", TAILS.to_dict("records"), ids=lambda r: f"{r['n1']}-{r['n0']}-{r['alpha']}")
def test_agrees_with_quadrature_in_far_tails(row):
    n = {"n_treatment": int(row["n1"]), "n_control": int(row["n0"])}
    # Both integrate to twelve digits or more.
    assert individual_power(effect=row["effect"], alpha=row["alpha"], **n) == pytest.approx(row["power"], rel=1e-10)
    d = min(row["effect"], 30.0)
    means = {"mean_treatment": d, "mean_control": 0.0, "sd_treatment": 1.0, "sd_control": 1.0}
    for sign in (1, -1):
        found = hedges_g_from_summary(**(means | {"mean_treatment": sign * d}), **n)
        ends = noncentral_interval(found, **n)
        expected = (row["low"], row["high"]) if sign == 1 else (-row["high"], -row["low"])
        assert ends == pytest.approx(expected, rel=1e-9)  # R's root, to 1e-12 of a noncentrality of tens


@pytest.mark.parametrize("row", BY_T.to_dict("records"), ids=lambda r: f"{r['k']}-{r['m']}-{r['icc']}-{r['alpha']}")
def test_few_clusters_agree_with_power_t_test_of_their_means(row):
    shape = Clustering(
        mean_size=float(row["m"]), clusters_per_arm=float(row["k"]), icc=float(row["icc"]), lost_clusters=0
    )
    rates = ErrorRates(alpha=row["alpha"], power=0.8)
    found = cluster_detectable_effect_t(clustering=shape, rates=rates)
    assert found == pytest.approx(row["detectable"], rel=1e-6)  # R's root is good to some seven digits
    assert found > cluster_detectable_effect(clustering=shape, rates=rates)


def test_small_trials_are_still_there():
    assert BY_T["k"].min() == 2 and BY_T["m"].min() == 1 and BY_T["icc"].max() > 0
    assert EXPECTED["n"].min() == 3 and EXPECTED["alpha"].nunique() == 2
    assert TAILS["alpha"].min() < 1e-9 and TAILS[["n1", "n0"]].min().tolist() == [2, 2] and TAILS["effect"].max() > 40


def test_units_sign_and_the_normal_limit():
    one = individual_power(effect=0.4, n_treatment=20, n_control=30)
    assert individual_power(effect=-0.4, n_treatment=30, n_control=20) == pytest.approx(one, rel=1e-12)
    assert individual_power(effect=40, n_treatment=20, n_control=30, std_dev=100.0) == pytest.approx(one, rel=1e-12)
    assert one < power_of(effect=0.4, effective_per_arm=24.0)  # the normal formula is too high
    assert individual_power(effect=0.1, n_treatment=3000, n_control=3000) == pytest.approx(
        power_of(effect=0.1, effective_per_arm=3000.0), abs=1e-4
    )
    assert individual_power(effect=0.0, n_treatment=9, n_control=9) == pytest.approx(0.05, rel=1e-9)
    assert individual_power(effect=1e6, n_treatment=9, n_control=9) == 1.0


def test_refusals():
    with pytest.raises(InvalidInput, match="two people"):
        individual_power(effect=0.1, n_treatment=1, n_control=9)
    with pytest.raises(InvalidInput, match="finite effect"):
        individual_power(effect=float("inf"), n_treatment=9, n_control=9)
    with pytest.raises(EstimationError, match="needs no effect"):
        individual_detectable_effect_t(n_treatment=9, n_control=9, rates=ErrorRates(alpha=0.2, power=0.1))
