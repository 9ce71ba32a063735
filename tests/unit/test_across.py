"""Effects of studies against each other: identities, limits, refusals."""

import math

import pandas as pd
import pytest
from scipy import stats

from hhp_stats.errors import InvalidInput
from hhp_stats.studies.across import pairwise_differences


def effects(**changes: list[float] | list[str]) -> pd.DataFrame:
    given = {
        "study": ["a", "b", "c"],
        "estimate": [0.1, -0.2, 0.0],
        "std_error": [0.1, 0.2, 0.15],
        "df": [40.0, math.inf, 9.7],
        "n": [100, 200, 50],
        "conf_level": [0.95, 0.9, 0.95],
    }
    return pd.DataFrame(given | changes)


def test_every_pair_once() -> None:
    found = pairwise_differences(effects())
    assert list(zip(found["first"], found["second"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found["estimate"].tolist() == pytest.approx([0.3, 0.1, -0.2], abs=1e-15)  # subtraction of doubles
    assert found["n"].tolist() == [300, 150, 250]


def test_agrees_with_welch_for_two_means() -> None:
    # Standard errors of two means on n - 1 degrees of freedom are Welch's test: scipy's is the outside number.
    test = stats.ttest_ind_from_stats(1.0, 2.0, 25, 0.4, 3.0, 16, equal_var=False)
    given = effects(estimate=[1.0, 0.4, 0.0], std_error=[2 / 5, 3 / 4, 1.0], df=[24.0, 15.0, 9.0])
    assert pairwise_differences(given).loc[0, "p_value"] == pytest.approx(test.pvalue, rel=1e-12)  # both closed forms


def test_order_turns_the_sign_only() -> None:
    one, two = pairwise_differences(effects()), pairwise_differences(effects().iloc[::-1])
    assert one["estimate"].tolist() == [-value for value in two["estimate"].iloc[::-1]]
    assert one["p_value"].tolist() == two["p_value"].iloc[::-1].tolist()


def test_holm_over_all_pairs() -> None:
    found = pairwise_differences(effects())
    smallest = found["p_value"].min()
    assert found["p_adjusted"].min() == pytest.approx(min(1.0, 3 * smallest), rel=1e-12)  # Holm's first step
    assert (found["p_adjusted"] >= found["p_value"]).all()


def test_infinite_df_stay_infinite() -> None:
    found = pairwise_differences(effects(df=[math.inf] * 3))
    assert (found["df"] == math.inf).all()


def test_one_study_has_no_pair() -> None:
    assert pairwise_differences(effects().head(1)).empty


def test_effects_of_one_study_are_told_apart_and_not_held_against_each_other() -> None:
    found = pairwise_differences(effects(study=["a", "a", "b"], name=["a, one", "a, two", "b"]))
    assert list(zip(found["first"], found["second"], strict=True)) == [("a, one", "b"), ("a, two", "b")]
    assert set(found["first_study"]) == {"a"} and set(found["second_study"]) == {"b"}


@pytest.mark.parametrize(
    "change", [{"study": ["a", "a", "b"]}, {"std_error": [0.0, 1.0, 1.0]}, {"df": [math.nan, 1.0, 1.0]}]
)
def test_refusals(change: dict[str, list[float]]) -> None:
    with pytest.raises(InvalidInput):
        pairwise_differences(effects(**change))
