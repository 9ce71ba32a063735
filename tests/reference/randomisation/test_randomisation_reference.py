"""Randomisation inference against full enumeration with R's lm; balance tests against R's own."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.randomisation import AllocationRule
from hhp_stats.design.team_sums import TeamSums
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix

HERE = Path(__file__).parent
DATA = pd.read_csv(HERE / "data.csv", skipinitialspace=True)
EXPECTED = pd.read_csv(HERE / "expected.csv", skipinitialspace=True)


def every_allocation(strata):
    """All ways to treat half of each stratum, independently written from the R script."""
    bits = np.array(list(itertools.product((0, 1), repeat=len(strata))))
    keep = np.ones(len(bits), dtype=bool)
    for stratum in set(strata):
        inside = (strata == stratum).to_numpy()
        keep &= np.abs(2 * bits[:, inside].sum(axis=1) - inside.sum()) <= 1
    return bits[keep]


def inputs(case, *, dummies, effect0):
    data = DATA.loc[DATA["case"] == case]
    columns = {"intercept": np.ones(len(data)), "treatment": data["treatment"], "x": data["x"]}
    if dummies:
        columns |= {f"s{s}": data["stratum"] == s for s in sorted(data["stratum"].unique())[1:]}
    values = np.column_stack([np.asarray(c, dtype=float) for c in columns.values()])
    outcome = (data["y"] - effect0 * data["treatment"]).to_numpy()
    return outcome, ModelMatrix(values=values, names=tuple(columns)), data["cluster"]


@pytest.mark.parametrize(("case", "dummies"), list(itertools.product(EXPECTED["case"].unique(), (False, True))))
def test_enumerated_p_values_agree_with_r(case, dummies):
    data = DATA.loc[DATA["case"] == case]
    everything = every_allocation(data.drop_duplicates("cluster")["stratum"])
    rows = EXPECTED.query("case == @case and dummies == @dummies")
    assert len(rows) == 12
    for row in rows.itertuples():
        outcome, matrix, clusters = inputs(case, dummies=dummies, effect0=row.effect0)
        test = randomisation_test(
            outcome=outcome,
            matrix=matrix,
            clusters=clusters,
            assignments=everything,
            statistic=row.statistic,
            alternative=row.alternative,
            interval=False,
        )
        assert test.draws == row.allocations
        assert test.enumerated
        assert test.estimate.statistic == pytest.approx(row.observed, rel=1e-9)  # two least-squares solvers
        assert test.p_weak == pytest.approx(row.p_weak, abs=1e-12)  # counts
        assert test.p_strict == pytest.approx(row.p_strict, abs=1e-12)


@pytest.mark.parametrize("dummies", [False, True])
@pytest.mark.parametrize("case", EXPECTED["case"].unique())
def test_a_hypothesised_effect_needs_no_second_run(case, dummies):
    data = DATA.loc[DATA["case"] == case]
    everything = every_allocation(data.drop_duplicates("cluster")["stratum"])
    outcome, matrix, clusters = inputs(case, dummies=dummies, effect0=0.0)
    test = randomisation_test(outcome=outcome, matrix=matrix, clusters=clusters, assignments=everything)
    rows = EXPECTED.query("case == @case and dummies == @dummies and alternative == 'two-sided' and statistic == 't'")
    for row in rows.itertuples():
        assert test.p_at(row.effect0) == pytest.approx(row.p_weak, abs=1e-12)  # counts


def test_village_heads():
    """Gerber and Green's seven villages, two of them treated."""
    d, y = np.array([1.0, 0, 0, 0, 0, 0, 1]), np.array([15.0, 15, 20, 20, 10, 15, 30])
    everything = np.array([[i in pair for i in range(7)] for pair in itertools.combinations(range(7), 2)])
    matrix = ModelMatrix(values=np.column_stack([np.ones(7), d]), names=("intercept", "treatment"))
    common = {"outcome": y, "matrix": matrix, "clusters": np.arange(7), "assignments": everything}
    two = randomisation_test(statistic="difference", **common)
    one = randomisation_test(statistic="difference", alternative="greater", **common)
    assert two.estimate.estimate == pytest.approx(6.5)
    assert two.draws == 21
    assert two.p_weak == pytest.approx(8 / 21)
    assert one.p_weak == pytest.approx(5 / 21)


def test_studentised_statistic_of_any_draw_is_that_of_a_refit():
    """Not only p-values: every drawn t, for a treatment effect other than zero, with uneven teams."""
    rng = np.random.default_rng(5)
    clusters = np.r_[np.arange(14), rng.integers(0, 14, 90)]
    observed = (rng.permutation(14) % 2).astype(float)
    others = np.column_stack(
        [np.ones(104), clusters % 3 == 1, clusters % 3 == 2, rng.standard_normal((104, 3))]
    ).astype(float)
    outcome = rng.standard_normal(104) + rng.standard_normal(14)[clusters]
    names = ("intercept", "treatment", "a", "b", "c", "d", "e")

    def matrix(arm):
        return ModelMatrix(values=np.column_stack([others[:, 0], arm[clusters], others[:, 1:]]), names=names)

    draws = np.array([observed, *(rng.permutation(14) % 2 for _ in range(20))])
    test = randomisation_test(outcome=outcome, matrix=matrix(observed), clusters=clusters, assignments=draws)
    for effect0 in (0.0, 0.7):
        refit = []
        for arm in draws:
            model = ols(outcome=outcome - effect0 * observed[clusters], matrix=matrix(arm))
            refit.append(coefficient(model, cluster_covariance(model, clusters=clusters)).statistic)
        np.testing.assert_allclose(test.moments.statistics(effect0), refit, rtol=1e-8)  # sums against a refit


def test_balance_tests_agree_with_r():
    people = pd.read_csv(HERE / "balance_people.csv")
    expected = pd.read_csv(HERE / "balance_expected.csv").set_index("test")["p_value"]
    strata = people[["team_id"]].drop_duplicates().assign(stratum="all")
    sums = TeamSums.of(people, strata, AllocationRule())
    arm = people.drop_duplicates("team_id").set_index("team_id")["treatment"].loc[sums.teams["team_id"]]
    got = sums.p_values(arm.to_numpy(dtype=np.uint8)[:, None])[0]
    # Two libraries' incomplete gamma and beta functions.
    np.testing.assert_allclose(got, expected[["role", "service_years"]], rtol=1e-10)
    assert people["role"].isna().any()
    assert people["service_years"].isna().any()


def test_hard_cases_are_still_in_the_file():
    sizes = DATA.drop_duplicates(["case", "cluster"]).groupby(["case", "stratum"]).size()
    assert (sizes.loc["odd_strata"] % 2 == 1).all()
    assert (sizes.loc["pairs"] == 2).all()
    assert (DATA.query("case == 'odd_strata'").groupby("cluster").size() == 1).any()
    assert set(EXPECTED["alternative"]) == {"two-sided", "greater", "less"}
    assert (EXPECTED["effect0"] != 0).any()
    assert (EXPECTED["p_weak"] > EXPECTED["p_strict"]).all()
