"""Chi-squared and Fisher's exact test against R (see SOURCE.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import InvalidInput, NoObservations
from hhp_stats.infer.contingency import chi_squared_test, fisher_exact_test

EXPECTED = pd.read_csv(Path(__file__).parent / "expected.csv", na_values=["NA"], skipinitialspace=True)


def table_of(text):
    return np.array([float(part) for part in text.split()]).reshape(2, -1)


@pytest.mark.parametrize("row", EXPECTED.to_dict("records"), ids=lambda row: row["table"])
def test_agrees_with_r(row):
    table = table_of(row["table"])
    plain = chi_squared_test(table)
    assert (plain.statistic, plain.p_value) == pytest.approx((float(row["chi"]), float(row["p"])), rel=1e-10)
    if table.shape != (2, 2):
        return
    yates, exact = chi_squared_test(table, continuity=True), fisher_exact_test(table)
    assert (yates.statistic, yates.p_value) == pytest.approx((float(row["yates"]), float(row["yates_p"])), rel=1e-10)
    assert exact.p_value == pytest.approx(
        float(row["fisher_p"]), rel=1e-7
    )  # R compares probabilities with that tolerance
    # R searches t in (0, 1) for 1 / odds to 1.2e-4: three digits of the ratio.
    assert [exact.odds_ratio, exact.conf_low, exact.conf_high] == pytest.approx(
        [float(row[n]) for n in ("odds", "low", "high")], rel=1e-3
    )


def test_separated_tables_are_still_there():
    assert EXPECTED["table"].str.contains(r"\b0\b").sum() == 2


def test_what_must_not_matter_and_what_must():
    table = np.array([[3, 17], [7, 18]])
    for same in (table.T, table[::-1, ::-1]):
        assert chi_squared_test(same).statistic == pytest.approx(chi_squared_test(table).statistic, rel=1e-12)
        assert fisher_exact_test(same).odds_ratio == pytest.approx(fisher_exact_test(table).odds_ratio, rel=1e-6)
    assert fisher_exact_test(table[::-1]).odds_ratio == pytest.approx(1 / fisher_exact_test(table).odds_ratio, rel=1e-6)
    assert chi_squared_test(10 * table).statistic == pytest.approx(10 * chi_squared_test(table).statistic, rel=1e-12)


def test_refusals():
    with pytest.raises(InvalidInput, match="whole numbers"):
        chi_squared_test([[1.5, 2], [3, 4]])
    with pytest.raises(InvalidInput, match="two rows"):
        chi_squared_test([[1, 2]])
    with pytest.raises(NoObservations, match="holds nobody"):
        fisher_exact_test([[0, 0], [3, 4]])
    with pytest.raises(InvalidInput, match="two-by-two"):
        fisher_exact_test([[1, 2, 3], [3, 4, 5]])
