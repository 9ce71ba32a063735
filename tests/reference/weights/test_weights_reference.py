"""Inverse-probability weights and the weighted, clustered effect against R."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from numpy.testing import assert_allclose

from hhp_stats.estimate.weights import response_weights, weighted_effect
from hhp_stats.regression.model_matrix import Term, model_matrix

HERE = Path(__file__).parent
EXPECTED = pd.read_csv(HERE / "expected.csv").set_index("quantity")["value"]
DATA = pd.read_csv(HERE / "data.csv")
RESPONSE = model_matrix(DATA, [Term(column="x1", kind="continuous"), Term(column="x2", kind="binary")])
ANALYSIS = model_matrix(DATA, [Term(column="x1", kind="continuous")])


def test_r() -> None:
    for prefix, quantile in (("", 1.0), ("trimmed_", 0.95)):
        weights = response_weights(answered=DATA["y"].notna(), matrix=RESPONSE, trim_above=quantile)
        effect = weighted_effect(
            outcome=DATA["y"].to_numpy(), matrix=ANALYSIS, response=weights, clusters=DATA["team_id"]
        )
        expected = EXPECTED[[f"{prefix}estimate", f"{prefix}std_error"]]
        # Both logits are iterated to about 1e-14 of the deviance, coefficients to its root.
        assert_allclose([effect.estimate, effect.std_error], expected, rtol=1e-7)
        jackknifed = weighted_effect(
            outcome=DATA["y"].to_numpy(), matrix=ANALYSIS, response=weights, clusters=DATA["team_id"], kind="CR3"
        )
        assert_allclose(jackknifed.std_error, EXPECTED[f"{prefix}std_error_cr3"], rtol=1e-7)
        assert effect.df == 39 and effect.n == DATA["y"].notna().sum()
        if quantile < 1:
            assert_allclose(weights.ceiling, EXPECTED["ceiling"], rtol=1e-8)
            assert weights.trimmed > 0 and f"{weights.trimmed} weights trimmed" in effect.note
        else:
            assert_allclose(weights.by_arm["effective_n"], EXPECTED[["effective_n_0", "effective_n_1"]], rtol=1e-8)
            assert_allclose(weights.weights.max(), EXPECTED["largest"], rtol=1e-8)
            assert weights.trimmed == 0 and "no weight trimmed" in effect.note


def test_the_hard_case_is_still_in_the_file() -> None:
    answered = DATA["y"].notna()
    slope = {arm: part["x1"][answered].mean() - part["x1"][~answered].mean() for arm, part in DATA.groupby("treatment")}
    assert slope[0] < -0.1 and slope[1] > 0.5
    assert abs(EXPECTED["estimate"] - EXPECTED["trimmed_estimate"]) > 1e-3
