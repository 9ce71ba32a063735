"""Sentences follow the numbers: sign, certainty and direction are read off the row."""

import math

import pandas as pd
import pytest

from hhp_stats.errors import NoConclusion
from hhp_stats.plan.load import load_plan
from hhp_stats.present import prose
from hhp_stats.present.numbers import MISSING, interval, number, p_clause, p_value, percent, plural
from hhp_stats.results.lacking import noted


@pytest.fixture(scope="module")
def outcome(root):
    return load_plan(root, "goal_setting").outcomes["sickness_absence"]


def row(estimate, low, high, p=0.3, status="estimated", note=""):
    return {
        "estimate": estimate,
        "conf_low": low,
        "conf_high": high,
        "conf_level": 0.95,
        "p_value": p,
        "status": status,
        "note": note,
        "result_id": "a/b/c/d",
    }


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (-0.004, 2, "\u22120.004"),
        (-0.0, 2, "0.00"),
        (-1e-16, 2, "0.00"),
        (-1.256, 2, "\u22121.26"),
        (1234.5, 0, "1,234"),
        (math.nan, 2, MISSING),
        (-math.inf, 2, "\u2212\u221e"),
    ],
)
def test_numbers(value, digits, text):
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0004, "< .001"), (0.0042, ".004"), (0.0496, ".0496"), (0.34, ".34"), (0.999, "> .99"), (0.0504, ".0504")],
)
def test_p_values(p, text):
    assert p_value(p) == text


def test_small_phrases():
    assert p_clause(0.0001) == "p < .001" and p_clause(0.25) == "p = .25"
    assert (
        percent(0.1234) == "12.3%"
        and plural(1, "team") == "1 team"
        and plural(1200, "person", "people") == "1,200 people"
    )
    assert interval(-1, 2, 1) == "\u22121.0 to 2.0"


def test_an_interval_across_zero_is_no_clear_difference(outcome):
    said = prose.difference(row(-0.4, -1.2, 0.4), outcome, offer="goal-setting")
    assert "lower by 0.40 working days over 24 weeks" in said and "a difference that could be chance" in said


def test_flipping_the_sign_flips_direction_and_favour(outcome):
    lower, higher = (
        prose.difference(row(sign * 0.8, *sorted((sign * 0.2, sign * 1.4)), p=0.01), outcome, offer="goal-setting")
        for sign in (-1, 1)
    )
    assert "lower" in lower and "in favour of the goal-setting group" in lower
    assert "higher" in higher and "in favour of the control group" in higher


def test_no_difference_at_all(outcome):
    said = prose.difference(row(0.0, -1, 1), outcome, offer="goal-setting")
    assert "the same in both groups" in said and "chance" not in said


def test_what_could_not_be_estimated_says_why(outcome):
    lacking = row(math.nan, math.nan, math.nan, status="not_estimated", note="ConstantTreatment: one arm.")
    assert prose.difference(lacking, outcome, offer="goal-setting") == "This could not be estimated. One arm."
    # Neither a difference nor none follows from it.
    with noted() as reasons, pytest.raises(NoConclusion):
        prose.verdict(lacking, better="lower")
    assert reasons == ["ConstantTreatment: one arm."]
    other = pd.DataFrame([row(0.1, -1.0, 1.0) | {"result_id": "a/b/itt/d"}])
    agreement = prose.agreement(other, lacking, better="lower")
    assert agreement.endswith("no result to compare others with. One arm.")


def test_probabilities_are_said_in_points(outcome):
    said = prose.probability_change(
        row(0.021, 0.001, 0.041, p=0.04),
        outcome,
        offer="goal-setting",
        control=row(0.05, 0, 1),
        treated=row(0.071, 0, 1),
    )
    assert "2.1 percentage points higher" in said and "7.1% against 5.0%" in said
