"""The result frame refuses rows that contradict themselves, and survives a round trip through CSV."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from hhp_stats.results.frame import (
    COLUMNS,
    Estimate,
    ResultError,
    ResultRow,
    changed_results,
    not_estimated,
    read_results,
    result_frame,
    row_of,
    write_results,
)
from hhp_stats.results.lacking import noted
from hhp_stats.results.withheld import NOTE, NUMBERS

ABOUT = {
    "population": "everyone",
    "contrast": "treatment minus control",
    "analysis": "planned",
    "clause": "P54",
    "source": "here",
}


def estimate(**changes):
    given = {"estimate": -0.4, "std_error": 0.2, "df": 10.0, "n": 100, "n_clusters": 11, "method": "OLS"} | changes
    return Estimate(**given)


def row(result_id="goal_setting/sickness_absence/itt/cr1", **changes):
    return estimate(**changes).row(result_id=result_id, **ABOUT)


def test_estimate_fills_t_test_and_interval():
    made = estimate()
    assert made.statistic == pytest.approx(-2.0, rel=1e-12)
    # Student's t with 10 df: the two-sided 5% point is 2.228139 (any table).
    assert made.conf_low == pytest.approx(-0.4 - 2.228139 * 0.2, abs=1e-6)  # table has six decimals
    assert made.p_value == pytest.approx(0.0734, abs=5e-5)  # R: 2 * pt(-2, 10) = 0.07338803


def test_estimate_with_infinite_df_is_normal():
    assert estimate(df=math.inf).conf_high == pytest.approx(-0.4 + 1.959964 * 0.2, abs=1e-6)  # table


@pytest.mark.parametrize("changes", [{"estimate": math.nan}, {"df": 0.0}, {"std_error": -1.0}, {"p_value": 1.2}])
def test_estimate_refuses_what_cannot_be(changes):
    with pytest.raises(ResultError):
        estimate(**changes)


def test_scaling_by_a_negative_factor_turns_everything_round():
    made, turned = estimate(), estimate().scaled(-100)
    assert turned.estimate == pytest.approx(40) and turned.conf_low == pytest.approx(-100 * made.conf_high)
    assert turned.statistic == pytest.approx(-made.statistic) and turned.p_value == made.p_value


def test_row_takes_study_outcome_estimand_from_its_id():
    made = row()
    assert (made.study, made.outcome, made.estimand) == ("goal_setting", "sickness_absence", "itt")


@pytest.mark.parametrize("result_id", ["goal_setting", "Goal/absence/itt/cr1", "a/b/c d/e", ""])
def test_row_refuses_an_unreadable_id(result_id):
    with pytest.raises(ResultError, match="result_id"):
        row(result_id=result_id)


def test_row_refuses_an_interval_that_misses_its_estimate():
    with pytest.raises(ResultError, match="interval"):
        ResultRow(
            result_id="a/b/c/d",
            study="a",
            outcome="b",
            estimand="c",
            population="",
            contrast="",
            method="",
            analysis="planned",
            estimate=1.0,
            conf_low=2.0,
            conf_high=3.0,
        )


def test_a_row_without_an_estimate_must_say_why():
    about = ABOUT | {"method": "OLS"}
    assert not_estimated(result_id="a/b/c/d", reason="one arm only", **about).status == "not_estimated"
    with pytest.raises(ResultError, match="why"):
        not_estimated(result_id="a/b/c/d", reason="", **about)


def test_frame_refuses_two_rows_of_one_id():
    with pytest.raises(ResultError, match="twice"):
        result_frame([row(), row()])


def test_frame_survives_csv_to_the_last_bit(tmp_path):
    lost = not_estimated(result_id="a/b/c/d", reason="one arm only, so nothing", **(ABOUT | {"method": "OLS"}))
    frame = result_frame([row(estimate=-1 / 3, df=math.inf), lost, row("a/b/c/e", n_clusters=None)])
    write_results(frame, tmp_path / "results.csv")
    again = read_results(tmp_path / "results.csv")
    pd.testing.assert_frame_equal(frame, again, check_exact=True)
    assert list(again.columns) == list(COLUMNS) and not list(tmp_path.glob("*.partial"))


def test_reading_refuses_other_columns(tmp_path):
    (tmp_path / "results.csv").write_text("result_id,estimate\na/b/c/d,1\n")
    with pytest.raises((ResultError, ValueError)):
        read_results(tmp_path / "results.csv")


def test_row_of_names_the_missing_id():
    with pytest.raises(ResultError, match="a/b/c/z"):
        row_of(result_frame([row("a/b/c/d")]), "a/b/c/z")


def test_reading_a_row_without_numbers_notes_why():
    why = "one arm only, so nothing"
    none = not_estimated(result_id="a/b/c/none", reason=why, **(ABOUT | {"method": "OLS"}))
    hidden = dataclasses.replace(
        row("a/b/c/hidden"),
        **dict.fromkeys(NUMBERS, math.nan),
        status="withheld",
        note=f"Skewed. {NOTE}all its numbers.",
    )
    frame = result_frame([row("a/b/c/d"), none, hidden])
    for result_id, reasons in (("d", []), ("none", [why]), ("hidden", [f"{NOTE}all its numbers."])):
        with noted() as found:
            row_of(frame, f"a/b/c/{result_id}")
        assert found == reasons


def test_changes_name_what_moved_appeared_and_vanished():
    old = result_frame([row("a/b/c/d"), row("a/b/c/gone")])
    new = result_frame([row("a/b/c/d", estimate=-0.5), row("a/b/c/new")])
    found = changed_results(old, new)
    assert set(found.loc[found["change"] == "gone", "result_id"]) == {"a/b/c/gone"}
    assert set(found.loc[found["change"] == "new", "result_id"]) == {"a/b/c/new"}
    moved = found.loc[found["column"] == "estimate"].iloc[0]
    assert (moved["old"], moved["new"]) == (-0.4, -0.5)
    assert changed_results(old, old).empty


def test_changes_ignore_missing_on_both_sides():
    frame = result_frame([row(std_error=0.0)])
    assert np.isnan(frame["p_value"].iloc[0]) and changed_results(frame, frame).empty
