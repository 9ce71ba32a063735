"""Effect on the total variance against lme4's components, and the correlation of 0/1 outcomes (see SOURCE.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import InvalidInput, SingleClusterArm
from hhp_stats.estimate.icc import icc_anova
from hhp_stats.estimate.total_variance import icc_binary, total_variance_effect
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import model_matrix

HERE = Path(__file__).parent
DATA, EXPECTED = pd.read_csv(HERE / "data.csv"), pd.read_csv(HERE / "expected.csv", skipinitialspace=True)


def inputs(case):
    part = DATA[DATA["case"] == case]
    fit = ols(outcome=part["y"], matrix=model_matrix(part, ()))
    return coefficient(fit, cluster_covariance(fit, clusters=part["team"])), {
        "outcome": part["y"],
        "treatment": part["treatment"].astype(float),
        "clusters": part["team"],
    }


@pytest.mark.parametrize("row", EXPECTED.to_dict("records"), ids=lambda row: row["case"].strip())
def test_agrees_with_lme4(row):
    effect, given = inputs(row["case"].strip())
    found = total_variance_effect(effect, **given)
    assert found.sd_total == pytest.approx(row["total_sd"], rel=1e-6)  # lme4 stops at about that
    assert found.g.estimate == pytest.approx(effect.estimate / row["total_sd"], rel=1e-6)
    assert found.g.conf_high == pytest.approx(effect.conf_high / row["total_sd"], rel=1e-6)
    assert found.g.p_value == effect.p_value


def test_units_do_not_matter_and_the_sign_turns():
    effect, given = inputs("alike")
    base = total_variance_effect(effect, **given).g
    larger = total_variance_effect(effect.scaled(-7.0), **(given | {"outcome": -7 * given["outcome"]})).g
    assert (larger.estimate, larger.conf_low) == pytest.approx((-base.estimate, -base.conf_high), rel=1e-8)


def test_the_hard_case_is_still_there():
    assert (EXPECTED["between"] > EXPECTED["within"]).sum() == 1


def test_binary_correlation_is_that_of_pairs():
    pairs = np.array([1.0, 1, 0, 0, 1, 0, 0, 1])
    found = icc_binary(outcome=pairs, clusters=np.repeat(np.arange(4), 2))
    assert found.estimate == pytest.approx(1 / 7, rel=1e-12)  # mean squares 1/3 and 1/4
    turned = icc_binary(outcome=1 - pairs, clusters=np.repeat(np.arange(4), 2))
    assert (turned.conf_low, turned.conf_high) == pytest.approx((found.conf_low, found.conf_high), rel=1e-12)
    again = icc_anova(outcome=pairs, clusters=np.repeat(np.arange(4), 2), interval="swiger")
    assert found.conf_high == again.conf_high


def test_refusals():
    effect, given = inputs("alike")
    with pytest.raises(SingleClusterArm):
        total_variance_effect(effect, **(given | {"clusters": given["treatment"]}))
    with pytest.raises(InvalidInput, match="0 or 1"):
        icc_binary(outcome=np.arange(8.0), clusters=np.repeat(np.arange(4), 2))
