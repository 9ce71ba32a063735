"""Standardised effects against base R and a published example: see SOURCE.md in this folder."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.estimate.effect_size import hedges_g_clustered, hedges_g_from_summary, noncentral_interval
from hhp_stats.results.frame import Estimate

HERE = Path(__file__).parent
INDIVIDUAL = pd.read_csv(HERE / "individual.csv").set_index("case")
CLUSTERED = pd.read_csv(HERE / "clustered.csv")


def effect(row, correction):
    return hedges_g_from_summary(
        mean_treatment=row.m1,
        mean_control=row.m0,
        sd_treatment=row.s1,
        sd_control=row.s0,
        n_treatment=int(row.n1),
        n_control=int(row.n0),
        correction=correction,
    )


@pytest.mark.parametrize("case", INDIVIDUAL.index)
def test_individual_trials(case):
    row = INDIVIDUAL.loc[case]
    exact, short = effect(row, "exact"), effect(row, "approximate")
    # One formula on both sides, in double precision.
    assert exact.d == pytest.approx(row.d, rel=1e-11)
    assert exact.small_sample_factor == pytest.approx(row.j_exact, rel=1e-11)
    assert exact.g.estimate == pytest.approx(row.g, rel=1e-11)
    assert exact.g.std_error**2 == pytest.approx(row.variance, rel=1e-11)
    assert short.g.estimate == pytest.approx(row.g_approximate, rel=1e-11)
    assert short.g.std_error**2 == pytest.approx(row.variance_approximate, rel=1e-11)
    low, high = noncentral_interval(exact, n_treatment=int(row.n1), n_control=int(row.n0))
    assert low == pytest.approx(row.nc_low, rel=1e-6)  # two series for the noncentral t
    assert high == pytest.approx(row.nc_high, rel=1e-6)


def test_published_example():
    """Borenstein and others, chapter 4, with the shortcut for J that they use."""
    got = effect(INDIVIDUAL.loc["borenstein"], "approximate")
    assert (got.d, got.small_sample_factor) == pytest.approx((0.597022, 0.992327), abs=5e-7)  # printed digits
    assert got.g.estimate == pytest.approx(0.592442, abs=1e-6)  # printed from factors already rounded
    assert got.g.std_error**2 == pytest.approx(0.041143, abs=5e-7)


def trial(m, k, s):
    """Equal teams whose outcomes have exactly the pooled standard deviation s."""
    y = np.random.default_rng(7).normal(size=m * k)
    team = np.repeat(np.arange(k), m)
    z = (team % 2).astype(float)
    for arm in (0, 1):
        y[z == arm] -= y[z == arm].mean()
    return y * s / np.sqrt((y**2).sum() / (m * k - 2)), z, team


@pytest.mark.parametrize("index", range(len(CLUSTERED)))
def test_cluster_trials(index):
    row = CLUSTERED.iloc[index]
    y, z, team = trial(int(row.m), int(row.k), row.s)
    given = Estimate(
        estimate=row.effect, std_error=row.std_error, df=row.k - 1, n=len(y), n_clusters=int(row.k), method="given"
    )
    got = hedges_g_clustered(given, outcome=y, treatment=z, clusters=team, icc=row.icc)
    # One formula on both sides; the standard deviation is reached by scaling.
    assert got.df == pytest.approx(row.h, rel=1e-10)
    assert got.g.estimate == pytest.approx(row.g, rel=1e-10)
    assert got.g.std_error == pytest.approx(row.se_g, rel=1e-10)


def test_hard_cases_are_still_in_the_file():
    assert INDIVIDUAL.loc["small", "df"] == 8
    assert INDIVIDUAL.loc["unequal", "n1"] == 10 * INDIVIDUAL.loc["unequal", "n0"]
    assert INDIVIDUAL.loc["zero", "d"] == 0 and INDIVIDUAL.loc["negative", "d"] < 0
    assert set(CLUSTERED["icc"]) == {0, 0.05, 0.2} and len(CLUSTERED) == 36
