"""Holm against R's p.adjust; Westfall-Young against its definition written out in R."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.infer.multiplicity import holm, westfall_young

HERE = Path(__file__).parent
HOLM = pd.read_csv(HERE / "holm_expected.csv", skipinitialspace=True)
DRAWS = pd.read_csv(HERE / "draws.csv", skipinitialspace=True)
STEP_DOWN = pd.read_csv(HERE / "westfall_young_expected.csv", skipinitialspace=True)


@pytest.mark.parametrize("case", HOLM["case"].unique())
def test_holm_agrees_with_r(case):
    rows = HOLM.loc[HOLM["case"] == case]
    np.testing.assert_allclose(holm(rows["p_value"]), rows["adjusted"], rtol=1e-12)  # products of inputs


def test_holm_published_list():
    p = HOLM.loc[HOLM["case"] == "published", "p_value"]
    np.testing.assert_allclose(
        holm(p)[:7], [0.015, 0.112, 0.507, 0.507, 0.507, 0.600, 0.666], atol=5e-4
    )  # three decimals


@pytest.mark.parametrize("method", ["max_t", "min_p"])
@pytest.mark.parametrize("case", STEP_DOWN["case"].unique())
def test_westfall_young_agrees_with_its_definition(case, method):
    drawn = DRAWS.loc[DRAWS["case"] == case].drop(columns=["case", "draw"]).to_numpy()
    expected = STEP_DOWN.loc[STEP_DOWN["case"] == case, method]
    got = westfall_young(statistics=drawn[0], drawn=drawn[1:], method=method)
    np.testing.assert_allclose(got, expected, rtol=1e-12)  # counts over 61


def test_hard_cases_are_still_in_the_file():
    assert HOLM.groupby("case")["p_value"].agg(lambda p: p.duplicated().any()).any()
    assert HOLM["p_value"].isin([0, 1]).any()
    tied = DRAWS.query("case == 'tied'").drop(columns=["case", "draw"]).to_numpy()
    assert (np.abs(tied[1:]) == np.abs(tied[0])).any()
    unlike = STEP_DOWN.query("case == 'unlike_scales'")
    assert (unlike["max_t"] != unlike["min_p"]).any()
