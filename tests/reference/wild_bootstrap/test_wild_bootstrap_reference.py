"""Wild cluster bootstrap against refitting in R, and Grunfeld's published p-values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.datasets import grunfeld

from hhp_stats.infer.wild_bootstrap import WEBB, _Pieces, wild_bootstrap
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix

HERE = Path(__file__).parent
DATA = pd.read_csv(HERE / "data.csv", skipinitialspace=True)
EXPECTED = pd.read_csv(HERE / "expected.csv", skipinitialspace=True)
DRAWS = pd.read_csv(HERE / "webb_draws.csv", skipinitialspace=True)


def fit(case):
    data = DATA.loc[DATA["case"] == case]
    values = np.column_stack([np.ones(len(data)), data["d"], data["x1"], data["x2"]])
    matrix = ModelMatrix(values=values, names=("intercept", "treatment", "x1", "x2"))
    return ols(outcome=data["y"].to_numpy(), matrix=matrix), data["cluster"]


@pytest.mark.parametrize("case", EXPECTED["case"].unique())
def test_enumerated_p_values_agree_with_r(case):
    model, clusters = fit(case)
    if case == "two_treated":
        model_rows = EXPECTED.loc[EXPECTED["case"] == case]
        assert (model_rows["clusters"] == 7).all()
    test = wild_bootstrap(model, clusters=clusters, rng=np.random.default_rng(1))
    assert test.enumerated
    for row in EXPECTED.loc[EXPECTED["case"] == case].itertuples():
        assert test.draws == 2**row.clusters
        # R prints 15 digits; both sides solve the same normal equations.
        np.testing.assert_allclose(test.estimate.estimate, row.estimate, rtol=1e-10)
        np.testing.assert_allclose(test.estimate.std_error, row.std_error, rtol=1e-10)
        p = {
            ties: test.moments.p_value(effect=row.effect0, statistic=row.statistic, ties=ties)
            for ties in ("weak", "strict")
        }
        assert p["weak"] == pytest.approx(row.p_weak, abs=1e-12)  # counts over 2^G
        assert p["strict"] == pytest.approx(row.p_strict, abs=1e-12)


@pytest.mark.parametrize("case", DRAWS["case"].unique())
def test_webb_draws_agree_with_r(case):
    model, clusters = fit(case)
    labels = np.sort(clusters.unique())
    pieces = _Pieces.of(model, np.searchsorted(labels, clusters.to_numpy()), len(labels), "treatment")
    rows = DRAWS.loc[DRAWS["case"] == case]
    v = np.array([WEBB[[int(i) for i in text.split()]] for text in rows["weights"]])
    linear0, linear1, square0, square1, square2 = pieces.moments(v @ pieces.sums, v**2 @ pieces.squares)
    e = rows["effect0"].to_numpy()
    t = (linear0 - e * linear1) / np.sqrt(square0 - 2 * e * square1 + e**2 * square2)
    np.testing.assert_allclose(t, rows["statistic"], rtol=1e-9)  # small systems in double precision


def test_grunfeld_published_numbers():
    data = grunfeld.load_pandas().data.query("firm != 'American Steel'")
    values = np.column_stack([np.ones(len(data)), data["value"], data["capital"]])
    model = ols(
        outcome=data["invest"].to_numpy(), matrix=ModelMatrix(values=values, names=("intercept", "value", "capital"))
    )
    test = wild_bootstrap(model, clusters=data["firm"], term="value", rng=np.random.default_rng(1))
    assert test.estimate.statistic == pytest.approx(7.270650, abs=5e-7)  # printed to six decimals
    assert test.p_strict == 2 / 1024
    assert test.p_weak == 4 / 1024 == test.estimate.p_value
    # The ends of the interval: just inside is kept, just outside rejected.
    width = test.estimate.conf_high - test.estimate.conf_low
    for end, outwards in ((test.estimate.conf_low, -1), (test.estimate.conf_high, 1)):
        assert test.p_at(end - outwards * 1e-6 * width) > 0.05
        assert test.p_at(end + outwards * 1e-6 * width) <= 0.05


def test_hard_cases_are_still_in_the_file():
    sizes = DATA.groupby("case")["cluster"].value_counts().groupby("case").min()
    assert sizes["unequal_teams"] == 1  # a team of one
    assert EXPECTED["clusters"].min() <= 4  # so few teams that nothing can be significant
    within = DATA.groupby(["case", "cluster"])["d"].nunique().groupby("case").max()
    assert within["treatment_within_teams"] == 2
    assert (DATA.loc[DATA["case"] == "count_outcome", "y"] % 1 == 0).all()
    treated = DATA.query("case == 'two_treated' and d == 1")["cluster"].nunique()
    assert treated == 2
    assert (EXPECTED["p_weak"] > EXPECTED["p_strict"]).all()  # all signs equal is always a tie
    assert EXPECTED["p_weak"].between(0.001, 0.05).any()
    assert (EXPECTED["p_weak"] > 0.5).any()
