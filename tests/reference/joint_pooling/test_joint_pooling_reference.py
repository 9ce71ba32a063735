"""D2 and D3 against mice (see SOURCE.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import EstimationError, InvalidInput
from hhp_stats.infer.pooled_ratios import pool_likelihood_ratios, pool_statistics

EXPECTED = pd.read_csv(Path(__file__).parent / "expected.csv")


def numbers(text):
    return np.array([float(part) for part in text.split()])


@pytest.mark.parametrize("row", EXPECTED.to_dict("records"), ids=lambda row: row["case"])
def test_agrees_with_mice(row):
    d2 = pool_statistics(statistics=numbers(row["wald"]), parameters=row["k"])
    d3 = pool_likelihood_ratios(statistics=numbers(row["ratio"]), at_pooled=numbers(row["held"]), parameters=row["k"])
    for found, name in ((d2, "d2"), (d3, "d3")):
        ours = (found.statistic, found.df_denominator, found.p_value, found.relative_increase)
        # The same closed formulas; R writes 15 digits, of which the difference of likelihoods in r keeps some nine.
        assert ours == pytest.approx([row[name], row[f"{name}_df"], row[f"{name}_p"], row[f"{name}_r"]], rel=1e-7)


def test_the_hard_cases_are_still_there():
    assert set(EXPECTED["k"]) == {1, 2} and {len(numbers(text)) for text in EXPECTED["wald"]} == {3, 5, 20}
    assert (
        (EXPECTED["k"] * (EXPECTED["wald"].map(lambda t: len(numbers(t))) - 1)) <= 4
    ).any()  # the other formula for df


def test_the_order_of_the_imputations_does_not_matter():
    w = np.array([4.0, 6.0, 9.0])
    assert pool_statistics(statistics=w, parameters=2).p_value == pytest.approx(
        pool_statistics(statistics=w[::-1], parameters=2).p_value, rel=1e-12
    )


def test_refusals():
    with pytest.raises(InvalidInput, match="one an imputation"):
        pool_statistics(statistics=np.array([1.0]), parameters=1)
    with pytest.raises(EstimationError, match="do not differ"):
        pool_statistics(statistics=np.array([2.0, 2.0]), parameters=1)
    with pytest.raises(InvalidInput, match="at least one parameter"):
        pool_statistics(statistics=np.array([2.0, 3.0]), parameters=0)
    with pytest.raises(EstimationError, match="no likelihood ratios"):
        pool_likelihood_ratios(statistics=np.array([2.0, 3.0]), at_pooled=np.array([4.0, 5.0]), parameters=1)
