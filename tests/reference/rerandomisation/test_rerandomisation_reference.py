"""Morgan and Rubin's acceptance threshold and variance factor."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.rerandomisation import mahalanobis_rerandomisation
from hhp_stats.errors import InvalidInput

EXPECTED = pd.read_csv(Path(__file__).parent / "expected.csv", skipinitialspace=True)


@pytest.mark.parametrize("row", list(EXPECTED.itertuples()), ids=lambda r: f"k{r.covariates}-p{r.acceptance}")
def test_agrees_with_r(row):
    found = mahalanobis_rerandomisation(covariates=row.covariates, acceptance=row.acceptance)
    # Quantile searches of two libraries.
    np.testing.assert_allclose(
        [found.threshold, found.variance_factor], [row.threshold, row.variance_factor], rtol=1e-9
    )


@pytest.mark.parametrize(("k", "p", "a", "factor"), [(3, 0.01, 0.11483, 0.02282), (10, 0.1, 4.86518, 0.37669)])
def test_published_numbers(k, p, a, factor):
    found = mahalanobis_rerandomisation(covariates=k, acceptance=p)
    assert (found.threshold, found.variance_factor) == pytest.approx((a, factor), abs=5e-6)  # five decimals


def test_variance_factor_is_what_rejection_leaves():
    """Planted truth: draw normal means, keep the closest, compare their variance."""
    z = np.random.default_rng(3).standard_normal((400_000, 3))
    found = mahalanobis_rerandomisation(covariates=3, acceptance=0.2)
    kept = z[(z**2).sum(axis=1) <= found.threshold]
    assert len(kept) / len(z) == pytest.approx(0.2, abs=0.003)  # about 4.7 binomial standard errors
    assert kept.var() == pytest.approx(found.variance_factor, rel=0.015)  # 80,000 x 3 values: 0.3% noise


def test_hard_cases_are_still_in_the_file():
    assert {1, 20} <= set(EXPECTED["covariates"])
    assert {0.001, 1} <= set(EXPECTED["acceptance"])


@pytest.mark.parametrize(("k", "p"), [(0, 0.1), (2, 0.0), (2, 1.5)])
def test_refuses_what_is_no_rule(k, p):
    with pytest.raises(InvalidInput):
        mahalanobis_rerandomisation(covariates=k, acceptance=p)
